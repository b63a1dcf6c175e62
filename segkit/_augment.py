"""Changes of training images that leave their meaning alone, and preparation of all images.

A network that has seen a nucleus on the left of an image should know it on the right,
upside down, larger, in other light and in noise.  Instead of more annotated images it is
shown the same ones changed: flipped, turned by quarters, scaled, cropped, brightened,
given more or less contrast, with noise.  What moves pixels moves the annotation with them,
by nearest neighbors, so that no class appears that nobody drew; what changes values leaves
it alone.  Each change is drawn anew each time an image is shown.

Preparing is the other half: light and contrast that say nothing are taken away from all
images alike, in training and in use.  `equalize` makes each grey level as frequent as any
other; `whiten` gives every image the mean 0 and the standard deviation 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import _check

_LARGEST = 2**15  # rows, or columns, of what is enlarged


class Pair(NamedTuple):
    """An image and its annotation."""

    image: np.ndarray
    annotation: np.ndarray


def augment(
    image: Any,
    annotation: Any,
    *,
    flips: bool = True,
    quarter_turns: bool = True,
    scale: tuple[float, float] = (1.0, 1.0),
    crop: Sequence[int] | None = None,
    brightness: float = 0.0,
    contrast: float = 0.0,
    noise: float = 0.0,
    rng: int | np.random.Generator = 0,
    channel_axis: int | None = None,
) -> Pair:
    """Change an image and its annotation together, at random.

    Parameters
    ----------
    image : array_like, (R, C), with one more axis if `channel_axis` is given
        Integers or floats, finite.
    annotation : array_like of integers >= 0, (R, C)
        The class of each pixel, 0 where nobody said.
    flips : bool
        Along each axis with probability 1/2.
    quarter_turns : bool
        By 0, 90, 180 or 270 degrees; of an image that is not square, without a `crop` of equal
        sides, only by 0 or 180, so that its shape stays.
    scale : (float, float), > 0
        The image is enlarged by a factor between these two, drawn evenly on a log scale.
    crop : (int, int) or None
        The sides of a part cut out at a random place, after scaling. Where the image is smaller,
        it is continued by reflection, with annotation 0. None: the image's own shape.
    brightness : float >= 0
        At most so much is added, up or down, in parts of the range of values: of 8- and 16-bit
        integers that of the dtype, else the difference of the image's largest and smallest.
    contrast : float >= 0
        Distances to the mean are multiplied by a factor between 1 / (1 + contrast) and
        1 + contrast.
    noise : float >= 0
        The standard deviation of normal noise, in parts of the range of values.
    rng : int or numpy.random.Generator
        The source of all choices. The same int gives the same result.
    channel_axis : int or None
        The axis of `image` that holds channels.

    Returns
    -------
    Pair
        A named tuple (image, annotation) of new arrays; dtypes as given. Integers are rounded,
        and cut off at the ends of their dtype.

    Raises
    ------
    TypeError
        An array or argument of a wrong type.
    ValueError
        Shapes that differ, an empty image, values that are not finite, negative amounts.

    Notes
    -----
    **Cost**: linear in the pixels of the image and of the crop.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit import training
    >>> image = np.arange(6).reshape(2, 3)
    >>> pair = training.augment(image, image, rng=1)
    >>> bool((pair.image == pair.annotation).all())
    True
    """
    values = _check.channels_last(image, channel_axis)
    marks = _check.labels(annotation, "annotation")
    if values.ndim != 3:
        raise ValueError(
            f"`image` must have 2 spatial dimensions, got {values.ndim - 1}"
            + _check.channel_hint(np.shape(image))
        )
    _check.same_shape(marks, "annotation", values.shape[:-1], "image")
    if marks.size == 0:
        raise ValueError(f"`image` must hold at least one pixel, got shape {marks.shape}")
    _check.refuse_not_finite(values, "image")
    shape = None if crop is None else _sides(crop)
    low, high = _factors(scale)
    if max(marks.shape) * high > max(_LARGEST, *marks.shape):
        raise ValueError(
            f"`scale` must not enlarge an image of {marks.shape} beyond {_LARGEST}, got {high:g}"
        )
    amounts = {
        name: float(_check.number(amount, name))
        for name, amount in (("brightness", brightness), ("contrast", contrast), ("noise", noise))
    }
    random = _check.generator(rng)

    factor = float(np.exp(random.uniform(np.log(low), np.log(high))))
    if factor != 1.0:
        values, marks = _scaled(values, marks, factor)
    values, marks = _cut(values, marks, shape or np.shape(annotation), random)
    if flips:
        for axis in (0, 1):
            if random.random() < 0.5:
                values, marks = np.flip(values, axis), np.flip(marks, axis)
    if quarter_turns:
        step = 1 if marks.shape[0] == marks.shape[1] else 2
        turns = step * int(random.integers(4 // step))
        values, marks = np.rot90(values, turns), np.rot90(marks, turns)
    values = _in_other_light(values, random, **amounts)
    values = values[..., 0] if channel_axis is None else np.moveaxis(values, -1, channel_axis)
    return Pair(np.ascontiguousarray(values), marks.copy())


def equalize(image: Any, *, channel_axis: int | None = None) -> np.ndarray:
    """Return an image on which each grey level is about as frequent as any other.

    Parameters
    ----------
    image : array_like, (R, C), with one more axis if `channel_axis` is given
        Integers or floats, finite; each channel is treated by itself.
    channel_axis : int or None
        The axis of `image` that holds channels.

    Returns
    -------
    numpy.ndarray of float32
        The part of the pixels of the channel that are at most as bright, in (0, 1].

    Raises
    ------
    TypeError
        A dtype that is not real.
    ValueError
        A wrong shape or axis, values that are not finite.

    Notes
    -----
    **Cost**: one sort of each channel.

    Examples
    --------
    >>> from segkit import training
    >>> training.equalize([[0, 0, 10, 200]])
    array([[0.5 , 0.5 , 0.75, 1.  ]], dtype=float32)
    """
    values = _check.channels_last(image, channel_axis)
    _check.refuse_not_finite(values, "image")
    result = np.empty(values.shape, dtype=np.float32)
    for channel in range(values.shape[-1]):
        plane = values[..., channel]
        _, level, count = np.unique(plane, return_inverse=True, return_counts=True)
        share = np.cumsum(count) / max(plane.size, 1)
        result[..., channel] = share.astype(np.float32)[level.reshape(plane.shape)]
    return result[..., 0] if channel_axis is None else np.moveaxis(result, -1, channel_axis)


def whiten(image: Any, *, channel_axis: int | None = None) -> np.ndarray:
    """Return an image of mean 0 and standard deviation 1, each channel by itself.

    Parameters
    ----------
    image : array_like, (R, C), with one more axis if `channel_axis` is given
        Integers or floats, finite.
    channel_axis : int or None
        The axis of `image` that holds channels.

    Returns
    -------
    numpy.ndarray of float32
        A channel that is the same everywhere becomes 0.

    Raises
    ------
    TypeError
        A dtype that is not real.
    ValueError
        A wrong shape or axis, values that are not finite.

    Examples
    --------
    >>> from segkit import training
    >>> training.whiten([[3, 3, 5, 5]])
    array([[-1., -1.,  1.,  1.]], dtype=float32)
    """
    values = _check.channels_last(image, channel_axis)
    _check.refuse_not_finite(values, "image")
    if values.size == 0:
        result = values.astype(np.float32)
    else:
        axes = tuple(range(values.ndim - 1))
        centered = values - values.mean(axis=axes, dtype=np.float64)
        deviation = np.sqrt((centered**2).mean(axis=axes))
        result = (centered / np.where(deviation > 0, deviation, 1.0)).astype(np.float32)
    return result[..., 0] if channel_axis is None else np.moveaxis(result, -1, channel_axis)


def _sides(crop: Any) -> tuple[int, int]:
    if not isinstance(crop, (list, tuple, np.ndarray)) or len(crop) != 2:
        raise ValueError(f"`crop` must hold two sides in pixels, got {crop!r}")
    rows, columns = (_check.integer(side, "crop", low=1) for side in crop)
    return rows, columns


def _factors(scale: Any) -> tuple[float, float]:
    if not isinstance(scale, (list, tuple, np.ndarray)) or len(scale) != 2:
        raise ValueError(f"`scale` must hold two factors, got {scale!r}")
    low, high = (float(_check.number(factor, "scale", above=True)) for factor in scale)
    if low > high:
        raise ValueError(f"`scale` must hold the smaller factor first, got {scale!r}")
    return low, high


def _scaled(values: np.ndarray, marks: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Return both enlarged by `factor`: values linearly, or averaged; marks from the nearest."""
    import cv2

    rows, columns = (max(1, round(side * factor)) for side in marks.shape)
    how = cv2.INTER_LINEAR if factor > 1 else cv2.INTER_AREA
    planes = [
        cv2.resize(plane.astype(np.float64), (columns, rows), interpolation=how)
        for plane in np.moveaxis(values, -1, 0)
    ]
    nearest = np.ix_(
        *(
            ((np.arange(new) + 0.5) * old / new).astype(np.intp)
            for new, old in zip((rows, columns), marks.shape, strict=True)
        )
    )
    return _as_before(np.stack(planes, axis=-1), values.dtype), marks[nearest]


