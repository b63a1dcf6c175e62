"""Every check of an argument, and every message.

Public functions call these before any work.  A message names the argument in
back quotes, says what is accepted and what came.  Wrong type or dtype:
TypeError.  Wrong value, shape, size or combination: ValueError.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

MAX_NDIM = 4
MAX_SIGMA = 10_000  # pixels; the work grows with it, not with the image
LARGEST = 1e150  # its square still fits a double
_EXACT = 1 << 53  # integers up to here are doubles
_ACCEPTED = "bool, integers, float16/32/64"


def as_array(value: Any, name: str) -> np.ndarray:
    """Return `value` as an array of a real type with 1 to MAX_NDIM + 1 axes."""
    if value is None:
        raise TypeError(f"`{name}` must be an array, got None")
    if hasattr(value, "toarray") and not isinstance(value, np.ndarray):
        raise TypeError(f"`{name}` must be a dense array, got a sparse one: pass its `.toarray()`")
    try:
        array = np.asarray(value)
    except ValueError as error:  # a ragged list
        raise ValueError(f"`{name}` must be a rectangular array: {error}") from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(f"`{name}` has dtype {array.dtype}; accepted: {_ACCEPTED}")
    if array.ndim == 0:
        raise ValueError(f"`{name}` must be an array of 1 to {MAX_NDIM} dimensions, got a scalar")
    return array


def image(
    value: Any,
    name: str = "image",
    *,
    nan: bool = False,
    inf: bool = True,
    inside: np.ndarray | None = None,
) -> np.ndarray:
    """Return a one-channel image: real, 1 to MAX_NDIM dimensions.

    With `nan` or `inf` False such values are refused, but only where `inside`.
    """
    array = as_array(value, name)
    if array.ndim > MAX_NDIM:
        raise ValueError(
            f"`{name}` must have 1 to {MAX_NDIM} dimensions, got {array.ndim}"
            + channel_hint(array.shape)
        )
    refuse_not_finite(array, name, nan=nan, inf=inf, inside=inside)
    return array


def refuse_not_finite(
    array: np.ndarray,
    name: str,
    *,
    nan: bool = False,
    inf: bool = False,
    inside: np.ndarray | None = None,
) -> None:
    """Refuse NaN unless `nan`, infinities unless `inf`, looking only where `inside`.

    `inside` has the spatial shape; `array` may have channels behind.
    """
    if array.dtype.kind != "f" or (nan and inf) or array.size == 0:
        return
    for accepted, test, what in (
        (nan, np.isnan, "NaN"),
        (inf, np.isinf, "infinite values"),
    ):
        if accepted:
            continue
        # One pass without a temporary: the sum is not finite if any value is not.
        with np.errstate(all="ignore"):
            if np.isfinite(np.add.reduce(array, axis=None, dtype=np.float64)):
                return
        found = test(array)
        if inside is not None:
            found = found[inside]
        if found.any():
            raise ValueError(
                f"`{name}` must not hold {what}, got {int(np.count_nonzero(found))} such value(s)"
            )


def refuse_huge(array: np.ndarray, name: str) -> None:
    """Refuse finite floats whose squares exceed a double."""
    if array.dtype.kind != "f" or array.dtype.itemsize < 8 or array.size == 0:
        return
    largest = max(-float(array.min()), float(array.max()))
    if largest > LARGEST:
        raise ValueError(
            f"`{name}` must hold values up to {LARGEST:g}, whose squares fit a double, "
            f"got {largest:g}"
        )


def refuse_inexact(array: np.ndarray, name: str) -> None:
    """Refuse integers that a double may not hold exactly."""
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8 or array.size == 0:
        return
    largest = max(-int(array.min()), int(array.max()))
    if largest > _EXACT:
        raise ValueError(
            f"`{name}` must hold integers up to 2**53, because distances are taken in double, "
            f"got {largest}"
        )


def channels_last(value: Any, channel_axis: Any, name: str = "image") -> np.ndarray:
    """Return an image with its channels last; one channel when `channel_axis` is None.

    The result has the spatial axes, then one of channels.
    """
    array = as_array(value, name)
    if channel_axis is None:
        array = array[..., np.newaxis]
    else:
        axis = integer(channel_axis, "channel_axis")
        if not -array.ndim <= axis < array.ndim:
            raise ValueError(
                f"`channel_axis` must be an axis of `{name}`, which has {array.ndim} "
                f"dimension(s), got {axis}"
            )
        array = np.moveaxis(array, axis, -1)
        if array.shape[-1] == 0:
            raise ValueError(f"`{name}` must have at least one channel along `channel_axis`")
    if not 1 <= array.ndim - 1 <= MAX_NDIM:
        raise ValueError(
            f"`{name}` must have 1 to {MAX_NDIM} spatial dimensions, got {array.ndim - 1}"
            + ("" if channel_axis is not None else channel_hint(array.shape[:-1]))
        )
    return array


def channel_hint(shape: tuple[int, ...]) -> str:
    """Return a sentence about channel_axis when the last axis looks like one of channels."""
    if len(shape) >= 3 and shape[-1] <= 4:
        return "; for an image with channels pass channel_axis=-1"
    return ""


def same_shape(
    array: np.ndarray, name: str, shape: tuple[int, ...], like: str, *, hint: bool = True
) -> None:
    """Refuse an array whose shape differs from that of `like`."""
    if array.shape != shape:
        text = f"`{name}` has shape {array.shape}, `{like}` has shape {shape}: they must be equal"
        if hint and array.ndim == len(shape) - 1 and array.shape == shape[:-1]:
            text += f"; if the last axis of `{like}` holds channels, pass channel_axis=-1"
        raise ValueError(text)


def probabilities(
    value: Any, name: str = "proba", *, inside: np.ndarray | None = None
) -> np.ndarray:
    """Return class probabilities, classes last: finite and not negative where `inside`."""
    array = as_array(value, name)
    if not 2 <= array.ndim <= MAX_NDIM + 1:
        raise ValueError(
            f"`{name}` must have 1 to {MAX_NDIM} spatial dimensions and a last one of classes, "
            f"got {array.ndim} dimension(s)"
        )
    if array.shape[-1] == 0:
        raise ValueError(f"`{name}` must have at least one class along its last axis")
    if inside is not None:
        shape_of_proba(inside, "mask", array.shape)
    refuse_not_finite(array, name, inside=inside)
    within = array if inside is None else array[inside]
    if within.size and within.min() < 0:
        raise ValueError(f"`{name}` must hold numbers >= 0, got {within.min():g}")
    return array


def shape_of_proba(array: np.ndarray, name: str, proba: tuple[int, ...]) -> None:
    """Refuse an array that has not the shape of `proba` without its last axis."""
    if array.shape != proba[:-1]:
        raise ValueError(
            f"`{name}` has shape {array.shape}, `proba` has shape {proba}: "
            "they must be equal but for the last axis, of classes"
            + (channel_hint(array.shape) if array.ndim == len(proba) else "")
        )


def labels(value: Any, name: str = "labels", *, negative: bool = False) -> np.ndarray:
    """Return a label image: integers (bool counts as 0 and 1), none below 0."""
    array = as_array(value, name)
    if array.dtype.kind == "f":
        raise TypeError(f"`{name}` must hold integers, got dtype {array.dtype}")
    if array.ndim > MAX_NDIM:
        raise ValueError(f"`{name}` must have 1 to {MAX_NDIM} dimensions, got {array.ndim}")
    if not negative and array.dtype.kind == "i" and array.size:
        lowest = int(array.min())
        if lowest < 0:
            raise ValueError(f"`{name}` must hold ids >= 0, got {lowest}")
    return array


def largest_label(array: np.ndarray, name: str = "labels") -> int:
    """Return the largest id; refuse one that does not fit a signed 64-bit integer."""
    largest = int(array.max()) if array.size else 0
    if largest > np.iinfo(np.int64).max:
        raise ValueError(f"`{name}` must hold ids below 2**63, got {largest}")
    return largest


def truths(
    value: Any,
    shape: tuple[int, ...],
    name: str = "truth",
    *,
    maps: bool = False,
    like: str = "test",
) -> list[np.ndarray]:
    """Return the annotations of an image: one, a sequence of them, or a stack along the first axis.

    `value` is one annotation if it has as many axes as `shape`, and several if it
    has one more.  Each is a label image, or with `maps` a map of bool.
    """
    several = list(value) if _depth(value) == len(shape) + 1 else [value]
    if not several or (isinstance(value, (list, tuple)) and not value):
        raise ValueError(f"`{name}` must hold at least one annotation, got none")
    checked = [labels(one, name) for one in several]
    for k, array in enumerate(checked):
        same_shape(array, name, shape, like, hint=False)
        if maps:
            checked[k] = np.asarray(mask(array, shape, like, name))
    return checked


def _depth(value: Any) -> int:
    """Return the number of axes of an array, or of nested sequences down to their first items."""
    if isinstance(value, (list, tuple)):
        return 1 + (_depth(value[0]) if value else 0)
    return np.ndim(value)


def listed(value: Any, name: str) -> list[Any]:
    """Return a sequence of at least one item as a list."""
    if not isinstance(value, (list, tuple, np.ndarray)) or _depth(value) == 0:
        raise TypeError(f"`{name}` must be a sequence, got {_shown(value)}")
    if len(value) == 0:
        raise ValueError(f"`{name}` must hold at least one item, got none")
    return list(value)


def table(
    value: Any, name: str, axes: Sequence[str], *, integers: bool = False, empty: bool = False
) -> np.ndarray:
    """Return finite numbers with one axis for each of `axes`; with `empty` the last may be."""
    array = as_array(value, name)
    sides = array.shape[:-1] if empty else array.shape
    if array.ndim != len(axes) or 0 in sides:
        raise ValueError(
            f"`{name}` must have the axes ({', '.join(axes)}), none empty, got shape {array.shape}"
        )
    if integers and array.dtype.kind not in "iu":
        raise TypeError(f"`{name}` must hold integers, got dtype {array.dtype}")
    refuse_not_finite(array, name)
    return array.astype(np.int64 if integers else np.float64)


def mask(
    value: Any, shape: tuple[int, ...], like: str, name: str = "mask", *, hint: str = ""
) -> np.ndarray | None:
    """Return a mask as bool, or None: bool or integers 0 and 1, of the given shape."""
    if value is None:
        return None
    array = as_array(value, name)
    if array.dtype.kind == "f":
        raise TypeError(f"`{name}` must be bool (or 0 and 1), got dtype {array.dtype}")
    same_shape(array, name, shape, like)
    if array.dtype != np.bool_:
        if array.size and (array.min() < 0 or array.max() > 1):
            raise ValueError(f"`{name}` must be bool (or 0 and 1), got other values{hint}")
        array = array.astype(bool)
    return array


def integer(
    value: Any,
    name: str,
    *,
    low: int | None = None,
    high: int | None = None,
) -> int:
    """Return an integer parameter: 3 or 3.0, not True or 2.5."""
    if type(value) is int and (low is None or low <= value) and (high is None or value <= high):
        return value  # nearly always; a message that nobody reads costs more than a small image
    what = "an integer"
    if low is not None and high is not None:
        what += f" from {low} to {high}"
    elif low is not None:
        what += f" >= {low}"
    value = _scalar(value)
    wanted = f"`{name}` must be {what}, got {_shown(value)}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(wanted)
    if not isinstance(value, numbers.Rational) and not math.isfinite(value):
        raise ValueError(wanted)
    number_: Any = math.trunc(value)
    if value != number_:
        raise TypeError(wanted)
    if (low is not None and number_ < low) or (high is not None and number_ > high):
        raise ValueError(wanted)
    return number_


def number(
    value: Any,
    name: str,
    *,
    low: float | None = 0.0,
    above: bool = False,
    infinite: bool = False,
) -> float | int:
    """Return a finite number >= low (> low if `above`); integers stay exact integers.

    What comes back always fits a double: 10**400 counts as infinite.
    """
    if type(value) is float and low is not None and low < value < math.inf:
        return value
    what = "a number" if infinite else "a finite number"
    if low is not None:
        what += f" {'>' if above else '>='} {low:g}"
    value = _scalar(value)
    wanted = f"`{name}` must be {what}, got {_shown(value)}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(wanted)
    try:
        as_float = float(value)
    except OverflowError:
        raise ValueError(wanted) from None
    if math.isnan(as_float) or (math.isinf(as_float) and not infinite):
        raise ValueError(wanted)
    result = int(value) if isinstance(value, numbers.Integral) else as_float
    if low is not None and (result < low or (above and result == low)):
        raise ValueError(wanted)
    return result


def between(value: Any, name: str, low: float, high: float) -> float:
    """Return a number from low to high."""
    result = number(value, name, low=None)
    if not low <= result <= high:
        raise ValueError(f"`{name}` must be a number from {low:g} to {high:g}, got {_shown(value)}")
    return float(result)


def _scalar(value: Any) -> Any:
    """Return a NumPy scalar or 0-D array as the Python number it holds."""
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        return value.item()
    return value


def _shown(value: Any) -> str:
    """Return `value` as it stands in a message: its repr, cut where it gets long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = f"{type(value).__name__} of very many digits"
    return text if len(text) <= 60 else text[:57] + "..."


