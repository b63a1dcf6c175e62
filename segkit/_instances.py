"""Measures of instances: which object of the truth is which object of the test.

Objects are matched one to one by intersection over union (IoU).  A match that
is good enough counts as found, an object of the truth without one as missed, an
object of the test without one as spurious.  From these three numbers come the
average precision of the nuclei challenges and the panoptic quality.

0 is background on both sides: never an object, but pixels of an object that lie
on the other image's background count in its union.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from . import _check
from ._contingency import ContingencyTable, checked_pair, table_of


class InstanceMatches(NamedTuple):
    """Which instances of a truth and a test are the same.

    Attributes
    ----------
    truth_ids, test_ids : (n_matches,) int64 arrays
        Ids of each match, truth ids in rising order.
    iou : (n_matches,) float64 array
        Intersection over union of each match.
    missed : int64 array
        Ids of the truth without a match (false negatives), rising.
    spurious : int64 array
        Ids of the test without a match (false positives), rising.
    """

    truth_ids: np.ndarray
    test_ids: np.ndarray
    iou: np.ndarray
    missed: np.ndarray
    spurious: np.ndarray


class PanopticQuality(NamedTuple):
    """Panoptic quality, and the segmentation and recognition qualities it is made of."""

    pq: float
    sq: float
    rq: float


class _Candidates(NamedTuple):
    """Pairs of instances that overlap: places in the ids, and intersection over union."""

    truth_ids: np.ndarray
    test_ids: np.ndarray
    row: np.ndarray
    col: np.ndarray
    iou: np.ndarray


def match_instances(truth: ArrayLike, test: ArrayLike, *, iou: float = 0.5) -> InstanceMatches:
    """Match instances one to one where they overlap enough.

    Parameters
    ----------
    truth, test : (...) integer arrays
        Label images of the same shape; 0 is background.
    iou : float
        Least intersection over union of a match, above 0 and up to 1.

    Returns
    -------
    matches : InstanceMatches
        A named tuple of arrays: ``truth_ids``, ``test_ids`` and ``iou`` of the
        matches, ``missed`` ids of the truth, ``spurious`` ids of the test.

    Raises
    ------
    TypeError
        A dtype that is not integer; an `iou` that is no number.
    ValueError
        Negative ids; shapes that differ; an `iou` outside (0, 1].

    Notes
    -----
    **Definition**: of all sets of pairs with IoU >= `iou` in which no instance
    stands twice, one with the most pairs, and of these one with the largest sum
    of IoU.  Above 0.5 an instance has one candidate at most, and nothing is left
    to choose.

    **Ties**: between sets of equal number and sum, which is only possible up to
    0.5, the choice is fixed but not specified.

    **Cost**: O(pixels), and for candidates that compete (not above 0.5) that of a
    sparse assignment problem.

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/instances.py``.

    References
    ----------
    Jonker, Volgenant (1987). A shortest augmenting path algorithm for dense and
    sparse linear assignment problems. Computing 38. doi:10.1007/BF02278710

    Examples
    --------
    >>> from segkit import metrics
    >>> found = metrics.match_instances([1, 1, 1, 0, 2, 2], [0, 7, 7, 7, 0, 9])
    >>> found.truth_ids, found.test_ids, found.iou
    (array([1, 2]), array([7, 9]), array([0.5, 0.5]))
    """
    pair = checked_pair(truth, test)
    least = _least_iou(iou, "iou")
    return matches_of(table_of(*pair), least)


def average_precision(
    truth: ArrayLike, test: ArrayLike, *, iou: float | Sequence[float] = 0.5
) -> float | np.ndarray:
    """Measure how many instances are found, of all that there are on either side.

    Parameters
    ----------
    truth, test : (...) integer arrays
        Label images of the same shape; 0 is background.
    iou : float or sequence of float
        Least intersection over union of a match, above 0 and up to 1.

    Returns
    -------
    precision : float, or float64 array
        From 0 to 1, for each value of `iou`; 1 if there are no instances at all.

    Raises
    ------
    TypeError
        A dtype that is not integer; an `iou` that is no number.
    ValueError
        Negative ids; shapes that differ; an `iou` outside (0, 1].

    Notes
    -----
    **Definition**: TP / (TP + FP + FN), with matches as in `match_instances`: TP
    of them, FP instances of the test and FN of the truth without one.  The mean
    over ``iou=np.arange(50, 100, 5) / 100`` is the score of the 2018 Data Science
    Bowl.  (``np.arange(0.5, 1, 0.05)`` is not the same: it has a threshold of
    0.6000000000000001, which an overlap of 3 / 5 does not reach.)

    Detection challenges call another thing average precision: the area under a
    curve of precision over recall, which needs a confidence for each instance.

    **Ties**: none; the number of matches is unique.

    **Cost**: as `match_instances`; the table is made once for all values.

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/instances.py``.

    References
    ----------
    Caicedo et al. (2019). Nucleus segmentation across imaging experiments: the
    2018 Data Science Bowl. Nature Methods 16. doi:10.1038/s41592-019-0612-7

    Examples
    --------
    >>> from segkit import metrics
    >>> truth, test = [1, 1, 1, 0, 2, 2], [7, 7, 7, 0, 0, 9]
    >>> metrics.average_precision(truth, test)
    1.0
    >>> metrics.average_precision(truth, test, iou=(0.5, 0.75))
    array([1.        , 0.33333333])
    """
    pair = checked_pair(truth, test)
    if np.ndim(iou) == 0:
        return precisions_of(table_of(*pair), [_least_iou(iou, "iou")])[0]
    if np.ndim(iou) > 1:
        raise ValueError(f"`iou` must be a number or a flat sequence, got {np.ndim(iou)} axes")
    least = [_least_iou(value, f"iou[{k}]") for k, value in enumerate(iou)]  # type: ignore
    return np.array(precisions_of(table_of(*pair), least))


def panoptic_quality(truth: ArrayLike, test: ArrayLike) -> PanopticQuality:
    """Measure how many instances are found, and how well those that are found fit.

    Parameters
    ----------
    truth, test : (...) integer arrays
        Label images of the same shape; 0 is background.

    Returns
    -------
    quality : PanopticQuality
        A named tuple (pq, sq, rq): panoptic quality = segmentation quality times
        recognition quality, each from 0 to 1.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ.

    Notes
    -----
    **Definition**: instances with IoU > 0.5 are matched, which is unique.  sq is
    the mean IoU of the matches, rq = TP / (TP + FP / 2 + FN / 2).  Without any
    instance all three are 1; without a match all are 0.  For several classes call
    it once for each, and take the mean.

    **Ties**: none.  Symmetric.

    **Cost**: that of one contingency table: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/instances.py``.

    References
    ----------
    Kirillov, He, Girshick, Rother, Dollár (2019). Panoptic segmentation. CVPR.
    doi:10.1109/CVPR.2019.00963

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.panoptic_quality([1, 1, 1, 1, 2], [7, 7, 7, 0, 0])
    PanopticQuality(pq=0.5, sq=0.75, rq=0.6666666666666666)
    """
    return quality_of(table_of(*checked_pair(truth, test)))


def _least_iou(value: Any, name: str) -> float:
    """Return a threshold of intersection over union."""
    least = float(_check.number(value, name, above=True))
    if least > 1:
        raise ValueError(f"`{name}` must be a number > 0 and <= 1, got {value!r}")
    return least


# On a ready table: several measures of one pair of images cost one pass over its pixels.


def scores(table: ContingencyTable) -> dict[str, float]:
    """Return the measures of instances by name, from one contingency table."""
    steps = [round(0.5 + 0.05 * k, 2) for k in range(10)]
    precisions = precisions_of(table, steps)
    quality = quality_of(table)
    return {
        "average_precision": precisions[0],
        "mean_average_precision": math.fsum(precisions) / len(precisions),
        "panoptic_quality": quality.pq,
        "segmentation_quality": quality.sq,
        "recognition_quality": quality.rq,
    }


def matches_of(table: ContingencyTable, least: float) -> InstanceMatches:
    """Return the matches of a table."""
    pairs = _candidates(table)
    chosen = _assigned(pairs, np.flatnonzero(pairs.iou >= least))
    row, col = pairs.row[chosen], pairs.col[chosen]
    return InstanceMatches(
        pairs.truth_ids[row],
        pairs.test_ids[col],
        pairs.iou[chosen],
        np.delete(pairs.truth_ids, row),
        np.delete(pairs.test_ids, col),
    )


def precisions_of(table: ContingencyTable, least: Sequence[float]) -> list[float]:
    """Return the average precision at each threshold."""
    pairs = _candidates(table)
    n_instances = len(pairs.truth_ids) + len(pairs.test_ids)
    if n_instances == 0:
        return [1.0] * len(least)
    found = (len(_assigned(pairs, np.flatnonzero(pairs.iou >= t))) for t in least)
    return [n / (n_instances - n) for n in found]


def quality_of(table: ContingencyTable) -> PanopticQuality:
    """Return the panoptic quality of a table."""
    pairs = _candidates(table)
    n_instances = len(pairs.truth_ids) + len(pairs.test_ids)
    if n_instances == 0:
        return PanopticQuality(1.0, 1.0, 1.0)
    fits = pairs.iou[pairs.iou > 0.5]
    total = math.fsum(fits.tolist())
    return PanopticQuality(
        2 * total / n_instances, total / max(len(fits), 1), 2 * len(fits) / n_instances
    )


def _candidates(table: ContingencyTable) -> _Candidates:
    """Return the pairs of overlapping instances, background left out."""
    # Ids rise, so that background comes first if there is any.
    first, second = int(0 in table.truth_ids[:1]), int(0 in table.test_ids[:1])
    kept = (table.row >= first) & (table.col >= second)
    row, col, count = table.row[kept], table.col[kept], table.counts[kept]
    iou = count / (table.truth_sizes[row] + table.test_sizes[col] - count)
    return _Candidates(
        table.truth_ids[first:], table.test_ids[second:], row - first, col - second, iou
    )


def _assigned(pairs: _Candidates, allowed: np.ndarray) -> np.ndarray:
    """Return those of the allowed pairs that are matched, in their order."""
    row, col = pairs.row[allowed], pairs.col[allowed]
    rivals = (np.bincount(row)[row] > 1) | (np.bincount(col)[col] > 1)
    if not rivals.any():
        return allowed
    won = _best_assignment(pairs, allowed[rivals])
    return np.sort(np.concatenate([allowed[~rivals], won]))


def _best_assignment(pairs: _Candidates, allowed: np.ndarray) -> np.ndarray:
    """Return the most pairs without a common instance and, of those, the largest sum of IoU."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    _, row = np.unique(pairs.row[allowed], return_inverse=True)
    _, col = np.unique(pairs.col[allowed], return_inverse=True)
    n_rows, n_cols = int(row.max()) + 1, int(col.max()) + 1
    # Every row may take a column of its own instead, which counts as no match.  A match
    # weighs more than all differences of IoU together, so that their number comes first.
    alone = np.arange(n_rows)
    weights = np.concatenate([n_rows + 2 + pairs.iou[allowed], np.ones(n_rows)])
    graph = csr_array(
        (weights, (np.concatenate([row, alone]), np.concatenate([col, n_cols + alone]))),
        shape=(n_rows, n_cols + n_rows),
    )
    taken = np.full(n_rows, -1)
    rows, cols = min_weight_full_bipartite_matching(graph, maximize=True)
    taken[rows] = cols
    return allowed[taken[row] == col]
