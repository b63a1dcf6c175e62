"""How each criterion of region growing is brought to a kernel.

The image becomes a padded flat array of a kernel type, the seeds become ranks in
a padded state array, the tolerance becomes what the kernel can compare exactly:
an interval of integers, an integer reach and its square, or a distance in double.
Axes of length 1 are dropped first: they have no neighbors, and their border would
triple the memory.  Afterwards the state array turns into the label image in place.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt, prod
from typing import Any, NamedTuple

import numpy as np

import segkit_ext.grow_bits as bits_kernel
import segkit_ext.grow_fifo as fifo_kernel
import segkit_ext.grow_region as region_kernel

from . import _dtypes, _grid
from ._seeds import Seeds

_OUTSIDE = -1
_UNSEEN = 0
_OUTSIDE_REGION = -2  # -1 is a queued pixel there
_NO_LIMIT = np.iinfo(np.int64).max
_LARGEST_REACH = np.iinfo(np.uint64).max
_NARROWEST = 16  # rows of fewer pixels would leave most of a word of 64 empty
_MOST_LEVELS = 1 << 17  # beyond, empty buckets cost more than a heap


class Problem(NamedTuple):
    """What to grow: an image without axes of length 1, its seeds, and the limits."""

    values: np.ndarray  # spatial shape + channels, a kernel type, contiguous
    inside: np.ndarray | None  # bool, spatial shape; None is everywhere
    seeds: Seeds | None
    connectivity: int
    min_size: int
    max_steps: int | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the spatial shape."""
        return self.values.shape[:-1]

    @property
    def n_channels(self) -> int:
        """Return how many numbers a pixel has."""
        return self.values.shape[-1]

    @property
    def is_float(self) -> bool:
        """Return whether values are floating point numbers."""
        return self.values.dtype.kind == "f"

    @property
    def size(self) -> int:
        """Return the number of pixels."""
        return self.values.size // self.n_channels

    @property
    def offsets(self) -> np.ndarray:
        """Return the way to the neighbors in padded flat arrays."""
        return _grid.neighbor_offsets(self.shape, self.connectivity)

    @property
    def limit(self) -> int:
        """Return how many pixels may join."""
        return _NO_LIMIT if self.max_steps is None else min(self.max_steps, _NO_LIMIT)

    @property
    def suits_bits(self) -> bool:
        """Return whether one region, in any order, is grown on rows wide enough for words."""
        return (
            self.seeds is not None
            and len(self.seeds.ids) == 1
            and self.n_channels == 1
            and self.max_steps is None
            and self.shape[-1] >= _NARROWEST
        )


def make_problem(
    image: np.ndarray,
    inside: np.ndarray | None,
    seeds: Seeds | None,
    connectivity: int,
    min_size: int,
    max_steps: int | None,
) -> Problem:
    """Return the problem for an image with its channels last."""
    shape = tuple(side for side in image.shape[:-1] if side != 1) or (1,)
    values = _dtypes.kernel_values(image).reshape(*shape, image.shape[-1])
    if inside is not None:
        inside = np.ascontiguousarray(inside).reshape(shape)
    connectivity = min(connectivity, len(shape))
    return Problem(values, inside, seeds, connectivity, min_size, max_steps)


def grow_by_neighbor(problem: Problem, tolerance: float) -> np.ndarray:
    """Return the flat labels for criterion "neighbor"."""
    return _near(problem, tolerance, from_home=False)


def grow_by_seed(problem: Problem, tolerance: float) -> np.ndarray:
    """Return the flat labels for criterion "seed"."""
    seeds = problem.seeds
    if seeds is None:
        return _near(problem, tolerance, from_home=True)
    if problem.n_channels == 1 and not problem.is_float:
        return grow_within(problem, *_integer_bounds(problem, seeds, tolerance))
    if problem.suits_bits:
        center = float(_means(problem, seeds, 0)[0, 0])
        return _by_bits(problem, seeds, bits_kernel.pack_near, center, float(tolerance))
    if _are_points(seeds):
        return _near(problem, tolerance, from_home=True)
    # Means lie behind the last pixel, as the homes of their regions, all in double.
    base = 0
    if not problem.is_float:  # differences of 64-bit integers are taken before they are rounded
        base = int(problem.values.reshape(-1)[seeds.position[0] * problem.n_channels])
    values = differences(padded_values(problem), base)
    homes = len(values) // problem.n_channels + np.arange(len(seeds.ids), dtype=np.int64)
    values = np.concatenate([values, _means(problem, seeds, base).ravel()])
    return _near(problem, tolerance, from_home=True, values=values, homes=homes)


