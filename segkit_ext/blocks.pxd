"""Blocks of side 2**level: the pyramid that quadtrees, octrees and their kin stand on.

Grids always have four axes, leading ones of side 1 for axes there are not.  Row
`level` of `sides` says how many blocks there are along each axis: level 0 has the
pixels, the last level one block.  A block covers up to two blocks of the level
below along each axis; beyond the image there are none.
"""

cdef enum:
    AXES = 4
    ROW_AXES = 3     # axes that tell rows apart
    MAX_ROWS = 8     # rows below one row: two along each of these axes

cdef enum:           # what becomes of a block, should it be reached from above
    OPEN = 0         # it is split
    LEAF = 1
    EMPTY = 2        # no pixel of the mask lies in it

cdef inline Py_ssize_t rows_below(
    const Py_ssize_t[:, ::1] sides, Py_ssize_t level, Py_ssize_t row, Py_ssize_t* rows
) noexcept nogil:
    """Write which rows of level - 1 lie below a row of `level`, in raster order; return how many.

    Pre: `rows` has room for MAX_ROWS; level >= 1.
    """
    cdef Py_ssize_t a, b, c, i, j, k, n = 0
    c = row % sides[level, 2]
    b = row // sides[level, 2] % sides[level, 1]
    a = row // sides[level, 2] // sides[level, 1]
    for i in range(2 * a, min(2 * a + 2, sides[level - 1, 0])):
        for j in range(2 * b, min(2 * b + 2, sides[level - 1, 1])):
            for k in range(2 * c, min(2 * c + 2, sides[level - 1, 2])):
                rows[n] = (i * sides[level - 1, 1] + j) * sides[level - 1, 2] + k
                n += 1
    return n

cdef inline Py_ssize_t thickness(
    const Py_ssize_t[:, ::1] sides, Py_ssize_t level, Py_ssize_t row
) noexcept nogil:
    """Return how many rows of pixels a row of blocks of `level` covers."""
    cdef Py_ssize_t rest = row, axis, at, n = 1
    for axis in range(ROW_AXES - 1, -1, -1):
        at = rest % sides[level, axis]
        rest = rest // sides[level, axis]
        n *= min((at + 1) << level, sides[0, axis]) - (at << level)
    return n
