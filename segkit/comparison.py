"""One image by one method, and many images by many methods on one page.

`segment` runs a ready-made pipeline by its name in `METHODS`; `compare` runs
all those for photographs over all images, measures what each run takes,
scores it where the truth is known, and `Comparison.save` writes it all as one page that needs
nothing beside it.

Each method runs at least twice on each image.  The first run is watched by
tracemalloc, which sees every array and slows what is made of many small objects;
then it is timed, undisturbed.  A run on a corner of the first image goes before
both, so that neither pays for modules that are loaded when they are first used.
"""

from __future__ import annotations

import contextlib
import inspect
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import _check, _page, _scoring
from ._cases import Case, cases
from ._dtypes import label_dtype
from ._pipelines import (
    METHODS,
    PHOTOGRAPHS,
    defaults_of,
    refuse_unknown,
    takes_markers,
)
from .cnn import CNNSegmenter
from .labels import connected_components, relabel
from .plot import stretch

# What else runs by default where the truth is of a kind.
_FITTING = {"instances": "nuclei", "regions": "membranes"}

# Truths whose regions are connected, and have no names.
_OF_REGIONS = ("partitions", "regions", "instances")

# Quick methods are timed more than once: what else a machine does only ever adds.
_MOST_RUNS, _ENOUGH = 3, 0.1  # seconds

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
        A name in `METHODS`: "watershed", "merged_watershed", "hierarchical_watershed",
        "merged_contours", "closed_contours", "marker_watershed", "compact_watershed",
        "split_and_merge", "felzenszwalb", "statistical_region_merging", "growing",
        "growing_unseeded", "growing_seed", "growing_neighbor", "growing_confidence",
        "flat_zones" or "kmeans" for photographs;
        "nuclei", "membranes" or "scribbles" for what they name.
    markers : (...) integer array, optional
        Where regions start, 0 elsewhere; of the image's spatial shape.  "scribbles",
        "marker_watershed" and "growing" take them, others refuse them.  Without,
        "scribbles" takes the middle of the image for the thing and its rim for the
        ground, and the other two start in flat places.
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
        `markers` are of no use to the method, of another shape, or all 0.

    Notes
    -----
    **Ties** as each method states them. **Cost** seconds per megapixel, most of
    it for smoothing and the gradient. The pipelines are in `segkit/_pipelines.py`,
    `segkit/_closing.py` and `segkit/_tasks.py`.

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
        One row for each image and method: image, method, kind (of the truth, or
        None), the scores of that kind, explained_variation, n_regions, unlabelled
        (fraction of the pixels), seconds, memory (bytes), markers (whether it
        started from some), parameters.  Ready for pandas.
    images : dict of arrays
        The images by name.
    labels : dict of arrays
        The label images by (image, method).
    truths : dict of tuples of arrays
        The label images of all annotators, by the name of the image.
    markers : dict of arrays
        Where regions started, by the name of the image.
    networks : dict of str
        The networks among the methods by name, each as it is printed.
    """

    table: list[dict[str, Any]]
    images: dict[str, np.ndarray]
    labels: dict[tuple[str, str], np.ndarray]
    truths: dict[str, tuple[np.ndarray, ...]]
    markers: dict[str, np.ndarray]
    networks: dict[str, str] = field(default_factory=dict)

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
        TypeError
            `folder` is not a path.
        OSError
            It cannot be written.
        """
        place = _check.path(folder, "folder")
        methods = {
            name: f"A trained network: {self.networks[name]}."
            if name in self.networks
            else (inspect.getdoc(METHODS[name]) or "").partition("\n")[0]
            for name in dict.fromkeys(row["method"] for row in self.table)
        }
        return _page.save(
            place, self.table, self.images, self.labels, self.truths, self.markers, methods,
            self.networks,
        )  # fmt: skip


