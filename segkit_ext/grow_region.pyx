"""Seeded region growing (Adams and Bischof): the pixel most like its region comes first.

Pixels that touch a region wait in a queue ordered by how far they were from the
nearest region's mean when they were queued, then by age.  Taken out, a pixel
joins the adjacent region whose mean is nearest by then.  Means move as regions
grow; a waiting pixel keeps the place it was given.

Means are never rounded: a region is its exact sum and its count, and the
distance of v is |v n - sum| / n, one division.  So equal distances are equal.
Small integers wait in buckets, one per integer part of the distance; other
types in a heap.

`state` is the label image while it grows: OUTSIDE, QUEUED, UNSEEN, then ranks.
"""

from libc.math cimport INFINITY, fabs, floor, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from .buckets cimport (
    Buckets, buckets_close, buckets_lowest, buckets_open, buckets_pop, buckets_push,
)
from .fifo cimport fifo_length, fifo_peek
from .heap cimport Heap, heap_close, heap_open, heap_pop, heap_push
from .interrupt cimport POLL_STEPS, poll
from .prefetch cimport SEGKIT_PREFETCH
from .types cimport value_t

cdef extern from *:
    """
    /* Sums of 64-bit values times counts need 128 bits; a compiler without them is exact
       only as far as a long double is. */
    #if defined(__SIZEOF_INT128__)
    typedef __int128 segkit_wide;
    #else
    typedef long double segkit_wide;
    #endif
    #define SEGKIT_LOW_BITS 0xFFFFFFFFLL
    """
    ctypedef long long wide "segkit_wide"
    int64_t LOW_BITS "SEGKIT_LOW_BITS"

cdef enum:
    QUEUED = -1
    UNSEEN = 0
    MOST_RANKS = 2147483647
    MOST_NEIGHBORS = 80    # 3**4 - 1
    AHEAD = 6              # how far ahead in the queue memory is asked for
    SPLIT = 32             # wide sums are kept as high * 2**32 + low


def grow_region(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    Py_ssize_t n_channels, Py_ssize_t n_levels, double tolerance,
    int64_t[:, ::1] sums, double[:, ::1] totals, int64_t[::1] counts,
    int32_t[::1] state, int64_t max_steps,
):
    """Grow regions by the distance to their running means; return how many regions.

    Without `starts`, the first unseen pixel in raster order grows to completion as a
    region of its own, then the next one; finished regions take no part any more.

    Pre: arrays padded, channels last; `state` holds the ranks of the seed pixels
         `starts`, in raster order.  Workspaces are 0, one row per rank (one row in all
         without `starts`): `sums` (two columns per channel) for integers, `totals` (one)
         for floats, `counts`.  8- and 16-bit values use n_levels > 0 buckets if given.
    Post: `state` holds the rank of every pixel reached in at most `max_steps` joins; what
         still waits is QUEUED.
    Cost: O(pixels x offsets^2 x channels) for buckets, and log of the front for the heap.
    Paper: Adams and Bischof (1994).
    """
    cdef Py_ssize_t n_regions
    cdef Buckets buckets
    cdef Heap heap
    with nogil:
        heap_open(&heap)
        buckets_open(&buckets, n_levels)
        try:
            n_regions = grow_all[value_t](
                values, starts, offsets, n_channels, n_levels > 0, tolerance, sums, totals,
                counts, state, max_steps, &buckets, &heap,
            )
        finally:
            buckets_close(&buckets)
            heap_close(&heap)
    return n_regions


cdef Py_ssize_t grow_all(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    Py_ssize_t n_channels, bint by_level, double tolerance,
    int64_t[:, ::1] sums, double[:, ::1] totals, int64_t[::1] counts,
    int32_t[::1] state, int64_t max_steps, Buckets* buckets, Heap* heap,
) except -1 nogil:
    cdef Py_ssize_t i, p, slot, n_regions = 0
    cdef int64_t steps = 0
    if starts.shape[0]:
        for i in range(starts.shape[0]):
            slot = state[starts[i]] - 1
            add_pixel[value_t](values, starts[i], slot, n_channels, sums, totals, counts)
            if i & (POLL_STEPS - 1) == 0:
                poll()
        for i in range(starts.shape[0]):
            queue_neighbors[value_t](
                values, starts[i], offsets, 0, n_channels, by_level, sums, totals, counts,
                state, buckets, heap,
            )
            if i & (POLL_STEPS - 1) == 0:
                poll()
        grow[value_t](
            values, offsets, 0, n_channels, by_level, tolerance, sums, totals, counts,
            state, 0, max_steps, buckets, heap,
        )
        return counts.shape[0]
    for p in range(state.shape[0]):
        if p & (POLL_STEPS - 1) == 0:
            poll()
        if state[p] != UNSEEN:
            continue
        if steps == max_steps:
            break
        if n_regions == MOST_RANKS:
            raise ValueError("more than 2**31 - 1 regions")
        n_regions += 1
        state[p] = <int32_t> n_regions
        counts[0] = 0
        sums[0, :] = 0
        totals[0, :] = 0
        add_pixel[value_t](values, p, 0, n_channels, sums, totals, counts)
        queue_neighbors[value_t](
            values, p, offsets, <int32_t> n_regions, n_channels, by_level, sums, totals,
            counts, state, buckets, heap,
        )
        steps = grow[value_t](
            values, offsets, <int32_t> n_regions, n_channels, by_level, tolerance, sums,
            totals, counts, state, steps + 1, max_steps, buckets, heap,
        )
    return n_regions


