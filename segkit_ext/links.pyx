"""Which neighboring pixels belong together, as bits: all that components know of values.

A row is compared with itself one pixel on, and with each row before it that
holds neighbors, at shifts -1, 0 and 1.  The comparisons are loops without
branches over whole rows, 64 pixels are packed into a word, and background and
mask are then applied to words.
"""

from libc.math cimport fabs
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from .bits cimport WORD, pack
from .interrupt cimport POLL_STEPS, poll
from .types cimport value_t

cdef enum:
    CHUNK = 4096    # pixels compared before packing: a multiple of WORD that stays in the L1
    ROW_AXES = 3    # axes that tell rows apart: at most four dimensions


def chunk_bytes():
    """Return the length that `scratch` must have."""
    return CHUNK


cdef inline int compare(
    const value_t[::1] values,
    Py_ssize_t p,
    Py_ssize_t q,
    Py_ssize_t n,
    bint equal,
    uint64_t steps,
    double distance,
    uint8_t[::1] scratch,
    uint64_t[::1] words,
    Py_ssize_t at,
) except -1 nogil:
    """Write to words[at:] whether pixels p + i and q + i are near, for i < n."""
    cdef Py_ssize_t i = 0, j, k, m, first, second
    cdef value_t a, b, low, high
    while i < n:
        m = min(<Py_ssize_t> CHUNK, n - i)
        first = p + i
        second = q + i
        if equal:
            for j in range(m):
                scratch[j] = values[first + j] == values[second + j]
        elif value_t is float or value_t is double:
            # Equal infinities are near although their difference is not a number.
            for j in range(m):
                a = values[first + j]
                b = values[second + j]
                scratch[j] = (a == b) | (fabs(<double> a - <double> b) <= distance)
        else:
            # High minus low fits the unsigned type of the same width: nothing wraps.
            for j in range(m):
                a = values[first + j]
                b = values[second + j]
                low = a if a < b else b
                high = b if a < b else a
                if value_t is uint8_t:
                    scratch[j] = <uint8_t> (high - low) <= <uint8_t> steps
                elif value_t is uint16_t:
                    scratch[j] = <uint16_t> (high - low) <= <uint16_t> steps
                elif value_t is int32_t:
                    scratch[j] = <uint32_t> high - <uint32_t> low <= <uint32_t> steps
                else:
                    scratch[j] = <uint64_t> high - <uint64_t> low <= steps
        k = (m + WORD - 1) // WORD
        for j in range(m, k * WORD):
            scratch[j] = 0
        for j in range(k):
            words[at + i // WORD + j] = pack(scratch, j * WORD)
        i += CHUNK
        if i % POLL_STEPS == 0:
            poll()
    return 0


cdef inline int find_inside(
    const value_t[::1] values,
    const value_t[::1] background,
    const uint8_t[::1] mask,
    Py_ssize_t p,
    Py_ssize_t n,
    uint8_t[::1] scratch,
    uint64_t[::1] words,
    Py_ssize_t at,
) except -1 nogil:
    """Write to words[at:] whether pixel p + i is in the mask and not background, for i < n."""
    cdef Py_ssize_t i = 0, j, k, m, first
    cdef value_t outside = 0
    cdef bint has_background = background.shape[0] > 0, has_mask = mask.shape[0] > 0
    if has_background:
        outside = background[0]
    while i < n:
        m = min(<Py_ssize_t> CHUNK, n - i)
        first = p + i
        if has_background and has_mask:
            for j in range(m):
                scratch[j] = (values[first + j] != outside) & mask[first + j]
        elif has_background:
            for j in range(m):
                scratch[j] = values[first + j] != outside
        elif has_mask:
            for j in range(m):
                scratch[j] = mask[first + j]
        else:
            for j in range(m):
                scratch[j] = 1
        k = (m + WORD - 1) // WORD
        for j in range(m, k * WORD):
            scratch[j] = 0
        for j in range(k):
            words[at + i // WORD + j] = pack(scratch, j * WORD)
        i += CHUNK
        if i % POLL_STEPS == 0:
            poll()
    return 0


cdef int link_rows(
    const value_t[::1] values,
    const value_t[::1] background,
    const uint8_t[::1] mask,
    Py_ssize_t first_row,
    Py_ssize_t last_row,
    const Py_ssize_t[::1] row_shape,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t width,
    bint equal,
    uint64_t integer_tolerance,
    double tolerance,
    uint8_t[::1] scratch,
    uint64_t[::1] inside,
    uint64_t[::1] start,
    uint64_t[::1] links,
) except -1 nogil:
    cdef Py_ssize_t n_words = (width + WORD - 1) // WORD, n_links = steps.shape[0]
    cdef Py_ssize_t row, rest, axis, link, shift, above, stride, w, at, here, there
    cdef Py_ssize_t work = 0
    cdef Py_ssize_t[ROW_AXES] position
    cdef bint exists
    cdef uint64_t carry, word, other
    for row in range(first_row, last_row):
        at = row * n_words
        find_inside(values, background, mask, row * width, width, scratch, inside, at)
        compare(
            values, row * width + 1, row * width, width - 1,
            equal, integer_tolerance, tolerance, scratch, start, at,
        )
        if (width - 1) % WORD == 0:
            start[at + n_words - 1] = 0    # width - 1 pixels were compared: no bits for this word
        carry = 0    # of what `compare` wrote: bit i is about pixels i and i + 1
        other = 0    # the inside bit of the pixel before
        for w in range(n_words):
            word = (start[at + w] << 1) | carry
            carry = start[at + w] >> (WORD - 1)
            start[at + w] = inside[at + w] & ~(word & ((inside[at + w] << 1) | other))
            other = inside[at + w] >> (WORD - 1)
        rest = row
        for axis in range(ROW_AXES - 1, -1, -1):
            position[axis] = rest % row_shape[axis]
            rest = rest // row_shape[axis]
        for link in range(n_links):
            here = ((row - first_row) * n_links + link) * n_words
            exists = True
            above = 0
            stride = 1
            for axis in range(ROW_AXES - 1, -1, -1):
                rest = position[axis] + steps[link, axis]
                exists = exists and 0 <= rest < row_shape[axis]
                above += stride * rest
                stride *= row_shape[axis]
            if not exists:
                for w in range(n_words):
                    links[here + w] = 0
                continue
            shift = steps[link, ROW_AXES]
            there = above * n_words
            if shift == 0:
                compare(
                    values, row * width, above * width, width,
                    equal, integer_tolerance, tolerance, scratch, links, here,
                )
                for w in range(n_words):
                    links[here + w] &= inside[at + w] & inside[there + w]
                continue
            if (width - 1) % WORD == 0:
                links[here + n_words - 1] = 0
            if shift < 0:
                compare(
                    values, row * width + 1, above * width, width - 1,
                    equal, integer_tolerance, tolerance, scratch, links, here,
                )
                carry = 0
                for w in range(n_words):
                    # Both bits move together: pixel i here goes with pixel i - 1 there.
                    word = links[here + w] & inside[there + w]
                    links[here + w] = ((word << 1) | carry) & inside[at + w]
                    carry = word >> (WORD - 1)
            else:
                compare(
                    values, row * width, above * width + 1, width - 1,
                    equal, integer_tolerance, tolerance, scratch, links, here,
                )
                for w in range(n_words):
                    other = inside[there + w] >> 1
                    if w + 1 < n_words:
                        other |= inside[there + w + 1] << (WORD - 1)
                    links[here + w] &= inside[at + w] & other
        work += width * (n_links + 2) + WORD
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def find_links(
    const value_t[::1] values,
    const value_t[::1] background,
    const uint8_t[::1] mask,
    Py_ssize_t first_row,
    Py_ssize_t last_row,
    const Py_ssize_t[::1] row_shape,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t width,
    bint equal,
    uint64_t integer_tolerance,
    double tolerance,
    uint8_t[::1] scratch,
    uint64_t[::1] inside,
    uint64_t[::1] start,
    uint64_t[::1] links,
):
    """Write the bits of the rows first_row to last_row - 1 (a row lies along the last axis).

    Two pixels are near if they are equal, or, unless `equal`, differ by at most
    `integer_tolerance` (integers) or `tolerance` (floats).

    Pre: width >= 1; `background` and `mask` are empty where there is none;
    row_shape holds the three leading sides (1 for those there are not); steps
    (n_links, 4) are steps to preceding rows along these axes, then the shift
    along the row (-1, 0, 1); integer_tolerance fits the unsigned type of the
    values' width; earlier rows are done.
    Post: per row of ceil(width / 64) words, `inside` has the pixels that count,
    `start` those that are not near the one before, and links[row - first_row,
    link] those near their neighbor at that step, both inside.
    Cost: O(pixels * (2 + n_links)), without a branch on the values.
    """
    with nogil:
        link_rows(
            values, background, mask, first_row, last_row, row_shape, steps, width,
            equal, integer_tolerance, tolerance, scratch, inside, start, links,
        )
