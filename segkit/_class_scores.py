"""Comparing class images: which class each pixel got, against the one it should have.

In a class image a label is a class, 1..K, the same in every image, so pixels are
compared one by one and all measures follow from one table, the confusion matrix.
Where the truth is 0 nobody said what is there, and the pixel is left out.  Where
only the test is 0 it gave no answer, which is wrong whatever was wanted.

Scores of a whole data set come from the sum of its images' matrices: a mean of
the images' scores would give a class that fills a corner of one image the weight
of one that fills another.  A class that neither the truth nor the test has is in
no mean.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _check
from ._boundary_scores import radius_of
from ._contingency import checked_pair, table_of

_MOST_CLASSES = 4095  # a matrix of 128 MB


def confusion_matrix(
    truth: ArrayLike, test: ArrayLike, *, n_classes: int | None = None
) -> np.ndarray:
    """Count for each true class which classes its pixels were given.

    Parameters
    ----------
    truth : (...) integer array
        True class image, classes 1..K; pixels of 0 are left out.
    test : (...) integer array
        Class image to score; 0 where it gives no class.
    n_classes : int, optional
        K, the number of classes; None: the largest id in either image.  Give it
        where matrices of several images are to be added up.

    Returns
    -------
    matrix : (K + 1, K + 1) int64 array
        ``matrix[i, j]`` pixels of class i were given class j.  Column 0 holds
        those that were given none; row 0 is 0.

    Raises
    ------
    TypeError
        Labels that are not integers.
    ValueError
        Negative ids, ids above `n_classes`, shapes that differ, more than 4095
        classes.

    Notes
    -----
    ``matrix[1:, 1:]`` is scikit-learn's matrix for labels 1..K.

    **Ties**: none.  **Cost**: O(pixels + K**2).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/class_scores.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.confusion_matrix([1, 1, 1, 2, 2, 0], [1, 1, 2, 2, 0, 1])
    array([[0, 0, 0],
           [0, 2, 1],
           [1, 0, 1]])
    """
    first, second = checked_pair(truth, test)
    n = _n_classes(n_classes, first, second)
    table = table_of(first, second, 0)
    matrix = np.zeros((n + 1, n + 1), dtype=np.int64)
    matrix[table.truth_ids[table.row], table.test_ids[table.col]] = table.counts
    return matrix


def pixel_accuracy(
    truth: ArrayLike | None = None,
    test: ArrayLike | None = None,
    *,
    matrix: ArrayLike | None = None,
) -> float:
    """Measure which part of the pixels got their class.

    Parameters
    ----------
    truth, test : (...) integer arrays
        True class image, pixels of 0 left out, and the one to score.
    matrix : (K + 1, K + 1) integer array, optional
        A confusion matrix (or a sum of them) instead of images.

    Returns
    -------
    accuracy : float
        From 0 to 1; 1 if no pixel counts.

    Raises
    ------
    TypeError
        Labels or counts that are not integers, neither images nor a matrix.
    ValueError
        Negative ids, shapes that differ, both images and a matrix, a matrix that
        is not square, has a negative count or one in row 0.

    Notes
    -----
    **Ties**: none.  **Cost**: O(pixels), or O(K**2).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/class_scores.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.pixel_accuracy([1, 1, 2, 0], [1, 2, 2, 2])
    0.6666666666666666
    """
    hits, wanted, _ = _sums(truth, test, matrix)
    total = int(wanted.sum())
    return int(hits.sum()) / total if total else 1.0


def class_accuracy(
    truth: ArrayLike | None = None,
    test: ArrayLike | None = None,
    *,
    matrix: ArrayLike | None = None,
) -> float:
    """Measure which part of a class's pixels got it, as a mean over the classes.

    Parameters
    ----------
    truth, test : (...) integer arrays
        True class image, pixels of 0 left out, and the one to score.
    matrix : (K + 1, K + 1) integer array, optional
        A confusion matrix (or a sum of them) instead of images.

    Returns
    -------
    accuracy : float
        From 0 to 1; 1 if no pixel counts.

    Raises
    ------
    TypeError, ValueError
        As `pixel_accuracy`.

    Notes
    -----
    The mean is over the classes that the truth has: the mean recall, called
    balanced accuracy in scikit-learn.

    **Ties**: none.  **Cost**: O(pixels), or O(K**2).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/class_scores.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.class_accuracy([1, 1, 1, 1, 2], [1, 1, 1, 2, 2])
    0.875
    """
    hits, wanted, _ = _sums(truth, test, matrix)
    there = wanted > 0
    return _mean(hits[there] / wanted[there])


def iou_per_class(
    truth: ArrayLike | None = None,
    test: ArrayLike | None = None,
    *,
    n_classes: int | None = None,
    matrix: ArrayLike | None = None,
) -> np.ndarray:
    """Measure for each class the overlap of where it is and where it was found.

    Parameters
    ----------
    truth, test : (...) integer arrays
        True class image, pixels of 0 left out, and the one to score.
    n_classes : int, optional
        K, the number of classes; None: the largest id in either image.
    matrix : (K + 1, K + 1) integer array, optional
        A confusion matrix (or a sum of them) instead of images.

    Returns
    -------
    iou : (K,) float64 array
        ``iou[k - 1]``: intersection over union of class k, from 0 to 1; 1 for a
        class that neither has (`mean_iou` leaves it out).

    Raises
    ------
    TypeError, ValueError
        As `pixel_accuracy` and `confusion_matrix`.

    Notes
    -----
    **Ties**: none.  **Cost**: O(pixels + K**2).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/class_scores.py``.

    References
    ----------
    .. [1] Everingham et al. (2010), The PASCAL visual object classes (VOC)
       challenge, Int. J. Computer Vision 88.  https://doi.org/10.1007/s11263-009-0275-4

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.iou_per_class([1, 1, 2, 2], [1, 1, 1, 2])
    array([0.66666667, 0.5       ])
    """
    if truth is None or test is None or matrix is not None:
        _refuse_both(truth, test, matrix)
        if n_classes is not None:
            raise ValueError("`n_classes` goes with images, not with `matrix`")
    else:
        matrix = confusion_matrix(truth, test, n_classes=n_classes)
    hits, wanted, given = _sums(None, None, matrix)
    union = wanted + given - hits
    return np.where(union > 0, hits / np.maximum(union, 1), 1.0)


def mean_iou(
    truth: ArrayLike | None = None,
    test: ArrayLike | None = None,
    *,
    matrix: ArrayLike | None = None,
) -> float:
    """Measure the overlap of true and given classes, as a mean over the classes.

    Parameters
    ----------
    truth, test : (...) integer arrays
        True class image, pixels of 0 left out, and the one to score.
    matrix : (K + 1, K + 1) integer array, optional
        A confusion matrix (or a sum of them) instead of images.

    Returns
    -------
    iou : float
        From 0 to 1; 1 if no pixel counts.

    Raises
    ------
    TypeError, ValueError
        As `pixel_accuracy`.

    Notes
    -----
    The mean is over the classes that the truth or the test has (where the truth is
    not 0): one that only the test has counts with 0.  Scores of a data set come
    from the sum of its confusion matrices.

    **Ties**: none.  **Cost**: O(pixels), or O(K**2).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/class_scores.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.mean_iou([1, 1, 2, 2], [1, 1, 1, 2])
    0.5833333333333333
    >>> matrix = metrics.confusion_matrix([1, 1, 2, 2], [1, 1, 1, 2])
    >>> metrics.mean_iou(matrix=matrix + matrix)
    0.5833333333333333
    """
    hits, wanted, given = _sums(truth, test, matrix)
    union = wanted + given - hits
    there = union > 0
    return _mean(hits[there] / union[there])


def boundary_f1(truth: ArrayLike, test: ArrayLike, *, tolerance: float = 0.0075) -> float:
    """Measure how well the outlines of classes agree, as a mean over the classes.

    Parameters
    ----------
    truth, test : (...) integer arrays
        True class image, pixels of 0 left out, and the one to score.
    tolerance : float, default 0.0075
        The farthest that an outline may be off, in units of the image's diagonal.

    Returns
    -------
    f1 : float
        From 0 to 1; 1 if no pixel counts.

    Raises
    ------
    TypeError
        Labels that are not integers.
    ValueError
        Negative ids, shapes that differ, a tolerance that is not a finite number >= 0.

    Notes
    -----
    A pixel is on the outline of a class if one of it and its next neighbor along an
    axis (the right or the lower one in 2-D) has the class and the other has not;
    pairs with a pixel where the truth is 0 are left out, in both images.  Precision
    is the part of a class's outline in the test that has a pixel of the true outline
    within the tolerance, recall the same the other way, both 1 if neither outline
    has a pixel and 0 if one has none; F1 is their harmonic mean.  Many pixels may be
    near to one: there is no matching as in `boundary_scores`.  The mean is over
    the classes that the truth or the test has; one that only one of them has counts
    with 0.  For a data set take the mean over its images.

    **Ties**: none.  **Cost**: O(pixels + b log b) for b outline pixels.

    Plain version: ``tests/reference/class_scores.py``.

    References
    ----------
    .. [1] Csurka, Larlus, Perronnin (2013), What is a good evaluation measure for
       semantic segmentation?, British Machine Vision Conference.
       https://doi.org/10.5244/C.27.32

    Examples
    --------
    >>> from segkit import metrics
    >>> truth = [[1, 1, 2, 2, 2, 2, 2, 2]]
    >>> metrics.boundary_f1(truth, [[1, 1, 1, 2, 2, 2, 2, 2]])
    0.0
    >>> metrics.boundary_f1(truth, [[1, 1, 1, 2, 2, 2, 2, 2]], tolerance=0.15)
    1.0
    """
    first, second = checked_pair(truth, test)
    radius = radius_of(tolerance, first.shape)
    counted = first != 0
    wanted, given = _outlines(first, counted), _outlines(second, counted)
    if not wanted:
        return 1.0
    nothing = np.empty((0, first.ndim), dtype=np.intp)
    scores = [
        _outline_f1(wanted.get(k, nothing), given.get(k, nothing), radius)
        if k in wanted and k in given
        else 0.0
        for k in sorted(wanted.keys() | given.keys())
    ]
    return _mean(np.array(scores))


def _outlines(array: np.ndarray, counted: np.ndarray) -> dict[int, np.ndarray]:
    """Return for each class its outline's positions, (n, ndim), those of pixels that count."""
    classes, pixels = [], []
    flat = np.arange(array.size).reshape(array.shape)
    for axis in range(array.ndim):
        before = (slice(None),) * axis
        last, first = (*before, slice(None, -1)), (*before, slice(1, None))
        differ = (array[last] != array[first]) & counted[last] & counted[first]
        for side in (last, first):
            classes.append(array[side][differ])
            pixels.append(flat[last][differ])
    known, number = np.unique(np.concatenate(classes), return_inverse=True)
    pairs = np.unique(number * max(array.size, 1) + np.concatenate(pixels))
    number, pixel = np.divmod(pairs, max(array.size, 1))
    parts = np.split(
        np.stack(np.unravel_index(pixel, array.shape), axis=1),
        np.searchsorted(number, np.arange(1, len(known))),
    )
    outlines = dict(zip(known.tolist(), parts, strict=False))
    nothing = np.empty((0, array.ndim), dtype=np.intp)
    return {k: outlines.get(k, nothing) for k in np.unique(array[counted]).tolist() if k}


