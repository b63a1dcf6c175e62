"""Tissues of a brain, found in noise without examples: who takes part, and what counts.

FreeSurfer's structures are grouped into the three tissues that gray levels tell apart:
fluid, gray matter, white matter.  What is of mixed tissue, or has no name, is left
out of scores.  The brain itself (skull removed: gray levels above 0) is given to all.

Gaussian noise is added at several levels, the same for all.  A classifier of single pixels
must get worse with it; one that asks neighbors, or a predecessor, less so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ._contenders import Contender, contender
from .chains import HiddenMarkovChainSegmenter
from .clustering import KMeansSegmenter
from .datasets import Dataset
from .mixtures import GaussianMixtureSegmenter
from .random_field import MarkovRandomFieldSegmenter

NAMES = {1: "cerebrospinal fluid", 2: "gray matter", 3: "white matter"}
_GROUPS = {
    1: (4, 5, 14, 15, 24, 43, 44, 72),
    2: (3, 8, 42, 47, *range(10, 14), 17, 18, 26, *range(49, 55), 58),
    3: (2, 7, 41, 46, 77, *range(251, 256)),
}
_NOISE = (0, 10, 20, 30)  # standard deviation in gray levels of 0 to 255
_SEGMENTERS: dict[str, Any] = {
    "k-means": KMeansSegmenter,
    "mixture": GaussianMixtureSegmenter,
    "hidden chain": HiddenMarkovChainSegmenter,
    "random field, ICM": partial(MarkovRandomFieldSegmenter, solver="icm"),
    "random field, graph cut": partial(MarkovRandomFieldSegmenter, solver="graph_cut"),
}


def grouped(dataset: Dataset) -> Dataset:
    """Return a data set of FreeSurfer's structures as one of tissues, 0 where there is none."""
    table = np.zeros(256, dtype=np.int32)
    for tissue, structures in _GROUPS.items():
        table[list(structures)] = tissue

    def read(name: str) -> dict[str, Any]:
        item = dataset[name]
        return {"image": item.image, "truth": table[item.truth], "spacing": item.spacing}

    readers: dict[str, Callable[[], dict[str, Any]]] = {
        name: partial(read, name) for name in dataset.names
    }
    return Dataset(dataset.name, dataset.split, "tissues", NAMES, readers)


@dataclass(frozen=True)
class Tissues:
    """A segmenter of three classes in a brain with noise."""

    segmenter: str
    noise: float

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return 1 fluid, 2 gray, 3 white matter: in T1 weighting from dark to bright."""
        brain = image > 0
        noise = np.random.default_rng(0).normal(scale=self.noise, size=image.shape)
        noisy = np.rint(np.clip(image + noise, 0, 255)).astype(np.uint8)
        found = _SEGMENTERS[self.segmenter](len(NAMES))
        labels = found.fit_predict(noisy, brain)
        if not hasattr(found, "centers_"):
            return labels
        rank = found.centers_[:, 0].argsort().argsort() + 1  # k-means has its classes in any order
        return np.concatenate([[0], rank]).astype(np.int32)[labels]


def contenders() -> dict[str, Contender]:
    """Return each segmenter at each level of noise."""
    made = [
        contender(f"{name}, noise {noise}", Tissues(name, noise), "tissues")
        for noise in _NOISE
        for name in _SEGMENTERS
    ]
    return {each.name: each for each in made}
