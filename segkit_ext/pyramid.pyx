"""Which blocks of side 2**level are homogeneous: one pyramid, from the pixels up.

Each level is made from the one below, row by row: the rows below are brought
together value by value, which is a loop over neighbors in memory whatever the
number of dimensions, then the pairs along the row are.  A level overwrites the one
below in place: row r of the level is written after the rows it was made from, the
first of which is row r or later, have been read.

Three statistics.  The range of a block needs its least and its largest value.  The
deviation of 8- and 16-bit values needs sums and sums of squares, which are exact
integers.  Of other values it needs means and sums of squared deviations, joined as
Chan, Golub and LeVeque do: their error does not grow with the distance from 0.
"""

from libc.float cimport DBL_MAX, FLT_MAX
from libc.math cimport nextafter, sqrt
from libc.stdint cimport (
    INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, UINT8_MAX, UINT16_MAX,
    int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)

from .blocks cimport EMPTY, LEAF, MAX_ROWS, ROW_AXES, rows_below, thickness
from .interrupt cimport POLL_STEPS, poll
from .types cimport value_t

ctypedef fused small_t:
    uint8_t
    uint16_t

ctypedef fused real_t:
    float
    double


cdef inline Py_ssize_t n_rows_of(const Py_ssize_t[:, ::1] sides, Py_ssize_t level) noexcept nogil:
    return sides[level, 0] * sides[level, 1] * sides[level, 2]


# The range