def compare(
    images: Any,
    *,
    methods: Iterable[str] | Mapping[str, Mapping[str, Any]] | None = None,
    truths: Mapping[str, Any] | Sequence[Any] | None = None,
    kind: str | Mapping[str, str] | None = None,
    markers: Mapping[str, Any] | Sequence[Any] | None = None,
    networks: CNNSegmenter | Mapping[str, CNNSegmenter] | None = None,
    progress: bool = False,
) -> Comparison:
    """Segment every image by every method, and score the results where the truth is known.

    Parameters
    ----------
    images : dict of arrays by name, a sequence of arrays, or items of `datasets.open`
        Grey or color pictures, ``(R, C)`` or ``(R, C, 3)``, and volumes,
        ``(P, R, C)``.  Here, and only here, a last axis of 3 is taken as color.
        An item brings its name, truth, kind and scribbles with it.
    methods : names, or a dict of parameters by name, optional
        Which pipelines of `METHODS` (`METHODS` itself for all).  By default those for
        photographs; besides, "nuclei" where the truth is instances, "membranes" where
        it is regions, and "scribbles" where there are markers.
    truths : dict by the name of the image, or a sequence as long as `images`, optional
        Each a label image of the image's shape, or several (a list, or an array
        with one more axis in front): one for each annotator.  None: not known.
    kind : str, or a dict of str by the name of the image, optional
        What the truths are, in the words of `datasets.open`:

        - "partitions" (the default): the whole image divided into regions;
        - "regions": the same, where 0 is no region and left out of scores;
        - "instances": objects on a ground of 0;
        - "classes": a class for each pixel, 0 is void and left out;
        - "structures": the same, where 0 is everything else, and counts;
        - "mask": two values, 0 the background; or 1 the object, 2 the background,
          0 undecided and left out.
    markers : dict by the name of the image, or a sequence as long as `images`, optional
        Marker images, for the methods that take one; numbered as the truth, if
        that is a mask, classes or structures.
    networks : CNNSegmenter, or a dict of them by name, optional
        Networks that run too, on all but volumes.
    progress : bool, default False
        Whether a progress bar is drawn on stderr.

    Returns
    -------
    comparison : Comparison
        With a ``.table``, the ``.labels``, and ``.save(folder)``.

    Raises
    ------
    TypeError, ValueError
        An image, a method or a parameter is not accepted; a truth or a marker image
        has no image, is not of integers, or does not have its image's shape; a kind
        is not known.

    Notes
    -----
    **Scores** by kind, as `segkit.metrics` defines them.  partitions: covering,
    Rand index, variation of information, boundary F, under-segmentation error,
    achievable accuracy.  regions: adapted Rand error, variation of information and
    its two parts.  instances: average precision at an overlap of 0.5, panoptic
    quality and its two factors.  classes: mean IoU, pixel accuracy, boundary F1.
    structures: mean Dice, mean IoU.  mask: IoU, Dice, Hausdorff distance.  Methods
    that give regions know no classes: there each region counts as what most of its
    pixels are in the truth.  What started from markers is taken by its numbers, and so is a
    network where the truth is classes.  Against partitions, regions and instances the
    connected components of its classes are scored.

    **Cost** two runs of each pipeline, one for the memory, one for the time (up to
    three if they are quick), and the scoring. Seconds are by the clock, of the
    quickest run. Memory is what Python and NumPy hold at the worst moment beyond
    the image, the result included, as tracemalloc counts it: not what libraries
    such as OpenCV take for themselves.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> ramp = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    >>> halves = np.repeat([[1, 2]], 40, axis=0).repeat(30, axis=1)
    >>> comparison = segkit.compare(
    ...     {"ramp": ramp}, methods=["compact_watershed"], truths={"ramp": halves})
    >>> row = comparison.table[0]
    >>> row["image"], row["method"], row["n_regions"], round(row["achievable_accuracy"], 2)
    ('ramp', 'compact_watershed', 4, 0.92)
    """
    given = cases(images, truths, kind, markers)
    known = _networks(networks)
    plans = [_plan(methods, case) for case in given]
    runs = [_runs(case, plan, known) for case, plan in zip(given, plans, strict=True)]
    table: list[dict[str, Any]] = []
    labels: dict[tuple[str, str], np.ndarray] = {}
    loaded: set[Any] = set()
    with _Bar(sum(map(len, runs)), progress) as bar:
        for case, plan, runs_of_case in zip(given, plans, runs, strict=True):
            for method, run in runs_of_case.items():
                bar.step(f"{case.name}: {method}")
                if (method, case.channel_axis) not in loaded:
                    _load(case, run)
                    loaded.add((method, case.channel_axis))
                result, seconds, memory = _measured(run)
                labels[case.name, method] = result
                row: dict[str, Any] = {"image": case.name, "method": method, "kind": case.kind}
                own = method not in known
                marked = own and case.markers is not None and takes_markers(METHODS[method])
                if case.kind is not None:
                    named = marked if own else case.kind == "classes"
                    row |= _scoring.scores(result, case.truths, case.kind, named=named)
                row |= _scoring.general(case.image, result, case.channel_axis)
                row |= {"seconds": seconds, "memory": memory}
                row["markers"] = marked
                row["parameters"] = defaults_of(METHODS[method]) | plan[method] if own else {}
                table.append(row)
    return Comparison(
        table,
        {case.name: case.image for case in given},
        labels,
        {case.name: case.truths for case in given if case.truths},
        {case.name: case.markers for case in given if case.markers is not None},
        {name: repr(network) for name, network in known.items()},
    )


