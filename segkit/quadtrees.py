"""Quadtrees and octrees: an image split into blocks until each is homogeneous.

Split and merge (Horowitz and Pavlidis) looks at the whole image first.  If it is not
homogeneous it is cut into halves along every axis, four blocks in an image and eight in
a volume, and each of these is looked at in the same way.  What is left are large blocks
where nothing happens and small ones along the edges; merging those that are alike
undoes the cuts that the grid made, not the image.

What "homogeneous" means is the criterion: the range of the grey levels, their standard
deviation, their entropy, or any function of the pixels.

Limits.  Blocks lie on a grid that starts at the origin, so a shifted image gives other
blocks, and an edge that is not on the grid is followed by a staircase of small blocks.
One bad pixel splits every block that it is in when the criterion is the range: smooth
noisy images first, or take the deviation, or a `min_size` above 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product
from math import floor, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.entropy import find_entropy
from segkit_ext.leaves import count_leaves, fill_leaves, list_leaves, measure_leaves, stack_shape
from segkit_ext.pyramid import find_moments, find_range, find_spread

from . import _check, _dtypes

_CRITERIA = ("range", "std", "entropy")
_OPEN, _LEAF, _EMPTY = 0, 1, 2  # as in segkit_ext/blocks.pxd
_SLACK = 1e-9  # bits: what rounding may do to an entropy
_LARGEST_RANGE = (1 << 64) - 1
_EXACT_IN_DOUBLE = 1 << 53
_AXES = 4


@dataclass(frozen=True, eq=False, repr=False)
class Quadtree:
    """The leaves of a quadtree, an octree, or a binary tree: one row per leaf.

    Leaf ``i`` has label ``i + 1``.  Leaves are listed part by part, in raster order
    within the block they are parts of; with two axes that is the Z-order.  So the leaves
    under any block follow each other.

    Attributes
    ----------
    corner : (n, ndim) int64 array
        First pixel of each leaf.
    extent : (n, ndim) int64 array
        Pixels along each axis: a power of two, less where the image ends.
    depth : (n,) int64 array
        How often the image was cut to get there; 0 is the whole image.
    mean, variance : (n, C) float64 arrays
        Of the pixels of the leaf (those in the mask): population variance.
    size : (n,) int64 array
        Number of pixels (those in the mask).
    n_leaves : int
    shape : tuple of int
        Of the image, without channels.

    Examples
    --------
    >>> import segkit
    >>> tree = segkit.quadtree([[0, 0, 5, 9], [0, 0, 9, 5]], threshold=0)
    >>> tree.n_leaves
    5
    >>> tree.labels()
    array([[1, 1, 2, 3],
           [1, 1, 4, 5]], dtype=int32)
    >>> tree.level(1).labels()
    array([[1, 1, 2, 2],
           [1, 1, 2, 2]], dtype=int32)
    """

    shape: tuple[int, ...]
    corner: np.ndarray
    depth: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    size: np.ndarray
    _mask: np.ndarray | None = field(default=None)

    def __repr__(self) -> str:
        """Return the number of leaves and the shape."""
        return f"<Quadtree of {self.n_leaves} leaves, shape {self.shape}>"

    @property
    def n_leaves(self) -> int:
        """Return the number of leaves."""
        return len(self.corner)

    @cached_property
    def extent(self) -> np.ndarray:
        """Return the number of pixels of each leaf along each axis."""
        side = np.int64(1) << (_blocks(self.shape).top - self.depth)
        left = np.array(self.shape, dtype=np.int64) - self.corner
        return np.minimum(side[:, np.newaxis], left)

    def labels(self) -> np.ndarray:
        """Return the label image: leaf ``i`` is region ``i + 1``, 0 is outside the mask.

        Returns
        -------
        labels : int32 array of `shape`
            int64 from 2**31 pixels on.
        """
        blocks = _blocks(self.shape)
        labels = np.empty(prod(self.shape), dtype=_dtypes.label_dtype(prod(self.shape)))
        if self._mask is not None:
            labels[:] = 0
        fill_leaves(self.corner, blocks.top - self.depth, blocks.sides, labels)
        labels = labels.reshape(self.shape)
        return labels if self._mask is None else np.multiply(labels, self._mask, out=labels)

    def level(self, depth: int) -> Quadtree:
        """Return the tree cut at a depth: the state after so many rounds of splitting.

        Parameters
        ----------
        depth : int >= 0
            Leaves that lie deeper become one, up to the block of that depth they are in.

        Returns
        -------
        tree : Quadtree
        """
        depth = _check.integer(depth, "depth", low=0)
        if self.n_leaves == 0 or depth >= self.depth.max():
            return self
        shift = np.maximum(_blocks(self.shape).top - np.minimum(self.depth, depth), 0)
        corner = self.corner >> shift[:, np.newaxis] << shift[:, np.newaxis]
        begins = np.ones(self.n_leaves, dtype=bool)
        begins[1:] = (corner[1:] != corner[:-1]).any(axis=1)
        first = np.flatnonzero(begins)
        group = np.cumsum(begins) - 1

        size = np.add.reduceat(self.size, first)
        weight = (self.size / size[group])[:, np.newaxis]
        start = self.mean[first]
        mean = start + np.add.reduceat(weight * (self.mean - start[group]), first)
        spread = self.variance + (self.mean - mean[group]) ** 2
        variance = np.add.reduceat(weight * spread, first)
        depths = np.minimum(self.depth[first], depth)
        return Quadtree(self.shape, corner[first], depths, mean, variance, size, self._mask)


def quadtree(
    image: ArrayLike,
    *,
    threshold: float,
    criterion: str | Callable[[np.ndarray], float] = "range",
    min_size: int = 1,
    max_size: int | None = None,
    mask: ArrayLike | None = None,
    channel_axis: int | None = None,
) -> Quadtree:
    """Split an image into blocks until each is homogeneous.

    Parameters
    ----------
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        Real and finite, of 1 to 4 spatial dimensions and any sides: 2-D gives a quadtree,
        3-D an octree, 1-D a binary tree.
    threshold : float >= 0
        A block whose criterion is at most this is not split; in units of `criterion`.
    criterion : {"range", "std", "entropy"} or callable, default "range"
        What must not exceed the threshold in a block.

        "range"
            The largest value minus the least, in the channel where that is largest; grey
            levels.  Exact for all integers.
        "std"
            The root of the population variances summed over channels; grey levels.
        "entropy"
            Of the distinct values, in the channel where it is largest; bits per pixel.
            Integer images only.
        callable
            Called with the pixels of a block, (k, C), in raster order; returns a number.
            Only called where the sizes below leave a choice, from the largest block down.
    min_size : int >= 1, in pixels
        No block is split into blocks of a smaller side.
    max_size : int >= `min_size`, in pixels, optional
        Every block of a larger side is split, whatever the criterion.
    mask : bool array of the spatial shape, optional
        Only pixels inside count; blocks without any are left out.
    channel_axis : int, optional
        The axis of channels.  None: the image has one channel.

    Returns
    -------
    tree : Quadtree
        Its leaves as flat arrays; ``tree.labels()`` is the label image.

    Raises
    ------
    TypeError
        For a dtype that is not real, a float image with "entropy", a criterion that is
        neither a known word nor callable, or a callable that returns no number.
    ValueError
        For NaN or infinite values inside the mask, a threshold that is not finite and
        >= 0, sizes below 1, a `max_size` below `min_size`, a mask of another shape, a
        callable that returns NaN.

    See Also
    --------
    segkit.connected_components : joins equal pixels whatever their shape.

    Notes
    -----
    The root is the smallest cube of side 2^k at the origin that covers the image.  Blocks
    are cut where the image ends, and those that lie outside are left out; sizes and
    depths are those before cutting.

    Where `min_size` and `max_size` contradict each other, because no power of two lies
    between them, `max_size` decides.

    The deviation is computed from exact sums for 8- and 16-bit images, and for integers
    that span less than 2**16; in float64 otherwise, 64-bit integers less their least.  An
    entropy that exceeds the threshold by less than 1e-9 bits counts as equal.

    **Ties**: A criterion equal to the threshold stops.  Leaves are listed in the order
    that `Quadtree` describes.

    **Cost**: O(values) time and, until the tree is made, about 2 to 8 bytes for each
    value of a 2-D image; "entropy" O(values × depth).  Each leaf takes 24 + 8 ndim + 16 C
    bytes.

    Kernels: ``segkit_ext/pyramid.pyx``, ``segkit_ext/entropy.pyx``,
    ``segkit_ext/leaves.pyx``.  Plain version: ``tests/reference/quadtrees.py``.

    References
    ----------
    .. [1] S. L. Horowitz, T. Pavlidis, "Picture segmentation by a tree traversal
       algorithm", Journal of the ACM 23(2), 1976, :doi:`10.1145/321941.321956`.
    .. [2] R. A. Finkel, J. L. Bentley, "Quad trees: a data structure for retrieval on
       composite keys", Acta Informatica 4, 1974, :doi:`10.1007/BF00288933`.

    Examples
    --------
    >>> import segkit
    >>> tree = segkit.quadtree([[0, 1, 7, 7], [1, 0, 7, 7], [0, 2, 2, 2]], threshold=1)
    >>> tree.labels()
    array([[1, 1, 2, 2],
           [1, 1, 2, 2],
           [3, 4, 5, 5]], dtype=int32)
    >>> tree.mean.ravel().tolist()
    [0.5, 7.0, 0.0, 2.0, 2.0]
    """
    values = _check.channels_last(image, channel_axis)
    shape = values.shape[:-1]
    inside = _check.mask(mask, shape, "image")
    _check.refuse_not_finite(values, "image", inside=inside)
    limit = _check.number(threshold, "threshold")
    if not callable(criterion):
        criterion = _check.choice(criterion, "criterion", _CRITERIA)
    if criterion == "entropy" and values.dtype.kind == "f":
        raise TypeError(f'`image` must hold integers for "entropy", got dtype {values.dtype}')
    least = _check.integer(min_size, "min_size", low=1)
    most = None if max_size is None else _check.integer(max_size, "max_size", low=1)
    if most is not None and most < least:
        raise ValueError(f"`max_size` must be at least `min_size`, {least}, got {most}")

    blocks = _blocks(shape)
    problem = _Problem(
        values,
        _dtypes.kernel_values(values),
        inside,
        *_bounds_of_levels(blocks.top, least, most),
        limit,
    )
    stops = np.zeros(blocks.n_blocks, dtype=np.uint8)
    if values.size == 0:
        pass
    elif callable(criterion):
        _ask(problem, blocks, criterion, stops)
    else:
        {"range": _by_range, "std": _by_deviation, "entropy": _by_entropy}[criterion](
            problem, blocks, stops
        )
    return _tree(problem, blocks, stops)


class _Blocks(NamedTuple):
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
def _blocks(shape: tuple[int, ...]) -> _Blocks:
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
    return _Blocks(shape, *tables, n_blocks)


def _bounds_of_levels(top: int, min_size: int, max_size: int | None) -> tuple[int, int]:
    """Return the level below which nothing is split, and that above which everything is."""
    ceiling = top if max_size is None else min(top, max_size.bit_length() - 1)
    return min((min_size - 1).bit_length(), ceiling), ceiling


class _Problem(NamedTuple):
    """A checked call."""

    image: np.ndarray  # the caller's values, channels last
    values: np.ndarray  # the same in a kernel type
    inside: np.ndarray | None
    floor: int
    ceiling: int
    threshold: float | int

    @property
    def n_channels(self) -> int:
        """Return the number of channels."""
        return self.image.shape[-1]

    @property
    def mask(self) -> np.ndarray:
        """Return the mask as kernels take it: one byte per pixel, or none."""
        return _flat_mask(self.inside)

    def room(self, blocks: _Blocks, dtype: Any, *, per_block: int) -> np.ndarray:
        """Return workspace for the blocks of level 1."""
        return np.empty(prod(blocks.sides[min(1, blocks.top)].tolist()) * per_block, dtype=dtype)

    def row(self, dtype: Any, *, per_pixel: int) -> np.ndarray:
        """Return workspace for a row of pixels."""
        return np.empty(self.image.shape[-2] * per_pixel, dtype=dtype)


def _flat_mask(inside: np.ndarray | None) -> np.ndarray:
    if inside is None:
        return np.empty(0, dtype=np.uint8)
    return np.ascontiguousarray(inside).view(np.uint8).ravel()


def _by_range(problem: _Problem, blocks: _Blocks, stops: np.ndarray) -> None:
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


def _by_deviation(problem: _Problem, blocks: _Blocks, stops: np.ndarray) -> None:
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


def _by_entropy(problem: _Problem, blocks: _Blocks, stops: np.ndarray) -> None:
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
    problem: _Problem,
    blocks: _Blocks,
    criterion: Callable[[np.ndarray], float],
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
            pixels = problem.image[box] if problem.inside is None else None
            if pixels is None:
                assert problem.inside is not None
                pixels = problem.image[box][problem.inside[box]]
            pixels = pixels.reshape(-1, problem.n_channels)
            if len(pixels) == 0:
                states[place] = _EMPTY
            elif level <= problem.floor or (
                level <= problem.ceiling and _answer(criterion, pixels) <= problem.threshold
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


def _answer(criterion: Callable[[np.ndarray], float], pixels: np.ndarray) -> float:
    """Return what the caller's function says about the pixels of a block."""
    pixels = pixels.view()
    pixels.flags.writeable = False
    value = criterion(pixels)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"`criterion` must return a number, got {type(value).__name__}") from None
    if number != number:
        raise ValueError("`criterion` must return a number, got nan")
    return number


def _tree(problem: _Problem, blocks: _Blocks, stops: np.ndarray) -> Quadtree:
    """List and measure the leaves."""
    ndim, n_channels, mask = len(blocks.shape), problem.n_channels, problem.mask
    where = (stops, blocks.sides, blocks.first, mask)
    n = count_leaves(*where) if problem.values.size else 0
    corner = np.empty((n, ndim), dtype=np.int64)
    level = np.empty(n, dtype=np.int64)
    mean, variance = (np.empty((n, n_channels)) for _ in range(2))
    size = np.empty(n, dtype=np.int64)
    if n:
        stack = np.empty(stack_shape(blocks.top), dtype=np.intp)
        list_leaves(*where, stack, corner, level)
        start = np.empty(n * n_channels, dtype=problem.values.dtype)
        measure_leaves(
            problem.values.ravel(), mask, n_channels, corner, level, blocks.sides,
            start, mean, variance, size,
        )  # fmt: skip
        mean += _dtypes.original_values(start, problem.image.dtype).reshape(mean.shape)
    kept = None if problem.inside is None else problem.inside.copy()
    return Quadtree(blocks.shape, corner, blocks.top - level, mean, variance, size, kept)
