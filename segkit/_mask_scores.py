"""Comparing two masks: how much they overlap, and how far apart they come.

Overlap says how much of an object was found, whatever its form; it hardly notices
a thin arm that is missing.  The Hausdorff distance says how far the worst pixel
of one mask lies from the other, whatever its size; a single stray pixel decides
it.  A percentile below 100 forgives that share of the pixels; it is mostly taken
between surfaces, since inside the common part all distances are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _check


def dice(truth: ArrayLike, test: ArrayLike, *, label: int | None = None) -> float:
    """Measure the overlap of two masks: shared pixels over the mean of their sizes.

    Parameters
    ----------
    truth, test : (...) bool arrays
        Masks, or integers 0 and 1; with `label` label images.
    label : int, optional
        The region of two label images to compare, one that has this id in both.

    Returns
    -------
    overlap : float
        2 |both| / (|truth| + |test|), from 0 to 1; 1 if both masks are empty.

    Raises
    ------
    TypeError
        A dtype that is not bool or integer.
    ValueError
        Values other than 0 and 1 without `label`, negative ids, shapes that differ.

    Notes
    -----
    The F-score of pixels (Dice-Sorensen), ``2 J / (1 + J)`` for the Jaccard index J.

    **Ties**: none.  **Cost**: O(pixels).

    Plain version: ``tests/reference/mask_scores.py``.

    References
    ----------
    .. [1] Dice (1945), Measures of the amount of ecologic association between
       species, Ecology 26(3).  https://doi.org/10.2307/1932409

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.dice([1, 1, 1, 0], [0, 1, 1, 1])
    0.6666666666666666
    >>> metrics.dice([7, 7, 2, 2], [7, 2, 2, 2], label=2)
    0.8
    """
    first, second = _pair(truth, test, label)
    both, total = int(np.count_nonzero(first & second)), _size(first) + _size(second)
    return 2 * both / total if total else 1.0


def jaccard(truth: ArrayLike, test: ArrayLike, *, label: int | None = None) -> float:
    """Measure the overlap of two masks: intersection over union.

    Parameters
    ----------
    truth, test : (...) bool arrays
        Masks, or integers 0 and 1; with `label` label images.
    label : int, optional
        The region of two label images to compare, one that has this id in both.

    Returns
    -------
    overlap : float
        |both| / |either|, from 0 to 1; 1 if both masks are empty.

    Raises
    ------
    TypeError
        A dtype that is not bool or integer.
    ValueError
        Values other than 0 and 1 without `label`, negative ids, shapes that differ.

    Notes
    -----
    **Ties**: none.  **Cost**: O(pixels).

    Plain version: ``tests/reference/mask_scores.py``.

    References
    ----------
    .. [1] Jaccard (1912), The distribution of the flora in the alpine zone, New
       Phytologist 11(2).  https://doi.org/10.1111/j.1469-8137.1912.tb05611.x

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.jaccard([1, 1, 1, 0], [0, 1, 1, 1])
    0.5
    """
    first, second = _pair(truth, test, label)
    both, either = int(np.count_nonzero(first & second)), _size(first | second)
    return both / either if either else 1.0


def hausdorff(
    truth: ArrayLike,
    test: ArrayLike,
    *,
    spacing: ArrayLike | None = None,
    percentile: float = 100.0,
    between: str = "pixels",
    label: int | None = None,
) -> float:
    """Measure how far two masks come apart: the Hausdorff distance.

    Parameters
    ----------
    truth, test : (...) bool arrays
        Masks, or integers 0 and 1; with `label` label images.
    spacing : sequence of float, optional
        Pixel size along each axis, in any unit; None: 1.
    percentile : float, default 100
        Which of the distances from each mask to the other is taken, from 0 to 100:
        100 is the largest, the Hausdorff distance itself; 95 is customary where
        single pixels should not decide.
    between : {"pixels", "surfaces"}
        Which pixels count: all of each mask, or those at its surface, which have a
        neighbor along an axis outside the mask or lie at the image border.
    label : int, optional
        The region of two label images to compare, one that has this id in both.

    Returns
    -------
    distance : float
        In units of `spacing`.  0 if both masks are empty, inf if one is.

    Raises
    ------
    TypeError
        A dtype that is not bool or integer, parameters of a wrong type.
    ValueError
        Values other than 0 and 1 without `label`, negative ids, shapes that differ,
        a spacing that is not positive, a percentile outside 0..100.

    Notes
    -----
    From each counted pixel of one mask the distance between centers to the nearest
    of the other is taken, and the same the other way; `percentile` of each of the
    two (linear between neighbors in rank), and the larger one.  At 100 this is a
    distance between sets of pixels: symmetric, 0 for equal sets only, no longer
    than any way round by a third.

    **Ties**: none.  **Cost**: O(pixels) of the smallest box around both, with about
    8 (2 + ndim) bytes for each.

    Plain version: ``tests/reference/mask_scores.py``.

    References
    ----------
    .. [1] Huttenlocher, Klanderman, Rucklidge (1993), Comparing images using the
       Hausdorff distance, IEEE Trans. Pattern Analysis and Machine Intelligence
       15(9).  https://doi.org/10.1109/34.232073

    Examples
    --------
    >>> from segkit import metrics
    >>> metrics.hausdorff([1, 1, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0], spacing=[0.5])
    2.0
    >>> metrics.hausdorff([1, 1, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0], percentile=50)
    0.0
    """
    first, second = _pair(truth, test, label)
    sizes = _check.spacing(spacing, first.ndim)
    share = float(_check.number(percentile, "percentile"))
    if share > 100:
        raise ValueError(f"`percentile` must be a number from 0 to 100, got {percentile}")
    between = _check.choice(between, "between", ("pixels", "surfaces"))
    box = _box(first | second)
    if not (first.any() and second.any()):
        return 0.0 if box is None else np.inf
    first, second = first[box], second[box]  # what lies outside is near to nothing
    if between == "surfaces":
        first, second = _surface(first), _surface(second)
    # Squares of very large or small spacings would not fit a double.
    unit = float(sizes.max())
    return unit * max(
        _directed(first, second, sizes / unit, share), _directed(second, first, sizes / unit, share)
    )


def _pair(truth: Any, test: Any, label: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return two masks of the same shape."""
    second = _check.labels(test, "test")
    first = _check.labels(truth, "truth")
    _check.same_shape(first, "truth", second.shape, "test", hint=False)
    if label is not None:
        wanted = _check.integer(label, "label", low=0)
        return np.asarray(first == wanted), np.asarray(second == wanted)
    hint = "; to compare one region of two label images pass `label`"
    return (
        np.asarray(_check.mask(first, first.shape, "test", "truth", hint=hint)),
        np.asarray(_check.mask(second, first.shape, "test", "test", hint=hint)),
    )


def _size(mask: np.ndarray) -> int:
    return int(np.count_nonzero(mask))


def _box(mask: np.ndarray) -> tuple[slice, ...] | None:
    """Return the smallest box around a mask, or None if it is empty."""
    box = []
    for axis in range(mask.ndim):
        used = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        if len(used) == 0:
            return None
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return tuple(box)


def _surface(mask: np.ndarray) -> np.ndarray:
    """Return the pixels of a mask with a neighbor along an axis outside it, or outside the box."""
    inner = mask.copy()
    for axis in range(mask.ndim):
        line = np.moveaxis(mask, axis, 0)
        kept = np.moveaxis(inner, axis, 0)
        kept[1:] &= line[:-1]
        kept[:-1] &= line[1:]
        kept[0] = kept[-1] = False
    return mask & ~inner


def _directed(origin: np.ndarray, target: np.ndarray, spacing: np.ndarray, share: float) -> float:
    """Return a percentile of the distances from one set of pixels to the nearest of another."""
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~target, sampling=spacing)
    return float(np.percentile(distance[origin], share))
