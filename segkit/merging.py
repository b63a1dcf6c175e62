"""Merging regions: the most similar neighbors first, until all are one.

Start from many small regions: quadtree leaves, basins of a watershed, zones of
a gradient.  Find the two neighbors that are cheapest to merge, merge them,
look again.  Written down, the order of merging is a binary tree, and the tree
answers every question at once: cut it at any level, or at any number of
regions, and read off a partition; partitions at lower levels refine those at
higher ones.

What is cheap is the criterion: nearly equal means, little growth of the total
variance, a weak contour between the two.  Each is known for some vice: means
alone merge along gradients, a step at a time ("mean", "strength"), growth of
variance shies away from large regions ("ward"), and a greedy choice is never
taken back.  Regions that do not touch are never merged before the very end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.tree import find_tops, order_leaves

from . import _check, _criteria, _greedy
from .graphs import RegionGraph, _drawn, region_graph
from .labels import _numbered


@dataclass(frozen=True, eq=False, repr=False)
class MergeTree:
    """The order in which regions were merged: a binary tree with levels.

    Nodes 0 to n - 1 are the regions, in the order of the graph; node n + k is
    what the k-th merge made, and the last node is the root.

    Attributes
    ----------
    label : (n,) int64 array
        The id of each region.
    parent : (2n - 1,) intp array
        The node that each became part of; the root is its own.
    level : (2n - 1,) float64 array
        What the merge cost; 0 for regions.  Never lower than at the node's
        children: a merge that would be cheaper than one that it needed is lifted
        to the level of that one.
    n_components : int
        Number of parts that do not touch; they are joined last, at level inf.
    criterion : str
        By which they were merged; the name of a callable has () behind it.

    Examples
    --------
    >>> import segkit
    >>> tree = segkit.merge_tree(segkit.region_graph([1, 2, 3, 4], [1, 2, 9, 12]))
    >>> tree
    MergeTree(4 regions, by "mean")
    >>> tree.parent, tree.level
    (array([4, 4, 5, 5, 6, 6, 6]), array([0., 0., 0., 0., 1., 3., 9.]))
    >>> tree.labels([1, 2, 3, 4], n_regions=2)
    array([1, 1, 2, 2], dtype=int32)
    """

    label: np.ndarray
    parent: np.ndarray
    level: np.ndarray
    n_components: int = 1
    criterion: str = "mean"

    @property
    def n_regions(self) -> int:
        """Number of regions at the bottom."""
        return self.label.size

    def __repr__(self) -> str:
        """Return how large the tree is."""
        noun = "region" if self.n_regions == 1 else "regions"
        return f'MergeTree({self.n_regions} {noun}, by "{self.criterion}")'

    def cut(self, *, level: float | None = None, n_regions: int | None = None) -> np.ndarray:
        """Return the group of each region, (n,), after the merges up to a level or number.

        Either `level`: all merges that cost at most so much; or `n_regions`: so
        many groups (all regions if there are fewer), in the order of merging, which
        also decides between equal levels.  Groups are 0, 1, ..., in the order of
        their first regions.
        """
        n = self.n_regions
        if (level is None) == (n_regions is None):
            raise ValueError("either `level` or `n_regions` must be given, and not both")
        if level is not None:
            height = _check.number(level, "level")
            n_merged = int(np.searchsorted(self.level[n:], height, side="right"))
        else:
            wanted = _checked_number(n_regions, self.n_components, n)
            n_merged = max(n - wanted, 0)
        return _groups(self.parent, n, n_merged)

    def labels(
        self,
        labels: ArrayLike,
        *,
        level: float | None = None,
        n_regions: int | None = None,
    ) -> np.ndarray:
        """Return the label image after the merges up to a level or number, see `cut`.

        `labels` is the label image that the tree was made from.  The result has
        1..n in raster order of first pixels.
        """
        array = _check.labels(labels)
        return _drawn(array, self.label, self.cut(level=level, n_regions=n_regions))

    def contour_map(self, labels: ArrayLike) -> np.ndarray:
        """Return at which level each contour vanishes: the ultrametric contour map.

        Parameters
        ----------
        labels : (...) integer array
            The label image that the tree was made from.

        Returns
        -------
        contours : (2 r - 1, 2 c - 1, ...) float32 array
            Pixels lie at even places and are 0.  Between two neighbors lies a crack:
            the level at which their regions come together, 0 within a region, inf
            next to label 0.  Where cracks meet, the largest of them.  Cracks above
            t are the boundaries of ``cut(level=t)``; levels that float32 does not
            hold are rounded down.
        """
        array = _check.labels(labels)
        node = _nodes(array, self.label)
        out = np.zeros([max(2 * side - 1, 0) for side in array.shape], dtype=np.float32)
        if array.size == 0:
            return out
        joints = _Joints(self.parent, self.level, self.n_regions)
        for axis in range(array.ndim):
            one = np.moveaxis(node, axis, 0)[:-1]
            two = np.moveaxis(node, axis, 0)[1:]
            cracks = np.zeros(one.shape, dtype=np.float32)
            apart = np.nonzero(one != two)
            cracks[apart] = joints.levels(one[apart], two[apart])
            place = [slice(None, None, 2)] * array.ndim
            place[axis] = slice(1, None, 2)
            out[tuple(place)] = np.moveaxis(cracks, 0, axis)
        _fill_junctions(out)
        return out

    def spans(self) -> tuple[np.ndarray, np.ndarray]:
        """Put the regions in a row so that each node's lie side by side, as in a dendrogram.

        Returns the place of the first region of each node and how many regions it has,
        each (2n - 1,).
        """
        n = self.n_regions
        count, place, _ = _ordered(self.parent, self.level, n)
        return np.where(place < 0, -1 - place, place), count

    def linkage(self) -> np.ndarray:
        """Return the tree as a SciPy linkage matrix, (n - 1, 4): two nodes, distance, leaves.

        For ``scipy.cluster.hierarchy.dendrogram`` and its kin.  The distance is the
        level, with criterion "ward" ``sqrt(2 * level)``, which is SciPy's.
        """
        n = self.n_regions
        out = np.zeros((max(n - 1, 0), 4))
        if n < 2:
            return out
        out[:, :2] = np.argsort(self.parent[:-1], kind="stable").reshape(-1, 2)
        height = self.level[n:]
        out[:, 2] = np.sqrt(2 * height) if self.criterion == "ward" else height
        count, _, _ = _ordered(self.parent, self.level, n)
        out[:, 3] = count[n:]
        return out


def _checked_number(n_regions: Any, n_components: int, n: int) -> int:
    """Return a number of regions that merging neighbors can reach."""
    wanted = _check.integer(n_regions, "n_regions", low=0 if n == 0 else 1)
    if wanted < n_components:
        raise ValueError(
            f"`n_regions` must be at least {n_components}, the number of parts that do not "
            f"touch, got {wanted}"
        )
    return wanted


def _groups(parent: np.ndarray, n: int, n_merged: int) -> np.ndarray:
    """Return the groups of n leaves after the first merges, numbered by first leaves."""
    top = np.empty(n + n_merged, dtype=np.intp)
    find_tops(parent, n + n_merged, top)
    first = np.full(n + n_merged, n, dtype=np.intp)
    leaves = np.arange(n)[::-1]
    first[top[:n][::-1]] = leaves  # the last writing stays: the first leaf
    starts = first[top[:n]] == np.arange(n)
    number = np.cumsum(starts) - 1
    return number[first[top[:n]]]


def _ordered(
    parent: np.ndarray, level: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the leaves below each node, the kernel's places, the gaps between leaves."""
    count, place = np.empty(parent.size, np.intp), np.empty(parent.size, np.intp)
    gap = np.zeros(n)
    order_leaves(parent, level, n, count, place, gap)
    return count, place, gap


