"""Growing one region 64 pixels at a time.

With one seed and a fixed interval the result does not depend on the order, so the
image is first brought down to bits: may the region grow here or not.  A row (along
the last axis) is a row of 64-bit words, with one empty word behind it and empty
rows around, so that no step needs a bounds test.  Words that were reached wait in
a queue.  A word taken from it lets its new bits run along the row inside the word,
which takes a few shifts, and offers the outcome to the words around it.

- `pack_within`, `pack_near`: image to bits
- `spread_bits`: the growing
- `expand_bits`: bits to labels
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from .fifo cimport Fifo, fifo_close, fifo_length, fifo_open, fifo_pop, fifo_push
from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t, value_t

cdef extern from *:
    """
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    /* Bit k of the result is flags[k], 64 flags of 0 or 1. */
    static inline unsigned long long segkit_pack_flags(const unsigned char *flags) {
        unsigned long long word = 0;
        int k;
    #if defined(__SSE2__)
        for (k = 0; k < 4; k++) {
            __m128i part = _mm_loadu_si128((const __m128i *) (flags + 16 * k));
            part = _mm_slli_epi16(part, 7);  /* movemask looks at the highest bit of a byte */
            word |= (unsigned long long) (unsigned) _mm_movemask_epi8(part) << (16 * k);
        }
    #else
        for (k = 0; k < 64; k++) word |= (unsigned long long) flags[k] << k;
    #endif
        return word;
    }

    static const int segkit_bit_of[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    """
    uint64_t pack_flags "segkit_pack_flags" (const uint8_t* flags) noexcept nogil
    const int* BIT_OF "segkit_bit_of"

ctypedef fused real_t:
    float
    double

cdef enum:
    WORD = 64

cdef struct Next:
    # The first word that a word reaches is next, without the way through the queue:
    # along a line of one pixel that is all there is to do.
    Py_ssize_t word
    uint64_t bits    # 0: none


def pack_within(
    const value_t[::1] values, value_t low, value_t high, const uint8_t[::1] inside,
    const Py_ssize_t[::1] shape, const Py_ssize_t[::1] strides, Py_ssize_t first,
    uint64_t[::1] bits,
):
    """Set the bits of the pixels from `low` to `high`, where `inside` if that is not empty.

    Pre: `bits` is 0; `shape` (4 sides), `strides` (3 steps) and `first` count words of
         `bits` for every row, whose words follow each other.
    Cost: O(pixels), about a tenth of a nanosecond each for 8 bits.
    """
    cdef Py_ssize_t i, j, k, m, p = 0, w, n
    cdef Py_ssize_t _step
    cdef uint8_t[WORD] flags
    with nogil:
        for i in range(shape[0]):
            for j in range(shape[1]):
                for k in range(shape[2]):
                    w = first + i * strides[0] + j * strides[1] + k * strides[2]
                    if p & (8 * POLL_STEPS - 1) < shape[3]:
                        poll()
                    for _step in range(shape[3] // WORD):
                        for m in range(WORD):  # of fixed length: becomes vector code
                            flags[m] = (values[p + m] >= low) & (values[p + m] <= high)
                        if inside.shape[0]:
                            for m in range(WORD):
                                flags[m] &= inside[p + m]
                        bits[w] = pack_flags(&flags[0])
                        p += WORD
                        w += 1
                    n = shape[3] % WORD
                    if n:
                        for m in range(WORD):
                            flags[m] = 0
                        for m in range(n):
                            flags[m] = (values[p + m] >= low) & (values[p + m] <= high)
                            if inside.shape[0]:
                                flags[m] &= inside[p + m]
                        bits[w] = pack_flags(&flags[0])
                        p += n


def pack_near(
    const real_t[::1] values, double center, double tolerance, const uint8_t[::1] inside,
    const Py_ssize_t[::1] shape, const Py_ssize_t[::1] strides, Py_ssize_t first,
    uint64_t[::1] bits,
):
    """Set the bits of the pixels that differ from `center` by at most `tolerance`, in double.

    As `pack_within`.  A value equal to an infinite center is near.
    """
    cdef Py_ssize_t i, j, k, m, p = 0, w, n, rest
    cdef uint8_t[WORD] flags
    cdef double v
    with nogil:
        for i in range(shape[0]):
            for j in range(shape[1]):
                for k in range(shape[2]):
                    w = first + i * strides[0] + j * strides[1] + k * strides[2]
                    if p & (8 * POLL_STEPS - 1) < shape[3]:
                        poll()
                    rest = shape[3]
                    while rest > 0:
                        n = min(rest, <Py_ssize_t> WORD)
                        for m in range(n):
                            v = values[p + m]
                            flags[m] = (
                                (v == center)
                                | ((v - center <= tolerance) & (center - v <= tolerance))
                            )
                        for m in range(n, WORD):
                            flags[m] = 0
                        if inside.shape[0]:
                            for m in range(n):
                                flags[m] &= inside[p + m]
                        bits[w] = pack_flags(&flags[0])
                        p += n
                        w += 1
                        rest -= n


def spread_bits(
    uint64_t[::1] free, uint64_t[::1] reached, uint64_t[::1] waiting,
    const int64_t[::1] words, const uint8_t[::1] places,
    const Py_ssize_t[::1] rows, const uint8_t[::1] slanted,
):
    """Grow through the free bits from the seed bits `places` of `words`.

    Pre: `reached` and `waiting` are 0; rows[k] leads from a word to the same word of a
         neighboring row, and slanted[k] tells whether its diagonal pixels are neighbors too.
    Post: `reached` holds the region, `free` what was not reached; `waiting` is 0.
    Cost: O(words x visits); on photographs a word is visited 2 to 4 times.
    """
    with nogil:
        spread(free, reached, waiting, words, places, rows, slanted)


cdef int spread(
    uint64_t[::1] free, uint64_t[::1] reached, uint64_t[::1] waiting,
    const int64_t[::1] words, const uint8_t[::1] places,
    const Py_ssize_t[::1] rows, const uint8_t[::1] slanted,
) except -1 nogil:
    cdef Fifo queue
    cdef Py_ssize_t i, k, w, q, work = 0
    cdef uint64_t new, wide, open
    cdef Next next
    fifo_open(&queue)
    next.bits = 0
    try:
        for i in range(words.shape[0]):
            w = words[i]
            new = <uint64_t> 1 << places[i]
            free[w] &= ~new
            if waiting[w] == 0:
                fifo_push(&queue, w)
            waiting[w] |= new
        while True:
            if next.bits:
                w = next.word
                new = next.bits
                next.bits = 0
            elif fifo_length(&queue):
                w = fifo_pop(&queue)
                new = waiting[w]
                waiting[w] = 0
            else:
                break
            if free[w] & ((new << 1) | (new >> 1)):
                open = free[w] | new
                new = fill_runs(new, open)
                free[w] = open & ~new
            reached[w] |= new
            offer_beside(free, waiting, w, new, &next, &queue)
            wide = new | (new << 1) | (new >> 1)
            for k in range(rows.shape[0]):
                q = w + rows[k]
                offer(free, waiting, q, wide if slanted[k] else new, &next, &queue)
                if slanted[k]:
                    offer_beside(free, waiting, q, new, &next, &queue)
            work += 1
            if work & (POLL_STEPS - 1) == 0:
                poll()
    finally:
        fifo_close(&queue)
    return 0


cdef inline int offer(
    uint64_t[::1] free, uint64_t[::1] waiting, Py_ssize_t w, uint64_t new,
    Next* next, Fifo* queue,
) except -1 nogil:
    """Let some bits into a word, as far as they are free there."""
    new &= free[w]
    if new:
        free[w] ^= new
        if next.bits == 0:
            next.word = w
            next.bits = new
            return 0
        if waiting[w] == 0:
            fifo_push(queue, w)
        waiting[w] |= new
    return 0


cdef inline int offer_beside(
    uint64_t[::1] free, uint64_t[::1] waiting, Py_ssize_t w, uint64_t new,
    Next* next, Fifo* queue,
) except -1 nogil:
    """Let the outermost bits into the words before and behind."""
    if new >> (WORD - 1):
        offer(free, waiting, w + 1, 1, next, queue)
    if new & 1:
        offer(free, waiting, w - 1, <uint64_t> 1 << (WORD - 1), next, queue)
    return 0


cdef inline uint64_t fill_runs(uint64_t new, uint64_t open) noexcept nogil:
    """Return `new` spread along the runs of `open`.  Pre: new is part of open."""
    # Upwards an addition carries through a run.
    new |= ((open + new) ^ open) & open
    # Downwards there is no carry: steps of 1, 2, 4, ... through runs that are long enough.
    new |= open & (new >> 1)
    open &= open >> 1
    new |= open & (new >> 2)
    open &= open >> 2
    new |= open & (new >> 4)
    open &= open >> 4
    new |= open & (new >> 8)
    open &= open >> 8
    new |= open & (new >> 16)
    open &= open >> 16
    new |= open & (new >> 32)
    return new


def expand_bits(
    const uint64_t[::1] bits, const Py_ssize_t[::1] shape, const Py_ssize_t[::1] strides,
    Py_ssize_t first, label_t[::1] labels, label_t label,
):
    """Write `label` where a bit is set, 0 elsewhere.  Pre: as `pack_within`.

    Cost: O(pixels), most of it the writing.
    """
    cdef Py_ssize_t i, j, k, m, n, p = 0, w, step
    cdef uint64_t word
    cdef int eight
    with nogil:
        for i in range(shape[0]):
            for j in range(shape[1]):
                for k in range(shape[2]):
                    w = first + i * strides[0] + j * strides[1] + k * strides[2]
                    if p & (8 * POLL_STEPS - 1) < shape[3]:
                        poll()
                    for step in range(0, shape[3] - 7, 8):
                        eight = (bits[w + (step >> 6)] >> (step & (WORD - 1))) & 0xFF
                        for m in range(8):
                            labels[p + m] = label if eight & BIT_OF[m] else 0
                        p += 8
                    n = shape[3] & 7
                    if n:
                        word = bits[w + ((shape[3] - n) >> 6)]
                        for m in range(n):
                            labels[p + m] = (
                                label if (word >> ((shape[3] - n + m) & (WORD - 1))) & 1 else 0
                            )
                        p += n
