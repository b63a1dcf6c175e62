"""Which blocks of a quadtree are homogeneous: the pyramid, and who is asked about it.

Level 0 of the pyramid has the pixels, the last one block.  For each block of the other
levels one byte says whether it is split, a leaf, or empty, should it be reached from
above; `quadtrees` then lists what is reached.  Range and deviation come from below, in
one pass over the image; entropy and callables are asked from above, only for blocks that
are reached.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from math import floor, prod
from typing import Any, NamedTuple

import numpy as np

from segkit_ext.entropy import find_entropy
from segkit_ext.pyramid import find_moments, find_range, find_spread

CRITERIA = ("range", "std", "entropy")
_LEAF, _EMPTY = 1, 2  # as in segkit_ext/blocks.pxd; a block that is split is 0
_SLACK = 1e-9  # bits: what rounding may do to an entropy
_AXES = 4


class Blocks(NamedTuple):
    """How many blocks there are on each level, from the pixels to the root."""

    shape: tuple[int, ...]
    sides: np.ndarray  # (levels, 4): blocks along each axis, leading axes 1
    first: np.ndarray  # (levels,): where the states of a level begin; none for the pixels
    n_blocks: int  # on all levels but that of the pixels

    @property
    def top(self) -> int:
        """Return the level of the root."""
        return len(self.sides) - 1


@lru_cache(maxsize=64)
def blocks_over(shape: tuple[int, ...]) -> Blocks:
    """Return the pyramid of blocks over an image."""
    top = max(max(shape) - 1, 0).bit_length()
    padded = (1,) * (_AXES - len(shape)) + shape
    sides = [[-(-side >> level) for side in padded] for level in range(top + 1)]
    first, n_blocks = [0], 0
    for level in range(1, top + 1):
        first.append(n_blocks)
        n_blocks += prod(sides[level])
    tables = (np.array(sides, dtype=np.intp), np.array(first, dtype=np.intp))
    for table in tables:
        table.setflags(write=False)  # calls share them
    return Blocks(shape, *tables, n_blocks)


def bounds_of_levels(top: int, min_size: int, max_size: int | None) -> tuple[int, int]:
    """Return the level below which nothing is split, and that above which everything is."""
    ceiling = top if max_size is None else min(top, max_size.bit_length() - 1)
    return min((min_size - 1).bit_length(), ceiling), ceiling


class Problem(NamedTuple):
    """A checked call."""

    image: np.ndarray  # the caller's values, channels last
    values: np.ndarray  # the same in a kernel type
    inside: np.ndarray | None
    floor: int
    ceiling: int
    threshold: float | int

    @property
    def blocks(self) -> Blocks:
        """Return the pyramid."""
        return blocks_over(self.image.shape[:-1])

    @property
    def n_channels(self) -> int:
        """Return the number of channels."""
        return self.image.shape[-1]

    @property
    def mask(self) -> np.ndarray:
        """Return the mask as kernels take it: one byte per pixel, or none."""
        return _flat_mask(self.inside)

    def room(self, blocks: Blocks, dtype: Any, *, per_block: int) -> np.ndarray:
        """Return workspace for the blocks of level 1."""
        return np.empty(prod(blocks.sides[min(1, blocks.top)].tolist()) * per_block, dtype=dtype)

    def row(self, dtype: Any, *, per_pixel: int) -> np.ndarray:
        """Return workspace for a row of pixels."""
        return np.empty(self.image.shape[-2] * per_pixel, dtype=dtype)


def _flat_mask(inside: np.ndarray | None) -> np.ndarray:
    if inside is None:
        return np.empty(0, dtype=np.uint8)
    return np.ascontiguousarray(inside).view(np.uint8).ravel()


def states_of_blocks(problem: Problem, criterion: Any, name: str) -> np.ndarray:
    """Return the state of every block; `name` is what the caller knows the criterion by."""
    blocks = problem.blocks
    stops = np.zeros(blocks.n_blocks, dtype=np.uint8)
    if problem.image.size == 0:
        return stops
    if callable(criterion):
        _ask(problem, blocks, criterion, name, stops)
    else:
        {"range": _by_range, "std": _by_deviation, "entropy": _by_entropy}[criterion](
            problem, blocks, stops
        )
    return stops


def _by_range(problem: Problem, blocks: Blocks, stops: np.ndarray) -> None:
    """Find the blocks of small range."""
    values, n = problem.values, problem.n_channels
    if values.dtype.kind == "f":
        steps = 0
    else:
        steps = min(floor(problem.threshold), (1 << 8 * values.dtype.itemsize) - 1)
    low, high = (problem.room(blocks, values.dtype, per_block=n) for _ in range(2))
    row_low, row_high = (problem.row(values.dtype, per_pixel=n) for _ in range(2))
    find_range(
        values.ravel(), problem.mask, n, blocks.sides, blocks.first, problem.floor,
        problem.ceiling, steps, float(problem.threshold), low, high, row_low, row_high, stops,
    )  # fmt: skip


def _by_deviation(problem: Problem, blocks: Blocks, stops: np.ndarray) -> None:
    """Find the blocks of small deviation."""
    values, n, masked = _narrowed(problem.values), problem.n_channels, problem.inside is not None
    levels = (blocks.sides, blocks.first, problem.floor, problem.ceiling, float(problem.threshold))
    if values.dtype.kind == "f":
        moments = [problem.room(blocks, np.float64, per_block=n) for _ in range(3)]
        row = problem.row(np.float64, per_pixel=3 * n).reshape(3, -1)
        find_moments(values.ravel(), problem.mask, n, *levels, *moments, row, stops)
        return
    counts = problem.room(blocks, np.int64, per_block=int(masked))
    sums, squares = (problem.room(blocks, np.int64, per_block=n) for _ in range(2))
    rows = [problem.row(np.int64, per_pixel=per) for per in (n, n, int(masked))]
    rows.append(problem.row(np.uint32, per_pixel=n))
    find_spread(values.ravel(), problem.mask, n, *levels, sums, squares, counts, *rows, stops)


def _narrowed(values: np.ndarray) -> np.ndarray:
    """Return values less their least as uint16 where that holds them, else as floats."""
    if values.dtype.kind == "f" or values.dtype.itemsize <= 2:
        return values
    low = values.min()
    span = int(values.max()) - int(low)
    bits = values.dtype.itemsize * 8
    return (values.view(f"u{bits // 8}") - low.view(f"u{bits // 8}")).astype(
        np.uint16 if span < 1 << 16 else np.float64
    )


def _by_entropy(problem: Problem, blocks: Blocks, stops: np.ndarray) -> None:
    """Find the blocks of few bits."""
    ranks = problem.values.ravel()
    n_values = 1 << 8 * ranks.dtype.itemsize
    if ranks.dtype.itemsize > 2:
        distinct, ranks = np.unique(ranks, return_inverse=True)
        ranks, n_values = ranks.astype(np.int64, copy=False), len(distinct)
    find_entropy(
        ranks, problem.mask, problem.n_channels, blocks.sides, blocks.first, problem.floor,
        problem.ceiling, problem.threshold + _SLACK, np.zeros(n_values, dtype=np.int64), stops,
    )  # fmt: skip


def _ask(
    problem: Problem,
    blocks: Blocks,
    criterion: Callable[[np.ndarray], float],
    name: str,
    stops: np.ndarray,
) -> None:
    """Ask a function for every block that is reached and may be split."""
    ndim = len(blocks.shape)
    sides = blocks.sides[:, _AXES - ndim :].tolist()
    reached = [(0,) * ndim]
    for level in range(blocks.top, 0, -1):
        start = int(blocks.first[level])
        states = stops[start : start + prod(sides[level])].reshape(sides[level])
        opened = []
        for place in reached:
            box = tuple(slice(at << level, at + 1 << level) for at in place)
            pixels = problem.image[box]
            if problem.inside is not None:
                pixels = pixels[problem.inside[box]]
            pixels = pixels.reshape(-1, problem.n_channels)
            if len(pixels) == 0:
                states[place] = _EMPTY
            elif level <= problem.floor or (
                level <= problem.ceiling and _answer(criterion, name, pixels) <= problem.threshold
            ):
                states[place] = _LEAF
            else:
                opened.append(place)
        reached = [
            part
            for place in opened
            for part in product(*(range(2 * at, 2 * at + 2) for at in place))
            if all(at < side for at, side in zip(part, sides[level - 1], strict=True))
        ]


def _answer(criterion: Callable[[np.ndarray], float], name: str, pixels: np.ndarray) -> float:
    """Return what the caller's function says about the pixels of a block."""
    pixels = pixels.view()
    pixels.flags.writeable = False
    value = criterion(pixels)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"`{name}` must return a number, got {type(value).__name__}") from None
    if number != number:
        raise ValueError(f"`{name}` must return a number, got nan")
    return number
