"""Greedy merging of the regions of a graph: the cheapest edge first.

Every edge is owned by the younger of its two regions (the higher number; merged
regions get new numbers), and the heap holds one entry per region: the cheapest
edge that it owns.  When two regions merge, the new one is the youngest, so it
owns all its edges and looks for the cheapest once.  Nothing is done for its
neighbors: they have lost an edge, so their entry can only be too low.  Such an
entry is found out when it comes to the top, and the region looks again.

The edges of a region are a chain of blocks, one from each of the regions that
it was made of, filled up from the front whenever the region is merged; blocks
at the end that are no longer needed are dropped.  So two lists are joined by
one link, and no memory is asked for.
"""

from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t

from .criteria cimport CONTACT, FACES, TOTAL, add_region, merging_cost
from .heap cimport (
    Entry,
    Heap,
    heap_close,
    heap_first,
    heap_open,
    heap_pop,
    heap_push_ranked,
    heap_replace,
)
from .interrupt cimport POLL_STEPS, poll

cdef enum:
    GONE = -1       # the number of a region that was merged into another
    DEAD = 0        # in place of the ends of an edge that was merged into another
    NONE = -1       # no block, no edge
    NUMBER = 0      # columns of the state of a region: its number,
    MARK = 1        # the number of the region that met it last,
    MARKED = 2      # along which edge,
    FILL = 3        # how many edges stand in its block,
    FOLLOWING = 4   # the next block of the chain,
    TAIL = 5        # the last block
    COLUMNS = 6


def n_columns():
    """Return the number of columns that `state` must have."""
    return COLUMNS


cdef struct Choice:
    double cost
    int64_t other   # the number of the region at the other end
    int64_t edge


cdef int make_lists(
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    int32_t[::1] ends,
    Py_ssize_t[::1] start,
    int32_t[::1] items,
    int32_t[:, ::1] state,
) except -1 nogil:
    """Lay out one block of edges for each region."""
    cdef Py_ssize_t e, r, n = state.shape[0], m = u.shape[0], total = 0
    for r in range(n):
        state[r, NUMBER] = <int32_t> r
        state[r, MARK] = -1
        state[r, FILL] = 0
        state[r, FOLLOWING] = NONE
        state[r, TAIL] = <int32_t> r
    for e in range(m):
        ends[e] = <int32_t> (u[e] ^ v[e])
        state[u[e], FILL] += 1
        state[v[e], FILL] += 1
    for r in range(n):
        start[r] = total
        total += state[r, FILL]
        state[r, FILL] = 0
    start[n] = total
    for e in range(m):
        items[start[u[e]] + state[u[e], FILL]] = <int32_t> e
        state[u[e], FILL] += 1
        items[start[v[e]] + state[v[e], FILL]] = <int32_t> e
        state[v[e], FILL] += 1
    return 0


cdef inline Choice cheapest(
    Py_ssize_t region,
    bint owned,
    const int32_t[::1] ends,
    const Py_ssize_t[::1] start,
    const int32_t[::1] items,
    const int32_t[:, ::1] state,
    const double[::1] costs,
    Py_ssize_t* work,
) noexcept nogil:
    """Return the cheapest edge of a region, of those it owns or of all, ties to the oldest."""
    cdef Choice best
    cdef Py_ssize_t block = region, i
    cdef int32_t e
    cdef int64_t other
    best.cost = INFINITY
    best.other = best.edge = NONE
    while block != NONE:
        for i in range(start[block], start[block] + state[block, FILL]):
            e = items[i]
            if ends[e] == DEAD:
                continue
            other = state[ends[e] ^ <int32_t> region, NUMBER]
            if owned and other > state[region, NUMBER]:
                continue
            if best.edge == NONE or costs[e] < best.cost or (
                costs[e] == best.cost and other < best.other
            ):
                best.cost = costs[e]
                best.other = other
                best.edge = e
        work[0] += state[block, FILL] + 1
        block = state[block, FOLLOWING]
    return best


cdef inline Py_ssize_t gather(
    Py_ssize_t region,
    Py_ssize_t into,
    Py_ssize_t partner,
    int32_t number,
    Py_ssize_t n_kept,
    int32_t[::1] ends,
    const Py_ssize_t[::1] start,
    const int32_t[::1] items,
    int32_t[:, ::1] state,
    double[:, ::1] borders,
    int32_t[::1] kept,
    int32_t[::1] others,
) noexcept nogil:
    """Append the edges of `region` to `kept`, as edges of `into`; return how many there are.

    Edges to `partner` die; two edges to the same neighbor become one.
    """
    cdef Py_ssize_t block = region, i
    cdef int32_t e, other, first
    cdef bint weighed = borders.shape[0] > 0
    while block != NONE:
        for i in range(start[block], start[block] + state[block, FILL]):
            e = items[i]
            if ends[e] == DEAD:
                continue
            other = ends[e] ^ <int32_t> region
            if other == partner:
                ends[e] = DEAD
            elif state[other, MARK] == number:
                first = state[other, MARKED]
                ends[e] = DEAD
                if weighed:
                    borders[first, CONTACT] += borders[e, CONTACT]
                    borders[first, TOTAL] += borders[e, TOTAL]
                    borders[first, FACES] += borders[e, FACES]
            else:
                state[other, MARK] = number
                state[other, MARKED] = e
                ends[e] = other ^ <int32_t> into
                kept[n_kept] = e
                others[n_kept] = other
                n_kept += 1
        block = state[block, FOLLOWING]
    return n_kept


