"""The region graph: which regions touch, how long, and what each region is like.

Regions are nodes, and two that touch share an edge.  A node knows its size and
the sums of its values, an edge the length of the border, so that what is known
of a union is found by adding: `contract` makes one region of many without
looking at a pixel.  All methods that merge regions work on this graph, and so
can SciPy's algorithms (`to_sparse`) and scikit-image's (`to_networkx`).

Everything is in flat arrays, one entry per region or edge.  An image of a
million pixels is gone through once, by rows; what comes after costs only as
much as there are regions and edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.renumber import renumber_groups

from . import _check, _criteria, _dtypes, _edges, _levels
from .labels import _numbered
from .measuring import _shape_sums, _Shapes, _value_sums, _values

if TYPE_CHECKING:
    import networkx as nx
    from scipy import sparse

_EDGE_SUMS = ("contact", "faces", "strength_sum")
_EXACT_SUM = 4  # bytes of integers whose sums always fit 64 bits


@dataclass(frozen=True, eq=False, repr=False)
class RegionGraph:
    """Regions and their borders, in flat arrays; made by `region_graph`.

    Attributes
    ----------
    label : (n,) int64 array
        The id of each region.
    size : (n,) int64 array
        Number of pixels.
    sum, sum_squares : (n, C) arrays
        Of the values, and of their squares, in each channel: int64 where it
        always fits (sums of integers up to 32 bits, squares up to 16), else
        float64.  C is 0 without an image.
    scatter : (n, C) float64 array
        Sum of squared differences from the mean.
    min, max : (n, C) arrays
        Least and largest value, in the type of the image.
    bbox : (n, ndim, 2) int64 array
        First and one behind the last index along each axis.
    position_sum : (n, ndim) int64 array
        Sum of the indices of all pixels.
    perimeter : (n,) int64 array
        Number of faces between the region and anything else, the image border
        included.
    u, v : (m,) intp arrays
        The nodes of each edge, as indices into the arrays above; u < v, sorted
        by u, then v.
    contact : (m,) int64 array
        Number of touching pairs of pixels.
    faces : (m,) int64 array
        Those that touch along an axis: with connectivity 1 all of them.
    strength_sum : (m,) float64 array or None
        Sum of the strength over all touching pairs, each with the mean of its
        two pixels.

    Notes
    -----
    All sums add: ``graph.contract(groups)`` is what `region_graph` would give for
    the merged label image, up to rounding in images of floats, and of 64-bit integers
    whose sums exceed 2**53.

    Examples
    --------
    >>> import segkit
    >>> labels = [[1, 1, 2], [1, 3, 3]]
    >>> graph = segkit.region_graph(labels, [[5, 5, 9], [5, 1, 1]])
    >>> graph
    RegionGraph(3 regions, 3 edges, 1 channel)
    >>> graph.label[graph.u], graph.label[graph.v], graph.contact
    (array([1, 1, 2]), array([2, 3, 3]), array([1, 2, 1]))
    >>> graph.mean.ravel()
    array([5., 9., 1.])
    """

    label: np.ndarray
    size: np.ndarray
    sum: np.ndarray
    sum_squares: np.ndarray
    scatter: np.ndarray
    min: np.ndarray
    max: np.ndarray
    bbox: np.ndarray
    position_sum: np.ndarray
    perimeter: np.ndarray
    u: np.ndarray
    v: np.ndarray
    contact: np.ndarray
    faces: np.ndarray
    strength_sum: np.ndarray | None = None

    @property
    def n_regions(self) -> int:
        """Number of nodes."""
        return self.label.size

    @property
    def n_edges(self) -> int:
        """Number of pairs of regions that touch."""
        return self.u.size

    @property
    def mean(self) -> np.ndarray:
        """Mean values, (n, C) float64."""
        return self.sum / self.size[:, np.newaxis]

    @property
    def variance(self) -> np.ndarray:
        """Population variance of the values, (n, C) float64."""
        return self.scatter / self.size[:, np.newaxis]

    @property
    def centroid(self) -> np.ndarray:
        """Mean position in pixels, (n, ndim) float64."""
        return self.position_sum / self.size[:, np.newaxis]

    @property
    def strength(self) -> np.ndarray | None:
        """Mean strength over the pixels of each contact, (m,) float64, or None."""
        return None if self.strength_sum is None else self.strength_sum / self.contact

    def __repr__(self) -> str:
        """Return how large the graph is."""
        parts = ((self.n_regions, "region"), (self.n_edges, "edge"), (self.sum.shape[1], "channel"))
        words = (f"{count} {noun}{'s' * (count != 1)}" for count, noun in parts)
        return f"RegionGraph({', '.join(words)})"

    def weights(
        self,
        criterion: Any = "mean",
        *,
        shape_weight: float = 0.1,
        compactness_weight: float = 0.5,
        channel_weights: ArrayLike | None = None,
        strength_weight: float = 0.5,
    ) -> np.ndarray:
        """Return what each edge costs, (m,) float64, as `merge_tree` would pay for it now.

        The arguments are those of `segkit.merge_tree`.
        """
        if callable(criterion):
            given = _criteria.read_only(self)
            return _criteria.called(criterion, given, given.u, given.v)
        rule = _criteria.prepare(
            self,
            _criteria.checked_name(criterion),
            shape_weight=shape_weight,
            compactness_weight=compactness_weight,
            channel_weights=channel_weights,
            strength_weight=strength_weight,
        )
        return _criteria.costs(rule, self.u, self.v)

    def cut(self, weights: ArrayLike, threshold: float) -> np.ndarray:
        """Return the groups of nodes that edges with weight < threshold join.

        `weights` (m,) are numbers, `threshold` is finite and >= 0.  The result (n,)
        holds 0, 1, ..., numbered in the order of their first nodes.
        Chains count: a and c are together if each is near enough to b.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        values = self._edge_values(weights, "weights")
        near = values < _check.number(threshold, "threshold")
        ends = (self.u[near], self.v[near])
        n = self.n_regions
        joined = coo_array((np.ones(ends[0].size, dtype=np.int8), ends), shape=(n, n))
        groups = connected_components(joined, directed=False)[1].astype(np.intp)
        # In the order of first nodes, whatever the search did.
        first = np.unique(groups, return_index=True)[1]
        rank = np.empty(first.size, dtype=np.intp)
        rank[np.argsort(first)] = np.arange(first.size)
        return rank[groups]

    def contract(self, groups: ArrayLike) -> RegionGraph:
        """Make one node of all nodes with the same group: sums add, edges merge.

        `groups` (n,) are integers; new nodes stand in the order of their group, and
        the label of each is the lowest among its parts.
        """
        names = _check.as_array(groups, "groups")
        if names.dtype.kind == "f":
            raise TypeError(f"`groups` must hold integers, got dtype {names.dtype}")
        if names.shape != (self.n_regions,):
            raise ValueError(
                f"`groups` must have one entry per region, ({self.n_regions},), got {names.shape}"
            )
        node = np.unique(names, return_inverse=True)[1].reshape(-1)
        if node.size == 0:
            return self
        order = np.argsort(node, kind="stable")
        starts = np.flatnonzero(np.diff(node[order], prepend=-1))

        def add(values: np.ndarray) -> np.ndarray:
            return np.add.reduceat(values[order], starts, axis=0)

        size, total = add(self.size), add(self.sum)
        mean = (total / size[:, np.newaxis])[node]
        with np.errstate(over="ignore", invalid="ignore"):
            between = self.size[:, np.newaxis] * (self.mean - mean) ** 2
        inner = node[self.u] == node[self.v]
        perimeter = add(self.perimeter)
        perimeter -= 2 * np.bincount(
            node[self.u[inner]], self.faces[inner], minlength=size.size
        ).astype(np.int64)
        low = np.minimum.reduceat(self.bbox[order, :, 0], starts, axis=0)
        high = np.maximum.reduceat(self.bbox[order, :, 1], starts, axis=0)
        nodes = RegionGraph(
            label=np.minimum.reduceat(self.label[order], starts),
            size=size,
            sum=total,
            sum_squares=add(self.sum_squares),
            scatter=add(self.scatter) + add(between),
            min=np.minimum.reduceat(self.min[order], starts, axis=0),
            max=np.maximum.reduceat(self.max[order], starts, axis=0),
            bbox=np.stack([low, high], axis=-1),
            position_sum=add(self.position_sum),
            perimeter=perimeter,
            u=node[self.u],
            v=node[self.v],
            contact=self.contact,
            faces=self.faces,
            strength_sum=self.strength_sum,
        )
        return nodes._merge_edges()

    def _merge_edges(self) -> RegionGraph:
        """Return the graph with u < v, edges sorted, equal ones added up, loops left out."""
        real = self.u != self.v
        ends = self.u[real], self.v[real]
        u, v = np.minimum(*ends), np.maximum(*ends)
        order = _levels.order_of_pairs(u, v, self.n_regions)
        u, v = u[order], v[order]
        begins = np.ones(u.size, dtype=bool)
        begins[1:] = (u[1:] != u[:-1]) | (v[1:] != v[:-1])
        starts = np.flatnonzero(begins)
        columns = {"u": u[starts], "v": v[starts]}
        for name in _EDGE_SUMS:
            values = getattr(self, name)
            if values is not None:
                columns[name] = np.add.reduceat(values[real][order], starts)
        return replace(self, **columns)

    def labels(self, labels: ArrayLike, groups: ArrayLike) -> np.ndarray:
        """Draw groups of nodes: the label image with regions of one group joined.

        `labels` is the label image of the graph, `groups` (n,) are integers, as
        `cut` returns them.  The result has 1..n in raster order of first pixels.
        """
        array = _check.labels(labels)
        names = _check.as_array(groups, "groups")
        if names.dtype.kind == "f":
            raise TypeError(f"`groups` must hold integers, got dtype {names.dtype}")
        if names.shape != (self.n_regions,):
            raise ValueError(
                f"`groups` must have one entry per region, ({self.n_regions},), got {names.shape}"
            )
        return _drawn(array, self.label, np.unique(names, return_inverse=True)[1].reshape(-1))

    def to_sparse(self, weights: ArrayLike | None = None) -> sparse.csr_array:
        """Return the edges as a symmetric (n, n) sparse array of weights, by default `contact`.

        For ``scipy.sparse.csgraph``: spanning trees, shortest paths, cuts.
        """
        from scipy.sparse import coo_array

        values = self.contact if weights is None else self._edge_values(weights, "weights")
        ends = (np.concatenate([self.u, self.v]), np.concatenate([self.v, self.u]))
        n = self.n_regions
        return coo_array((np.concatenate([values, values]), ends), shape=(n, n)).tocsr()

    def to_networkx(self, weights: ArrayLike | None = None) -> nx.Graph:
        """Return the graph as a ``skimage.graph.RAG``, which is a ``networkx.Graph``.

        Nodes are the labels, with the attributes that scikit-image's functions
        use (``labels``, ``pixel count``, ``total color``, ``mean color``) and all
        others that `from_networkx` reads.  The ``weight`` of an edge is taken from
        `weights`, by default the difference of mean colors; without an image the
        strength, and without that the contact.  ``count`` is the contact.
        """
        from . import _networkx

        if weights is not None:
            values = self._edge_values(weights, "weights")
        elif self.sum.shape[1]:
            values = self.weights("mean")
        else:
            values = self.contact if self.strength is None else self.strength
        return _networkx.to_networkx(self, values)

    @classmethod
    def from_networkx(cls, g: nx.Graph) -> RegionGraph:
        """Make a graph of a ``networkx.Graph`` with integer nodes, such as scikit-image's RAG.

        What the nodes or edges do not tell is filled in: one pixel per node, no
        channels, values all equal to the mean, no place, one contact per edge, the
        ``weight`` as strength.  The label of a node is the lowest of its ``labels``,
        or the node itself; a node of label 0 is left out, as in `region_graph`.
        """
        from . import _networkx

        return cls(**_networkx.from_networkx(g))._merge_edges()

    def _edge_values(self, value: ArrayLike, name: str) -> np.ndarray:
        """Return one number for each edge, none of them NaN."""
        array = _check.as_array(value, name)
        if array.shape != (self.n_edges,):
            raise ValueError(
                f"`{name}` must have one entry per edge, ({self.n_edges},), got {array.shape}"
            )
        _check.refuse_not_finite(array, name, inf=True)
        return array


