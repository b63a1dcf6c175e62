"""Disjoint sets over an array of parents, the smallest member being the root.

`parent[u] <= u` always, and `parent[u] == u` for a root.  With the smallest
member as the root, sets come out numbered in raster order of their first
member, whatever the order of the unions; path splitting alone keeps the cost at
O(log n) amortised per operation (Tarjan and van Leeuwen 1984), and near O(1)
on images.
"""

from .types cimport label_t

cdef inline label_t find(label_t[::1] parent, label_t u) noexcept nogil:
    """Return the root of `u`; every node on the way is linked to its grandparent."""
    cdef label_t above = parent[u], next_above
    while above != u:
        next_above = parent[above]
        parent[u] = next_above
        u = above
        above = next_above
    return u

cdef inline label_t unite(label_t[::1] parent, label_t u, label_t v) noexcept nogil:
    """Join the sets of `u` and `v`; return their root, the smaller of the two."""
    cdef label_t low = find(parent, u), high = find(parent, v), swap
    if high < low:
        swap = low
        low = high
        high = swap
    parent[high] = low
    return low
