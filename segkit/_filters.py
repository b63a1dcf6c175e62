"""Features of pixels, tile by tile.

A tile is a box of pixels and a halo around it, wide enough for the filters that its
features need; where the image ends its edge pixels go on.  What a filter says about a
pixel is a sum over its neighborhood, taken in the same order wherever the tile begins.
So tiles of any size give the same features, to the last bit, and the memory that is
needed beside the result is that of a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

Where = tuple[slice, ...]

_TILE = 1 << 18  # pixels
_RUN = 1 << 16  # pixels of a tile without a halo
_LARGEST_TILE = 1 << 22  # where halos are wide
_PRODUCTS = 1 << 27  # of values and weights that SciPy adds up at once, a few tenths of a second
_LEVELS = 16  # of a local histogram


class Source(NamedTuple):
    """An image, its channels last, and what features need to know about all of it."""

    array: np.ndarray
    low: float
    high: float
    middle: np.ndarray  # about the mean of each channel

    @classmethod
    def of(cls, array: np.ndarray, names: Sequence[str]) -> Source:
        """Look at an image as far as the features ask for it."""
        low, high, middle = 0.0, 256.0, np.zeros(array.shape[-1])
        if array.size and "local_std" in names:
            axes = tuple(range(array.ndim - 1))
            middle = array.mean(axis=axes, dtype=np.float64)
        if array.size and "local_entropy" in names and array.dtype != np.uint8:
            low, high = float(array.min()), float(array.max())
        return cls(array, low, high, middle)


class _Tile:
    """Pixels and a halo around them, as far as the image goes, in double."""

    def __init__(self, source: Source, where: Where, halo: int) -> None:
        self.source, self.where, self.ndim = source, where, len(where)
        within = tuple(
            slice(max(0, part.start - halo), min(side, part.stop + halo))
            for part, side in zip(where, source.array.shape, strict=False)
        )
        self._inside = tuple(
            slice(part.start - around.start, part.stop - around.start)
            for part, around in zip(where, within, strict=True)
        )
        self.channels = np.moveaxis(source.array[within], -1, 0).astype(np.float64, order="C")

    def inner(self, values: np.ndarray) -> np.ndarray:
        """Return the part of some values inside the halo."""
        return values[self._inside]

    def gray(self) -> np.ndarray:
        """Return the mean of the channels."""
        return self.channels.mean(axis=0) if len(self.channels) > 1 else self.channels[0]


@lru_cache(maxsize=64)
def _weights(sigma: float, order: int) -> np.ndarray:
    """Return the weights of a derivative of a Gaussian, cut at four standard deviations."""
    from scipy import ndimage

    reach = radius(sigma)
    impulse = (np.arange(-reach, reach + 1) == 0).astype(np.float64)
    weights = ndimage.gaussian_filter1d(impulse, sigma, order=order, mode="constant")[::-1]
    if order == 2:  # what is cut off must not turn a flat image into a curved one
        weights = weights - weights.sum() * _weights(sigma, 0)
    return np.ascontiguousarray(weights)


def radius(sigma: float) -> int:
    """Return how far a Gaussian reaches, in pixels: as in SciPy."""
    return int(4 * sigma + 0.5)


def _filtered(image: np.ndarray, sigma: float, orders: Sequence[int]) -> np.ndarray:
    """Return a derivative of the blurred image, of the given order along each axis."""
    for axis, order in enumerate(orders):
        image = _correlated(image, _weights(sigma, order), axis)
    return image


def _correlated(image: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """Return the sums along an axis, some lines after others, so that Ctrl-C is heard between."""
    from scipy import ndimage

    across = 1 if axis == 0 and image.ndim > 1 else 0
    n = image.shape[across]
    step = n if image.ndim == 1 else max(1, _PRODUCTS * n // (image.size * weights.size))
    out = np.empty(image.shape)
    for first in range(0, n, step):
        part = (slice(None),) * across + (slice(first, first + step),)
        ndimage.correlate1d(image[part], weights, axis, output=out[part], mode="nearest")
    return out


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return _filtered(image, sigma, (0,) * image.ndim)


def _slopes(image: np.ndarray, sigma: float) -> list[np.ndarray]:
    """Return the derivative along each axis."""
    axes = range(image.ndim)
    return [_filtered(image, sigma, [int(k == axis) for k in axes]) for axis in axes]


def _eigenvalues(matrix: dict[tuple[int, int], np.ndarray], ndim: int) -> list[np.ndarray]:
    """Return the eigenvalues of symmetric matrices, given their upper halves; largest first."""
    if ndim == 1:
        return [matrix[0, 0]]
    if ndim == 2:
        half = 0.5 * (matrix[0, 0] + matrix[1, 1])
        root = np.hypot(0.5 * (matrix[0, 0] - matrix[1, 1]), matrix[0, 1])
        return [half + root, half - root]
    full = np.empty((*matrix[0, 0].shape, ndim, ndim))
    for (a, b), values in matrix.items():
        full[..., a, b] = full[..., b, a] = values
    return list(np.moveaxis(np.linalg.eigvalsh(full)[..., ::-1], -1, 0))


def _intensity(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    for channel in tile.channels:
        yield tile.inner(channel)


def _lab(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    from skimage.color import rgb2lab

    values = np.moveaxis(tile.source.array[tile.where], -1, 0).astype(np.float64)
    if tile.source.array.dtype.kind in "iu":
        values /= np.iinfo(tile.source.array.dtype).max
    yield from rgb2lab(values.clip(0, 1), channel_axis=0)


def _position(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    sides = tile.source.array.shape[:-1]
    for axis, part in enumerate(tile.where):
        places = (np.arange(part.start, part.stop) + 0.5) * (100 / max(sides))
        places = places.reshape([-1 if k == axis else 1 for k in range(tile.ndim)])
        yield np.broadcast_to(places, [part.stop - part.start for part in tile.where])


def _smooth(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    for sigma in sigmas:
        for channel in tile.channels:
            yield tile.inner(_blurred(channel, sigma))


def _gradient(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    for sigma in sigmas:
        squares = sum(
            tile.inner(slope) ** 2 for channel in tile.channels for slope in _slopes(channel, sigma)
        )
        yield np.sqrt(squares)


def _hessian(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    gray = tile.gray()
    for sigma in sigmas:
        matrix = {}
        for a in range(tile.ndim):
            for b in range(a, tile.ndim):
                orders = [int(k == a) + int(k == b) for k in range(tile.ndim)]
                matrix[a, b] = tile.inner(_filtered(gray, sigma, orders))
        yield from _eigenvalues(matrix, tile.ndim)


def _structure(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    for sigma in sigmas:
        matrix: dict[tuple[int, int], Any] = {}
        for channel in tile.channels:
            slopes = _slopes(channel, sigma)
            for a in range(tile.ndim):
                for b in range(a, tile.ndim):
                    matrix[a, b] = matrix.get((a, b), 0.0) + slopes[a] * slopes[b]
        smoothed = {key: tile.inner(_blurred(part, sigma)) for key, part in matrix.items()}
        yield from _eigenvalues(smoothed, tile.ndim)


def _local_std(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    for sigma in sigmas:
        total: Any = 0.0
        for channel, middle in zip(tile.channels, tile.source.middle, strict=True):
            values = channel - middle  # squares of large numbers would swallow their differences
            mean = tile.inner(_blurred(values, sigma))
            total = total + (tile.inner(_blurred(values * values, sigma)) - mean * mean)
        yield np.sqrt(np.maximum(total, 0.0))


def _local_entropy(tile: _Tile, sigmas: Sequence[float]) -> Iterator[np.ndarray]:
    low, high = tile.source.low, tile.source.high
    above = _LEVELS * (tile.gray() - low)
    levels = np.clip(above / ((high - low) or 1.0), 0, _LEVELS - 1).astype(np.intp)
    present = np.unique(levels)
    for sigma in sigmas:
        bits: Any = np.zeros(tile.inner(levels).shape)
        for level in present:
            share = tile.inner(_blurred((levels == level).astype(np.float64), sigma))
            bits -= share * np.log2(share, where=share > 0, out=np.zeros_like(share))
        yield np.maximum(bits, 0.0)


class _Feature(NamedTuple):
    """How a feature is computed and how far it looks: so many times the radius of a Gaussian."""

    columns: Callable[[_Tile, Sequence[float]], Iterator[np.ndarray]]
    reach: int


_FEATURES = {
    "intensity": _Feature(_intensity, 0),
    "lab": _Feature(_lab, 0),
    "position": _Feature(_position, 0),
    "smooth": _Feature(_smooth, 1),
    "gradient": _Feature(_gradient, 1),
    "hessian": _Feature(_hessian, 1),
    "structure": _Feature(_structure, 2),
    "local_std": _Feature(_local_std, 1),
    "local_entropy": _Feature(_local_entropy, 1),
}
FEATURES = tuple(_FEATURES)


def halo(names: Sequence[str], sigmas: Sequence[float]) -> int:
    """Return how many pixels around a pixel its features depend on, along each axis."""
    reach = max(_FEATURES[name].reach for name in names)
    return reach * radius(max(sigmas)) if reach else 0


def columns(names: Sequence[str], sigmas: Sequence[float], n_channels: int, ndim: int) -> list[str]:
    """Return what is in each column."""
    channels = [""] if n_channels == 1 else [f" {c}" for c in range(n_channels)]
    found: list[str] = []
    for name in names:
        if name == "intensity":
            found += [f"intensity{c}" for c in channels]
        elif name == "lab":
            found += ["lab L", "lab a", "lab b"]
        elif name == "position":
            found += [f"position {axis}" for axis in range(ndim)]
        elif name == "smooth":
            found += [f"smooth{c} {s:g}" for s in sigmas for c in channels]
        elif name in ("hessian", "structure"):
            found += [f"{name} {k} {s:g}" for s in sigmas for k in range(ndim)]
        else:
            found += [f"{name} {s:g}" for s in sigmas]
    return found


def tiles(shape: Sequence[int], halo: int) -> Iterator[Where]:
    """Yield boxes that fill an image, in raster order; larger ones where the halo is wide.

    Without a halo they are small, and pixels that lie one behind the other in memory.
    """
    if 0 in shape:
        return
    sides = list(shape)
    if halo == 0:
        for axis in range(len(shape)):
            sides[axis] = max(1, min(shape[axis], _RUN // prod(shape[axis + 1 :])))
    most = min(_LARGEST_TILE, max(_TILE, (4 * halo) ** len(shape)))
    while prod(sides) > most:
        longest = sides.index(max(sides))
        sides[longest] = -(-sides[longest] // 2)
    starts = [range(0, whole, side) for whole, side in zip(shape, sides, strict=True)]
    for corner in product(*starts):
        yield tuple(
            slice(first, min(first + side, whole))
            for first, side, whole in zip(corner, sides, shape, strict=True)
        )


def fill(
    source: Source, names: Sequence[str], sigmas: Sequence[float], where: Where, out: np.ndarray
) -> None:
    """Write the features of a tile, (..., p)."""
    around = halo(names, sigmas)
    tile = _Tile(source, where, around)
    column = 0
    with np.errstate(over="ignore"):  # infinite where it exceeds float32
        for name in names:
            for values in _FEATURES[name].columns(tile, sigmas):
                out[..., column] = values
                column += 1
