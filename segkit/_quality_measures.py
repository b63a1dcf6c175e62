"""What is kept of each result, and what a set of results amounts to.

Of one result a small record is kept (`measure`): enough to sum up any set of
images later, in any order, without the label image.  `summarize` turns the
records of all images, at one scale or at several, into scores.  Which ones goes
by the kind of truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import metrics
from ._contingency import table_of
from ._instances import scores as instance_scores
from ._partitions import overlaps_of
from ._partitions import scores as partition_scores
from .datasets import Item

Record = dict[str, Any]

# The score that parameters are tuned by, and whether more of it is better.
OBJECTIVE = {
    "partitions": ("covering_ods", True),
    "regions": ("variation_of_information", False),
    "instances": ("average_precision", True),
    "mask": ("object_iou", True),
    "classes": ("mean_iou", True),
    "structures": ("mean_dice", True),
    "tissues": ("mean_dice", True),
}
ABOUT = frozenset({"seconds", "n_regions", "error"})  # in a record, and no scores
HAS_SCALES = frozenset({"partitions"})


def measure(item: Item, labels: np.ndarray, *, for_tuning: bool = False) -> Record:
    """Return what is kept of one result, as JSON can hold it.

    For tuning only what that looks at: matching boundaries takes longer than most methods.
    """
    labels = np.asarray(labels)
    shape = (item.truth[0] if isinstance(item.truth, list) else item.truth).shape
    if labels.shape != shape or labels.dtype.kind not in "iu":
        raise ValueError(
            f"a result of shape {labels.shape}, {labels.dtype}, where labels of {shape} belong"
        )
    record = _MEASURES[item.kind](item, labels)
    if item.kind == "partitions" and not for_tuning:
        record["boundary"] = [int(n) for n in metrics.boundary_counts(item.truth, labels)]
    if item.kind == "classes" and not for_tuning:
        record["boundary_f1"] = metrics.boundary_f1(item.truth, labels)
    return record


def _partition(item: Item, labels: np.ndarray) -> Record:
    tables = [table_of(truth, labels) for truth in item.truth]
    found = [partition_scores(table) for table in tables]
    overlaps = [overlaps_of(table) for table in tables]
    return {
        "area": [int(a) for one in overlaps for a in one.area],
        "iou": [round(float(x), 7) for one in overlaps for x in one.iou],
        "rand_index": float(np.mean([one["rand_index"] for one in found])),
        "variation_of_information": float(
            np.mean([one["variation_of_information"] for one in found])
        ),
    }


def _regions(item: Item, labels: np.ndarray) -> Record:
    found = partition_scores(table_of(item.truth, labels, 0))
    names = ("variation_of_information", "split", "merge", "adapted_rand_error")
    return {name: float(found[name]) for name in names}


def _instances(item: Item, labels: np.ndarray) -> Record:
    found = instance_scores(table_of(item.truth, labels))
    return {name: float(value) for name, value in found.items()}


def _mask(item: Item, labels: np.ndarray) -> Record:
    truth, found = (array[item.truth != 0] == 1 for array in (item.truth, labels))
    return {"object_iou": float(metrics.jaccard(truth, found))}


def _classes(item: Item, labels: np.ndarray) -> Record:
    known = item.truth != 0
    return _counts(item.truth[known], labels[known])


def _structures(item: Item, labels: np.ndarray) -> Record:
    return _counts(item.truth, labels)


def _counts(truth: np.ndarray, labels: np.ndarray) -> Record:
    """Return, for each class of either, the pixels in the truth, in the result, in both."""
    counts: dict[str, list[int]] = {}
    for place, values in enumerate((truth, labels, truth[truth == labels])):
        for value, n in zip(*np.unique(values, return_counts=True), strict=True):
            counts.setdefault(str(int(value)), [0, 0, 0])[place] = int(n)
    return {"counts": counts}


_MEASURES = {
    "partitions": _partition,
    "regions": _regions,
    "instances": _instances,
    "mask": _mask,
    "classes": _classes,
    "structures": _structures,
    "tissues": _classes,
}


def summarize(kind: str, records: Sequence[Sequence[Record]]) -> dict[str, float]:
    """Return the scores of a method from its records of each image at each scale."""
    if kind == "partitions":
        return _at_optimal_scales(records)
    one_each = [image[0] for image in records]
    if kind == "classes":
        return _class_scores(one_each)
    if kind == "tissues":
        return _tissue_scores(one_each)
    if kind == "structures":
        return {"mean_dice": float(np.mean([_mean_dice(record) for record in one_each]))}
    return {
        name: float(np.mean([record[name] for record in one_each]))
        for name in one_each[0]
        if name not in ABOUT
    }


def _at_optimal_scales(records: Sequence[Sequence[Record]]) -> dict[str, float]:
    covering = metrics.optimal_covering(
        [[(record["area"], record["iou"]) for record in image] for image in records]
    )
    rand = metrics.optimal_scores([[record["rand_index"] for record in image] for image in records])
    information = metrics.optimal_scores(
        [[record["variation_of_information"] for record in image] for image in records],
        better="lower",
    )
    scores = {
        "covering_ods": covering.ods,
        "covering_ois": covering.ois,
        "covering_best": covering.best,
        "rand_index_ods": rand.ods,
        "rand_index_ois": rand.ois,
        "vi_ods": information.ods,
        "vi_ois": information.ois,
        "scale": covering.scale,
    }
    if "boundary" in records[0][0]:
        boundary = metrics.optimal_boundary_scores(
            [[record["boundary"] for record in image] for image in records]
        )
        scores |= {"boundary_f_ods": boundary.ods.f, "boundary_f_ois": boundary.ois.f}
    return scores


def _sums(records: Sequence[Record]) -> dict[str, np.ndarray]:
    total: dict[str, np.ndarray] = {}
    for record in records:
        for name, counts in record["counts"].items():
            total[name] = total.get(name, 0) + np.array(counts)
    return total


def _class_scores(records: Sequence[Record]) -> dict[str, float]:
    """Return scores of the classes that the truth has, from counts over the whole set."""
    counts = np.array([n for n in _sums(records).values() if n[0]])
    truth, test, both = counts.T
    scores = {
        "mean_iou": float(np.mean(both / (truth + test - both))),
        "pixel_accuracy": float(both.sum() / truth.sum()),
        "class_accuracy": float(np.mean(both / truth)),
    }
    if "boundary_f1" in records[0]:
        scores["boundary_f1"] = float(np.mean([record["boundary_f1"] for record in records]))
    return scores


def _tissue_scores(records: Sequence[Record]) -> dict[str, float]:
    """Return the Dice coefficient of each class of the truth, from counts over the whole set."""
    counts = {int(name): n for name, n in sorted(_sums(records).items()) if n[0]}
    dice = {
        f"dice_{name}": float(2 * both / (truth + test))
        for name, (truth, test, both) in counts.items()
    }
    return {"mean_dice": float(np.mean(list(dice.values()))), **dice}


def _mean_dice(record: Record) -> float:
    """Return the mean Dice coefficient over the structures in the truth of one image."""
    counts = [n for name, n in record["counts"].items() if name != "0" and n[0]]
    return float(np.mean([2 * both / (truth + test) for truth, test, both in counts]))