def connectivity(value: Any, ndim: int) -> int:
    """Return how many axes a step to a neighbor may change, 1 to ndim."""
    return integer(value, "connectivity", low=1, high=ndim)


def choice(value: Any, name: str, accepted: Sequence[str]) -> str:
    """Return one of a list of words."""
    words = ", ".join(f'"{word}"' for word in accepted)
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be one of {words}, got {_shown(value)}")
    if value not in accepted:
        raise ValueError(f"`{name}` must be one of {words}, got {_shown(value)}")
    return value


def words(value: Any, name: str, accepted: Sequence[str]) -> tuple[str, ...]:
    """Return a sequence of words, each from a list of them; at least one."""
    if isinstance(value, str) or not isinstance(value, (list, tuple, np.ndarray)):
        raise TypeError(f"`{name}` must be a sequence of words, got {_shown(value)}")
    if len(value) == 0:
        raise ValueError(f"`{name}` must hold at least one word, got none")
    return tuple(choice(word, name, accepted) for word in value)


def jobs(value: Any) -> int:
    """Return a number of threads: an integer >= 1, or -1 for one on each core."""
    result = integer(value, "n_jobs", low=-1)
    if result == 0:
        raise ValueError("`n_jobs` must be an integer >= 1, or -1 for all cores, got 0")
    return result


