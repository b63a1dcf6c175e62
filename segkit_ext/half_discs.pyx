"""Histograms of the two halves of a disc, at all orientations at once.

A disc is cut into slices like a cake, two for each orientation, and a histogram
is kept of each slice.  When the disc moves one pixel on, each row of each slice
gains a pixel and loses one.  Half a disc is the sum of half of the slices, and
turning it by one orientation adds a slice and takes one away.

A pixel counts for two neighboring bins, in sixteenths, according to where its
value lies between them: a histogram of few bins then changes smoothly.
"""

from libc.stdint cimport uint8_t

from .interrupt cimport POLL_STEPS, poll

cdef enum:
    WHOLE = 16      # what a pixel counts in all
    SLICE = 0       # columns of a span: the slice,
    ROW = 1         # its row from the center,
    FIRST = 2       # its first and last column
    LAST = 3
    LANES = 4       # bins that are taken at once; their number is a multiple of it


def whole():
    """Return what a pixel counts in all."""
    return WHOLE


cdef inline void add(
    float[:, ::1] counts,
    Py_ssize_t part_of,
    const uint8_t[::1] codes,
    const uint8_t[::1] parts,
    Py_ssize_t p,
    float sign,
) noexcept nogil:
    """Count a pixel in its two bins."""
    cdef Py_ssize_t code = codes[p]
    cdef float second = <float> parts[p]
    counts[part_of, code] += sign * (<float> WHOLE - second)
    counts[part_of, code + 1] += sign * second


cdef inline void compare(
    const float[:, ::1] counts,
    float[:, ::1] work,
    float[:, ::1] out,
    Py_ssize_t at,
    float weight,
) noexcept nogil:
    """Add the distance of the two halves to out[:, at], for each orientation."""
    cdef Py_ssize_t n_slices = counts.shape[0], n_bins = counts.shape[1]
    cdef Py_ssize_t n_orientations = n_slices // 2, k, b, s, four
    cdef float a0, a1, a2, a3, d0, d1, d2, d3, two = 2.0
    # work: one half, all, and the reciprocal of all, for each bin
    for b in range(n_bins):
        work[0, b] = 0.0
        work[1, b] = 0.0
    for s in range(n_orientations):
        for b in range(n_bins):
            work[0, b] += counts[s, b]
            work[1, b] += counts[s + n_orientations, b]
    for b in range(n_bins):
        work[1, b] += work[0, b]
        work[2, b] = 0.0
        if work[1, b] > 0.0:
            work[2, b] = <float> 1.0 / work[1, b]
    for k in range(n_orientations):
        a0 = a1 = a2 = a3 = 0.0
        for four in range(n_bins // LANES):
            b = four * LANES
            d0 = two * work[0, b] - work[1, b]
            d1 = two * work[0, b + 1] - work[1, b + 1]
            d2 = two * work[0, b + 2] - work[1, b + 2]
            d3 = two * work[0, b + 3] - work[1, b + 3]
            a0 += d0 * d0 * work[2, b]
            a1 += d1 * d1 * work[2, b + 1]
            a2 += d2 * d2 * work[2, b + 2]
            a3 += d3 * d3 * work[2, b + 3]
        out[k, at] += weight * ((a0 + a1) + (a2 + a3))
        for b in range(n_bins):
            work[0, b] += counts[k + n_orientations, b] - counts[k, b]


cdef int sweep(
    const uint8_t[::1] codes,
    const uint8_t[::1] parts,
    Py_ssize_t n_rows,
    Py_ssize_t n_cols,
    Py_ssize_t border,
    const Py_ssize_t[:, ::1] spans,
    float weight,
    float[:, ::1] counts,
    float[:, ::1] work,
    float[:, ::1] out,
) except -1 nogil:
    cdef Py_ssize_t width = n_cols + 2 * border, row, col, p, k, dx, since = 0
    cdef Py_ssize_t n_spans = spans.shape[0], s, b
    for row in range(n_rows):
        for s in range(counts.shape[0]):
            for b in range(counts.shape[1]):
                counts[s, b] = 0.0
        for k in range(n_spans):
            p = (row + border + spans[k, ROW]) * width + border
            for dx in range(spans[k, FIRST], spans[k, LAST] + 1):
                add(counts, spans[k, SLICE], codes, parts, p + dx, 1.0)
        compare(counts, work, out, row * n_cols, weight)
        for col in range(1, n_cols):
            for k in range(n_spans):
                p = (row + border + spans[k, ROW]) * width + border + col
                s = spans[k, SLICE]
                add(counts, s, codes, parts, p + spans[k, LAST], 1.0)
                add(counts, s, codes, parts, p + spans[k, FIRST] - 1, -1.0)
            compare(counts, work, out, row * n_cols + col, weight)
            since += n_spans
            if since >= POLL_STEPS:
                since = 0
                poll()
    return 0


def compare_halves(
    const uint8_t[::1] codes,
    const uint8_t[::1] parts,
    Py_ssize_t n_rows,
    Py_ssize_t n_cols,
    Py_ssize_t border,
    const Py_ssize_t[:, ::1] spans,
    float weight,
    float[:, ::1] counts,
    float[:, ::1] work,
    float[:, ::1] out,
):
    """Add weight * sum over bins of (g - h)^2 / (g + h) to out, for each orientation and pixel.

    g and h are the counts in the two halves of the disc around the pixel.

    Pre: codes and parts are an image with `border` pixels more on each side, as wide
    as the disc; a pixel counts whole() - part for its code and part for code + 1,
    which is below n_bins; spans (k, 4) tile the disc: slice, row, first and last
    column from the center; counts (2 * orientations, n_bins) and work (3, n_bins)
    are workspace, n_bins a multiple of 4; out (orientations, n_rows * n_cols).
    Post: halves of orientation k are the slices k to k + orientations - 1, and the rest.
    Cost: O(pixels * (spans + orientations * n_bins)).
    Paper: Martin, Fowlkes, Malik (2004), Learning to detect natural image boundaries
    using local brightness, color, and texture cues.
    """
    with nogil:
        sweep(codes, parts, n_rows, n_cols, border, spans, weight, counts, work, out)