cdef inline void write_back(
    Py_ssize_t region,
    Py_ssize_t n_kept,
    const Py_ssize_t[::1] start,
    int32_t[::1] items,
    int32_t[:, ::1] state,
    const int32_t[::1] kept,
) noexcept nogil:
    """Fill the blocks of a chain from the front, and drop those that stay empty."""
    cdef Py_ssize_t block = region, i = 0, k, length
    while True:
        length = min(start[block + 1] - start[block], n_kept - i)
        for k in range(length):
            items[start[block] + k] = kept[i + k]
        state[block, FILL] = <int32_t> length
        i += length
        if i == n_kept:
            break
        block = state[block, FOLLOWING]
    state[block, FOLLOWING] = NONE
    state[region, TAIL] = <int32_t> block


cdef inline Choice join(
    Py_ssize_t one,
    Py_ssize_t two,
    int32_t number,
    Py_ssize_t edge,
    int criterion,
    Py_ssize_t n_channels,
    const double[::1] options,
    double[:, ::1] rows,
    double[:, ::1] borders,
    int64_t[::1] sizes,
    int32_t[::1] ends,
    const Py_ssize_t[::1] start,
    int32_t[::1] items,
    int32_t[:, ::1] state,
    double[::1] costs,
    int32_t[::1] kept,
    int32_t[::1] others,
    Py_ssize_t* work,
) noexcept nogil:
    """Merge region `two` into `one`, which gets a new number; return its cheapest edge."""
    cdef Choice best
    cdef Py_ssize_t n_kept, i
    cdef int32_t e
    cdef int64_t other
    cdef double cost, faces = 0.0
    if borders.shape[0] > 0:
        faces = borders[edge, FACES]
    n_kept = gather(
        one, one, two, number, 0, ends, start, items, state, borders, kept, others
    )
    n_kept = gather(
        two, one, one, number, n_kept, ends, start, items, state, borders, kept, others
    )
    state[state[one, TAIL], FOLLOWING] = <int32_t> two
    write_back(one, n_kept, start, items, state, kept)
    add_region(criterion, n_channels, rows, one, two, faces)
    sizes[one] += sizes[two]
    state[one, NUMBER] = number
    state[two, NUMBER] = GONE
    best.cost = INFINITY
    best.other = best.edge = NONE
    for i in range(n_kept):
        e = kept[i]
        other = state[others[i], NUMBER]
        cost = merging_cost(
            criterion, n_channels, options, rows, one, others[i], borders, e
        )
        costs[e] = cost
        if best.edge == NONE or cost < best.cost or (cost == best.cost and other < best.other):
            best.cost = cost
            best.other = other
            best.edge = e
    work[0] += 4 * n_kept + 8
    return best


cdef inline int64_t rank_of(int64_t one, int64_t two) noexcept nogil:
    """Return the rank of a pair of numbers: the lower first.  Pre: both below 2**31."""
    return (min(one, two) << 32) | max(one, two)


cdef Py_ssize_t merge_cheapest(
    Heap* heap,
    Py_ssize_t n_merged,
    double limit,
    Py_ssize_t most,
    int criterion,
    Py_ssize_t n_channels,
    const double[::1] options,
    double[:, ::1] rows,
    double[:, ::1] borders,
    int64_t[::1] sizes,
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    int32_t[::1] ends,
    const Py_ssize_t[::1] start,
    int32_t[::1] items,
    int32_t[:, ::1] state,
    double[::1] costs,
    int32_t[::1] kept,
    int32_t[::1] others,
    Py_ssize_t[::1] parent,
    double[::1] level,
) except -1 nogil:
    cdef Py_ssize_t n = state.shape[0], m = u.shape[0], e, r, one, two, work = 0
    cdef double highest = 0.0
    cdef Entry entry
    cdef Choice best
    # Edges are sorted, and each is owned by v: the cheapest of each region in one pass.
    for r in range(n):
        kept[r] = NONE
    for e in range(m):
        r = v[e]
        if kept[r] == NONE or costs[e] < costs[kept[r]]:
            kept[r] = <int32_t> e
    for r in range(n):
        if kept[r] != NONE and costs[kept[r]] <= limit:
            heap_push_ranked(heap, costs[kept[r]], rank_of(u[kept[r]], r), r, kept[r])
    while heap.length and n_merged < most:
        entry = heap_first(heap)[0]
        one = <Py_ssize_t> entry.item
        if state[one, NUMBER] != (entry.age & <int64_t> 0x7FFFFFFF):
            heap_pop(heap)      # of a region that is part of another by now
            continue
        e = <Py_ssize_t> entry.source
        two = ends[e] ^ one
        if ends[e] == DEAD or state[two, NUMBER] > state[one, NUMBER]:
            # The edge has another owner, or is part of one: look again.
            best = cheapest(one, True, ends, start, items, state, costs, &work)
        else:
            if entry.key > highest:
                highest = entry.key
            parent[state[one, NUMBER]] = parent[state[two, NUMBER]] = n + n_merged
            level[n + n_merged] = highest
            best = join(
                one, two, <int32_t> (n + n_merged), e, criterion, n_channels, options, rows,
                borders, sizes, ends, start, items, state, costs, kept, others, &work,
            )
            n_merged += 1
        if best.edge == NONE or best.cost > limit:
            heap_pop(heap)
        else:
            heap_replace(
                heap, best.cost, rank_of(best.other, state[one, NUMBER]), one, best.edge
            )
        if work >= POLL_STEPS:
            work = 0
            poll()
    return n_merged


