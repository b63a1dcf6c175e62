"""Ready-made pipelines, by name in `METHODS`.

A pipeline is a short function: smooth, measure, segment, tidy.  Its keyword
arguments are its parameters, and their defaults suit a photograph; the source
of each is a recipe to start from.

So that one set of defaults serves every image, pipelines work on a scale of 0
to 255: 8-bit images are taken as they are, others are stretched to it.  They
are coarse on purpose: noise is smoothed away first, and regions too small to
look at go to their nearest neighbor, or lose their label, in the end.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import _check
from .flooding import watershed
from .growing import find_seeds, region_growing
from .labels import connected_components, remove_small
from .relief import gradient

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
    return remove_small(watershed(relief, depth=depth), min_size, fill="nearest")


def _marker_watershed(
    image: np.ndarray,
    *,
    sigma: float = 2.0,
    seed_distance: int = 24,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Flood the gradient from markers that were set in flat places."""
    relief = gradient(image, sigma=sigma, channel_axis=channel_axis)
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
    sigma: float = 2.0,
    seed_distance: int = 24,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow seeds from flat places; the pixel most like its region joins first, until all have."""
    smooth = _smooth(image, sigma, channel_axis)
    seeds = _seeds(smooth, seed_distance, 0, channel_axis)
    return region_growing(smooth, seeds, criterion="region", channel_axis=channel_axis)


def _growing_unseeded(
    image: np.ndarray,
    *,
    sigma: float = 1.5,
    tolerance: float = 28.0,
    min_size: int = 100,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow one region after the other, each until no neighbor is like its mean."""
    smooth = _smooth(image, sigma, channel_axis)
    labels = region_growing(
        smooth, criterion="region", tolerance=tolerance, channel_axis=channel_axis
    )
    return remove_small(labels, min_size, fill="nearest")


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
    smooth = _smooth(image, sigma, channel_axis)
    seeds = _seeds(smooth, seed_distance, 0, channel_axis)
    labels = region_growing(
        smooth, seeds, criterion="seed", tolerance=tolerance, channel_axis=channel_axis
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
    smooth = _smooth(image, sigma, channel_axis)
    labels = region_growing(
        smooth, criterion="neighbor", tolerance=tolerance, channel_axis=channel_axis
    )
    return remove_small(labels, min_size, fill="nearest")


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
    smooth = _smooth(_lightness(image, channel_axis), sigma, None)
    seeds = _seeds(smooth, seed_distance, 0, None)
    labels = region_growing(
        smooth, seeds, criterion="confidence", multiplier=multiplier, iterations=iterations
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
    smooth = _smooth(_lightness(image, channel_axis), sigma, None)
    labels = connected_components(smooth, tolerance=tolerance, background=None)
    return remove_small(labels, min_size, fill="nearest")


METHODS: dict[str, Callable[..., np.ndarray]] = {
    "watershed": _watershed,
    "marker_watershed": _marker_watershed,
    "compact_watershed": _compact_watershed,
    "growing": _growing,
    "growing_unseeded": _growing_unseeded,
    "growing_seed": _growing_seed,
    "growing_neighbor": _growing_neighbor,
    "growing_confidence": _growing_confidence,
    "flat_zones": _flat_zones,
}


def _seeds(image: np.ndarray, distance: int, sigma: float, channel_axis: int | None) -> np.ndarray:
    """Return seeds in flat places; one in the corner of an image that has no such place."""
    seeds = find_seeds(image, min_distance=distance, sigma=sigma, channel_axis=channel_axis)
    if not seeds.any():
        seeds[(0,) * seeds.ndim] = 1
    return seeds


def _smooth(image: np.ndarray, sigma: float, channel_axis: int | None) -> np.ndarray:
    """Return the image smoothed by a Gaussian along its spatial axes, float32."""
    from scipy.ndimage import gaussian_filter

    sigma = _check.sigma(sigma)
    values = image.astype(np.float32)
    sigmas = [sigma] * values.ndim
    if channel_axis is not None:
        sigmas[channel_axis] = 0.0
    return gaussian_filter(values, sigmas, truncate=3.0)


def _lightness(image: np.ndarray, channel_axis: int | None) -> np.ndarray:
    """Return a one-channel image: luma of three channels, the mean of others."""
    if channel_axis is None:
        return image
    channels = np.moveaxis(image, channel_axis, -1).astype(np.float32)
    if channels.shape[-1] == 3:
        return channels @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return channels.mean(axis=-1)


def refuse_unknown(parameters: Iterable[str], method: str) -> None:
    """Refuse names that are no parameters of a method."""
    accepted = defaults_of(METHODS[method])
    for name in parameters:
        if name not in accepted:
            raise ValueError(
                f"`{name}` is not a parameter of {method}; it has {', '.join(accepted)}"
            )


def defaults_of(pipeline: Callable[..., np.ndarray]) -> dict[str, Any]:
    """Return the parameters of a pipeline and their defaults."""
    signature = inspect.signature(pipeline).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in signature
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != "channel_axis"
    }
