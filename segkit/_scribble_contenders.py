"""Who takes part where strokes are given: nearest neighbors, alone and under a random field.

A stroke tells of colors and of places.  Which of the two counts depends on the picture, and
neighbors that are near in both at once tell it wrong in one way or the other.  So two
classifiers vote, one to whom place means much, one to whom it means little and color, a
little blurred, nearly all.  Where they agree a pixel is sure; where they do not, the field
decides, by outlines in the image.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._recipes import smooth
from ._tasks import lab
from .classification import KNNSegmenter
from .random_field import regularize

_MOST = 4000  # pixels of strokes that are kept


def _chances(
    colors: np.ndarray, markers: np.ndarray, place: float, n_neighbors: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each stroke in the votes, and the strokes' numbers.

    Across the image is as far as 100 `place` in lightness.
    """
    shape = colors.shape[:-1]
    where = np.moveaxis(np.indices(shape, dtype=np.float32), 0, -1)
    where *= np.float32(100 * place / np.hypot.reduce(shape))
    table = np.concatenate([colors, where], axis=-1)
    n_neighbors = min(n_neighbors, int(np.count_nonzero(markers)), _MOST)
    knn = KNNSegmenter(n_neighbors, weights="distance", max_samples=_MOST, channel_axis=-1)
    return knn.fit(table, markers).predict_proba(table), knn.classes_


def knn(
    image: np.ndarray,
    *,
    markers: np.ndarray,
    n_neighbors: int = 5,
    place: float = 1.0,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return the stroke that most of the nearest pixels of strokes belong to."""
    proba, ids = _chances(lab(image, channel_axis), markers, place, n_neighbors)
    return ids[proba.argmax(axis=-1)]


def knn_field(
    image: np.ndarray,
    *,
    markers: np.ndarray,
    beta: float = 40.0,
    sigma: float = 4.0,
    near: float = 4.0,
    far: float = 0.05,
    blur: float = 1.0,
    n_neighbors: int = 15,
    floor: float = 0.3,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return the strokes after two votes, smoothed by a random field that follows edges."""
    colors = lab(image, channel_axis)
    blurred = smooth(colors, blur, -1)
    by_place, ids = _chances(colors, markers, near, n_neighbors)
    by_color, _ = _chances(blurred, markers, far, n_neighbors)
    proba = (by_place + by_color) / 2
    for column, label in enumerate(ids):
        proba[markers == label] = np.arange(len(ids)) == column
    labels = regularize(
        proba, beta=beta, solver="graph_cut", image=colors, sigma=sigma, floor=floor,
        connectivity=min(2, colors.ndim - 1), channel_axis=-1,
    )  # fmt: skip
    return ids[labels - 1]


# name -> what runs, and what is searched on the training split
CONTENDERS: dict[str, tuple[Any, dict[str, tuple[Any, ...]]]] = {
    "knn from strokes": (knn, {"place": (0.2, 0.5, 1.0, 2.0), "n_neighbors": (1, 5, 15)}),
    "knn from strokes + field": (
        knn_field,
        {
            "beta": (20.0, 40.0, 80.0),
            "near": (1.0, 2.0, 4.0, 8.0),
            "far": (0.02, 0.05, 0.1, 0.2),
            "sigma": (3.0, 4.0, 6.0),
            "floor": (0.2, 0.3, 0.4),
            "blur": (1.0, 2.0, 3.0),
        },
    ),
}
