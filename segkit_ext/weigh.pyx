"""What each edge of a region graph costs, by a criterion of `criteria.pxd`."""

from .criteria cimport merging_cost
from .interrupt cimport POLL_STEPS, poll


cdef int weigh_all(
    int criterion,
    Py_ssize_t n_channels,
    const double[::1] options,
    const double[:, ::1] rows,
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    const double[:, ::1] borders,
    double[::1] costs,
) except -1 nogil:
    cdef Py_ssize_t edge, n_edges = u.shape[0]
    for edge in range(n_edges):
        costs[edge] = merging_cost(
            criterion, n_channels, options, rows, u[edge], v[edge], borders, edge
        )
        if edge % POLL_STEPS == POLL_STEPS - 1:
            poll()
    return 0


def weigh(
    int criterion,
    Py_ssize_t n_channels,
    const double[::1] options,
    const double[:, ::1] rows,
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    const double[:, ::1] borders,
    double[::1] costs,
):
    """Write the cost of each edge.

    Pre: the columns of rows and borders are those of `criteria.pxd` (no rows or
    borders where the criterion uses none); costs has a place for each edge.
    Post: costs, none of them NaN.
    Cost: O(edges * channels).
    """
    with nogil:
        weigh_all(criterion, n_channels, options, rows, u, v, borders, costs)
