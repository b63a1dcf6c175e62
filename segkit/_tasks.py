"""Pipelines for one kind of thing each: nuclei, membranes, what scribbles mark.

Where the pipelines for photographs divide a picture into like regions, these
know what they look for, and leave the rest without a label or on its side.
"""

from __future__ import annotations

import numpy as np

from ._recipes import lightness, smooth
from .flooding import watershed
from .labels import remove_small
from .relief import gradient

# The first line of each docstring is what the page says of it.


def nuclei(
    image: np.ndarray,
    *,
    sigma: float = 1.0,
    depth: float = 1.0,
    min_size: int = 30,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Find blobs on a ground, and part those that touch by their distance to the ground."""
    from scipy.ndimage import distance_transform_edt
    from skimage.filters import threshold_otsu

    smoothed = smooth(lightness(image, channel_axis), sigma)
    bright = smoothed > threshold_otsu(smoothed)
    blobs = bright if bright.mean() <= 0.5 else ~bright
    labels = watershed(-distance_transform_edt(blobs), depth=depth, mask=blobs)
    return remove_small(labels, min_size)


def membranes(
    image: np.ndarray,
    *,
    sigma: float = 3.0,
    depth: float = 40.0,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Flood the darkness of dark membranes: each cell is a deep bright valley between them."""
    return watershed(255 - smooth(lightness(image, channel_axis), sigma), depth=depth)


def scribbles(
    image: np.ndarray,
    *,
    markers: np.ndarray,
    sigma: float = 1.0,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Give every pixel to one of the strokes: flood the gradient from them."""
    return watershed(gradient(image, sigma=sigma, channel_axis=channel_axis), markers)
