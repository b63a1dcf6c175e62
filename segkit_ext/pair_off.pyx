"""Pairing the pixels of one set with those of another one to one: as many pairs as can be.

A row is a pixel of the one set, a column one of the other; a row may take the
columns within reach, which are found on the grid by offsets, nearest first.

Rows come in the order given.  Each takes the nearest column if that is free; else
a free column is looked for along chains: a column taken by another row, which
could take another column instead, and so on.  If there is one, every row of the
chain moves on by one.  A row that has a column never loses it, only exchanges it,
so the order of the rows decides which of them end with one, and nothing else
does.  Columns met by a search that failed can be on no chain to a free one
ever after, and are left out of later searches.
"""

from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t

cdef enum:
    NONE = -1
    FIRST_SEARCH = 1   # `seen` holds the number of the last search that met a column
    DEAD = -1          # or this


cdef int look_all(
    const Py_ssize_t[::1] places,
    const Py_ssize_t[::1] offsets,
    const label_t[::1] ranks,
    const label_t[::1] number,
    label_t[::1] nearest,
) except -1 nogil:
    cdef Py_ssize_t row, k, until_poll = POLL_STEPS
    for row in range(places.shape[0]):
        nearest[row] = NONE
        for k in range(offsets.shape[0]):
            if number[places[row] + offsets[k]] != NONE:
                nearest[row] = ranks[k]
                break
        until_poll -= offsets.shape[0]
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
    return 0


def look_around(
    const Py_ssize_t[::1] places,
    const Py_ssize_t[::1] offsets,
    const label_t[::1] ranks,
    const label_t[::1] number,
    label_t[::1] nearest,
):
    """Find how near the nearest column of each row is.

    Pre: `number` is the grid with a border as wide as the offsets reach, -1 where
    there is no column; `places` are the rows' pixels in it; `ranks` of the offsets
    do not go down.
    Post: nearest[r] is the rank of the first offset to a column, -1 if there is none.
    Cost: O(rows * offsets) at worst.
    """
    with nogil:
        look_all(places, offsets, ranks, number, nearest)


cdef Py_ssize_t free_column(
    const Py_ssize_t[::1] places,
    const Py_ssize_t[::1] offsets,
    const label_t[::1] number,
    Py_ssize_t row,
    label_t search,
    const label_t[::1] column_of,
    const label_t[::1] row_of,
    label_t[::1] seen,
    label_t[::1] came_from,
    label_t[::1] queue,
    Py_ssize_t* until_poll,
) except -2 nogil:
    """Return the first free column by breadth, or NONE; `came_from` leads back to `row`."""
    cdef Py_ssize_t head = 0, tail = 1, k, r, c
    queue[0] = <label_t> row
    while head < tail:
        r = queue[head]
        head += 1
        for k in range(offsets.shape[0]):
            c = number[places[r] + offsets[k]]
            if c == NONE or seen[c] == search or seen[c] == DEAD:
                continue
            seen[c] = search
            came_from[c] = <label_t> r
            if row_of[c] == NONE:
                return c
            queue[tail] = row_of[c]
            tail += 1
        until_poll[0] -= offsets.shape[0]
        if until_poll[0] <= 0:
            until_poll[0] = POLL_STEPS
            poll()
    for head in range(1, tail):
        seen[column_of[queue[head]]] = DEAD
    return NONE


cdef int pair_all(
    const Py_ssize_t[::1] places,
    const Py_ssize_t[::1] offsets,
    const label_t[::1] number,
    const label_t[::1] order,
    label_t[::1] column_of,
    label_t[::1] row_of,
    label_t[::1] seen,
    label_t[::1] came_from,
    label_t[::1] queue,
) except -1 nogil:
    cdef Py_ssize_t i, r, c, following, until_poll = POLL_STEPS
    for i in range(order.shape[0]):
        c = free_column(
            places, offsets, number, order[i], <label_t> (i + FIRST_SEARCH),
            column_of, row_of, seen, came_from, queue, &until_poll,
        )
        while c != NONE:
            r = came_from[c]
            following = column_of[r]
            row_of[c] = <label_t> r
            column_of[r] = <label_t> c
            c = following
    return 0


def pair_off(
    const Py_ssize_t[::1] places,
    const Py_ssize_t[::1] offsets,
    const label_t[::1] number,
    const label_t[::1] order,
    label_t[::1] column_of,
    label_t[::1] row_of,
    label_t[::1] seen,
    label_t[::1] came_from,
    label_t[::1] queue,
):
    """Pair rows with columns.

    Pre: `number` is the grid with a border as wide as the offsets reach, and holds
    the number of the column at each pixel or -1; `places` are the rows' pixels in it;
    `order` holds each row at most once; column_of (rows) and row_of (columns) are -1,
    seen (columns) 0; came_from has room for the columns, queue for the rows and one.
    Post: column_of[r] is the column of row r, row_of[c] the row of column c, -1 where
    there is none.  A row of `order` has a column if and only if it and all rows with a
    column before it can have one at the same time; no pairing has more pairs.
    Cost: O(rows * pairs within reach) at worst; near O(rows * offsets) where free
    columns are near.
    Paper: Kuhn (1955), The Hungarian method for the assignment problem, Naval Research
    Logistics Quarterly 2; chains by breadth first as Hopcroft and Karp (1973), An n^(5/2)
    algorithm for maximum matchings in bipartite graphs, SIAM J. Computing 2(4).
    """
    with nogil:
        pair_all(places, offsets, number, order, column_of, row_of, seen, came_from, queue)
