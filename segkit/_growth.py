"""How each criterion of region growing is brought to a kernel.

The image becomes a padded flat array of a kernel type, the seeds become ranks in
a padded state array, the tolerance becomes what the kernel can compare exactly:
an interval of integers, an integer reach and its square, or a distance in double.
Axes of length 1 are dropped first: they have no neighbors, and their border would
triple the memory.  Afterwards the state array turns into the label image in place.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt
from typing import NamedTuple

import numpy as np

import segkit_ext.grow_fifo as fifo_kernel
import segkit_ext.grow_region as region_kernel

from . import _dtypes, _grid
from ._seeds import Seeds

_OUTSIDE = -1
_UNSEEN = 0
_OUTSIDE_REGION = -2  # -1 is a queued pixel there
_NO_LIMIT = np.iinfo(np.int64).max
_LARGEST_REACH = np.iinfo(np.uint64).max
_MOST_LEVELS = 1 << 17  # beyond, empty buckets cost more than a heap


class Field(NamedTuple):
    """An image ready to grow on."""

    values: np.ndarray  # spatial shape + channels, a kernel type, contiguous
    inside: np.ndarray | None  # bool, spatial shape; None is everywhere
    connectivity: int

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


def make_field(image: np.ndarray, inside: np.ndarray | None, connectivity: int) -> Field:
    """Return the field of an image with its channels last; axes of length 1 are dropped."""
    shape = tuple(side for side in image.shape[:-1] if side != 1) or (1,)
    values = _dtypes.kernel_values(image).reshape(*shape, image.shape[-1])
    if inside is not None:
        inside = np.ascontiguousarray(inside).reshape(shape)
    return Field(values, inside, min(connectivity, len(shape)))


def grow_neighbor(
    field: Field, seeds: Seeds | None, tolerance: float, max_steps: int | None
) -> tuple[np.ndarray, int]:
    """Return the padded state and the number of regions for criterion "neighbor"."""
    return _near(field, seeds, tolerance, max_steps, from_home=False)


def grow_seed(
    field: Field, seeds: Seeds | None, tolerance: float, max_steps: int | None
) -> tuple[np.ndarray, int]:
    """Return the padded state and the number of regions for criterion "seed"."""
    if seeds is None or (field.n_channels > 1 and _are_points(seeds)):
        return _near(field, seeds, tolerance, max_steps, from_home=True)
    if field.is_float or field.n_channels > 1:
        return _near_means(field, seeds, tolerance, max_steps)
    low, high = _integer_bounds(field, seeds, tolerance)
    return grow_within(field, seeds, low, high, max_steps)


def grow_by_mean(
    field: Field, seeds: Seeds | None, tolerance: float | None, max_steps: int | None
) -> tuple[np.ndarray, int]:
    """Return the padded state and the number of regions for criterion "region"."""
    n_channels = field.n_channels
    n_regions = 1 if seeds is None else len(seeds.ids)
    n_levels = 0
    if field.values.dtype.itemsize <= 2:
        largest = int(np.iinfo(field.values.dtype).max)
        n_levels = isqrt(largest * largest * n_channels) + 2
        if n_levels > _MOST_LEVELS:
            n_levels = 0
    state = start_state(field, seeds, outside=_OUTSIDE_REGION)
    n_regions = region_kernel.grow_region(
        padded_values(field),
        start_positions(field, seeds),
        _grid.neighbor_offsets(field.shape, field.connectivity),
        n_channels,
        n_levels,
        np.inf if tolerance is None else float(tolerance),
        np.zeros((1 if field.is_float else n_regions, 2 * n_channels), dtype=np.int64),
        np.zeros((n_regions if field.is_float else 1, n_channels)),
        np.zeros(n_regions, dtype=np.int64),
        state,
        _limit(max_steps),
    )
    return state, n_regions


def finish(
    field: Field, state: np.ndarray, n_regions: int, seeds: Seeds | None, min_size: int
) -> np.ndarray:
    """Return the label image of a padded state; its memory is reused if it can hold the ids."""
    ids = np.arange(1, n_regions + 1, dtype=np.int64) if seeds is None else seeds.ids
    if min_size > 1 and n_regions:
        sizes = np.zeros(n_regions, dtype=np.int64)
        fifo_kernel.count_sizes(state, sizes)
        kept = sizes >= min_size
        ids = np.where(kept, np.cumsum(kept) if seeds is None else ids, 0)
    size = int(np.prod(field.shape))
    dtype = _dtypes.label_dtype(max(size, int(ids.max(initial=0))))
    labels = state[:size] if dtype == np.int32 else np.empty(size, dtype=dtype)
    shape, strides, first = geometry(field.shape, field.shape[-1] + 2, 1)
    fifo_kernel.collect_labels(state, shape, strides, first, ids.astype(dtype), labels)
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


def grow_within(
    field: Field, seeds: Seeds, low: np.ndarray, high: np.ndarray, max_steps: int | None
) -> tuple[np.ndarray, int]:
    """Return the padded state and the number of regions for closed intervals of values."""
    state = start_state(field, seeds)
    fifo_kernel.grow_within(
        padded_values(field),
        start_positions(field, seeds),
        _grid.neighbor_offsets(field.shape, field.connectivity),
        low,
        high,
        state,
        _limit(max_steps),
    )
    return state, len(seeds.ids)


def _near(
    field: Field,
    seeds: Seeds | None,
    tolerance: float,
    max_steps: int | None,
    *,
    from_home: bool,
    values: np.ndarray | None = None,
    homes: np.ndarray | None = None,
) -> tuple[np.ndarray, int]:
    """Grow by nearness to pixels: to the home of a region, or to where a step comes from."""
    state = start_state(field, seeds)
    starts = start_positions(field, seeds)
    exact_tolerance = Fraction(tolerance)
    reach = min(floor(exact_tolerance), _LARGEST_REACH)
    square = floor(exact_tolerance * exact_tolerance)
    exact = field.n_channels * reach * reach <= _LARGEST_REACH
    if homes is None:
        homes = starts  # one pixel per rank if they are looked at
    n_regions = fifo_kernel.grow_near(
        padded_values(field) if values is None else values,
        starts,
        _grid.neighbor_offsets(field.shape, field.connectivity),
        homes,
        field.n_channels,
        from_home,
        reach,
        min(square, _LARGEST_REACH),
        exact,
        float(tolerance),
        state,
        _limit(max_steps),
    )
    return state, n_regions if seeds is None else len(seeds.ids)


def _near_means(
    field: Field, seeds: Seeds, tolerance: float, max_steps: int | None
) -> tuple[np.ndarray, int]:
    """Grow by nearness to the mean of each seed, in double.

    The means are put behind the last pixel, as homes of their regions.
    """
    if _are_points(seeds):
        return _near(field, seeds, tolerance, max_steps, from_home=True)
    values = padded_values(field)
    base = 0
    if not field.is_float:  # differences of 64-bit integers are taken before they are rounded
        base = int(field.values.reshape(-1)[seeds.position[0] * field.n_channels])
    values = differences(values, base)
    means = np.empty((len(seeds.ids), field.n_channels))
    counts = np.bincount(seeds.rank - 1)
    pixels = field.values.reshape(-1, field.n_channels)[seeds.position]
    for channel in range(field.n_channels):
        with np.errstate(invalid="ignore"):  # inf - inf: no value is near such a mean
            if field.is_float:
                sums = np.bincount(seeds.rank - 1, weights=pixels[:, channel])
                means[:, channel] = sums / counts
            else:
                exact = integer_sums(pixels[:, channel], seeds.rank, len(counts))
                means[:, channel] = [
                    (s - n * base) / n for s, n in zip(exact, counts.tolist(), strict=True)
                ]
    homes = values.size // field.n_channels + np.arange(len(counts), dtype=np.int64)
    return _near(
        field,
        seeds,
        tolerance,
        max_steps,
        from_home=True,
        values=np.concatenate([values, means.ravel()]),
        homes=homes,
    )


def _integer_bounds(field: Field, seeds: Seeds, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the closed interval of integers within `tolerance` of each seed's mean, exactly."""
    pixels = field.values.reshape(-1)[seeds.position]
    info = np.iinfo(pixels.dtype)
    exact_tolerance = Fraction(tolerance)
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


