"""Lloyd's iteration: points to the nearest center, centers to the means of their points.

Equal values are counted once: a one-channel image of 8 or 16 bits has few, and so has
most often one of three channels of 8 bits.  The rest is sorted into the cells of a grid,
where those deep inside a cluster are dealt with together.  Neither changes the outcome.

Sums are those of fixed blocks, added in a fixed order: any number of threads gives the
same centers.  For integers of 8 and 16 bits, sums are exact besides.
"""

from __future__ import annotations

import sys
import warnings
from math import log, log2
from typing import NamedTuple

import numpy as np

from segkit_ext.assign import add_to_nearest, box_shape, label_nearest, plane_shape
from segkit_ext.cells import (
    count_cells,
    count_colors,
    list_colors,
    page_sizes,
    sort_cells,
    sum_cells,
)

from . import _check, _dtypes, _threads

_SAMPLE = 1 << 15  # points that starts are drawn from
_PER_CELL = 64
_FEW = 1024  # points that are not worth counting
_PAGES = 1 << 14  # of colors, 32 MB
_MOST_BITS = 15  # of the number of a cell
_BLOCK = 1 << 16
_MOST_BLOCKS = 64
_ROWS = 1 << 18  # pixels that are counted or labeled at once
_NONE = np.empty(0)
_SAMPLE_TYPES = {np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int32),
                 np.dtype(np.float32), np.dtype(np.float64)}  # fmt: skip


class Points(NamedTuple):
    """Points in cells, and what each cell holds."""

    values: np.ndarray  # (n, p)
    weights: np.ndarray  # (n,), or (0,) for 1 each
    starts: np.ndarray  # (cells + 1,) where each cell begins
    boxes: np.ndarray  # (cells, 2, p) lowest and highest coordinates
    totals: np.ndarray  # (cells, p + 2) sums, weight, squares about the mean


class Clusters(NamedTuple):
    """Where an iteration ended."""

    centers: np.ndarray  # (k, p)
    inertia: float
    n_iter: int


def samples(values: np.ndarray) -> np.ndarray:
    """Return values in a type that kernels take, without rounding; refuse what has none."""
    _check.refuse_huge(values, "image")
    _check.refuse_inexact(values, "image")
    if values.dtype in _SAMPLE_TYPES:
        return values
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "f":
        return values.astype(np.float32)
    return values.astype(np.int32 if size <= 2 else np.float64)


def gather(values: np.ndarray) -> Points:
    """Bring values (n, p) together: equal ones, where it pays, and those of a cell."""
    found = _colors(values)
    if found is None:
        found = _in_cells(*(_levels(values) or (values, _NONE)))
    values, weights, starts = found
    n_cells, p = len(starts) - 1, values.shape[1]
    boxes, totals = np.zeros((n_cells, 2, p)), np.zeros((n_cells, p + 2))
    sum_cells(values, weights, starts, boxes, totals)
    return Points(values, weights, starts, boxes, totals)


