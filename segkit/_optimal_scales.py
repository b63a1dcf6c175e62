"""One number for a method that has a knob: its scores at the best settings.

A hierarchy, or a method with a parameter, gives each image a family of results:
one per scale.  What it reaches depends on who turns the knob.  ODS, the optimal
data set scale, is one setting for all images; OIS, the optimal image scale, the
best setting of each image; for covering there is also Best, the best setting of
each true region, which is what a hierarchy holds if regions may be picked from
all its levels.

Everything here works on small records that were kept for each image and each
scale, so that results are computed one at a time, in any order and by several
processes, and stored: four counts for boundaries, one number for a score, area and best
overlap of each true region for covering.  Lists as they come from JSON do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from . import _check
from ._boundary_scores import BoundaryCounts, BoundaryScores


class OptimalScores(NamedTuple):
    """The best mean at one scale, the mean of each image's best, and where they lie."""

    ods: float
    ois: float
    scale: int
    scales: tuple[int, ...]


class OptimalBoundaryScores(NamedTuple):
    """Boundary scores at the best scale of all, at each image's best, and where they lie."""

    ods: BoundaryScores
    ois: BoundaryScores
    scale: int
    scales: tuple[int, ...]


class OptimalCovering(NamedTuple):
    """Covering at the best scale of all, of each image, of each region; where they lie."""

    ods: float
    ois: float
    best: float
    scale: int
    scales: tuple[int, ...]


def optimal_scores(scores: ArrayLike, *, better: str = "higher") -> OptimalScores:
    """Summarize one number for each image and scale: Rand index, variation of information.

    Parameters
    ----------
    scores : (n_images, n_scales) array
        A score of each image at each scale.
    better : {"higher", "lower"}
        Which scores are better: "lower" for variation of information and errors.

    Returns
    -------
    optimal : named tuple
        `ods`: the best mean over the images at one scale, and `scale`, its index;
        `ois`: the mean of the images' best scores, and `scales`, their indices.

    Raises
    ------
    TypeError
        Scores that are not real; `better` that is not a word.
    ValueError
        Rows of different length, no image, no scale, NaN or infinite scores.

    Notes
    -----
    **Ties**: the first scale.  **Cost**: O(images * scales).

    Plain version: ``tests/reference/optimal_scales.py``.

    References
    ----------
    .. [1] Arbelaez, Maire, Fowlkes, Malik (2011), Contour detection and hierarchical
       image segmentation, IEEE Trans. Pattern Analysis and Machine Intelligence 33(5),
       section 3.  https://doi.org/10.1109/TPAMI.2010.161

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.optimal_scores([[0.5, 0.7, 0.6], [0.9, 0.8, 0.1]])
    OptimalScores(ods=0.75, ois=0.8, scale=1, scales=(1, 0))
    >>> metrics.optimal_scores([[2.0, 1.0], [1.0, 1.5]], better="lower").ods
    1.25
    """
    sign = {"higher": 1, "lower": -1}[_check.choice(better, "better", ("higher", "lower"))]
    table = _check.table(scores, "scores", ("image", "scale"))
    means = table.mean(axis=0)
    scale = int(np.argmax(sign * means))
    scales = np.argmax(sign * table, axis=1)
    ois = np.take_along_axis(table, scales[:, np.newaxis], axis=1).mean()
    return OptimalScores(float(means[scale]), float(ois), scale, tuple(scales.tolist()))


def optimal_boundary_scores(counts: ArrayLike) -> OptimalBoundaryScores:
    """Summarize boundary counts of each image and scale.

    Parameters
    ----------
    counts : (n_images, n_scales, 4) integer array
        `boundary_counts` (or `match_boundaries`) of each image at each scale.

    Returns
    -------
    optimal : named tuple
        `ods`: precision, recall and F from the sums of counts at the one scale
        where F is largest, and `scale`, its index; `ois`: from the sums of counts
        at each image's scale of largest F, and `scales`, their indices.

    Raises
    ------
    TypeError
        Counts that are not integers.
    ValueError
        Rows of different length, no image, no scale, negative counts, more pixels
        matched than there are.

    Notes
    -----
    Scales are taken as they are: no interpolation between them, which the
    benchmark of [1]_ does.

    **Ties**: the first scale.  **Cost**: O(images * scales).

    Plain version: ``tests/reference/optimal_scales.py``.

    References
    ----------
    .. [1] Arbelaez, Maire, Fowlkes, Malik (2011), Contour detection and hierarchical
       image segmentation, IEEE Trans. Pattern Analysis and Machine Intelligence 33(5),
       section 3.  https://doi.org/10.1109/TPAMI.2010.161

    Examples
    --------
    >>> from segkit import metrics
    >>> one, other = [[4, 8, 4, 8], [6, 6, 6, 8]], [[8, 8, 8, 8], [0, 2, 0, 8]]
    >>> optimal = metrics.optimal_boundary_scores([one, other])
    >>> optimal.ods, optimal.scale
    (BoundaryScores(precision=0.75, recall=0.75, f=0.75), 0)
    >>> optimal.ois, optimal.scales
    (BoundaryScores(precision=1.0, recall=0.875, f=0.9333333333333333), (1, 0))
    """
    table = _check.table(counts, "counts", ("image", "scale", "count"), integers=True)
    if table.shape[2] != 4:
        raise ValueError(f"`counts` must hold 4 numbers for each scale, got {table.shape[2]}")
    if (table < 0).any() or (table[..., 0::2] > table[..., 1::2]).any():
        raise ValueError("`counts` must be >= 0, and no more pixels matched than there are")
    sums = [BoundaryCounts(*row).scores() for row in table.sum(axis=0).tolist()]
    scale = _first_best([scores.f for scores in sums])
    scales = tuple(
        _first_best([BoundaryCounts(*row).scores().f for row in image]) for image in table.tolist()
    )
    at_best = table[np.arange(len(table)), list(scales)].sum(axis=0).tolist()
    return OptimalBoundaryScores(sums[scale], BoundaryCounts(*at_best).scores(), scale, scales)


