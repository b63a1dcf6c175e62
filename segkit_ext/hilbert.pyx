"""A path through all pixels of a box that keeps pixels together: the Hilbert curve.

A box is entered at one corner and left at the other end of one edge, the travel
axis.  It is cut into boxes that are entered and left in the same way, one behind the
other, until they are lines or cubes of two pixels a side.  How it is cut:

- along the travel axis, when that is long: two boxes, both traveled that way;
- across, with another axis b: up b in the first half of the box, over its whole length
  along the travel axis in the upper part, down b in the second half;
- with two other axes b and c, five boxes: up b, along c, along the travel axis, back
  along c, down b.

Colors of a chessboard tell what is possible: such a path exists only if the travel axis
is even or all sides are odd, and it is longer than 1.  Each way of cutting keeps that,
because the part of b that is traveled is even.  So every step is to a neighbor.

A box is a start, four sides and the strides along them, which may be negative; the
travel axis stands first.  Boxes to come wait on a stack.
"""

from .interrupt cimport POLL_STEPS, poll

cdef enum:
    AXES = 4
    START = 0       # columns of a box: the flat position of the corner where it is entered,
    SIDE = 1        # its sides, the travel axis first,
    STRIDE = 5      # the flat steps along them
    COLUMNS = 9
    ROOM = 1024     # each cut halves a side and adds 4 boxes; sides have 63 bits together


def stack_shape():
    """Return the shape that `stack` must have."""
    return ROOM, COLUMNS


