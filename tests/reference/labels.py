"""Label images by definition.

Plain versions of ``segkit_ext/links.pyx`` and ``segkit_ext/components.pyx``
(together: which pixels are linked, and what is connected) and of
``segkit_ext/renumber.pyx`` and ``segkit_ext/nearest.pyx``.
"""

import numpy as np

from .grid import neighbors


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


def join(first, second):
    """Give each pair of ids a number."""
    out = np.zeros(first.shape, dtype=np.int32)
    numbers = {}
    for p in np.ndindex(first.shape):
        if first[p] and second[p]:
            pair = (first[p].item(), second[p].item())
            out[p] = numbers.setdefault(pair, len(numbers) + 1)
    return out


def remove_small(labels, min_size, fill="none"):
    """Count each region's pixels; ask every remaining pixel how near it is.

    The plain version of ``segkit_ext/nearest.pyx``, too.
    """
    pixels = list(np.ndindex(labels.shape))
    members = {}
    for p in pixels:
        members.setdefault(labels[p].item(), []).append(p)
    staying = {k for k, where in members.items() if k and len(where) >= min_size}
    out = labels.copy()
    for p in pixels:
        if labels[p].item() in staying:
            continue
        out[p] = 0
        if fill == "nearest" and labels[p] and staying:
            out[p] = min(
                (sum((a - b) ** 2 for a, b in zip(p, q, strict=True)), k)
                for k in staying
                for q in members[k]
            )[1]
    return relabel(out)


def masks(labels):
    """Compare with each id in turn."""
    ids = sorted({labels[p].item() for p in np.ndindex(labels.shape)} - {0})
    return [(k, np.array(labels == k)) for k in ids]
