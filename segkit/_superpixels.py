"""Measures of oversegmentations: what is lost when an image is cut into small regions.

Superpixels are to be joined later, so that being cut up is no fault.  What
counts is that no region crosses an object's border (undersegmentation error,
achievable accuracy), that regions are uniform (explained variation), and that
they are round rather than ragged (compactness).  The first two need a
reference, the third the image, the last nothing.

Each of them is trivially perfect for regions of one pixel: they mean something
only side by side with the number of regions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from . import _check
from ._contingency import ContingencyTable
from ._partitions import mean_over_truths
from .labels import _numbered
from .measuring import _shape_sums, _statistics

_LARGE = 1e100  # the squares of larger numbers may overflow when they are summed


def undersegmentation_error(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> float:
    """Measure how far regions of the test reach across borders of the truth.

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
    error : float
        From 0 to 1, 0 if every region of the test lies in one region of the truth.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: for each region of the truth and each region of the test that
    overlaps it, the smaller of the two parts that the border cuts the latter
    into, summed and divided by the number of pixels (Neubert and Protzel's
    formulation, which needs no threshold on the overlap).

    **Ties**: none.  Not symmetric.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/superpixels.py``.

    References
    ----------
    Neubert, Protzel (2012). Superpixel benchmark and comparison. Proceedings of
    Forum Bildverarbeitung, KIT Scientific Publishing. As restated in Stutz,
    Hermans, Leibe (2018). Superpixels: an evaluation of the state-of-the-art.
    Computer Vision and Image Understanding 166. doi:10.1016/j.cviu.2017.03.007

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.undersegmentation_error([1, 1, 1, 2], [7, 7, 9, 9])
    0.5
    >>> metrics.undersegmentation_error([1, 1, 1, 2], [7, 7, 8, 9])
    0.0
    """
    return mean_over_truths(_undersegmentation_error, truth, test, ignore)


def achievable_accuracy(
    truth: ArrayLike | Sequence[ArrayLike], test: ArrayLike, *, ignore: int | None = None
) -> float:
    """Measure the accuracy that the best naming of the regions of the test would reach.

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
    accuracy : float
        From 0 to 1, 1 if every region of the test lies in one region of the truth.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ; an empty list.

    Notes
    -----
    **Definition**: every region of the test gets the region of the truth that it
    overlaps most; the fraction of pixels that are then right.

    **Ties**: regions of equal overlap give the same value.  Not symmetric.

    **Cost**: that of one contingency table for each truth: O(pixels).

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/superpixels.py``.

    References
    ----------
    Liu, Tuzel, Ramalingam, Chellappa (2011). Entropy rate superpixel
    segmentation. CVPR. doi:10.1109/CVPR.2011.5995323

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.achievable_accuracy([1, 1, 1, 2], [7, 7, 9, 9])
    0.75
    """
    return mean_over_truths(_achievable_accuracy, truth, test, ignore)


def explained_variation(
    image: ArrayLike, test: ArrayLike, *, channel_axis: int | None = None
) -> float:
    """Measure how much of an image's variance its regions' means explain.

    Parameters
    ----------
    image : (...) array
        Values, of any real type, with channels along `channel_axis`.
    test : (...) integer array
        Label image of the image's spatial shape; 0 is a region as well.
    channel_axis : int, optional
        Axis of channels in `image`; None: one channel.

    Returns
    -------
    variation : float
        From 0 to 1, 1 if no region varies (also for a constant image).

    Raises
    ------
    TypeError
        Labels that are not integers; an image that is not real.
    ValueError
        Negative ids; shapes that differ; NaN or infinite values.

    Notes
    -----
    **Definition**: the squared distances of the regions' means from the image's
    mean, summed over pixels and channels, divided by those of the pixels' values.
    What is missing to 1 is the variance inside the regions.

    **Ties**: none.

    **Cost**: O(pixels) time.

    Kernel: ``segkit_ext/measure.pyx``.  Plain version:
    ``tests/reference/superpixels.py``.

    References
    ----------
    Moore, Prince, Warrell, Mohammed, Jones (2008). Superpixel lattices. CVPR.
    doi:10.1109/CVPR.2008.4587471

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.explained_variation([1, 3, 5, 7], [1, 1, 2, 2])
    0.8
    """
    labels = _check.labels(test, "test")
    values = _check.channels_last(image, channel_axis)
    _check.same_shape(labels, "test", values.shape[:-1], "image")
    _check.refuse_not_finite(values, "image")
    if labels.size == 0:
        return 1.0
    values = _scaled(values)
    numbered, _, n = _numbered(labels)
    sizes = np.bincount(numbered.ravel(), minlength=n)
    inside = _squares(numbered, values, n, sizes)
    whole = _squares(np.zeros_like(numbered), values, 1, np.array([labels.size]))
    return max(0.0, 1.0 - inside / whole) if whole else 1.0


def compactness(test: ArrayLike, *, spacing: ArrayLike | None = None) -> float:
    """Measure how round regions are.

    Parameters
    ----------
    test : (...) integer array
        Label image; 0 is a region as well.
    spacing : sequence of float, optional
        Size of a pixel along each axis; None: 1.

    Returns
    -------
    compactness : float
        Above 0, up to 1 (in 2-D up to pi / 4, see below); 1 without a pixel.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; a spacing that is not one number > 0 for each axis.

    Notes
    -----
    **Definition**: the isoperimetric quotient of each region, the mean over
    pixels.  In 2-D the quotient is 4 pi area / perimeter^2, in 3-D
    36 pi volume^2 / surface^3, in n dimensions n^n w volume^(n - 1) / surface^n
    with w the volume of the unit ball: 1 for a ball, less for anything else.

    Perimeters are counted along pixel faces, the image border included, as in
    `regions`.  So a square has pi / 4 = 0.785 and a cube pi / 6 = 0.524, and no
    region of pixels has more; along one axis an unbroken region has 1.  A region
    in several pieces has the perimeter of all of them.

    **Ties**: none.

    **Cost**: O(pixels) time.

    Kernel: ``segkit_ext/measure.pyx``.  Plain version:
    ``tests/reference/superpixels.py``.

    References
    ----------
    Schick, Fischer, Stiefelhagen (2012). Measuring and evaluating the compactness
    of superpixels. ICPR. https://ieeexplore.ieee.org/document/6460287

    Schick, Fischer, Stiefelhagen (2014). An evaluation of the compactness of
    superpixels. Pattern Recognition Letters 43. doi:10.1016/j.patrec.2013.09.013

    Examples
    --------
    >>> from segkit import metrics
    >>> square, strips = [[1, 1], [1, 1]], [[1, 1], [2, 2]]
    >>> round(metrics.compactness(square), 3), round(metrics.compactness(strips), 3)
    (0.785, 0.698)
    """
    labels = _check.labels(test, "test")
    sizes = _check.spacing(spacing, labels.ndim)
    if labels.size == 0:
        return 1.0
    numbered, _, n = _numbered(labels)
    sums = _shape_sums(numbered, n)
    sums = sums.of(np.flatnonzero(sums.pixels))
    ndim = labels.ndim
    # In the unit in which a pixel has volume 1, and relative to a ball of the region's volume:
    # so no product or power grows out of bounds.
    across = np.log(sizes).mean() - np.log(sizes)
    surface = sums.faces @ np.exp(across)
    ball = {1: 2.0, 2: math.pi, 3: 4 / 3 * math.pi, 4: math.pi**2 / 2}[ndim]
    of_ball = ndim * ball * (sums.pixels / ball) ** ((ndim - 1) / ndim)
    quotient = (of_ball / surface) ** ndim
    return math.fsum((sums.pixels * quotient).tolist()) / labels.size


def scores(table: ContingencyTable) -> dict[str, float]:
    """Return the measures of an oversegmentation that need a reference alone, by name."""
    return {
        "undersegmentation_error": _undersegmentation_error(table),
        "achievable_accuracy": _achievable_accuracy(table),
    }


def _undersegmentation_error(table: ContingencyTable) -> float:
    outside = table.test_sizes[table.col] - table.counts
    return int(np.minimum(table.counts, outside).sum()) / max(table.n, 1)


def _achievable_accuracy(table: ContingencyTable) -> float:
    best = np.zeros_like(table.test_sizes)
    np.maximum.at(best, table.col, table.counts)
    return int(best.sum()) / table.n if table.n else 1.0


def _squares(numbered: np.ndarray, values: np.ndarray, n: int, sizes: np.ndarray) -> float:
    """Return the squared distances of all values from their region's mean, summed."""
    variance = _statistics(numbered, values, n)[1]
    return math.fsum((variance * sizes[:, np.newaxis]).ravel().tolist())


def _scaled(values: np.ndarray) -> np.ndarray:
    """Return doubles so large, or so small, that squares leave their range, times a power of 2."""
    if values.dtype.kind != "f" or values.dtype.itemsize < 8:
        return values
    largest = max(float(values.max()), -float(values.min()))
    if largest == 0 or 1 / _LARGE < largest < _LARGE:
        return values
    return np.ldexp(values, -math.frexp(largest)[1])
