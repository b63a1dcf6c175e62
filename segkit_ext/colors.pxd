"""Sums over a run of color pixels: three bytes each, all channels at once.

The usual image by far, and the one place where adding up by hand pays: a run has
a few pixels, and three loops over it would be left, unforeseen, three times.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    static inline ptrdiff_t segkit_add_colors(
        const int32_t *regions, const uint8_t *values, ptrdiff_t p, ptrdiff_t stop,
        uint8_t *low, uint8_t *high, int64_t *total, int64_t *squares)
    {
        const int32_t region = regions[p];
        int c;
    #if defined(__SSE2__)
        const __m128i none = _mm_setzero_si128();
        __m128i least, most, sum = none, square = none;
        int32_t out[4];
        uint32_t bytes;
        bytes = low[0] | (uint32_t) low[1] << 8 | (uint32_t) low[2] << 16;
        least = _mm_unpacklo_epi8(_mm_cvtsi32_si128((int) bytes), none);
        bytes = high[0] | (uint32_t) high[1] << 8 | (uint32_t) high[2] << 16;
        most = _mm_unpacklo_epi8(_mm_cvtsi32_si128((int) bytes), none);
        do {
            const uint8_t *v = values + 3 * p;
            uint16_t two;
            __m128i x;
            memcpy(&two, v, 2);
            x = _mm_unpacklo_epi8(_mm_cvtsi32_si128((int) (two | (uint32_t) v[2] << 16)), none);
            least = _mm_min_epi16(least, x);
            most = _mm_max_epi16(most, x);
            x = _mm_unpacklo_epi16(x, none);
            sum = _mm_add_epi32(sum, x);
            square = _mm_add_epi32(square, _mm_madd_epi16(x, x));
        } while (++p < stop && regions[p] == region);
        bytes = (uint32_t) _mm_cvtsi128_si32(_mm_packus_epi16(least, least));
        for (c = 0; c < 3; c++)
            low[c] = (uint8_t) (bytes >> 8 * c);
        bytes = (uint32_t) _mm_cvtsi128_si32(_mm_packus_epi16(most, most));
        for (c = 0; c < 3; c++)
            high[c] = (uint8_t) (bytes >> 8 * c);
        _mm_storeu_si128((__m128i *) out, sum);
        for (c = 0; c < 3; c++)
            total[c] += out[c];
        _mm_storeu_si128((__m128i *) out, square);
        for (c = 0; c < 3; c++)
            squares[c] += out[c];
    #else
        do {
            for (c = 0; c < 3; c++) {
                const int32_t x = values[3 * p + c];
                low[c] = x < low[c] ? (uint8_t) x : low[c];
                high[c] = x > high[c] ? (uint8_t) x : high[c];
                total[c] += x;
                squares[c] += x * x;
            }
        } while (++p < stop && regions[p] == region);
    #endif
        return p;
    }
    """
    Py_ssize_t segkit_add_colors(
        const int32_t* regions, const uint8_t* values, Py_ssize_t p, Py_ssize_t stop,
        uint8_t* low, uint8_t* high, int64_t* total, int64_t* squares,
    ) noexcept nogil

cdef enum:
    COLORS = 3

cdef inline Py_ssize_t add_colors(
    const int32_t[::1] regions, const uint8_t[::1] values, Py_ssize_t p, Py_ssize_t stop,
    uint8_t[::1] low, uint8_t[::1] high, int64_t[:, ::1] sums, Py_ssize_t slot,
) noexcept nogil:
    """Add the run that begins at pixel p, up to `stop`, to three slots; return where it ends.

    Pre: 0 <= p < stop <= p + 2**15; sums are of values, then of squares.
    """
    return segkit_add_colors(
        &regions[0], &values[0], p, stop, &low[slot], &high[slot], &sums[0, slot], &sums[1, slot]
    )
