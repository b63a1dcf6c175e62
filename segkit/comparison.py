"""Ready-made pipelines, and many of them side by side on one page.

A pipeline is a short function: smooth, measure, segment, tidy.  Its keyword
arguments are its parameters, and their defaults suit a photograph; `METHODS`
lists them by name, and the source of each is a recipe to start from.

So that one set of defaults serves every image, pipelines work on a scale of 0
to 255: 8-bit images are taken as they are, others are stretched to it.  They
are coarse on purpose: noise is smoothed away first, and regions too small to
look at go to their nearest neighbor, or lose their label, in the end.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import _check, _page
from .flooding import watershed
from .growing import find_seeds, region_growing
from .labels import connected_components, relabel, remove_small
from .plot import stretch
from .relief import gradient

# The pipelines.  The first line of each docstring is what the page says of it.


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


# One image, one method


def segment(
    image: Any, method: str, *, channel_axis: int | None = None, **parameters: Any
) -> np.ndarray:
    """Segment an image by one of the ready-made pipelines of `METHODS`.

    Parameters
    ----------
    image : (...) array, or with channels along `channel_axis`
        8-bit values are taken as they are, other types are stretched to 0..255.
        No NaN and no infinite values.
    method : str
        A name in `METHODS`: "watershed", "marker_watershed", "compact_watershed",
        "growing", "growing_unseeded", "growing_seed", "growing_neighbor",
        "growing_confidence" or "flat_zones".
    channel_axis : int, optional
        The axis of channels; None for an image of one channel.
    **parameters
        Parameters of that pipeline in place of its defaults, as
        `inspect.signature(METHODS[method])` shows them: distances in pixels,
        tolerances and depths in grey levels of 0..255, sizes in pixels.

    Returns
    -------
    labels : (...) int32 or int64 array
        1..n without gaps; 0 where the method gives no label.

    Raises
    ------
    TypeError
        `image` is not real, or `method` is not a str.
    ValueError
        The method or a parameter is not known, or a value is not accepted.

    Notes
    -----
    **Ties** as each method states them. **Cost** seconds per megapixel, most of
    it for smoothing and the gradient. The pipelines are in `segkit/comparison.py`.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> image = np.zeros((40, 60), dtype=np.uint8)
    >>> image[10:30, 10:50] = 200
    >>> int(segkit.segment(image, "growing_unseeded", tolerance=40, sigma=0).max())
    2
    """
    _check.choice(method, "method", tuple(METHODS))
    values = _check.channels_last(image, channel_axis)
    _check.refuse_not_finite(values, "image")
    pipeline = METHODS[method]
    _refuse_unknown(parameters, method)
    if values.size == 0:
        return np.zeros(values.shape[:-1], dtype=np.int32)
    prepared = stretch(values) if channel_axis is not None else stretch(values[..., 0])
    axis = None if channel_axis is None else -1
    return relabel(pipeline(prepared, channel_axis=axis, **parameters))


def _refuse_unknown(parameters: Iterable[str], method: str) -> None:
    """Refuse names that are no parameters of a method."""
    accepted = _defaults_of(METHODS[method])
    for name in parameters:
        if name not in accepted:
            raise ValueError(
                f"`{name}` is not a parameter of {method}; it has {', '.join(accepted)}"
            )


def _defaults_of(pipeline: Callable[..., np.ndarray]) -> dict[str, Any]:
    """Return the parameters of a pipeline and their defaults."""
    signature = inspect.signature(pipeline).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in signature
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != "channel_axis"
    }


# Many of both


@dataclass(frozen=True)
class Comparison:
    """What `compare` found: a table, the label images, and a page of both.

    Attributes
    ----------
    table : list of dict
        One row for each image and method: image, method, n_regions, unlabelled
        (fraction of the pixels), seconds, parameters.  Ready for pandas.
    images : dict of arrays
        The images by name.
    labels : dict of arrays
        The label images by (image, method).
    truths : dict of arrays
        Label images to compare with by eye, by the name of the image.
    """

    table: list[dict[str, Any]]
    images: dict[str, np.ndarray]
    labels: dict[tuple[str, str], np.ndarray]
    truths: dict[str, np.ndarray]

    def save(self, folder: str | Path) -> Path:
        """Write the page: one file, index.html, which needs nothing beside it.

        Parameters
        ----------
        folder : str or path
            Where to; made if it is not there.

        Returns
        -------
        path : Path
            The page.

        Raises
        ------
        ImportError
            The `report` extra is not installed.
        """
        methods = {
            name: (inspect.getdoc(METHODS[name]) or "").partition("\n")[0]
            for name in dict.fromkeys(row["method"] for row in self.table)
        }
        return _page.save(folder, self.table, self.images, self.labels, self.truths, methods)


def compare(
    images: Any,
    *,
    methods: Iterable[str] | Mapping[str, Mapping[str, Any]] | None = None,
    truths: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> Comparison:
    """Segment every image by every method.

    Parameters
    ----------
    images : dict of arrays by name, or a sequence of arrays
        Grey or color pictures, ``(R, C)`` or ``(R, C, 3)``, and volumes,
        ``(P, R, C)``.  Here, and only here, a last axis of 3 is taken as color.
    methods : names, or a dict of parameters by name, optional
        Which pipelines of `METHODS`; all of them by default.
    truths : dict of label images by the name of the image, optional
        Shown beside the results.
    progress : bool, default False
        Whether a progress bar is drawn on stderr.

    Returns
    -------
    comparison : Comparison
        With a ``.table``, the ``.labels``, and ``.save(folder)``.

    Raises
    ------
    TypeError, ValueError
        An image, a method or a parameter is not accepted; a truth does not have
        the shape of its image.

    Notes
    -----
    **Cost** the sum of the pipelines. Seconds are of the clock, of one run.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> ramp = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    >>> comparison = segkit.compare({"ramp": ramp}, methods=["compact_watershed"])
    >>> row = comparison.table[0]
    >>> row["image"], row["method"], row["n_regions"]
    ('ramp', 'compact_watershed', 4)
    """
    named = _named_images(images)
    plan = _plan(methods)
    known = _named_truths(truths, named)
    table: list[dict[str, Any]] = []
    labels: dict[tuple[str, str], np.ndarray] = {}
    with _Bar(len(named) * len(plan), progress) as bar:
        for name, image in named.items():
            for method, parameters in plan.items():
                bar.step(f"{name}: {method}")
                start = time.perf_counter()
                result = segment(image, method, channel_axis=_color_axis(image), **parameters)
                seconds = time.perf_counter() - start
                labels[name, method] = result
                table.append(
                    {
                        "image": name,
                        "method": method,
                        "n_regions": int(result.max(initial=0)),
                        "unlabelled": float(np.mean(result == 0)),
                        "seconds": seconds,
                        "parameters": _defaults_of(METHODS[method]) | parameters,
                    }
                )
    return Comparison(table, named, labels, known)


def _color_axis(image: np.ndarray) -> int | None:
    """Return -1 for an image whose last axis of 3 holds colors, else None."""
    return -1 if image.ndim >= 3 and image.shape[-1] == 3 else None


def _named_images(images: Any) -> dict[str, np.ndarray]:
    if isinstance(images, (np.ndarray, str)):
        raise TypeError("`images` must be a dict of arrays by name, or a sequence of arrays")
    if not isinstance(images, Mapping):
        images = {f"image {k + 1}": image for k, image in enumerate(images)}
    if not images:
        raise ValueError("`images` must hold at least one image")
    named = {}
    for name, image in images.items():
        array = _check.as_array(image, f"images[{name!r}]")
        if array.size == 0 or array.ndim < 2:
            raise ValueError(
                f"`images[{name!r}]` must be a picture or a volume, got shape {array.shape}"
            )
        named[str(name)] = array
    return named


def _plan(methods: Any) -> dict[str, dict[str, Any]]:
    if methods is None:
        methods = METHODS
    if isinstance(methods, str):
        methods = [methods]
    plan = {}
    for method in methods:
        _check.choice(method, "methods", tuple(METHODS))
        given = methods[method] if isinstance(methods, Mapping) else {}
        plan[method] = dict(given) if isinstance(given, Mapping) else {}
    if not plan:
        raise ValueError("`methods` must hold at least one name")
    return plan


def _named_truths(truths: Any, images: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    known = {}
    for name, truth in (truths or {}).items():
        if name not in images:
            raise ValueError(f"`truths` has {name!r}, which is not the name of an image")
        array = _check.labels(truth, f"truths[{name!r}]")
        shape = images[name].shape[: None if _color_axis(images[name]) is None else -1]
        _check.same_shape(array, f"truths[{name!r}]", shape, "images")
        known[name] = array
    return known


class _Bar:
    """A progress bar that says what runs now; none when it is off."""

    def __init__(self, total: int, on: bool) -> None:
        self.total, self.on, self.started = total, on, False
        self.bar: Any = None

    def __enter__(self) -> _Bar:
        if self.on:
            from tqdm import tqdm

            self.bar = tqdm(total=self.total, unit="run", leave=False, disable=None)
        return self

    def step(self, text: str) -> None:
        if self.bar is not None:
            self.bar.update(1 if self.started else 0)
            self.bar.set_description(text)
            self.started = True

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
