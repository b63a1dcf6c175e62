"""The plain watershed: what segkit_ext/flood.pyx computes.

A queue of (level, age) entries, served lowest first, in coordinates.
"""

import heapq

import numpy as np

from .grid import neighbors


def watershed(
    relief, markers, *, connectivity=1, mask=None, compactness=0.0, lines="none", max_level=None
):
    """Flood from markers.

    A pixel is labelled when its turn comes, by the marker pixel (source) of the
    first entry that is served for it.  Its level is its height, plus the
    compactness times the distance to the source, but never below the level of
    the pixel it was entered from.
    """
    shape = relief.shape
    inside = np.ones(shape, bool) if mask is None else mask
    heights = {p: relief[p].item() for p in np.ndindex(*shape)}
    labels = np.where(inside, markers, 0).astype(np.int64)
    decided = labels > 0
    queue = []
    age = 0
    for p in np.ndindex(*shape):
        if decided[p]:
            queue.append((heights[p], age, p, p))
            age += 1
    heapq.heapify(queue)
    while queue:
        level, _, p, source = heapq.heappop(queue)
        if max_level is not None and level > max_level:
            break
        if p != source:
            if decided[p]:
                continue
            decided[p] = True
            around = {labels[q] for q in neighbors(p, shape, connectivity)} - {0}
            if lines == "thin" and len(around) > 1:
                continue
            labels[p] = labels[source]
        for q in neighbors(p, shape, connectivity):
            if inside[q] and not decided[q]:
                height = heights[q]
                if compactness > 0:
                    height += compactness * np.sqrt(
                        float(sum((a - b) ** 2 for a, b in zip(q, source, strict=True)))
                    )
                heapq.heappush(queue, (max(level, height), age, q, source))
                age += 1
    return labels


def pass_heights(relief, start, *, connectivity=1, mask=None):
    """Return the lowest level at which water from the pixels `start` reaches each pixel."""
    inside = np.ones(relief.shape, bool) if mask is None else mask
    reached = {}
    queue = [(relief[p].item(), p) for p in start if inside[p]]
    heapq.heapify(queue)
    while queue:
        level, p = heapq.heappop(queue)
        if p in reached:
            continue
        reached[p] = level
        for q in neighbors(p, relief.shape, connectivity):
            if inside[q] and q not in reached:
                heapq.heappush(queue, (max(level, relief[q].item()), q))
    return reached
