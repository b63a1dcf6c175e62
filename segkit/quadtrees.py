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
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.adjoin import count_pairs_of_leaves, list_pairs_of_leaves
from segkit_ext.leaves import (
    count_leaves,
    fill_leaves,
    list_leaves,
    measure_leaves,
    stack_shape,
)

from . import _check, _dtypes
from ._splitting import CRITERIA, Problem, blocks_over, bounds_of_levels, states_of_blocks
from .graphs import RegionGraph, _measured_values, region_graph
from .merging import _merged

_MERGE_CRITERIA = ("range", "mean", "ward", "student", "baatz_schape")  # those without strength


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
    mean: np.ndarray
    variance: np.ndarray
    _level: np.ndarray  # uint8: the side before cutting is 2**level
    _mask: np.ndarray | None = None
    _inside: np.ndarray | None = None  # with a mask, the pixels of each leaf in it

    def __repr__(self) -> str:
        """Return the number of leaves and the shape."""
        return f"<Quadtree of {self.n_leaves} leaves, shape {self.shape}>"

    @property
    def n_leaves(self) -> int:
        """Return the number of leaves."""
        return len(self.corner)

    @cached_property
    def depth(self) -> np.ndarray:
        """Return how often the image was cut to get to each leaf."""
        return blocks_over(self.shape).top - self._level.astype(np.int64)

    @cached_property
    def size(self) -> np.ndarray:
        """Return the number of pixels of each leaf, those in the mask."""
        return self.extent.prod(axis=1) if self._inside is None else self._inside

    @cached_property
    def extent(self) -> np.ndarray:
        """Return the number of pixels of each leaf along each axis."""
        side = np.int64(1) << self._level.astype(np.int64)
        left = np.array(self.shape, dtype=np.int64) - self.corner
        return np.minimum(side[:, np.newaxis], left)

    def labels(self) -> np.ndarray:
        """Return the label image: leaf ``i`` is region ``i + 1``, 0 is outside the mask.

        Returns
        -------
        labels : int32 array of `shape`
            int64 from 2**31 pixels on.
        """
        blocks = blocks_over(self.shape)
        labels = np.empty(prod(self.shape), dtype=_dtypes.label_dtype(prod(self.shape)))
        if self._mask is not None:
            labels[:] = 0
        fill_leaves(self.corner, self._level, blocks.sides, labels)
        labels = labels.reshape(self.shape)
        return labels if self._mask is None else np.multiply(labels, self._mask, out=labels)

    def graph(
        self, image: ArrayLike | None = None, *, channel_axis: int | None = None
    ) -> RegionGraph:
        """Return the region graph of the leaves, as `region_graph` would of `labels()`, sooner.

        Neighbors share a face.

        Parameters
        ----------
        image : (...) array, optional
            Values under the leaves, of the shape of the tree, of any real type, with
            channels along `channel_axis`.  Need not be what the tree was made from.
        channel_axis : int, optional
            Axis of channels in `image`; None: one channel.

        Returns
        -------
        graph : RegionGraph
            Node ``i`` is leaf ``i``, its label ``i + 1``.

        Raises
        ------
        TypeError
            An image that is not real.
        ValueError
            An image of another shape; NaN or infinite values in leaves.

        Notes
        -----
        Boxes tell the sizes, places and contacts of leaves, so that pixels are only read
        for their values: some 2 to 3 times faster than through the label image.  With a
        mask leaves are no boxes, and it is made from the label image.

        **Ties**: none.  **Cost**: O(pixels + leaves).

        Kernel: ``segkit_ext/adjoin.pyx``.  Plain version: ``tests/reference/graphs.py``.

        Examples
        --------
        >>> import segkit
        >>> image = [[0, 0, 5, 9], [0, 0, 9, 5]]
        >>> graph = segkit.quadtree(image, threshold=0).graph(image)
        >>> graph
        RegionGraph(5 regions, 6 edges, 1 channel)
        >>> graph.u, graph.v, graph.contact
        (array([0, 0, 1, 1, 2, 3]), array([1, 3, 2, 3, 4, 4]), array([1, 1, 1, 1, 1, 1]))
        """
        if image is None and channel_axis is not None:
            raise ValueError("`channel_axis` must be None without an `image`")
        values = None
        if image is not None:
            values = _check.channels_last(image, channel_axis)
            blocks = np.broadcast_to(np.uint8(0), self.shape)
            _check.same_shape(blocks, "tree", values.shape[:-1], "image")
            _check.refuse_not_finite(values, "image", inside=self._mask)
        return _graph_of(self, self.labels(), values)

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
        least = blocks_over(self.shape).top - depth
        if self.n_leaves == 0 or least <= self._level.min():
            return self
        level = np.maximum(self._level, np.uint8(least))
        shift = level.astype(np.int64)
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
        inside = None if self._mask is None else size
        return Quadtree(self.shape, corner[first], mean, variance, level[first], self._mask, inside)


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
    segkit.split_and_merge : merges the blocks afterwards.
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
    value of a 2-D image; "entropy" O(values × depth).  Each leaf takes 1 + 8 ndim + 16 C
    bytes; `depth`, `size` and `extent` are made when first asked for.

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
    limit = _check.number(threshold, "threshold")
    least = _check.integer(min_size, "min_size", low=1)
    most = None if max_size is None else _check.integer(max_size, "max_size", low=1)
    if most is not None and most < least:
        raise ValueError(f"`max_size` must be at least `min_size`, {least}, got {most}")
    criterion = _checked_criterion(criterion, "criterion", CRITERIA)
    values, inside = _checked_image(image, mask, channel_axis, criterion)
    return _split(values, inside, limit, criterion, "criterion", least, most)