cdef inline Py_ssize_t even_half(Py_ssize_t side) noexcept nogil:
    """Return the even number nearest to half of `side` >= 3, below it."""
    return 2 * ((side + 1) // 4)


cdef inline void put_box(
    Py_ssize_t[:, ::1] stack,
    Py_ssize_t row,
    const Py_ssize_t* sides,
    const Py_ssize_t* strides,
    Py_ssize_t start,
    int travel,
) noexcept nogil:
    """Write a box that is traveled along `travel`: that axis and the first change places."""
    cdef Py_ssize_t k
    stack[row, START] = start
    for k in range(AXES):
        stack[row, SIDE + k] = sides[k]
        stack[row, STRIDE + k] = strides[k]
    stack[row, SIDE] = sides[travel]
    stack[row, STRIDE] = strides[travel]
    stack[row, SIDE + travel] = sides[0]
    stack[row, STRIDE + travel] = strides[0]


cdef inline Py_ssize_t write_cube(
    Py_ssize_t start,
    const Py_ssize_t* sides,
    const Py_ssize_t* strides,
    Py_ssize_t[::1] path,
    Py_ssize_t n,
) noexcept nogil:
    """Write the pixels of a cube of 2 a side in the order of the Gray code.

    Its last bit to change, and the only one set at the end, is the travel axis.
    """
    cdef Py_ssize_t[AXES] bit
    cdef Py_ssize_t m = 0, k, i, code
    for k in range(1, AXES):
        if sides[k] == 2:
            bit[m] = strides[k]
            m += 1
    bit[m] = strides[0]
    if m == 1:    # a square: nearly all of a picture
        path[n] = start
        path[n + 1] = start + bit[0]
        path[n + 2] = start + bit[0] + bit[1]
        path[n + 3] = start + bit[1]
        return n + 4
    for i in range(<Py_ssize_t> 2 << m):
        code = i ^ (i >> 1)
        path[n + i] = start
        for k in range(m + 1):
            if (code >> k) & 1:
                path[n + i] += bit[k]
    return n + (<Py_ssize_t> 2 << m)


cdef int walk(Py_ssize_t[:, ::1] stack, Py_ssize_t n_boxes, Py_ssize_t[::1] path) except -1 nogil:
    cdef Py_ssize_t[AXES] side      # of the box
    cdef Py_ssize_t[AXES] stride
    cdef Py_ssize_t[AXES] s         # of the boxes it is cut into
    cdef Py_ssize_t[AXES] t
    cdef Py_ssize_t n = 0, top = n_boxes - 1, until_poll = POLL_STEPS
    cdef Py_ssize_t start, k, i, width, height, plane, half_width, half_height, half_plane
    cdef int b, c, e
    while top >= 0:
        start = stack[top, START]
        for k in range(AXES):
            s[k] = side[k] = stack[top, SIDE + k]
            t[k] = stride[k] = stack[top, STRIDE + k]
        top -= 1
        until_poll -= 8
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()

        # The other axes from the longest to the shortest, equals as they stand.
        b = 1
        c = 2
        e = 3
        if side[c] > side[b]:
            b, c = c, b
        if side[e] > side[c]:
            c, e = e, c
            if side[c] > side[b]:
                b, c = c, b
        width = side[0]
        height = side[b]
        if height == 1:
            for i in range(width):
                path[n + i] = start + i * stride[0]
            n += width
            until_poll -= width
            continue
        if height == 2:
            for i in range(0, width, 2):
                n = write_cube(start + i * stride[0], side, stride, path, n)
            until_poll -= width
            continue
        if 2 * width > 3 * height:
            half_width = even_half(width)
            s[0] = width - half_width
            put_box(stack, top + 1, s, t, start + half_width * stride[0], 0)
            s[0] = half_width
            put_box(stack, top + 2, s, t, start, 0)
            top += 2
            continue

        half_width = width // 2
        if width % 2 == 1 or side[c] == 1 or 3 * side[c] < 2 * height:
            half_height = even_half(height)
            s[b] = half_height
            s[0] = width - half_width
            t[0] = -stride[0]
            t[b] = -stride[b]
            put_box(
                stack, top + 1, s, t,
                start + (width - 1) * stride[0] + (half_height - 1) * stride[b], b,
            )
            s[0] = width
            s[b] = height - half_height
            t[0] = stride[0]
            t[b] = stride[b]
            put_box(stack, top + 2, s, t, start + half_height * stride[b], 0)
            s[0] = half_width
            s[b] = half_height
            put_box(stack, top + 3, s, t, start, b)
            top += 3
            continue

        # All of c is traveled: it has to be even, or all sides with it odd.
        if side[c] % 2 == 1 and side[b] % 2 == 0:
            b, c = c, b
        elif side[c] % 2 == 1 and side[e] % 2 == 0:
            c = e
        height = side[b]
        plane = side[c]
        if plane % 2 == 1:
            half_width |= 1
        half_height = even_half(height)
        half_plane = plane // 2
        # Back along the travel axis, and down b: the fifth box.
        s[0] = width - half_width
        s[b] = half_height
        s[c] = half_plane
        t[0] = -stride[0]
        t[b] = -stride[b]
        put_box(
            stack, top + 1, s, t,
            start + (width - 1) * stride[0] + (half_height - 1) * stride[b], b,
        )
        s[b] = height - half_height
        s[c] = plane
        t[b] = stride[b]
        t[c] = -stride[c]
        put_box(
            stack, top + 2, s, t,
            start + (width - 1) * stride[0] + half_height * stride[b] + (plane - 1) * stride[c], c,
        )
        s[0] = width
        s[b] = half_height
        s[c] = plane - half_plane
        t[0] = stride[0]
        t[b] = -stride[b]
        put_box(
            stack, top + 3, s, t,
            start + (half_height - 1) * stride[b] + (plane - 1) * stride[c], 0,
        )
        s[0] = half_width
        s[b] = height - half_height
        s[c] = plane
        t[b] = stride[b]
        t[c] = stride[c]
        put_box(stack, top + 4, s, t, start + half_height * stride[b], c)
        s[b] = half_height
        s[c] = half_plane
        put_box(stack, top + 5, s, t, start, b)
        top += 5
    return 0


def walk_boxes(Py_ssize_t[:, ::1] stack, Py_ssize_t n_boxes, Py_ssize_t[::1] path):
    """Write the pixels of boxes, the last on the stack first, in the order of their paths.

    Pre: stack of shape stack_shape() holds n_boxes rows: start, four sides and four
    strides, the travel axis first, axes that there are not with side 1.  A travel axis is
    even or all sides are odd; it is longer than 1 unless all are 1.
    Post: path; within a box each pixel is a neighbor along an axis of the one before.
    Cost: O(pixels).
    Paper: Hilbert (1891), Mathematische Annalen 38, 459, for squares of 2^k; the cuts that
    carry it over to all boxes are segkit's.
    """
    with nogil:
        walk(stack, n_boxes, path)
