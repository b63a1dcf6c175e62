"""Label images by definition.

Plain versions of ``segkit_ext/links.pyx`` and ``segkit_ext/components.pyx``
(together: which pixels are linked, and what is connected) and of
``segkit_ext/renumber.pyx``.
"""

from itertools import product

import numpy as np


def neighbors(position, shape, connectivity):
    """Return the positions inside `shape` that differ by one step along 1..connectivity axes."""
    found = []
    for step in product((-1, 0, 1), repeat=len(shape)):
        if 0 < sum(map(abs, step)) <= connectivity:
            other = tuple(p + s for p, s in zip(position, step, strict=True))
            if all(0 <= q < side for q, side in zip(other, shape, strict=True)):
                found.append(other)
    return found


def difference(a, b):
    """Return |a - b|: exact for integers, in double for floats, 0 for equal infinities."""
    a, b = a.item(), b.item()
    return 0 if a == b else abs(a - b)


def connected_components(image, connectivity=1, tolerance=0, mask=None, background=0):
    """Start from each pixel without a label in raster order and collect all it reaches."""
    labels = np.zeros(image.shape, dtype=np.int32)

    def counts(p):
        in_mask = mask is None or mask[p]
        return in_mask and (background is None or image[p].item() != background)

    n = 0
    for start in np.ndindex(image.shape):
        if labels[start] or not counts(start):
            continue
        n += 1
        labels[start] = n
        waiting = [start]
        while waiting:
            p = waiting.pop()
            for q in neighbors(p, image.shape, connectivity):
                if counts(q) and not labels[q] and difference(image[p], image[q]) <= tolerance:
                    labels[q] = n
                    waiting.append(q)
    return labels


def relabel(labels):
    """Give each id the next number when it is first met; 0 keeps 0."""
    numbers = {0: 0}
    out = np.zeros(labels.shape, dtype=np.int32)
    for p in np.ndindex(labels.shape):
        out[p] = numbers.setdefault(labels[p].item(), len(numbers))
    return out
