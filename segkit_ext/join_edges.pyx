"""Joining pixels along edges, weakest first: what makes a region is when it stops.

Felzenszwalb and Huttenlocher: two regions are joined where they meet first, if the edge
between them is no stronger than the strongest edge inside each, plus an allowance that
shrinks as the region grows.  Each region keeps that limit ready.

Nock and Nielsen: two regions are joined if their means differ by no more than chance
would make them differ, were they samples of one region.

Edges come as `pixel_edges.pyx` numbers them.  A root is the smallest pixel of its set,
so labels come out in raster order.
"""

from libc.math cimport log
from libc.stdint cimport int64_t

from .interrupt cimport POLL_STEPS, poll
from .prefetch cimport SEGKIT_PREFETCH
from .types cimport label_t
from .union_find cimport find

ctypedef fused real_t:
    float
    double

cdef enum:
    AHEAD = 24      # how many edges before its turn the memory of a pixel is asked for


cdef inline label_t link(
    label_t[::1] parent, label_t[::1] size, label_t u, label_t v
) noexcept nogil:
    """Join two roots; return the one that stays, the smaller."""
    cdef label_t low = u if u < v else v, high = v if u < v else u
    parent[high] = low
    size[low] += size[high]
    return low


cdef Py_ssize_t join_by_limit(
    label_t[::1] edges, const int64_t[::1] ends, const real_t[::1] keys,
    const Py_ssize_t[::1] offsets, int shift, double scale,
    label_t[::1] parent, label_t[::1] size, double[::1] limit,
) except -1 nogil:
    cdef Py_ssize_t i, stop, ahead, n = edges.shape[0], n_left = 0, level = 0
    cdef label_t u, v, edge, low_bits = (<label_t> 1 << shift) - 1
    cdef label_t* base = &parent[0]
    cdef bint by_level = ends.shape[0] > 0
    cdef double weight = 0.0
    i = 0
    while i < n:
        stop = min(n, i + POLL_STEPS)
        while i < stop:
            edge = edges[i]
            if i + AHEAD < n:
                ahead = edges[i + AHEAD] >> shift
                SEGKIT_PREFETCH(base + ahead)
                SEGKIT_PREFETCH(base + ahead + offsets[edges[i + AHEAD] & low_bits])
            u = edge >> shift
            v = find(parent, <label_t> (u + offsets[edge & low_bits]))
            u = find(parent, u)
            if u != v:
                if by_level:
                    while ends[level] <= i:
                        level += 1
                    weight = keys[level]
                else:
                    weight = keys[i]
                if weight <= limit[u] and weight <= limit[v]:
                    u = link(parent, size, u, v)
                    limit[u] = weight + scale / <double> size[u]
                else:
                    edges[n_left] = edge
                    n_left += 1
            i += 1
        poll()
    return n_left


def join_within_limits(
    label_t[::1] edges, const int64_t[::1] ends, const real_t[::1] keys,
    const Py_ssize_t[::1] offsets, int shift, double scale,
    label_t[::1] parent, label_t[::1] size, double[::1] limit,
):
    """Join along the edges as Felzenszwalb and Huttenlocher do.

    Pre: edges sorted; `ends` holds the place behind the last edge of each level, and
    `keys` the weight of the level, or `ends` is empty and `keys` holds the weight of each
    edge; offsets lead from a pixel to the
    other by step; `parent` is 0, 1, 2, ..., `size` 1 and `limit` `scale` for each pixel.
    Post: parent and size of the regions; the edges at which regions stayed apart come
    first, in their order, and their number is returned.
    Cost: O(edges log pixels), in practice about linear.
    Paper: Felzenszwalb and Huttenlocher 2004.
    """
    cdef Py_ssize_t n
    with nogil:
        n = join_by_limit(edges, ends, keys, offsets, shift, scale, parent, size, limit)
    return n


cdef inline double doubt(double size, double range_, double factor, double constant) noexcept nogil:
    """Return the square of how far a mean of `size` pixels may be off."""
    return factor * ((size if size < range_ else range_) * log(size + 1.0) + constant) / size


