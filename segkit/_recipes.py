"""Steps that pipelines share: smoothing, and one channel out of several."""

from __future__ import annotations

import numpy as np

from . import _check


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