def _drawn(array: np.ndarray, label: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Replace each label by the number of its group, 1..n in raster order."""
    numbered, id_of, n = _numbered(array)
    table = np.full(n, -1, dtype=numbered.dtype)
    table[:1] = 0
    if id_of is None:
        known = label < n
        table[label[known]] = groups[known] + 1
    elif label.size:
        order = np.argsort(label)
        place = np.minimum(np.searchsorted(label, id_of[1:], sorter=order), label.size - 1)
        place = order[place]
        table[1:] = np.where(label[place] == id_of[1:], groups[place] + 1, -1)
    drawn = np.empty(array.shape, dtype=numbered.dtype)
    numbers = np.zeros(label.size + 1, dtype=numbered.dtype)
    if not renumber_groups(numbered.ravel(), table, numbers, drawn.ravel()):
        raise ValueError("`labels` must hold no ids but those of the graph and 0, got others")
    return drawn


def region_graph(
    labels: ArrayLike,
    image: ArrayLike | None = None,
    *,
    strength: ArrayLike | None = None,
    connectivity: int = 1,
    channel_axis: int | None = None,
) -> RegionGraph:
    """Find which regions touch, and measure regions and contacts.

    Parameters
    ----------
    labels : (...) integer array
        Label image, 1 to 4 dimensions; 0 is "no label" and never a node: regions
        kept apart by a watershed line do not touch.  Ids may have gaps, and a
        region may consist of several parts.
    image : (...) array, optional
        Values under the labels, of any real type, with channels along
        `channel_axis`.
    strength : (...) array, optional
        How much each pixel speaks for a border, such as a gradient; averaged over
        the pixels of each contact.
    connectivity : int
        How many axes a step to a neighbor may change, 1 to ndim.
    channel_axis : int, optional
        Axis of channels in `image`; None: one channel.

    Returns
    -------
    graph : RegionGraph
        Nodes in the order of ids; edges sorted.

    Raises
    ------
    TypeError
        Labels that are not integers; an image or strength that is not real.
    ValueError
        Negative ids; arrays of another shape; NaN or infinite values in regions;
        a `connectivity` outside 1..ndim.

    See Also
    --------
    segkit.merge_tree : merges the regions of a graph, the most similar first.
    segkit.Quadtree.graph : the same of a quadtree's leaves, faster.
    segkit.regions : a table of measures.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time, however large the ids.  Extra memory: some 200
    bytes per region; 4 bytes per pixel more where labels are not int32.

    Sums are exact for integers (in 64-bit ones while below 2**53).  Means and
    variances are as precise as those of `segkit.regions`.

    Kernels: ``segkit_ext/edges.pyx``, ``segkit_ext/measure.pyx``.  Plain version:
    ``tests/reference/graphs.py``.

    References
    ----------
    .. [1] A. Tremeau and P. Colantoni, "Regions adjacency graph applied to color
       image segmentation", IEEE Trans. Image Processing 9(4), 2000,
       :doi:`10.1109/83.841950`.

    Examples
    --------
    >>> import segkit
    >>> labels = segkit.relabel([[4, 4, 9], [4, 7, 7]])
    >>> graph = segkit.region_graph(labels, [[5, 5, 6], [5, 1, 1]])
    >>> graph.u, graph.v, graph.weights("mean")
    (array([0, 0, 1]), array([1, 2, 2]), array([1., 4., 5.]))
    >>> graph.labels(labels, graph.cut(graph.weights("mean"), 2))
    array([[1, 1, 1],
           [1, 2, 2]], dtype=int32)
    """
    array = _check.labels(labels)
    connectivity = _check.connectivity(connectivity, array.ndim)
    values = None
    if image is not None:
        values = _values(image, channel_axis, array)
    elif channel_axis is not None:
        raise ValueError("`channel_axis` must be None without an `image`")
    weight = None
    if strength is not None:
        weight = _check.image(strength, "strength", nan=True)
        _check.same_shape(weight, "strength", array.shape, "labels", hint=False)
        if weight.dtype.kind == "f":
            _check.refuse_not_finite(weight, "strength", inside=array != 0)

    numbered, id_of, n = _numbered(array)
    shapes = _shape_sums(numbered, n)
    if id_of is None:
        used = np.flatnonzero(shapes.pixels[1:]) + 1
        label = used.astype(np.int64)
    else:
        used = np.argsort(id_of[1:]) + 1
        label = id_of[used]
    one, two, columns = _edges.touching(numbered, n, connectivity, weight)
    nodes = _measured(numbered, values, n, shapes, used, label)
    if id_of is None and used.size == n - 1:  # numbers are nodes, moved by one
        u, v = one - 1, two - 1
    else:
        node = np.zeros(n, dtype=np.intp)
        node[used] = np.arange(used.size)
        ends = node[one], node[two]
        u, v = np.minimum(*ends), np.maximum(*ends)
    order = _levels.order_of_pairs(u, v, label.size)
    columns = {name: column.take(order) for name, column in columns.items()}
    return RegionGraph(**nodes, **columns, u=u.take(order), v=v.take(order))


def _measured(
    numbered: np.ndarray,
    values: np.ndarray | None,
    n: int,
    shapes: _Shapes,
    used: np.ndarray,
    label: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return all that is known of nodes, by name."""
    shapes = shapes.of(used)
    return {
        "label": label,
        "size": shapes.pixels,
        "bbox": np.stack([shapes.low, shapes.high], axis=-1),
        "position_sum": shapes.total,
        "perimeter": shapes.faces.sum(axis=1),
    } | _measured_values(numbered, values, n, used)


def _measured_values(
    numbered: np.ndarray, values: np.ndarray | None, n: int, used: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what is known of the values of the `used` ones among n regions, by name."""
    if values is None:
        none = np.zeros((used.size, 0))
        return dict.fromkeys(("sum", "sum_squares", "scatter", "min", "max"), none)
    sums = _value_sums(numbered, values, n).of(used)
    nodes = {"scatter": sums.scatter(), "min": sums.low, "max": sums.high}
    if sums.total.dtype.kind == "i":
        return nodes | {"sum": sums.total, "sum_squares": sums.squares}
    # The kernel's sums count from the first value of each region.
    exact = values.dtype.kind in "iu" and values.dtype.itemsize <= _EXACT_SUM
    base = sums.first.astype(np.int64 if exact else np.float64)
    nodes["sum"] = base * sums.pixels + sums.total.astype(base.dtype)
    base = base.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        nodes["sum_squares"] = sums.squares + 2 * base * sums.total + base * base * sums.pixels
    return nodes


def split_region(labels: ArrayLike, label: int, parts: ArrayLike) -> np.ndarray:
    """Divide one region by a label image drawn inside it.

    Parameters
    ----------
    labels : (...) integer array
        Label image.
    label : int
        The id of the region to divide.
    parts : (...) integer array
        Pixels of the region with equal ids here stay together; 0, where nothing is
        drawn, is an id like others.  Outside the region it has no effect.

    Returns
    -------
    labels : (...) int32 array
        The part of the lowest id keeps `label`, every other gets a new one: the
        ids that follow the largest in `labels`, in the order of `parts`.  All
        other regions stay as they are.  int64 where an id needs it.

    Raises
    ------
    TypeError
        Labels or parts that are not integers; a `label` that is no integer.
    ValueError
        Negative ids; another shape of `parts`; a region that is not there.

    See Also
    --------
    segkit.RegionGraph.contract : the way back, on a region graph.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time.

    Plain version: ``tests/reference/graphs.py``.

    Examples
    --------
    >>> import segkit
    >>> segkit.split_region([[1, 1, 1], [2, 2, 2]], 2, [[7, 7, 7], [0, 7, 7]])
    array([[1, 1, 1],
           [2, 3, 3]], dtype=int32)
    """
    array = _check.labels(labels)
    label = _check.integer(label, "label", low=1)
    drawn = _check.labels(parts, "parts")
    _check.same_shape(drawn, "parts", array.shape, "labels", hint=False)
    largest = _check.largest_label(array)
    region = array == label
    ids, part = np.unique(drawn[region], return_inverse=True)
    if ids.size == 0:
        raise ValueError(f"`label` must be an id of `labels`, got {label}")
    if largest + ids.size - 1 > np.iinfo(np.int64).max:
        raise ValueError("`labels` must leave room for new ids below 2**63")
    out = array.astype(_dtypes.label_dtype(max(largest + ids.size - 1, array.size)))
    new = np.arange(largest, largest + ids.size)
    new[0] = label
    out[region] = new[part.reshape(-1)]
    return out


__all__ = ["RegionGraph", "region_graph", "split_region"]
