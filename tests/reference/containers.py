"""The plain union-find, for segkit_ext/containers.pyx.

Its queues need no plain version: a deque, a heapq and a dict of deques are theirs.
"""


def plain_roots(n, pairs):
    """Return the smallest member of each node's set, by relabeling all members each time."""
    root = list(range(n))
    for u, v in pairs:
        low, high = sorted((root[u], root[v]))
        root = [low if r == high else r for r in root]
    return root