def _nodes(array: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the index of each pixel's label, -1 for label 0."""
    numbered, id_of, n = _numbered(array)
    ids = np.arange(n) if id_of is None else id_of
    order = np.argsort(label)
    place = np.minimum(np.searchsorted(label, ids, sorter=order), max(label.size - 1, 0))
    place = order[place] if label.size else np.zeros(n, dtype=np.intp)
    known = label[place] == ids if label.size else np.zeros(n, dtype=bool)
    table = np.where(known, place, -2)
    table[:1] = -1
    node = table[numbered]
    if node.size and node.min() < -1:
        raise ValueError("`labels` must hold no ids but those of the tree and 0, got others")
    return node


class _Joints:
    """Levels at which pairs of leaves come together: the largest gap between their places."""

    def __init__(self, parent: np.ndarray, level: np.ndarray, n: int) -> None:
        _, place, gap = _ordered(parent, level, n)
        self.place = place[:n]
        # Never above the level, so that what merges at a level is no contour above it.
        with np.errstate(over="ignore"):
            row = gap.astype(np.float32)
        high = row > gap
        row[high] = np.nextafter(row[high], np.float32(-np.inf))
        largest = [row]  # of 1, 2, 4, ... gaps from each place on
        while 2 ** len(largest) <= n:
            half = 2 ** (len(largest) - 1)
            row = row.copy()
            np.maximum(row[:-half], row[half:], out=row[:-half])
            largest.append(row)
        self.table = np.stack(largest)

    def levels(self, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        """Return the level of each pair of leaves; inf where one of them is -1."""
        none = (one < 0) | (two < 0)
        low, high = self.place[np.maximum(one, 0)], self.place[np.maximum(two, 0)]
        low, high = np.minimum(low, high), np.maximum(low, high)
        length = np.maximum(high - low, 1)
        power = np.frexp(length.astype(np.float64))[1] - 1
        found = np.maximum(self.table[power, low], self.table[power, high - (1 << power)])
        found[none] = np.inf
        return found


def _fill_junctions(out: np.ndarray) -> None:
    """Give every place with two or more odd indices the largest of the cracks around it."""
    for odd in sorted(product((0, 1), repeat=out.ndim), key=sum):
        if sum(odd) < 2:
            continue  # pixels and cracks
        here = out[tuple(slice(k, None, 2) for k in odd)]
        for axis in np.flatnonzero(odd):
            # What lies to both sides has one odd index less, and is done.
            place = [slice(k, None, 2) for k in odd]
            place[axis] = slice(0, None, 2)
            beside = np.moveaxis(out[tuple(place)], axis, 0)
            found = np.maximum(beside[:-1], beside[1:])
            np.maximum(here, np.moveaxis(found, 0, axis), out=here)


def merge_tree(
    graph: RegionGraph,
    *,
    criterion: str | Callable[..., Any] = "mean",
    shape_weight: float = 0.1,
    compactness_weight: float = 0.5,
    channel_weights: ArrayLike | None = None,
    strength_weight: float = 0.5,
) -> MergeTree:
    """Merge the regions of a graph, the cheapest pair of neighbors first, until all are one.

    Parameters
    ----------
    graph : RegionGraph
        The regions, with what the criterion needs: values of an image, or
        `strength`.
    criterion : str or callable
        What it costs to merge two neighbors (m mean, n size, s2 variance; distances
        over channels are Euclidean):

        ================ ==============================================================
        "mean"           ``|m1 - m2|``
        "ward"           ``n1 n2 / (n1 + n2) |m1 - m2|^2``, by which the sum of squared
                         differences from the means grows
        "strength"       mean strength of the contact
        "range"          range of values in the union, of the channel where it is largest
        "student"        ``|m1 - m2| / sqrt(s2 (1/n1 + 1/n2))``, s2 the pooled variance
                         ``(n1 s2_1 + n2 s2_2) / (n1 + n2)`` summed over C channels: at
                         least C / 12 for integers (rounding), else 1e-12 of the image's
        "baatz_schape"   growth of heterogeneity, of color and of shape [1]_, see below
        "color_strength" ``(1 - a) mean / median(mean) + a strength / median(strength)``,
                         a = `strength_weight`, medians over the edges of `graph`
        ================ ==============================================================

        A callable ``criterion(graph, u, v)`` returns the cost of the edges between
        the nodes u and v, as an array.  It is called once with `graph`, then after
        each merge with the regions as they are and the edges of the new one; the
        arrays of edges, such as ``graph.contact``, are those of u and v.  All arrays
        are read-only.
    shape_weight, compactness_weight : float, 0 to 1
        For "baatz_schape": how much shape counts against color, and compactness
        against smoothness.  Shape is for 2-D images only: 0 for others.
    channel_weights : (C,) array of float, optional
        For "baatz_schape": the weight of each channel; None: 1.
    strength_weight : float, 0 to 1
        For "color_strength".

    Returns
    -------
    tree : MergeTree

    Raises
    ------
    TypeError
        A graph of another type; a criterion that is neither word nor callable.
    ValueError
        An unknown criterion, or one that needs values or a strength that the graph
        does not have; weights out of range; NaN from a callable.

    See Also
    --------
    segkit.merge_regions : from label image to label image.
    segkit.region_graph : makes the graph.

    Notes
    -----
    With d(x) = x of the union - x of the two parts, n size, s standard deviation, l
    perimeter and b that of the bounding box, "baatz_schape" is
    ``(1 - w) sum_c k_c d(n s) + w (q d(n l / sqrt(n)) + (1 - q) d(n l / b))``, with
    w = `shape_weight`, q = `compactness_weight`, k = `channel_weights`.

    **Ties** go to the lowest nodes: the lower node of the two first, then the
    other.  A merged region is a new node behind all others, so regions as they
    were given go first.  With different costs, the result does not depend on how
    regions are numbered.

    **Inversions**: a merged region can be cheaper to merge than its parts were
    ("mean", "student"), or cost less than nothing ("baatz_schape").  Levels are
    lifted so that they never fall towards the root, and are at least 0.

    **Parts that do not touch** are joined last, at level inf, the lowest nodes first.

    **Cost**: O((n + m) log n) while regions have few neighbors; a merge takes time
    in proportion to the neighbors of its two regions.  Some 200 bytes per region.
    A callable is a hundred times slower.

    Costs are computed from sums, not from costs: for integer images these are exact,
    and equal differences of means are ties.

    Kernels: ``segkit_ext/merge.pyx``, ``segkit_ext/weigh.pyx``,
    ``segkit_ext/tree.pyx``.  Plain version: ``tests/reference/merging.py``.

    References
    ----------
    .. [1] M. Baatz and A. Schaepe, "Multiresolution segmentation: an optimization
       approach for high quality multi-scale image segmentation", in Angewandte
       Geographische Informationsverarbeitung XII, 2000, ISBN 3-87907-349-1.
    .. [2] J. H. Ward, "Hierarchical grouping to optimize an objective function",
       J. American Statistical Association 58, 1963,
       :doi:`10.1080/01621459.1963.10500845`.
    .. [3] K. Haris, S. N. Efstratiadis, N. Maglaveras and A. K. Katsaggelos, "Hybrid
       image segmentation using watersheds and fast region merging", IEEE Trans. Image
       Processing 7(12), 1998, :doi:`10.1109/83.730380`.

    Examples
    --------
    >>> import segkit
    >>> labels = segkit.relabel([[1, 1, 2], [3, 4, 4]])
    >>> graph = segkit.region_graph(labels, [[10, 12, 13], [30, 30, 30]])
    >>> tree = segkit.merge_tree(graph, criterion="mean")
    >>> tree.level
    array([ 0.        ,  0.        ,  0.        ,  0.        ,  0.        ,
            2.        , 18.33333333])
    >>> tree.labels(labels, level=5)
    array([[1, 1, 1],
           [2, 2, 2]], dtype=int32)
    """
    if not isinstance(graph, RegionGraph):
        raise TypeError(f"`graph` must be a RegionGraph, got {type(graph).__name__}")
    parameters = {
        "shape_weight": shape_weight,
        "compactness_weight": compactness_weight,
        "channel_weights": channel_weights,
        "strength_weight": strength_weight,
    }
    merges = _greedy.run(graph, criterion, parameters)
    # A callable named "ward" is not the criterion of that name, see `linkage`.
    name = getattr(criterion, "__name__", "callable") + "()" if callable(criterion) else criterion
    return _whole_tree(graph.label, merges, name)


def _whole_tree(label: np.ndarray, merges: _greedy.Merges, name: str) -> MergeTree:
    """Return the tree of merges, with what is left joined at level inf, the lowest first."""
    n_merged, parent, level = merges
    n = label.size
    first = n + n_merged
    level[first:] = np.inf
    # Joining the two lowest again and again, new nodes being the highest, takes the roots
    # and the new nodes pairwise in their order.
    rows = np.flatnonzero(parent[:first] == np.arange(first))
    rows = np.concatenate([rows, np.arange(first, max(2 * n - 2, first))])
    parent[rows[: 2 * (2 * n - 1 - first)]] = np.repeat(np.arange(first, max(2 * n - 1, first)), 2)
    return MergeTree(label, parent, level, n_components=n - n_merged, criterion=name)


def merge_regions(
    labels: ArrayLike,
    image: ArrayLike | None = None,
    *,
    criterion: str | Callable[..., Any] = "mean",
    strength: ArrayLike | None = None,
    threshold: float | None = None,
    n_regions: int | None = None,
    min_size: int = 1,
    connectivity: int = 1,
    channel_axis: int | None = None,
    shape_weight: float = 0.1,
    compactness_weight: float = 0.5,
    channel_weights: ArrayLike | None = None,
    strength_weight: float = 0.5,
) -> np.ndarray:
    """Merge neighboring regions of a label image, the cheapest pair first.

    Parameters
    ----------
    labels : (...) integer array
        Label image, 1 to 4 dimensions; 0 stays 0 and touches nothing.
    image : (...) array, optional
        Values under the labels, with channels along `channel_axis`; criterion
        "strength" needs none.
    criterion : str or callable
        What it costs to merge two neighbors: "mean", "ward", "strength", "range",
        "student", "baatz_schape", "color_strength" or a callable, see
        `segkit.merge_tree`.
    strength : (...) array, optional
        How much each pixel speaks for a border, such as a gradient.
    threshold : float, optional
        Merge until the cheapest pair costs more.
    n_regions : int, optional
        Merge until so many regions are left (or all, if there are fewer).
        Exactly one of the two must be given.
    min_size : int
        Afterwards, regions of fewer pixels are merged, smallest first, each into
        its cheapest neighbor.  One that touches nothing stays.
    connectivity : int
        How many axes a step to a neighbor may change, 1 to ndim.
    channel_axis : int, optional
        Axis of channels in `image`; None: one channel.
    shape_weight, compactness_weight, channel_weights, strength_weight
        As in `segkit.merge_tree`.

    Returns
    -------
    labels : (...) int32 array
        1..n in raster order of first pixels.  int64 for 2**31 pixels or more.

    Raises
    ------
    TypeError
        Labels that are not integers; an image that is not real.
    ValueError
        Negative ids; arrays of another shape; NaN or infinite values in regions; a
        threshold that is negative or not finite; both or neither of `threshold`
        and `n_regions`; fewer `n_regions` than parts that do not touch.

    See Also
    --------
    segkit.merge_tree : every threshold and number of regions at once.

    Notes
    -----
    The result is that of ``merge_tree(...).cut(level=threshold)``, found in less
    time, since merging stops at the first pair that costs more.

    **Ties** go to the regions of lowest ids, merged regions behind all others; among
    the smallest regions, and among a small region's neighbors, too.

    **Cost**: O(pixels) for the graph, then as `segkit.merge_tree`, for as many
    merges as are made.

    Kernels: ``segkit_ext/merge.pyx``, ``segkit_ext/edges.pyx``.  Plain version:
    ``tests/reference/merging.py``.

    Examples
    --------
    >>> import segkit
    >>> image = [[10, 12, 13, 30], [10, 11, 30, 30]]
    >>> pixels = segkit.connected_components(image)
    >>> segkit.merge_regions(pixels, image, threshold=4)
    array([[1, 1, 1, 2],
           [1, 1, 2, 2]], dtype=int32)
    """
    if (threshold is None) == (n_regions is None):
        raise ValueError("exactly one of `threshold` and `n_regions` must be given")
    limit = np.inf if threshold is None else float(_check.number(threshold, "threshold"))
    if n_regions is not None:
        n_regions = _check.integer(n_regions, "n_regions", low=0)
    min_size = _check.integer(min_size, "min_size", low=0)
    if not callable(criterion):
        _criteria.checked_name(criterion)
    array = _check.labels(labels)
    graph = region_graph(
        array, image, strength=strength, connectivity=connectivity, channel_axis=channel_axis
    )
    parameters = {
        "shape_weight": shape_weight,
        "compactness_weight": compactness_weight,
        "channel_weights": channel_weights,
        "strength_weight": strength_weight,
    }
    return _merged(array, graph, criterion, parameters, limit, n_regions, min_size)


def _merged(
    array: np.ndarray,
    graph: RegionGraph,
    criterion: str | Callable[..., Any],
    parameters: dict[str, Any],
    limit: float,
    n_regions: int | None,
    min_size: int,
) -> np.ndarray:
    """Merge the regions of a label image by its graph; arguments checked, but for the numbers."""
    n = graph.n_regions
    most = n
    if n_regions is not None:
        most = max(n - _at_least_parts(graph, n_regions), 0)
    merges = _greedy.run(
        graph, criterion, parameters, limit=limit, most=most, min_size=min(min_size, array.size + 1)
    )
    return _drawn(array, graph.label, _groups(merges.parent, n, merges.n_merged))


def _at_least_parts(graph: RegionGraph, n_regions: int) -> int:
    """Return `n_regions`, checked to be no less than the parts of a graph that do not touch."""
    parts = graph.cut(np.zeros(graph.n_edges), 1)
    return _checked_number(n_regions, int(parts.max(initial=-1)) + 1, graph.n_regions)


__all__ = ["MergeTree", "merge_regions", "merge_tree"]
