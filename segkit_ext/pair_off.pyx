"""Pairing rows with columns one to one: as many pairs as can be.

Rows come in the order given.  Each takes a free column if it has one; else the
nearest free column is looked for along chains: a column taken by another row,
which could take another column instead, and so on.  If there is one, every row of
the chain moves on by one.  A row that has a column never loses it, only
exchanges it, so the order of the rows decides which of them end with one, and
nothing else does.  Columns met by a search that failed can be on no chain to a
free one ever after, and are left out of later searches.
"""

from libc.stdint cimport int32_t

from .interrupt cimport POLL_STEPS, poll

cdef enum:
    NONE = -1
    FIRST_SEARCH = 1   # `seen` holds the number of the last search that met a column
    DEAD = -1          # or this


cdef Py_ssize_t free_column(
    const Py_ssize_t[::1] starts,
    const int32_t[::1] columns,
    Py_ssize_t row,
    int32_t search,
    const int32_t[::1] column_of,
    const int32_t[::1] row_of,
    int32_t[::1] seen,
    int32_t[::1] came_from,
    int32_t[::1] queue,
    Py_ssize_t* until_poll,
) except -2 nogil:
    """Return the first free column by breadth, or NONE; `came_from` leads back to `row`."""
    cdef Py_ssize_t head = 0, tail = 1, r, e, c
    queue[0] = <int32_t> row
    while head < tail:
        r = queue[head]
        head += 1
        for e in range(starts[r], starts[r + 1]):
            c = columns[e]
            if seen[c] == search or seen[c] == DEAD:
                continue
            seen[c] = search
            came_from[c] = <int32_t> r
            if row_of[c] == NONE:
                return c
            queue[tail] = row_of[c]
            tail += 1
        until_poll[0] -= 1 + starts[r + 1] - starts[r]
        if until_poll[0] <= 0:
            until_poll[0] = POLL_STEPS
            poll()
    for head in range(1, tail):
        seen[column_of[queue[head]]] = DEAD
    return NONE


cdef int pair_all(
    const Py_ssize_t[::1] starts,
    const int32_t[::1] columns,
    const int32_t[::1] order,
    int32_t[::1] column_of,
    int32_t[::1] row_of,
    int32_t[::1] seen,
    int32_t[::1] came_from,
    int32_t[::1] queue,
) except -1 nogil:
    cdef Py_ssize_t k, row, r, c, following, until_poll = POLL_STEPS
    for k in range(order.shape[0]):
        row = order[k]
        c = free_column(
            starts, columns, row, <int32_t> (k + FIRST_SEARCH),
            column_of, row_of, seen, came_from, queue, &until_poll,
        )
        while c != NONE:
            r = came_from[c]
            following = column_of[r]
            row_of[c] = <int32_t> r
            column_of[r] = <int32_t> c
            c = following
    return 0


def pair_off(
    const Py_ssize_t[::1] starts,
    const int32_t[::1] columns,
    const int32_t[::1] order,
    int32_t[::1] column_of,
    int32_t[::1] row_of,
    int32_t[::1] seen,
    int32_t[::1] came_from,
    int32_t[::1] queue,
):
    """Pair rows with columns.

    Pre: the columns that row r may take are columns[starts[r]:starts[r + 1]];
    `order` holds each row at most once; column_of (rows) and row_of (columns)
    are -1, seen (columns) 0; came_from has room for the columns, queue for the rows.
    Post: column_of[r] is the column of row r, row_of[c] the row of column c, -1 where
    there is none.  A row has a column if and only if it and all rows with a column
    before it in `order` can have one at the same time; no pairing has more pairs.
    Cost: O(rows * pairs) at worst; near O(pairs) where free columns are near.
    Paper: Kuhn (1955), The Hungarian method for the assignment problem, Naval Research
    Logistics Quarterly 2; chains by breadth first as Hopcroft and Karp (1973), An n^(5/2)
    algorithm for maximum matchings in bipartite graphs, SIAM J. Computing 2(4).
    """
    with nogil:
        pair_all(starts, columns, order, column_of, row_of, seen, came_from, queue)
