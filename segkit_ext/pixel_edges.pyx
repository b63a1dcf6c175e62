"""Edges between neighboring pixels, in the order of how much these differ.

An edge is a pixel and one of the steps to the neighbors that follow it in raster order;
its number is ``pixel << shift | step``, so the two pixels are found without a table.
Differences of a row are computed step by step, as loops over neighbors in memory; then
the edges are taken pixel by pixel.

Where differences are rounded to 12 significant bits they make less than 2**16 levels,
and the edges are sorted by counting: each level gets as many slots as it has edges, and
each edge goes to the next slot of its level.  That is one scattered writing, and equal
edges keep their order.
"""

from libc.math cimport fabs, fabsf, sqrt, sqrtf
from libc.stdint cimport int32_t, int64_t, uint16_t

from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    static inline int32_t segkit_bits_of_float(float x) {
        int32_t bits;
        memcpy(&bits, &x, sizeof bits);
        return bits;
    }
    """
    int32_t segkit_bits_of_float(float x) noexcept nogil

ctypedef fused real_t:
    float
    double

cdef enum:
    ROW_AXES = 3       # axes that tell rows apart: at most four dimensions
    DROPPED = 12       # of the 24 significant bits of a float32
    LEVELS = 1 << 16
    NO_EDGE = LEVELS - 1


def n_levels():
    """Return how many levels `counts` has; the last is for edges that lead nowhere."""
    return LEVELS


def dropped_bits():
    """Return how many of the lowest bits of a float32 do not count."""
    return DROPPED


cdef inline real_t root(real_t x) noexcept nogil:
    if real_t is float:
        return sqrtf(x)
    else:
        return sqrt(x)


cdef inline real_t size_of(real_t x) noexcept nogil:
    if real_t is float:
        return fabsf(x)
    else:
        return fabs(x)


cdef int measure_row(
    const real_t[:, ::1] values, const Py_ssize_t[::1] shape, const Py_ssize_t[:, ::1] steps,
    Py_ssize_t row, bint largest, real_t[:, ::1] near,
) noexcept nogil:
    """Write how much each pixel of a row differs from each neighbor; -1 where there is none."""
    cdef Py_ssize_t width = shape[ROW_AXES], n_channels = values.shape[0]
    cdef Py_ssize_t step, axis, rest, at, other, stride, i, c, p, q, begin, end
    cdef real_t d
    cdef bint exists
    for step in range(steps.shape[0]):
        exists = True
        rest = row
        other = 0
        stride = 1
        for axis in range(ROW_AXES - 1, -1, -1):
            at = rest % shape[axis] + steps[step, axis]
            rest = rest // shape[axis]
            exists = exists and 0 <= at < shape[axis]
            other += stride * at
            stride *= shape[axis]
        begin = max(<Py_ssize_t> 0, -steps[step, ROW_AXES])
        end = width - max(<Py_ssize_t> 0, steps[step, ROW_AXES])
        if not exists or end < begin:
            begin = end = 0
        for i in range(begin):
            near[step, i] = -1
        for i in range(end, width):
            near[step, i] = -1
        p = row * width
        q = other * width + steps[step, ROW_AXES]
        if not exists:
            continue
        if n_channels == 1:
            for i in range(begin, end):
                near[step, i] = size_of(values[0, q + i] - values[0, p + i])
        elif largest:
            for i in range(begin, end):
                near[step, i] = 0
            for c in range(n_channels):
                for i in range(begin, end):
                    d = size_of(values[c, q + i] - values[c, p + i])
                    near[step, i] = d if d > near[step, i] else near[step, i]
        else:
            for i in range(begin, end):
                d = values[0, q + i] - values[0, p + i]
                near[step, i] = d * d
            for c in range(1, n_channels):
                for i in range(begin, end):
                    d = values[c, q + i] - values[c, p + i]
                    near[step, i] += d * d
            for i in range(begin, end):
                near[step, i] = root(near[step, i])
    return 0


cdef int level_rows(
    const float[:, ::1] values, const Py_ssize_t[::1] shape, const Py_ssize_t[:, ::1] steps,
    bint largest, int32_t lowest, float[:, ::1] near, uint16_t[:, ::1] levels,
    int64_t[::1] counts,
) except -1 nogil:
    cdef Py_ssize_t width = shape[ROW_AXES], n_rows = values.shape[1] // width
    cdef Py_ssize_t row, step, i, p, work = 0
    cdef int32_t bits, level
    for row in range(n_rows):
        measure_row(values, shape, steps, row, largest, near)
        p = row * width
        for step in range(steps.shape[0]):
            for i in range(width):
                bits = segkit_bits_of_float(near[step, i])    # -1 is below 0 as bits, too
                level = (bits >> DROPPED) - lowest
                level = level if level > 0 else 0
                levels[step, p + i] = <uint16_t> (level if bits >= 0 else NO_EDGE)
            for i in range(p, p + width):
                counts[levels[step, i]] += 1
        work += width * steps.shape[0] * (values.shape[0] + 2)
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def level_edges(
    const float[:, ::1] values, const Py_ssize_t[::1] shape, const Py_ssize_t[:, ::1] steps,
    bint largest, int lowest, float[:, ::1] near, uint16_t[:, ::1] levels, int64_t[::1] counts,
):
    """Find the level of each edge: the upper bits of its difference, as a float32.

    The difference is Euclidean, or that of the channel where it is `largest`.  Level 0
    are the differences whose upper bits are `lowest` or less, level l those with upper
    bits `lowest` + l.

    Pre: values (channels, pixels); shape holds four sides, leading ones 1; steps
    (n_steps, 4) lead to following pixels; `near` (n_steps, shape[3]); levels (n_steps,
    pixels); counts 0, with n_levels() places; every level is below the last.
    Post: levels and how many edges each has; the last level where the step leads nowhere.
    Cost: O(pixels * n_steps * channels).
    """
    with nogil:
        level_rows(values, shape, steps, largest, lowest, near, levels, counts)


cdef int place(
    const uint16_t[:, ::1] levels, int64_t[::1] start, int shift, label_t[::1] edges,
) except -1 nogil:
    cdef Py_ssize_t p, stop, step, n = levels.shape[1]
    cdef int64_t slot
    cdef uint16_t level
    p = 0
    while p < n:
        stop = min(n, p + POLL_STEPS // 4)
        for p in range(p, stop):
            for step in range(levels.shape[0]):
                level = levels[step, p]
                if level != NO_EDGE:
                    slot = start[level]
                    start[level] = slot + 1
                    edges[slot] = <label_t> ((p << shift) | step)
        p = stop
        poll()
    return 0


def place_edges(
    const uint16_t[:, ::1] levels, int64_t[::1] start, int shift, label_t[::1] edges,
):
    """Sort the edges by level, equal ones in order of pixel, then of step.

    Pre: levels as `level_edges` writes them; start holds the first slot of each level;
    steps < 2**shift.
    Post: edges; start holds the slot behind the last of each level.
    Cost: O(edges), one scattered writing.
    Paper: Seward 1954 (counting sort); Knuth, The Art of Computer Programming 3, 5.2.
    """
    with nogil:
        place(levels, start, shift, edges)


cdef Py_ssize_t list_rows(
    const real_t[:, ::1] values, const Py_ssize_t[::1] shape, const Py_ssize_t[:, ::1] steps,
    bint largest, real_t[:, ::1] near, int shift, real_t[::1] keys, label_t[::1] edges,
) except -1 nogil:
    cdef Py_ssize_t width = shape[ROW_AXES], n_rows = values.shape[1] // width
    cdef Py_ssize_t row, step, i, n = 0, work = 0
    for row in range(n_rows):
        measure_row(values, shape, steps, row, largest, near)
        for i in range(width):
            for step in range(steps.shape[0]):
                if near[step, i] >= 0:
                    keys[n] = near[step, i]
                    edges[n] = <label_t> (((row * width + i) << shift) | step)
                    n += 1
        work += width * steps.shape[0] * (values.shape[0] + 2)
        if work >= POLL_STEPS:
            work = 0
            poll()
    return n


def list_edges(
    const real_t[:, ::1] values, const Py_ssize_t[::1] shape, const Py_ssize_t[:, ::1] steps,
    bint largest, real_t[:, ::1] near, int shift, real_t[::1] keys, label_t[::1] edges,
):
    """List the edges in order of pixel, then of step, with their differences.

    Pre: as `level_edges`; `keys` and `edges` have room for all; values finite.
    Post: returns how many there are.
    Cost: O(pixels * n_steps * channels).
    """
    cdef Py_ssize_t n
    with nogil:
        n = list_rows(values, shape, steps, largest, near, shift, keys, edges)
    return n