def _outline_f1(wanted: np.ndarray, given: np.ndarray, radius: float) -> float:
    """Return F1 of two outlines of one class."""
    from scipy.spatial import cKDTree

    if len(wanted) == 0 or len(given) == 0:
        return float(len(wanted) == len(given))
    shares = []
    for some, others in ((given, wanted), (wanted, given)):
        # A little farther than wanted: how the tree rounds its squares must not decide.
        near, _ = cKDTree(others).query(some, distance_upper_bound=radius * (1 + 1e-9) + 1e-9)
        shares.append(np.count_nonzero(near <= radius) / len(some))
    precision, recall = shares
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _n_classes(value: Any, truth: np.ndarray, test: np.ndarray) -> int:
    """Return the number of classes, given or the largest id."""
    largest = {name: int(a.max(initial=0)) for name, a in (("truth", truth), ("test", test))}
    if value is None:
        n = max(largest.values())
        if n > _MOST_CLASSES:
            name = max(largest, key=largest.__getitem__)
            raise ValueError(f"`{name}` must hold classes up to {_MOST_CLASSES}, got {n}")
        return n
    n = _check.integer(value, "n_classes", low=1, high=_MOST_CLASSES)
    for name, id_ in largest.items():
        if id_ > n:
            raise ValueError(f"`{name}` must hold classes up to `n_classes`, {n}, got {id_}")
    return n


