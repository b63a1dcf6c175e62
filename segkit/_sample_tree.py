"""A tree over the samples of a nearest-neighbor classifier.

All samples are halved along the axis on which they spread the most, the halves
again, until what is left are leaves of a few dozen.  Halving is by number, not by
value: equal samples may stand on both sides, and any number of them ends.  Every
level has its parts side by side in one array, so it is halved by a few calls of
NumPy; the search is in ``segkit_ext/nearest_samples.pyx``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segkit_ext.nearest_samples import fan, lanes, leaf, nearest_samples

_FAN, _LANES, _LEAF = fan(), lanes(), leaf()
_POOL = 512
_RECENT = 1 << 14  # pixels that are remembered


class SampleTree(NamedTuple):
    """Samples in the order of the search, and the boxes around them; see the kernel."""

    boxes: np.ndarray
    first: np.ndarray
    places: np.ndarray
    owner: np.ndarray
    n_classes: int

    @property
    def dtype(self) -> np.dtype:
        """The type in which it is searched: that of pixels, too."""
        return self.places.dtype

    def holding(self, dtype: np.dtype) -> SampleTree:
        """Return this tree in a type that holds numbers of another one, too."""
        wider = np.result_type(self.dtype, dtype)
        if wider == self.dtype:
            return self
        return self._replace(boxes=self.boxes.astype(wider), places=self.places.astype(wider))


def grow(samples: np.ndarray, owner: np.ndarray, n_classes: int) -> SampleTree:
    """Return the tree of samples (n, features), float32 or float64 and finite, n >= 1."""
    n, n_features = samples.shape
    n_leaves = 1 << max(0, -(-n // _LEAF) - 1).bit_length()
    n_places = _LANES * -(-n // (n_leaves * _LANES))
    # Places without a sample are infinitely far along every axis
    whole = np.full((n_features, n_leaves * n_places), np.inf, dtype=samples.dtype)
    whole[:, :n] = samples.T
    order = np.arange(n_leaves * n_places).reshape(1, -1)
    while len(order) < n_leaves:
        order = _halve(whole, order)
    places = np.ascontiguousarray(whole[:, order].swapaxes(0, 1))
    owners = np.full(n_leaves * n_places, -1, dtype=np.int32)
    owners[:n] = owner
    return SampleTree(*_boxes(places), places, owners[order].ravel(), n_classes)


def _halve(whole: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the parts in `order`, its rows, each halved along its longest side."""
    middle = order.shape[1] // 2
    longest = np.full(len(order), -np.inf)
    along = np.zeros(len(order), dtype=np.intp)
    with np.errstate(over="ignore"):  # a side may be longer than any float
        for axis, values in enumerate(whole):
            inside = values[order]
            low = inside.min(axis=1)
            side = np.where(np.isfinite(inside), inside, -np.inf).max(axis=1) - low
            along[side > longest] = axis
            longest = np.maximum(side, longest)
    halved = np.argpartition(whole[along[:, np.newaxis], order], middle, axis=1)
    return np.take_along_axis(order, halved, axis=1).reshape(-1, middle)


def _boxes(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes of all children, level by level from the root, and where levels start."""
    low = places.min(axis=2)
    high = np.where(np.isfinite(places), places, -np.inf).max(axis=2)
    levels = []
    while True:
        n_children = len(low)
        n_nodes = -(-n_children // _FAN)
        low, high = (
            _filled(part, n_nodes, fill) for part, fill in ((low, np.inf), (high, -np.inf))
        )
        levels.append(np.stack([low, high], axis=1).swapaxes(2, 3))
        low, high = low.min(axis=1), high.max(axis=1)
        if n_nodes == 1:
            break
    levels.reverse()
    first = np.cumsum([0] + [len(level) for level in levels])
    first[-1] = n_children
    return np.ascontiguousarray(np.concatenate(levels)), first.astype(np.intp)


def _filled(part: np.ndarray, n_nodes: int, fill: float) -> np.ndarray:
    """Return rows as (nodes, children, features), `fill` where the root has no child."""
    whole = np.full((n_nodes * _FAN, part.shape[1]), fill, dtype=part.dtype)
    whole[: len(part)] = part
    return whole.reshape(n_nodes, _FAN, -1)


def vote(
    tree: SampleTree, pixels: np.ndarray, n_neighbors: int, *, by_distance: bool, shares: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each pixel (n,), and the share of each in the votes (n, classes).

    The shares have no rows unless `shares`.
    """
    n = len(pixels)
    winner = np.empty(n, dtype=np.int32)
    proba = np.empty((n if shares else 0, tree.n_classes), dtype=np.float32)
    nearest_samples(
        pixels,
        pixels.view(np.uint32),
        tree.boxes,
        tree.first,
        tree.places,
        tree.owner,
        by_distance,
        np.empty(n_neighbors, dtype=pixels.dtype),
        np.empty(n_neighbors + _POOL, dtype=pixels.dtype),
        np.empty(n_neighbors + _POOL, dtype=np.intp),
        np.empty(n_neighbors),
        np.empty(n_neighbors, dtype=np.int32),
        np.empty(n_neighbors, dtype=np.intp),
        np.zeros(tree.n_classes),
        np.full(_RECENT, 2**32 - 1, dtype=np.uint64),
        winner,
        proba,
    )
    return winner, proba
