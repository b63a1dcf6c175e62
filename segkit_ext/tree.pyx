"""Walks over a tree given by the parent of each node, parents behind their children."""

from .interrupt cimport POLL_STEPS, poll


cdef int climb(
    const Py_ssize_t[::1] parent, Py_ssize_t stop, Py_ssize_t[::1] top
) except -1 nogil:
    cdef Py_ssize_t k
    for k in range(stop - 1, -1, -1):
        # The parent has been done: its number is higher.
        top[k] = k if parent[k] >= stop or parent[k] == k else top[parent[k]]
        if k % POLL_STEPS == 0:
            poll()
    return 0


def find_tops(const Py_ssize_t[::1] parent, Py_ssize_t stop, Py_ssize_t[::1] top):
    """Find the highest ancestor below `stop` of each node below `stop`.

    Pre: parent[k] > k, or k at a root; len(top) >= stop.
    Cost: O(stop).
    """
    with nogil:
        climb(parent, stop, top)


cdef int line_up(
    const Py_ssize_t[::1] parent,
    const double[::1] level,
    Py_ssize_t n,
    Py_ssize_t[::1] count,
    Py_ssize_t[::1] place,
    double[::1] gap,
) except -1 nogil:
    cdef Py_ssize_t k, above, last = parent.shape[0] - 1
    for k in range(last + 1):
        count[k] = k < n
    for k in range(last):
        count[parent[k]] += count[k]
        if k % POLL_STEPS == 0:
            poll()
    if last >= 0:
        place[last] = 0
    for k in range(last - 1, -1, -1):
        above = parent[k]
        if place[above] < 0:
            # The younger child, done first, stands behind: its gap is the parent's level.
            place[k] = -1 - place[above]
        else:
            place[k] = place[above] + count[above] - count[k]
            gap[place[k] - 1] = level[above]
            place[above] = -1 - place[above]
        if k % POLL_STEPS == 0:
            poll()
    return 0


def order_leaves(
    const Py_ssize_t[::1] parent,
    const double[::1] level,
    Py_ssize_t n,
    Py_ssize_t[::1] count,
    Py_ssize_t[::1] place,
    double[::1] gap,
):
    """Put the n leaves of a binary tree in a row, as a dendrogram shows them.

    Pre: parent and level (2 n - 1,), the last node being the root; count and
    place are as long, gap (n,).
    Post: count has the leaves below each node, place[:n] the place of each leaf, and
    -1 - place[n:] that of the first leaf of each other node; gap[i] is the level at
    which the leaves at i and i + 1 come together, so that of any two leaves it is the
    largest gap between them.
    Cost: O(n).
    """
    with nogil:
        line_up(parent, level, n, count, place, gap)
