"""Panoptic images: a class and an instance for each pixel, in one image.

A panoptic segmentation says of each pixel what it is (the class image) and which
one it is (the instance image).  Files and benchmarks keep the two in one: as
``class * 1000 + instance`` (Cityscapes), or with such an id written as a color,
``R + 256 G + 65536 B`` (COCO).  These four functions go there and back without
losing an id; what does not fit is refused.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from . import _check, _dtypes

__all__ = ["PanopticImages", "decode", "encode", "from_coco", "to_coco"]

_COLORS = 1 << 24  # ids that three bytes tell apart


class PanopticImages(NamedTuple):
    """A class image and an instance image of the same shape."""

    classes: np.ndarray
    instances: np.ndarray


def encode(classes: ArrayLike, instances: ArrayLike, *, divisor: int = 1000) -> np.ndarray:
    """Write a class image and an instance image as one: class * divisor + instance.

    Parameters
    ----------
    classes, instances : (...) integer arrays
        Label images of the same shape.  Instance 0: no instance, as in sky or road.
    divisor : int
        How many instances, 0 included, a class has room for.

    Returns
    -------
    ids : (...) int32 array
        int64 where an id does not fit 32 bits.

    Raises
    ------
    TypeError
        A dtype that is not integer; a `divisor` that is no integer.
    ValueError
        Negative ids; shapes that differ; a `divisor` below 1; an instance that is
        not below `divisor`; ids of 2**63 or more.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time.

    Files of Cityscapes keep pixels without an instance as the class alone, 7 and
    not 7000: there, ids below 1000 are classes.

    Plain version: ``tests/reference/panoptic.py``.

    References
    ----------
    Cordts et al. (2016). The Cityscapes dataset for semantic urban scene
    understanding. CVPR. doi:10.1109/CVPR.2016.350

    Examples
    --------
    >>> from segkit import panoptic
    >>> panoptic.encode([7, 26, 26], [0, 1, 2])
    array([ 7000, 26001, 26002], dtype=int32)
    """
    first, second = _check.labels(classes, "classes"), _check.labels(instances, "instances")
    _check.same_shape(second, "instances", first.shape, "classes", hint=False)
    divisor = _check.integer(divisor, "divisor", low=1)
    largest = int(second.max()) if second.size else 0
    if largest >= divisor:
        raise ValueError(f"`instances` must be below `divisor`, {divisor}, got {largest}")
    highest = int(first.max()) if first.size else 0
    if highest * divisor + largest > np.iinfo(np.int64).max:
        raise ValueError(
            f"`classes` must give ids below 2**63, got class {highest} times `divisor`, {divisor}"
        )
    ids = first.astype(_dtypes.label_dtype(highest * divisor + largest))
    if highest:  # else `divisor` itself need not fit
        ids *= divisor
    ids += second.astype(ids.dtype)
    return ids


def decode(ids: ArrayLike, *, divisor: int = 1000) -> PanopticImages:
    """Take ids apart into class = id // divisor and instance = id % divisor.

    Parameters
    ----------
    ids : (...) integer array
        As `encode` gives them.
    divisor : int
        As it was for `encode`.

    Returns
    -------
    images : PanopticImages
        A named tuple (classes, instances) of (...) int32 arrays, int64 where an id
        does not fit 32 bits.

    Raises
    ------
    TypeError
        A dtype that is not integer; a `divisor` that is no integer.
    ValueError
        Negative ids, ids of 2**63 or more; a `divisor` below 1.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time.

    Plain version: ``tests/reference/panoptic.py``.

    Examples
    --------
    >>> from segkit import panoptic
    >>> classes, instances = panoptic.decode([7000, 26001, 26002])
    >>> classes, instances
    (array([ 7, 26, 26], dtype=int32), array([0, 1, 2], dtype=int32))
    """
    array = _check.labels(ids, "ids")
    divisor = _check.integer(divisor, "divisor", low=1)
    largest = _check.largest_label(array, "ids")
    whole = array.astype(np.int64)
    if divisor > largest:  # which may be beyond 64 bits
        classes, instances = np.zeros_like(whole), whole
    else:
        classes, instances = np.divmod(whole, divisor)
    return PanopticImages(*(_narrowed(part) for part in (classes, instances)))


def to_coco(ids: ArrayLike) -> np.ndarray:
    """Write ids as colors, R + 256 G + 65536 B.

    Parameters
    ----------
    ids : (...) integer array
        Label image, ids from 0 to 2**24 - 1.

    Returns
    -------
    colors : (..., 3) uint8 array
        To be kept as a PNG file, never as JPEG.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids, ids of 2**24 or more.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time.

    Plain version: ``tests/reference/panoptic.py``.

    References
    ----------
    Kirillov, He, Girshick, Rother, Dollár (2019). Panoptic segmentation. CVPR.
    doi:10.1109/CVPR.2019.00963

    Examples
    --------
    >>> from segkit import panoptic
    >>> panoptic.to_coco([1, 258, 65536])
    array([[1, 0, 0],
           [2, 1, 0],
           [0, 0, 1]], dtype=uint8)
    """
    array = _check.labels(ids, "ids")
    largest = int(array.max()) if array.size else 0
    if largest >= _COLORS:
        raise ValueError(f"`ids` must be below 2**24 to be a color, got {largest}")
    bytes_of = array.astype("<u4")[..., np.newaxis].view(np.uint8)
    return bytes_of[..., :3].copy()


def from_coco(colors: ArrayLike) -> np.ndarray:
    """Read ids from colors, R + 256 G + 65536 B.

    Parameters
    ----------
    colors : (..., 3) integer array
        Channels red, green, blue along the last axis, 0 to 255.

    Returns
    -------
    ids : (...) int32 array
        The ids.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Not three channels; values outside 0 to 255.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time.

    Plain version: ``tests/reference/panoptic.py``.

    Examples
    --------
    >>> from segkit import panoptic
    >>> panoptic.from_coco([[1, 0, 0], [2, 1, 0], [0, 0, 1]])
    array([    1,   258, 65536], dtype=int32)
    """
    array = _check.channels_last(colors, -1, "colors")
    if array.dtype.kind == "f":
        raise TypeError(f"`colors` must hold integers, got dtype {array.dtype}")
    if array.shape[-1] != 3:
        raise ValueError(f"`colors` must have three channels, got shape {array.shape}")
    if array.size and not 0 <= int(array.min()) <= int(array.max()) <= 255:
        raise ValueError(
            f"`colors` must hold values from 0 to 255, got {array.min()} to {array.max()}"
        )
    return array.astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], dtype=np.int32)


def _narrowed(array: np.ndarray) -> np.ndarray:
    """Return labels in the smallest label type that holds them."""
    largest = int(array.max()) if array.size else 0
    return array.astype(_dtypes.label_dtype(largest), copy=False)