def _levels(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the gray levels (m, 1) that occur and how often, of 8 or 16 bits in one channel."""
    if values.dtype.kind != "u" or values.shape[1] != 1 or len(values) < _FEW:
        return None
    counts = np.zeros(1 << 8 * values.dtype.itemsize, dtype=np.int64)
    for start in range(0, len(values), _ROWS):
        counts += np.bincount(values[start : start + _ROWS, 0], minlength=counts.size)
    levels = np.flatnonzero(counts)
    return levels.astype(values.dtype)[:, np.newaxis], counts[levels].astype(np.float64)


def _colors(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the colors (m, 3) of 8 bits that occur, how often, and where each page begins.

    None where they are so many, or on so many pages, that each pixel may as well be looked at.
    """
    n, p = values.shape
    if values.dtype != np.uint8 or p != 3 or n < _FEW:
        return None
    n_pages, page = page_sizes()
    page_of = np.full(n_pages, -1, dtype=np.int32)
    # Rows that stay empty take no memory: the system hands it out when it is written to.
    rows = np.zeros((min(_PAGES, n // 128), page), dtype=_dtypes.label_dtype(n))
    if count_colors(values, page_of, rows) < n:
        return None
    n_used = int(page_of.max()) + 1
    n_colors = int(np.count_nonzero(rows[:n_used]))
    if 4 * n_colors > n:
        return None
    colors, counts = np.empty((n_colors, 3), dtype=np.uint8), np.empty(n_colors)
    starts = np.empty(n_used + 1, dtype=np.intp)
    list_colors(page_of, rows, colors, counts, starts)
    return colors, counts, starts


def _in_cells(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values and weights sorted into the cells of a grid, and where each cell begins."""
    axes, low, scale, sides = _grid_of(values)
    counts = np.zeros(int(sides.prod()), dtype=np.intp)
    count_cells(values, axes, low, scale, sides, counts)
    starts = np.zeros(counts.size + 1, dtype=np.intp)
    np.cumsum(counts, out=starts[1:])
    if counts.size == 1:
        return values, weights, starts
    sorted_values, sorted_weights = np.empty_like(values), np.empty_like(weights)
    sort_cells(
        values, weights, axes, low, scale, sides, starts[:-1].copy(), sorted_values, sorted_weights
    )
    return sorted_values, sorted_weights, starts


def _grid_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the grid that points are sorted into: axes, lowest value, scale and sides.

    Axes are halved in turn, always the one whose parts are the widest, until a cell has a
    few hundred points on average.
    """
    some = values[:: max(1, len(values) // _SAMPLE)].astype(np.float64)
    mean, spread = some.mean(axis=0), some.std(axis=0)
    bits = np.zeros(values.shape[1], dtype=np.intp)
    for _ in range(min(_MOST_BITS, int(log2(max(1, len(values) / _PER_CELL))))):
        bits[np.argmax(spread * 0.5**bits)] += 1
    axes = np.flatnonzero((bits > 0) & (spread > 0))
    sides = 1 << bits[axes]
    low, high = some.min(axis=0)[axes], some.max(axis=0)[axes]
    low = np.maximum(low, mean[axes] - 3 * spread[axes])
    high = np.minimum(high, mean[axes] + 3 * spread[axes])
    return axes, low, sides / (high - low), sides


def lloyd(
    points: Points, centers: np.ndarray, *, max_iter: int, tol: float, n_jobs: int
) -> Clusters:
    """Move the centers until they stay where they are, or nearly so."""
    total = points.totals.sum(axis=0)
    weight = total[-2]
    occupied = points.totals[points.totals[:, -2] > 0]
    means = occupied[:, :-2] / occupied[:, -2:-1]
    mean = total[:-2] / weight
    squares = total[-1] + (occupied[:, -2] * ((means - mean) ** 2).sum(axis=1)).sum()
    enough = tol * squares / weight / centers.shape[1]
    n_iter = 0
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        sums = _assigned(points, centers, n_jobs)
        _fill_empty(points, centers, sums)
        held = sums[:, -2] > 0
        moved = centers.copy()
        moved[held] = sums[held, :-2] / sums[held, -2:-1]
        shift = float(((moved - centers) ** 2).sum())
        centers = moved
        if shift <= enough:
            break
    inertia = float(_assigned(points, centers, n_jobs, measured=True)[:, -1].sum())
    return Clusters(centers, inertia, n_iter)


def warn_of_empty(centers: np.ndarray) -> None:
    """Warn who called segkit if some centers coincide: all but the first get no pixels."""
    n, n_different = len(centers), len(np.unique(centers, axis=0))
    if n_different == n:
        return
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"only {n_different} of {n} classes have pixels: there are no more different ones",
        stacklevel=level,
    )


def _assigned(
    points: Points, centers: np.ndarray, n_jobs: int, *, measured: bool = False
) -> np.ndarray:
    """Return sums (k, p + 2) over the points of each center: coordinates, weight, inertia."""
    k, p = centers.shape
    n_blocks = min(_MOST_BLOCKS, max(1, len(points.values) // _BLOCK))
    cuts = np.searchsorted(points.starts, np.linspace(0, len(points.values), n_blocks + 1))
    cuts[0], cuts[-1] = 0, len(points.starts) - 1

    def work(block: int) -> np.ndarray:
        sums = np.zeros((k, p + 2))
        first, last = cuts[block], cuts[block + 1]
        add_to_nearest(*points, first, last, centers, measured, *_workspace(k, p), sums)
        return sums

    parts = _threads.run(work, range(n_blocks), n_jobs)
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def _workspace(k: int, p: int) -> tuple[np.ndarray, ...]:
    """Return the workspaces of the kernels."""
    rows, length = plane_shape(p)
    return (
        np.empty(box_shape(p)), np.empty(k), np.empty(k, dtype=np.intp),
        np.empty((rows, length), dtype=np.float32), np.empty(length, dtype=np.int32),
    )  # fmt: skip


def _fill_empty(points: Points, centers: np.ndarray, sums: np.ndarray) -> None:
    """Give each class without points the value that is farthest from all centers.

    All points of that value leave their class for it, unless they are all it has.
    """
    known = centers
    for j in np.flatnonzero(sums[:, -2] == 0):
        value, squared = _farthest(points, known)
        if squared == 0:
            return  # there are fewer values than classes
        weight = _weight_of(points, value)
        old = int(np.argmin(_squares(value[np.newaxis], centers)[0]))
        if sums[old, -2] > weight:
            sums[old, :-2] -= weight * value
            sums[old, -2] -= weight
        sums[j, :-2], sums[j, -2] = weight * value, weight
        known = np.vstack([known, value])


def _farthest(points: Points, centers: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the value farthest from its nearest center, the least of several, and how far."""
    best, farthest = np.zeros(0), -1.0
    for start in range(0, len(points.values), _BLOCK):
        block = points.values[start : start + _BLOCK].astype(np.float64)
        squares = _squares(block, centers).min(axis=1)
        high = float(squares.max())
        if high < farthest:
            continue
        least = np.array(min(block[squares == high].tolist()))
        if high > farthest or least.tolist() < best.tolist():
            best, farthest = least, high
    return best, farthest


def _weight_of(points: Points, value: np.ndarray) -> float:
    """Return the weight of all points that have a value."""
    found = np.ones(len(points.values), dtype=bool)
    for c, x in enumerate(value):
        found &= points.values[:, c] == x
    return float(points.weights[found].sum() if points.weights.size else np.count_nonzero(found))


def _squares(values: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the squared distances of values from centers, (n, k), axis after axis."""
    total = np.zeros((len(values), len(centers)))
    for c in range(values.shape[1]):
        total += (values[:, c, np.newaxis] - centers[:, c]) ** 2
    return total


def draw_sample(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points that starts are drawn from, in double: all, or so many at random."""
    if len(values) > _SAMPLE:
        values = values[np.sort(rng.choice(len(values), _SAMPLE, replace=False))]
    return values.astype(np.float64)


def random_start(sample: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return k different points, all sets as likely."""
    return sample[rng.choice(len(sample), k, replace=False)]


def plus_plus_start(sample: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return k points far from each other: the greedy k-means++ of scikit-learn.

    Each next center is the best of several points that are drawn with probabilities
    proportional to their squared distance from the centers so far.
    """
    centers = np.empty((k, sample.shape[1]))
    centers[0] = sample[rng.integers(len(sample))]
    nearest = _squares(sample, centers[:1])[:, 0]
    for j in range(1, k):
        reached = np.cumsum(nearest)
        drawn = np.searchsorted(reached, rng.random(2 + int(log(k))) * reached[-1], side="right")
        trials = sample[np.minimum(drawn, len(sample) - 1)]
        closer = np.minimum(_squares(sample, trials), nearest[:, np.newaxis])
        best = int(np.argmin(closer.sum(axis=0)))
        centers[j], nearest = trials[best], closer[:, best]
    return centers


def label(values: np.ndarray, centers: np.ndarray, labels: np.ndarray, n_jobs: int = 1) -> None:
    """Write 1 + the nearest center of each row, int32."""

    def work(rows: slice) -> None:
        label_nearest(values[rows], centers, *_workspace(*centers.shape), labels[rows])

    _threads.run(work, _threads.slices(len(values), _ROWS), n_jobs)
