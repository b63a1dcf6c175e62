"""The Potts model: what a labeling costs, in integers, and the three ways to a cheap one.

Every pixel pays the cost of its class, every pair of neighbors of different class its
weight.  Both are rounded to multiples of one unit, 2**-16 unless they are very large: sums
are then exact, the energy falls or stays but never wavers, the largest flow ends, and
which of two labelings is cheaper does not depend on the platform.
"""

from __future__ import annotations

from itertools import cycle, islice
from math import frexp, ldexp
from typing import NamedTuple

import numpy as np

import segkit_ext.cut as cut_kernel
import segkit_ext.settle as settle_kernel

from . import _grid, _threads

_BLOCK = 1 << 14  # pixels that NumPy works on at once, so that Ctrl-C is heard between
_FINEST = 16  # bits behind the point of a unit
MOST_SWEEPS = 1 << 31  # nobody waits for more
_HIGHEST_BETA = 2.0**15  # beyond, no cost of a pixel counts against an edge
_MOST = 29  # costs and weights at a pixel sum up to less than 2 ** _MOST units


class Field(NamedTuple):
    """A Potts model on a grid without axes of length 1, flat and padded."""

    shape: tuple[int, ...]  # of the grid
    inside: np.ndarray  # bool, (padded,)
    places: np.ndarray  # intp, (n,): where the pixels inside lie
    costs: np.ndarray  # int32, (padded, K)
    weights: np.ndarray  # int32, (padded, half the neighbors): those behind in raster order
    offsets: np.ndarray  # intp, in raster order: opposites at opposite ends
    unit: float  # what one stands for

    @property
    def n_classes(self) -> int:
        """Return the number of classes."""
        return self.costs.shape[1]

    @property
    def n_nodes(self) -> int:
        """Return the number of pixels, border included."""
        return len(self.inside)


def make_field(
    n_classes: int,
    shape: tuple[int, ...],
    inside: np.ndarray | None,
    image: np.ndarray | None = None,
    *,
    beta: float,
    highest: float,
    connectivity: int,
    sigma: float | None = None,
) -> Field:
    """Return the model where no class costs anything yet, and none ever more than `highest`.

    `inside` has the shape of the grid, None is everywhere. `image` has its channels last;
    with it the weight of a pair falls with their contrast.
    """
    shape = tuple(side for side in shape if side != 1) or (1,)
    connectivity = min(connectivity, len(shape))
    steps = _forward_steps(len(shape), connectivity)
    weights = min(beta, _HIGHEST_BETA) / np.sqrt((steps * steps).sum(axis=1))
    bits = min(_MOST - frexp(highest + 2 * float(weights.sum()))[1], _FINEST)
    weights = np.ldexp(weights, bits)
    within = np.ones(shape, dtype=bool) if inside is None else inside.reshape(shape)
    padded = _grid.pad(within).reshape(-1)
    if image is None:
        pairs = np.broadcast_to(np.rint(weights).astype(np.int32), (padded.size, len(steps)))
    else:
        image = image.reshape(*shape, image.shape[-1])
        pairs = _contrast_weights(image, within, steps, weights, sigma)
    offsets = np.sort(_grid.neighbor_offsets(shape, connectivity))
    costs = np.zeros((padded.size, n_classes), dtype=np.int32)
    return Field(shape, padded, np.flatnonzero(padded), costs, pairs, offsets, ldexp(1.0, -bits))


def write_costs(field: Field, block: slice, costs: np.ndarray) -> None:
    """Give a block of the pixels inside its costs (pixels, K)."""
    field.costs[field.places[block]] = np.rint(costs / field.unit)


def cheapest(field: Field) -> np.ndarray:
    """Return the class of lowest cost of each pixel, the lowest of several, flat and padded."""
    labels = np.empty(field.n_nodes, dtype=np.int32)
    for block in _threads.slices(field.n_nodes, _BLOCK):
        labels[block] = field.costs[block].argmin(axis=1)
    return _from_1(field, labels)


def most_probable(field: Field, belief: np.ndarray) -> np.ndarray:
    """Return the most probable class of each pixel, the lowest of several, flat and padded."""
    labels = np.empty(field.n_nodes, dtype=np.int32)
    for block in _threads.slices(field.n_nodes, _BLOCK):
        labels[block] = belief[block].argmax(axis=1)
    return _from_1(field, labels)


def _from_1(field: Field, labels: np.ndarray) -> np.ndarray:
    """Count classes from 1, and make what is outside 0, in place."""
    labels += 1
    labels *= field.inside
    return labels


def energy(field: Field, labels: np.ndarray) -> float:
    """Return the energy of a labeling, flat and padded."""
    total = settle_kernel.add_energy(field.costs, field.weights, field.offsets, labels)
    return total * field.unit


def settle(field: Field, labels: np.ndarray, max_iter: int) -> np.ndarray:
    """Return a labeling that no change of one pixel makes cheaper (ICM)."""
    labels = labels.copy()
    settle_kernel.settle_labels(
        field.costs,
        field.weights,
        field.offsets,
        labels,
        np.ones(field.n_nodes, dtype=np.uint8),
        np.zeros(field.n_classes, dtype=np.int64),
        max_iter,
    )
    return labels


