"""Scores of two masks by definition, on sets of positions."""

import math

import numpy as np


def positions(mask):
    """Return the pixels of a mask as a set of positions."""
    return {p for p in np.ndindex(mask.shape) if mask[p]}


def dice(truth, test):
    """Return shared pixels over the mean size."""
    a, b = positions(truth), positions(test)
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


def jaccard(truth, test):
    """Return intersection over union."""
    a, b = positions(truth), positions(test)
    return len(a & b) / len(a | b) if a or b else 1.0


def surface(mask):
    """Return the pixels with a neighbor along an axis that is not in the mask, or not there."""
    inside = positions(mask)
    return {
        p
        for p in inside
        for axis in range(mask.ndim)
        for step in (-1, 1)
        if (*p[:axis], p[axis] + step, *p[axis + 1 :]) not in inside
    }


def percentile(values, share):
    """Return the value at a share of the ranks 0 .. n - 1, linear between ranks."""
    values = sorted(values)
    rank = share / 100 * (len(values) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(values) - 1)
    return values[low] + (rank - low) * (values[high] - values[low])


def hausdorff(truth, test, spacing, share=100, between="pixels"):
    """Return the larger of the two percentiles of distances to the nearest of the other."""
    a, b = ((positions, surface)[between == "surfaces"](mask) for mask in (truth, test))
    if not a or not b:
        return 0.0 if not a and not b else math.inf

    def distance(p, q):
        return math.hypot(*(s * (i - j) for s, i, j in zip(spacing, p, q, strict=True)))

    return max(
        percentile([min(distance(p, q) for q in others) for p in some], share)
        for some, others in ((a, b), (b, a))
    )
