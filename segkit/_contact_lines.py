"""How strong the contour between two regions is, along its own direction.

A strong edge that crosses a weak border, or ends at it, lends the border its
strength where only the strongest direction of each pixel is known.  So the
border of two regions is taken as a row of short straight lines, and at each of
its contacts the strength is asked for in the direction of the line there: what
runs across it does not count.

The line is found without tracing.  A step from region u to region v over a
contact is at right angles to the border; the sum of the steps along a stretch
of border, each of length 1 along its axis, is at right angles to the straight
line between the ends of that stretch, and as long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Contacts(NamedTuple):
    """Pairs of neighboring pixels in two regions, as flat arrays."""

    p: np.ndarray  # flat index of the first pixel of each
    q: np.ndarray  # of the second, one row or one column on
    pair: np.ndarray  # number of the pair of regions, in the order of (u, v)
    step: np.ndarray  # (2, n): from the region of the lower label to the other, in rows, columns


def contacts(labels: np.ndarray) -> Contacts:
    """Return where the regions of a 2-D label image touch along an axis; 0 is no region.

    Labels are at most about the number of pixels, as a watershed's.
    """
    number = np.arange(labels.size).reshape(labels.shape)
    p = np.concatenate([number[:-1].ravel(), number[:, :-1].ravel()])
    q = np.concatenate([number[1:].ravel(), number[:, 1:].ravel()])
    axis = np.repeat([0, 1], [number[:-1].size, number[:, :-1].size])
    one, two = labels.ravel()[p], labels.ravel()[q]
    found = np.flatnonzero((one != two) & (one != 0) & (two != 0))
    p, q, axis, one, two = (x[found] for x in (p, q, axis, one, two))
    low, high = np.minimum(one, two).astype(np.int64), np.maximum(one, two)
    pair = np.unique(low * (labels.max(initial=0) + 1) + high, return_inverse=True)[1].reshape(-1)
    step = np.where(axis == [[0], [1]], np.where(one < two, 1, -1), 0)
    return Contacts(p, q, pair, step)


def normals(found: Contacts, shape: tuple[int, int], reach: int) -> np.ndarray:
    """Return the sum of the steps over the contacts of the same pair within reach, (2, n).

    Contacts lie in the middle between their pixels.
    """
    far = 2 * reach  # on a lattice with two places per pixel, so that middles are on it
    width = 2 * shape[1] + 2 * far
    row, col = (
        x + y
        for x, y in zip(np.divmod(found.p, shape[1]), np.divmod(found.q, shape[1]), strict=True)
    )
    place = (row + far) * width + col + far
    at = np.full((2 * shape[0] + 2 * far) * width, -1, dtype=np.int32)
    at[place] = np.arange(place.size, dtype=np.int32)
    total = found.step.copy()
    # Each way once: what holds for one of two contacts holds for the other.
    for down in range(far + 1):
        for right in range(-far if down else 1, far + 1):
            if (down + right) % 2 or down * down + right * right > far * far:
                continue
            other = at[place + (down * width + right)]
            one = np.flatnonzero(other >= 0)
            one = one[found.pair[other[one]] == found.pair[one]]
            two = other[one]  # no contact stands in it twice
            total[:, one] += found.step[:, two]
            total[:, two] += found.step[:, one]
    return total


def strength_sums(labels: np.ndarray, oriented: np.ndarray, reach: int) -> np.ndarray:
    """Return the sum over the contacts of each pair of the strength along the border there.

    `oriented` (n_orientations, rows, cols) are strengths by direction as
    `_half_discs.oriented` returns them; between two directions they are
    interpolated, and the two pixels of a contact count half each.  Where the steps
    add up to nothing (around a region that is smaller than the reach) the strongest
    direction counts.  Pairs are sorted, so that these are the `strength_sum` of a
    region graph of connectivity 1.
    """
    found = contacts(labels)
    down, right = normals(found, labels.shape, reach)
    n = oriented.shape[0]
    turn = np.arctan2(right, -down) / np.pi * n  # at right angles to the steps
    low = np.floor(turn)
    part = turn - low
    flat = oriented.reshape(n, -1)

    def strength(line: np.ndarray) -> np.ndarray:
        return (flat[line, found.p] + flat[line, found.q]) / 2

    low = low.astype(np.intp)
    along = (1 - part) * strength(low % n) + part * strength((low + 1) % n)
    any_way = flat.max(axis=0)
    lost = (down == 0) & (right == 0)
    along[lost] = (any_way[found.p[lost]] + any_way[found.q[lost]]) / 2
    return np.bincount(found.pair, along, minlength=0)