def grow_within(problem: Problem, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the flat labels for one closed interval of values per rank, in the kernel type."""
    seeds = problem.seeds
    assert seeds is not None
    if problem.suits_bits:
        return _by_bits(problem, seeds, bits_kernel.pack_within, low[0], high[0])
    starts = start_positions(problem)
    state = start_state(problem, starts)
    fifo_kernel.grow_within(
        padded_values(problem),
        starts,
        problem.offsets,
        low,
        high,
        state,
        problem.limit,
    )
    return _finish(problem, state, len(seeds.ids))


def grow_by_mean(problem: Problem, tolerance: float | None) -> np.ndarray:
    """Return the flat labels for criterion "region"."""
    n_channels = problem.n_channels
    n_rows = 1 if problem.seeds is None else len(problem.seeds.ids)
    n_levels = 0
    if problem.values.dtype.itemsize <= 2:
        largest = int(np.iinfo(problem.values.dtype).max)
        n_levels = isqrt(largest * largest * n_channels) + 2
        if n_levels > _MOST_LEVELS:
            n_levels = 0
    starts = start_positions(problem)
    state = start_state(problem, starts, outside=_OUTSIDE_REGION)
    n_regions = region_kernel.grow_region(
        padded_values(problem),
        starts,
        problem.offsets,
        n_channels,
        n_levels,
        np.inf if tolerance is None else float(tolerance),
        np.zeros((1 if problem.is_float else n_rows, 2 * n_channels), dtype=np.int64),
        np.zeros((n_rows if problem.is_float else 1, n_channels)),
        np.zeros(n_rows, dtype=np.int64),
        state,
        problem.limit,
    )
    return _finish(problem, state, n_regions)


def _finish(problem: Problem, state: np.ndarray, n_regions: int) -> np.ndarray:
    """Return the labels of a padded state; its memory is reused if it can hold the ids."""
    seeds = problem.seeds
    ids = np.arange(1, n_regions + 1, dtype=np.int64) if seeds is None else seeds.ids
    if problem.min_size > 1 and n_regions:
        sizes = np.zeros(n_regions, dtype=np.int64)
        fifo_kernel.count_sizes(state, sizes)
        kept = sizes >= problem.min_size
        ids = np.where(kept, np.cumsum(kept) if seeds is None else ids, 0)
    dtype = _dtypes.label_dtype(max(problem.size, int(ids.max(initial=0))))
    labels = state[: problem.size] if dtype == np.int32 else np.empty(problem.size, dtype=dtype)
    shape, strides, first = geometry(problem.shape, problem.shape[-1] + 2, 1)
    fifo_kernel.collect_labels(state, shape, strides, first, ids.astype(dtype), labels)
    return labels


def _by_bits(problem: Problem, seeds: Seeds, pack: Any, *bounds: Any) -> np.ndarray:
    """Return the labels of one region, grown 64 pixels at a time through what `pack` admits."""
    shape = problem.shape
    row = -(-shape[-1] // 64) + 1  # and an empty word behind
    sides, strides, first = geometry(shape, row, 1)
    n_words = prod(side + 2 for side in shape[:-1]) * row + 2
    free, reached, waiting = (np.zeros(n_words, dtype=np.uint64) for _ in range(3))
    inside = np.empty(0, dtype=np.uint8)
    if problem.inside is not None:
        inside = problem.inside.view(np.uint8).reshape(-1)
    pack(problem.values.reshape(-1), *bounds, inside, sides, strides, first, free)
    index = np.unravel_index(seeds.position, shape)
    words = first + (index[-1] >> 6)
    for axis, step in zip(index[:-1], strides[4 - len(shape) :], strict=True):
        words = words + axis * step
    lead = np.empty((0, 0), dtype=np.intp)  # steps to other rows
    if len(shape) > 1:
        lead = _grid.neighbor_steps(len(shape) - 1, min(problem.connectivity, len(shape) - 1))
    bits_kernel.spread_bits(
        free,
        reached,
        waiting,
        words.astype(np.int64),
        (index[-1] & 63).astype(np.uint8),
        np.ascontiguousarray(lead @ strides[4 - len(shape) :], dtype=np.intp),
        (np.abs(lead).sum(axis=1) < problem.connectivity).astype(np.uint8),
    )
    del free, waiting
    label = int(seeds.ids[0])
    if problem.min_size > 1 and int(np.bitwise_count(reached).sum()) < problem.min_size:
        label = 0
    labels = np.empty(problem.size, dtype=_dtypes.label_dtype(max(problem.size, label)))
    bits_kernel.expand_bits(reached, sides, strides, first, labels, label)
    return labels


def geometry(shape: tuple[int, ...], row: int, before: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return how kernels walk a grid with one border row on every side of each leading axis.

    That is the shape as 4 sides, the steps along the first three, and the place of the
    first element, for rows of `row` elements of which `before` come before the first.
    """
    sides = (1,) * (4 - len(shape)) + shape
    steps = [0, 0, 0]
    step, first = row, before
    for axis in range(2, 3 - len(shape), -1):
        steps[axis] = step
        first += step
        step *= sides[axis] + 2
    return np.array(sides, dtype=np.intp), np.array(steps, dtype=np.intp), first


def _near(
    problem: Problem,
    tolerance: float,
    *,
    from_home: bool,
    values: np.ndarray | None = None,
    homes: np.ndarray | None = None,
) -> np.ndarray:
    """Grow by nearness to pixels: to the home of a region, or to where a step comes from."""
    starts = start_positions(problem)
    exact_tolerance = Fraction(tolerance)
    reach = min(floor(exact_tolerance), _LARGEST_REACH)
    square = floor(exact_tolerance * exact_tolerance)
    state = start_state(problem, starts)
    n_regions = fifo_kernel.grow_near(
        padded_values(problem) if values is None else values,
        starts,
        problem.offsets,
        starts if homes is None else homes,
        problem.n_channels,
        from_home,
        reach,
        min(square, _LARGEST_REACH),
        problem.n_channels * reach * reach <= _LARGEST_REACH,
        float(tolerance),
        state,
        problem.limit,
    )
    return _finish(problem, state, n_regions if problem.seeds is None else len(problem.seeds.ids))


def _means(problem: Problem, seeds: Seeds, base: int) -> np.ndarray:
    """Return the mean of each seed minus `base`, (n, C) in double."""
    counts = np.bincount(seeds.rank - 1)
    pixels = problem.values.reshape(-1, problem.n_channels)[seeds.position]
    means = np.empty((len(counts), problem.n_channels))
    for channel in range(problem.n_channels):
        if problem.is_float:
            sums = np.bincount(seeds.rank - 1, weights=pixels[:, channel])
            with np.errstate(over="ignore"):
                means[:, channel] = sums / counts
        else:
            exact = integer_sums(pixels[:, channel], seeds.rank, len(counts))
            means[:, channel] = [
                (s - n * base) / n for s, n in zip(exact, counts.tolist(), strict=True)
            ]
    return means


def _integer_bounds(
    problem: Problem, seeds: Seeds, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the closed interval of integers within `tolerance` of each seed's mean, exactly."""
    pixels = problem.values.reshape(-1)[seeds.position]
    info = np.iinfo(pixels.dtype)
    exact_tolerance = Fraction(tolerance)
    if len(pixels) == 1:
        value, step = int(pixels[0]), floor(exact_tolerance)
        lowest, highest = max(value - step, info.min), min(value + step, info.max)
        return np.array([lowest], dtype=pixels.dtype), np.array([highest], dtype=pixels.dtype)
    # One pixel per rank for now: the first.  Unsigned with an offset, nothing can wrap.
    first = np.empty(len(seeds.ids), dtype=np.int64)
    first[seeds.rank[::-1] - 1] = pixels[::-1]
    top = np.uint64(1 << 63)
    shifted = first.view(np.uint64) ^ top
    reach = np.uint64(min(floor(exact_tolerance), _LARGEST_REACH))
    low = (shifted - np.minimum(shifted, reach)) ^ top
    high = (shifted + np.minimum(~shifted, reach)) ^ top
    low, high = low.view(np.int64), high.view(np.int64)
    if not _are_points(seeds):
        sums = integer_sums(pixels, seeds.rank, len(first))
        counts = np.bincount(seeds.rank - 1)
        wide, unit = exact_tolerance.numerator, exact_tolerance.denominator
        smallest, largest = int(info.min), int(info.max)
        for k in np.flatnonzero(counts > 1).tolist():
            n = int(counts[k])
            low[k] = max(-((n * wide - sums[k] * unit) // (n * unit)), smallest)
            high[k] = min((sums[k] * unit + n * wide) // (n * unit), largest)
    return low.clip(info.min, info.max).astype(pixels.dtype), high.clip(info.min, info.max).astype(
        pixels.dtype
    )


def differences(values: np.ndarray, base: int) -> np.ndarray:
    """Return values - base in double, rounded once; `base` is one of the values, or 0."""
    if values.dtype.itemsize < 8 or values.dtype.kind == "f":
        return values.astype(np.float64) - base
    high = ((values >> 32) - (base >> 32)).astype(np.float64)
    return high * 2.0**32 + ((values & 0xFFFFFFFF) - (base & 0xFFFFFFFF))


def integer_sums(pixels: np.ndarray, rank: np.ndarray, n_ranks: int) -> list[int]:
    """Return the exact sum of the values of each rank."""
    high = np.zeros(n_ranks, dtype=np.int64)
    low = np.zeros(n_ranks, dtype=np.int64)
    wide = pixels.astype(np.int64)
    np.add.at(high, rank - 1, wide >> 32)
    np.add.at(low, rank - 1, wide & 0xFFFFFFFF)
    return [(h << 32) + k for h, k in zip(high.tolist(), low.tolist(), strict=True)]


def _are_points(seeds: Seeds) -> bool:
    """Return whether every seed is one pixel."""
    return len(seeds.position) == len(seeds.ids)


def padded_values(problem: Problem) -> np.ndarray:
    """Return the flat values with a border."""
    if problem.n_channels == 1:
        return _grid.pad(problem.values[..., 0]).reshape(-1)
    shape = (*_grid.padded_shape(problem.shape), problem.n_channels)
    padded = np.zeros(shape, dtype=problem.values.dtype)
    padded[(slice(1, -1),) * len(problem.shape)] = problem.values
    return padded.reshape(-1)


def start_state(problem: Problem, starts: np.ndarray | None, outside: int = _OUTSIDE) -> np.ndarray:
    """Return the flat state array with a border; the ranks of seed pixels at `starts`."""
    state = np.full(_grid.padded_shape(problem.shape), outside, dtype=np.int32)
    interior = _grid.interior(state)
    if problem.inside is None:
        interior[...] = _UNSEEN
    else:
        interior[problem.inside] = _UNSEEN
    if problem.is_float:
        for channel in range(problem.n_channels):
            interior[np.isnan(problem.values[..., channel])] = outside
    state = state.reshape(-1)
    if problem.seeds is not None and starts is not None:
        state[starts] = problem.seeds.rank
    return state


def start_positions(problem: Problem) -> np.ndarray:
    """Return where the seed pixels lie in the padded flat array, in raster order."""
    if problem.seeds is None:
        return np.empty(0, dtype=np.int64)
    position = _grid.padded_index(problem.seeds.position, problem.shape)
    return position.astype(np.int64, copy=False)