def _refuse_both(truth: Any, test: Any, matrix: Any) -> None:
    """Refuse images beside a matrix, and neither."""
    if matrix is None:
        name = "truth" if truth is None else "test"
        raise TypeError(f"`{name}` must be an array, got None; or pass `matrix`")
    if truth is not None or test is not None:
        raise ValueError("`matrix` must be None beside `truth` and `test`, got both")


def _sums(truth: Any, test: Any, matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each class the pixels that got it rightly, that have it, that got it."""
    if truth is None or test is None or matrix is not None:
        _refuse_both(truth, test, matrix)
        counts = _check.table(matrix, "matrix", ("truth", "test"), integers=True)
        if counts.shape[0] != counts.shape[1]:
            raise ValueError(f"`matrix` must be square, got shape {counts.shape}")
        if (counts < 0).any() or counts[0].any():
            raise ValueError("`matrix` must hold counts >= 0, and none in row 0 (no true class)")
        return np.diag(counts)[1:], counts.sum(axis=1)[1:], counts.sum(axis=0)[1:]
    table = table_of(*checked_pair(truth, test), 0)
    ids = np.union1d(table.truth_ids, table.test_ids)
    ids = ids[ids != 0]
    sums = np.zeros((3, len(ids)), dtype=np.int64)
    same = table.truth_ids[table.row] == table.test_ids[table.col]
    sums[0, np.searchsorted(ids, table.truth_ids[table.row[same]])] = table.counts[same]
    sums[1, np.searchsorted(ids, table.truth_ids)] = table.truth_sizes
    known = table.test_ids != 0
    sums[2, np.searchsorted(ids, table.test_ids[known])] = table.test_sizes[known]
    return sums[0], sums[1], sums[2]


def _mean(values: np.ndarray) -> float:
    """Return the mean, 1 for none."""
    return math.fsum(values.tolist()) / len(values) if len(values) else 1.0