def _cut(
    values: np.ndarray,
    marks: np.ndarray,
    shape: tuple[int, ...],
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a part of both of the given shape, from a random place."""
    missing = [max(0, want - side) for want, side in zip(shape, marks.shape, strict=True)]
    if any(missing):
        around = [(lack // 2, lack - lack // 2) for lack in missing]
        values = np.pad(values, [*around, (0, 0)], mode="symmetric")
        marks = np.pad(marks, around)
    part = tuple(
        slice(start, start + want)
        for want, side in zip(shape, marks.shape, strict=True)
        for start in [int(random.integers(side - want + 1))]
    )
    return values[part], marks[part]


def _in_other_light(
    values: np.ndarray,
    random: np.random.Generator,
    *,
    brightness: float,
    contrast: float,
    noise: float,
) -> np.ndarray:
    if not (brightness or contrast or noise):
        return values
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        ends = np.iinfo(values.dtype)
        extent = float(ends.max - ends.min)
    else:
        extent = float(values.max()) - float(values.min())
    result = values.astype(np.float64)
    if contrast:
        middle = result.mean(axis=(0, 1))
        factor = np.exp(random.uniform(-1, 1) * np.log1p(contrast))
        result = middle + factor * (result - middle)
    if brightness:
        result += random.uniform(-brightness, brightness) * extent
    if noise:
        result += random.normal(0.0, noise * extent, size=result.shape)
    return _as_before(result, values.dtype)


def _as_before(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return float64 values in the image's own dtype, rounded and cut off if integers."""
    if dtype.kind == "f":
        return values.astype(dtype)
    if dtype.kind == "b":
        return values >= 0.5
    ends = np.iinfo(dtype)
    high = float(ends.max)
    if high > ends.max:  # 64 bits: the next double is beyond
        high = float(np.nextafter(high, 0))
    return np.clip(np.rint(values), float(ends.min), high).astype(dtype)
