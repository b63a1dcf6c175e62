"""The leaves of a pyramid of blocks: found, measured, and written as labels.

A walk from the top enters the blocks that are open and lists those that are not, parts
in raster order within their block (for two axes this is the Z-order or Morton order).
So the leaves under any block stand next to each other in the list, and so do, nearly
always, leaves that are next to each other in the image.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from .blocks cimport AXES, EMPTY, LEAF, MAX_ROWS, OPEN, ROW_AXES, rows_below
from .difference cimport difference
from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t, value_t

cdef enum:
    FIELDS = AXES + 1    # of a block on the stack: its level, then its place on that level
    SHORT_RUN = 1 << 14  # so many squares of differences of bytes fit 31 bits
    SMALL = 2            # levels with a table of rows
    SMALL_ROWS = 64      # of a block of such a level in four dimensions


def stack_shape(Py_ssize_t n_levels):
    """Return the shape that `stack` must have."""
    return (16 * n_levels + 1, FIELDS)


cdef inline int64_t open_pixels(
    const uint8_t[::1] above, const uint8_t[::1] mask, const Py_ssize_t* rows, Py_ssize_t n_rows,
    Py_ssize_t width,
) noexcept nogil:
    """Return how many pixels of the mask lie in the open blocks of a row of level 1."""
    cdef Py_ssize_t i, k, q
    cdef int64_t n = 0
    if mask.shape[0]:
        for k in range(n_rows):
            for q in range(width):
                if above[q // 2] == OPEN:
                    n += mask[rows[k] * width + q]
        return n
    for i in range(width // 2):
        n += above[i] == OPEN
    n *= 2
    if width % 2:
        n += above[width // 2] == OPEN
    return n * n_rows


cdef inline int64_t cover_row(const uint8_t[::1] above, uint8_t[::1] below) noexcept nogil:
    """Clear the blocks of a row whose block above is not open; return how many leaves remain."""
    cdef Py_ssize_t i, width = below.shape[0]
    cdef int64_t n = 0
    cdef uint8_t one, other
    for i in range(width // 2):
        one = below[2 * i] if above[i] == OPEN else <uint8_t> EMPTY
        other = below[2 * i + 1] if above[i] == OPEN else <uint8_t> EMPTY
        below[2 * i] = one
        below[2 * i + 1] = other
        n += (one == LEAF) + (other == LEAF)
    if width % 2:
        i = width // 2
        if above[i] != OPEN:
            below[2 * i] = EMPTY
        n += below[2 * i] == LEAF
    return n


cdef int64_t cover(
    uint8_t[::1] stops, const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    const uint8_t[::1] mask,
) except -1 nogil:
    cdef Py_ssize_t top = sides.shape[0] - 1, level, row, n_rows, k, p, q, width, work = 0
    cdef Py_ssize_t[MAX_ROWS] rows
    cdef int64_t n = 0
    if top == 0:    # a single pixel
        return 1 if mask.shape[0] == 0 else mask[0]
    n += stops[first[top]] == LEAF
    for level in range(top, 0, -1):
        width = sides[level - 1, ROW_AXES]
        for row in range(sides[level, 0] * sides[level, 1] * sides[level, 2]):
            n_rows = rows_below(sides, level, row, rows)
            p = first[level] + row * sides[level, ROW_AXES]
            if level == 1:
                n += open_pixels(stops[p:p + sides[1, ROW_AXES]], mask, rows, n_rows, width)
            for k in range(n_rows if level > 1 else 0):
                q = first[level - 1] + rows[k] * width
                n += cover_row(stops[p:p + sides[level, ROW_AXES]], stops[q:q + width])
            work += (n_rows + 1) * width
            if work >= POLL_STEPS:
                work = 0
                poll()
    return n


def count_leaves(
    uint8_t[::1] stops, const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    const uint8_t[::1] mask,
):
    """Count the leaves; blocks below a leaf become EMPTY.

    Pre: stops and sides as `find_range` of pyramid.pyx; the mask holds 0 and 1.
    Cost: O(blocks).
    """
    cdef int64_t n
    with nogil:
        n = cover(stops, sides, first, mask)
    return n


cdef inline Py_ssize_t pixels_below(
    const Py_ssize_t[:, ::1] sides, const uint8_t[::1] mask, const Py_ssize_t[:, ::1] stack,
    Py_ssize_t height, int64_t[:, ::1] corner, uint8_t[::1] level_of, Py_ssize_t n,
) noexcept nogil:
    """List the pixels of an open block of level 1; return how many leaves there are now."""
    cdef Py_ssize_t i, j, k, m, axis, p, ndim = corner.shape[1]
    cdef Py_ssize_t[AXES] place
    cdef bint masked = mask.shape[0] > 0
    for i in range(2 * stack[height, 1], min(2 * stack[height, 1] + 2, sides[0, 0])):
        for j in range(2 * stack[height, 2], min(2 * stack[height, 2] + 2, sides[0, 1])):
            for k in range(2 * stack[height, 3], min(2 * stack[height, 3] + 2, sides[0, 2])):
                p = ((i * sides[0, 1] + j) * sides[0, 2] + k) * sides[0, 3]
                for m in range(2 * stack[height, 4], min(2 * stack[height, 4] + 2, sides[0, 3])):
                    if masked and mask[p + m] == 0:
                        continue
                    place[0], place[1], place[2], place[3] = i, j, k, m
                    for axis in range(ndim):
                        corner[n, axis] = place[AXES - ndim + axis]
                    level_of[n] = 0
                    n += 1
    return n


cdef Py_ssize_t walk(
    const uint8_t[::1] stops, const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    const uint8_t[::1] mask, Py_ssize_t[:, ::1] stack,
    int64_t[:, ::1] corner, uint8_t[::1] level_of,
) except -1 nogil:
    cdef Py_ssize_t top = sides.shape[0] - 1, ndim = corner.shape[1]
    cdef Py_ssize_t height = 1, n = 0, level, axis, block, i, j, k, m, work = 0
    cdef Py_ssize_t[AXES] place
    cdef uint8_t state
    stack[0, :] = 0
    stack[0, 0] = top
    if top == 0:    # a single pixel
        corner[0, :] = 0
        level_of[0] = 0
        return 1
    while height:
        height -= 1
        level = stack[height, 0]
        for axis in range(AXES):
            place[axis] = stack[height, axis + 1]
        block = place[0] * sides[level, 1] + place[1]
        block = (block * sides[level, 2] + place[2]) * sides[level, 3] + place[3]
        state = stops[first[level] + block]
        work += 8
        if state == LEAF:
            for axis in range(ndim):
                corner[n, axis] = place[AXES - ndim + axis] << level
            level_of[n] = <uint8_t> level
            n += 1
        elif state == OPEN:
            if level == 1:
                n = pixels_below(sides, mask, stack, height, corner, level_of, n)
            else:
                level -= 1
                # Last first: the first part comes off the stack next.
                for i in range(min(2 * place[0] + 1, sides[level, 0] - 1), 2 * place[0] - 1, -1):
                    for j in range(
                        min(2 * place[1] + 1, sides[level, 1] - 1), 2 * place[1] - 1, -1
                    ):
                        for k in range(
                            min(2 * place[2] + 1, sides[level, 2] - 1), 2 * place[2] - 1, -1
                        ):
                            for m in range(
                                min(2 * place[3] + 1, sides[level, 3] - 1), 2 * place[3] - 1, -1
                            ):
                                stack[height, 0] = level
                                stack[height, 1] = i
                                stack[height, 2] = j
                                stack[height, 3] = k
                                stack[height, 4] = m
                                height += 1
        if work >= POLL_STEPS:
            work = 0
            poll()
    return n


def list_leaves(
    const uint8_t[::1] stops, const Py_ssize_t[:, ::1] sides, const Py_ssize_t[::1] first,
    const uint8_t[::1] mask, Py_ssize_t[:, ::1] stack,
    int64_t[:, ::1] corner, uint8_t[::1] level_of,
):
    """List the leaves in the order of the walk.

    Pre: stops and sides as for `count_leaves`; `stack` has the shape that `stack_shape`
    tells; `corner` (n, ndim) and `level_of` have a row for each leaf, one at least.
    Post: the first pixel and the level of each leaf.
    Cost: O(leaves + open blocks).
    """
    with nogil:
        walk(stops, sides, first, mask, stack, corner, level_of)


cdef inline int box_of(
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    Py_ssize_t leaf, Py_ssize_t* begin, Py_ssize_t* end,
) noexcept nogil:
    """Write where a leaf begins and ends along all four axes."""
    cdef Py_ssize_t axis, lead = AXES - corner.shape[1]
    for axis in range(lead):
        begin[axis] = 0
        end[axis] = 1
    for axis in range(lead, AXES):
        begin[axis] = corner[leaf, axis - lead]
        end[axis] = min(begin[axis] + (<Py_ssize_t> 1 << level_of[leaf]), sides[0, axis])
    return 0


cdef inline Py_ssize_t pixel_of(
    const int64_t[:, ::1] corner, const Py_ssize_t[:, ::1] sides, Py_ssize_t leaf
) noexcept nogil:
    """Return the flat position of the first pixel of a leaf."""
    cdef Py_ssize_t axis, p = corner[leaf, 0], lead = AXES - corner.shape[1]
    for axis in range(1, corner.shape[1]):
        p = p * sides[0, lead + axis] + corner[leaf, axis]
    return p


cdef inline int list_rows(
    const Py_ssize_t[:, ::1] sides, Py_ssize_t ndim, Py_ssize_t[SMALL][SMALL_ROWS] jumps
) noexcept nogil:
    """Write where the rows of a whole block of side 2, and of side 4, begin."""
    cdef Py_ssize_t level, row, rest, axis, stride, n
    for level in range(1, SMALL + 1):
        n = <Py_ssize_t> 1 << level * (ndim - 1)
        for row in range(n):
            rest = row
            stride = sides[0, ROW_AXES]
            jumps[level - 1][row] = 0
            for axis in range(ROW_AXES - 1, AXES - ndim - 1, -1):
                jumps[level - 1][row] += stride * (rest & ((<Py_ssize_t> 1 << level) - 1))
                rest >>= level
                stride *= sides[0, axis]
    return 0


cdef inline bint is_whole(
    const int64_t[:, ::1] corner, const Py_ssize_t[:, ::1] sides, Py_ssize_t leaf, Py_ssize_t side
) noexcept nogil:
    """Return whether the image does not cut a leaf."""
    cdef Py_ssize_t axis, ndim = corner.shape[1]
    cdef bint whole = True
    for axis in range(ndim):
        whole &= corner[leaf, axis] + side <= sides[0, AXES - ndim + axis]
    return whole


cdef inline int fill_run(
    label_t[::1] labels, Py_ssize_t p, Py_ssize_t n, label_t label
) noexcept nogil:
    """Write a label to n pixels.  Loops of fixed length: most runs are that short."""
    cdef Py_ssize_t q
    if n == 4:
        for q in range(p, p + 4):
            labels[q] = label
    elif n == 2:
        labels[p] = label
        labels[p + 1] = label
    elif n == 8:
        for q in range(p, p + 8):
            labels[q] = label
    else:
        for q in range(p, p + n):
            labels[q] = label
    return 0


cdef int write_leaves(
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    label_t[::1] labels,
) except -1 nogil:
    cdef Py_ssize_t leaf, i, j, k, p, ndim = corner.shape[1], level, n_rows, work = 0
    cdef Py_ssize_t[AXES] begin, end
    cdef Py_ssize_t[SMALL][SMALL_ROWS] jumps
    cdef label_t label
    list_rows(sides, ndim, jumps)
    for leaf in range(corner.shape[0]):
        label = <label_t> (leaf + 1)
        if level_of[leaf] == 0:     # most leaves are, in pictures with many
            labels[pixel_of(corner, sides, leaf)] = label
            work += 1
            continue
        level = level_of[leaf]
        if level <= SMALL and is_whole(corner, sides, leaf, <Py_ssize_t> 1 << level):
            p = pixel_of(corner, sides, leaf)
            n_rows = <Py_ssize_t> 1 << level * (ndim - 1)
            for i in range(n_rows):
                fill_run(labels, p + jumps[level - 1][i], <Py_ssize_t> 1 << level, label)
            work += n_rows
            continue
        box_of(corner, level_of, sides, leaf, &begin[0], &end[0])
        for i in range(begin[0], end[0]):
            for j in range(begin[1], end[1]):
                for k in range(begin[2], end[2]):
                    p = ((i * sides[0, 1] + j) * sides[0, 2] + k) * sides[0, ROW_AXES]
                    fill_run(labels, p + begin[ROW_AXES], end[ROW_AXES] - begin[ROW_AXES], label)
                    work += 1 + (end[ROW_AXES] - begin[ROW_AXES]) // 8
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def fill_leaves(
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    label_t[::1] labels,
):
    """Write leaf + 1 to all pixels of each leaf.

    Pre: leaves as `list_leaves` gives them; one label per pixel.
    Cost: O(pixels + rows of leaves).
    """
    with nogil:
        write_leaves(corner, level_of, sides, labels)


cdef struct Sums:
    int64_t n
    int64_t whole       # of 8- and 16-bit values
    int64_t squares
    double real         # of others
    double real_squares


cdef inline int add_bytes(
    const uint8_t[::1] values, Py_ssize_t p, Py_ssize_t n, uint8_t base, Sums* sums
) noexcept nogil:
    """Add the differences of n bytes.  Pre: n is a small constant: no loop is left."""
    cdef Py_ssize_t q
    cdef int32_t d, total = 0, squares = 0
    for q in range(n):
        d = <int32_t> values[p + q] - <int32_t> base
        total += d
        squares += d * d
    sums.whole += total
    sums.squares += squares
    return 0


cdef inline int add_run(
    const value_t[::1] values, const uint8_t[::1] mask, Py_ssize_t first, Py_ssize_t end,
    Py_ssize_t n_channels, Py_ssize_t c, value_t base, Sums* sums,
) noexcept nogil:
    """Add the differences from `base` of a run of pixels to sums."""
    cdef Py_ssize_t q = first, stop
    cdef int32_t short_d, short_total, short_squares
    cdef int64_t d
    cdef double e
    if mask.shape[0]:
        for q in range(first, end):
            if mask[q]:
                sums.n += 1
                if value_t is uint8_t or value_t is uint16_t:
                    d = <int64_t> values[q * n_channels + c] - <int64_t> base
                    sums.whole += d
                    sums.squares += d * d
                else:
                    e = difference(values[q * n_channels + c], base)
                    sums.real += e
                    sums.real_squares += e * e
        return 0
    sums.n += end - first
    if value_t is uint8_t:
        while q < end:
            stop = min(end, q + SHORT_RUN)
            short_total = short_squares = 0
            if n_channels == 1:
                for q in range(q, stop):
                    short_d = <int32_t> values[q] - <int32_t> base
                    short_total += short_d
                    short_squares += short_d * short_d
            else:
                for q in range(q, stop):
                    short_d = <int32_t> values[q * n_channels + c] - <int32_t> base
                    short_total += short_d
                    short_squares += short_d * short_d
            sums.whole += short_total
            sums.squares += short_squares
            q = stop
    elif value_t is uint16_t:
        for q in range(first, end):
            d = <int64_t> values[q * n_channels + c] - <int64_t> base
            sums.whole += d
            sums.squares += d * d
    else:
        for q in range(first, end):
            e = difference(values[q * n_channels + c], base)
            sums.real += e
            sums.real_squares += e * e
    return 0


cdef inline value_t first_value(
    const value_t[::1] values, const uint8_t[::1] mask, const Py_ssize_t[:, ::1] sides,
    Py_ssize_t* begin, Py_ssize_t* end, Py_ssize_t n_channels, Py_ssize_t c,
) noexcept nogil:
    """Return the first value of a leaf that counts."""
    cdef Py_ssize_t i, j, k, p, q
    for i in range(begin[0], end[0]):
        for j in range(begin[1], end[1]):
            for k in range(begin[2], end[2]):
                p = ((i * sides[0, 1] + j) * sides[0, 2] + k) * sides[0, ROW_AXES]
                for q in range(p + begin[ROW_AXES], p + end[ROW_AXES]):
                    if mask.shape[0] == 0 or mask[q]:
                        return values[q * n_channels + c]
    return 0    # does not happen: a leaf has pixels


cdef int add_leaves(
    const value_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    value_t[::1] start, double[:, ::1] mean, double[:, ::1] variance, int64_t[::1] size,
) except -1 nogil:
    cdef Py_ssize_t leaf, i, j, k, c, p, ndim = corner.shape[1], level, work = 0
    cdef Py_ssize_t[AXES] begin, end
    cdef Py_ssize_t[SMALL][SMALL_ROWS] jumps
    cdef Sums sums
    cdef value_t base
    cdef double n_pixels
    cdef bint masked = mask.shape[0] > 0
    list_rows(sides, ndim, jumps)
    for leaf in range(corner.shape[0]):
        if level_of[leaf] == 0:
            p = pixel_of(corner, sides, leaf)
            for c in range(n_channels):
                start[leaf * n_channels + c] = values[p * n_channels + c]
                mean[leaf, c] = variance[leaf, c] = 0.0
            if masked:
                size[leaf] = 1
            work += n_channels
            continue
        level = level_of[leaf]
        if value_t is uint8_t and not masked and n_channels == 1 and level <= SMALL:
            if is_whole(corner, sides, leaf, <Py_ssize_t> 1 << level):
                p = pixel_of(corner, sides, leaf)
                base = values[p]
                sums.whole = sums.squares = 0
                if level == 1:
                    for i in range(<Py_ssize_t> 1 << (ndim - 1)):
                        add_bytes(values, p + jumps[0][i], 2, base, &sums)
                else:
                    for i in range(<Py_ssize_t> 1 << 2 * (ndim - 1)):
                        add_bytes(values, p + jumps[1][i], 4, base, &sums)
                start[leaf] = base
                n_pixels = <double> (<Py_ssize_t> 1 << level * ndim)
                mean[leaf, 0] = <double> sums.whole / n_pixels
                sums.real_squares = <double> sums.squares - <double> sums.whole * mean[leaf, 0]
                variance[leaf, 0] = max(sums.real_squares, 0.0) / n_pixels
                work += 4
                continue
        box_of(corner, level_of, sides, leaf, &begin[0], &end[0])
        sums.n = 0
        for c in range(n_channels):
            base = first_value(values, mask, sides, begin, end, n_channels, c)
            sums.n = sums.whole = sums.squares = 0
            sums.real = sums.real_squares = 0.0
            for i in range(begin[0], end[0]):
                for j in range(begin[1], end[1]):
                    for k in range(begin[2], end[2]):
                        p = ((i * sides[0, 1] + j) * sides[0, 2] + k) * sides[0, ROW_AXES]
                        add_run(
                            values, mask, p + begin[ROW_AXES], p + end[ROW_AXES], n_channels, c,
                            base, &sums,
                        )
            if value_t is uint8_t or value_t is uint16_t:
                sums.real = <double> sums.whole
                sums.real_squares = <double> sums.squares
            start[leaf * n_channels + c] = base
            mean[leaf, c] = sums.real / <double> sums.n
            sums.real_squares -= sums.real * mean[leaf, c]
            variance[leaf, c] = max(sums.real_squares, 0.0) / <double> sums.n
        if masked:
            size[leaf] = sums.n
        work += 4 + sums.n * n_channels
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def measure_leaves(
    const value_t[::1] values, const uint8_t[::1] mask, Py_ssize_t n_channels,
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    value_t[::1] start, double[:, ::1] mean, double[:, ::1] variance, int64_t[::1] size,
):
    """Measure each leaf: mean and population variance of each channel; with a mask its pixels.

    Sums are of differences from the first value of the leaf, as in measure.pyx.

    Pre: leaves as `list_leaves` gives them, values as `find_range` takes them; `start` has
    a place for each leaf and channel.
    Post: `start`, the first value, and `mean`, the mean of the differences from it.
    Cost: O(values + rows of leaves).
    """
    with nogil:
        add_leaves(
            values, mask, n_channels, corner, level_of, sides, start, mean, variance, size
        )
