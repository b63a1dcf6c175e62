"""The largest flow and the cheapest cut of any network: segkit_ext/cut.pyx.

A network is a dictionary {(u, v): capacity} with whole-number capacities between any two
names.  As long as some path from the source to the sink has room on all its arcs, send
along the shortest of them as much as fits.  What flows along an arc can be sent back:
that makes room on the opposite arc.
"""

from collections import defaultdict, deque
from itertools import pairwise


def max_flow(capacities, source, sink):
    """Return the largest flow, and the nodes that the source still reaches after it.

    These are the smallest of all source sides that a cheapest cut can have.
    """
    room = defaultdict(int)
    neighbors = defaultdict(list)
    for (u, v), capacity in capacities.items():
        room[u, v] += capacity
        neighbors[u].append(v)
        neighbors[v].append(u)
    flow = 0
    while True:
        before = reached_from(source, room, neighbors)
        if sink not in before:
            return flow, set(before)
        path = [sink]
        while path[-1] != source:
            path.append(before[path[-1]])
        path.reverse()
        arcs = list(pairwise(path))
        amount = min(room[arc] for arc in arcs)
        for u, v in arcs:
            room[u, v] -= amount
            room[v, u] += amount
        flow += amount


def reached_from(source, room, neighbors):
    """Return {node: the node before it} for all that can be reached through arcs with room."""
    before = {source: None}
    queue = deque([source])
    while queue:
        u = queue.popleft()
        for v in neighbors[u]:
            if room[u, v] > 0 and v not in before:
                before[v] = u
                queue.append(v)
    return before
