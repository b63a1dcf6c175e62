"""For each pixel the nearest labeled pixel's label, in exact integers.

Squared distances add up axis by axis.  Along one line of pixels each pixel q
with distance f(q) from the axes done before offers the parabola
f(q) + (p - q)^2 to every pixel p; the nearest is the lower envelope of these.
A parabola stays as long as it is lowest, alone or with others, at some pixel,
so that among equally near labels the lowest can be taken.
"""

from libc.stdint cimport int64_t

from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t

cdef enum:
    FAR = -1    # no labeled pixel met so far


cdef inline int64_t floor_divide(int64_t a, int64_t b) noexcept nogil:
    """Return a / b rounded down.  Pre: b > 0."""
    cdef int64_t quotient = a // b    # rounded towards 0, as in C
    return quotient - (quotient * b > a)


cdef inline int64_t crossing(
    const int64_t[::1] place, const int64_t[::1] height, Py_ssize_t k, bint up
) noexcept nogil:
    """Return where parabola k + 1 gets as low as parabola k, rounded down or `up`."""
    cdef int64_t q = place[k], r = place[k + 1]
    cdef int64_t numerator = height[k + 1] - height[k] + (r - q) * (r + q)
    if up:
        return -floor_divide(-numerator, 2 * (r - q))
    return floor_divide(numerator, 2 * (r - q))


cdef int spread_lines(
    label_t[::1] labels,
    int64_t[::1] distance,
    Py_ssize_t length,
    Py_ssize_t stride,
    int64_t[::1] place,
    int64_t[::1] height,
    label_t[::1] name,
) except -1 nogil:
    cdef Py_ssize_t size = labels.shape[0], n_lines = size // length
    cdef Py_ssize_t line, start, p, q, n, k, j, work = 0
    cdef label_t best
    for line in range(n_lines):
        start = line // stride * (stride * length) + line % stride
        n = 0
        for q in range(length):
            p = start + q * stride
            if distance[p] == FAR:
                continue
            place[n] = q
            height[n] = distance[p]
            name[n] = labels[p]
            n += 1
            # The last but one goes while there is no pixel at which it is lowest.
            while n > 2 and crossing(place, height, n - 3, True) > crossing(
                place, height, n - 2, False
            ):
                place[n - 2] = place[n - 1]
                height[n - 2] = height[n - 1]
                name[n - 2] = name[n - 1]
                n -= 1
        if n == 0:
            continue
        k = 0
        for q in range(length):
            p = start + q * stride
            while k < n - 1 and crossing(place, height, k, False) < q:
                k += 1
            best = name[k]
            j = k
            while j < n - 1 and crossing(place, height, j, True) <= q:
                j += 1
                best = min(best, name[j])
            labels[p] = best
            distance[p] = height[k] + (q - place[k]) * (q - place[k])
        work += 8 * length
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def spread_nearest(
    label_t[::1] labels,
    int64_t[::1] distance,
    Py_ssize_t length,
    Py_ssize_t stride,
    int64_t[::1] place,
    int64_t[::1] height,
    label_t[::1] name,
):
    """Extend labels along one axis, of `length` pixels `stride` apart.

    Pre: distance is 0 at labeled pixels and -1 at the others before the first
    axis, then what the axes before left; place, height, name have `length`
    elements.
    Post: after all axes each pixel has the lowest label among those of the
    nearest labeled pixels, and its squared distance (-1 if there is no label).
    Cost: O(pixels) per axis.
    Paper: Felzenszwalb, Huttenlocher (2012), Distance transforms of sampled
    functions, doi:10.4086/toc.2012.v008a019; integer crossings as in Meijster,
    Roerdink, Hesselink (2000), doi:10.1007/0-306-47025-X_36.
    """
    with nogil:
        spread_lines(labels, distance, length, stride, place, height, name)
