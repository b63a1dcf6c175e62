"""Contours closed into regions: the hybrid of looking for edges and looking for regions.

An edge detector tells where an image changes, and leaves gaps: where the contrast fades
the line ends, and regions on its two sides run together.  A region method has no gaps,
but puts borders where nothing is to be seen.  Together they make up for each other:

1.  Each pixel's distance to the nearest edge is a landscape turned upside down, with a
    valley in the middle of every place that edges enclose, more or less.  Its watershed
    closes them: a gap is a pass between two valleys, and the water meets in it if the
    gap is narrower than the regions are wide.
2.  Of each border it is known which part was drawn by the detector and which part only
    bridges gaps.  Borders that are mostly bridges are taken away by merging, and the
    more alike the colors on both sides, the sooner.

Limits.  A gap wider than the region behind it is no pass but an open door: the two are
one valley.  Fine texture, all edges, falls into many small regions.  What an edge detector
does not see at all, a border between equal greys, nothing brings back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from . import _check
from ._recipes import lightness, perceived
from .flooding import watershed
from .graphs import RegionGraph, region_graph
from .merging import MergeTree, merge_tree
from .relief import gradient

_FAINT = 0.4  # of the contrast of an edge: what continues one
_SOBEL = 8.0  # sum of the weights of the operator that Canny's gradient is made with
_ALIKE = 2.0  # color difference below which shape decides


def closed_contours(
    image: np.ndarray,
    *,
    threshold: float = 3.0,
    sigma: float = 3.0,
    contrast: float = 2.5,
    depth: float = 1.0,
    size_weight: float = 0.35,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Close the gaps of Canny's edges by flooding, then merge across what was not drawn."""
    options = {"sigma": sigma, "contrast": contrast, "depth": depth, "size_weight": size_weight}
    return next(all_closed_contours(image, [threshold], channel_axis=channel_axis, **options))


def all_closed_contours(
    image: np.ndarray,
    values: Iterable[float],
    *,
    sigma: float,
    contrast: float,
    depth: float,
    size_weight: float,
    channel_axis: int | None,
) -> Iterator[np.ndarray]:
    """Yield the regions for each threshold."""
    thresholds = [float(_check.number(value, "threshold")) for value in values]
    edges = edges_of(image, sigma, contrast, channel_axis)
    basins, drawn = closed(edges, depth)
    colors = perceived(image, channel_axis, lightness_weight=0.5)
    tree = _merged(basins, colors, drawn, float(_check.number(size_weight, "size_weight")))
    yield from (tree.labels(basins, level=threshold) for threshold in thresholds)


def edges_of(
    image: np.ndarray, sigma: float, contrast: float, channel_axis: int | None
) -> np.ndarray:
    """Return Canny's edges, bool; in other than two dimensions the same without thinning.

    An edge begins where lightness changes by `contrast` grey levels per pixel, and goes on
    while it changes by 0.4 of that.
    """
    from skimage.feature import canny
    from skimage.filters import apply_hysteresis_threshold

    sigma = _check.sigma(sigma)
    contrast = float(_check.number(contrast, "contrast", above=True))
    faint = _FAINT * contrast
    grey = lightness(image, channel_axis).astype(np.float32)
    if grey.ndim != 2:
        return apply_hysteresis_threshold(gradient(grey, sigma=sigma), faint, contrast)
    return canny(grey, sigma, low_threshold=_SOBEL * faint, high_threshold=_SOBEL * contrast)


def closed(edges: np.ndarray, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the regions that edges, gaps or not, enclose; and near each pixel, is there an edge.

    A gap is closed if it is narrower, by twice the `depth`, than the regions it joins.
    """
    from scipy.ndimage import distance_transform_edt, maximum_filter

    if not edges.any():
        return np.ones(edges.shape, dtype=np.int32), np.zeros(edges.shape, dtype=np.float32)
    away = distance_transform_edt(~edges).astype(np.float32)
    return watershed(-away, depth=depth), maximum_filter(edges, 3).astype(np.float32)


def _merged(
    basins: np.ndarray, colors: np.ndarray, drawn: np.ndarray, size_weight: float
) -> MergeTree:
    """Merge basins: by how much of the contour was drawn, by color, small regions first."""

    def cost(graph: RegionGraph, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        apart = np.sqrt(((graph.mean[u] - graph.mean[v]) ** 2).sum(axis=1))
        size = graph.size[u] / (1 + graph.size[u] / graph.size[v]) / basins.size
        return np.asarray(graph.strength) * (_ALIKE + apart) * size**size_weight

    return merge_tree(region_graph(basins, colors, strength=drawn, channel_axis=-1), criterion=cost)
