"""Basins that run together as the water rises, and the tree that this gives.

Edges between basins come lowest pass first.  Where an edge joins two lakes, one
of them gives its water to the other: what counts is how large the smaller was.
"""

from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t

cdef enum:
    VOLUME = 2    # of the attributes the one that is no count


cdef inline Py_ssize_t find_lake(Py_ssize_t[::1] parent, Py_ssize_t u) noexcept nogil:
    """Return the root of `u`; every node on the way is linked to its grandparent."""
    cdef Py_ssize_t above = parent[u], next_above
    while above != u:
        next_above = parent[above]
        parent[u] = next_above
        u = above
        above = next_above
    return u


cdef Py_ssize_t rise(
    int attribute,
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    const double[::1] passes,
    const label_t[::1] labels,
    const double[::1] heights,
    const label_t[::1] order,
    Py_ssize_t[::1] lowest,
    const Py_ssize_t[::1] rank,
    double[::1] count,
    double[::1] total,
    Py_ssize_t[::1] parent,
    Py_ssize_t[::1] edge,
    Py_ssize_t[::1] shallow,
    double[::1] smaller,
) except -1 nogil:
    cdef Py_ssize_t e, i = 0, one, two, found = 0, work = 0, n_pixels = order.shape[0]
    cdef double a, b, height
    for e in range(u.shape[0]):
        while i < n_pixels:
            height = heights[order[i]]
            if height >= passes[e]:
                break
            one = find_lake(parent, <Py_ssize_t> labels[order[i]] - 1)
            count[one] += 1.0
            total[one] += height
            i += 1
            work += 1
        one = find_lake(parent, u[e])
        two = find_lake(parent, v[e])
        if one != two:
            edge[found] = e
            # The lake whose lowest minimum is higher is the shallower one.
            shallow[found] = lowest[one]
            if rank[lowest[two]] > rank[lowest[one]]:
                shallow[found] = lowest[two]
            a = count[one]
            b = count[two]
            if attribute == VOLUME:
                # No water is none below an infinite pass, too.
                a = a * passes[e] - total[one] if a > 0.0 else 0.0
                b = b * passes[e] - total[two] if b > 0.0 else 0.0
            smaller[found] = a if a < b else b
            found += 1
            parent[two] = one
            count[one] += count[two]
            total[one] += total[two]
            if rank[lowest[two]] < rank[lowest[one]]:
                lowest[one] = lowest[two]
        work += 1
        if work >= POLL_STEPS:
            work = 0
            poll()
    return found


def join_lakes(
    int attribute,
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    const double[::1] passes,
    const label_t[::1] labels,
    const double[::1] heights,
    const label_t[::1] order,
    Py_ssize_t[::1] lowest,
    const Py_ssize_t[::1] rank,
    double[::1] count,
    double[::1] total,
    Py_ssize_t[::1] parent,
    Py_ssize_t[::1] edge,
    Py_ssize_t[::1] shallow,
    double[::1] smaller,
):
    """Go through passes from the lowest; return how many join two lakes.

    Pre: u, v, passes are in increasing order of passes; order has the pixels of
    basins in increasing order of heights (empty where only depths are asked for);
    lowest and parent (n,) are 0 .. n - 1, count and total 0; rank (n,) ranks the
    basins by their minima.
    Post: for each joining edge its index, the basin with the lowest minimum of the
    shallower lake, and the area or volume of the smaller lake, counting pixels
    below the pass.
    Cost: O((pixels + edges) log n).
    Paper: Cousty and Najman (2011), Incremental algorithm for hierarchical minimum
    spanning forests.
    """
    cdef Py_ssize_t found
    with nogil:
        found = rise(
            attribute, u, v, passes, labels, heights, order, lowest, rank, count, total,
            parent, edge, shallow, smaller,
        )
    return found


cdef int build(
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    Py_ssize_t[::1] root,
    Py_ssize_t[::1] number,
    Py_ssize_t[::1] parent,
) except -1 nogil:
    cdef Py_ssize_t e, one, two, n = root.shape[0]
    for e in range(u.shape[0]):
        one = find_lake(root, u[e])
        two = find_lake(root, v[e])
        parent[number[one]] = n + e
        parent[number[two]] = n + e
        root[two] = one
        number[one] = n + e
        if e % POLL_STEPS == POLL_STEPS - 1:
            poll()
    return 0


def build_tree(
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    Py_ssize_t[::1] root,
    Py_ssize_t[::1] number,
    Py_ssize_t[::1] parent,
):
    """Write the parents that a forest's edges give when joined in their order.

    Pre: the edges have no cycle; root and number (n,) are 0 .. n - 1.
    Post: the e-th edge makes node n + e, the parent of what it joins.
    Cost: O(n log n).
    """
    with nogil:
        build(u, v, root, number, parent)
