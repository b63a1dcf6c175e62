"""Growing by one first-in-first-out queue: whoever reaches a pixel first keeps it.

All seed pixels start together, in raster order.  A pixel taken from the queue
offers itself to its neighbors in the order of `offsets`; a neighbor without a
region that qualifies joins at once and goes to the end of the queue.  What
qualifies is the only difference between the kernels here:

- `grow_within`: the value lies in the closed interval of the region
- `grow_near`: the value is near that of the pixel it is reached from, or near
  that of one pixel per region (its home)

`state` is the label image while it grows: -1 outside, 0 unseen, then ranks.
"""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int32_t, int64_t, uint64_t

from .fifo cimport Fifo, fifo_close, fifo_length, fifo_open, fifo_pop, fifo_push
from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t, value_t

cdef enum:
    UNSEEN = 0
    MOST_RANKS = 2147483647


def grow_within(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    const value_t[::1] low, const value_t[::1] high, int32_t[::1] state, int64_t max_steps,
):
    """Grow every region through the values of its interval.

    Pre: arrays padded; `state` holds the ranks of the seed pixels `starts`, which
         are in raster order; region of rank r takes values from low[r - 1] to high[r - 1].
    Post: `state` holds the rank of every pixel reached in at most `max_steps` joins.
    Cost: O(pixels x offsets); the queue holds the front alone.
    Paper: Adams and Bischof (1994) for competing seeds; the queue is breadth-first search.
    """
    with nogil:
        spread_within[value_t](values, starts, offsets, low, high, state, max_steps)


cdef int spread_within(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    const value_t[::1] low, const value_t[::1] high, int32_t[::1] state, int64_t max_steps,
) except -1 nogil:
    cdef Fifo queue
    cdef Py_ssize_t i = 0, k, p, q
    cdef int64_t steps = 0, work = 0
    cdef int32_t rank
    cdef value_t lowest, highest
    fifo_open(&queue)
    try:
        while True:
            if i < starts.shape[0]:
                p = starts[i]
                i += 1
            elif fifo_length(&queue):
                p = fifo_pop(&queue)
            else:
                break
            rank = state[p]
            lowest = low[rank - 1]
            highest = high[rank - 1]
            for k in range(offsets.shape[0]):
                q = p + offsets[k]
                if state[q] == UNSEEN and lowest <= values[q] and values[q] <= highest:
                    if steps == max_steps:
                        return 0
                    state[q] = rank
                    steps += 1
                    fifo_push(&queue, q)
            work += 1
            if work & (POLL_STEPS - 1) == 0:
                poll()
    finally:
        fifo_close(&queue)
    return 0


def grow_alone(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    value_t low, value_t high, int32_t[::1] state, int64_t[::1] found,
):
    """List the pixels of one region grown as if it were alone; return how many, or -1.

    Pre: arrays padded; `state` is UNSEEN where the region may grow, also at `starts`.
    Post: `state` is as before; found[:n] are the pixels, in the order of joining.
          -1: `found` is too short.
    Cost: O(pixels of the region x offsets).
    """
    cdef Py_ssize_t n
    with nogil:
        n = spread_alone[value_t](values, starts, offsets, low, high, state, found)
    return -1 if n > found.shape[0] else n


cdef Py_ssize_t spread_alone(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    value_t low, value_t high, int32_t[::1] state, int64_t[::1] found,
) except -1 nogil:
    """Return the number of pixels, or one more than `found` holds."""
    cdef Py_ssize_t i, k, p, q, room = found.shape[0], tail = 0, head = 0
    cdef bint full = starts.shape[0] > room
    if not full:
        for i in range(starts.shape[0]):
            state[starts[i]] = 1
            found[tail] = starts[i]
            tail += 1
    try:
        while head < tail and not full:
            p = found[head]
            head += 1
            for k in range(offsets.shape[0]):
                q = p + offsets[k]
                if state[q] == UNSEEN and low <= values[q] and values[q] <= high:
                    if tail == room:
                        full = True
                        break
                    state[q] = 1
                    found[tail] = q
                    tail += 1
            if head & (POLL_STEPS - 1) == 0:
                poll()
    finally:
        for i in range(tail):
            state[found[i]] = UNSEEN
    return room + 1 if full else tail


def grow_near(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    const int64_t[::1] homes, Py_ssize_t n_channels, bint from_home,
    uint64_t reach, uint64_t square, bint exact, double tolerance,
    int32_t[::1] state, int64_t max_steps,
):
    """Grow every region through values near those already in it; return how many regions.

    With `from_home` a pixel is compared with the home of its region, else with the
    pixel it is reached from.  Without `starts`, the first unseen pixel in raster
    order grows to completion as a region of its own, then the next one.

    Integers qualify when no channel differs by more than `reach` and the sum of
    squares is <= `square` (in 64 bits if `exact`, else in double); floats when the
    distance is <= `tolerance`.

    Pre: arrays padded, channels last; `state` holds the ranks of the seed pixels
         `starts`, in raster order; homes[r - 1] is the home of rank r.
    Post: `state` holds the rank of every pixel reached in at most `max_steps` joins
         (without `starts`, the first pixel of a region is a join).
    Cost: O(pixels x offsets x channels); the queue holds the front alone.
    """
    cdef Py_ssize_t n_regions
    with nogil:
        n_regions = spread_all_near[value_t](
            values, starts, offsets, homes, n_channels, from_home,
            reach, square, exact, tolerance, state, max_steps,
        )
    return n_regions


