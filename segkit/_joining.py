"""Merging pixels directly, without splitting first: two methods that sort the edges.

Every pixel starts as a region, and the edges between neighbors are taken once, weakest
first.  Both methods ask of each edge whether the two regions it connects are one, and
never look back, which is why they are quick.

Felzenszwalb and Huttenlocher compare the edge with the strongest edge that already lies
inside either region.  A region that is uneven inside tolerates uneven neighbors; small
regions tolerate more, by `scale` over their size.

Nock and Nielsen compare the means of the regions, and how far means of so many samples
may lie apart by chance.  Large regions must agree well, small ones hardly at all.

Limits.  Both decide in the order of the edges: a wrong union early on stays.
Felzenszwalb's regions run along gradients and edges (thin regions along strong edges are
typical); statistical merging joins regions whose means agree though their textures
differ.
"""

from __future__ import annotations

from math import log, prod, sqrt

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.join_edges import join_by_means, join_small, join_within_limits, number_sets

from . import _check, _dtypes
from ._pixel_edges import PixelEdges, sorted_edges

_LARGEST_SPAN = 1e150  # whose square is a float64
_SQUARES_FIT = 1e18  # float32
_GREY = 256  # levels of the images that both methods were made for


def felzenszwalb(
    image: ArrayLike,
    *,
    scale: float,
    min_size: int = 20,
    sigma: float = 0.8,
    connectivity: int | None = None,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Join pixels where the edge between regions is weak beside the edges inside them.

    Parameters
    ----------
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        Real and finite, of 1 to 4 spatial dimensions.
    scale : float >= 0, in grey levels times pixels
        Larger: larger regions.  A region of n pixels tolerates edges that are `scale` / n
        stronger than those inside it.
    min_size : int >= 0, in pixels
        Smaller regions are then joined to a neighbor, along the weakest edges.
    sigma : float >= 0, in pixels
        The image is smoothed first by a Gaussian of this standard deviation.
    connectivity : int, optional
        How many axes a step to a neighbor may change; None: ``min(2, ndim)``.
    channel_axis : int, optional
        The axis of channels.  None: the image has one channel.

    Returns
    -------
    labels : int32 array of the spatial shape
        Regions 1..n in raster order of their first pixel; every pixel has one.  int64
        for very large images.

    Raises
    ------
    TypeError
        For a dtype that is not real.
    ValueError
        For NaN or infinite values, and arguments out of range.

    See Also
    --------
    segkit.statistical_region_merging : compares means instead of edges.

    Notes
    -----
    The weight of an edge is the Euclidean distance of its two pixels' values after
    smoothing, in grey levels: for an image from 0 to 1 `scale` is 255 times smaller than
    for the same image from 0 to 255.  For integer images that span less than 256 levels
    weights are rounded down to 12 significant bits; for others they are float32 (16 bits,
    float32) or float64.

    scikit-image scales images to 0..1 and divides its `scale` by 255, which comes to the
    same for 8-bit images, though not for float images beyond 0..1.  It joins regions only
    where an edge is weaker than the limit, not equal to it, repeats the border in another
    way when smoothing, and leaves the order of equal edges open.

    **Ties**: Edges of equal weight are taken in raster order of their first pixel, then of
    their second.

    **Cost**: O(pixels × neighbors) time, nearly; about 10 bytes per pixel and neighbor
    that follows it (4 of 8 in 2-D), up to twice that for images that are not rounded.

    Kernels: ``segkit_ext/pixel_edges.pyx``, ``segkit_ext/join_edges.pyx``.  Plain version:
    ``tests/reference/joining.py``.

    References
    ----------
    .. [1] P. F. Felzenszwalb, D. P. Huttenlocher, "Efficient graph-based image
       segmentation", International Journal of Computer Vision 59(2), 2004,
       :doi:`10.1023/B:VISI.0000022288.19776.77`.

    Examples
    --------
    >>> import segkit
    >>> segkit.felzenszwalb([0, 1, 0, 9, 9, 8], scale=2, min_size=1, sigma=0)
    array([1, 1, 1, 2, 2, 2], dtype=int32)
    """
    values = _check.channels_last(image, channel_axis)
    _check.refuse_not_finite(values, "image")
    ndim = values.ndim - 1
    allowance = float(_check.number(scale, "scale"))
    least = _check.integer(min_size, "min_size", low=0)
    sigma = _check.sigma(sigma)
    steps = min(2, ndim) if connectivity is None else _check.connectivity(connectivity, ndim)
    if values.size == 0:
        return np.zeros(values.shape[:-1], dtype=np.int32)

    planes, few = _planes(values)
    most = 255 * sqrt(len(planes)) if few else None
    if sigma > 0:
        from scipy import ndimage

        for plane in planes:
            ndimage.gaussian_filter(plane, sigma, output=plane, mode="nearest")
    edges = sorted_edges(planes, steps, largest=False, most=most)
    parent, size = _pixels(edges, prod(values.shape[:-1]))
    limit = np.full(len(parent), allowance)
    n = join_within_limits(
        edges.edges, edges.ends, edges.keys, edges.offsets, edges.shift, allowance,
        parent, size, limit,
    )  # fmt: skip
    return _finish(edges, n, least, parent, size, values.shape[:-1])


def statistical_region_merging(
    image: ArrayLike,
    *,
    complexity: float = 32,
    min_size: int = 1,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Join regions whose means differ by no more than chance explains.

    Parameters
    ----------
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        Real and finite, of 1 to 4 spatial dimensions.
    complexity : float > 0
        How many independent random sources a pixel is the sum of (Q in the paper): larger
        gives more and smaller regions.
    min_size : int >= 0, in pixels
        Smaller regions are then joined to a neighbor, along the weakest edges.
    channel_axis : int, optional
        The axis of channels.  None: the image has one channel.

    Returns
    -------
    labels : int32 array of the spatial shape
        Regions 1..n in raster order of their first pixel; every pixel has one.  int64
        for very large images.

    Raises
    ------
    TypeError
        For a dtype that is not real.
    ValueError
        For NaN or infinite values, and arguments out of range.

    See Also
    --------
    segkit.felzenszwalb : compares edges instead of means.

    Notes
    -----
    Neighbors share a face.  Their edges are sorted by the largest difference of a channel.
    Two regions of n pixels are joined if in every channel the square of the difference of
    their means is at most b(n1) + b(n2), where for an image of N pixels and g = 256 levels
    b(n) = g² / (2 Q n) · (min(n, g) ln(n + 1) + ln(6 N²)).

    The method counts grey levels.  Integers that span less than 256 are taken as they are;
    other integers, and all floats, are stretched so that the least is 0 and the largest
    255.

    **Ties**: Edges of equal difference are taken in raster order of their first pixel,
    then of their second.

    **Cost**: O(pixels × neighbors) time, nearly; about 40 bytes per pixel in 2-D and 8 per
    channel.

    Kernels: ``segkit_ext/pixel_edges.pyx``, ``segkit_ext/join_edges.pyx``.  Plain version:
    ``tests/reference/joining.py``.

    References
    ----------
    .. [1] R. Nock, F. Nielsen, "Statistical region merging", IEEE PAMI 26(11), 2004,
       :doi:`10.1109/TPAMI.2004.110`.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> image = np.repeat([[30, 35, 200, 190]], 50, axis=0).repeat(20, axis=1)
    >>> labels = segkit.statistical_region_merging(image)
    >>> labels.max(), labels[0, ::20]
    (np.int32(2), array([1, 1, 2, 2], dtype=int32))
    """
    values = _check.channels_last(image, channel_axis)
    _check.refuse_not_finite(values, "image")
    sources = float(_check.number(complexity, "complexity", above=True))
    least = _check.integer(min_size, "min_size", low=0)
    if values.size == 0:
        return np.zeros(values.shape[:-1], dtype=np.int32)

    planes, few = _planes(values)
    levels = float(_GREY)
    if not few or values.dtype.kind == "f":
        levels *= (float(planes.max()) - float(planes.min())) / (_GREY - 1)
    edges = sorted_edges(planes, 1, largest=True, most=255.0 if few else None)
    n_pixels = prod(values.shape[:-1])
    parent, size = _pixels(edges, n_pixels)
    sums = np.ascontiguousarray(planes.reshape(len(planes), n_pixels).T, dtype=np.float64)
    factor = levels / sources * levels / 2
    constant = log(6) + 2 * log(n_pixels)
    doubts = np.full(n_pixels, factor * (log(2.0) + constant))
    n = join_by_means(
        edges.edges, edges.offsets, edges.shift, float(_GREY), factor, constant,
        parent, size, sums, doubts,
    )  # fmt: skip
    return _finish(edges, n, least, parent, size, values.shape[:-1])


def _planes(values: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return the channels one after the other as floats, less the least value of all.

    Float32 where that is exact.  The second result tells whether they are integers below
    256, whatever their type.
    """
    kernel = _dtypes.kernel_values(values)
    low = kernel.min()
    few = False
    if kernel.dtype.kind == "f":
        span = float(kernel.max()) - float(low)
        if span > _LARGEST_SPAN:
            raise ValueError(
                f"`image` must span less than {_LARGEST_SPAN:g}, got values from {low} to "
                f"{kernel.max()}"
            )
        dtype = kernel.dtype if span < _SQUARES_FIT else np.dtype(np.float64)
        distance = np.subtract(kernel, low, dtype=dtype)
    else:
        unsigned = f"u{kernel.dtype.itemsize}"
        distance = kernel.view(unsigned) - low.view(unsigned)  # wraps around to what is right
        most = int(distance.max())
        few = most < _GREY
        dtype = np.dtype(np.float32 if most < 1 << 16 else np.float64)
    planes = np.empty((distance.shape[-1], *distance.shape[:-1]), dtype=dtype)
    planes[...] = np.moveaxis(distance, -1, 0)
    return planes, few


def _pixels(edges: PixelEdges, n_pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the parent and the size of every pixel as a region of its own."""
    dtype = edges.edges.dtype
    return np.arange(n_pixels, dtype=dtype), np.ones(n_pixels, dtype=dtype)


def _finish(
    edges: PixelEdges,
    n_left: int,
    min_size: int,
    parent: np.ndarray,
    size: np.ndarray,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Join what is too small and return the labels."""
    if min_size > 1:
        join_small(
            edges.edges[:n_left], edges.offsets, edges.shift, min(min_size, prod(shape)),
            parent, size,
        )  # fmt: skip
    labels = np.empty(prod(shape), dtype=parent.dtype)
    number_sets(parent, labels)
    return labels.reshape(shape).astype(_dtypes.label_dtype(prod(shape)), copy=False)
