"""Steps that pipelines share: smoothing, one channel of several, colors as seen, lines, walls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import _check
from .graphs import RegionGraph


def smooth(image: np.ndarray, sigma: float, channel_axis: int | None = None) -> np.ndarray:
    """Return the image smoothed by a Gaussian along its spatial axes, float32."""
    from scipy.ndimage import gaussian_filter

    sigma = _check.sigma(sigma)
    values = image.astype(np.float32)
    sigmas = [sigma] * values.ndim
    if channel_axis is not None:
        sigmas[channel_axis] = 0.0
    return gaussian_filter(values, sigmas, truncate=3.0)


def lightness(image: np.ndarray, channel_axis: int | None) -> np.ndarray:
    """Return a one-channel image: luma of three channels, the mean of others."""
    if channel_axis is None:
        return image
    channels = np.moveaxis(image, channel_axis, -1).astype(np.float32)
    if channels.shape[-1] == 3:
        return channels @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return channels.mean(axis=-1)


def dark_lines(image: np.ndarray, sigma: float, length: float) -> np.ndarray:
    """Return how much darker a line through each pixel is than its two sides, in grey levels.

    The best of some directions, at least 0.  A line is as wide as a Gaussian of
    `sigma`, and averaged along itself by one of `length`, so that it is also seen
    where it fades for a while.  Lines lie in the plane of the last two axes.
    """
    import cv2

    shape = (1, *image.shape) if image.ndim == 1 else image.shape
    values = np.ascontiguousarray(image, dtype=np.float32).reshape(-1, *shape[-2:])
    best = np.zeros(values.shape, dtype=np.float32)
    for kernel in _line_kernels(sigma, length):
        for plane, found in zip(values, best, strict=True):
            response = cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REFLECT)
            np.maximum(found, response, out=found)
    return best.reshape(image.shape)


def _line_kernels(sigma: float, length: float, n_directions: int = 12) -> Iterator[np.ndarray]:
    """Yield second derivatives across a line, smoothed along it, one for each direction."""
    half = int(np.ceil(3 * max(sigma, length)))
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1]
    for angle in np.pi * np.arange(n_directions) / n_directions:
        across = (columns * np.cos(angle) + rows * np.sin(angle)) / sigma
        along = (rows * np.cos(angle) - columns * np.sin(angle)) / length
        kernel = (across**2 - 1) * np.exp(-(across**2 + along**2) / 2)
        kernel -= kernel.mean()  # none on even ground
        yield (kernel / np.maximum(kernel, 0).sum()).astype(np.float32)


def dark_walls(image: np.ndarray, sigma: float, where: np.ndarray) -> np.ndarray:
    """Return how sharply light rises to both sides of a dark wall, 0 outside `where`, float32.

    It is the largest eigenvalue of the second derivatives of a Gaussian of `sigma`,
    times sigma squared, at least 0: grey levels, in any direction and dimension.
    What is dark and wide has none inside.
    """
    from scipy.ndimage import gaussian_filter

    n, values = image.ndim, image.astype(np.float32)
    second = np.empty((np.count_nonzero(where), n, n), dtype=np.float32)
    for one in range(n):
        for two in range(one, n):
            order = np.bincount([one, two], minlength=n).tolist()
            found = gaussian_filter(values, sigma, order=order)[where]
            second[:, one, two] = second[:, two, one] = sigma * sigma * found
    walls = np.zeros(image.shape, dtype=np.float32)
    walls[where] = np.maximum(np.linalg.eigvalsh(second)[:, -1], 0)
    return walls


def contact_share(graph: RegionGraph, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return how much of the border of either region the contact of u and v is at most, above 0.

    Two halves of one thing share much of the smaller one's border, two things that
    merely touch share little.
    """
    return graph.faces / np.minimum(graph.perimeter[u], graph.perimeter[v])


def perceived(
    image: np.ndarray, channel_axis: int | None, *, lightness_weight: float
) -> np.ndarray:
    """Return the image as the eye weighs it, channels last: CIE L*a*b* for three channels.

    Distances on it are closer to what people take for different than distances in
    RGB; and closer still with lightness counting less than color, since shading
    changes the one more than the other.  What has no colors is returned as it is.
    """
    if channel_axis is None:
        return image[..., np.newaxis].astype(np.float32)
    channels = np.moveaxis(image, channel_axis, -1)
    if channels.shape[-1] != 3:
        return channels.astype(np.float32)
    from skimage.color import rgb2lab

    lab = rgb2lab(channels.astype(np.float32) / 255)
    return lab * np.array([lightness_weight, 1, 1], dtype=np.float32)
