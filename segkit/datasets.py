"""Images to try things on.

`samples` needs no download: the photographs come with scikit-image, the volume
is drawn by a few lines here.
"""

from __future__ import annotations

import numpy as np

_PHOTOGRAPHS = ("coins", "camera", "astronaut", "coffee", "chelsea")


def samples() -> dict[str, np.ndarray]:
    """Return sample images by name.

    Returns
    -------
    images : dict of uint8 arrays
        ``coins`` and ``camera`` are grey, ``(R, C)``; ``astronaut``, ``coffee``
        and ``chelsea`` (a cat) are color, ``(R, C, 3)``; ``blobs`` is a volume
        of touching balls, ``(P, R, C)``, see `blobs`.

    Examples
    --------
    >>> from segkit import datasets
    >>> for name, image in datasets.samples().items():
    ...     print(name, image.shape)
    coins (303, 384)
    camera (512, 512)
    astronaut (512, 512, 3)
    coffee (400, 600, 3)
    chelsea (300, 451, 3)
    blobs (48, 112, 112)
    """
    from skimage import data

    images = {name: getattr(data, name)() for name in _PHOTOGRAPHS}
    images["blobs"] = blobs()[0]
    return images


def blobs(
    shape: tuple[int, ...] = (48, 112, 112), *, n_blobs: int = 60, rng: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return a volume of touching balls, and the label image that it was made from.

    Parameters
    ----------
    shape : tuple of int, default (48, 112, 112)
        Sides in pixels, in any number of dimensions.
    n_blobs : int, default 60
        How many balls are placed, of radius 6 to 12; some hide others.
    rng : int, default 0
        Seed of the random places.

    Returns
    -------
    image : uint8 array
        Bright balls, fading towards their rims, on a dark ground, with noise.
    truth : int32 array
        The ball nearest to each pixel, by distance to its center over its radius; 0 outside.

    Examples
    --------
    >>> from segkit import datasets
    >>> image, truth = datasets.blobs((40, 40), n_blobs=5)
    >>> image.dtype, int(truth.max())
    (dtype('uint8'), 5)
    """
    generator = np.random.default_rng(rng)
    nearest = np.full(shape, np.inf)
    truth = np.zeros(shape, dtype=np.int32)
    grid = np.ogrid[tuple(slice(side) for side in shape)]
    for blob in range(1, n_blobs + 1):
        center = generator.uniform(0, shape)
        radius = generator.uniform(6, 12)
        squares = sum((axis - c) ** 2 for axis, c in zip(grid, center, strict=True))
        distance = np.sqrt(squares) / radius
        closer = distance < nearest
        nearest[closer] = distance[closer]
        truth[closer & (distance < 1)] = blob
    brightness = np.where(nearest < 1, 90 + 120 * (1 - nearest), 25)
    noisy = brightness + generator.normal(0, 9, shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8), truth
