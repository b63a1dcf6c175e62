"""Gaussian classes of pixels: log densities, and the sums that new classes are made of.

A pixel is a vector of p features.  The density of a class at it needs its squared
distance from the mean in units of the deviation: with the factor F of the inverse
covariance (F^T F, F lower triangular) that is the squared length of F (x - mean).

Pixels are taken a strip at a time and laid out by feature, so that the loops over
pixels have no branches and the compiler can do several at once.  Sums run over a
strip in four lanes and over strips in their order: the result does not depend on
anything but the pixels.
"""

from .interrupt cimport POLL_STEPS, poll
from .types cimport value_t

# Nobody is farther from a class, in deviations squared: what overflows is no NaN.
cdef extern from *:
    """
    #define SEGKIT_FARTHEST 1e300
    """
    const double FARTHEST "SEGKIT_FARTHEST"

cdef enum:
    STRIP = 256    # pixels; a multiple of LANES
    LANES = 4


def strip_length():
    """Return the number of pixels in a strip, a side of the workspaces."""
    return STRIP


cdef inline void load_strip(
    const value_t[::1] values, Py_ssize_t begin, Py_ssize_t n, double[:, ::1] strip
) noexcept nogil:
    """Lay out n pixels by feature; what is left of the strip becomes 0."""
    cdef Py_ssize_t p = strip.shape[0], c, t
    for c in range(p):
        if p == 1:
            for t in range(n):
                strip[c, t] = <double> values[begin + t]
        else:
            for t in range(n):
                strip[c, t] = <double> values[(begin + t) * p + c]
        for t in range(n, STRIP):
            strip[c, t] = 0.0


cdef int densities_of_all(
    const value_t[::1] values,
    const double[:, ::1] means,
    const double[:, :, ::1] factors,
    const double[::1] constants,
    double[:, ::1] strip,
    double[:, ::1] centered,
    double[:, ::1] lengths,
    double[:, ::1] out,
) except -1 nogil:
    cdef Py_ssize_t n_classes = means.shape[0], p = means.shape[1], n = out.shape[1]
    cdef Py_ssize_t begin, length, k, i, j, s, t, until_poll = POLL_STEPS
    cdef bint diagonal = factors.shape[1] == 1
    cdef double center, factor, half, squared
    for s in range((n + STRIP - 1) // STRIP):
        begin = s * STRIP
        length = min(<Py_ssize_t> STRIP, n - begin)
        load_strip(values, begin, length, strip)
        for k in range(n_classes):
            for t in range(STRIP):
                lengths[0, t] = 0.0
            for i in range(p):
                center = means[k, i]
                for t in range(STRIP):
                    centered[i, t] = strip[i, t] - center
                factor = factors[k, 0, i] if diagonal else factors[k, i, i]
                for t in range(STRIP):
                    lengths[1, t] = factor * centered[i, t]
                if not diagonal:
                    for j in range(i):
                        factor = factors[k, i, j]
                        for t in range(STRIP):
                            lengths[1, t] += factor * centered[j, t]
                for t in range(STRIP):
                    lengths[0, t] += lengths[1, t] * lengths[1, t]
            half = constants[k]
            for t in range(length):
                squared = lengths[0, t]
                out[k, begin + t] = half - 0.5 * (squared if squared < FARTHEST else FARTHEST)
        until_poll -= STRIP * n_classes * (p if diagonal else p * p)
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
    return 0


def log_densities(
    const value_t[::1] values,
    const double[:, ::1] means,
    const double[:, :, ::1] factors,
    const double[::1] constants,
    double[:, ::1] strip,
    double[:, ::1] centered,
    double[:, ::1] lengths,
    double[:, ::1] out,
):
    """Write the logarithm of each class's density at each pixel.

    Pre: values hold the p features of each pixel side by side; means (K, p); factors
    (K, p, p) lower triangular or, where they are diagonal, (K, 1, p); constants (K,) the
    log density at the mean; strip and centered (p, strip_length()) and lengths
    (2, strip_length()) are workspace.
    Post: out (K, pixels), all finite.
    Cost: O(pixels * K * p * p), diagonal O(pixels * K * p).
    """
    with nogil:
        densities_of_all(values, means, factors, constants, strip, centered, lengths, out)


cdef inline double sum_of_products(
    const double[:, ::1] one, Py_ssize_t i, const double[:, ::1] two, Py_ssize_t j
) noexcept nogil:
    """Return the sum over a strip, in lanes."""
    cdef double[LANES] lane
    cdef Py_ssize_t t, s
    for s in range(LANES):
        lane[s] = 0.0
    for t in range(STRIP // LANES):
        for s in range(LANES):
            lane[s] += one[i, t * LANES + s] * two[j, t * LANES + s]
    return (lane[0] + lane[1]) + (lane[2] + lane[3])


cdef int add_all(
    const value_t[::1] values,
    const double[:, ::1] weights,
    const double[:, ::1] centers,
    bint full,
    double[:, ::1] strip,
    double[:, ::1] centered,
    double[:, ::1] weighted,
    double[:, ::1] sums,
) except -1 nogil:
    cdef Py_ssize_t n_classes = centers.shape[0], p = centers.shape[1], n = weights.shape[1]
    cdef Py_ssize_t begin, length, k, i, j, s, t, slot, until_poll = POLL_STEPS
    cdef double center
    for s in range((n + STRIP - 1) // STRIP):
        begin = s * STRIP
        length = min(<Py_ssize_t> STRIP, n - begin)
        load_strip(values, begin, length, strip)
        for k in range(n_classes):
            for t in range(length):
                weighted[p, t] = weights[k, begin + t]
                weighted[p + 1, t] = 1.0
            for t in range(length, STRIP):
                weighted[p, t] = 0.0
                weighted[p + 1, t] = 0.0
            sums[k, 0] += sum_of_products(weighted, p, weighted, p + 1)
            for i in range(p):
                center = centers[k, i]
                for t in range(STRIP):
                    centered[i, t] = strip[i, t] - center
                    weighted[i, t] = weighted[p, t] * centered[i, t]
                sums[k, 1 + i] += sum_of_products(weighted, p, centered, i)
            slot = 1 + p
            for i in range(p):
                for j in range(0 if full else i, i + 1):
                    sums[k, slot] += sum_of_products(weighted, i, centered, j)
                    slot += 1
        until_poll -= STRIP * n_classes * (p * p if full else p)
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
    return 0


def add_moments(
    const value_t[::1] values,
    const double[:, ::1] weights,
    const double[:, ::1] centers,
    bint full,
    double[:, ::1] strip,
    double[:, ::1] centered,
    double[:, ::1] weighted,
    double[:, ::1] sums,
):
    """Add the weighted moments of pixels to the sums of each class.

    Pre: values hold the p features of each pixel side by side; weights (K, pixels);
    centers (K, p), near the means, which keeps the variance precise; strip and centered
    (p, strip_length()) and weighted (p + 2, strip_length()) are workspace.
    Post: a row of sums has grown by the sum of weights, then of weighted differences
    from the center (p), then of their weighted products: squares (p), or with `full`
    the lower triangle row by row (p (p + 1) / 2).
    Cost: O(pixels * K * p), with `full` O(pixels * K * p * p).
    """
    with nogil:
        add_all(values, weights, centers, full, strip, centered, weighted, sums)
