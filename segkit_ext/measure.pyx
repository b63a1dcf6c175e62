"""Sums over the pixels of each region, by runs.

A run is a stretch of one region in one row.  Starts of runs are found 64 pixels
at a time, as bits; a run then adds its length, its coordinates and its values
to the sums of its region at once.  Faces along other axes are bits too: where a
row differs from the row before and the row after.

Values are summed as differences from the first value of their region.  The
squared distance of that value from the mean is at most (n - 1) times the
variance, because it is one of the values: so the subtraction that yields the
variance never loses more than a factor n of the precision of a double, and a
constant region has variance 0 exactly.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint64_t

from .bits cimport WORD, count_bits, differing, lowest_bit
from .difference cimport difference
from .interrupt cimport POLL_STEPS, poll
from .types cimport value_t

cdef enum:
    ROW_AXES = 3    # axes that tell rows apart: at most four dimensions
    AXES = 4
    PIXELS = 0      # columns of `sums`, one row per region: the number of pixels,
    FIRST = 1       # then of each axis the least and the largest coordinate,
    LAST = 5
    TOTAL = 9       # the sum of coordinates,
    FACES = 13      # and the number of faces between the region and anything else
    COLUMNS = 17


def n_columns():
    """Return the number of columns that `sums` must have."""
    return COLUMNS


cdef int add_shapes(
    const int32_t[::1] regions,
    const Py_ssize_t[::1] shape,
    uint8_t[::1] scratch,
    int64_t[:, ::1] sums,
) except -1 nogil:
    cdef Py_ssize_t width = shape[ROW_AXES], n_rows = regions.shape[0] // width
    cdef Py_ssize_t row, rest, axis, p, w, n, b, end, length, col, far, work = 0
    cdef Py_ssize_t[ROW_AXES] place
    cdef Py_ssize_t[ROW_AXES] jump
    cdef uint64_t word, all_bits, part
    cdef uint64_t[2 * ROW_AXES] sides
    cdef bint plain
    cdef int32_t region
    cdef Py_ssize_t lead = 0    # the first axis that is no filling
    while lead < ROW_AXES and shape[lead] == 1:
        lead += 1
    jump[2] = width
    jump[1] = width * shape[2]
    jump[0] = width * shape[2] * shape[1]
    for row in range(n_rows):
        rest = row
        for axis in range(ROW_AXES - 1, -1, -1):
            place[axis] = rest % shape[axis]
            rest = rest // shape[axis]
        for w in range(0, width, 64):
            p = row * width + w
            n = min(<Py_ssize_t> WORD, width - w)
            all_bits = <uint64_t> -1 >> (WORD - n)
            plain = True
            for axis in range(lead, ROW_AXES):
                sides[2 * axis] = all_bits
                if place[axis] > 0:
                    sides[2 * axis] = differing(regions, p, p - jump[axis], n, scratch)
                sides[2 * axis + 1] = all_bits
                if place[axis] < shape[axis] - 1:
                    sides[2 * axis + 1] = differing(regions, p, p + jump[axis], n, scratch)
                plain = plain and sides[2 * axis] == 0 and sides[2 * axis + 1] == 0
            # Bit i: pixel i begins a stretch of this word, of a run that may have begun before.
            word = 1
            if n > 1:
                word |= differing(regions, p + 1, p, n - 1, scratch) << 1
            b = 0
            while True:
                word &= word - 1
                end = lowest_bit(word) if word else n
                region = regions[p + b]
                length = end - b
                col = w + b
                far = w + end - 1
                sums[region, PIXELS] += length
                if col < sums[region, FIRST + ROW_AXES]:
                    sums[region, FIRST + ROW_AXES] = col
                if far > sums[region, LAST + ROW_AXES]:
                    sums[region, LAST + ROW_AXES] = far
                sums[region, TOTAL + ROW_AXES] += ((col + far) * length) >> 1
                # Both ends are faces, except that a run may go on in the next word.
                sums[region, FACES + ROW_AXES] += 2
                if b == 0 and col > 0 and regions[p - 1] == region:
                    sums[region, FACES + ROW_AXES] -= 1
                if end == n and far < width - 1 and regions[p + end] == region:
                    sums[region, FACES + ROW_AXES] -= 1
                for axis in range(lead, ROW_AXES):
                    if place[axis] < sums[region, FIRST + axis]:
                        sums[region, FIRST + axis] = place[axis]
                    if place[axis] > sums[region, LAST + axis]:
                        sums[region, LAST + axis] = place[axis]
                    sums[region, TOTAL + axis] += place[axis] * length
                    if not plain:
                        part = (<uint64_t> -1 >> (WORD - length)) << b
                        if (sides[2 * axis] | sides[2 * axis + 1]) & part:
                            sums[region, FACES + axis] += (
                                count_bits(sides[2 * axis] & part)
                                + count_bits(sides[2 * axis + 1] & part)
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
    uint8_t[::1] scratch,
    int64_t[:, ::1] sums,
):
    """Add up size, box, coordinates and faces of each region.

    Pre: shape holds four sides (leading ones 1 for axes there are not) with
    shape[3] >= 1; `scratch` has 64 bytes; sums (n, n_columns()) has a row for
    each region number; columns 1 to 4 hold a number above every coordinate,
    columns 5 to 8 one below, the others 0.
    Post: the columns named above; those of leading axes of length 1 are left as
    they were.
    Cost: O(pixels / 16 + runs).
    """
    with nogil:
        add_shapes(regions, shape, scratch, sums)


cdef int add_values(
    const int32_t[::1] regions,
    const value_t[::1] values,
    Py_ssize_t n_channels,
    value_t[::1] first,
    value_t[::1] low,
    value_t[::1] high,
    double[:, ::1] sums,
) except -1 nogil:
    cdef Py_ssize_t n = regions.shape[0], p = 0, end, i, stop, slot, c, until_poll
    cdef int32_t region
    cdef value_t x, base, least, largest
    cdef int64_t d, total
    cdef uint64_t squares
    cdef double e, real_total, real_squares
    until_poll = POLL_STEPS
    while p < n:
        region = regions[p]
        stop = min(n, p + 4096)
        end = p
        slot = region * n_channels
        for c in range(n_channels):
            if sums[slot, 0] == 0:
                first[slot] = low[slot] = high[slot] = values[p * n_channels + c]
            base = first[slot]
            least = low[slot]
            largest = high[slot]
            end = p
            i = p * n_channels + c
            if value_t is uint8_t or value_t is uint16_t:
                total = 0
                squares = 0
                while end < stop and regions[end] == region:
                    x = values[i]
                    least = x if x < least else least
                    largest = x if x > largest else largest
                    d = <int64_t> x - <int64_t> base
                    total += d
                    squares += <uint64_t> (d * d)
                    end += 1
                    i += n_channels
                real_total = <double> total
                real_squares = <double> squares
            else:
                real_total = 0.0
                real_squares = 0.0
                while end < stop and regions[end] == region:
                    x = values[i]
                    least = x if x < least else least
                    largest = x if x > largest else largest
                    e = difference(x, base)
                    real_total += e
                    real_squares += e * e
                    end += 1
                    i += n_channels
            low[slot] = least
            high[slot] = largest
            sums[slot, 0] += <double> (end - p)
            sums[slot, 1] += real_total
            sums[slot, 2] += real_squares
            slot += 1
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
    double[:, ::1] sums,
):
    """Add up the values of each region in each channel.

    Pre: values hold the channels of each pixel side by side; first, low, high and
    the rows of sums (.., 3) have a slot region * n_channels + channel each; sums
    are 0; values are finite.
    Post: first, least and largest value; sums hold the number of values, the sum
    of their differences from the first, and of the squares of these (exact for
    integers of 8 and 16 bits while below 2**53).
    Cost: O(pixels * n_channels).
    """
    with nogil:
        add_values(regions, values, n_channels, first, low, high, sums)
