"""Arrays as networks take and give them, (n, channels, rows, columns)."""

from __future__ import annotations

from typing import Any

import numpy as np


def softmax(values: np.ndarray) -> np.ndarray:
    """Return scores as probabilities, along the axis of classes."""
    values = np.exp(values - values.max(axis=1, keepdims=True))
    values /= values.sum(axis=1, keepdims=True)
    return values


def one_hot(labels: np.ndarray, n: int) -> np.ndarray:
    """Return 1 for the class of a label and 0 for the others, (n, K, R, C)."""
    return (labels[:, np.newaxis] == np.arange(n)[:, np.newaxis, np.newaxis]).astype(np.float32)


def resized(batch: np.ndarray, size: Any) -> np.ndarray:
    """Return (n, channels, R, C) at another size, by areas where it shrinks."""
    import cv2

    shrinks = size[0] <= batch.shape[2] and size[1] <= batch.shape[3]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    flat = np.ascontiguousarray(batch).reshape(-1, *batch.shape[2:])
    planes = [cv2.resize(plane, size[::-1], interpolation=way) for plane in flat]
    return np.stack(planes).reshape(*batch.shape[:2], *size)
