"""Who takes part in a comparison of quality: segkit's methods, baselines, peers.

A contender is a function of an image with keyword parameters, and what to search
when these are tuned.  The first parameter of its search sets the scale: for
partitions of photographs it is run at each value, because people segment at
different scales too.  What else a contender needs of an item (scribbles as
`markers`, `supervoxels`) is seen from its keywords; with a keyword `trained` it
gets what its `train` made of the training split.

Data sets belong to tasks, and so do contenders: a finder of nuclei is not run on
photographs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from . import _class_contenders, _scribble_contenders, comparison
from ._pipelines import AT_SCALES, METHODS, PHOTOGRAPHS, SEARCH, TASKS
from ._tasks import joined_supervoxels
from .datasets import Dataset, Item
from .plot import stretch

TASK_OF = {
    "bsds500": "photographs",
    "camvid": "classes",
    "dsb2018": "nuclei",
    "seeds50": "scribbles",
    "isbi2012": "membranes",
    "fib25": "supervoxels",
    "hippocampus": "structures",
    "oasis_trt20": "structures",
    "brain3d": "tissues",
}
PEOPLE = "people"  # the name of the row that scores annotators against each other
_INPUTS = ("markers", "supervoxels", "trained", "channel_axis")  # of an item; not parameters
Settings = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """A method that takes part, whoever it is from.

    With `several`, `run` takes the image and a sequence of values of the scale, and
    yields as many label images: what the scales share is computed once.
    """

    name: str
    run: Callable[..., Any]
    tasks: tuple[str, ...]
    search: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()  # of an item, beside its image
    needs: frozenset[str] = frozenset()  # those that it cannot do without
    library: str = "segkit"
    several: bool = False
    train: Callable[[Dataset], Any] | None = None

    @property
    def scale(self) -> str | None:
        """The parameter that sets the scale; None where there is nothing to choose."""
        return next(iter(self.search), None)


def contender(name: str, run: Callable[..., Any], *tasks: str, **fields: Any) -> Contender:
    """Return a contender whose parameters and inputs are those of its function."""
    found = Contender(name, run, tasks, **_read(run), **fields)
    if found.several and found.scale is not None:
        values = found.search[found.scale]
        found = replace(found, defaults={found.scale: values[len(values) // 2], **found.defaults})
    return found


def _read(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters and inputs that a function's keywords tell of."""
    keywords = {
        key: value.default
        for key, value in inspect.signature(function).parameters.items()
        if value.kind is value.KEYWORD_ONLY
    }
    inputs = frozenset(_INPUTS).intersection(keywords)
    return {
        "defaults": {key: value for key, value in keywords.items() if key not in inputs},
        "inputs": inputs,
        "needs": frozenset(key for key in inputs if keywords[key] is inspect.Parameter.empty),
    }


def inputs_of(item: Item, markers: np.ndarray | None) -> dict[str, Any]:
    """Return what there is of an item beside its image."""
    held = {
        "markers": markers,
        "supervoxels": item.supervoxels,
        "channel_axis": item.channel_axis,
    }
    return {key: value for key, value in held.items() if value is not None}


# segkit's own


def ours() -> dict[str, Contender]:
    """Return a contender for each method of `METHODS`, and those of one task alone."""
    merging = contender(
        "merge_regions",
        joined_supervoxels,
        "supervoxels",
        search={
            "threshold": (8, 9, 10, 10.5, 11, 11.5, 12, 12.5, 13, 14, 16),
            "sigma": (1, 1.25, 1.5, 1.75, 2),
            "share_weight": (0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
        },
    )
    classes = {
        name: contender(name, run, "classes", search=search)
        for name, (run, search) in _class_contenders.CONTENDERS.items()
    }
    classes |= {
        name: contender(name, run, "classes", train=learn)
        for name, (run, learn) in _class_contenders.LEARNERS.items()
    }
    strokes = {
        name: contender(name, run, "scribbles", search=search)
        for name, (run, search) in _scribble_contenders.CONTENDERS.items()
    }
    pipelines = {name: _of_pipeline(name) for name in METHODS}
    return pipelines | {merging.name: merging} | classes | strokes


def _of_pipeline(name: str) -> Contender:
    pipeline = METHODS[name]
    found = _read(pipeline)
    tasks = ["photographs"] if name in PHOTOGRAPHS else []
    tasks += [name] if name in TASKS else []
    tasks += ["scribbles"] if "markers" in found["inputs"] else []
    tasks += ["supervoxels"] if "supervoxels" in found["inputs"] else []
    several = name in AT_SCALES
    return Contender(
        name,
        partial(_at_scales if several else comparison.segment, method=name),
        tuple(dict.fromkeys(tasks)),
        search=dict(SEARCH.get(name, {})),
        several=several,
        **found,
    )


def _at_scales(
    image: np.ndarray,
    values: Sequence[float],
    *,
    method: str,
    channel_axis: int | None = None,
    **parameters: Any,
) -> Iterator[np.ndarray]:
    """Yield what `segment` gives at each scale, for a method that computes them together."""
    yield from AT_SCALES[method](stretch(image), values, channel_axis=channel_axis, **parameters)


# What nobody needs an algorithm for


def _grid(image: np.ndarray, *, parts: int = 4, channel_axis: int | None = None) -> np.ndarray:
    """Cut the image into equal blocks without looking at it: a quadtree's level."""
    shape = image.shape if channel_axis is None else image.shape[:-1]
    labels = np.zeros(shape, dtype=np.int32)
    for axis, side in enumerate(shape):
        place = np.arange(side) * parts // side
        labels = labels * parts + np.expand_dims(
            place.astype(np.int32), tuple(k for k in range(len(shape)) if k != axis)
        )
    return labels + 1


def nothing(image: np.ndarray) -> np.ndarray:
    """Give no label."""
    return np.zeros(image.shape, dtype=np.int32)


def _as_given(image: np.ndarray, *, supervoxels: np.ndarray) -> np.ndarray:
    """Leave the supervoxels as they are."""
    return supervoxels


def _usual(
    image: np.ndarray, *, trained: np.ndarray, channel_axis: int | None = None
) -> np.ndarray:
    """Give each place the class that it has most often, whatever the image shows."""
    shape = image.shape if channel_axis is None else image.shape[:-1]
    places = (
        np.arange(side) * known // side for side, known in zip(shape, trained.shape, strict=True)
    )
    return trained[np.ix_(*places)]


def _usual_classes(dataset: Dataset) -> np.ndarray:
    """Return the most frequent class at each place of the training images, the lowest of equals."""
    first = dataset[0].truth
    counts = np.zeros((max(dataset.class_names) + 1, *first.shape), dtype=np.int32)
    for _, _, truth in dataset:
        if truth.shape == first.shape:
            counts[(truth, *np.indices(truth.shape))] += 1
    return (counts[1:].argmax(axis=0) + 1).astype(np.int32)


def baselines() -> dict[str, Contender]:
    """Return what a method must beat."""
    given = (
        contender("grid", _grid, "photographs", search={"parts": (1, 2, 4, 8, 16, 32)}),
        contender("as given", _as_given, "supervoxels"),
        contender("usual class", _usual, "classes", train=_usual_classes),
    )
    return {each.name: each for each in given}
