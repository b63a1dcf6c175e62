"""Images and annotations for training: what is accepted, and how classes are weighed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _check


@dataclass
class Data:
    """Images, channels last, with annotations; all checked, and prepared."""

    images: list[np.ndarray]
    annotations: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.images)

    def only(self, numbers: Sequence[int]) -> Data:
        """Return some of the images."""
        return Data([self.images[i] for i in numbers], [self.annotations[i] for i in numbers])

    def digest(self) -> str:
        """Return a name for the data."""
        found = hashlib.sha256()
        for array in (*self.images, *self.annotations):
            found.update(repr((array.shape, array.dtype.str)).encode())
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:16]


def read_data(images: Any, annotations: Any, n_classes: int, channel_axis: int | None) -> Data:
    """Return data as given by the user: one image or several, as many annotations."""
    several = _listed(images, 2 + (channel_axis is not None))
    marks = _listed(annotations, 2)
    if not several:
        raise ValueError("`images` must hold at least one image, got none")
    if len(several) != len(marks):
        raise ValueError(
            f"`annotations` must be as many as `images`, {len(several)}, got {len(marks)}"
        )
    checked = []
    for number, (image, mark) in enumerate(zip(several, marks, strict=True)):
        name = f"images[{number}]"
        values = _check.channels_last(image, channel_axis, name)
        labels = _check.labels(mark, f"annotations[{number}]")
        if values.ndim != 3:
            raise ValueError(f"`{name}` must have 2 spatial dimensions, got {values.ndim - 1}")
        _check.same_shape(labels, f"annotations[{number}]", values.shape[:-1], name)
        _check.refuse_not_finite(values, name)
        if labels.size == 0:
            raise ValueError(f"`{name}` must hold at least one pixel, got shape {labels.shape}")
        if int(labels.max()) > n_classes:
            raise ValueError(
                f"`annotations[{number}]` must hold 0 and the classes 1 to {n_classes} of `model`, "
                f"got {int(labels.max())}"
            )
        checked.append((values, labels))
    if len({values.shape[-1] for values, _ in checked}) > 1:
        raise ValueError("`images` must all have the same number of channels")
    if not any(labels.any() for _, labels in checked):
        raise ValueError("`annotations` must hold at least one pixel with a class")
    return Data([values for values, _ in checked], [labels for _, labels in checked])


def _listed(arrays: Any, ndim: int) -> list[Any]:
    """Return arrays in a list, or along the first axis of one array, or a single one."""
    stacked = isinstance(arrays, np.ndarray) and arrays.ndim == ndim + 1
    return list(arrays) if stacked or isinstance(arrays, (list, tuple)) else [arrays]


def frequency_weights(annotations: Sequence[np.ndarray], n_classes: int) -> np.ndarray:
    """Return a weight for each class: the median frequency over its own (Eigen, Fergus 2015).

    The frequency is that on the images where the class occurs at all. Classes that do
    not occur get the weight 0.
    """
    pixels = np.zeros(n_classes)
    around = np.zeros(n_classes)
    for labels in annotations:
        count = np.bincount(labels.reshape(-1), minlength=n_classes + 1)[1 : n_classes + 1]
        pixels += count
        around += np.where(count > 0, count.sum(), 0)
    frequency = np.divide(pixels, around, out=np.zeros(n_classes), where=around > 0)
    seen = frequency > 0
    weights = np.zeros(n_classes)
    if seen.any():
        weights[seen] = np.median(frequency[seen]) / frequency[seen]
    return weights