cdef Py_ssize_t spread_all_near(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    const int64_t[::1] homes, Py_ssize_t n_channels, bint from_home,
    uint64_t reach, uint64_t square, bint exact, double tolerance,
    int32_t[::1] state, int64_t max_steps,
) except -1 nogil:
    cdef Fifo queue
    cdef Py_ssize_t p, n_regions = homes.shape[0]
    cdef int64_t steps = 0
    fifo_open(&queue)
    try:
        if starts.shape[0]:
            spread_near[value_t](
                values, starts, offsets, homes, -1, n_channels, from_home,
                reach, square, exact, tolerance, state, steps, max_steps, &queue,
            )
            return n_regions
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
            fifo_push(&queue, p)
            steps = spread_near[value_t](
                values, starts, offsets, homes, p, n_channels, from_home,
                reach, square, exact, tolerance, state, steps + 1, max_steps, &queue,
            )
    finally:
        fifo_close(&queue)
    return n_regions


cdef int64_t spread_near(
    const value_t[::1] values, const int64_t[::1] starts, const Py_ssize_t[::1] offsets,
    const int64_t[::1] homes, Py_ssize_t only_home, Py_ssize_t n_channels, bint from_home,
    uint64_t reach, uint64_t square, bint exact, double tolerance,
    int32_t[::1] state, int64_t steps, int64_t max_steps, Fifo* queue,
) except -1 nogil:
    """Empty `starts` and the queue; return the steps so far.  only_home < 0: use `homes`."""
    cdef Py_ssize_t i = 0, k, p, q, home
    cdef int64_t work = 0
    cdef int32_t rank
    while True:
        if i < starts.shape[0]:
            p = starts[i]
            i += 1
        elif fifo_length(queue):
            p = fifo_pop(queue)
        else:
            break
        rank = state[p]
        home = p
        if from_home:
            home = only_home if only_home >= 0 else homes[rank - 1]
        for k in range(offsets.shape[0]):
            q = p + offsets[k]
            if state[q] == UNSEEN and is_near[value_t](
                values, q, home, n_channels, reach, square, exact, tolerance
            ):
                if steps == max_steps:
                    return steps
                state[q] = rank
                steps += 1
                fifo_push(queue, q)
        work += n_channels
        if work >= POLL_STEPS:
            poll()
            work = 0
    return steps


cdef inline bint is_near(
    const value_t[::1] values, Py_ssize_t p, Py_ssize_t q, Py_ssize_t n_channels,
    uint64_t reach, uint64_t square, bint exact, double tolerance,
) noexcept nogil:
    cdef Py_ssize_t c
    cdef value_t a, b
    cdef double total = 0
    cdef uint64_t difference, squares = 0
    if value_t is float or value_t is double:
        if n_channels == 1:
            a = values[p]
            b = values[q]
            # Equal infinities are equal, although their difference is NaN.
            return a == b or fabs(<double> a - <double> b) <= tolerance
        for c in range(n_channels):
            a = values[p * n_channels + c]
            b = values[q * n_channels + c]
            if a != b:
                total += (<double> a - <double> b) * (<double> a - <double> b)
        return sqrt(total) <= tolerance
    else:
        for c in range(n_channels):
            a = values[p * n_channels + c]
            b = values[q * n_channels + c]
            # Unsigned, so that the full range of 64 bits cannot wrap.
            if a > b:
                difference = <uint64_t> a - <uint64_t> b
            else:
                difference = <uint64_t> b - <uint64_t> a
            if difference > reach:
                return False
            if exact:
                squares += difference * difference
            else:
                total += <double> difference * <double> difference
        if n_channels == 1:
            return True
        return squares <= square if exact else sqrt(total) <= tolerance


def count_sizes(const int32_t[::1] state, int64_t[::1] sizes):
    """Add the pixels of each rank to `sizes`.  Cost: O(pixels)."""
    cdef Py_ssize_t p
    with nogil:
        for p in range(state.shape[0]):
            if p & (16 * POLL_STEPS - 1) == 0:
                poll()
            if state[p] > 0:
                sizes[state[p] - 1] += 1


def collect_labels(
    const int32_t[::1] state, const Py_ssize_t[::1] shape, const Py_ssize_t[::1] strides,
    Py_ssize_t first, const label_t[::1] ids, label_t[::1] labels,
):
    """Write the id of every pixel's rank, without the border; 0 where it has none.

    `labels` may be the beginning of the memory of `state`: a pixel is read before
    anything is written at its place or behind.

    Pre: `shape` and `strides` have 4 entries; `first` is the place of the first pixel.
    Cost: O(pixels).
    """
    cdef Py_ssize_t i, j, k, m, p, place = 0
    cdef int32_t rank
    with nogil:
        for i in range(shape[0]):
            for j in range(shape[1]):
                for k in range(shape[2]):
                    p = first + i * strides[0] + j * strides[1] + k * strides[2]
                    if place & (POLL_STEPS - 1) < shape[3]:
                        poll()
                    for m in range(shape[3]):
                        rank = state[p + m]
                        labels[place] = ids[rank - 1] if rank > 0 else 0
                        place += 1
