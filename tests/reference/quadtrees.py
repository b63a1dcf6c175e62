"""Quadtrees by definition: look at a block, split it, look at its parts.

The plain version of ``segkit_ext/pyramid.pyx`` (which blocks are homogeneous), of
``segkit_ext/entropy.pyx`` (the same by entropy) and of ``segkit_ext/leaves.pyx`` (what
is left when all is split).  Images have their channels last.
"""

from collections import Counter
from fractions import Fraction
from itertools import product
from math import log2, sqrt

import numpy as np


def value_range(pixels):
    """Return the largest range of a channel."""
    return max(max(channel) - min(channel) for channel in zip(*pixels, strict=True))


def variance(values):
    """Return the population variance, exactly."""
    values = [Fraction(value) for value in values]
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / len(values)


def deviation(pixels):
    """Return the root of the variances summed over channels."""
    return sqrt(sum(variance(channel) for channel in zip(*pixels, strict=True)))


def entropy(pixels):
    """Return the bits per pixel of the channel that has most, less what rounding may add."""
    most = 0.0
    for channel in zip(*pixels, strict=True):
        n = len(channel)
        most = max(most, sum(m / n * log2(n / m) for m in Counter(channel).values()))
    return most - 1e-9


CRITERIA = {"range": value_range, "std": deviation, "entropy": entropy}


def split(image, threshold, criterion, min_size=1, max_size=None, mask=None):
    """Return the leaves as (corner, extent, depth, pixels of the mask)."""
    shape = image.shape[:-1]
    if image.size == 0:
        return []
    homogeneous = CRITERIA.get(criterion, criterion)

    def leaves(corner, side, depth):
        ends = [min(at + side, end) for at, end in zip(corner, shape, strict=True)]
        if any(end <= at for at, end in zip(corner, ends, strict=True)):
            return
        box = product(*(range(at, end) for at, end in zip(corner, ends, strict=True)))
        pixels = [image[p].tolist() for p in box if mask is None or mask[p]]
        if not pixels:
            return
        too_large = max_size is not None and side > max_size
        smallest = side == 1 or side // 2 < min_size
        if too_large or not (smallest or homogeneous(pixels) <= threshold):
            half = side // 2
            for part in product((0, half), repeat=len(shape)):
                yield from leaves(
                    tuple(at + step for at, step in zip(corner, part, strict=True)),
                    half,
                    depth + 1,
                )
        else:
            extent = tuple(end - at for at, end in zip(corner, ends, strict=True))
            yield corner, extent, depth, pixels

    side = 1
    while side < max(shape):
        side *= 2
    return list(leaves((0,) * len(shape), side, 0))


def labels_of(leaves, shape, mask=None):
    """Return the label image of leaves: 1, 2, 3, ... in their order."""
    labels = np.zeros(shape, dtype=np.int32)
    for label, (corner, extent, _, _) in enumerate(leaves, 1):
        labels[tuple(slice(a, a + n) for a, n in zip(corner, extent, strict=True))] = label
    if mask is not None:
        labels[~mask] = 0
    return labels