cdef Py_ssize_t join_by_chance(
    label_t[::1] edges, const Py_ssize_t[::1] offsets, int shift,
    double n_grey, double factor, double constant,
    label_t[::1] parent, label_t[::1] size, double[:, ::1] sums, double[::1] doubts,
) except -1 nogil:
    cdef Py_ssize_t i, stop, ahead, n = edges.shape[0], n_left = 0, c
    cdef label_t u, v, edge, low_bits = (<label_t> 1 << shift) - 1
    cdef label_t* base = &parent[0]
    cdef double d, allowed
    cdef bint near
    i = 0
    while i < n:
        stop = min(n, i + POLL_STEPS)
        while i < stop:
            edge = edges[i]
            if i + AHEAD < n:
                ahead = edges[i + AHEAD] >> shift
                SEGKIT_PREFETCH(base + ahead)
                SEGKIT_PREFETCH(base + ahead + offsets[edges[i + AHEAD] & low_bits])
            u = edge >> shift
            v = find(parent, <label_t> (u + offsets[edge & low_bits]))
            u = find(parent, u)
            if u != v:
                allowed = doubts[u] + doubts[v]
                near = True
                for c in range(sums.shape[1]):
                    d = sums[u, c] / <double> size[u] - sums[v, c] / <double> size[v]
                    near = near and d * d <= allowed
                if near:
                    if v < u:
                        u, v = v, u
                    link(parent, size, u, v)
                    for c in range(sums.shape[1]):
                        sums[u, c] += sums[v, c]
                    doubts[u] = doubt(<double> size[u], n_grey, factor, constant)
                else:
                    edges[n_left] = edge
                    n_left += 1
            i += 1
        poll()
    return n_left


def join_by_means(
    label_t[::1] edges, const Py_ssize_t[::1] offsets, int shift,
    double n_grey, double factor, double constant,
    label_t[::1] parent, label_t[::1] size, double[:, ::1] sums, double[::1] doubts,
):
    """Join along the edges as Nock and Nielsen do.

    The square of the doubt about a mean of n pixels is
    factor * (min(n, n_grey) * log(n + 1) + constant) / n.

    Pre: edges and offsets as `join_within_limits`; `parent` is 0, 1, 2, ..., `size` 1,
    `sums` (pixels, channels) the values, `doubts` the squared doubt about one pixel.
    Post: as `join_within_limits`; sums over regions.
    Cost: O(edges log pixels), in practice about linear.
    Paper: Nock and Nielsen 2004.
    """
    cdef Py_ssize_t n
    with nogil:
        n = join_by_chance(
            edges, offsets, shift, n_grey, factor, constant, parent, size, sums, doubts
        )
    return n


cdef int join_by_size(
    const label_t[::1] edges, const Py_ssize_t[::1] offsets, int shift, label_t min_size,
    label_t[::1] parent, label_t[::1] size,
) except -1 nogil:
    cdef Py_ssize_t i, stop, ahead, n = edges.shape[0]
    cdef label_t u, v, low_bits = (<label_t> 1 << shift) - 1
    cdef label_t* base = &parent[0]
    i = 0
    while i < n:
        stop = min(n, i + POLL_STEPS)
        while i < stop:
            if i + AHEAD < n:
                ahead = edges[i + AHEAD] >> shift
                SEGKIT_PREFETCH(base + ahead)
                SEGKIT_PREFETCH(base + ahead + offsets[edges[i + AHEAD] & low_bits])
            u = edges[i] >> shift
            v = find(parent, <label_t> (u + offsets[edges[i] & low_bits]))
            u = find(parent, u)
            if u != v and (size[u] < min_size or size[v] < min_size):
                link(parent, size, u, v)
            i += 1
        poll()
    return 0


def join_small(
    const label_t[::1] edges, const Py_ssize_t[::1] offsets, int shift, label_t min_size,
    label_t[::1] parent, label_t[::1] size,
):
    """Join along each edge where one of the two regions is too small.

    Pre: what `join_within_limits` and `join_by_means` leave, the edges cut to those at
    which regions stayed apart.
    Cost: O(edges log pixels), in practice about linear.
    """
    with nogil:
        join_by_size(edges, offsets, shift, min_size, parent, size)


cdef Py_ssize_t number_roots(const label_t[::1] parent, label_t[::1] labels) except -1 nogil:
    cdef Py_ssize_t p, stop, n = parent.shape[0], last = 0
    p = 0
    while p < n:
        stop = min(n, p + POLL_STEPS * 4)
        while p < stop:
            if parent[p] == p:
                last += 1
                labels[p] = <label_t> last
            else:
                labels[p] = labels[parent[p]]
            p += 1
        poll()
    return last


def number_sets(const label_t[::1] parent, label_t[::1] labels):
    """Number the sets in the order of their roots; return how many there are.

    Pre: parent[p] <= p.
    Cost: one pass.
    """
    cdef Py_ssize_t n
    with nogil:
        n = number_roots(parent, labels)
    return n
