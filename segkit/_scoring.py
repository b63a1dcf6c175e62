"""What a result is scored by, and how each score is written and read.

What can be said of a label image depends on what kind of truth stands beside it,
as `datasets` names the kinds:

- "partitions": the whole image divided into regions, by one annotator or several;
- "regions": the same, but 0 belongs to no region (membranes) and is left out;
- "instances": objects, each with an id of its own, on a ground of 0;
- "classes": a class for each pixel; 0 is void, left out;
- "structures": the same, but 0 is everything else, and counts;
- "mask": 1 the object, 2 the background, 0 undecided, left out; in a mask of only
  two values, 0 and another, 0 is the background.

Most methods of `compare` give regions and know no classes.  Against classes,
structures and masks each region counts as what most of its pixels are in the
truth: the score says how well these regions could be classified, not that someone
did.  A method that was given markers numbered like the mask is taken at its word.

With several annotators, covering and boundary F follow their definitions, and
every other score is the mean over annotators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import metrics
from .labels import relabel


@dataclass(frozen=True)
class Score:
    """How a column of the table is headed, written and read."""

    title: str
    better: str  # "more", "less", or "" where neither is
    unit: str  # a key of _WRITTEN
    text: str  # one line for the reader of the page

    def written(self, value: float | None) -> str:
        """Return a value as it stands on the page."""
        if value is None or np.isnan(value):
            return "\u2013"
        return "∞" if np.isinf(value) else _WRITTEN[self.unit](value)


def _seconds(value: float) -> str:
    if value < 0.0995:
        return f"{1000 * value:.{0 if value >= 0.00995 else 1}f} ms"
    return f"{value:.2f} s" if value < 9.995 else f"{value:.0f} s"


_WRITTEN: dict[str, Callable[[float], str]] = {
    "share": lambda value: f"{value:.3f}",
    "percent": lambda value: f"{100 * value:.1f} %",
    "bits": lambda value: f"{value:.2f}",
    "pixels": lambda value: f"{value:.1f}",
    "count": lambda value: f"{value:,.0f}".replace(",", "\u202f"),
    "seconds": _seconds,
    "bytes": lambda value: f"{value / 1e6:.{1 if value < 9.95e6 else 0}f} MB",
}

_AS_MOST = "each region taken as what most of its pixels are in the truth"

# In the order of columns.
SCORES = {
    "covering": Score(
        "Covering", "more", "share",
        "Each region of the truth counts with its best intersection over union, by its area.",
    ),
    "rand_index": Score(
        "Rand index", "more", "share",
        "Share of the pairs of pixels that are together in both or apart in both; "
        "over several annotators the probabilistic Rand index.",
    ),
    "adapted_rand_error": Score(
        "Rand error", "less", "share",
        "Adapted Rand error: one minus the F score of pairs of pixels that are together.",
    ),
    "variation_of_information": Score(
        "VI", "less", "bits",
        "Variation of information in bits: what one partition leaves open about the other.",
    ),
    "vi_split": Score("VI split", "less", "bits", "The part of VI that comes of cutting up."),
    "vi_merge": Score("VI merge", "less", "bits", "The part of VI that comes of running together."),
    "boundary_f": Score(
        "Boundary F", "more", "share",
        "Harmonic mean of precision and recall of outlines, pixels matched one to one "
        "within 0.75 % of the diagonal.",
    ),
    "undersegmentation_error": Score(
        "Underseg.", "less", "share",
        "Under-segmentation error: how far regions bleed over the outlines of the truth.",
    ),
    "achievable_accuracy": Score(
        "ASA", "more", "share",
        f"Achievable segmentation accuracy: pixels that are right, {_AS_MOST}.",
    ),
    "average_precision": Score(
        "AP", "more", "share",
        "Objects found (intersection over union at least 0.5) over found, missed and invented.",
    ),
    "panoptic_quality": Score(
        "PQ", "more", "share", "Panoptic quality: SQ times RQ.",
    ),
    "segmentation_quality": Score(
        "SQ", "more", "share", "Mean intersection over union of the objects found.",
    ),
    "recognition_quality": Score(
        "RQ", "more", "share", "Harmonic mean of precision and recall of objects.",
    ),
    "mean_dice": Score(
        "Mean Dice", "more", "share", f"Dice, mean over the structures, {_AS_MOST}.",
    ),
    "mean_iou": Score(
        "Mean IoU", "more", "share",
        f"Intersection over union, mean over classes, {_AS_MOST}.",
    ),
    "pixel_accuracy": Score(
        "Accuracy", "more", "share", f"Pixels of the right class, {_AS_MOST}.",
    ),
    "boundary_f1": Score(
        "Boundary F1", "more", "share",
        f"Precision and recall of the outlines of classes, {_AS_MOST}.",
    ),
    "jaccard": Score(
        "IoU", "more", "share", f"Intersection over union of the object, {_AS_MOST}.",
    ),
    "dice": Score(
        "Dice", "more", "share", "Twice the intersection over the sum of both areas.",
    ),
    "hausdorff": Score(
        "Hausdorff", "less", "pixels",
        "Largest distance, in pixels, from one object to the nearest pixel of the other.",
    ),
    "explained_variation": Score(
        "Explained", "more", "share",
        "Share of the variance of the image that the means of the regions explain; needs no "
        "truth. More and smaller regions always explain more.",
    ),
    "n_regions": Score("Regions", "", "count", "How many regions there are."),
    "unlabelled": Score("No label", "", "percent", "Pixels that the method gives no label."),
    "seconds": Score(
        "Time", "less", "seconds", "Seconds by the clock, of the quickest of up to three runs.",
    ),
    "memory": Score(
        "Memory", "less", "bytes",
        "What Python and NumPy hold at the worst moment beyond the image, the result included; "
        "not what other libraries take for themselves.",
    ),
}  # fmt: skip

# The scores of each kind of truth, the one to sort by first; and those of any result.
KINDS = {
    "partitions": (
        "covering", "rand_index", "variation_of_information", "boundary_f",
        "undersegmentation_error", "achievable_accuracy",
    ),
    "regions": ("adapted_rand_error", "variation_of_information", "vi_split", "vi_merge"),
    "instances": (
        "average_precision", "panoptic_quality", "segmentation_quality", "recognition_quality",
    ),
    "classes": ("mean_iou", "pixel_accuracy", "boundary_f1"),
    "structures": ("mean_dice", "mean_iou"),
    "mask": ("jaccard", "dice", "hausdorff"),
}  # fmt: skip
NUMBERED = ("classes", "structures", "mask")  # where the numbers of a truth mean something
GENERAL = ("explained_variation", "n_regions", "unlabelled", "seconds", "memory")


def scores(
    labels: np.ndarray, truths: Sequence[np.ndarray], kind: str, *, named: bool = False
) -> dict[str, float]:
    """Return the scores of a label image against one truth or several, in the order of KINDS.

    `named` says that the labels bear the numbers of the truth.
    """
    found = [_OF_KIND[kind](truth, labels, named) for truth in truths]
    mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    if kind == "partitions":
        mean["covering"] = metrics.segmentation_covering(list(truths), labels)
        mean["boundary_f"] = metrics.boundary_scores(list(truths), labels).f
    return {name: mean[name] for name in KINDS[kind]}


def general(image: np.ndarray, labels: np.ndarray, channel_axis: int | None) -> dict[str, Any]:
    """Return what can be said of a label image without a truth."""
    return {
        "explained_variation": metrics.explained_variation(
            image, labels, channel_axis=channel_axis
        ),
        "n_regions": int(relabel(labels).max()),
        "unlabelled": float(np.mean(labels == 0)),
    }


def _partition_scores(truth: np.ndarray, labels: np.ndarray, named: bool) -> dict[str, float]:
    return {
        "rand_index": metrics.rand_index(truth, labels),
        "variation_of_information": metrics.variation_of_information(truth, labels).total,
        "undersegmentation_error": metrics.undersegmentation_error(truth, labels),
        "achievable_accuracy": metrics.achievable_accuracy(truth, labels),
    }


def _region_scores(truth: np.ndarray, labels: np.ndarray, named: bool) -> dict[str, float]:
    variation = metrics.variation_of_information(truth, labels, ignore=0)
    return {
        "adapted_rand_error": metrics.adapted_rand_error(truth, labels, ignore=0).error,
        "variation_of_information": variation.total,
        "vi_split": variation.split,
        "vi_merge": variation.merge,
    }


def _instance_scores(truth: np.ndarray, labels: np.ndarray, named: bool) -> dict[str, float]:
    quality = metrics.panoptic_quality(truth, labels)
    return {
        "average_precision": float(metrics.average_precision(truth, labels, iou=0.5)),
        "panoptic_quality": quality.pq,
        "segmentation_quality": quality.sq,
        "recognition_quality": quality.rq,
    }


def _class_scores(truth: np.ndarray, labels: np.ndarray, named: bool) -> dict[str, float]:
    found = labels if named else most_frequent(truth, labels, ignore=0)
    return {
        "mean_iou": metrics.mean_iou(truth, found),
        "pixel_accuracy": metrics.pixel_accuracy(truth, found),
        "boundary_f1": metrics.boundary_f1(truth, found),
    }


def _structure_scores(truth: np.ndarray, labels: np.ndarray, named: bool) -> dict[str, float]:
    found = labels if named else most_frequent(truth, labels)
    ids = np.unique(truth[truth > 0])
    pairs = [(truth == k, found == k) for k in ids] or [(truth > 0, found > 0)]
    return {
        "mean_dice": float(np.mean([metrics.dice(*pair) for pair in pairs])),
        "mean_iou": float(np.mean([metrics.jaccard(*pair) for pair in pairs])),
    }


def _mask_scores(truth: np.ndarray, labels: np.ndarray, named: bool) -> dict[str, float]:
    side = sides(truth)
    inside = side == 1
    found = ((labels if named else most_frequent(side, labels, ignore=0)) == 1) & (side > 0)
    return {
        "jaccard": metrics.jaccard(inside, found),
        "dice": metrics.dice(inside, found),
        "hausdorff": metrics.hausdorff(inside, found),
    }


_OF_KIND = {
    "partitions": _partition_scores,
    "regions": _region_scores,
    "instances": _instance_scores,
    "classes": _class_scores,
    "structures": _structure_scores,
    "mask": _mask_scores,
}


def sides(mask: np.ndarray) -> np.ndarray:
    """Return a mask as 1 the object, 2 the background, 0 undecided."""
    if mask.dtype == np.bool_ or (mask.min() == 0 and len(np.unique(mask)) <= 2):
        return np.where(mask > 0, np.uint8(1), np.uint8(2))
    return mask


def most_frequent(
    truth: np.ndarray, labels: np.ndarray, *, ignore: int | None = None
) -> np.ndarray:
    """Return the truth's most frequent value in each region; 0 stays 0.

    Pixels where the truth is `ignore` do not vote; a region without votes gets 0.
    Ties go to the lowest value.
    """
    table = metrics.contingency(truth, labels, ignore=ignore)
    order = np.lexsort((table.row, -table.counts, table.col))
    region, first = np.unique(table.col[order], return_index=True)
    ids = table.test_ids[region]
    winner = table.truth_ids[table.row[order[first]]]
    place = np.minimum(np.searchsorted(ids, labels), max(len(ids) - 1, 0))
    if not len(ids):
        return np.zeros_like(labels)
    return np.where((ids[place] == labels) & (labels > 0), winner[place], 0)
