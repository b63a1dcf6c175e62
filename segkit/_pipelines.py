"""Ready-made pipelines, by name in `METHODS`.

A pipeline is a short function: smooth, measure, segment, tidy.  Its keyword
arguments are its parameters, and the source of each is a recipe to start from.

`PHOTOGRAPHS` divide any picture into regions, with defaults that suit a
photograph.  They are coarse on purpose: noise is smoothed away first, and
regions too small to look at go to their nearest neighbor, or lose their label,
in the end.  `TASKS` (in a module of their own) look for one kind of thing.

So that one set of defaults serves every image, pipelines work on a scale of 0
to 255: 8-bit images are taken as they are, others are stretched to it.

A pipeline with a keyword `markers` takes a marker image, and then gives the
markers' values back.  Without one it sets its own.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from . import _check
from ._closing import all_closed_contours, closed_contours
from ._contact_lines import strength_sums
from ._joining import felzenszwalb, statistical_region_merging
from ._recipes import contact_share, lightness, perceived, smooth
from ._tasks import membranes, nuclei, scribbles
from .clustering import KMeansSegmenter
from .features import pixel_features
from .flooding import watershed, watershed_tree
from .graphs import RegionGraph, region_graph
from .growing import find_seeds, region_growing
from .labels import connected_components, remove_small
from .merging import MergeTree, merge_tree
from .quadtrees import quadtree
from .relief import _oriented_boundary_strength, gradient

# The first line of each docstring is what the page says of it.


def _watershed(
    image: np.ndarray,
    *,
    sigma: float = 2.0,
    depth: float = 4.0,
    min_size: int = 50,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Flood the gradient from each of its minima that is deep enough."""
    relief = gradient(image, sigma=sigma, channel_axis=channel_axis)
    return _without_small(watershed(relief, depth=depth), min_size)


def _without_small(labels: np.ndarray, min_size: int) -> np.ndarray:
    """Return regions of at least `min_size` pixels, or the largest, grown over the others."""
    least = _check.integer(min_size, "min_size", low=0)
    largest = int(np.bincount(labels.ravel(), minlength=2)[1:].max())
    return remove_small(labels, min(least, largest), fill="nearest")


