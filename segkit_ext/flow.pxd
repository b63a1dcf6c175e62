"""A flow network on a padded grid, and the largest flow through it.

Every pixel is a node, with arcs to its neighbors, and one from the source or one to
the sink.  Two trees of arcs that still have room grow level by level, one out of the
source, one out of the sink, each breadth first.  Where they touch, a shortest path is
found; flow is sent along it until an arc is full, and the nodes that lose their way to
the root by this are hung up again at the lowest level that has room for them, or let
go.  When the tree of the source cannot grow, no path is left: the flow is the largest,
and the tree is the source's side of the cheapest cut, the smallest one if several are
equally cheap.

Breadth-first levels only ever rise, which bounds the work by a polynomial; searching
for the root, as trees of any form must, is never needed.

    cdef Flow flow
    flow_open(&flow, ...)
    try: ... flow_run(&flow) ... flow.level[p] > 0 ...
    finally: flow_close(&flow)

The arrays belong to the caller.  Position 0 lies on the border.

Cost: O(nodes^2 x arcs) at worst; close to linear on images.
Paper: Goldberg, Hed, Kaplan, Tarjan, Werneck (2011), Maximum flows by incremental
breadth-first search, doi:10.1007/978-3-642-23719-5_39.
"""

from libc.stdint cimport int8_t, int32_t, int64_t

from .fifo cimport Fifo, fifo_close, fifo_length, fifo_open, fifo_peek, fifo_pop, fifo_push
from .interrupt cimport POLL_STEPS, poll

cdef enum:
    FROM_SOURCE = 1      # the two trees; a node's level bears the sign of its tree
    TO_SINK = -1
    ROOT = -1            # parents that are no direction
    ORPHAN = -2
    NOWHERE = 0          # ends a list of positions

cdef struct Flow:
    Py_ssize_t n_nodes
    Py_ssize_t n_directions
    const Py_ssize_t* offsets  # directions d and n_directions - 1 - d are opposite
    int32_t* room              # of the arc from p in direction d: room[p * n_directions + d]
    int32_t* excess            # > 0: what the source can still send; < 0: what the sink takes
    int32_t* level             # 0: in neither tree
    int8_t* parent             # the direction of the next node towards the root
    int64_t* link              # lists of lost nodes by their next level: after p comes link[p],
    int64_t* shelf             # and shelf[level] is the first
    int32_t[2] reach           # the deepest level of each tree, not yet scanned to its end
    Fifo[2] frontier           # the nodes of that level that are still to be scanned
    Fifo ahead                 # the nodes of the level behind it, of the tree that grows
    Fifo path                  # nodes cut off by the last path, the one nearest the root last
    Fifo orphans
    Fifo lost
    int64_t total
    int64_t work

cdef inline void flow_open(
    Flow* flow, Py_ssize_t n_nodes, Py_ssize_t n_directions, const Py_ssize_t* offsets,
    int32_t* room, int32_t* excess, int32_t* level, int8_t* parent, int64_t* link, int64_t* shelf,
) noexcept nogil:
    """Pre: level and shelf are all 0; no arc leads to a node outside the image."""
    flow.n_nodes = n_nodes
    flow.n_directions = n_directions
    flow.offsets = offsets
    flow.room = room
    flow.excess = excess
    flow.level = level
    flow.parent = parent
    flow.link = link
    flow.shelf = shelf
    flow.total = flow.work = 0
    fifo_open(&flow.frontier[0])
    fifo_open(&flow.frontier[1])
    fifo_open(&flow.ahead)
    fifo_open(&flow.path)
    fifo_open(&flow.orphans)
    fifo_open(&flow.lost)

cdef inline void flow_close(Flow* flow) noexcept nogil:
    fifo_close(&flow.frontier[0])
    fifo_close(&flow.frontier[1])
    fifo_close(&flow.ahead)
    fifo_close(&flow.path)
    fifo_close(&flow.orphans)
    fifo_close(&flow.lost)

cdef inline bint is_open(
    const Flow* flow, int side, Py_ssize_t p, Py_ssize_t d, Py_ssize_t q
) noexcept nogil:
    """Return whether a tree can grow from p to q, its neighbor in direction d."""
    if side == FROM_SOURCE:
        return flow.room[p * flow.n_directions + d] > 0
    return flow.room[q * flow.n_directions + flow.n_directions - 1 - d] > 0

