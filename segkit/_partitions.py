"""Measures that compare two partitions of the same pixels, region names left aside.

A segmentation is a partition, so two of them can be compared without knowing
which region stands for what: by pairs of pixels (are two pixels together in
both, or apart in both?), by information (how many bits does one say about the
other?), or by overlap (how well is each region of the one covered by the best
of the other?).  Pairs forgive small errors in small regions; information counts
every region that is cut up; overlap is nearest to what the eye calls a hit.

All of them are sums over one contingency table, in exact integers as far as
they go, so that a perfect answer is exactly 1 (or 0).  Several references, as
from several annotators, are given as a list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._contingency import (
    ContingencyTable,
    checked_ignore,
    checked_pair,
    checked_truths,
    table_of,
)

_SAFE = 1 << 31  # pixels: squares of smaller numbers can be summed in 64 bits


class AdaptedRandError(NamedTuple):
    """One minus the F-score of pairs of pixels, with their precision and recall."""

    error: float
    precision: float
    recall: float


class VariationOfInformation(NamedTuple):
    """Two conditional entropies in bits: how much is cut up, how much is run together."""

    split: float
    merge: float

    @property
    def total(self) -> float:
        """The variation of information itself: split + merge."""
        return self.split + self.merge


class RegionOverlaps(NamedTuple):
    """For each region of the truth the region of the test that covers it best.

    Attributes
    ----------
    truth_ids : (n,) int64 array
        Ids of the truth, in rising order.
    area : (n,) int64 array
        Their numbers of pixels.
    test_ids : (n,) int64 array
        The best region of the test for each.
    iou : (n,) float64 array
        Intersection over union with it.
    """

    truth_ids: np.ndarray
    area: np.ndarray
    test_ids: np.ndarray
    iou: np.ndarray


def rand_index(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> float:
    """Measure how many pairs of pixels are together in both, or apart in both.

    Parameters
    ----------
    truth : (...) integer array, or several
        Reference label image.  For a list, or a stack along the first axis, the
        mean over its elements is given: over annotators, this is the probabilistic
        Rand index.
    test : (...) integer array
        Label image of the same shape.
    ignore : int, optional
        An id of `truth` whose pixels are left out; None: 0 is a region as well.

    Returns
    -------
    index : float
        From 0 to 1, 1 for the same partition (also of one pixel, or none).

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: (pairs together in both + pairs apart in both) / all pairs.

    **Ties**: none.  Symmetric, unless something is ignored.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    References
    ----------
    Rand (1971). Objective criteria for the evaluation of clustering methods.
    Journal of the American Statistical Association 66(336).
    doi:10.1080/01621459.1971.10482356

    Unnikrishnan, Pantofaru, Hebert (2007). Toward objective evaluation of image
    segmentation algorithms. IEEE TPAMI 29(6). doi:10.1109/TPAMI.2007.1046

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.rand_index([1, 1, 2, 2], [4, 4, 4, 9])
    0.5
    >>> metrics.rand_index([[1, 1, 2, 2], [4, 4, 4, 9]], [4, 4, 4, 9])
    0.75
    """
    return mean_over_truths(lambda table: _rand_index(*_pairs(table)), truth, test, ignore)


def adjusted_rand_index(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> float:
    """Measure agreement in pairs of pixels beyond what chance gives.

    Parameters
    ----------
    truth : (...) integer array, or several
        Reference label image; for a list, or a stack along the first axis, the
        mean over its elements is given.
    test : (...) integer array
        Label image of the same shape.
    ignore : int, optional
        An id of `truth` whose pixels are left out; None: 0 is a region as well.

    Returns
    -------
    index : float
        1 for the same partition, around 0 for unrelated ones, below 0 for worse.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: (S - E) / ((A + B) / 2 - E), where S pairs of pixels are
    together in both, A in the truth, B in the test, and E = A B / (all pairs) is
    what S is expected to be by chance.  1 where this is 0 / 0.

    **Ties**: none.  Symmetric, unless something is ignored.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    References
    ----------
    Hubert, Arabie (1985). Comparing partitions. Journal of Classification 2.
    doi:10.1007/BF01908075

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.adjusted_rand_index([1, 1, 2, 2], [7, 7, 5, 5])
    1.0
    >>> metrics.adjusted_rand_index([1, 1, 2, 2], [1, 2, 1, 2])
    -0.5
    """
    return mean_over_truths(lambda table: _adjusted_rand_index(*_pairs(table)), truth, test, ignore)


def adapted_rand_error(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> AdaptedRandError:
    """Measure the error in pairs of pixels that are together: 1 - F-score.

    Parameters
    ----------
    truth : (...) integer array, or several
        Reference label image; for a list, or a stack along the first axis, the
        means over its elements are given.
    test : (...) integer array
        Label image of the same shape.
    ignore : int, optional
        An id of `truth` whose pixels are left out (membranes are 0 in the
        challenges that this measure comes from); None: 0 is a region as well.

    Returns
    -------
    scores : AdaptedRandError
        A named tuple (error, precision, recall), each from 0 to 1.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: precision is the fraction of the pairs together in the test
    that are together in the truth as well, and falls where regions are run
    together; recall is the fraction of the pairs together in the truth that are
    together in the test, and falls where regions are cut up; the error is one
    minus their harmonic mean.  Without a pair in either all is perfect, with
    pairs in one only precision and recall are 0.

    scikit-image's function of this name ignores truth 0 unless told otherwise,
    and gives precision and recall in the other order than its documentation says
    (its issue 6485).

    **Ties**: none.  The error is symmetric, unless something is ignored.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    References
    ----------
    Arganda-Carreras et al. (2015). Crowdsourcing the creation of image
    segmentation algorithms for connectomics. Frontiers in Neuroanatomy 9:142.
    doi:10.3389/fnana.2015.00142

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.adapted_rand_error([1, 1, 2, 2], [1, 2, 3, 3])
    AdaptedRandError(error=0.3333333333333333, precision=1.0, recall=0.5)
    """
    return AdaptedRandError(
        *_means(lambda table: _adapted_rand_error(*_pairs(table)), truth, test, ignore)
    )


def variation_of_information(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> VariationOfInformation:
    """Measure in bits what one partition leaves unknown of the other.

    Parameters
    ----------
    truth : (...) integer array, or several
        Reference label image; for a list, or a stack along the first axis, the
        means over its elements are given.
    test : (...) integer array
        Label image of the same shape.
    ignore : int, optional
        An id of `truth` whose pixels are left out; None: 0 is a region as well.

    Returns
    -------
    information : VariationOfInformation
        A named tuple (split, merge) in bits; ``.total`` is their sum, a distance
        between partitions that is 0 for the same partition only.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: split = H(test | truth), what is cut up in the test, and
    merge = H(truth | test), what is run together there.  This is the order of
    scikit-image's function of this name.  Total = H(truth) + H(test) - 2 I.

    **Ties**: none.  Exchanging truth and test exchanges split and merge.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    References
    ----------
    Meilă (2007). Comparing clusterings: an information based distance. Journal
    of Multivariate Analysis 98(5). doi:10.1016/j.jmva.2006.11.013

    Examples
    --------
    >>> from segkit import metrics
    >>> found = metrics.variation_of_information([1, 1, 2, 2], [1, 2, 3, 3])
    >>> found
    VariationOfInformation(split=0.5, merge=0.0)
    >>> found.total
    0.5
    """
    return VariationOfInformation(*_means(_variation_of_information, truth, test, ignore))


def normalized_mutual_information(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> float:
    """Measure what two partitions say about each other, from 0 to 1.

    Parameters
    ----------
    truth : (...) integer array, or several
        Reference label image; for a list, or a stack along the first axis, the
        mean over its elements is given.
    test : (...) integer array
        Label image of the same shape.
    ignore : int, optional
        An id of `truth` whose pixels are left out; None: 0 is a region as well.

    Returns
    -------
    information : float
        1 for the same partition, 0 for independent ones.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: I / ((H(truth) + H(test)) / 2), the arithmetic normalization,
    which is scikit-learn's default; 1 where both are one region.  (scikit-image
    has another measure of this name, for grey images, from 1 to 2.)

    **Ties**: none.  Symmetric, unless something is ignored.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    References
    ----------
    Vinh, Epps, Bailey (2010). Information theoretic measures for clusterings
    comparison. Journal of Machine Learning Research 11.
    https://jmlr.org/papers/v11/vinh10a.html

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.normalized_mutual_information([1, 1, 2, 2], [5, 5, 3, 3])
    1.0
    >>> metrics.normalized_mutual_information([1, 1, 2, 2], [1, 2, 1, 2])
    0.0
    """
    return mean_over_truths(_normalized_mutual_information, truth, test, ignore)


def segmentation_covering(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> float:
    """Measure how well each region of the truth is covered by the best of the test.

    Parameters
    ----------
    truth : (...) integer array, or several
        Reference label image; for a list, or a stack along the first axis, the
        regions of all of them count.
    test : (...) integer array
        Label image of the same shape.
    ignore : int, optional
        An id of `truth` whose pixels are left out; None: 0 is a region as well.

    Returns
    -------
    covering : float
        From 0 to 1, 1 for the same partition (also without a pixel).

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: the sum of area times largest intersection over union with a
    region of the test, over all regions of all truths, divided by the sum of the
    areas.

    **Ties**: regions of equal overlap give the same value.  Not symmetric.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    References
    ----------
    Arbelaez, Maire, Fowlkes, Malik (2011). Contour detection and hierarchical
    image segmentation. IEEE TPAMI 33(5). doi:10.1109/TPAMI.2010.161

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.segmentation_covering([1, 1, 2, 2], [1, 1, 1, 1])
    0.5
    >>> metrics.segmentation_covering([[1, 1, 2, 2], [1, 1, 1, 1]], [1, 1, 1, 1])
    0.75
    """
    truths, labels = checked_truths(truth, test)
    ignored = checked_ignore(ignore)
    return covering_of([overlaps_of(table_of(one, labels, ignored)) for one in truths])


def region_overlaps(
    truth: ArrayLike, test: ArrayLike, *, ignore: int | None = None
) -> RegionOverlaps:
    """Find for each region of the truth the region of the test that covers it best.

    Parameters
    ----------
    truth, test : (...) integer arrays
        Label images of the same shape.
    ignore : int, optional
        An id of `truth` whose pixels are left out; None: 0 is a region as well.

    Returns
    -------
    overlaps : RegionOverlaps
        A named tuple of arrays, one element for each region of the truth:
        ``truth_ids``, ``area`` in pixels, ``test_ids`` and ``iou``.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ.

    Notes
    -----
    **Ties**: among regions of equal intersection over union the lowest id.

    **Cost**: that of one contingency table: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> found = metrics.region_overlaps([1, 1, 1, 2], [5, 5, 7, 7])
    >>> found.test_ids, found.iou
    (array([5, 7]), array([0.66666667, 0.5       ]))
    """
    return overlaps_of(table_of(*checked_pair(truth, test), checked_ignore(ignore)))


# On a ready table: several measures of one pair of images cost one pass over its pixels.


def scores(table: ContingencyTable) -> dict[str, float]:
    """Return every measure of partitions by name, from one contingency table."""
    pairs = _pairs(table)
    error, precision, recall = _adapted_rand_error(*pairs)
    split, merge = _variation_of_information(table)
    return {
        "rand_index": _rand_index(*pairs),
        "adjusted_rand_index": _adjusted_rand_index(*pairs),
        "adapted_rand_error": error,
        "adapted_rand_precision": precision,
        "adapted_rand_recall": recall,
        "variation_of_information": split + merge,
        "split": split,
        "merge": merge,
        "normalized_mutual_information": _normalized_mutual_information(table, split + merge),
        "segmentation_covering": covering_of([overlaps_of(table)]),
    }


def overlaps_of(table: ContingencyTable) -> RegionOverlaps:
    """Return the best overlap of each region of the truth."""
    iou = iou_of(table)
    best = np.zeros(len(table.truth_ids))
    np.maximum.at(best, table.row, iou)
    # Where an element is written twice the last one stays: pairs backwards, lowest id last.
    hits = np.flatnonzero(iou == best[table.row])[::-1]
    place = np.zeros(len(best), dtype=np.intp)
    place[table.row[hits]] = table.col[hits]
    return RegionOverlaps(table.truth_ids, table.truth_sizes, table.test_ids[place], best)


def covering_of(overlaps: Sequence[RegionOverlaps]) -> float:
    """Return area times best overlap, summed over all regions of all truths, per area."""
    total = sum(int(one.area.sum()) for one in overlaps)
    if total == 0:
        return 1.0
    return math.fsum(x for one in overlaps for x in (one.area * one.iou).tolist()) / total


def iou_of(table: ContingencyTable) -> np.ndarray:
    """Return intersection over union for each pair of a table."""
    union = table.truth_sizes[table.row] + table.test_sizes[table.col] - table.counts
    return table.counts / union


def _rand_index(both: int, truth: int, test: int, total: int) -> float:
    return (total + 2 * both - truth - test) / total if total else 1.0


def _adjusted_rand_index(both: int, truth: int, test: int, total: int) -> float:
    # Both sides of the fraction times twice the number of pairs: integers.
    most = (truth + test) * total - 2 * truth * test
    return 2 * (both * total - truth * test) / most if most else 1.0


def _adapted_rand_error(
    both: int, truth: int, test: int, _total: int
) -> tuple[float, float, float]:
    if truth + test == 0:
        return 0.0, 1.0, 1.0
    precision = both / test if test else 0.0
    recall = both / truth if truth else 0.0
    return (truth + test - 2 * both) / (truth + test), precision, recall


def _variation_of_information(table: ContingencyTable) -> tuple[float, float]:
    return (
        _entropy(table.counts, table.truth_sizes[table.row], table.n),
        _entropy(table.counts, table.test_sizes[table.col], table.n),
    )


def _normalized_mutual_information(
    table: ContingencyTable, variation: float | None = None
) -> float:
    """Return it, with the variation of information where that is known."""
    if variation is None:
        variation = sum(_variation_of_information(table))
    whole = np.int64(table.n)
    most = _entropy(table.truth_sizes, whole, table.n) + _entropy(table.test_sizes, whole, table.n)
    if most == 0:
        return 1.0
    return max(0.0, 1.0 - variation / most)


def _entropy(parts: np.ndarray, wholes: np.ndarray | np.int64, n: int) -> float:
    """Return the bits that tell the part of each of n pixels when the whole it is in is known."""
    # The rounded exact sum: the same in any order of regions.
    return math.fsum((parts / max(n, 1) * np.log2(wholes / parts)).tolist())


def _pairs(table: ContingencyTable) -> tuple[int, int, int, int]:
    """Return the exact numbers of pairs of pixels: together in both, in truth, in test; all."""
    columns = (table.counts, table.truth_sizes, table.test_sizes)
    if table.n < _SAFE:
        both, truth, test = (int(sizes @ (sizes - 1)) // 2 for sizes in columns)
    else:
        both, truth, test = (sum(n * (n - 1) for n in sizes.tolist()) // 2 for sizes in columns)
    return both, truth, test, table.n * (table.n - 1) // 2


def _means(
    measure: Callable[[ContingencyTable], tuple[float, ...]],
    truth: ArrayLike | Sequence[ArrayLike],
    test: ArrayLike,
    ignore: int | None,
) -> list[float]:
    """Return the means of several measures over the truths."""
    truths, labels = checked_truths(truth, test)
    ignored = checked_ignore(ignore)
    rows = [measure(table_of(one, labels, ignored)) for one in truths]
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]


def mean_over_truths(
    measure: Callable[[ContingencyTable], float],
    truth: ArrayLike | Sequence[ArrayLike],
    test: ArrayLike,
    ignore: int | None,
) -> float:
    """Return the mean of one measure over the truths."""
    return _means(lambda table: (measure(table),), truth, test, ignore)[0]