def _merged_watershed(
    image: np.ndarray,
    *,
    n_regions: int = 8,
    sigma: float = 1.5,
    depth: float = 1.5,
    lightness_weight: float = 0.5,
    shape_weight: float = 0.3,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Merge the basins of the gradient, the most alike in color and the roundest first."""
    return next(
        _merged_watersheds(
            image,
            [n_regions],
            sigma=sigma,
            depth=depth,
            lightness_weight=lightness_weight,
            shape_weight=shape_weight,
            channel_axis=channel_axis,
        )
    )


def _merged_watersheds(
    image: np.ndarray,
    values: Iterable[int],
    *,
    sigma: float,
    depth: float,
    lightness_weight: float,
    shape_weight: float,
    channel_axis: int | None,
) -> Iterator[np.ndarray]:
    relief = gradient(
        perceived(image, channel_axis, lightness_weight=1), sigma=sigma, channel_axis=-1
    )
    basins = _without_small(watershed(relief, depth=depth), 20)
    colors = perceived(image, channel_axis, lightness_weight=lightness_weight)
    tree = merge_tree(
        region_graph(basins, colors, channel_axis=-1),
        criterion="baatz_schape",
        shape_weight=shape_weight if basins.ndim == 2 else 0.0,
    )
    yield from _cut_at_numbers(tree, basins, values)


def _cut_at_numbers(
    tree: MergeTree, basins: np.ndarray, values: Iterable[int]
) -> Iterator[np.ndarray]:
    for value in values:
        n_regions = _check.integer(value, "n_regions", low=1)
        yield tree.labels(basins, n_regions=min(n_regions, tree.n_regions))


def _split_and_merge(
    image: np.ndarray,
    *,
    n_regions: int = 6,
    sigma: float = 1.0,
    threshold: float = 3.0,
    block: int = 4,
    lightness_weight: float = 0.5,
    shape_weight: float = 0.3,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Split into even blocks, then merge the most alike in color and the roundest first."""
    return next(
        _splits_and_merges(
            image,
            [n_regions],
            sigma=sigma,
            threshold=threshold,
            block=block,
            lightness_weight=lightness_weight,
            shape_weight=shape_weight,
            channel_axis=channel_axis,
        )
    )


def _splits_and_merges(
    image: np.ndarray,
    values: Iterable[int],
    *,
    sigma: float,
    threshold: float,
    block: int,
    lightness_weight: float,
    shape_weight: float,
    channel_axis: int | None,
) -> Iterator[np.ndarray]:
    colors = perceived(
        smooth(image, sigma, channel_axis), channel_axis, lightness_weight=lightness_weight
    )
    splits = quadtree(colors, threshold=threshold, criterion="std", min_size=block, channel_axis=-1)
    blocks = splits.labels()
    tree = merge_tree(
        splits.graph(colors, channel_axis=-1),
        criterion="baatz_schape",
        shape_weight=shape_weight if blocks.ndim == 2 else 0.0,
    )
    yield from _cut_at_numbers(tree, blocks, values)


def _hierarchical_watershed(
    image: np.ndarray,
    *,
    n_regions: int = 8,
    sigma: float = 3.0,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Join the basins of the gradient, those that hold the least water first."""
    return next(
        _hierarchical_watersheds(image, [n_regions], sigma=sigma, channel_axis=channel_axis)
    )


def _hierarchical_watersheds(
    image: np.ndarray, values: Iterable[int], *, sigma: float, channel_axis: int | None
) -> Iterator[np.ndarray]:
    relief = gradient(
        perceived(image, channel_axis, lightness_weight=1), sigma=sigma, channel_axis=-1
    )
    found = watershed_tree(relief, attribute="volume")
    yield from _cut_at_numbers(found.tree, found.labels, values)


def _merged_contours(
    image: np.ndarray,
    *,
    threshold: float = 1.5,
    depth: float = 0.02,
    size_weight: float = 0.35,
    share_weight: float = 0.4,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Merge basins across weak contours, found as differences of half-discs, small ones first."""
    options = {"depth": depth, "size_weight": size_weight, "share_weight": share_weight}
    return next(_all_merged_contours(image, [threshold], channel_axis=channel_axis, **options))


def _all_merged_contours(
    image: np.ndarray,
    values: Iterable[float],
    *,
    depth: float,
    size_weight: float,
    share_weight: float,
    channel_axis: int | None,
) -> Iterator[np.ndarray]:
    thresholds = [float(_check.number(value, "threshold")) for value in values]
    size_weight = float(_check.number(size_weight, "size_weight"))
    share_weight = float(_check.number(share_weight, "share_weight"))
    colors = perceived(image, channel_axis, lightness_weight=1)
    strength, oriented = _contours(image, colors, channel_axis)
    basins = watershed(strength, depth=depth)

    def cost(graph: RegionGraph, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Weigh how strong the contour is, how unlike the colors, how large the smaller region.

        What shares much of its border with a neighbor is part of it.
        """
        apart = np.sqrt(((graph.mean[u] - graph.mean[v]) ** 2).sum(axis=1))
        size = graph.size[u] / (1 + graph.size[u] / graph.size[v]) / basins.size
        cost = np.asarray(graph.strength) ** 2 * (2 + apart) * size**size_weight
        return cost / contact_share(graph, u, v) ** share_weight

    graph = region_graph(basins, colors, strength=strength, channel_axis=-1)
    if oriented is not None:
        graph = replace(graph, strength_sum=strength_sums(basins, oriented, _LINE_REACH))
    tree = merge_tree(graph, criterion=cost)
    yield from (tree.labels(basins, level=threshold) for threshold in thresholds)


_LINE_REACH = 10  # pixels of border to either side that tell its direction


def _contours(
    image: np.ndarray, colors: np.ndarray, channel_axis: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the strength of contours, 0 to 1, and for each direction.

    In other than 2 dimensions it is the gradient's, and there are no directions.
    """
    if colors.ndim == 3:
        oriented = _oriented_boundary_strength(
            np.clip(image / 255, 0, 1), channel_axis=channel_axis
        )
        return oriented.max(axis=0), oriented
    return np.minimum(gradient(colors, sigma=1.5, channel_axis=-1) / 64, 1), None


def _felzenszwalb(
    image: np.ndarray,
    *,
    scale: float = 500.0,
    sigma: float = 1.2,
    min_size: int = 150,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Join pixels where the edge between two regions is weak beside those inside them."""
    return felzenszwalb(
        image, scale=scale, sigma=sigma, min_size=min_size, channel_axis=channel_axis
    )


def _statistical_merging(
    image: np.ndarray,
    *,
    complexity: float = 32.0,
    sigma: float = 0.0,
    min_size: int = 100,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Join regions whose means differ by no more than chance explains."""
    smoothed = smooth(image, sigma, channel_axis)
    return statistical_region_merging(
        smoothed, complexity=complexity, min_size=min_size, channel_axis=channel_axis
    )


def _marker_watershed(
    image: np.ndarray,
    *,
    markers: np.ndarray | None = None,
    sigma: float = 2.0,
    seed_distance: int = 24,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Flood the gradient from markers: those given, or some set in flat places."""
    relief = gradient(image, sigma=sigma, channel_axis=channel_axis)
    if markers is None:
        markers = _seeds(image, seed_distance, sigma, channel_axis)
    return watershed(relief, markers)


def _compact_watershed(
    image: np.ndarray,
    *,
    sigma: float = 1.0,
    spacing: int = 24,
    compactness: float = 0.5,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Flood from a regular grid, kept compact: superpixels of even size."""
    spacing = _check.integer(spacing, "spacing", low=1)
    relief = gradient(image, sigma=sigma, channel_axis=channel_axis)
    markers = np.zeros(relief.shape, dtype=np.int32)
    grid = markers[tuple(slice(min(spacing, side) // 2, None, spacing) for side in relief.shape)]
    grid[...] = np.arange(1, grid.size + 1).reshape(grid.shape)
    return watershed(relief, markers, compactness=compactness)


def _growing(
    image: np.ndarray,
    *,
    markers: np.ndarray | None = None,
    sigma: float = 2.0,
    seed_distance: int = 24,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow markers, given or set in flat places; the pixel most like its region joins first."""
    smoothed = smooth(image, sigma, channel_axis)
    if markers is None:
        markers = _seeds(smoothed, seed_distance, 0, channel_axis)
    return region_growing(smoothed, markers, criterion="region", channel_axis=channel_axis)


def _growing_unseeded(
    image: np.ndarray,
    *,
    sigma: float = 1.5,
    tolerance: float = 28.0,
    min_size: int = 100,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow one region after the other, each until no neighbor is like its mean."""
    smoothed = smooth(image, sigma, channel_axis)
    labels = region_growing(
        smoothed, criterion="region", tolerance=tolerance, channel_axis=channel_axis
    )
    return _without_small(labels, min_size)


def _growing_seed(
    image: np.ndarray,
    *,
    sigma: float = 1.5,
    seed_distance: int = 24,
    tolerance: float = 30.0,
    min_size: int = 60,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow seeds over all that is like the seed itself; the rest stays without a label."""
    smoothed = smooth(image, sigma, channel_axis)
    seeds = _seeds(smoothed, seed_distance, 0, channel_axis)
    labels = region_growing(
        smoothed, seeds, criterion="seed", tolerance=tolerance, channel_axis=channel_axis
    )
    return remove_small(labels, min_size)


def _growing_neighbor(
    image: np.ndarray,
    *,
    sigma: float = 1.5,
    tolerance: float = 4.0,
    min_size: int = 60,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow from pixel to like pixel: follows soft shading, and leaks where an edge fades."""
    smoothed = smooth(image, sigma, channel_axis)
    labels = region_growing(
        smoothed, criterion="neighbor", tolerance=tolerance, channel_axis=channel_axis
    )
    return _without_small(labels, min_size)


def _growing_confidence(
    image: np.ndarray,
    *,
    sigma: float = 2.0,
    seed_distance: int = 24,
    multiplier: float = 2.5,
    iterations: int = 4,
    min_size: int = 60,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow seeds over what lies within some deviations of the region's mean lightness."""
    smoothed = smooth(lightness(image, channel_axis), sigma, None)
    seeds = _seeds(smoothed, seed_distance, 0, None)
    labels = region_growing(
        smoothed, seeds, criterion="confidence", multiplier=multiplier, iterations=iterations
    )
    return remove_small(labels, min_size)


def _flat_zones(
    image: np.ndarray,
    *,
    sigma: float = 2.0,
    tolerance: float = 1.5,
    min_size: int = 60,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Join neighbors of nearly equal lightness: quasi-flat zones, no seeds, one fast pass."""
    smoothed = smooth(lightness(image, channel_axis), sigma, None)
    labels = connected_components(smoothed, tolerance=tolerance, background=None)
    return _without_small(labels, min_size)


def _kmeans(
    image: np.ndarray,
    *,
    n_classes: int = 3,
    sigma: float = 2.0,
    lightness_weight: float = 0.5,
    position_weight: float = 0.0,
    min_size: int = 400,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Sort pixels into classes by their color (k-means); the connected parts are regions."""
    smoothed = smooth(image, sigma, channel_axis)
    rows = perceived(smoothed, channel_axis, lightness_weight=lightness_weight)
    n_classes = min(_check.integer(n_classes, "n_classes", low=1), rows[..., 0].size)
    weight = np.float32(_check.number(position_weight, "position_weight"))
    if weight > 0:
        places = pixel_features(rows, ["position"], channel_axis=-1)
        rows = np.concatenate([rows, places * weight], axis=-1)
    with warnings.catch_warnings():  # an image of few colors has few classes
        warnings.simplefilter("ignore", UserWarning)
        classes = KMeansSegmenter(n_classes, channel_axis=-1).fit_predict(rows)
    labels = connected_components(classes, connectivity=classes.ndim)
    return remove_small(labels, min_size, fill="nearest")


Pipeline = Callable[..., np.ndarray]

PHOTOGRAPHS: dict[str, Pipeline] = {
    "watershed": _watershed,
    "merged_watershed": _merged_watershed,
    "split_and_merge": _split_and_merge,
    "hierarchical_watershed": _hierarchical_watershed,
    "merged_contours": _merged_contours,
    "closed_contours": closed_contours,
    "felzenszwalb": _felzenszwalb,
    "statistical_region_merging": _statistical_merging,
    "marker_watershed": _marker_watershed,
    "compact_watershed": _compact_watershed,
    "growing": _growing,
    "growing_unseeded": _growing_unseeded,
    "growing_seed": _growing_seed,
    "growing_neighbor": _growing_neighbor,
    "growing_confidence": _growing_confidence,
    "flat_zones": _flat_zones,
    "kmeans": _kmeans,
}

TASKS: dict[str, Pipeline] = {
    "nuclei": nuclei,
    "membranes": membranes,
    "scribbles": scribbles,
}

METHODS: dict[str, Pipeline] = PHOTOGRAPHS | TASKS

# Those that merge give any number of scales for little more than one.
AT_SCALES: dict[str, Callable[..., Iterator[np.ndarray]]] = {
    "merged_watershed": _merged_watersheds,
    "split_and_merge": _splits_and_merges,
    "hierarchical_watershed": _hierarchical_watersheds,
    "merged_contours": _all_merged_contours,
    "closed_contours": all_closed_contours,
}

# What to search when parameters are tuned: values for each parameter, in rising order.
# The first parameter sets the scale: how large regions are, one way or the other.
SEARCH: dict[str, dict[str, tuple[float, ...]]] = {
    "watershed": {
        "depth": (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24),
        "sigma": (1, 2, 3, 4, 6),
        "min_size": (50, 200, 800),
    },
    "merged_watershed": {
        "n_regions": (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96),
        "sigma": (1, 1.5, 2),
        "depth": (0.25, 0.5, 1, 1.5, 2),
        "lightness_weight": (0.35, 0.5, 0.7, 1),
        "shape_weight": (0.1, 0.2, 0.3, 0.5),
    },
    "split_and_merge": {
        "n_regions": (2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96),
        "sigma": (0.5, 1, 1.5),
        "threshold": (1, 2, 3, 4, 6),
        "block": (2, 4, 8),
        "lightness_weight": (0.35, 0.5, 0.7, 1),
        "shape_weight": (0.1, 0.2, 0.3, 0.5),
    },
    "hierarchical_watershed": {
        "n_regions": (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96),
        "sigma": (1, 2, 3, 4),
    },
    "merged_contours": {
        "threshold": (0.15, 0.25, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 1.75, 2, 2.5, 3.5),
        "share_weight": (0.2, 0.3, 0.4, 0.5),
        "size_weight": (0.25, 0.35, 0.45),
        "depth": (0.015, 0.02, 0.03),
    },
    "closed_contours": {
        "threshold": (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8),
        "sigma": (2, 3, 4),
        "contrast": (1.5, 2, 2.5, 3, 4),
        "size_weight": (0.25, 0.35, 0.5),
        "depth": (0.5, 1, 2),
    },
    "felzenszwalb": {
        "scale": (30, 60, 100, 200, 300, 500, 800, 1200, 2000, 4000),
        "sigma": (0.5, 0.8, 1.2),
        "min_size": (20, 50, 150, 400),
    },
    "statistical_region_merging": {
        "complexity": (1, 2, 4, 8, 16, 32, 64, 128, 256),
        "sigma": (0, 0.5, 1),
        "min_size": (20, 50, 150, 400),
    },
    "marker_watershed": {
        "seed_distance": (12, 16, 24, 32, 48, 64, 96, 140, 200),
        "sigma": (1, 2, 3, 4),
    },
    "compact_watershed": {
        "spacing": (12, 16, 24, 32, 48, 64, 96, 140, 200),
        "sigma": (0.5, 1, 2),
        "compactness": (0.1, 0.5, 2),
    },
    "growing": {"seed_distance": (12, 16, 24, 32, 48, 64, 96, 140, 200), "sigma": (1, 2, 3, 4)},
    "growing_unseeded": {
        "tolerance": (8, 12, 16, 20, 28, 40, 56, 80),
        "sigma": (1, 1.5, 2, 3),
        "min_size": (50, 200, 800),
    },
    "growing_seed": {
        "tolerance": (8, 12, 16, 20, 30, 40, 56, 80),
        "sigma": (1, 1.5, 2, 3),
        "seed_distance": (12, 24, 48),
    },
    "growing_neighbor": {
        "tolerance": (1, 1.5, 2, 3, 4, 6, 8, 12),
        "sigma": (1, 1.5, 2, 3),
        "min_size": (50, 200, 800),
    },
    "growing_confidence": {
        "multiplier": (1, 1.5, 2, 2.5, 3, 4),
        "sigma": (1, 2, 3),
        "seed_distance": (12, 24, 48),
    },
    "flat_zones": {
        "tolerance": (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4),
        "sigma": (1, 2, 3),
        "min_size": (50, 200, 800),
    },
    "kmeans": {
        "n_classes": (2, 3, 4, 5, 6, 8, 10, 12, 16, 24),
        "sigma": (1, 2, 3, 4, 6),
        "lightness_weight": (0.35, 0.5, 0.7, 1),
        "position_weight": (0, 0.05, 0.1, 0.2),
        "min_size": (100, 400, 800, 1600),
    },
    "nuclei": {
        "depth": (0.06, 0.08, 0.1, 0.12, 0.15),
        "level": (0.7, 0.8, 0.9, 1),
        "height": (0.45, 0.5, 0.55),
    },
    "membranes": {
        "depth": (50, 60, 65, 70, 75, 80, 90),
        "sigma": (2, 2.5, 3),
        "length": (8, 10, 12, 15),
    },
    "scribbles": {
        "depth": (0.5, 1, 2),
        "contrast": (2, 3, 4),
        "likeness": (1, 2, 4),
        "evidence": (0.001, 0.003, 0.01),
        "sure": (0.6, 0.7, 0.8),
    },
}


def _seeds(image: np.ndarray, distance: int, sigma: float, channel_axis: int | None) -> np.ndarray:
    """Return seeds in flat places; one in the corner of an image that has no such place."""
    seeds = find_seeds(image, min_distance=distance, sigma=sigma, channel_axis=channel_axis)
    if not seeds.any():
        seeds[(0,) * seeds.ndim] = 1
    return seeds


def refuse_unknown(parameters: Iterable[str], method: str) -> None:
    """Refuse names that are no parameters of a method."""
    accepted = defaults_of(METHODS[method])
    for name in parameters:
        if name not in accepted:
            raise ValueError(
                f"`{name}` is not a parameter of {method}; it has {', '.join(accepted)}"
            )


def defaults_of(pipeline: Pipeline) -> dict[str, Any]:
    """Return the parameters of a pipeline and their defaults."""
    signature = inspect.signature(pipeline).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in signature
        if parameter.kind is parameter.KEYWORD_ONLY
        and parameter.name not in ("channel_axis", "markers")
    }


def takes_markers(pipeline: Pipeline) -> bool:
    """Return whether a pipeline can start from markers that are given."""
    return "markers" in inspect.signature(pipeline).parameters