cdef inline int count_work(Flow* flow) except -1 nogil:
    flow.work += flow.n_directions
    if flow.work >= POLL_STEPS:
        flow.work = 0
        poll()
    return 0

cdef inline void send_to_neighbors(Flow* flow) noexcept nogil:
    """Send what a node has in excess straight to the neighbors that lack it."""
    cdef Py_ssize_t p, q, d, n = flow.n_directions
    cdef int32_t amount
    for p in range(flow.n_nodes):
        if flow.excess[p] <= 0:
            continue
        for d in range(n):
            if flow.room[p * n + d] == 0:
                continue
            q = p + flow.offsets[d]
            if flow.excess[q] < 0:
                amount = min(min(flow.excess[p], -flow.excess[q]), flow.room[p * n + d])
                flow.room[p * n + d] -= amount
                flow.room[q * n + n - 1 - d] += amount
                flow.excess[p] -= amount
                flow.excess[q] += amount
                flow.total += amount
                if flow.excess[p] == 0:
                    break

cdef inline int flow_run(Flow* flow) except -1 nogil:
    """Send the largest flow; then level > 0 is the smallest source side of a cheapest cut."""
    cdef Py_ssize_t p
    cdef int side
    send_to_neighbors(flow)
    poll()
    for p in range(flow.n_nodes):
        if flow.excess[p] != 0:
            side = FROM_SOURCE if flow.excess[p] > 0 else TO_SINK
            flow.level[p] = side
            flow.parent[p] = ROOT
            fifo_push(&flow.frontier[side == FROM_SOURCE], p)
    flow.reach[0] = flow.reach[1] = 1
    while fifo_length(&flow.frontier[1]):
        # The shallower tree, if it can: choosing by the shorter front took up to 3 x as long.
        side = FROM_SOURCE
        if fifo_length(&flow.frontier[0]) and flow.reach[0] < flow.reach[1]:
            side = TO_SINK
        grow_level(flow, side)
    return 0

cdef inline int grow_level(Flow* flow, int side) except -1 nogil:
    """Scan the deepest level of one tree; what is reached is the next level."""
    cdef Fifo* frontier = &flow.frontier[side == FROM_SOURCE]
    cdef int32_t level = side * flow.reach[side == FROM_SOURCE], other
    cdef Py_ssize_t p, q, d, n = flow.n_directions
    cdef Fifo scanned
    while fifo_length(frontier):
        p = fifo_pop(frontier)
        count_work(flow)
        d = 0
        # A node that was let go, or hung up elsewhere, is no longer at this level.
        while d < n and flow.level[p] == level:
            q = p + flow.offsets[d]
            other = side * flow.level[q]
            if other > 0 or not is_open(flow, side, p, d, q):
                d += 1
            elif other == 0:
                flow.level[q] = level + side
                flow.parent[q] = <int8_t> (n - 1 - d)
                fifo_push(&flow.ahead, q)
                d += 1
            elif side == FROM_SOURCE:
                send_along(flow, p, d, q, side)    # and look at this arc again
            else:
                send_along(flow, q, n - 1 - d, p, side)
    flow.reach[side == FROM_SOURCE] += 1
    scanned = frontier[0]
    frontier[0] = flow.ahead
    flow.ahead = scanned
    return 0

cdef inline int send_along(
    Flow* flow, Py_ssize_t p, Py_ssize_t d, Py_ssize_t q, int growing
) except -1 nogil:
    """Send all that fits along the path through the arc from p, of the source, to q."""
    cdef Py_ssize_t v, u, up, n = flow.n_directions
    cdef int32_t amount = flow.room[p * n + d]
    v = p
    while flow.parent[v] != ROOT:
        up = flow.parent[v]
        v += flow.offsets[up]
        amount = min(amount, flow.room[v * n + n - 1 - up])
    amount = min(amount, flow.excess[v])
    v = q
    while flow.parent[v] != ROOT:
        up = flow.parent[v]
        amount = min(amount, flow.room[v * n + up])
        v += flow.offsets[up]
    amount = min(amount, -flow.excess[v])

    flow.total += amount
    flow.room[p * n + d] -= amount
    flow.room[q * n + n - 1 - d] += amount
    v = p
    while flow.parent[v] != ROOT:
        up = flow.parent[v]
        u = v + flow.offsets[up]
        flow.room[v * n + up] += amount
        flow.room[u * n + n - 1 - up] -= amount
        if flow.room[u * n + n - 1 - up] == 0:
            fifo_push(&flow.path, v)
            flow.parent[v] = ORPHAN
        v = u
    flow.excess[v] -= amount
    if flow.excess[v] == 0:
        fifo_push(&flow.path, v)
        flow.parent[v] = ORPHAN
    if fifo_length(&flow.path):
        adopt(flow, FROM_SOURCE, growing)
    v = q
    while flow.parent[v] != ROOT:
        up = flow.parent[v]
        u = v + flow.offsets[up]
        flow.room[u * n + n - 1 - up] += amount
        flow.room[v * n + up] -= amount
        if flow.room[v * n + up] == 0:
            fifo_push(&flow.path, v)
            flow.parent[v] = ORPHAN
        v = u
    flow.excess[v] += amount
    if flow.excess[v] == 0:
        fifo_push(&flow.path, v)
        flow.parent[v] = ORPHAN
    if fifo_length(&flow.path):
        adopt(flow, TO_SINK, growing)
    return 0

