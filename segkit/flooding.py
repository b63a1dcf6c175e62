"""Watershed by flooding.

Read an image as a relief: bright is high.  Water rises from sources, the
markers, and each source floods its own basin; where two waters would meet, the
label of the first to arrive stays.  What comes out is one connected region per
marker, with borders on the crests between them.

Which relief, and which markers, decide everything.  On a gradient image the
crests are the contours of objects; on a negative distance map they part
touching blobs.  Flooding from every local minimum gives one region per dent of
the noise, hundreds on a photograph ("over-segmentation"); ask for minima of a
`depth`, or give markers.  A marker that lies in the wrong basin is not moved:
its region takes whatever the water reaches.  Borders cross a plateau halfway
between the waters that reach it, in steps along the axes, not as a crow flies;
`compactness` makes regions rounder at the price of borders that leave the
crests.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.flood import flood, flood_compact, plant

from . import _check, _dtypes, _grid, _lakes, _levels
from ._greedy import Merges
from .merging import MergeTree, _whole_tree
from .relief import local_minima

_LABELS, _LINES = 0, 1  # modes of the kernel
_UNSEEN = -1  # its mark for a pixel that no price is paid for yet


def watershed(
    relief: ArrayLike,
    markers: ArrayLike | None = None,
    *,
    depth: float = 0,
    connectivity: int = 1,
    mask: ArrayLike | None = None,
    compactness: float = 0.0,
    lines: str = "none",
    max_level: float | None = None,
) -> np.ndarray:
    """Flood a relief from markers; each marker gives one region.

    Parameters
    ----------
    relief : array_like, real, 1 to 4 dimensions
        Heights.  Low pixels are flooded first.  8- and 16-bit integers are the
        fastest; no type is converted to float64 unless `compactness` > 0.
        Infinite heights are the lowest and highest; NaN is allowed outside
        `mask` only.
    markers : array_like of int, same shape, optional
        Sources of the water, kept as labels; 0 is no marker.  Ids may have
        gaps; pixels of one id need not touch.  Markers outside `mask` are
        dropped.  Default: ``local_minima(relief, depth=depth)``.
    depth : float, in units of the relief
        Without markers: how deep a minimum must be to count.
    connectivity : int, 1 to ndim
        How many axes a step to a neighbor may change.
    mask : array_like of bool, same shape, optional
        Where to flood.  Outside, labels are 0 and no water passes.
    compactness : float, in units of the relief per pixel
        Price of the Euclidean distance to the marker pixel that the water
        comes from, added to the height.
    lines : {"none", "thin"}
        "thin": a pixel that touches two labels when its turn comes becomes 0
        and stops the water.  Markers that touch stay touching.
    max_level : float, optional
        The water stops at this level (with `compactness`: height + price).
        Pixels above it stay 0, markers keep their labels.  For pictures of the
        stages in between.

    Returns
    -------
    labels : ndarray of int32 or int64, same shape
        int64 where an id or the number of pixels needs it.  Pixels that no
        water reaches are 0.

    Raises
    ------
    TypeError
        For a dtype that is not real, markers that are not integers, a mask
        that is not bool.
    ValueError
        For NaN inside `mask`, shapes that differ, negative ids, a parameter
        out of its range, `depth` together with markers.

    See Also
    --------
    segkit.local_minima : the default markers.
    segkit.gradient : a relief whose crests are contours.

    Notes
    -----
    **Order**: A pixel's level is the larger of its height and the level of the
    pixel it was reached from.  Pixels are taken by level, then first come,
    first served; neighbors in the order of the number of axes of the step,
    then raster order; markers of equal height in raster order.

    **Ties** are settled by that order, which is scikit-image's; only the order
    of markers of equal height is not specified there.  With lines, a pixel that
    became a line stops the water here, while scikit-image lets it flow on from
    there: small regions behind a line can differ.

    **Cost**: O(pixels × neighbors); 32- and 64-bit types are sorted first, which
    doubles the time or more (``benchmarks/README.md`` has figures).  Extra
    memory, result included: about 12 bytes per pixel at most for 8 and 16 bits, 28 for
    float32.  With `compactness` O(n log n) and some 100 bytes per pixel.

    Kernel: ``segkit_ext/flood.pyx``; plain version:
    ``tests/reference/flooding.py``.

    References
    ----------
    .. [1] F. Meyer, "Topographic distance and watershed lines", Signal
       Processing 38(1), 1994, :doi:`10.1016/0165-1684(94)90060-4`.
    .. [2] S. Beucher and F. Meyer, "The morphological approach to
       segmentation: the watershed transformation", in Mathematical Morphology
       in Image Processing, 1993, :doi:`10.1201/9781482277234-12`.
    .. [3] P. Neubert and P. Protzel, "Compact Watershed and Preemptive SLIC",
       ICPR 2014, :doi:`10.1109/ICPR.2014.181`.

    Examples
    --------
    Two valleys and the crest between them:

    >>> import segkit
    >>> segkit.watershed([3, 1, 2, 5, 4, 0, 2])
    array([1, 1, 1, 1, 2, 2, 2], dtype=int32)
    >>> segkit.watershed([3, 1, 2, 5, 4, 0, 2], lines="thin")
    array([1, 1, 1, 0, 2, 2, 2], dtype=int32)
    >>> segkit.watershed([3, 1, 2, 5, 4, 0, 2], [0, 7, 0, 0, 0, 0, 9], max_level=3)
    array([7, 7, 7, 0, 0, 9, 9], dtype=int32)
    """
    heights = _check.image(relief, "relief", nan=True)
    inside = _check.mask(mask, heights.shape, "relief")
    _check.refuse_not_finite(heights, "relief", inf=True, inside=inside)
    connectivity = _check.connectivity(connectivity, heights.ndim)
    depth = _check.number(depth, "depth")
    compactness = float(_check.number(compactness, "compactness"))
    thin = _check.choice(lines, "lines", ("none", "thin")) == "thin"
    if max_level is not None:
        max_level = _check.number(max_level, "max_level", low=None, infinite=True)
    if markers is None:
        sources = local_minima(heights, depth=depth, connectivity=connectivity, mask=inside)
    else:
        sources = _check.labels(markers, "markers")
        _check.same_shape(sources, "markers", heights.shape, "relief")
        if depth != 0:
            raise ValueError("`depth` must be 0 when `markers` are given: it chooses the markers")
    largest = max(_check.largest_label(sources, "markers"), heights.size)
    if heights.size == 0:
        return np.zeros(heights.shape, dtype=np.int32)

    where = _levels.grid(heights.shape, connectivity)
    values = _dtypes.kernel_values(heights)
    word = max(_dtypes.label_dtype(largest), _levels.word_type(values, where))
    seeds = np.ascontiguousarray(sources, dtype=word)
    del sources
    if compactness > 0:
        state = _flood_by_price(heights, seeds, inside, where, compactness, thin, max_level)
    else:
        state, slots, first, ranked = _levels.basins(values, inside, where, word)
        last = first.size - 2
        if max_level is not None:
            last = _last_level(heights, inside, first, max_level)
        free = first[:-1].copy()
        plant(seeds.reshape(-1), where.row_starts, state, slots, free)
        del seeds  # the flood is where memory peaks
        mode = _LINES if thin else _LABELS
        flood(state, slots, first, free, where.offsets, where.rows_ahead, last, mode, ranked)
        del slots, first, free
    labels = np.maximum(where.interior(state), 0).reshape(heights.shape)
    return labels.astype(_dtypes.label_dtype(largest), copy=False)


def _last_level(
    heights: np.ndarray, inside: np.ndarray | None, first: np.ndarray, max_level: float
) -> int:
    """Return the highest level whose height is <= max_level, -1 if there is none."""
    if heights.dtype == np.bool_:
        heights = heights.view(np.uint8)
    if heights.dtype.kind == "f":
        max_level = np.float64(max_level)  # not rounded to the type of the heights
    elif math.isfinite(max_level):
        max_level = math.floor(max_level)  # compared with integers as an integer
    below = heights <= max_level
    if inside is not None:
        below &= inside
    # first[level + 1] pixels lie at or below a level
    return int(np.searchsorted(first, np.count_nonzero(below), side="right")) - 2


def _flood_by_price(
    heights: np.ndarray,
    seeds: np.ndarray,
    inside: np.ndarray | None,
    where: _levels.Grid,
    compactness: float,
    thin: bool,
    max_level: float | None,
) -> np.ndarray:
    """Return the flooded state: the compact watershed, by a heap of prices."""
    prices = _grid.pad(heights.reshape(where.shape), 0, np.dtype(np.float64)).reshape(-1)
    state = np.zeros(where.size, dtype=seeds.dtype)
    view = where.interior(state)
    planted = seeds.reshape(where.shape)
    view[...] = np.where(planted > 0, planted, _UNSEEN)
    if inside is not None:
        view[~inside.reshape(where.shape)] = 0
    strides = _grid.strides_of(_grid.padded_shape(where.shape))
    last = np.inf if max_level is None else float(max_level)
    sources = np.flatnonzero(state > 0)
    flood_compact(prices, state, sources, where.offsets, strides, compactness, last, thin)
    return state


class WatershedTree(NamedTuple):
    """Basins of all minima, and the order in which they are merged."""

    labels: np.ndarray
    tree: MergeTree


def watershed_tree(
    relief: ArrayLike,
    *,
    attribute: str = "depth",
    connectivity: int = 1,
    mask: ArrayLike | None = None,
) -> WatershedTree:
    """Flood from every minimum, and merge the basins: the hierarchical watershed.

    One tree holds the watersheds of all scales: cut it at a level, and the
    basins that are at most so deep (or so large) are part of their neighbors.

    Parameters
    ----------
    relief : array_like, real, 1 to 4 dimensions
        Heights.  NaN is allowed outside `mask` only.
    attribute : {"depth", "area", "volume"}
        How large a lake is when it runs over into the next: the height of the pass
        above its lowest pixel, the number of its pixels below the pass, or the
        water on these.
    connectivity : int, 1 to ndim
        How many axes a step to a neighbor may change.
    mask : array_like of bool, same shape, optional
        Where to flood.  Outside, labels are 0 and no water passes.

    Returns
    -------
    labels : ndarray of int32, same shape
        ``watershed(relief)``: one basin for each minimum.  int64 for 2**31 pixels
        or more.
    tree : MergeTree
        Its level at the merge of two lakes is the attribute of the smaller one.
        ``tree.labels(labels, level=...)`` and ``n_regions=...`` draw the coarser
        watersheds.  The two come as a named tuple.

    Raises
    ------
    TypeError
        For a dtype that is not real, or a mask that is not bool.
    ValueError
        For NaN inside `mask`, shapes that differ, an unknown `attribute`.

    See Also
    --------
    segkit.watershed : with `depth`, the watershed of one scale.
    segkit.merge_tree : merges regions by other criteria.

    Notes
    -----
    Two lakes meet at their pass: the lowest level at which a path leads from one to
    the other.  In the order of passes, lakes become one; the level of each of
    these merges is the attribute of the smaller lake, and the tree has them in
    the order of levels.  Cut by depth at h, it has as many regions as
    ``local_minima(relief, depth=h)`` has markers, unless a minimum is exactly h deep.

    **Ties**: passes of equal height come in the order of the labels of their basins,
    and so do merges of equal level.  Parts of a mask that do not touch are joined
    last, at level inf.

    **Cost**: O(pixels × neighbors) for the flood and the passes, O(m log m) for m
    pairs of basins that touch; by area or volume, pixels are sorted by height, which
    takes some 30 bytes per pixel.

    Kernels: ``segkit_ext/basins.pyx``, ``segkit_ext/flood.pyx``,
    ``segkit_ext/edges.pyx``; plain version: ``tests/reference/lakes.py``.

    References
    ----------
    .. [1] L. Najman and M. Schmitt, "Geodesic saliency of watershed contours and
       hierarchical segmentation", IEEE PAMI 18(12), 1996, :doi:`10.1109/34.546254`.
    .. [2] F. Meyer, "The dynamics of minima and contours", in Mathematical Morphology
       and its Applications to Image and Signal Processing, 1996,
       :doi:`10.1007/978-1-4613-0469-2_38`.
    .. [3] J. Cousty and L. Najman, "Incremental algorithm for hierarchical minimum
       spanning forests and saliency of watershed cuts", ISMM 2011,
       :doi:`10.1007/978-3-642-21569-8_24`.

    Examples
    --------
    The valley in the middle is 1 deep, the last one 3, the first one the deepest:

    >>> import segkit
    >>> labels, tree = segkit.watershed_tree([0, 5, 4, 5, 2, 6])
    >>> labels, tree.level
    (array([1, 1, 2, 3, 3, 3], dtype=int32), array([0., 0., 0., 1., 3.]))
    >>> tree.labels(labels, level=1)
    array([1, 1, 1, 2, 2, 2], dtype=int32)
    """
    _check.choice(attribute, "attribute", _lakes.ATTRIBUTES)
    labels = watershed(relief, connectivity=connectivity, mask=mask)
    heights = np.asarray(relief)
    merges = _lakes.hierarchy(labels, heights, attribute, connectivity)
    label = np.arange(1, int(labels.max(initial=0)) + 1)
    return WatershedTree(labels, _whole_tree(label, Merges(*merges), attribute))


__all__ = ["WatershedTree", "watershed", "watershed_tree"]