cdef inline int gather_range(
    const value_t[::1] low, const value_t[::1] high, const uint8_t[::1] mask,
    Py_ssize_t p, Py_ssize_t n, Py_ssize_t n_channels, bint is_first, value_t least, value_t most,
    value_t[::1] row_low, value_t[::1] row_high,
) except -1 nogil:
    """Bring n values from p on into the row; where the mask is 0 they do not count."""
    cdef Py_ssize_t i
    cdef value_t a, b
    if mask.shape[0]:
        for i in range(n):
            a = most
            b = least
            if mask[(p + i) // n_channels]:
                a = b = low[p + i]
            if is_first or a < row_low[i]:
                row_low[i] = a
            if is_first or b > row_high[i]:
                row_high[i] = b
    elif is_first:
        for i in range(n):
            row_low[i] = low[p + i]
        for i in range(n):
            row_high[i] = high[p + i]
    else:
        for i in range(n):
            a = low[p + i]
            row_low[i] = a if a < row_low[i] else row_low[i]
        for i in range(n):
            b = high[p + i]
            row_high[i] = b if b > row_high[i] else row_high[i]
    return 0


cdef inline int pair_range(
    const value_t[::1] row_low, const value_t[::1] row_high, Py_ssize_t width,
    Py_ssize_t n_channels, value_t[::1] low, value_t[::1] high, Py_ssize_t out,
) except -1 nogil:
    """Write the range of each pair of blocks in the row, and of the one left over."""
    cdef Py_ssize_t i, c, n = width // 2
    cdef value_t a, b
    if n_channels == 1:
        for i in range(n):
            a = row_low[2 * i]
            b = row_low[2 * i + 1]
            low[out + i] = a if a < b else b
        for i in range(n):
            a = row_high[2 * i]
            b = row_high[2 * i + 1]
            high[out + i] = a if a > b else b
    else:
        for i in range(n):
            for c in range(n_channels):
                a = row_low[2 * i * n_channels + c]
                b = row_low[(2 * i + 1) * n_channels + c]
                low[out + i * n_channels + c] = a if a < b else b
                a = row_high[2 * i * n_channels + c]
                b = row_high[(2 * i + 1) * n_channels + c]
                high[out + i * n_channels + c] = a if a > b else b
    if width % 2:
        for c in range(n_channels):
            low[out + n * n_channels + c] = row_low[2 * n * n_channels + c]
            high[out + n * n_channels + c] = row_high[2 * n * n_channels + c]
    return 0


cdef inline bint is_near(
    value_t low, value_t high, uint64_t integer_threshold, double threshold
) noexcept nogil:
    """Return whether low and high differ by the threshold at most.  Pre: low <= high."""
    if value_t is float or value_t is double:
        return <double> high - <double> low <= threshold
    elif value_t is int64_t:
        return <uint64_t> high - <uint64_t> low <= integer_threshold
    elif value_t is int32_t:
        return <uint32_t> high - <uint32_t> low <= <uint32_t> integer_threshold
    else:
        return <value_t> (high - low) <= <value_t> integer_threshold


cdef int range_levels(
    const value_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, uint64_t integer_threshold, double threshold,
    value_t[::1] low, value_t[::1] high, value_t[::1] row_low, value_t[::1] row_high,
    uint8_t[::1] stops,
) except -1 nogil:
    cdef Py_ssize_t level, row, k, i, c, n, width, out_width, p, out, work = 0
    cdef Py_ssize_t[MAX_ROWS] rows
    cdef value_t least, most
    cdef uint8_t state
    if value_t is uint8_t:
        least, most = 0, UINT8_MAX
    elif value_t is uint16_t:
        least, most = 0, UINT16_MAX
    elif value_t is int32_t:
        least, most = INT32_MIN, INT32_MAX
    elif value_t is int64_t:
        least, most = INT64_MIN, INT64_MAX
    elif value_t is float:
        least, most = -FLT_MAX, FLT_MAX
    else:
        least, most = -DBL_MAX, DBL_MAX
    for level in range(1, ceiling + 1):
        width = sides[level - 1, ROW_AXES]
        out_width = sides[level, ROW_AXES]
        for row in range(n_rows_of(sides, level)):
            n = rows_below(sides, level, row, rows)
            for k in range(n):
                p = rows[k] * width * n_channels
                if level == 1:
                    gather_range(
                        values, values, mask, p, width * n_channels, n_channels, k == 0,
                        least, most, row_low, row_high,
                    )
                else:
                    gather_range(
                        low, high, mask[:0], p, width * n_channels, n_channels, k == 0,
                        least, most, row_low, row_high,
                    )
            out = row * out_width * n_channels
            pair_range(row_low, row_high, width, n_channels, low, high, out)
            p = first[level] + row * out_width
            if n_channels == 1:
                for i in range(out_width):
                    stops[p + i] = is_near(
                        low[out + i], high[out + i], integer_threshold, threshold
                    )
            else:
                for i in range(out_width):
                    state = LEAF
                    for c in range(out + i * n_channels, out + (i + 1) * n_channels):
                        state &= is_near(low[c], high[c], integer_threshold, threshold)
                    stops[p + i] = state
            if level == floor:
                for i in range(out_width):
                    stops[p + i] = LEAF
            if mask.shape[0]:
                for i in range(out_width):
                    if low[out + i * n_channels] > high[out + i * n_channels]:
                        stops[p + i] = EMPTY
            work += n * width * n_channels
            if work >= POLL_STEPS:
                work = 0
                poll()
    return 0


def find_range(
    const value_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, uint64_t integer_threshold, double threshold,
    value_t[::1] low, value_t[::1] high, value_t[::1] row_low, value_t[::1] row_high,
    uint8_t[::1] stops,
):
    """Find the blocks in which no channel has a range above the threshold.

    Integers are compared with `integer_threshold`, floats with `threshold`.

    Pre: values hold the channels of each pixel side by side, finite where the mask is
    not 0; `mask` is empty or has one byte per pixel; sides as in blocks.pxd; 0 <= floor
    <= ceiling < len(sides); integer_threshold fits the unsigned type of the values'
    width; `low`, `high` have room for level 1 and `row_low`, `row_high` for a row of
    values.
    Post: stops[first[level] + block] for levels 1 to ceiling: LEAF where homogeneous,
    and everywhere on level `floor`; EMPTY where the mask is 0; else OPEN.
    Cost: O(values), one reading of them.
    Paper: Horowitz and Pavlidis 1976.
    """
    with nogil:
        range_levels(
            values, mask, n_channels, sides, first, floor, ceiling, integer_threshold, threshold,
            low, high, row_low, row_high, stops,
        )


# The deviation of small integers


cdef inline double squares_about_mean(int64_t n, int64_t total, int64_t squares) noexcept nogil:
    """Return n times the sum of squared deviations from the mean.

    Exact below 2**53 where the product fits 64 bits; otherwise taken about the integer
    next to the mean, so that next to nothing cancels.
    """
    cdef int64_t middle, rest
    if n < (1 << 15):
        return <double> (n * squares - total * total)
    middle = (total + n // 2) // n
    rest = total - n * middle
    squares -= middle * (total + rest)
    return <double> n * <double> squares - <double> rest * <double> rest


cdef inline int gather_sums(
    const small_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const int64_t[::1] sums, const int64_t[::1] squares, Py_ssize_t level,
    Py_ssize_t p, Py_ssize_t n, int64_t[::1] row_sums, int64_t[::1] row_squares,
) noexcept nogil:
    """Add n values, or sums of the level below, from p on to the row."""
    cdef Py_ssize_t i
    cdef int64_t x
    if level > 1:
        for i in range(n):
            row_sums[i] += sums[p + i]
        for i in range(n):
            row_squares[i] += squares[p + i]
    elif mask.shape[0]:
        for i in range(n):
            x = values[p + i] if mask[(p + i) // n_channels] else 0
            row_sums[i] += x
            row_squares[i] += x * x
    else:
        for i in range(n):
            x = values[p + i]
            row_sums[i] += x
            row_squares[i] += x * x
    return 0


cdef inline int pair_sums(
    const int64_t[::1] row_sums, const int64_t[::1] row_squares, Py_ssize_t width,
    Py_ssize_t n_channels, int64_t[::1] sums, int64_t[::1] squares, Py_ssize_t out,
) noexcept nogil:
    """Write the sums of each pair of blocks in the row, and of the one left over."""
    cdef Py_ssize_t i, c, p, n = width // 2
    for i in range(n):
        for c in range(n_channels):
            p = 2 * i * n_channels + c
            sums[out + i * n_channels + c] = row_sums[p] + row_sums[p + n_channels]
            squares[out + i * n_channels + c] = row_squares[p] + row_squares[p + n_channels]
    if width % 2:
        for c in range(n_channels):
            sums[out + n * n_channels + c] = row_sums[2 * n * n_channels + c]
            squares[out + n * n_channels + c] = row_squares[2 * n * n_channels + c]
    return 0


cdef inline int add_bytes(
    const small_t[::1] values, const Py_ssize_t* rows, Py_ssize_t n_rows, Py_ssize_t width,
    uint32_t[::1] packed, int64_t[::1] sums, int64_t[::1] squares, Py_ssize_t out,
) noexcept nogil:
    """Write the sums of level 1 of bytes in one channel without a mask: the usual case.

    A sum of 16 bytes fits 12 bits and that of their squares 20, so one addition does both.
    """
    cdef Py_ssize_t i, k, p, n = width // 2
    cdef uint32_t x
    for k in range(n_rows):
        p = rows[k] * width
        if k == 0:
            for i in range(width):
                x = values[p + i]
                packed[i] = x + ((x * x) << 12)
        else:
            for i in range(width):
                x = values[p + i]
                packed[i] += x + ((x * x) << 12)
    for i in range(n):
        x = packed[2 * i] + packed[2 * i + 1]
        sums[out + i] = x & 4095
        squares[out + i] = x >> 12
    if width % 2:
        sums[out + n] = packed[2 * n] & 4095
        squares[out + n] = packed[2 * n] >> 12
    return 0


cdef inline int count_row(
    const uint8_t[::1] mask, const Py_ssize_t[:, ::1] sides, Py_ssize_t level,
    const Py_ssize_t* rows, Py_ssize_t n_rows, Py_ssize_t row,
    int64_t[::1] row_counts, int64_t[::1] counts,
) noexcept nogil:
    """Write how many pixels of the mask each block of a row has."""
    cdef Py_ssize_t i, k, p, width = sides[level - 1, ROW_AXES]
    for i in range(width):
        row_counts[i] = 0
    for k in range(n_rows):
        p = rows[k] * width
        for i in range(width):
            row_counts[i] += mask[p + i] if level == 1 else counts[p + i]
    p = row * sides[level, ROW_AXES]
    for i in range(width // 2):
        counts[p + i] = row_counts[2 * i] + row_counts[2 * i + 1]
    if width % 2:
        counts[p + width // 2] = row_counts[width - 1]
    return 0


cdef inline double spread_of(
    const int64_t[::1] sums, const int64_t[::1] squares, Py_ssize_t at, Py_ssize_t n_channels,
    int64_t n_pixels,
) noexcept nogil:
    """Return the variance of a block, summed over channels, times the square of its pixels."""
    cdef Py_ssize_t c
    cdef double spread = 0.0
    for c in range(at, at + n_channels):
        spread += squares_about_mean(n_pixels, sums[c], squares[c])
    return spread


cdef inline bint is_calm(double spread, int64_t n_pixels, double threshold) noexcept nogil:
    """Return whether the deviation that belongs to a spread is the threshold at most."""
    return sqrt(spread / (<double> n_pixels * <double> n_pixels)) <= threshold


cdef inline double largest_calm(int64_t n_pixels, double threshold) noexcept nogil:
    """Return the largest spread that `is_calm`: a comparison then takes no root."""
    cdef double limit = threshold * <double> n_pixels
    limit *= limit
    if limit < 0.5:
        return 0.0    # spreads are integers
    while not is_calm(limit, n_pixels, threshold):
        limit = nextafter(limit, 0.0)
    while limit < DBL_MAX and is_calm(nextafter(limit, DBL_MAX), n_pixels, threshold):
        limit = nextafter(limit, DBL_MAX)
    return limit


cdef int sum_levels(
    const small_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, double threshold,
    int64_t[::1] sums, int64_t[::1] squares, int64_t[::1] counts,
    int64_t[::1] row_sums, int64_t[::1] row_squares, int64_t[::1] row_counts,
    uint32_t[::1] packed, uint8_t[::1] stops,
) except -1 nogil:
    cdef Py_ssize_t level, row, k, i, n, m, width, out_width, full, out, work = 0
    cdef Py_ssize_t[MAX_ROWS] rows
    cdef bint masked = mask.shape[0] > 0
    cdef int64_t n_pixels, last_pixels = 0
    cdef double spread, limit = 0.0
    for level in range(1, ceiling + 1):
        width = sides[level - 1, ROW_AXES]
        out_width = sides[level, ROW_AXES]
        full = sides[0, ROW_AXES] >> level    # blocks that the end of the row does not cut
        m = width * n_channels
        for row in range(n_rows_of(sides, level)):
            n = rows_below(sides, level, row, rows)
            out = row * out_width
            if small_t is uint8_t and level == 1 and n_channels == 1 and not masked:
                add_bytes(values, rows, n, width, packed, sums, squares, out)
            else:
                for i in range(m):
                    row_sums[i] = row_squares[i] = 0
                for k in range(n):
                    gather_sums(
                        values, mask, n_channels, sums, squares, level, rows[k] * m, m,
                        row_sums, row_squares,
                    )
                pair_sums(row_sums, row_squares, width, n_channels, sums, squares, out * n_channels)
            if masked:
                count_row(mask, sides, level, rows, n, row, row_counts, counts)
                for i in range(out, out + out_width):
                    stops[first[level] + i] = EMPTY
                    if counts[i]:
                        spread = spread_of(sums, squares, i * n_channels, n_channels, counts[i])
                        stops[first[level] + i] = is_calm(spread, counts[i], threshold)
            else:
                n_pixels = thickness(sides, level, row) << level
                if n_pixels != last_pixels:
                    last_pixels = n_pixels
                    limit = largest_calm(n_pixels, threshold)
                for i in range(out, out + full):
                    spread = spread_of(sums, squares, i * n_channels, n_channels, n_pixels)
                    stops[first[level] + i] = spread <= limit
                if full < out_width:
                    n_pixels = (n_pixels >> level) * (sides[0, ROW_AXES] - (full << level))
                    i = out + full
                    spread = spread_of(sums, squares, i * n_channels, n_channels, n_pixels)
                    stops[first[level] + i] = is_calm(spread, n_pixels, threshold)
            if level == floor:
                for i in range(first[level] + out, first[level] + out + out_width):
                    stops[i] = EMPTY if stops[i] == EMPTY else LEAF
            work += (n + 4) * m
            if work >= POLL_STEPS:
                work = 0
                poll()
    return 0


def find_spread(
    const small_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, double threshold,
    int64_t[::1] sums, int64_t[::1] squares, int64_t[::1] counts,
    int64_t[::1] row_sums, int64_t[::1] row_squares, int64_t[::1] row_counts,
    uint32_t[::1] packed, uint8_t[::1] stops,
):
    """Find the blocks whose variances, summed over channels, have a root <= threshold.

    Pre: as `find_range`; `sums` and `squares` have room for level 1, `row_sums`,
    `row_squares` and `packed` for a row of values, `counts` and `row_counts` for as many
    blocks and pixels if there is a mask; the mask holds 0 and 1.
    Post: as `find_range`.  Sums are exact, the variance is rounded once for blocks of up
    to 2**15 pixels and has a relative error of some 1e-15 in others.
    Cost: O(values), one reading of them.
    """
    with nogil:
        sum_levels(
            values, mask, n_channels, sides, first, floor, ceiling, threshold,
            sums, squares, counts, row_sums, row_squares, row_counts, packed, stops,
        )


# The deviation of other values


cdef struct Moments:
    double count     # pixels
    double mean
    double square    # sum of squared deviations from it


cdef inline Moments joined(Moments a, Moments b) noexcept nogil:
    cdef Moments both
    cdef double share, d = b.mean - a.mean
    both.count = a.count + b.count
    share = b.count / (both.count if both.count > 1.0 else 1.0)
    both.mean = a.mean + d * share
    # In this order: the weight is 0 where one is empty, and d * d may be infinite.
    both.square = a.square + b.square + (d * (a.count * share)) * d
    return both


cdef inline int add_moments(
    const real_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const double[::1] means, const double[::1] squares, const double[::1] counts,
    Py_ssize_t level, Py_ssize_t p, Py_ssize_t n, bint is_first, double[:, ::1] row,
) noexcept nogil:
    """Join n values, or moments of the level below, from p on to the row."""
    cdef Py_ssize_t i
    cdef Moments a, b
    cdef bint masked = mask.shape[0] > 0
    for i in range(n):
        if level > 1:
            b.count = counts[p + i]
            b.mean = means[p + i]
            b.square = squares[p + i]
        else:
            b.count = 1.0
            b.mean = <double> values[p + i]
            b.square = 0.0
            if masked and mask[(p + i) // n_channels] == 0:
                b.count = b.mean = 0.0    # whatever stands there does not count
        if not is_first:
            a.count = row[0, i]
            a.mean = row[1, i]
            a.square = row[2, i]
            b = joined(a, b)
        row[0, i] = b.count
        row[1, i] = b.mean
        row[2, i] = b.square
    return 0


cdef inline int pair_moments(
    const double[:, ::1] row, Py_ssize_t width, Py_ssize_t n_channels,
    double[::1] means, double[::1] squares, double[::1] counts, Py_ssize_t out,
) noexcept nogil:
    """Write the moments of each pair of blocks in the row, and of the one left over."""
    cdef Py_ssize_t i, c, p, q
    cdef Moments a, b
    for i in range((width + 1) // 2):
        for c in range(n_channels):
            p = 2 * i * n_channels + c
            q = out + i * n_channels + c
            a.count = row[0, p]
            a.mean = row[1, p]
            a.square = row[2, p]
            if 2 * i + 1 < width:
                p += n_channels
                b.count = row[0, p]
                b.mean = row[1, p]
                b.square = row[2, p]
                a = joined(a, b)
            counts[q] = a.count
            means[q] = a.mean
            squares[q] = a.square
    return 0


cdef int moment_levels(
    const real_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, double threshold,
    double[::1] means, double[::1] squares, double[::1] counts, double[:, ::1] row_moments,
    uint8_t[::1] stops,
) except -1 nogil:
    cdef Py_ssize_t level, row, k, i, c, n, m, width, out_width, out, work = 0
    cdef Py_ssize_t[MAX_ROWS] rows
    cdef double spread
    for level in range(1, ceiling + 1):
        width = sides[level - 1, ROW_AXES]
        out_width = sides[level, ROW_AXES]
        m = width * n_channels
        for row in range(n_rows_of(sides, level)):
            n = rows_below(sides, level, row, rows)
            for k in range(n):
                add_moments(
                    values, mask, n_channels, means, squares, counts, level, rows[k] * m, m,
                    k == 0, row_moments,
                )
            out = row * out_width * n_channels
            pair_moments(row_moments, width, n_channels, means, squares, counts, out)
            for i in range(out_width):
                spread = 0.0
                for c in range(out, out + n_channels):
                    spread += squares[c]
                k = first[level] + row * out_width + i
                if counts[out] == 0.0:
                    stops[k] = EMPTY
                else:
                    stops[k] = level == floor or sqrt(spread / counts[out]) <= threshold
                out += n_channels
            work += 4 * n * m
            if work >= POLL_STEPS:
                work = 0
                poll()
    return 0


def find_moments(
    const real_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    Py_ssize_t floor, Py_ssize_t ceiling, double threshold,
    double[::1] means, double[::1] squares, double[::1] counts, double[:, ::1] row_moments,
    uint8_t[::1] stops,
):
    """Find the blocks whose variances, summed over channels, have a root <= threshold.

    Pre: as `find_range`; `means`, `squares` and `counts` have room for level 1, and
    row_moments (3, n) for a row of values.
    Post: as `find_range`; a block of equal values has a deviation of exactly 0.
    Cost: O(values), one reading of them.
    Paper: Chan, Golub, LeVeque 1983, for joining means and squared deviations.
    """
    with nogil:
        moment_levels(
            values, mask, n_channels, sides, first, floor, ceiling, threshold,
            means, squares, counts, row_moments, stops,
        )