cdef inline int adopt(Flow* flow, int side, int growing) except -1 nogil:
    """Hang up the nodes of a tree that were cut off: at their level, else as low as can be."""
    cdef Py_ssize_t p, q, d, n = flow.n_directions
    cdef int32_t above
    cdef Fifo* path = &flow.path
    while fifo_length(path) or fifo_length(&flow.orphans):
        if fifo_length(&flow.orphans):
            p = fifo_pop(&flow.orphans)
        else:
            path.tail -= 1
            p = path.items[path.tail & (path.room - 1)]
        count_work(flow)
        above = flow.level[p] - side
        d = 0 if above != 0 else n
        while d < n:
            q = p + flow.offsets[d]
            if flow.level[q] == above and flow.parent[q] != ORPHAN and is_open(
                flow, side, q, n - 1 - d, p
            ):
                flow.parent[p] = <int8_t> d
                break
            d += 1
        if d < n:
            continue
        for d in range(n):
            q = p + flow.offsets[d]
            if flow.level[q] == flow.level[p] + side and flow.parent[q] == n - 1 - d:
                flow.parent[q] = ORPHAN
                fifo_push(&flow.orphans, q)
        flow.level[p] = 0
        fifo_push(&flow.lost, p)
    if fifo_length(&flow.lost):
        repair_levels(flow, side, growing)
    return 0

cdef inline int repair_levels(Flow* flow, int side, int growing) except -1 nogil:
    """Give lost nodes the lowest level at which the tree can take them in, if it reaches so far.

    Breadth first: by the levels that the nodes still in the tree offer, and from there on.
    """
    cdef Py_ssize_t p, q, d, n = flow.n_directions
    cdef int32_t reach = flow.reach[side == FROM_SOURCE]
    cdef int32_t limit = reach + (side == growing)
    cdef int32_t level, best, offered, lowest = limit + 1, highest = 0
    while fifo_length(&flow.lost):
        p = fifo_pop(&flow.lost)
        count_work(flow)
        best = limit
        for d in range(n):
            q = p + flow.offsets[d]
            offered = side * flow.level[q]
            if 0 < offered < best and is_open(flow, side, q, n - 1 - d, p):
                best = offered
                flow.parent[p] = <int8_t> d
        if best < limit:
            flow.link[p] = flow.shelf[best + 1]
            flow.shelf[best + 1] = p
            lowest = min(lowest, best + 1)
            highest = max(highest, best + 1)
    level = lowest
    while level <= highest or fifo_length(&flow.orphans):
        p = flow.shelf[level]
        flow.shelf[level] = NOWHERE
        while p != NOWHERE:
            if flow.level[p] == 0:
                flow.level[p] = side * level
                fifo_push(&flow.orphans, p)
            p = flow.link[p]
        while fifo_length(&flow.orphans):
            p = fifo_peek(&flow.orphans, 0)
            if side * flow.level[p] != level:
                break
            fifo_pop(&flow.orphans)
            count_work(flow)
            if level == reach:
                fifo_push(&flow.frontier[side == FROM_SOURCE], p)
            elif level > reach:
                fifo_push(&flow.ahead, p)
            else:
                for d in range(n):
                    q = p + flow.offsets[d]
                    if flow.level[q] == 0 and is_open(flow, side, p, d, q):
                        flow.level[q] = side * (level + 1)
                        flow.parent[q] = <int8_t> (n - 1 - d)
                        fifo_push(&flow.orphans, q)
        level += 1
    return 0
