"""Scoring boundaries: how many pixels of one outline have a partner on the other.

Two people who outline the same thing differ by a pixel or two, so boundaries are
compared with a tolerance.  To keep a thick or doubled line from being excused by
one thin line beside it, partners are taken one to one: each boundary pixel of
the test is matched to at most one of the truth, at most `tolerance` times the
image's diagonal away, and as many as possible are matched.  Precision is the
part of the test's pixels that found a partner, recall that of the truth's.

With several annotators the test is matched to each in turn.  Recall pools them
(their pixels and their partners are added up); for precision a pixel of the test
is right if any annotator's pixel is its partner.  Scores of a set of images come
from sums of the counts, not from means of the scores.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.pair_off import pair_off

from . import _check


class BoundaryScores(NamedTuple):
    """Precision, recall and their harmonic mean."""

    precision: float
    recall: float
    f: float


class BoundaryCounts(NamedTuple):
    """What boundary scores are computed from; counts of several images may be added up."""

    matched_test: int
    n_test: int
    matched_truth: int
    n_truth: int

    def scores(self) -> BoundaryScores:
        """Return precision, recall and F; all 1 if there is no boundary, 0 if one has none."""
        matched_test, n_test, matched_truth, n_truth = map(int, self)
        if n_test == 0 or n_truth == 0:
            score = float(n_test == n_truth)
            return BoundaryScores(score, score, score)
        precision, recall = matched_test / n_test, matched_truth / n_truth
        total = precision + recall
        return BoundaryScores(precision, recall, 2 * precision * recall / total if total else 0.0)


def boundary_scores(
    truth: ArrayLike, test: ArrayLike, *, tolerance: float = 0.0075
) -> BoundaryScores:
    """Score the boundaries of a segmentation: precision, recall and F.

    Parameters
    ----------
    truth : (...) integer array, or a sequence of them
        The true label image, or one of each annotator; 0 is a region like others.
    test : (...) integer array
        The label image to score.
    tolerance : float, default 0.0075
        The farthest that matched pixels may be apart, in units of the image's
        diagonal, ``sqrt(R**2 + C**2)`` pixels.

    Returns
    -------
    scores : named tuple
        `precision`, `recall` and `f` = 2 precision recall / (precision + recall),
        each from 0 to 1.  All are 1 if neither image has a boundary and 0 if only
        one has.

    Raises
    ------
    TypeError
        Labels that are not integers.
    ValueError
        Negative ids, shapes that differ, no annotator, a tolerance that is not a
        finite number >= 0.

    Notes
    -----
    A boundary pixel is one that differs from its next neighbor along some axis
    (the right or the lower one in 2-D).  Matching is one to one, of greatest
    cardinality, at distances <= `tolerance` * diagonal.

    The original [1]_ matches differently: it minimizes the sum of distances, with a
    penalty for pixels left over (an assignment with outlier nodes, solved by a
    cost-scaling algorithm), and thins both outlines first.  The most pixels that
    can be matched are never fewer than it matches, and the two differ little where
    lines are thin.

    **Ties**: of several matchings of greatest cardinality the one is taken that
    matches the pixels of the test nearest to the truth (those before others in
    raster order, where equally near).  Which one it is can only matter to the
    precision against several annotators.

    **Cost**: memory in proportion to the pairs of pixels within the tolerance, and
    time nearly so.

    Kernel: ``segkit_ext/pair_off.pyx``.  Plain version: ``tests/reference/boundary_scores.py``.

    References
    ----------
    .. [1] Martin, Fowlkes, Malik (2004), Learning to detect natural image boundaries
       using local brightness, color, and texture cues, IEEE Trans. Pattern Analysis
       and Machine Intelligence 26(5).  https://doi.org/10.1109/TPAMI.2004.1273918
    .. [2] Arbelaez, Maire, Fowlkes, Malik (2011), Contour detection and hierarchical
       image segmentation, IEEE Trans. Pattern Analysis and Machine Intelligence 33(5).
       https://doi.org/10.1109/TPAMI.2010.161

    Examples
    --------
    >>> from segkit import metrics
    >>> truth = [[1, 1, 2, 2]] * 4
    >>> metrics.boundary_scores(truth, [[1, 1, 2, 3]] * 4)
    BoundaryScores(precision=0.5, recall=1.0, f=0.6666666666666666)
    >>> metrics.boundary_scores([truth, [[1, 1, 1, 2]] * 4], [[1, 1, 2, 3]] * 4).precision
    1.0
    """
    return boundary_counts(truth, test, tolerance=tolerance).scores()


def boundary_counts(
    truth: ArrayLike, test: ArrayLike, *, tolerance: float = 0.0075
) -> BoundaryCounts:
    """Count matched boundary pixels, to be added up over images.

    Parameters
    ----------
    truth : (...) integer array, or a sequence of them
        The true label image, or one of each annotator; 0 is a region like others.
    test : (...) integer array
        The label image to score.
    tolerance : float, default 0.0075
        The farthest that matched pixels may be apart, in units of the diagonal.

    Returns
    -------
    counts : named tuple of int
        `matched_test` of `n_test` boundary pixels of the test matched to any
        annotator's, `matched_truth` of `n_truth` of all annotators together;
        ``counts.scores()`` makes precision, recall and F of them.

    Raises
    ------
    TypeError, ValueError
        As `boundary_scores`.

    Notes
    -----
    Definitions, ties and cost as in `boundary_scores`: the score of a data set is
    ``BoundaryCounts(*np.sum(counts, axis=0)).scores()`` for a list of counts.

    **Cost**: that of `boundary_scores`.

    Kernel: ``segkit_ext/pair_off.pyx``.  Plain version: ``tests/reference/boundary_scores.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.boundary_counts([[1, 1, 2, 2]] * 4, [[1, 1, 2, 3]] * 4)
    BoundaryCounts(matched_test=4, n_test=8, matched_truth=4, n_truth=4)
    """
    array = _check.labels(test, "test")
    truths = _check.truths(truth, array.shape)
    radius = radius_of(tolerance, array.shape)
    return _counts([_boundary(one) for one in truths], _boundary(array), radius)


def match_boundaries(
    truth: ArrayLike, test: ArrayLike, *, tolerance: float = 0.0075
) -> BoundaryCounts:
    """Count matched pixels of boundaries that are given as maps.

    For truths that come as outlines, such as the thin ones of BSDS500's own
    benchmark, and for detectors that give no regions.

    Parameters
    ----------
    truth : (...) bool array, or a sequence of them
        True boundary pixels, or those of each annotator.
    test : (...) bool array
        Boundary pixels to score; `boundary_pixels` makes them of labels.
    tolerance : float, default 0.0075
        The farthest that matched pixels may be apart, in units of the diagonal.

    Returns
    -------
    counts : named tuple of int
        As `boundary_counts`.

    Raises
    ------
    TypeError
        Maps that are not bool (or 0 and 1).
    ValueError
        Shapes that differ, no annotator, a tolerance that is not a finite number >= 0.

    Notes
    -----
    Definitions, ties and cost as in `boundary_scores`.

    **Cost**: that of `boundary_scores`.

    Kernel: ``segkit_ext/pair_off.pyx``.  Plain version: ``tests/reference/boundary_scores.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> counts = metrics.match_boundaries([[0, 1, 0]] * 9, [[1, 0, 0]] * 9, tolerance=0.2)
    >>> counts.scores()
    BoundaryScores(precision=1.0, recall=1.0, f=1.0)
    """
    array = _check.labels(test, "test")
    found = _check.mask(array, array.shape, "test", "test")
    truths = _check.truths(truth, array.shape, maps=True)
    return _counts(truths, np.asarray(found), radius_of(tolerance, array.shape))


def boundary_pixels(labels: ArrayLike) -> np.ndarray:
    """Mark the pixels that differ from their next neighbor along any axis.

    Parameters
    ----------
    labels : (...) integer array
        Label image; 0 is a region like others.

    Returns
    -------
    pixels : (...) bool array
        Where the right or the lower neighbor (in 2-D) has another id: one pixel
        for each place where two regions meet, thinner than `segkit.boundaries`.

    Raises
    ------
    TypeError
        Labels that are not integers.
    ValueError
        Negative ids.

    Notes
    -----
    **Ties**: none.  **Cost**: O(pixels).

    Plain version: ``tests/reference/boundary_scores.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.boundary_pixels([[1, 1, 2], [1, 1, 1]]).astype(int)
    array([[0, 1, 1],
           [0, 0, 0]])
    """
    return _boundary(_check.labels(labels))


def radius_of(tolerance: float, shape: tuple[int, ...]) -> float:
    """Return a checked tolerance in pixels."""
    return _check.number(tolerance, "tolerance") * math.sqrt(sum(side * side for side in shape))


def _boundary(array: np.ndarray) -> np.ndarray:
    """Return which pixels differ from their next neighbor along any axis."""
    found = np.zeros(array.shape, dtype=bool)
    for axis in range(array.ndim):
        before = (slice(None),) * axis
        last, first = (*before, slice(None, -1)), (*before, slice(1, None))
        found[last] |= array[last] != array[first]
    return found


def _counts(truths: list[np.ndarray], test: np.ndarray, radius: float) -> BoundaryCounts:
    """Return the counts of one image against all its annotators."""
    from scipy.spatial import cKDTree

    found = np.argwhere(test)
    matched = np.zeros(len(found), dtype=bool)
    matched_truth = n_truth = 0
    tree = cKDTree(found) if len(found) else None
    for truth in truths:
        wanted = np.argwhere(truth)
        n_truth += len(wanted)
        if tree is not None and len(wanted):
            has_partner, _ = _match(tree, cKDTree(wanted), radius)
            matched |= has_partner
            matched_truth += int(np.count_nonzero(has_partner))
    return BoundaryCounts(int(np.count_nonzero(matched)), len(found), matched_truth, n_truth)


def _match(found: Any, wanted: Any, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which pixels of each of two trees of positions get a partner in the other."""
    # A little farther than wanted: how the tree rounds its squares must not decide.
    pairs = found.sparse_distance_matrix(wanted, radius * (1 + 1e-9), output_type="ndarray")
    pairs = pairs[pairs["v"] <= radius]
    row, column, distance = pairs["i"], pairs["j"], pairs["v"]
    by_row = np.lexsort((column, distance, row))
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=found.n))])
    rows = np.flatnonzero(np.diff(starts))
    nearest = distance[by_row[starts[rows]]]
    column_of = np.full(found.n, -1, dtype=np.int32)
    row_of = np.full(wanted.n, -1, dtype=np.int32)
    pair_off(
        starts.astype(np.intp),
        column[by_row].astype(np.int32),
        rows[np.argsort(nearest, kind="stable")].astype(np.int32),
        column_of,
        row_of,
        np.zeros(wanted.n, dtype=np.int32),
        np.empty(wanted.n, dtype=np.int32),
        np.empty(found.n + 1, dtype=np.int32),
    )
    return column_of >= 0, row_of >= 0