cdef Py_ssize_t merge_small(
    Heap* heap,
    Py_ssize_t n_merged,
    int64_t min_size,
    int criterion,
    Py_ssize_t n_channels,
    const double[::1] options,
    double[:, ::1] rows,
    double[:, ::1] borders,
    int64_t[::1] sizes,
    int32_t[::1] ends,
    const Py_ssize_t[::1] start,
    int32_t[::1] items,
    int32_t[:, ::1] state,
    double[::1] costs,
    int32_t[::1] kept,
    int32_t[::1] others,
    Py_ssize_t[::1] parent,
) except -1 nogil:
    cdef Py_ssize_t n = state.shape[0], one, two, work = 0
    cdef Entry entry
    cdef Choice best
    for one in range(n):
        if state[one, NUMBER] != GONE and sizes[one] < min_size:
            heap_push_ranked(heap, <double> sizes[one], state[one, NUMBER], one, 0)
    while heap.length:
        entry = heap_pop(heap)
        one = <Py_ssize_t> entry.item
        if state[one, NUMBER] != entry.age:
            continue            # merged in the meantime
        best = cheapest(one, False, ends, start, items, state, costs, &work)
        if best.edge == NONE:
            continue
        two = ends[best.edge] ^ one
        parent[state[one, NUMBER]] = parent[state[two, NUMBER]] = n + n_merged
        join(
            one, two, <int32_t> (n + n_merged), best.edge, criterion, n_channels, options, rows,
            borders, sizes, ends, start, items, state, costs, kept, others, &work,
        )
        n_merged += 1
        if sizes[one] < min_size:
            heap_push_ranked(heap, <double> sizes[one], state[one, NUMBER], one, 0)
        if work >= POLL_STEPS:
            work = 0
            poll()
    return n_merged


def merge(
    double limit,
    Py_ssize_t most,
    int64_t min_size,
    int criterion,
    Py_ssize_t n_channels,
    const double[::1] options,
    double[:, ::1] rows,
    double[:, ::1] borders,
    int64_t[::1] sizes,
    const Py_ssize_t[::1] u,
    const Py_ssize_t[::1] v,
    double[::1] costs,
    int32_t[::1] ends,
    Py_ssize_t[::1] start,
    int32_t[::1] items,
    int32_t[:, ::1] state,
    int32_t[::1] kept,
    int32_t[::1] others,
    Py_ssize_t[::1] parent,
    double[::1] level,
):
    """Merge the cheapest pair again and again; return how many merges that were.

    First all pairs that cost at most `limit`, cheapest first, ties to the lowest
    numbers, but no more than `most`; then regions smaller than `min_size`,
    smallest first, each with its cheapest neighbor.

    Pre: n < 2**30 regions and m edges u < v, sorted by u, then v; their costs,
    rows and borders as in `criteria.pxd` (borders empty where the criterion uses
    none); ends (m,), start (n + 1,), items (2 m,), state (n, n_columns()), kept
    and others (n,) are workspace; parent and level (2 n - 1,) are 0 .. 2 n - 2 and 0.
    Post: the k-th merge made the region n + k: parent of its two parts; level,
    never below that of the merge before (not for small regions).  rows, borders,
    sizes and costs are used up.
    Cost: O((n + m) log n) where regions have few neighbors; a merge takes time in
    proportion to the neighbors of its two regions.
    Paper: Kurita (1991), An efficient agglomerative clustering algorithm using a
    heap; here with one entry per region instead of one per pair.
    """
    cdef Py_ssize_t n_merged = 0
    cdef Heap heap
    with nogil:
        heap_open(&heap)
        try:
            make_lists(u, v, ends, start, items, state)
            n_merged = merge_cheapest(
                &heap, n_merged, limit, most, criterion, n_channels, options, rows, borders,
                sizes, u, v, ends, start, items, state, costs, kept, others, parent, level,
            )
            heap.length = 0
            if min_size > 1:
                n_merged = merge_small(
                    &heap, n_merged, min_size, criterion, n_channels, options, rows, borders,
                    sizes, ends, start, items, state, costs, kept, others, parent,
                )
        finally:
            heap_close(&heap)
    return n_merged
