"""Which blocks of side 2**level hold so few bits per pixel that they are homogeneous.

The entropy of a block does not follow from those of its parts, so there is no pyramid:
from the top down each block that is reached is counted value by value.  A block is
gone over twice, once to count and once to add up and clear the counts, so that clearing
costs no more than counting, however many values there are.
"""

from libc.math cimport log2
from libc.stdint cimport int64_t, uint8_t, uint16_t

from .blocks cimport EMPTY, LEAF, OPEN, ROW_AXES
from .interrupt cimport POLL_STEPS, poll

ctypedef fused rank_t:
    uint8_t
    uint16_t
    int64_t


cdef inline double add_up(
    const rank_t[::1] ranks, const uint8_t[::1] mask, Py_ssize_t n_channels, Py_ssize_t channel,
    const Py_ssize_t[:, ::1] sides, Py_ssize_t* begin, Py_ssize_t* end, int64_t n,
    int64_t[::1] counts,
) noexcept nogil:
    """Count the values of a block if n is 0, else return their entropy and clear the counts."""
    cdef Py_ssize_t a, b, c, p, q
    cdef bint masked = mask.shape[0] > 0
    cdef Py_ssize_t rank
    cdef int64_t m
    cdef double bits = 0.0
    for a in range(begin[0], end[0]):
        for b in range(begin[1], end[1]):
            for c in range(begin[2], end[2]):
                p = ((a * sides[0, 1] + b) * sides[0, 2] + c) * sides[0, ROW_AXES]
                for q in range(p + begin[ROW_AXES], p + end[ROW_AXES]):
                    if masked and mask[q] == 0:
                        continue
                    rank = <Py_ssize_t> ranks[q * n_channels + channel]
                    m = counts[rank]
                    if n == 0:
                        counts[rank] = m + 1
                    elif m:
                        counts[rank] = 0
                        bits += <double> m / <double> n * log2(<double> n / <double> m)
    return bits


cdef int entropy_levels(
    const rank_t[::1] ranks, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, double threshold, int64_t[::1] counts, uint8_t[::1] stops,
) except -1 nogil:
    cdef Py_ssize_t level, axis, block, n_blocks, rest, above, c, p, q, i, j, k, work = 0
    cdef Py_ssize_t top = sides.shape[0] - 1
    cdef Py_ssize_t[4] at, begin, end
    cdef int64_t n
    cdef uint8_t state
    for level in range(ceiling, max(floor, 1) - 1, -1):
        n_blocks = sides[level, 0] * sides[level, 1] * sides[level, 2] * sides[level, ROW_AXES]
        for block in range(n_blocks):
            rest = block
            for axis in range(ROW_AXES, -1, -1):
                at[axis] = rest % sides[level, axis]
                rest = rest // sides[level, axis]
                begin[axis] = at[axis] << level
                end[axis] = min((at[axis] + 1) << level, sides[0, axis])
            work += 4
            if level < top:
                above = 0
                for axis in range(4):
                    above = above * sides[level + 1, axis] + at[axis] // 2
                if stops[first[level + 1] + above] != OPEN:
                    continue
            n = 0
            if mask.shape[0]:
                for i in range(begin[0], end[0]):
                    for j in range(begin[1], end[1]):
                        for k in range(begin[2], end[2]):
                            p = ((i * sides[0, 1] + j) * sides[0, 2] + k) * sides[0, ROW_AXES]
                            for q in range(p + begin[ROW_AXES], p + end[ROW_AXES]):
                                n += mask[q]
            else:
                n = 1
                for axis in range(4):
                    n *= end[axis] - begin[axis]
            state = EMPTY if n == 0 else LEAF
            if n and level > floor:
                for c in range(n_channels):
                    add_up(ranks, mask, n_channels, c, sides, &begin[0], &end[0], 0, counts)
                    if add_up(
                        ranks, mask, n_channels, c, sides, &begin[0], &end[0], n, counts
                    ) > threshold:
                        state = OPEN
                        break
            stops[first[level] + block] = state
            work += 8 * n * n_channels
            if work >= POLL_STEPS:
                work = 0
                poll()
    return 0


def find_entropy(
    const rank_t[::1] ranks, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, double threshold, int64_t[::1] counts, uint8_t[::1] stops,
):
    """Find the blocks in which no channel has an entropy above the threshold, in bits.

    Pre: `ranks` hold the channels of each pixel side by side, from 0 to len(counts) - 1;
    `counts` are 0; the mask is empty or holds 0 and 1; sides as in blocks.pxd; stops are
    OPEN on levels above `ceiling`.
    Post: stops[first[level] + block] as `find_range`, for the blocks that are reached.
    Cost: O(values * levels that are reached).
    """
    with nogil:
        entropy_levels(
            ranks, mask, n_channels, sides, first, floor, ceiling, threshold, counts, stops
        )