def optimal_covering(overlaps: Sequence[Sequence[tuple[ArrayLike, ArrayLike]]]) -> OptimalCovering:
    """Summarize the best overlaps of the true regions of each image at each scale.

    Parameters
    ----------
    overlaps : sequence, for each image, of sequences, for each scale, of pairs
        Areas and best overlaps (``area`` and ``iou`` of `region_overlaps`) of all
        true regions of the image, those of all annotators behind each other, in the
        same order at each scale.

    Returns
    -------
    optimal : named tuple
        `ods`: covering, the sum of area times overlap over all regions of all
        images divided by the sum of areas, at the one scale where it is largest,
        and `scale`, its index; `ois`: each image at the scale where its covering
        is largest, and `scales`, their indices; `best`: each region at the scale
        where its overlap is largest.

    Raises
    ------
    TypeError
        Areas or overlaps that are not real.
    ValueError
        Images of different numbers of scales, scales of different numbers of
        regions, no image, no scale, areas that differ between scales or are negative,
        overlaps outside 0..1.

    Notes
    -----
    **Ties**: the first scale.  Images without any region count for nothing; if
    there is no region at all, covering is 1.

    **Cost**: O(regions * scales).

    Plain version: ``tests/reference/optimal_scales.py``.

    References
    ----------
    .. [1] Arbelaez, Maire, Fowlkes, Malik (2011), Contour detection and hierarchical
       image segmentation, IEEE Trans. Pattern Analysis and Machine Intelligence 33(5),
       section 3.  https://doi.org/10.1109/TPAMI.2010.161

    Examples
    --------
    >>> from segkit import metrics
    >>> one = [([30, 10], [0.6, 0.2]), ([30, 10], [0.2, 1.0])]
    >>> other = [([40], [0.5]), ([40], [1.0])]
    >>> optimal = metrics.optimal_covering([one, other])
    >>> optimal.ods, optimal.ois, optimal.best
    (0.7, 0.75, 0.85)
    >>> optimal.scale, optimal.scales
    (1, (0, 1))
    """
    images = [_regions_of(image, k) for k, image in enumerate(_check.listed(overlaps, "overlaps"))]
    n_scales = {len(iou) for _, iou in images}
    if len(n_scales) != 1:
        raise ValueError(
            f"`overlaps` must hold as many scales for each image, got {sorted(n_scales)}"
        )
    total = sum(area.sum() for area, _ in images)
    if total == 0:
        return OptimalCovering(1.0, 1.0, 1.0, 0, (0,) * len(images))
    covered = np.array([iou @ area for area, iou in images])  # (images, scales)
    at_scale = covered.sum(axis=0)
    scale = int(np.argmax(at_scale))
    scales = tuple(np.argmax(covered, axis=1).tolist())
    best = sum(iou.max(axis=0) @ area for area, iou in images)
    return OptimalCovering(
        float(at_scale[scale] / total),
        float(covered.max(axis=1).sum() / total),
        float(best / total),
        scale,
        scales,
    )


def _regions_of(image: Sequence[tuple[ArrayLike, ArrayLike]], k: int) -> tuple[np.ndarray, ...]:
    """Return the areas of an image's regions, (n,), and their overlaps, (n_scales, n)."""
    table = _check.table(
        image, f"overlaps[{k}]", ("scale", "areas and overlaps", "region"), empty=True
    )
    if table.shape[1] != 2:
        raise ValueError(f"`overlaps[{k}]` must hold pairs (areas, overlaps) for each scale")
    area, iou = table[0, 0], table[:, 1]
    if (table[:, 0] != area).any() or (area < 0).any():
        raise ValueError(f"`overlaps[{k}]` must hold the same areas >= 0 at each scale")
    if (iou < 0).any() or (iou > 1).any():
        raise ValueError(f"`overlaps[{k}]` must hold overlaps from 0 to 1")
    return area, iou


def _first_best(values: Sequence[float]) -> int:
    """Return the index of the largest value, the first of equal ones."""
    return max(range(len(values)), key=values.__getitem__)
