"""The intervals of criterion "confidence": mean and standard deviation, estimated again.

The first estimate comes from the box of 3 pixels a side around the seed, edges
repeated; a seed of several pixels pools their boxes.  Then the region is grown
through mean - and + multiplier standard deviations, its own mean and deviation
give the next interval, and so on.  The interval is closed, and widened to hold
the values of the seed.  Each seed is estimated as if it were alone.

For integers the bounds are exact: v belongs when (v - mean)^2 <= multiplier^2 x
variance, all fractions.  Ranges too wide for 64-bit sums of squares, and floats,
are done in double.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil, floor, isqrt, sqrt
from typing import Any

import numpy as np

from segkit_ext.grow_fifo import grow_alone

from ._growth import Problem, differences, padded_values, start_positions, start_state
from ._seeds import Seeds

_ROOM = 1 << 12  # pixels of a region listed at first; doubled as needed
_EXACT = 1 << 62


def confidence_bounds(
    problem: Problem,
    seeds: Seeds,
    shape: tuple[int, ...],
    multiplier: float,
    iterations: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest value of each rank, in the kernel type.

    `shape` is that of the image before axes of length 1 were dropped: the box around
    a seed has 3 pixels along those too.
    """
    n_regions = len(seeds.ids)
    low = np.empty(n_regions, dtype=problem.values.dtype)
    high = np.empty_like(low)
    values = padded_values(problem)
    state = start_state(problem, None)
    offsets = problem.offsets
    starts = start_positions(problem)
    flat = problem.values.reshape(-1)
    order = np.argsort(seeds.rank, kind="stable")
    ends = np.cumsum(np.bincount(seeds.rank - 1))
    found = np.empty(_ROOM, dtype=np.int64)
    for k in range(n_regions):
        members = order[ends[k - 1] if k else 0 : ends[k]]
        own = flat[seeds.position[members]]
        box = _box_values(problem, shape, seeds.position[members])
        low[k], high[k] = _bounds(box, own, multiplier)
        for _ in range(iterations):
            n = -1
            while n < 0:
                n = grow_alone(values, starts[members], offsets, low[k], high[k], state, found)
                if n < 0:
                    found = np.empty(2 * len(found), dtype=np.int64)
            region = found[:n]
            if problem.is_float:  # rounded sums depend on the order: make it the raster order
                region = np.sort(region)
            bounds = _bounds(values[region], own, multiplier)
            if bounds == (low[k], high[k]):
                break
            low[k], high[k] = bounds
    return low, high


def _box_values(problem: Problem, shape: tuple[int, ...], position: np.ndarray) -> np.ndarray:
    """Return the values in the boxes of 3 pixels a side around some pixels, edges repeated."""
    steps = np.array(list(product((-1, 0, 1), repeat=len(shape))))
    index = np.stack(np.unravel_index(position, shape), axis=-1)
    index = (index[:, np.newaxis] + steps).reshape(-1, len(shape))
    index = index.clip(0, np.array(shape) - 1)
    place = np.ravel_multi_index(tuple(index.T), shape)
    if problem.inside is not None:
        place = place[problem.inside.reshape(-1)[place]]
    values = problem.values.reshape(-1)[place]
    return values[~np.isnan(values)] if problem.is_float else values


def _bounds(values: np.ndarray, own: np.ndarray, multiplier: float) -> tuple[Any, Any]:
    """Return the closed interval around the mean of some values, holding those of the seed."""
    dtype = values.dtype
    lowest, highest = own.min(), own.max()
    if dtype.kind == "f":
        mean, reach = _mean_and_reach(values.astype(np.float64), multiplier)
        return (
            min(_as_type(mean - reach, dtype, up=True), lowest),
            max(_as_type(mean + reach, dtype, up=False), highest),
        )
    base = int(own[0])
    n = len(values)
    widest = max(int(values.max()) - base, base - int(values.min()))
    if widest * widest * n < _EXACT:
        apart = values.astype(np.int64) - base
        total = int(apart.sum())
        squares = n * int((apart * apart).sum()) - total * total  # n (n - 1) variance
        # n x reach, squared; rounded down, which changes no integer bound.
        square = Fraction(multiplier) ** 2 * Fraction(squares * n, max(n - 1, 1))
        reach_n = isqrt(floor(square))
        low = base - (reach_n - total) // n
        high = base + (total + reach_n) // n
    else:
        mean, reach = _mean_and_reach(differences(values, base), multiplier)
        reach = min(reach, 2.0**65)  # more than all of them
        low, high = base + ceil(mean - reach), base + floor(mean + reach)
    info = np.iinfo(dtype)
    return (
        dtype.type(max(min(low, int(lowest)), int(info.min))),
        dtype.type(min(max(high, int(highest)), int(info.max))),
    )


def _mean_and_reach(values: np.ndarray, multiplier: float) -> tuple[float, float]:
    """Return the mean and so many standard deviations, in double."""
    n = len(values)
    unit = 2.0**600 if np.abs(values).max() > 2.0**500 else 1.0  # squares must not overflow
    values = values / unit
    mean = values.sum() / n
    deviation = sqrt(((values - mean) ** 2).sum() / max(n - 1, 1))
    return float(mean) * unit, multiplier * deviation * unit


def _as_type(bound: float, dtype: np.dtype, *, up: bool) -> np.floating:
    """Return a bound in a float type that admits the same values of that type."""
    with np.errstate(over="ignore"):
        value = dtype.type(bound)
        if up and value < bound:
            return np.nextafter(value, dtype.type(np.inf))
        if not up and value > bound:
            return np.nextafter(value, dtype.type(-np.inf))
    return value
