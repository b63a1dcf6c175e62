"""A hierarchical queue: one first-in-first-out queue per level, lowest level first.

For keys that are small integers.  Unlike a flood's, the keys may go down as
well as up.  A word of bits per 64 levels says which queues hold anything, so
that finding the lowest costs a few instructions, not a walk over empty levels.

    cdef Buckets buckets
    buckets_open(&buckets, n_levels)
    try: ... buckets_push(&buckets, level, item) ... level = buckets_lowest(&buckets) ...
    finally: buckets_close(&buckets)

Cost: O(1) per push, amortised; O(1 + levels / 64) per pop at worst.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

from .bits cimport lowest_bit
from .fifo cimport Fifo, fifo_close, fifo_length, fifo_pop, fifo_push

cdef struct Buckets:
    Fifo* queues
    uint64_t* filled      # bit l % 64 of word l / 64: queue l is not empty
    Py_ssize_t n_levels
    Py_ssize_t word       # no word before this one has a bit set
    Py_ssize_t length

cdef inline int buckets_open(Buckets* buckets, Py_ssize_t n_levels) except -1 nogil:
    cdef Py_ssize_t n_words = (n_levels >> 6) + 1
    buckets.n_levels = n_levels
    buckets.word = buckets.length = 0
    # All zeros is an open, empty Fifo.
    buckets.queues = <Fifo*> calloc(<size_t> n_levels + 1, sizeof(Fifo))
    buckets.filled = <uint64_t*> calloc(<size_t> n_words, sizeof(uint64_t))
    if buckets.queues == NULL or buckets.filled == NULL:
        free(buckets.queues)
        free(buckets.filled)
        buckets.queues = NULL
        buckets.filled = NULL
        buckets.n_levels = 0
        raise MemoryError("no memory for the levels of a queue")
    return 0

cdef inline void buckets_close(Buckets* buckets) noexcept nogil:
    cdef Py_ssize_t level
    for level in range(buckets.n_levels):
        fifo_close(&buckets.queues[level])
    free(buckets.queues)
    free(buckets.filled)
    buckets.queues = NULL
    buckets.filled = NULL
    buckets.n_levels = buckets.length = 0

cdef inline int buckets_push(Buckets* buckets, Py_ssize_t level, int64_t item) except -1 nogil:
    """Append `item` to a level.  Pre: 0 <= level < n_levels."""
    fifo_push(&buckets.queues[level], item)
    buckets.filled[level >> 6] |= <uint64_t> 1 << (level & 63)
    buckets.length += 1
    if level >> 6 < buckets.word:
        buckets.word = level >> 6
    return 0

cdef inline Py_ssize_t buckets_lowest(Buckets* buckets) noexcept nogil:
    """Return the lowest level that holds anything.  Pre: not empty."""
    while buckets.filled[buckets.word] == 0:
        buckets.word += 1
    return (buckets.word << 6) + lowest_bit(buckets.filled[buckets.word])

cdef inline int64_t buckets_pop(Buckets* buckets, Py_ssize_t level) noexcept nogil:
    """Return the oldest item of a level.  Pre: the level holds one."""
    cdef int64_t item = fifo_pop(&buckets.queues[level])
    buckets.length -= 1
    if fifo_length(&buckets.queues[level]) == 0:
        buckets.filled[level >> 6] &= ~(<uint64_t> 1 << (level & 63))
    return item
