"""Sums over the pixels of each region, by runs.

A run is a stretch of one region in one row.  Starts of runs are found 64 pixels
at a time, as bits; a run then adds its length, its coordinates and its values
to the sums of its region at once.  Faces along other axes are bits too: where a
row differs from the row before and the row after.

Small integers are summed as they are, in 64 bits.  Other values are summed as
differences from the first value of their region.  The squared distance of that
value from the mean is at most (n - 1) times the variance, because it is one of the
values: so the subtraction that yields the variance never loses more than a factor n
of the precision of a double, and a constant region has variance 0 exactly.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint64_t

from .bits cimport WORD, count_bits, differing, lowest_bit
from .colors cimport COLORS, add_colors
from .difference cimport difference
from .interrupt cimport POLL_STEPS, poll
from .types cimport value_t

cdef enum:
    AXES = 4
    PIXELS = 0    # rows of `sums`: the number of pixels, then of each axis
    FIRST = 1     # the least coordinate, and so on
    CHUNK = 4096  # pixels of a run that are added up in integers


cdef int add_shapes(
    const int32_t[::1] regions,
    const Py_ssize_t[::1] shape,
    int64_t[:, ::1] sums,
) except -1 nogil:
    cdef Py_ssize_t ndim = shape.shape[0], last = ndim - 1
    cdef Py_ssize_t width = shape[last], n_rows = regions.shape[0] // width
    cdef Py_ssize_t first = FIRST, behind = FIRST + ndim
    cdef Py_ssize_t total = FIRST + 2 * ndim, faces = FIRST + 3 * ndim
    cdef Py_ssize_t row, rest, axis, p, w, n, b, end, length, col, ends, work = 0
    cdef Py_ssize_t[AXES] place
    cdef Py_ssize_t[AXES] jump
    cdef uint64_t word, all_bits, part
    cdef uint64_t[AXES] before
    cdef uint64_t[AXES] after
    cdef bint plain
    cdef int32_t region
    jump[last] = 1
    for axis in range(last - 1, -1, -1):
        jump[axis] = jump[axis + 1] * shape[axis + 1]
    for row in range(n_rows):
        rest = row
        for axis in range(last - 1, -1, -1):
            place[axis] = rest % shape[axis]
            rest = rest // shape[axis]
        for w in range(0, width, 64):
            p = row * width + w
            n = min(<Py_ssize_t> WORD, width - w)
            all_bits = <uint64_t> -1 >> (WORD - n)
            plain = True
            for axis in range(last):
                before[axis] = after[axis] = all_bits
                if place[axis] > 0:
                    before[axis] = differing(regions, p, p - jump[axis], n)
                if place[axis] < shape[axis] - 1:
                    after[axis] = differing(regions, p, p + jump[axis], n)
                plain = plain and (before[axis] | after[axis]) == 0
            # Bit i: pixel i begins a stretch of this word, of a run that may have begun before.
            word = 1
            if n > 1:
                word |= differing(regions, p + 1, p, n - 1) << 1
            b = 0
            while True:
                word &= word - 1
                end = lowest_bit(word) if word else n
                region = regions[p + b]
                length = end - b
                col = w + b
                # Both ends are faces, except that a run may go on in the next word.
                ends = 2
                if b == 0 and col > 0 and regions[p - 1] == region:
                    ends -= 1
                if end == n and w + end < width and regions[p + end] == region:
                    ends -= 1
                sums[PIXELS, region] += length
                sums[first + last, region] = min(sums[first + last, region], col)
                sums[behind + last, region] = max(sums[behind + last, region], w + end)
                sums[total + last, region] += ((2 * col + length - 1) * length) >> 1
                sums[faces + last, region] += ends
                for axis in range(last):
                    if place[axis] < sums[first + axis, region]:
                        sums[first + axis, region] = place[axis]
                    if place[axis] >= sums[behind + axis, region]:
                        sums[behind + axis, region] = place[axis] + 1
                    sums[total + axis, region] += place[axis] * length
                    if not plain:
                        part = (<uint64_t> -1 >> (WORD - length)) << b
                        sums[faces + axis, region] += (
                            count_bits(before[axis] & part) + count_bits(after[axis] & part)
                        )
                work += 1
                if word == 0:
                    break
                b = end
            work += 8
            if work >= POLL_STEPS:
                work = 0
                poll()
    return 0


def measure_shapes(
    const int32_t[::1] regions,
    const Py_ssize_t[::1] shape,
    int64_t[:, ::1] sums,
):
    """Add up size, box, coordinates and faces of each region.

    Pre: 1 to 4 sides, the last at least 1; sums (1 + 4 * sides, n) has a column for
    each region number; rows 1 to the number of sides hold a number above every
    coordinate, the others 0.
    Post: rows are the number of pixels, then for each axis the least coordinate, for
    each the largest plus 1, the sum of coordinates, and the number of faces.
    Cost: O(pixels / 16 + runs).
    """
    with nogil:
        add_shapes(regions, shape, sums)


cdef int add_values(
    const int32_t[::1] regions,
    const value_t[::1] values,
    Py_ssize_t n_channels,
    value_t[::1] first,
    value_t[::1] low,
    value_t[::1] high,
    int64_t[::1] count,
    int64_t[:, ::1] whole,
    double[:, ::1] sums,
) except -1 nogil:
    cdef Py_ssize_t n = regions.shape[0], p = 0, end, i, stop, slot, c, until_poll
    cdef int32_t region
    cdef value_t x, base, least, largest
    cdef int64_t total, squares, wide
    cdef double e, real_total, real_squares
    until_poll = POLL_STEPS
    while p < n:
        region = regions[p]
        stop = min(n, p + CHUNK)
        end = p
        slot = region * n_channels
        if count[region] == 0:
            for c in range(n_channels):
                x = values[p * n_channels + c]
                first[slot + c] = low[slot + c] = high[slot + c] = x
        if value_t is uint8_t and n_channels == COLORS:
            end = add_colors(regions, values, p, stop, low, high, whole, slot)
        else:
            for slot in range(slot, slot + n_channels):
                base = first[slot]
                least = low[slot]
                largest = high[slot]
                end = p
                i = p * n_channels + slot - region * n_channels
                if value_t is uint8_t or value_t is uint16_t:
                    total = squares = 0
                    while end < stop and regions[end] == region:
                        x = values[i]
                        least = x if x < least else least
                        largest = x if x > largest else largest
                        wide = x
                        total += wide
                        squares += wide * wide
                        end += 1
                        i += n_channels
                    whole[0, slot] += total
                    whole[1, slot] += squares
                else:
                    real_total = real_squares = 0.0
                    while end < stop and regions[end] == region:
                        x = values[i]
                        least = x if x < least else least
                        largest = x if x > largest else largest
                        e = difference(x, base)
                        real_total += e
                        real_squares += e * e
                        end += 1
                        i += n_channels
                    sums[0, slot] += real_total
                    sums[1, slot] += real_squares
                low[slot] = least
                high[slot] = largest
        count[region] += end - p
        until_poll -= (end - p) * n_channels
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
        p = end
    return 0


def measure_values(
    const int32_t[::1] regions,
    const value_t[::1] values,
    Py_ssize_t n_channels,
    value_t[::1] first,
    value_t[::1] low,
    value_t[::1] high,
    int64_t[::1] count,
    int64_t[:, ::1] whole,
    double[:, ::1] sums,
):
    """Add up the values of each region in each channel.

    Pre: values hold the channels of each pixel side by side, one channel at least;
    first, low, high have a slot region * n_channels + channel each, and so have the
    columns of whole (2, ..), for integers of 8 and 16 bits, or of sums (2, ..), for
    other values; `count` has one for each region; count, whole and sums are 0; values
    are finite.
    Post: first, least and largest value, the number of pixels; whole holds the sums of
    values and of their squares, sums those of differences from the first value.
    Cost: O(pixels * n_channels).
    """
    with nogil:
        add_values(regions, values, n_channels, first, low, high, count, whole, sums)