# Running


Run = Callable[..., np.ndarray]  # of nothing, or of the part of the image


def _runs(
    case: Case, plan: Mapping[str, Mapping[str, Any]], networks: Mapping[str, CNNSegmenter]
) -> dict[str, Run]:
    """Return what runs on an image, by name."""
    found: dict[str, Run] = {
        method: partial(_segmented, case, method, parameters) for method, parameters in plan.items()
    }
    if case.image.ndim - (case.channel_axis is not None) == 2:
        found |= {name: partial(_classified, case, each) for name, each in networks.items()}
    return found


def _segmented(
    case: Case, method: str, parameters: Mapping[str, Any], part: tuple[slice, ...] = ()
) -> np.ndarray:
    """Return the result of a method on an image, or on a part of it."""
    markers = case.markers if takes_markers(METHODS[method]) else None
    return segment(
        case.image[part],
        method,
        markers=None if markers is None else markers[part],
        channel_axis=case.channel_axis,
        **parameters,
    )


def _classified(case: Case, network: CNNSegmenter, part: tuple[slice, ...] = ()) -> np.ndarray:
    """Return the classes that a network gives, or where the truth is of regions these."""
    classes = network.predict(stretch(case.image[part]))
    return connected_components(classes) if case.kind in _OF_REGIONS else classes


def _networks(given: Any) -> dict[str, CNNSegmenter]:
    """Return networks by name: one is called as its file."""
    if isinstance(given, CNNSegmenter):
        given = {given.path.stem: given}
    if not isinstance(given, (Mapping, type(None))):
        raise TypeError(f"`networks` must be a CNNSegmenter, or a dict of them, got {given!r}")
    for name, network in (given or {}).items():
        if not isinstance(network, CNNSegmenter):
            raise TypeError(f"`networks[{name!r}]` must be a CNNSegmenter, got {network!r}")
        if name in METHODS:
            raise ValueError(f"`networks` has {name!r}, which is the name of a method")
    return dict(given or {})


def _load(case: Case, run: Run) -> None:
    """Run a method on a corner of the image, for the modules that it loads."""
    ndim = case.image.ndim - (case.channel_axis is not None)
    with contextlib.suppress(ValueError):  # what is wrong is told by the run on the whole image
        run((slice(0, 32),) * ndim)


def _measured(run: Run) -> tuple[np.ndarray, float, int]:
    """Return the result of a method, the seconds it takes, and its peak of memory in bytes."""
    memory = _peak(run)
    seconds: list[float] = []
    while len(seconds) < _MOST_RUNS and sum(seconds) < _ENOUGH:
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return result, min(seconds), memory


def _peak(call: Callable[[], object]) -> int:
    """Return how many bytes more Python and NumPy hold at the worst time of a call.

    The high-water mark of the process would count other libraries too, but it
    stays where it was while freed memory is used again: it reads 0 on photographs.
    """
    tracing = tracemalloc.is_tracing()  # the user's own goes on
    if not tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not tracing:
            tracemalloc.stop()


def _plan(methods: Any, case: Case) -> dict[str, dict[str, Any]]:
    """Return the parameters of each method that is to run on an image."""
    if methods is None:
        names = list(PHOTOGRAPHS)
        if case.kind in _FITTING:
            names.append(_FITTING[case.kind])
        if case.markers is not None:
            names.append("scribbles")
        methods = names
    if isinstance(methods, str):
        methods = [methods]
    plan: dict[str, dict[str, Any]] = {}
    for method in methods:
        _check.choice(method, "methods", tuple(METHODS))
        given = methods[method] if isinstance(methods, Mapping) else None
        if given is None or given is METHODS[method]:  # `METHODS` itself is a dict of names too
            given = {}
        if not isinstance(given, Mapping):
            raise TypeError(f"`methods[{method!r}]` must be a dict of parameters, got {given!r}")
        plan[method] = dict(given)
        refuse_unknown(plan[method], method)
    if not plan:
        raise ValueError("`methods` must hold at least one name")
    return plan


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
