"""Plain versions of the gradient and of the minima of a relief.

For the kernels segkit_ext/minima.pyx, segkit_ext/translate.pyx, and
segkit_ext/flood.pyx where it reconstructs.
"""

import numpy as np

from .flooding import pass_heights
from .grid import neighbors


def gradient(channels):
    """Return sqrt of the sum of squared central differences; edge pixels are repeated.

    `channels` has its channels last.
    """
    total = np.zeros(channels.shape[:-1])
    for c in range(channels.shape[-1]):
        grey = channels[..., c].astype(np.float64)
        for axis, side in enumerate(grey.shape):
            after = np.minimum(np.arange(side) + 1, side - 1)
            before = np.maximum(np.arange(side) - 1, 0)
            total += ((grey.take(after, axis) - grey.take(before, axis)) / 2) ** 2
    return np.sqrt(total)


def flat_zones(values, connectivity, inside):
    """Return the connected sets of equal pixels as lists, in raster order of first pixel."""
    seen, zones = set(), []
    for p in np.ndindex(*values.shape):
        if p in seen or not inside[p]:
            continue
        zone, waiting = [], [p]
        seen.add(p)
        while waiting:
            q = waiting.pop()
            zone.append(q)
            for r in neighbors(q, values.shape, connectivity):
                if inside[r] and r not in seen and values[r] == values[p]:
                    seen.add(r)
                    waiting.append(r)
        zones.append(zone)
    return zones


def local_minima(relief, *, depth=0, connectivity=1, mask=None):
    """Label the minima at least `depth` deep, by the definition with a raised surface.

    Heights are Python numbers, so nothing overflows.
    """
    inside = np.ones(relief.shape, bool) if mask is None else mask
    labels = np.zeros(relief.shape, np.int64)
    heights = np.empty(relief.shape, object)
    for p in np.ndindex(*relief.shape):
        heights[p] = relief[p].item()
    if depth == 0:
        n = 0
        for zone in flat_zones(heights, connectivity, inside):
            around = {q for p in zone for q in neighbors(p, relief.shape, connectivity)}
            if all(heights[q] >= heights[zone[0]] for q in around if inside[q]):
                n += 1
                for p in zone:
                    labels[p] = n
        return labels

    # The surface at p: water from any pixel q stands at least depth above q there.
    surface = heights.copy()
    for p in np.ndindex(*relief.shape):
        if inside[p]:
            reached = pass_heights(relief, [p], connectivity=connectivity, mask=mask)
            surface[p] = min(max(heights[q] + depth, level) for q, level in reached.items())
    n = 0
    for zone in flat_zones(surface, connectivity, inside):
        deep = [p for p in zone if surface[p] == heights[p] + depth]
        if deep:
            n += 1
            for p in deep:
                labels[p] = n
    order = {}
    for p in np.ndindex(*relief.shape):  # numbered by first marked pixel, not by first of the zone
        if labels[p]:
            labels[p] = order.setdefault(labels[p], len(order) + 1)
    return labels


def translate(labels, table):
    """Return every label replaced by its entry in a table."""
    return np.array([table[label] for label in labels])
