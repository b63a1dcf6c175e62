"""Who takes part where each pixel has a class: a trained network, alone and with help.

The network tells what is where, but not where exactly it ends.  Two classical methods know
outlines: a random field, in which neighbors like to be of one class and changes cost
less at edges of the image; and a merge, whose regions each take the class that most
of their pixels have.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from . import _backends
from ._joining import felzenszwalb
from .cnn import CNNSegmenter
from .random_field import regularize

_BACKEND = _backends.chosen("auto")


@lru_cache(maxsize=2)
def _network(backend: str) -> CNNSegmenter:
    return CNNSegmenter.pretrained("espnet-camvid", backend=backend)


def espnet(image: np.ndarray, *, backend: str = _BACKEND) -> np.ndarray:
    """Return the classes that the network gives."""
    return _network(backend).predict(image)


def espnet_field(
    image: np.ndarray,
    *,
    beta: float = 1.0,
    sigma: float = 16.0,
    backend: str = _BACKEND,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return the classes after smoothing by a random field that follows edges."""
    proba = _network(backend).predict_proba(image)
    return regularize(proba, beta=beta, image=image, sigma=sigma, channel_axis=channel_axis)


def espnet_regions(
    image: np.ndarray,
    *,
    scale: float = 30.0,
    sigma: float = 0.5,
    min_size: int = 20,
    backend: str = _BACKEND,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return for each region of a merge the class that most of its pixels have."""
    classes = _network(backend).predict(image)
    regions = felzenszwalb(
        image, scale=scale, sigma=sigma, min_size=min_size, channel_axis=channel_axis
    )
    n = int(classes.max()) + 1
    votes = np.bincount((regions.astype(np.int64) * n + classes).ravel())
    votes = np.pad(votes, (0, -len(votes) % n)).reshape(-1, n)
    return votes.argmax(axis=1).astype(np.int32)[regions]


# name -> what runs, and what is searched on the training split
CONTENDERS: dict[str, tuple[Any, dict[str, tuple[Any, ...]]]] = {
    "espnet": (espnet, {}),
    "espnet + field": (
        espnet_field,
        {"beta": (0.25, 0.5, 1.0, 2.0, 4.0), "sigma": (4.0, 8.0, 16.0, 32.0, 64.0)},
    ),
    "espnet + regions": (
        espnet_regions,
        {"scale": (5.0, 10.0, 30.0, 100.0), "sigma": (0.5, 0.8), "min_size": (5, 20, 50)},
    ),
}