def expand(field: Field, labels: np.ndarray, max_iter: int) -> np.ndarray:
    """Return a labeling that no expansion of one class makes cheaper."""
    n, n_classes = field.n_nodes, field.n_classes
    labels = labels.copy()
    if n_classes == 1:
        return labels
    if n_classes == 2:  # one cut gives the cheapest labeling of all
        labels[field.inside] = 1
        order = iter([2])
    else:
        order = islice(cycle(range(1, n_classes + 1)), n_classes * max_iter)
    room = np.zeros(n * len(field.offsets), dtype=np.int32)
    excess, level = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    parent = np.empty(n, dtype=np.int8)
    link = np.empty(n, dtype=np.int64)
    shelf = np.zeros(n + 3, dtype=np.int64)
    in_vain = 0
    for alpha in order:
        changed = cut_kernel.expand(
            field.costs, field.weights, field.offsets, alpha,
            labels, room, excess, level, parent, link, shelf,
        )  # fmt: skip
        # A class that has just been expanded has nothing to gain from itself.
        in_vain = 1 if changed else in_vain + 1
        if in_vain == n_classes:
            break
    return labels


def settle_means(
    field: Field, max_iter: int, tol: float, belief: np.ndarray | None = None
) -> np.ndarray:
    """Return the mean field, (padded, K): the probabilities of the classes of each pixel.

    It starts from `belief`, in place, or from what the costs alone give.
    """
    if belief is None:
        belief = np.zeros(field.costs.shape)
        for block in _threads.slices(len(field.places), _BLOCK):
            costs = field.costs[field.places[block]]
            part = np.exp(-field.unit * (costs - costs.min(axis=1, keepdims=True)))
            belief[field.places[block]] = part / part.sum(axis=1, keepdims=True)
    settle_kernel.settle_means(
        field.costs,
        field.weights,
        field.offsets,
        field.inside.view(np.uint8),
        field.unit,
        tol,
        max_iter,
        np.empty(field.n_classes),
        belief,
    )
    return belief


def support(field: Field, labels: np.ndarray, block: slice) -> np.ndarray:
    """Return the weights of the neighbors of each class, (K, pixels), for a block of pixels."""
    places = field.places[block]
    total = np.zeros((field.n_classes, len(places)))
    settle_kernel.add_support(field.weights, field.offsets, labels, places, field.unit, total)
    return total


def to_image(field: Field, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return padded flat values, of one or several numbers a pixel, in the image's own shape."""
    padded = values.reshape(*_grid.padded_shape(field.shape), *values.shape[1:])
    inner = padded[(slice(1, -1),) * len(field.shape)]
    return np.ascontiguousarray(inner).reshape(*shape, *values.shape[1:])


def from_image(field: Field, labels: np.ndarray) -> np.ndarray:
    """Return a label image flat and padded, 0 outside."""
    padded = _grid.pad(labels.reshape(field.shape), dtype=np.dtype(np.int32)).reshape(-1)
    padded[~field.inside] = 0
    return padded


def _forward_steps(ndim: int, connectivity: int) -> np.ndarray:
    """Return the steps to the neighbors that come later in raster order, in that order."""
    steps = sorted(_grid.neighbor_steps(ndim, connectivity).tolist())
    return np.array(steps[len(steps) // 2 :], dtype=np.intp).reshape(-1, ndim)


def _contrast_weights(
    image: np.ndarray,
    inside: np.ndarray,
    steps: np.ndarray,
    weights: np.ndarray,
    sigma: float | None,
) -> np.ndarray:
    """Return int32 (padded, steps): weights x exp(-distance^2 / 2 sigma^2), 0 beside the grid.

    Without `sigma`, its square is the mean squared distance of neighbors.
    """
    shape = image.shape[:-1]
    values, half = _centered(image, inside)
    squares, pairs = [], []
    for step in steps:
        here = tuple(slice(max(-s, 0), n - max(s, 0)) for s, n in zip(step, shape, strict=True))
        there = tuple(slice(max(s, 0), n - max(-s, 0)) for s, n in zip(step, shape, strict=True))
        difference = values[there] - values[here]
        squares.append(np.einsum("...c,...c->...", difference, difference))
        pairs.append((here, inside[here] & inside[there]))
    if sigma is None:
        n_pairs = sum(int(np.count_nonzero(both)) for _, both in pairs)
        total = sum(float(d[both].sum()) for d, (_, both) in zip(squares, pairs, strict=True))
        variance = total / max(n_pairs, 1)
    else:
        deviation = 0.5 * sigma / half
        variance = deviation * deviation  # a power would end in an error where it overflows
    padded = np.zeros((*_grid.padded_shape(shape), len(steps)), dtype=np.int32)
    for k, (square, (here, both)) in enumerate(zip(squares, pairs, strict=True)):
        if variance > 0:
            with np.errstate(over="ignore"):
                falloff = np.exp(-0.5 * (square / variance))
        else:
            falloff = (square == 0).astype(np.float64)
        falloff[~both] = 0
        _grid.interior(padded[..., k])[here] = np.rint(weights[k] * falloff)
    return padded.reshape(-1, len(steps))


def _centered(image: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the values in double, moved and scaled into [0, 1], 0 outside, and half the scale.

    64-bit integers are moved before they are rounded; scaling keeps squares finite.
    """
    values = image.astype(image.dtype.newbyteorder("="))
    values[~inside] = 0
    chosen = values[inside]
    if chosen.size == 0:
        return values.astype(np.float64), 0.5
    low, high = chosen.min(), chosen.max()
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        moved = 0.5 * (values.view(np.uint64) - low.view(np.uint64)).astype(np.float64)
        half = 0.5 * float(int(high) - int(low))
    else:  # by halves: the range of doubles may be more than a double holds
        moved = 0.5 * values.astype(np.float64) - 0.5 * float(low)
        half = 0.5 * float(high) - 0.5 * float(low)
    moved[~inside] = 0
    return moved / (half or 1.0), half or 0.5
