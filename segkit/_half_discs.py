"""Edges as differences between the two halves of a disc.

Around each pixel lies a disc; a line through the pixel halves it.  If the two
halves are filled differently, in lightness, in color or in texture, and most so
for lines of one direction, an edge runs there in that direction.  Unlike a
gradient, histograms see a border between two textures of one mean, and do not
see the texture.

Texture is told by textons: each pixel answers a bank of filters (edges and bars
at several orientations, a spot), and answers are sorted into a few kinds, found
in the image itself.
"""

from __future__ import annotations

import numpy as np

from segkit_ext.half_discs import compare_halves, whole

_LARGE = 1e300  # whose differences may not be a float64
_BINS = 24  # of lightness and color; one more, since a pixel counts for two neighbors
_TEXTONS = 32
_SAMPLES = 20_000  # pixels that textons are found from
_ROUNDS = 12
_BANK_SIGMA = 1.4  # pixels: the scale of the filters
_FAINT = 0.002  # answers below half a level of 255 are none
_SATURATION = 0.03
_TINY = 1e-12


def oriented(
    channels: list[tuple[np.ndarray, float, float, int]],
    shape: tuple[int, int],
    scales: tuple[float, ...],
    n_orientations: int,
) -> np.ndarray:
    """Return the distance at each pixel for each line through it, (n_orientations, *shape), 0 to 1.

    Line k runs along the columns, turned by k parts of half a turn towards the rows.
    Each channel is values from 0 to the number of bins - 1 (kinds are whole), its
    weight, by what its disc is larger, and the number of bins.
    """
    rows, cols = shape
    out = np.zeros((n_orientations, rows * cols), dtype=np.float32)
    total = sum(weight for _, weight, _, _ in channels) * len(scales)
    for values, weight, larger, n_bins in channels:
        low = np.minimum(np.floor(values), max(n_bins - 2, 0))
        part = np.rint(whole() * (values - low))
        for scale in scales:
            radius = max(1, round(scale * larger))
            spans, half = disc_spans(radius, n_orientations)
            codes, parts = (
                np.pad(x.astype(np.uint8), radius, mode="symmetric").ravel() for x in (low, part)
            )
            bins = -(-n_bins // 4) * 4
            compare_halves(
                codes, parts, rows, cols, radius, spans, weight / (2 * whole() * half * total),
                np.empty((2 * n_orientations, bins), np.float32), np.empty((3, bins), np.float32),
                out,
            )  # fmt: skip
    return out.reshape(n_orientations, *shape)


def disc_spans(radius: int, n_orientations: int) -> tuple[np.ndarray, int]:
    """Return the rows of each slice of a disc, (k, 4), and the number of pixels in half of it."""
    rows, cols = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    inside = (rows**2 + cols**2 <= radius**2) & ((rows != 0) | (cols != 0))
    # Whole turns in units of slices; the first half turn exactly, the second as its mirror image.
    lower = (rows < 0) | ((rows == 0) & (cols < 0))
    angle = np.arctan2(np.where(lower, -rows, rows), np.where(lower, -cols, cols))
    part = np.minimum(np.floor(angle / np.pi * n_orientations + 1e-9), n_orientations - 1)
    part = (part + n_orientations * lower).astype(np.intp)
    spans = []
    for s in range(2 * n_orientations):
        for row in range(-radius, radius + 1):
            found = np.flatnonzero(inside[row + radius] & (part[row + radius] == s))
            if found.size:
                spans.append((s, row, found[0] - radius, found[-1] - radius))
    return np.array(spans, dtype=np.intp).reshape(-1, 4), int(inside.sum()) // 2


def lightness_and_color(image: np.ndarray) -> list[np.ndarray]:
    """Return lightness, and the two axes of color where there are three channels, from 0 to 1."""
    if image.shape[-1] != 3:
        return [_spread(channel) for channel in np.moveaxis(image, -1, 0)]
    from skimage.color import rgb2lab

    values = image.astype(np.float64)
    if image.dtype.kind in "iu":
        values /= np.iinfo(image.dtype).max
    lab = rgb2lab(np.clip(values, 0, 1))
    axes = [lab[..., 0] / 100, (lab[..., 1] + 73) / 168, (lab[..., 2] + 73) / 168]
    return [np.clip(axis, 0, 1) for axis in axes]


def _spread(channel: np.ndarray) -> np.ndarray:
    """Return a channel from its lowest value, 0, to its highest, 1."""
    values = channel.astype(np.float64)
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    if max(-low, high) > _LARGE:
        values, low, high = values / 4, low / 4, high / 4
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def binned(values: np.ndarray) -> np.ndarray:
    """Return values from 0 to 1 as places among the bins."""
    return values * _BINS


def n_bins() -> int:
    """Return the number of bins of `binned`."""
    return _BINS + 1


def textons(lightness: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the kind of texture at each pixel, from 0, and how many kinds there are."""
    answers = _answers(lightness)
    flat = answers.reshape(-1, answers.shape[-1])
    step = max(1, flat.shape[0] // _SAMPLES)
    sample = flat[step // 2 :: step]
    centers = _centers(sample)
    kinds = np.empty(flat.shape[0], dtype=np.intp)
    for start in range(0, flat.shape[0], 1 << 14):
        kinds[start : start + (1 << 14)] = _nearest(flat[start : start + (1 << 14)], centers)
    return kinds.reshape(lightness.shape), len(centers)


def _answers(lightness: np.ndarray) -> np.ndarray:
    """Return the answers of the filter bank, (rows, cols, filters)."""
    import cv2

    grey = lightness.astype(np.float32)
    found = [
        cv2.filter2D(grey, -1, kernel, borderType=cv2.BORDER_REFLECT) for kernel in filter_bank()
    ]
    answers = np.stack(found, axis=-1)
    # Rounding is no texture.  Answers saturate (Weber's law), so that strong edges do not
    # use up all kinds.
    size = np.sqrt((answers**2).sum(axis=-1, keepdims=True))
    heard = np.log1p(np.maximum(size - _FAINT, 0) / _SATURATION)
    return answers * (heard / np.maximum(size, _TINY))


def filter_bank(n_orientations: int = 6) -> list[np.ndarray]:
    """Return float32 kernels: elongated bars and edges, and a spot, of unit absolute sum."""
    radius = int(np.ceil(9 * _BANK_SIGMA))
    rows, cols = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    bank = []
    for k in range(n_orientations):
        angle = np.pi * k / n_orientations
        along = cols * np.cos(angle) + rows * np.sin(angle)
        across = rows * np.cos(angle) - cols * np.sin(angle)
        s = _BANK_SIGMA
        window = np.exp(-(across**2) / (2 * s * s) - along**2 / (2 * (3 * s) ** 2))
        bank += [window * (across**2 / s**2 - 1), window * across]
    squared = (rows**2 + cols**2) / _BANK_SIGMA**2
    bank.append((squared - 2) * np.exp(-squared / 2))
    level = [kernel - kernel.mean() for kernel in bank]
    return [(kernel / np.abs(kernel).sum()).astype(np.float32) for kernel in level]


def _nearest(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the nearest center of each point, the first among equally near ones."""
    # No matrix product: its last digits depend on how many threads a library takes.
    shared = np.einsum("ij,kj->ik", points, centers)
    return ((centers**2).sum(axis=1) - 2 * shared).argmin(axis=1)


def _centers(sample: np.ndarray) -> np.ndarray:
    """Return cluster centers by k-means, started from points spread over the image."""
    start = np.unique(sample[:: max(1, len(sample) // _TEXTONS)][:_TEXTONS], axis=0)
    centers = start.astype(np.float64)
    for _ in range(_ROUNDS):
        kind = _nearest(sample, centers)
        count = np.bincount(kind, minlength=len(centers))
        sums = np.stack(
            [np.bincount(kind, x, minlength=len(centers)) for x in sample.T.astype(np.float64)], 1
        )
        used = count > 0
        centers[used] = sums[used] / count[used, np.newaxis]
    return centers