def padded_values(field: Field) -> np.ndarray:
    """Return the flat values with a border."""
    if field.n_channels == 1:
        return _grid.pad(field.values[..., 0]).reshape(-1)
    shape = (*_grid.padded_shape(field.shape), field.n_channels)
    padded = np.zeros(shape, dtype=field.values.dtype)
    padded[(slice(1, -1),) * len(field.shape)] = field.values
    return padded.reshape(-1)


def start_state(field: Field, seeds: Seeds | None, outside: int = _OUTSIDE) -> np.ndarray:
    """Return the flat state array with a border, seed pixels holding their ranks."""
    state = np.full(_grid.padded_shape(field.shape), outside, dtype=np.int32)
    interior = _grid.interior(state)
    if field.inside is None:
        interior[...] = _UNSEEN
    else:
        interior[field.inside] = _UNSEEN
    state = state.reshape(-1)
    if seeds is not None:
        state[start_positions(field, seeds)] = seeds.rank
    return state


def start_positions(field: Field, seeds: Seeds | None) -> np.ndarray:
    """Return where the seed pixels lie in the padded flat array, in raster order."""
    if seeds is None:
        return np.empty(0, dtype=np.int64)
    return _grid.padded_index(seeds.position, field.shape).astype(np.int64, copy=False)


def _limit(max_steps: int | None) -> int:
    return _NO_LIMIT if max_steps is None else min(max_steps, _NO_LIMIT)
