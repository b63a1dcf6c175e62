"""Features: what a pixel looks like, and what it looks like around it, as a vector.

Classification takes each pixel by itself.  All that it knows of the neighborhood is
what the vector says: gray levels or color, the same blurred (what is around), the
gradient (how steep), the eigenvalues of the second derivatives (ridge, blob or saddle)
and of the structure tensor (edge, corner or flat), the local spread and entropy (how
rough).  Several scales, because texture has a size.  The position lets neighbors
stay together, and lets sky be above.

Limits.  Distances between vectors add up whatever the units are: position in percent
of the longest side and color in CIE Lab are made to be comparable, derivatives of a
16-bit image are not.  Scale the columns, or take a classifier that does not mind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from . import _check

FEATURES = ("intensity", "lab", "position", "smooth")


def pixel_features(
    image: ArrayLike,
    names: Sequence[str] = ("intensity",),
    *,
    sigmas: Sequence[float] = (1.0, 2.0, 4.0),
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return a vector of features for each pixel.

    Parameters
    ----------
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        Real, of 1 to 4 spatial dimensions, without NaN or infinite values.
    names : sequence of str
        Which features, in the order in which their columns come. For an image of `ndim`
        spatial dimensions and C channels:
        "intensity": the values themselves, in the units of the image (C columns).
        "lab": CIE Lab (D65) of the sRGB colors red, green, blue (3 columns): lightness 0 to
        100, green to red and blue to yellow about -110 to 110. Integers count from 0 to the
        largest of their type, floats from 0 to 1.
        "position": the center of the pixel in percent of the longest side (ndim columns).
        "smooth": the values blurred by a Gaussian (C columns for each of `sigmas`).
    sigmas : sequence of float > 0, in pixels
        Standard deviations of the Gaussians.
    channel_axis : int, optional
        The axis of channels. None: a one-channel image.

    Returns
    -------
    features : ndarray of float32, the spatial shape and then (p,)
        One column after the other.

    Raises
    ------
    TypeError
        For a dtype that is not real, names that are no words.
    ValueError
        For NaN or infinite values, an unknown name, "lab" of other than three channels or of
        floats outside 0 to 1, a sigma out of range, a `channel_axis` outside the image.

    Notes
    -----
    The image is continued by its edge pixels.

    **Ties**: none.

    **Cost**: O(pixels × columns × sigma), by SciPy's filters.
    Plain version: ``tests/reference/features.py``.

    Examples
    --------
    >>> import segkit
    >>> segkit.pixel_features([[1, 5]], ["intensity", "position"])
    array([[[ 1., 25., 25.],
            [ 5., 25., 75.]]], dtype=float32)
    """
    array = _check.channels_last(image, channel_axis)
    chosen = _check.words(names, "names", FEATURES)
    scales = _check.sigmas(sigmas)
    _check.refuse_not_finite(array, "image")
    if "lab" in chosen:
        _refuse_no_color(array)
    if array.size == 0:
        return np.zeros((*array.shape[:-1], len(_columns(array, chosen, scales))), "f4")
    parts = [_COMPUTE[name](array, scales) for name in chosen]
    return np.concatenate(parts, axis=-1, dtype=np.float32, casting="same_kind")


def _refuse_no_color(array: np.ndarray) -> None:
    """Refuse an image that is not red, green and blue."""
    if array.shape[-1] != 3:
        raise ValueError(f'`image` must have three channels for "lab", got {array.shape[-1]}')
    if array.dtype.kind == "f" and array.size and not 0 <= array.min() <= array.max() <= 1:
        raise ValueError('`image` must hold floats from 0 to 1 for "lab", got others')


def _columns(array: np.ndarray, names: Sequence[str], sigmas: Sequence[float]) -> list[str]:
    """Return a name for each column of the features of an image with its channels last."""
    n_channels, ndim = array.shape[-1], array.ndim - 1
    columns: list[str] = []
    for name in names:
        if name == "intensity":
            columns += [f"intensity {c}" for c in range(n_channels)]
        elif name == "lab":
            columns += ["lab L", "lab a", "lab b"]
        elif name == "position":
            columns += [f"position {axis}" for axis in range(ndim)]
        elif name == "smooth":
            columns += [f"smooth {c}, sigma {s:g}" for s in sigmas for c in range(n_channels)]
    return columns


def _intensity(array: np.ndarray, sigmas: Sequence[float]) -> np.ndarray:
    """Return the values themselves."""
    return array.astype(np.float32)


def _lab(array: np.ndarray, sigmas: Sequence[float]) -> np.ndarray:
    """Return CIE Lab of sRGB."""
    from skimage.color import rgb2lab

    values = array.astype(np.float32)
    if array.dtype.kind in "iu":
        values /= np.float32(np.iinfo(array.dtype).max)
    return rgb2lab(values.clip(0, 1)).astype(np.float32, copy=False)


def _position(array: np.ndarray, sigmas: Sequence[float]) -> np.ndarray:
    """Return the centers of pixels in percent of the longest side."""
    shape = array.shape[:-1]
    places = np.indices(shape, dtype=np.float32)
    return np.moveaxis((places + 0.5) * np.float32(100 / max(shape)), 0, -1)


def _smooth(array: np.ndarray, sigmas: Sequence[float]) -> np.ndarray:
    """Return the image blurred at each scale."""
    from scipy import ndimage

    wide = array.astype(np.float32)
    axes = tuple(range(array.ndim - 1))
    blurred = [ndimage.gaussian_filter(wide, sigma, mode="nearest", axes=axes) for sigma in sigmas]
    return np.concatenate(blurred, axis=-1)


_COMPUTE: dict[str, Callable[[np.ndarray, Sequence[float]], np.ndarray]] = {
    "intensity": _intensity,
    "lab": _lab,
    "position": _position,
    "smooth": _smooth,
}