def split_and_merge(
    image: ArrayLike,
    *,
    split_threshold: float,
    merge_threshold: float | None = None,
    n_regions: int | None = None,
    split_criterion: str | Callable[[np.ndarray], float] = "range",
    merge_criterion: str | Callable[..., Any] = "range",
    min_size: int = 1,
    mask: ArrayLike | None = None,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Split an image into homogeneous blocks, then merge those that belong together.

    Parameters
    ----------
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        Real and finite, of 1 to 4 spatial dimensions and any sides.
    split_threshold : float >= 0
        A block whose criterion is at most this is not split; see `segkit.quadtree`.
    merge_threshold : float >= 0, optional
        Neighbors are merged, the cheapest pair first, until the cheapest costs more; see
        `segkit.merge_regions`.  None: `split_threshold`, unless `n_regions` is given.
    n_regions : int, optional
        Merge until so many regions are left, instead of a threshold.
    split_criterion : {"range", "std", "entropy"} or callable, default "range"
        What makes a block homogeneous, as in `segkit.quadtree`.
    merge_criterion : str or callable, default "range"
        What it costs to merge two neighbors: "range", "mean", "ward", "student",
        "baatz_schape" or a callable, as in `segkit.merge_tree`.
    min_size : int >= 1, in pixels
        No block is split into blocks of a smaller side.
    mask : bool array of the spatial shape, optional
        Only pixels inside count; others get label 0.
    channel_axis : int, optional
        The axis of channels.  None: the image has one channel.

    Returns
    -------
    labels : int32 array of the spatial shape
        Regions 1..n in raster order of their first pixel, 0 outside the mask.  int64 from
        2**31 pixels on.

    Raises
    ------
    TypeError
        For a dtype that is not real, a float image with "entropy", a criterion that is
        neither a known word nor callable.
    ValueError
        For NaN or infinite values inside the mask, thresholds that are not finite and
        >= 0, both `merge_threshold` and `n_regions`, less `n_regions` than parts that do
        not touch, a mask of another shape.

    See Also
    --------
    segkit.quadtree : the blocks, and the rounds of splitting.
    segkit.merge_regions : merging alone, with more criteria and parameters.

    Notes
    -----
    With "range" for both, and one threshold, this is the textbook's algorithm: no region
    has a range above the threshold, and no two neighbors could be merged without one.
    Neighbors share a face.  A block whose pixels a mask cuts apart stays one region.

    **Ties**: As in `segkit.merge_regions`, blocks in the order of `segkit.Quadtree`.

    **Cost**: O(values) to split, then O(blocks log blocks).

    Kernels: ``segkit_ext/pyramid.pyx``, ``segkit_ext/leaves.pyx``,
    ``segkit_ext/adjoin.pyx``, ``segkit_ext/merge.pyx``.  Plain versions:
    ``tests/reference/quadtrees.py``, ``tests/reference/merging.py``.

    References
    ----------
    .. [1] S. L. Horowitz, T. Pavlidis, "Picture segmentation by a tree traversal
       algorithm", Journal of the ACM 23(2), 1976, :doi:`10.1145/321941.321956`.

    Examples
    --------
    >>> import segkit
    >>> image = [[0, 1, 7, 7], [1, 0, 7, 7], [0, 2, 2, 7], [9, 9, 2, 7]]
    >>> segkit.split_and_merge(image, split_threshold=2)
    array([[1, 1, 2, 2],
           [1, 1, 2, 2],
           [1, 1, 1, 2],
           [3, 3, 1, 2]], dtype=int32)
    """
    limit = _check.number(split_threshold, "split_threshold")
    if merge_threshold is not None and n_regions is not None:
        raise ValueError("at most one of `merge_threshold` and `n_regions` may be given")
    if n_regions is not None:
        n_regions = _check.integer(n_regions, "n_regions", low=0)
    elif merge_threshold is None:
        merge_threshold = limit
    else:
        merge_threshold = _check.number(merge_threshold, "merge_threshold")
    least = _check.integer(min_size, "min_size", low=1)
    split_criterion = _checked_criterion(split_criterion, "split_criterion", CRITERIA)
    merge_criterion = _checked_criterion(merge_criterion, "merge_criterion", _MERGE_CRITERIA)
    values, inside = _checked_image(image, mask, channel_axis, split_criterion)

    tree = _split(values, inside, limit, split_criterion, "split_criterion", least, None)
    blocks = tree.labels()
    parameters = {
        "shape_weight": 0.1 if len(tree.shape) == 2 else 0.0,
        "compactness_weight": 0.5,
        "channel_weights": None,
        "strength_weight": 0.5,
    }
    most = np.inf if merge_threshold is None else float(merge_threshold)
    graph = _graph_of(tree, blocks, values)
    return _merged(blocks, graph, merge_criterion, parameters, most, n_regions, 1)


def _graph_of(tree: Quadtree, labels: np.ndarray, values: np.ndarray | None) -> RegionGraph:
    """Return the region graph of the leaves; `values` are checked, channels last."""
    if tree._mask is not None or labels.size == 0 or labels.dtype != np.int32:
        return region_graph(labels, values, channel_axis=None if values is None else -1)
    u, v, contact = _pairs_of_leaves(tree, labels)
    corner, extent, size = tree.corner, tree.extent, tree.size
    sides = list(extent.T)
    faces = [prod(sides[:axis] + sides[axis + 1 :]) for axis in range(len(sides))]
    n = tree.n_leaves
    return RegionGraph(
        label=np.arange(1, n + 1),
        size=size.copy(),
        bbox=np.stack([corner, corner + extent], axis=-1),
        position_sum=(2 * corner + extent - 1) * size[:, np.newaxis] >> 1,
        perimeter=2 * sum(faces, np.zeros(n, dtype=np.int64)),
        u=u,
        v=v,
        contact=contact,
        faces=contact,
        **_measured_values(labels, values, n + 1, np.arange(1, n + 1)),
    )


def _pairs_of_leaves(
    tree: Quadtree, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs of leaves that share a face, and its size."""
    where = (tree.corner, tree._level, blocks_over(tree.shape).sides, labels.ravel())
    begins = np.zeros(tree.n_leaves + 2, dtype=np.intp)
    m = count_pairs_of_leaves(*where, begins)
    u, v, contact = np.empty(m, np.intp), np.empty(m, np.intp), np.empty(m, np.int64)
    if m:
        list_pairs_of_leaves(*where, begins, u, v, contact)
    return u, v, contact


def _checked_criterion(criterion: Any, name: str, accepted: tuple[str, ...]) -> Any:
    """Return a known word, or anything that can be called."""
    return criterion if callable(criterion) else _check.choice(criterion, name, accepted)


def _checked_image(
    image: ArrayLike, mask: ArrayLike | None, channel_axis: int | None, criterion: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the values, channels last, and the mask."""
    values = _check.channels_last(image, channel_axis)
    inside = _check.mask(mask, values.shape[:-1], "image")
    _check.refuse_not_finite(values, "image", inside=inside)
    if criterion == "entropy" and values.dtype.kind == "f":
        raise TypeError(f'`image` must hold integers for "entropy", got dtype {values.dtype}')
    return values, inside


def _split(
    values: np.ndarray,
    inside: np.ndarray | None,
    threshold: float | int,
    criterion: Any,
    name: str,
    min_size: int,
    max_size: int | None,
) -> Quadtree:
    """Split checked values; `name` is what the caller knows the criterion by."""
    problem = Problem(
        values,
        _dtypes.kernel_values(values),
        inside,
        *bounds_of_levels(blocks_over(values.shape[:-1]).top, min_size, max_size),
        threshold,
    )
    return _tree(problem, states_of_blocks(problem, criterion, name))


def _tree(problem: Problem, stops: np.ndarray) -> Quadtree:
    """List and measure the leaves."""
    blocks = problem.blocks
    ndim, n_channels, mask = len(blocks.shape), problem.n_channels, problem.mask
    where = (stops, blocks.sides, blocks.first, mask)
    n = count_leaves(*where) if problem.values.size else 0
    corner = np.empty((n, ndim), dtype=np.int64)
    level = np.empty(n, dtype=np.uint8)
    mean, variance = (np.empty((n, n_channels)) for _ in range(2))
    size = np.empty(n if len(mask) else 0, dtype=np.int64)
    if n:
        stack = np.empty(stack_shape(blocks.top), dtype=np.intp)
        list_leaves(*where, stack, corner, level)
        start = np.empty(n * n_channels, dtype=problem.values.dtype)
        measure_leaves(
            problem.values.ravel(), mask, n_channels, corner, level, blocks.sides,
            start, mean, variance, size,
        )  # fmt: skip
        mean += _dtypes.original_values(start, problem.image.dtype).reshape(mean.shape)
    if problem.inside is None:
        return Quadtree(blocks.shape, corner, mean, variance, level)
    return Quadtree(blocks.shape, corner, mean, variance, level, problem.inside.copy(), size)
