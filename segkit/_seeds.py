"""Where regions start: points, or a marker image, read into one form.

A seed is a set of pixels with an id.  Kernels want the seed pixels in raster
order, and ranks instead of ids: rank 1 is the seed whose first pixel comes
first.  So the order in which seeds are given never matters, and ids may be as
sparse as they like.
"""

from __future__ import annotations

from math import ceil, hypot, prod
from typing import Any, NamedTuple

import numpy as np

from segkit_ext.space_out import space_out

from . import _check
from ._grid import strides_of


class Seeds(NamedTuple):
    """Seed pixels in raster order; `position` counts in the image without border."""

    position: np.ndarray  # (k,) int64, increasing
    rank: np.ndarray  # (k,) int32, from 1 in order of first appearance
    ids: np.ndarray  # (n,) int64, the label of each rank


def read_seeds(value: Any, shape: tuple[int, ...], channels: bool) -> Seeds:
    """Return the seeds of a sequence of points or of a marker image.

    A NumPy array of the image's shape is a marker image; every other sequence that
    can be read as points, (n, ndim) or in 1-D also (n,), is points.
    """
    array = _as_array(value)
    is_list = isinstance(value, (list, tuple))
    flat_points = is_list and len(shape) == 1 and array.ndim == 1
    points = flat_points or (array.ndim == 2 and array.shape[1] == len(shape))
    if array.shape == shape and not (is_list and points):
        return _from_markers(array)
    if points or array.size == 0:
        return _from_points(array.reshape(-1, len(shape)) if array.size else array, value, shape)
    if array.ndim <= 1:
        raise ValueError(
            f"`seeds` must be a sequence of points with {len(shape)} indices each, "
            f"or a marker image of shape {shape}, got {value!r}"
        )
    text = (
        f"`seeds` has shape {array.shape}, `image` has shape {shape}: they must be equal "
        f"for a marker image; points have shape (n, {len(shape)})"
    )
    flat = array.shape == shape[:-1] or (array.ndim == 2 and array.shape[1] == len(shape) - 1)
    if not channels and flat and len(shape) >= 3:
        text += "; if the last axis of `image` holds channels, pass channel_axis=-1"
    raise ValueError(text)


def _as_array(value: Any) -> np.ndarray:
    """Return the value as an array of numbers, of any shape."""
    wanted = "`seeds` must be None, a sequence of points or a marker image"
    if isinstance(value, (str, bytes, dict, set)) or not (
        hasattr(value, "__len__") or hasattr(value, "__array__")
    ):
        raise TypeError(f"{wanted}, got {type(value).__name__}")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{wanted}: the points must have equally many indices") from None
    if array.dtype == object and array.size:  # integers beyond 64 bits, or no numbers at all
        if all(isinstance(item, (int, np.integer)) for item in array.ravel()):
            raise ValueError(f"{wanted}: an index lies outside of every image")
        raise TypeError(f"{wanted}, got items that are no integers")
    if array.size and array.dtype.kind not in "biuf":
        raise TypeError(f"{wanted}, got dtype {array.dtype}")
    return array


def _from_points(array: np.ndarray, value: Any, shape: tuple[int, ...]) -> Seeds:
    if array.size == 0:
        raise ValueError("`seeds` must hold at least one point, got none")
    if array.dtype.kind == "b":
        raise TypeError("`seeds` must hold integer indices, got bool")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("`seeds` must hold integer indices, got NaN or infinity")
        if (array != np.floor(array)).any():
            raise TypeError(f"`seeds` must hold integer indices, got {value!r}")
    if (array < 0).any() or (array >= shape).any():
        wrong = ((array < 0) | (array >= shape)).any(axis=1)
        point = tuple(array[wrong.argmax()].tolist())
        raise ValueError(f"`seeds` must lie inside the image of shape {shape}, got {point}")
    position = array.astype(np.int64) @ strides_of(shape)
    order = np.argsort(position, kind="stable")
    position = np.ascontiguousarray(position[order], dtype=np.int64)
    twice = np.flatnonzero(position[1:] == position[:-1])
    if twice.size:
        point = tuple(array[order[twice[0]]].tolist())
        raise ValueError(f"`seeds` must be different points, got {point} twice")
    rank = np.arange(1, len(position) + 1, dtype=np.int32)
    return Seeds(position, rank, order.astype(np.int64) + 1)


def _from_markers(array: np.ndarray) -> Seeds:
    if array.dtype.kind == "f":
        raise TypeError(
            f"`seeds` must be a marker image of integers or points, got dtype {array.dtype}"
        )
    flat = array.reshape(-1)
    position = np.flatnonzero(flat).astype(np.int64, copy=False)
    if position.size == 0:
        raise ValueError("`seeds` must mark at least one pixel, got a marker image of zeros")
    named = flat[position]
    _check.labels(named, "seeds")
    _check.largest_label(named, "seeds")
    ids, first, which = np.unique(named, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(ids), dtype=np.int32)
    rank[order] = np.arange(1, len(ids) + 1, dtype=np.int32)
    return Seeds(position, rank[which], ids[order].astype(np.int64))


def space_apart(
    candidates: np.ndarray, shape: tuple[int, ...], min_distance: float, n_points: int | None
) -> np.ndarray:
    """Return the flat positions chosen in the order given, at least `min_distance` apart."""
    min_distance = min(min_distance, 1 + hypot(*shape))  # farther apart is no farther
    radius = ceil(min_distance) - 1 if min_distance > 0 else 0
    reach = [min(radius, side - 1) for side in shape]
    steps = np.indices([2 * r + 1 for r in reach]).reshape(len(shape), -1).T - reach
    near = (steps.astype(np.float64) ** 2).sum(axis=1) < float(min_distance) ** 2
    near |= ~steps.any(axis=1)
    padded = tuple(side + 2 * r for side, r in zip(shape, reach, strict=True))
    strides = strides_of(padded)
    place = (np.stack(np.unravel_index(candidates, shape), axis=-1) + reach) @ strides
    room = len(candidates) if n_points is None else min(n_points, len(candidates))
    chosen = np.empty(room, dtype=np.int64)
    n = space_out(
        np.ascontiguousarray(place, dtype=np.int64),
        np.ascontiguousarray(steps[near] @ strides, dtype=np.intp),
        np.ones(prod(padded), dtype=np.uint8),
        chosen,
    )
    index = np.stack(np.unravel_index(chosen[:n], padded), axis=-1) - reach
    return index @ strides_of(shape)
