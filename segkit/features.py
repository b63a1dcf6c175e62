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

from . import _check, _filters

FEATURES = _filters.FEATURES


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
        Which features, in the order in which their columns come; see Notes.
    sigmas : sequence of float > 0, in pixels
        Standard deviations of the Gaussians, for all features but the first three. All columns
        of one come before those of the next.
    channel_axis : int, optional
        The axis of channels. None: a one-channel image.

    Returns
    -------
    features : ndarray of float32, the spatial shape and then (p,)
        One column after the other. Infinite where a value exceeds float32.

    Raises
    ------
    TypeError
        For a dtype that is not real, names that are no words.
    ValueError
        For NaN or infinite values, values beyond 1e150, an unknown name, "lab" of other than
        three channels or of floats outside 0 to 1, a sigma out of range, a `channel_axis` outside
        the image.

    See Also
    --------
    segkit.KMeansSegmenter, segkit.KNNSegmenter : classify pixels by them.

    Notes
    -----
    For an image of `ndim` spatial dimensions and C channels:

    "intensity"
        The values themselves (C columns), in the units of the image.
    "lab"
        CIE Lab (D65, 2 degrees) of sRGB (3 columns): lightness 0 to 100, green to red and blue
        to yellow about -110 to 110. Integers count from 0 to the largest of their type,
        floats from 0 to 1.
    "position"
        The center of the pixel in percent of the longest side (ndim columns).
    "smooth"
        The values blurred (C columns for each sigma), in the units of the image.
    "gradient"
        The magnitude of the gradient, over all channels (1 for each sigma), in units of the
        image per pixel: that of `segkit.gradient`.
    "hessian"
        The eigenvalues of the second derivatives of the mean of the channels, largest first
        (ndim for each sigma), in units per squared pixel: negative across a bright ridge. The
        weights of a second derivative sum to 0: SciPy's, cut at four deviations, do so nearly.
    "structure"
        The eigenvalues of the structure tensor, largest first (ndim for each sigma), in squared
        units per squared pixel: products of derivatives summed over the channels, blurred by the
        same Gaussian. One large: an edge; all large: a corner.
    "local_std"
        The standard deviation under the Gaussian, the root of the variances summed over the
        channels (1 for each sigma), in the units of the image.
    "local_entropy"
        The entropy of the histogram of the mean of the channels under the Gaussian (1 for each
        sigma), in bits, of 16 equal levels: of 0 to 255 for uint8, else from the lowest to the
        highest value of the image.

    The image (and the products of "structure") is continued by its edge pixels. Gaussians
    end at four standard deviations. A pixel depends on those at most ``int(4 * sigma + 0.5)``
    away along each axis, for "structure" twice that. Computed in double, tile by tile, with
    as much around each tile: to the last bit what the whole image at once would give.

    **Ties**: none.

    **Cost**: O(pixels × columns × sigma), by SciPy's filters: per pixel and sigma of a gray
    image about 20 ns for "smooth", 40 for "gradient" and "local_std", 70 for "hessian",
    140 for "structure", 300 for "local_entropy". Beside the result a few tens of MB.
    Plain version: ``tests/reference/features.py``.

    Examples
    --------
    >>> import segkit
    >>> segkit.pixel_features([[1, 5]], ["intensity", "position"])
    array([[[ 1., 25., 25.],
            [ 5., 25., 75.]]], dtype=float32)
    """
    array = _check.channels_last(image, channel_axis)
    tiles, rows_of, n_columns = _tiled(array, names, sigmas)
    out = np.empty((*array.shape[:-1], n_columns), dtype=np.float32)
    for where in tiles:
        out[where] = rows_of(where).reshape(out[where].shape)
    return out


def _tiled(
    array: np.ndarray, names: Sequence[str], sigmas: Sequence[float]
) -> tuple[list[_filters.Where], Callable[[_filters.Where], np.ndarray], int]:
    """Return the tiles of an image with its channels last, what gives a tile's features, and p.

    The features of a tile have a row for each pixel, (n, p).
    """
    chosen, scales = _checked(array, names, sigmas)
    shape = array.shape[:-1]
    n_columns = len(_filters.columns(chosen, scales, array.shape[-1], len(shape)))
    source = _filters.Source.of(array, chosen)

    def rows_of(where: _filters.Where) -> np.ndarray:
        out = np.empty((*(part.stop - part.start for part in where), n_columns), np.float32)
        _filters.fill(source, chosen, scales, where, out)
        return out.reshape(-1, n_columns)

    return list(_filters.tiles(shape, _filters.halo(chosen, scales))), rows_of, n_columns


def _checked(
    array: np.ndarray, names: Sequence[str], sigmas: Sequence[float]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return names and sigmas; refuse what has no features, or not these."""
    chosen = _check.words(names, "names", FEATURES)
    scales = _check.sigmas(sigmas)
    _check.refuse_not_finite(array, "image")
    _check.refuse_huge(array, "image")
    if "lab" in chosen:
        if array.shape[-1] != 3:
            raise ValueError(f'`image` must have three channels for "lab", got {array.shape[-1]}')
        if array.dtype.kind == "f" and array.size and not 0 <= array.min() <= array.max() <= 1:
            raise ValueError('`image` must hold floats from 0 to 1 for "lab", got others')
    return chosen, scales
