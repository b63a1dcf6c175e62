"""Neighbors in coordinates, for the other plain versions."""

from itertools import product


def neighbors(p, shape, connectivity):
    """Return the neighbors of a pixel: fewest axes first, then raster order."""
    steps = [s for s in product((-1, 0, 1), repeat=len(shape)) if sum(map(abs, s)) > 0]
    steps = sorted(
        (s for s in steps if sum(map(abs, s)) <= connectivity), key=lambda s: sum(map(abs, s))
    )
    around = (tuple(a + b for a, b in zip(p, s, strict=True)) for s in steps)
    return [q for q in around if all(0 <= a < side for a, side in zip(q, shape, strict=True))]
