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
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.pair_off import look_around, pair_off

from . import _check, _dtypes, _grid


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

    **Cost**: for each annotator O(p a) time for p boundary pixels and a pixels within
    the tolerance, more where partners are far along chains; memory that of the image
    with a border as wide as the tolerance.

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
    right = np.zeros(np.count_nonzero(test), dtype=bool)
    matched_truth = n_truth = 0
    for matched, reached in partners(truths, test, radius):
        right |= matched
        matched_truth += int(np.count_nonzero(reached))
        n_truth += len(reached)
    return BoundaryCounts(int(np.count_nonzero(right)), len(right), matched_truth, n_truth)


def partners(
    truths: Sequence[np.ndarray], test: np.ndarray, radius: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each map of the truth which pixels of the test and of it have a partner.

    One bool for each pixel that is true in the map, in raster order.
    """
    steps, ranks = _steps(test.shape, radius)
    grid = _Grid(test.shape, steps)
    places, offsets = grid.places(np.flatnonzero(test)), steps @ grid.strides
    for truth in truths:
        wanted = np.flatnonzero(truth)
        if len(places) and len(wanted):
            yield _match(places, grid.numbered(wanted), len(wanted), offsets, ranks)
        else:
            yield np.zeros(len(places), dtype=bool), np.zeros(len(wanted), dtype=bool)


class _Grid:
    """An image with a border as wide as the steps reach, flat."""

    def __init__(self, shape: tuple[int, ...], steps: np.ndarray) -> None:
        self.shape = shape
        self.reach = np.abs(steps).max(axis=0)
        self.wide = tuple(int(s + 2 * r) for s, r in zip(shape, self.reach, strict=True))
        self.strides = _grid.strides_of(self.wide)

    def places(self, index: np.ndarray) -> np.ndarray:
        """Return where flat positions of the image lie in it."""
        axes = np.unravel_index(index, self.shape)
        return sum(
            (
                (axis + r) * stride
                for axis, r, stride in zip(axes, self.reach, self.strides, strict=True)
            ),
            start=np.zeros(len(index), dtype=np.intp),
        )

    def numbered(self, index: np.ndarray) -> np.ndarray:
        """Return it with 0, 1, ... at flat positions of the image, and -1 elsewhere."""
        number = np.full(math.prod(self.wide), -1, dtype=_dtypes.index_dtype(len(index)))
        number[self.places(index)] = np.arange(len(index))
        return number


def _steps(shape: tuple[int, ...], radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of at most `radius`, (k, ndim), nearest first, and ranks by distance."""
    # Steps that no two pixels of the image are apart are left out.
    reach = [int(min(radius, max(side - 1, 0))) for side in shape]
    sides = np.ogrid[tuple(slice(-r, r + 1) for r in reach)]
    squares = sum((side * side for side in sides), start=np.zeros((1,) * len(shape)))
    near = np.flatnonzero(np.sqrt(squares) <= radius)
    near = near[np.argsort(squares.ravel()[near], kind="stable")]
    rank = np.cumsum(np.diff(squares.ravel()[near], prepend=0) > 0)
    return np.stack(np.unravel_index(near, squares.shape), axis=1) - reach, rank


def _match(
    places: np.ndarray, number: np.ndarray, n: int, offsets: np.ndarray, ranks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the pixels at `places` and of the n numbered ones get a partner."""
    index = _dtypes.index_dtype(max(len(places), n))
    number = number.astype(index, copy=False)
    nearest = np.empty(len(places), dtype=index)
    look_around(places, offsets, ranks.astype(index), number, nearest)
    rows = np.flatnonzero(nearest >= 0)
    column_of = np.full(len(places), -1, dtype=index)
    row_of = np.full(n, -1, dtype=index)
    pair_off(
        places,
        offsets,
        number,
        rows[np.argsort(nearest[rows], kind="stable")].astype(index),
        column_of,
        row_of,
        np.zeros(n, dtype=index),
        np.empty(n, dtype=index),
        np.empty(len(places) + 1, dtype=index),
    )
    return column_of >= 0, row_of >= 0
