"""Cutting an image into tiles that overlap, and blending what comes of each.

Close to its border a tile knows less of what is around.  So tiles overlap, and
in the overlap each counts the more the farther from its own border a pixel lies:
weights rise in a straight line, along each axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np


def starts(side: int, tile: int, overlap: int) -> list[int]:
    """Return where tiles begin along an axis; the last one ends with the image."""
    if tile >= side:
        return [0]
    step = tile - overlap
    return [*range(0, side - tile, step), side - tile]


def ramp(tile: int, overlap: int) -> np.ndarray:
    """Return how much each pixel of a tile counts along an axis: 1 beyond the overlap."""
    inwards = np.minimum(np.arange(tile), np.arange(tile)[::-1]) + 1
    return np.minimum(inwards / (overlap + 1), 1).astype(np.float32)


def blended(
    results: Iterable[np.ndarray],
    rows: list[int],
    columns: list[int],
    weight: tuple[np.ndarray, np.ndarray],
    width: int,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield bands of rows, each with the row that it starts at, as soon as they are complete.

    `results` holds the (K, R, C) values of the tiles, row by row; `rows` and `columns` are
    their places, `weight` what a pixel counts along each axis.  Only one row
    of tiles is held.
    """
    each = iter(results)
    height = len(weight[0])
    weights = weight[0][:, np.newaxis] * weight[1]
    total = np.zeros((0, height, width), dtype=np.float32)
    sums = np.zeros((height, width), dtype=np.float32)
    for k, row in enumerate(rows):
        for column in columns:
            values = next(each)
            if len(total) == 0:
                total = np.zeros((len(values), height, width), dtype=np.float32)
            part = slice(column, column + len(weight[1]))
            total[:, :, part] += values * weights
            sums[:, part] += weights
        done = (rows[k + 1] if k + 1 < len(rows) else row + height) - row
        yield row, total[:, :done] / sums[:done]
        for held in (total, sums):
            held[..., : height - done, :] = held[..., done:, :].copy()
            held[..., height - done :, :] = 0