cdef int64_t grow(
    const value_t[::1] values, const Py_ssize_t[::1] offsets, int32_t only,
    Py_ssize_t n_channels, bint by_level, double tolerance,
    int64_t[:, ::1] sums, double[:, ::1] totals, int64_t[::1] counts,
    int32_t[::1] state, int64_t steps, int64_t max_steps, Buckets* buckets, Heap* heap,
) except -1 nogil:
    """Empty the queue; return the steps so far.  only > 0: the one region that grows."""
    cdef Py_ssize_t p, k, level, ahead, work = 0, row = offsets[offsets.shape[0] - 1]
    cdef Py_ssize_t pixel_work = n_channels * (1 + offsets.shape[0] // 16)
    cdef int32_t rank
    cdef double distance
    cdef bint limited = tolerance < INFINITY
    while True:
        if by_level:
            if buckets.length == 0:
                break
            level = buckets_lowest(buckets)
            ahead = min(fifo_length(&buckets.queues[level]) - 1, <Py_ssize_t> AHEAD)
            ahead = fifo_peek(&buckets.queues[level], ahead)
            for k in range(3):  # the rows that are looked at when the pixel has joined
                SEGKIT_PREFETCH(&state[0] + (ahead + (k - 1) * row))
                SEGKIT_PREFETCH(&values[0] + (ahead + (k - 1) * row) * n_channels)
            SEGKIT_PREFETCH(&state[0] + (ahead - 2 * row))
            SEGKIT_PREFETCH(&state[0] + (ahead + 2 * row))
            p = buckets_pop(buckets, level)
        else:
            if heap.length == 0:
                break
            p = heap_pop(heap).item
        work += pixel_work
        if work >= POLL_STEPS:
            poll()
            work = 0
        rank = only if only else only_region(p, offsets, state)
        if rank == 0 or limited:  # the only region around, without limit, needs no distance
            rank = nearest[value_t](
                values, p, offsets, rank, only, n_channels, sums, totals, counts, state, &distance
            )
            if distance > tolerance:
                state[p] = UNSEEN
                continue
        if steps == max_steps:
            return steps
        steps += 1
        state[p] = rank
        add_pixel[value_t](
            values, p, 0 if only else rank - 1, n_channels, sums, totals, counts
        )
        queue_neighbors[value_t](
            values, p, offsets, only, n_channels, by_level, sums, totals, counts, state,
            buckets, heap,
        )
    return steps


cdef inline int queue_neighbors(
    const value_t[::1] values, Py_ssize_t p, const Py_ssize_t[::1] offsets, int32_t only,
    Py_ssize_t n_channels, bint by_level,
    const int64_t[:, ::1] sums, const double[:, ::1] totals, const int64_t[::1] counts,
    int32_t[::1] state, Buckets* buckets, Heap* heap,
) except -1 nogil:
    """Queue the unseen neighbors of a pixel that joined."""
    cdef Py_ssize_t[MOST_NEIGHBORS] fresh
    cdef Py_ssize_t k, q, n = 0
    cdef int32_t rank
    cdef double distance
    for k in range(offsets.shape[0]):  # listed without branches, which nothing could predict
        fresh[n] = p + offsets[k]
        n += state[fresh[n]] == UNSEEN
    for k in range(n):
        q = fresh[k]
        rank = only if only else only_region(q, offsets, state)
        nearest[value_t](
            values, q, offsets, rank, only, n_channels, sums, totals, counts, state, &distance
        )
        state[q] = QUEUED
        if value_t is float or value_t is double:
            heap_push(heap, distance, q, 0)
        elif by_level:
            buckets_push(buckets, <Py_ssize_t> distance, q)
        else:
            heap_push(heap, floor(distance), q, 0)
    return 0


cdef inline int32_t only_region(
    Py_ssize_t p, const Py_ssize_t[::1] offsets, const int32_t[::1] state,
) noexcept nogil:
    """Return the rank of the only region next to a pixel; 0 if there are several.

    Pre: a neighbor of `p` has a rank.
    """
    cdef Py_ssize_t k
    cdef int32_t rank, highest = 0
    cdef uint32_t lowest = MOST_RANKS, below
    for k in range(offsets.shape[0]):
        rank = state[p + offsets[k]]
        highest = rank if rank > highest else highest
        below = <uint32_t> rank - 1  # of what has no rank: beyond all ranks
        lowest = below if below < lowest else lowest
    return highest if <uint32_t> highest - 1 == lowest else 0


cdef inline int32_t nearest(
    const value_t[::1] values, Py_ssize_t p, const Py_ssize_t[::1] offsets, int32_t known,
    int32_t only, Py_ssize_t n_channels,
    const int64_t[:, ::1] sums, const double[:, ::1] totals, const int64_t[::1] counts,
    const int32_t[::1] state, double* distance,
) noexcept nogil:
    """Return the rank of the adjacent region with the nearest mean, ties to the lowest.

    Pre: a neighbor of `p` has a rank; `known` is the only one there is, or 0.
    """
    cdef Py_ssize_t k
    cdef int32_t rank, last = 0, best_rank = known
    cdef double measure, best = INFINITY
    if known:
        best = distance_measure[value_t](
            values, p, 0 if only else known - 1, n_channels, sums, totals, counts
        )
    else:
        for k in range(offsets.shape[0]):
            rank = state[p + offsets[k]]
            if rank <= 0 or rank == last:
                continue
            last = rank
            measure = distance_measure[value_t](
                values, p, rank - 1, n_channels, sums, totals, counts
            )
            # The first region always counts: the distance of huge floats may be infinite.
            if measure < best or best_rank == 0 or (measure == best and rank < best_rank):
                best = measure
                best_rank = rank
    distance[0] = best if n_channels == 1 else sqrt(best)
    return best_rank


cdef inline double distance_measure(
    const value_t[::1] values, Py_ssize_t p, Py_ssize_t slot, Py_ssize_t n_channels,
    const int64_t[:, ::1] sums, const double[:, ::1] totals, const int64_t[::1] counts,
) noexcept nogil:
    """Return the distance of a pixel to a mean; with several channels its square."""
    cdef Py_ssize_t c
    cdef int64_t numerator, n = counts[slot]
    cdef wide long_numerator
    cdef double difference, squares = 0
    for c in range(n_channels):
        if value_t is float or value_t is double:
            difference = <double> values[p * n_channels + c] - totals[slot, c] / <double> n
        elif value_t is uint8_t or value_t is uint16_t:
            numerator = <int64_t> values[p * n_channels + c] * n - sums[slot, 2 * c]
            difference = <double> numerator
        else:
            long_numerator = <wide> values[p * n_channels + c]
            long_numerator *= n
            long_numerator -= (<wide> sums[slot, 2 * c + 1]) * (<int64_t> 1 << SPLIT)
            long_numerator -= sums[slot, 2 * c]
            difference = <double> long_numerator
        if n_channels == 1:
            if value_t is float or value_t is double:
                return fabs(difference)
            else:
                return fabs(difference) / <double> n
        squares += difference * difference
    if value_t is float or value_t is double:
        return squares
    else:
        return squares / (<double> n * <double> n)


cdef inline void add_pixel(
    const value_t[::1] values, Py_ssize_t p, Py_ssize_t slot, Py_ssize_t n_channels,
    int64_t[:, ::1] sums, double[:, ::1] totals, int64_t[::1] counts,
) noexcept nogil:
    """Add a pixel to the sum and the count of a region."""
    cdef Py_ssize_t c
    cdef int64_t low
    counts[slot] += 1
    for c in range(n_channels):
        if value_t is float or value_t is double:
            totals[slot, c] += <double> values[p * n_channels + c]
        elif value_t is uint8_t or value_t is uint16_t:
            sums[slot, 2 * c] += values[p * n_channels + c]
        else:
            # Normalized to 0 <= low < 2**32, so that neither part can overflow.
            low = sums[slot, 2 * c] + (<int64_t> values[p * n_channels + c] & LOW_BITS)
            sums[slot, 2 * c + 1] += (<int64_t> values[p * n_channels + c] >> SPLIT) + (
                low >> SPLIT
            )
            sums[slot, 2 * c] = low & LOW_BITS