def enough_pixels(n: int, n_classes: int) -> None:
    """Refuse an image of fewer pixels than classes."""
    if n < n_classes:
        raise ValueError(
            f"`n_classes` must be at most the number of pixels (inside the mask), {n}, "
            f"got {n_classes}"
        )


def sigma(value: Any, name: str = "sigma", *, above: bool = False) -> float:
    """Return the standard deviation of a Gaussian in pixels, small enough to be sampled."""
    result = float(number(value, name, above=above))
    if result > MAX_SIGMA:
        raise ValueError(
            f"`{name}` must be a number of pixels from 0 to {MAX_SIGMA}, got {_shown(value)}"
        )
    return result


def sigmas(value: Any, name: str = "sigmas") -> tuple[float, ...]:
    """Return the standard deviations of several Gaussians in pixels, all above 0."""
    return tuple(sigma(one, name, above=True) for one in listed(value, name))


def spacing(value: Any, ndim: int) -> np.ndarray:
    """Return the pixel size along each axis; None means 1."""
    if value is None:
        return np.ones(ndim)
    wanted = f"`spacing` must hold {ndim} finite number(s) > 0, got {_shown(value)}"
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(wanted) from None
    if array.dtype.kind not in "iuf":
        raise TypeError(wanted)
    if array.shape != (ndim,) or not np.isfinite(array).all() or (array <= 0).any():
        raise ValueError(wanted)
    return array.astype(np.float64)


def shape(value: Any, name: str, *, least: int = 1) -> tuple[int, ...]:
    """Return the sides of an array to be made, of `least` to MAX_NDIM dimensions."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise TypeError(f"`{name}` must be a sequence of sides, got {_shown(value)}")
    if not least <= len(value) <= MAX_NDIM:
        raise ValueError(f"`{name}` must hold {least} to {MAX_NDIM} sides, got {_shown(value)}")
    return tuple(integer(side, f"{name}[{k}]", low=0) for k, side in enumerate(value))


def path(value: Any, name: str) -> Path:
    """Return a path that is given as one, or as a str."""
    if not isinstance(value, (str, os.PathLike)) or isinstance(os.fspath(value), bytes):
        raise TypeError(f"`{name}` must be a str or a path, got {_shown(value)}")
    return Path(value)


def generator(value: Any) -> np.random.Generator:
    """Return a random generator from an int >= 0 or a Generator."""
    if isinstance(value, np.random.Generator):
        return value
    return np.random.default_rng(integer(value, "rng", low=0))
