"""The edges between neighboring pixels, weakest first, for methods that join along them.

Both direct merging methods start from the same list: every pair of neighbors, in the
order of how much the two differ, equal pairs in raster order of their first pixel, then
of their second.  Differences in images of few levels are rounded to 12 significant
bits, which keeps small integers, and sorted by counting; others by radix, exactly.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from segkit_ext.pixel_edges import (
    dropped_bits,
    level_edges,
    list_edges,
    n_levels,
    place_edges,
)
from segkit_ext.sort import radix_sort

from . import _dtypes, _grid

_AXES = 4
_DIGIT_BITS = 11  # of segkit_ext/sort.pyx


class PixelEdges(NamedTuple):
    """Sorted edges, numbered ``pixel << shift | step``."""

    edges: np.ndarray
    ends: np.ndarray  # the place behind the last edge of each level; empty without levels
    keys: np.ndarray  # the difference of each level, or of each edge without levels
    offsets: np.ndarray  # by step, from a pixel to the one that follows it
    shift: int


def sorted_edges(
    planes: np.ndarray, connectivity: int, *, largest: bool, most: float | None
) -> PixelEdges:
    """Return the edges of an image, (channels, ...) of floats, one pixel at least.

    Differences are Euclidean, or those of the channel where they are `largest`.  If they
    cannot exceed `most`, in float32, they are rounded down to 12 significant bits, and to
    0 below `most` / 2**31.
    """
    shape = planes.shape[1:]
    following = _grid.neighbor_steps(len(shape), connectivity)
    following = following[[tuple(step) > (0,) * len(shape) for step in following.tolist()]]
    steps = np.zeros((len(following), _AXES), dtype=np.intp)
    steps[:, _AXES - len(shape) :] = following[np.lexsort(following.T[::-1])]
    sides = np.array((1,) * (_AXES - len(shape)) + shape, dtype=np.intp)
    offsets = steps @ _grid.strides_of(tuple(sides.tolist()))
    shift = max(len(steps) - 1, 0).bit_length()

    n_pixels = prod(shape)
    n_edges = sum(
        prod(max(side - abs(by), 0) for side, by in zip(shape, step, strict=True))
        for step in following.tolist()
    )
    edges = np.empty(n_edges, dtype=_dtypes.label_dtype(n_pixels << shift))
    values = planes.reshape(len(planes), n_pixels)
    near = np.empty((len(steps), shape[-1]), dtype=planes.dtype)
    if most is not None:
        levels = np.empty((len(steps), n_pixels), dtype=np.uint16)
        counts = np.zeros(n_levels(), dtype=np.int64)
        lowest, keys = _levels_below(most)
        level_edges(values, sides, steps, largest, lowest, near, levels, counts)
        counts[-1] = 0
        ends = np.cumsum(counts)
        ends -= counts
        place_edges(levels, ends, shift, edges)
        return PixelEdges(edges, ends, keys, offsets, shift)

    keys = np.empty(n_edges, dtype=planes.dtype)
    list_edges(values, sides, steps, largest, near, shift, keys, edges)
    bits = 8 * keys.dtype.itemsize
    spare_keys, spare_edges = np.empty_like(keys), np.empty_like(edges)
    passes = np.zeros((-(-bits // _DIGIT_BITS), 1 << _DIGIT_BITS), dtype=np.int64)
    word = f"u{bits // 8}"  # differences are not below 0: their bits are in their order
    if radix_sort(keys.view(word), edges, spare_keys.view(word), spare_edges, passes) % 2:
        keys, edges = spare_keys, spare_edges
    return PixelEdges(edges, np.empty(0, dtype=np.int64), keys, offsets, shift)


@lru_cache(maxsize=8)
def _levels_below(most: float) -> tuple[int, np.ndarray]:
    """Return the upper bits of the largest difference of level 0, and that of each level."""
    octaves = 31  # times 2048 levels: 2**16 - 2048
    top = (np.float32(most).view(np.int32) >> dropped_bits()) | 2047
    lowest = int(top) - octaves * 2048
    bits = np.arange(n_levels(), dtype=np.int32) + np.int32(lowest)
    keys = (np.minimum(bits, top) << dropped_bits()).view(np.float32)
    keys[0] = 0
    keys.setflags(write=False)  # calls share them
    return lowest, keys
