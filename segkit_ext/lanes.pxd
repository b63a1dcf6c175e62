"""Squared distances from one pixel to many samples, or to many boxes, at once.

Numbers stand side by side, feature by feature.  Besides the distances comes a word
with a bit for each that lies within reach, so that all the others cost nothing
more.  By hand, because the sums stay in registers that way, and because no loop is
turned into the instruction that makes bits of a comparison.
"""

from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    enum { SEGKIT_LANES = 8, SEGKIT_FAN = 16 };

    #if defined(__SSE2__)
    #define SEGKIT_MEASURE(name, real, vector, mm)                                             \\
    enum { name##_wide = sizeof(vector) / sizeof(real) };                                      \\
    static inline uint64_t name##_bits(vector *sums, int n, real reach) {                      \\
        const vector most = _mm_set1_##mm(reach);                                              \\
        uint64_t bits = 0;                                                                     \\
        int i;                                                                                 \\
        for (i = 0; i < n / name##_wide; i++)                                                  \\
            bits |= (uint64_t) (unsigned) _mm_movemask_##mm(_mm_cmple_##mm(sums[i], most))     \\
                << i * name##_wide;                                                            \\
        return bits;                                                                           \\
    }                                                                                          \\
    static inline uint64_t name##_places(const real *places, ptrdiff_t stride,                 \\
            const real *pixel, ptrdiff_t n_features, real reach, real *squares) {              \\
        vector sums[SEGKIT_LANES / name##_wide];                                               \\
        ptrdiff_t f;                                                                           \\
        int i;                                                                                 \\
        for (i = 0; i < SEGKIT_LANES / name##_wide; i++)                                       \\
            sums[i] = _mm_setzero_##mm();                                                      \\
        for (f = 0; f < n_features; f++, places += stride) {                                   \\
            const vector x = _mm_set1_##mm(pixel[f]);                                          \\
            for (i = 0; i < SEGKIT_LANES / name##_wide; i++) {                                 \\
                const vector d = _mm_sub_##mm(_mm_loadu_##mm(places + i * name##_wide), x);    \\
                sums[i] = _mm_add_##mm(sums[i], _mm_mul_##mm(d, d));                           \\
            }                                                                                  \\
        }                                                                                      \\
        for (i = 0; i < SEGKIT_LANES / name##_wide; i++)                                       \\
            _mm_storeu_##mm(squares + i * name##_wide, sums[i]);                               \\
        return name##_bits(sums, SEGKIT_LANES, reach);                                         \\
    }                                                                                          \\
    static inline void name##_boxes(const real *low, const real *high,                         \\
            const real *pixel, ptrdiff_t n_features, real *squares) {                          \\
        vector sums[SEGKIT_FAN / name##_wide];                                                 \\
        ptrdiff_t f;                                                                           \\
        int i;                                                                                 \\
        for (i = 0; i < SEGKIT_FAN / name##_wide; i++)                                         \\
            sums[i] = _mm_setzero_##mm();                                                      \\
        for (f = 0; f < n_features; f++, low += SEGKIT_FAN, high += SEGKIT_FAN) {              \\
            const vector x = _mm_set1_##mm(pixel[f]);                                          \\
            for (i = 0; i < SEGKIT_FAN / name##_wide; i++) {                                   \\
                vector d = _mm_sub_##mm(_mm_loadu_##mm(low + i * name##_wide), x);             \\
                d = _mm_max_##mm(d, _mm_sub_##mm(x, _mm_loadu_##mm(high + i * name##_wide)));  \\
                d = _mm_max_##mm(d, _mm_setzero_##mm());                                       \\
                sums[i] = _mm_add_##mm(sums[i], _mm_mul_##mm(d, d));                           \\
            }                                                                                  \\
        }                                                                                      \\
        for (i = 0; i < SEGKIT_FAN / name##_wide; i++)                                         \\
            _mm_storeu_##mm(squares + i * name##_wide, sums[i]);                               \\
    }                                                                                          \\
    static inline uint64_t name##_near(const real *squares, real reach) {                      \\
        vector sums[SEGKIT_FAN / name##_wide];                                                 \\
        int i;                                                                                 \\
        for (i = 0; i < SEGKIT_FAN / name##_wide; i++)                                         \\
            sums[i] = _mm_loadu_##mm(squares + i * name##_wide);                               \\
        return name##_bits(sums, SEGKIT_FAN, reach);                                           \\
    }                                                                                          \\
    static inline real name##_least(const real *squares) {                                     \\
        vector sum = _mm_loadu_##mm(squares);                                                  \\
        real least[name##_wide];                                                               \\
        int i;                                                                                 \\
        for (i = 1; i < SEGKIT_FAN / name##_wide; i++)                                         \\
            sum = _mm_min_##mm(sum, _mm_loadu_##mm(squares + i * name##_wide));                \\
        _mm_storeu_##mm(least, sum);                                                           \\
        for (i = 1; i < name##_wide; i++)                                                      \\
            least[0] = least[i] < least[0] ? least[i] : least[0];                              \\
        return least[0];                                                                       \\
    }
    SEGKIT_MEASURE(segkit_float, float, __m128, ps)
    SEGKIT_MEASURE(segkit_double, double, __m128d, pd)
    #else
    #define SEGKIT_MEASURE(name, real)                                                         \\
    static inline uint64_t name##_bits(const real *sums, int n, real reach) {                  \\
        uint64_t bits = 0;                                                                     \\
        int i;                                                                                 \\
        for (i = 0; i < n; i++)                                                                \\
            bits |= (uint64_t) (sums[i] <= reach) << i;                                        \\
        return bits;                                                                           \\
    }                                                                                          \\
    static inline uint64_t name##_places(const real *places, ptrdiff_t stride,                 \\
            const real *pixel, ptrdiff_t n_features, real reach, real *squares) {              \\
        real sums[SEGKIT_LANES] = {0};                                                         \\
        ptrdiff_t f;                                                                           \\
        int i;                                                                                 \\
        for (f = 0; f < n_features; f++, places += stride)                                     \\
            for (i = 0; i < SEGKIT_LANES; i++) {                                               \\
                const real d = places[i] - pixel[f];                                           \\
                sums[i] += d * d;                                                              \\
            }                                                                                  \\
        memcpy(squares, sums, sizeof sums);                                                    \\
        return name##_bits(sums, SEGKIT_LANES, reach);                                         \\
    }                                                                                          \\
    static inline void name##_boxes(const real *low, const real *high,                         \\
            const real *pixel, ptrdiff_t n_features, real *squares) {                          \\
        real sums[SEGKIT_FAN] = {0};                                                           \\
        ptrdiff_t f;                                                                           \\
        int i;                                                                                 \\
        for (f = 0; f < n_features; f++, low += SEGKIT_FAN, high += SEGKIT_FAN)                \\
            for (i = 0; i < SEGKIT_FAN; i++) {                                                 \\
                const real below = low[i] - pixel[f], above = pixel[f] - high[i];              \\
                real d = below > above ? below : above;                                        \\
                d = d > 0 ? d : 0;                                                             \\
                sums[i] += d * d;                                                              \\
            }                                                                                  \\
        memcpy(squares, sums, sizeof sums);                                                    \\
    }                                                                                          \\
    static inline uint64_t name##_near(const real *squares, real reach) {                      \\
        return name##_bits(squares, SEGKIT_FAN, reach);                                        \\
    }                                                                                          \\
    static inline real name##_least(const real *squares) {                                     \\
        real least = squares[0];                                                               \\
        int i;                                                                                 \\
        for (i = 1; i < SEGKIT_FAN; i++)                                                       \\
            least = squares[i] < least ? squares[i] : least;                                   \\
        return least;                                                                          \\
    }
    SEGKIT_MEASURE(segkit_float, float)
    SEGKIT_MEASURE(segkit_double, double)
    #endif
    """
    enum:
        LANES "SEGKIT_LANES"    # places that are measured at once
        FAN "SEGKIT_FAN"        # boxes that are measured at once
    uint64_t segkit_float_places(
        const float* places, Py_ssize_t stride, const float* pixel, Py_ssize_t n_features,
        float reach, float* squares,
    ) noexcept nogil
    uint64_t segkit_double_places(
        const double* places, Py_ssize_t stride, const double* pixel, Py_ssize_t n_features,
        double reach, double* squares,
    ) noexcept nogil
    void segkit_float_boxes(
        const float* low, const float* high, const float* pixel, Py_ssize_t n_features,
        float* squares,
    ) noexcept nogil
    void segkit_double_boxes(
        const double* low, const double* high, const double* pixel, Py_ssize_t n_features,
        double* squares,
    ) noexcept nogil
    uint64_t segkit_float_near(const float* squares, float reach) noexcept nogil
    uint64_t segkit_double_near(const double* squares, double reach) noexcept nogil
    float segkit_float_least(const float* squares) noexcept nogil
    double segkit_double_least(const double* squares) noexcept nogil

ctypedef fused feature_t:
    float
    double

cdef inline uint64_t measure_places(
    const feature_t[:, :, ::1] places,
    Py_ssize_t leaf,
    Py_ssize_t first,
    const feature_t[:, ::1] pixels,
    Py_ssize_t p,
    feature_t reach,
    feature_t* squares,
) noexcept nogil:
    """Write the squared distances of LANES places; return which of them are within reach."""
    if feature_t is float:
        return segkit_float_places(
            &places[leaf, 0, first], places.shape[2], &pixels[p, 0], places.shape[1], reach,
            squares,
        )
    else:
        return segkit_double_places(
            &places[leaf, 0, first], places.shape[2], &pixels[p, 0], places.shape[1], reach,
            squares,
        )

cdef inline feature_t measure_boxes(
    const feature_t[:, :, :, ::1] boxes,
    Py_ssize_t node,
    const feature_t[:, ::1] pixels,
    Py_ssize_t p,
    feature_t* squares,
) noexcept nogil:
    """Write the squared distance to each of FAN boxes, 0 inside; return the least.

    No sample in a box is nearer, rounded or not: rounding keeps the order of numbers.
    """
    if feature_t is float:
        segkit_float_boxes(
            &boxes[node, 0, 0, 0], &boxes[node, 1, 0, 0], &pixels[p, 0], boxes.shape[2], squares
        )
        return segkit_float_least(squares)
    else:
        segkit_double_boxes(
            &boxes[node, 0, 0, 0], &boxes[node, 1, 0, 0], &pixels[p, 0], boxes.shape[2], squares
        )
        return segkit_double_least(squares)

cdef inline uint64_t near_boxes(const feature_t* squares, feature_t reach) noexcept nogil:
    """Return which of FAN squared distances are within reach."""
    if feature_t is float:
        return segkit_float_near(squares, reach)
    else:
        return segkit_double_near(squares, reach)
