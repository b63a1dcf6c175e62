"""Who takes part where each pixel has a class: a trained network and nearest neighbors, and help.

The network tells what is where, but not where exactly it ends.  Two classical methods know
outlines: a random field, in which neighbors like to be of one class and changes cost
less at edges of the image; and a merge, whose regions each take the class that most
of their pixels have.

Nearest neighbors learn from the pixels of the training images: the color of a pixel and of more
and more around it, how rough and how upright it is there, and where in the image it lies.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from . import _backends
from ._joining import felzenszwalb
from .classification import KNNSegmenter
from .cnn import CNNSegmenter
from .datasets import Dataset
from .features import pixel_features
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


class _Learned(NamedTuple):
    knn: KNNSegmenter
    frequency: np.ndarray  # of each class in the training images


_SAMPLES = 40_000  # of all classes together
_NEIGHBORS = 45
_FROM_EACH = 60  # pixels of a class that one image gives at most
_BLURS = ((1.0, 0.5), (4.0, 0.7), (12.0, 1.0), (30.0, 1.0))  # sigma in pixels, weight
_ROUGH, _UPRIGHT, _ROW, _COLUMN = 2.0, 3.0, 1.0, 0.3  # weights, found on the split "val"


def _vectors(image: np.ndarray) -> np.ndarray:
    """Return what pixels are compared by: 17 columns in units of lightness."""
    from scipy.ndimage import gaussian_filter

    lab = pixel_features(image, ["lab"], channel_axis=-1)
    light = lab[..., 0]
    sigmas = [sigma for sigma, _ in _BLURS]
    weights = np.repeat(np.array([weight for _, weight in _BLURS], np.float32), 3)
    slopes = (gaussian_filter(light, 1, order=order) for order in ((1, 0), (0, 1)))
    energies = [np.sqrt(gaussian_filter(slope * slope, 4)) for slope in slopes]
    return np.concatenate(
        [
            pixel_features(lab, ["smooth"], sigmas=sigmas, channel_axis=-1) * weights,
            pixel_features(light, ["local_std"], sigmas=[3]) * np.float32(_ROUGH),
            np.stack(energies, axis=-1) * np.float32(_UPRIGHT),
            pixel_features(light, ["position"]) * np.array([_ROW, _COLUMN], np.float32),
        ],
        axis=-1,
    )


def _learn(dataset: Dataset) -> _Learned:
    """Return the classifier, from some pixels of each class of each training image."""
    generator = np.random.default_rng(0)
    counts = np.zeros(max(dataset.class_names) + 1, dtype=np.int64)
    vectors, owners = [], []
    for _, image, truth in dataset:
        flat = truth.ravel()
        present = np.bincount(flat, minlength=counts.size)
        counts += present
        taken = [
            generator.choice(np.flatnonzero(flat == label), min(_FROM_EACH, n), replace=False)
            for label, n in enumerate(present)
            if label and n
        ]
        rows = np.concatenate(taken)
        vectors.append(_vectors(image).reshape(flat.size, -1)[rows])
        owners.append(flat[rows])
    values, marks = np.concatenate(vectors), np.concatenate(owners)
    n_neighbors = min(_NEIGHBORS, len(marks))
    knn = KNNSegmenter(n_neighbors, max_samples=_SAMPLES, channel_axis=-1).fit(values, marks)
    return _Learned(knn, counts[knn.classes_] / counts[1:].sum())


def _shares(image: np.ndarray, trained: _Learned, prior: float) -> np.ndarray:
    """Return the votes, in which all classes were as frequent, some of the way to what they are."""
    votes = trained.knn.predict_proba(_vectors(image)) * trained.frequency**prior
    return votes / votes.sum(axis=-1, keepdims=True)


def knn(image: np.ndarray, *, trained: _Learned, prior: float = 0.4) -> np.ndarray:
    """Return the class that most of the nearest training pixels have."""
    return trained.knn.classes_[_shares(image, trained, prior).argmax(axis=-1)]


def knn_field(
    image: np.ndarray,
    *,
    trained: _Learned,
    prior: float = 0.4,
    beta: float = 4.0,
    sigma: float = 8.0,
    floor: float = 0.05,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return the classes after smoothing by a random field that follows edges."""
    labels = regularize(
        _shares(image, trained, prior), beta=beta, solver="graph_cut", image=image,
        sigma=sigma, floor=floor, channel_axis=channel_axis,
    )  # fmt: skip
    return trained.knn.classes_[labels - 1]


# Those that learn from the training split: name -> what runs, and what learns
LEARNERS = {"knn": (knn, _learn), "knn + field": (knn_field, _learn)}

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
