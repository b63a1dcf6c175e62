"""The hierarchy of basins: which lakes run together, and how large the smaller one was.

Water rises from all minima.  At the lowest pass between two basins their lakes
become one; later passes between the same lakes add nothing.  The passes that
count form a tree over the basins, and each is worth as much as the smaller of
the two lakes was when they met: its depth, its area or its volume.  Joining
basins in the order of this worth is the hierarchical watershed.
"""

from __future__ import annotations

import numpy as np

from segkit_ext.basins import build_tree, join_lakes

from . import _dtypes, _edges, _levels
from .measuring import _value_sums

ATTRIBUTES = ("depth", "area", "volume")


def hierarchy(
    labels: np.ndarray, heights: np.ndarray, attribute: str, connectivity: int
) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the number of merges, parent (2n - 1,) and level (2n - 1,) of basins 1 .. n."""
    n = int(labels.max(initial=0))
    parent = np.arange(max(2 * n - 1, 0), dtype=np.intp)
    level = np.zeros(parent.size)
    if n < 2:
        return 0, parent, level
    if heights.dtype.kind == "f":
        heights = np.where(labels > 0, heights, heights.dtype.type(0))  # no NaN beyond this line
    basins = labels.astype(np.int32, copy=False)
    one, two, columns = _edges.touching(basins, n + 1, connectivity, heights, lowest=True)
    passes, bottom = columns["lowest"], _value_sums(basins, heights[..., np.newaxis], n + 1).low
    bottom = bottom[1:, 0]
    sequence = np.lexsort((two, one, passes))
    u, v, passes = one[sequence] - 1, two[sequence] - 1, passes[sequence]
    rank = np.unique(bottom, return_inverse=True)[1].reshape(-1).astype(np.intp)
    above, order = np.zeros(0), np.zeros(0, dtype=labels.dtype)
    level_of = np.zeros(passes.size)
    if attribute != "depth":
        base = _base(bottom)
        above, level_of = _above(heights, base).ravel(), _above(passes, base)
        order = _levels.order(above)
        order = order[labels.ravel()[order] > 0].astype(labels.dtype)
    edge, shallow = np.empty(n - 1, dtype=np.intp), np.empty(n - 1, dtype=np.intp)
    worth, count, total = np.empty(n - 1), np.zeros(n), np.zeros(n)
    found = join_lakes(
        ATTRIBUTES.index(attribute), u, v, level_of, labels.ravel(), above, order,
        np.arange(n), rank, count, total, np.arange(n), edge, shallow, worth,
    )  # fmt: skip
    edge, worth = edge[:found], worth[:found]
    if attribute == "depth":
        worth = _differences(passes[edge], bottom[shallow[:found]])
    sequence = np.argsort(worth, kind="stable")
    edge = edge[sequence]
    build_tree(u[edge], v[edge], np.arange(n), np.arange(n), parent)
    level[n : n + found] = worth[sequence]
    return found, parent, level


def _base(bottom: np.ndarray) -> np.generic:
    """Return the lowest of the minima, but a finite one, 0 where there is none."""
    finite = bottom[np.isfinite(bottom)] if bottom.dtype.kind == "f" else bottom
    return finite.min() if finite.size else bottom.dtype.type(0)


def _above(values: np.ndarray, base: np.generic) -> np.ndarray:
    """Return how far values lie above a finite one, in double."""
    return _differences(values, np.broadcast_to(base, values.shape))


def _differences(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Return high - low >= 0 in double, rounded once; infinities that are equal give 0."""
    if high.dtype.kind == "f":
        high, low = high.astype(np.float64), low.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(high == low, 0.0, high - low)
    high = _dtypes.kernel_values(high).astype(np.int64).view(np.uint64)
    low = _dtypes.kernel_values(low).astype(np.int64).view(np.uint64)
    return (high - low).astype(np.float64)
