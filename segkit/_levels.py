"""The levels of a relief, laid out for a flood.

A flood takes pixels level by level.  For 8- and 16-bit images the levels are
the grey values themselves; for every other type the pixels are sorted once and
the level is the rank of a value among the distinct values, which keeps 64-bit
integers and floats exact.  Either way the kernel sees small integers.

Axes of length 1 are dropped first: they have no neighbors, and a column of n
pixels would otherwise carry a border of 2n.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from segkit_ext.flood import load
from segkit_ext.sort import load_keys, order_pairs, radix_sort, rank

from . import _dtypes, _grid

_UNSIGNED: dict[int, np.dtype] = {4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}
_DIGIT_BITS = 11  # as in the kernel


class Basins(NamedTuple):
    """What a flood works on: the state of every pixel, and the slots of every level."""

    state: np.ndarray  # padded, flat; see the kernel
    slots: np.ndarray  # positions, those of a level together
    first: np.ndarray  # (levels + 1,): the first slot of each level
    ranked: bool  # the slots hold the sorted pixels already; else they are empty


class Grid(NamedTuple):
    """How a flood moves on the padded array."""

    shape: tuple[int, ...]  # without axes of length 1, not padded
    offsets: np.ndarray  # to the neighbors
    rows_ahead: np.ndarray  # to the rows that hold them, for prefetching
    row_starts: np.ndarray

    @property
    def size(self) -> int:
        """Return the number of padded pixels."""
        return prod(_grid.padded_shape(self.shape))

    def interior(self, state: np.ndarray) -> np.ndarray:
        """Return the view of a padded flat array on the image's pixels."""
        return _grid.interior(state.reshape(_grid.padded_shape(self.shape)))


def grid(shape: tuple[int, ...], connectivity: int) -> Grid:
    """Return the grid of an image, axes of length 1 dropped."""
    short = tuple(side for side in shape if side != 1) or (1,)
    ndim = len(short)
    connectivity = min(connectivity, ndim)
    offsets = _grid.neighbor_offsets(short, connectivity)
    strides = _grid.strides_of(_grid.padded_shape(short))
    rows_ahead = _grid.row_steps(ndim, connectivity) @ strides[:-1]
    return Grid(short, offsets, rows_ahead, _grid.row_starts(short))


def basins(values: np.ndarray, mask: np.ndarray | None, where: Grid, word: np.dtype) -> Basins:
    """Return the state and the empty slots for a flood over `values`.

    `values` are of a kernel type and C-contiguous, without NaN inside `mask`.
    """
    state = np.zeros(where.size, dtype=word)
    if values.dtype.itemsize <= 2:
        counts = np.zeros((1 << (8 * values.dtype.itemsize)) + 1, dtype=word)
        load(values.reshape(-1), _flat_mask(mask), where.row_starts, state, counts[1:])
        first = np.cumsum(counts, dtype=word)
        return Basins(state, np.empty(int(first[-1]), dtype=word), first, False)

    keys, positions = sort_keys(values, mask, where, word)
    keys, slots = sorted_pairs(keys, positions)
    del positions
    first = np.empty(slots.size + 1, dtype=word)
    n_levels = rank(keys, slots, state, first)
    return Basins(state, slots, first[: n_levels + 1], True)


def word_type(values: np.ndarray, where: Grid, sources: int = 0) -> np.dtype:
    """Return the type for the state: it holds positions, and doubled levels of a ranked relief."""
    levels = 1 << 18 if values.dtype.itemsize <= 2 else 2 * (where.size + sources)
    return _dtypes.label_dtype(max(where.size + sources, levels))


def heights(values: np.ndarray, below: Basins, where: Grid) -> np.ndarray:
    """Return the value of each level, increasing.  Call it before the slots are used."""
    if not below.ranked:
        return np.arange(below.first.size - 1, dtype=np.int64)
    positions = below.slots[below.first[:-1]]
    return values.reshape(-1)[_grid.flat_index(positions, where.shape)]


def _flat_mask(mask: np.ndarray | None) -> np.ndarray:
    if mask is None:
        return np.empty(0, dtype=np.uint8)
    return np.ascontiguousarray(mask).view(np.uint8).reshape(-1)


def sort_keys(
    values: np.ndarray, mask: np.ndarray | None, where: Grid, word: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Return unsigned keys in the order of 32- or 64-bit values, and the padded positions."""
    bits = values.reshape(-1).view(_UNSIGNED[values.dtype.itemsize])
    keys, positions = np.empty_like(bits), np.empty(bits.size, dtype=word)
    is_float = values.dtype.kind == "f"
    n = load_keys(bits, is_float, _flat_mask(mask), where.row_starts, keys, positions)
    return keys[:n], positions[:n]


def order(values: np.ndarray) -> np.ndarray:
    """Return the positions of flat 32- or 64-bit values in increasing order, ties as they stand.

    Unlike NumPy's sort, Ctrl-C can stop it.
    """
    bits = values.view(_UNSIGNED[values.dtype.itemsize])
    keys, positions = np.empty_like(bits), np.empty(bits.size, _dtypes.index_dtype(bits.size))
    row = np.zeros(1, dtype=np.intp)
    load_keys(bits, values.dtype.kind == "f", _flat_mask(None), row, keys, positions)
    return sorted_pairs(keys, positions)[1]


def order_of_pairs(u: np.ndarray, v: np.ndarray, n: int) -> np.ndarray:
    """Return the positions of pairs of intp below n in the order of u, then of v, then as given."""
    spare, order = np.empty_like(u), np.empty_like(u)
    order_pairs(u, v, np.empty(n, dtype=np.intp), spare, order)
    return order


def sorted_pairs(keys: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return keys in increasing order and their items, equal keys in the order given.

    Both arrays are used as workspace.
    """
    spare_keys, spare_items = np.empty_like(keys), np.empty_like(items)
    passes = -(-8 * keys.dtype.itemsize // _DIGIT_BITS)
    counts = np.zeros((passes, 1 << _DIGIT_BITS), dtype=np.int64)
    moved = radix_sort(keys, items, spare_keys, spare_items, counts)
    return (keys, items) if moved % 2 == 0 else (spare_keys, spare_items)
