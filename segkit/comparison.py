"""One image by one method, and many images by many methods on one page.

`segment` runs a ready-made pipeline by its name in `METHODS`; `compare` runs
all those for photographs over all images, measures them, and `Comparison.save` writes what
came out as one page that needs nothing beside it.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import _check, _page
from ._dtypes import label_dtype
from ._pipelines import (
    METHODS,
    PHOTOGRAPHS,
    defaults_of,
    needs_markers,
    refuse_unknown,
    takes_markers,
)
from .labels import relabel
from .plot import stretch

# One image, one method


def segment(
    image: Any,
    method: str,
    *,
    markers: Any = None,
    channel_axis: int | None = None,
    **parameters: Any,
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
        "growing_confidence" or "flat_zones" for photographs; "nuclei", "membranes"
        or "scribbles" for what they name.
    markers : (...) integer array, optional
        Where regions start, 0 elsewhere; of the image's spatial shape.  "scribbles"
        needs them, "marker_watershed" and "growing" take them, others refuse them.
    channel_axis : int, optional
        The axis of channels; None for an image of one channel.
    **parameters
        Parameters of that pipeline in place of its defaults, as
        `inspect.signature(METHODS[method])` shows them: distances in pixels,
        tolerances and depths in grey levels of 0..255, sizes in pixels.

    Returns
    -------
    labels : (...) int32 or int64 array
        1..n without gaps, or the markers' values where markers are given; 0 where
        the method gives no label.

    Raises
    ------
    TypeError
        `image` is not real, `method` is not a str, or `markers` are not integers.
    ValueError
        The method or a parameter is not known, or a value is not accepted;
        `markers` are missing, of no use to the method, of another shape, or all 0.

    Notes
    -----
    **Ties** as each method states them. **Cost** seconds per megapixel, most of
    it for smoothing and the gradient. The pipelines are in `segkit/_pipelines.py`
    and `segkit/_tasks.py`.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> image = np.zeros((40, 60), dtype=np.uint8)
    >>> image[10:30, 10:50] = 200
    >>> int(segkit.segment(image, "growing_unseeded", tolerance=40, sigma=0).max())
    2
    >>> strokes = np.zeros(image.shape, dtype=np.uint8)
    >>> strokes[20, 25:35], strokes[5, 5:30] = 7, 3
    >>> np.unique(segkit.segment(image, "scribbles", markers=strokes))
    array([3, 7], dtype=int32)
    """
    _check.choice(method, "method", tuple(METHODS))
    values = _check.channels_last(image, channel_axis)
    _check.refuse_not_finite(values, "image")
    pipeline = METHODS[method]
    refuse_unknown(parameters, method)
    if markers is not None:
        parameters["markers"] = _markers(markers, method, values.shape[:-1])
    elif needs_markers(pipeline):
        raise ValueError(f"`markers` must be given: {method} starts from them")
    if values.size == 0:
        return np.zeros(values.shape[:-1], dtype=np.int32)
    prepared = stretch(values) if channel_axis is not None else stretch(values[..., 0])
    axis = None if channel_axis is None else -1
    labels = pipeline(prepared, channel_axis=axis, **parameters)
    return labels if markers is not None else relabel(labels)


def _markers(value: Any, method: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a marker image, checked, for a method that takes one."""
    if not takes_markers(METHODS[method]):
        takers = ", ".join(name for name in METHODS if takes_markers(METHODS[name]))
        raise ValueError(f"`markers` are of no use to {method}; {takers} start from them")
    array = _check.labels(value, "markers")
    _check.same_shape(array, "markers", shape, "image")
    largest = _check.largest_label(array, "markers")
    if largest == 0 and array.size:
        raise ValueError("`markers` must mark at least one pixel, got zeros only")
    return array.astype(label_dtype(max(largest, array.size)))


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
        Which pipelines of `METHODS`; by default all those for photographs.
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
                        "parameters": defaults_of(METHODS[method]) | parameters,
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
        methods = PHOTOGRAPHS
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
