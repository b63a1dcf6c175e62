"""Graph cuts on a padded grid: the largest flow, and one expansion of a class.

An expansion asks every pixel at once whether it changes to one class, `alpha`, or
stays.  For the Potts model the cheapest answer to all these questions is the cheapest
cut of a network: a pixel on the source's side changes.  Of equally cheap answers the one
that changes the fewest pixels is taken, so that a change is always a gain.
"""

from libc.stdint cimport int8_t, int32_t, int64_t

from .flow cimport Flow, flow_close, flow_open, flow_run
from .interrupt cimport POLL_STEPS, poll


def cut_grid(
    const Py_ssize_t[::1] offsets, int32_t[::1] room, int32_t[::1] excess, int32_t[::1] level,
    int8_t[::1] parent, int64_t[::1] link, int64_t[::1] shelf,
):
    """Send the largest flow; return it.

    Pre: offsets[d] = -offsets[-1 - d]; room[p * len(offsets) + d] >= 0 is the capacity from
         p to p + offsets[d], 0 where one of them is outside; excess[p] is the capacity
         from the source, or less than 0, to the sink; level and shelf all 0, shelf
         one longer than level. Sums of capacities at a node are below 2**31.
    Post: room and excess are what is left; level > 0 exactly on the source's side of the
          cheapest cut, of several the smallest side.
    Cost, Paper: see ``flow.pxd``.
    """
    cdef int64_t total
    with nogil:
        total = run(offsets, room, excess, level, parent, link, shelf)
    return total


cdef int64_t run(
    const Py_ssize_t[::1] offsets, int32_t[::1] room, int32_t[::1] excess, int32_t[::1] level,
    int8_t[::1] parent, int64_t[::1] link, int64_t[::1] shelf,
) except -1 nogil:
    cdef Flow flow
    flow_open(
        &flow, level.shape[0], offsets.shape[0], &offsets[0], &room[0], &excess[0], &level[0],
        &parent[0], &link[0], &shelf[0],
    )
    try:
        flow_run(&flow)
    finally:
        flow_close(&flow)
    return flow.total


def expand(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    int32_t alpha, int32_t[::1] labels, int32_t[::1] room, int32_t[::1] excess,
    int32_t[::1] level, int8_t[::1] parent, int64_t[::1] link, int64_t[::1] shelf,
):
    """Change to the class `alpha` the pixels for which that is cheapest; return how many.

    Pre: arrays padded; labels 1..K, 0 outside; costs[p, k - 1] of class k; weights[p, h] of the
         pair of p and p + offsets[n // 2 + h]; room all 0 at pixels outside; shelf all 0; sums
         of costs and weights at a pixel are below 2**30.
    Post: no other choice of pixels to change is cheaper, and none as cheap changes fewer.
          The energy is lower than before if any pixel has changed. shelf all 0.
    Cost: one largest flow, see ``flow.pxd``.
    Paper: Boykov, Veksler, Zabih (2001), Fast approximate energy minimization via graph
    cuts, doi:10.1109/34.969114; the network as in Kolmogorov, Zabih (2004),
    doi:10.1109/TPAMI.2004.1262177.
    """
    cdef int64_t n
    with nogil:
        ask(costs, weights, offsets, alpha, labels, room, excess)
        level[:] = 0
        run(offsets, room, excess, level, parent, link, shelf)
        n = answer(alpha, labels, level)
    return n


cdef int ask(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    int32_t alpha, int32_t[::1] labels, int32_t[::1] room, int32_t[::1] excess,
) except -1 nogil:
    """Write the network whose cheapest cut is the cheapest expansion of `alpha`."""
    cdef Py_ssize_t p, q, h, d, n = offsets.shape[0], half = offsets.shape[0] // 2
    cdef Py_ssize_t until_poll = POLL_STEPS
    cdef int32_t mine, other, weight, ahead, back
    excess[:] = 0
    for p in range(labels.shape[0]):
        mine = labels[p]
        if mine == 0:
            continue
        if mine != alpha:
            excess[p] += costs[p, mine - 1] - costs[p, alpha - 1]
        for h in range(half):
            d = half + h
            q = p + offsets[d]
            other = labels[q]
            if other == 0:
                continue
            weight = weights[p, h]
            ahead = back = 0
            if mine == alpha:
                if other != alpha:     # q pays for its edge if it stays
                    excess[q] += weight
            elif other == alpha:
                excess[p] += weight
            elif mine == other:        # an edge if one changes alone
                ahead = back = weight
            else:                      # an edge unless both change: p pays if it stays, else q
                excess[p] += weight
                ahead = weight
            room[p * n + d] = ahead
            room[q * n + n - 1 - d] = back
        until_poll -= n
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
    return 0


cdef int64_t answer(
    int32_t alpha, int32_t[::1] labels, const int32_t[::1] level
) except -1 nogil:
    cdef Py_ssize_t p
    cdef int64_t n = 0
    for p in range(labels.shape[0]):
        if level[p] > 0:
            labels[p] = alpha
            n += 1
    return n
