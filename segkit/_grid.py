"""Neighborhoods on an n-dimensional grid, and the border that kernels rely on.

A kernel sees a flat array with one pixel of border on every side: then the
neighbors of pixel `p` are `p + offsets[k]` in any number of dimensions, and
the border, marked as outside, takes the place of bounds tests.

Neighbors are ordered by the number of axes they step along, then in raster
order.  This order decides who comes first among equals wherever a method says
"first come, first served", and it is the one that scikit-image uses.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod

import numpy as np


@lru_cache(maxsize=64)
def neighbor_steps(ndim: int, connectivity: int) -> np.ndarray:
    """Return the steps to the neighbors, (k, ndim), nearest first, then in raster order.

    Read-only, because calls share it: on small images it costs more than the pixels.
    """
    steps = [
        step for step in product((-1, 0, 1), repeat=ndim) if 0 < sum(map(abs, step)) <= connectivity
    ]
    steps.sort(key=lambda step: sum(map(abs, step)))  # stable: raster order within a distance
    array = np.array(steps, dtype=np.intp).reshape(-1, ndim)
    array.setflags(write=False)
    return array


@lru_cache(maxsize=64)
def row_steps(ndim: int, connectivity: int) -> np.ndarray:
    """Return the steps to the rows that hold neighbors, its own included, (k, ndim - 1)."""
    steps = {tuple(step[:-1]) for step in neighbor_steps(ndim, connectivity).tolist()}
    array = np.array(sorted(steps), dtype=np.intp).reshape(len(steps), ndim - 1)
    array.setflags(write=False)
    return array


def strides_of(shape: tuple[int, ...]) -> np.ndarray:
    """Return the number of elements between neighbors along each axis of a C-ordered array."""
    return np.array([prod(shape[k + 1 :]) for k in range(len(shape))], dtype=np.intp)


def padded_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape with one pixel of border on every side."""
    return tuple(side + 2 for side in shape)


def neighbor_offsets(shape: tuple[int, ...], connectivity: int) -> np.ndarray:
    """Return the flat offsets to the neighbors in an array of `shape` after padding, (k,)."""
    steps = neighbor_steps(len(shape), connectivity)
    return np.ascontiguousarray(steps @ strides_of(padded_shape(shape)))


def interior(padded: np.ndarray) -> np.ndarray:
    """Return the view of a padded array without its border."""
    return padded[(slice(1, -1),) * padded.ndim]


def pad(array: np.ndarray, fill: int = 0, dtype: np.dtype | None = None) -> np.ndarray:
    """Return a copy of `array` with one pixel of `fill` on every side."""
    padded = np.full(padded_shape(array.shape), fill, dtype=dtype or array.dtype)
    interior(padded)[...] = array
    return padded


def crop(padded: np.ndarray) -> np.ndarray:
    """Return a contiguous copy of a padded array without its border."""
    return np.ascontiguousarray(interior(padded))


def row_starts(shape: tuple[int, ...]) -> np.ndarray:
    """Return where each row (along the last axis) begins in the padded flat array."""
    strides = strides_of(padded_shape(shape))
    starts = np.full(shape[:-1], strides.sum(), dtype=np.intp)  # the pixel (0, ..., 0)
    for axis, side in enumerate(shape[:-1]):
        steps = np.arange(side, dtype=np.intp) * strides[axis]
        starts += steps.reshape((-1,) + (1,) * (len(shape) - 2 - axis))
    return starts.ravel()


def padded_index(index: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return where flat positions of an array of `shape` lie in its padded flat array."""
    position = np.zeros(index.shape, dtype=np.intp)
    rest = index
    for stride, padded_stride in zip(
        strides_of(shape), strides_of(padded_shape(shape)), strict=True
    ):
        step, rest = np.divmod(rest, stride)
        position += (step + 1) * padded_stride
    return position


def flat_index(position: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return where padded positions lie in the flat array without border."""
    index = np.zeros(position.shape, dtype=np.intp)
    rest = position.astype(np.intp)
    for stride, padded_stride in zip(
        strides_of(shape), strides_of(padded_shape(shape)), strict=True
    ):
        step, rest = np.divmod(rest, padded_stride)
        index += (step - 1) * stride
    return index
