"""Sixty-four pixels in a word: bit `i` of word `w` of a row is its pixel 64 w + i.

Each row begins a new word, and the bits behind its end are 0.  A neighbor to
the left or right is then a shift by one with a carry from the next word, and
the pixels before a given one are counted without visiting them.
"""

from libc.stdint cimport int32_t, uint8_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif
    #if defined(_MSC_VER)
    #include <intrin.h>
    #endif

    /* Bit i is the lowest bit of byte i, for 64 bytes. */
    static inline uint64_t segkit_pack(const uint8_t *bytes) {
        uint64_t word = 0;
        int i;
    #if defined(__SSE2__)
        for (i = 0; i < 64; i += 16) {
            __m128i sixteen = _mm_loadu_si128((const __m128i *) (bytes + i));
            uint64_t bits = (uint64_t) (unsigned) _mm_movemask_epi8(_mm_slli_epi16(sixteen, 7));
            word |= bits << i;
        }
    #else
        for (i = 0; i < 64; i++)
            word |= (uint64_t) (bytes[i] & 1) << i;
    #endif
        return word;
    }

    /* Bit i tells whether one[i] and other[i] differ, for 64 numbers. */
    static inline uint64_t segkit_differing(const int32_t *one, const int32_t *other) {
        uint64_t word = 0;
        int i;
    #if defined(__SSE2__)
        for (i = 0; i < 64; i += 16) {
            __m128i equal[4];
            int k;
            for (k = 0; k < 4; k++)
                equal[k] = _mm_cmpeq_epi32(
                    _mm_loadu_si128((const __m128i *) (one + i + 4 * k)),
                    _mm_loadu_si128((const __m128i *) (other + i + 4 * k)));
            equal[0] = _mm_packs_epi16(
                _mm_packs_epi32(equal[0], equal[1]), _mm_packs_epi32(equal[2], equal[3]));
            word |= (uint64_t) (unsigned) _mm_movemask_epi8(equal[0]) << i;
        }
        word = ~word;
    #else
        for (i = 0; i < 64; i++)
            word |= (uint64_t) (one[i] != other[i]) << i;
    #endif
        return word;
    }

    static inline int segkit_lowest_bit(uint64_t word) {
    #if defined(_MSC_VER)
        unsigned long at;
        _BitScanForward64(&at, word);
        return (int) at;
    #else
        return __builtin_ctzll(word);
    #endif
    }
    """
    uint64_t segkit_pack(const uint8_t* bytes) noexcept nogil
    uint64_t segkit_differing(const int32_t* one, const int32_t* other) noexcept nogil
    int segkit_lowest_bit(uint64_t word) noexcept nogil

cdef enum:
    WORD = 64

cdef inline uint64_t pack(const uint8_t[::1] bytes, Py_ssize_t at) noexcept nogil:
    """Return the lowest bits of 64 bytes.  Pre: there are 64 from `at` on."""
    return segkit_pack(&bytes[at])

cdef inline int lowest_bit(uint64_t word) noexcept nogil:
    """Return where the lowest 1 is.  Pre: word != 0."""
    return segkit_lowest_bit(word)

cdef inline int count_bits(uint64_t word) noexcept nogil:
    """Return how many bits are 1 (in steps of 2, 4, then 8 bits; no instruction beyond SSE2)."""
    word -= (word >> 1) & <uint64_t> 0x5555555555555555
    word = (word & <uint64_t> 0x3333333333333333) + ((word >> 2) & <uint64_t> 0x3333333333333333)
    word = (word + (word >> 4)) & <uint64_t> 0x0F0F0F0F0F0F0F0F
    return <int> ((word * <uint64_t> 0x0101010101010101) >> 56)

cdef inline uint64_t differing(
    const int32_t[::1] regions, Py_ssize_t p, Py_ssize_t q, Py_ssize_t n
) noexcept nogil:
    """Return the bits i < n <= 64 where pixels p + i and q + i are of different regions.

    Pre: n >= 1.
    """
    cdef Py_ssize_t i
    cdef uint64_t word = 0
    if max(p, q) + WORD <= regions.shape[0]:
        return segkit_differing(&regions[p], &regions[q]) & (<uint64_t> -1 >> (WORD - n))
    for i in range(n):    # the last pixels of the image
        word |= <uint64_t> (regions[p + i] != regions[q + i]) << i
    return word
