"""Measures of oversegmentations by definition: sets of positions, fractions, counted faces."""

from fractions import Fraction
from math import gamma, pi

import numpy as np

from tests.reference.partitions import members, positions


def undersegmentation_error(truth, test, ignore=None):
    counted = positions(truth, ignore)
    total = 0
    for region in members(truth, counted).values():
        for other in members(test, counted).values():
            if region & other:
                total += min(len(other & region), len(other - region))
    return Fraction(total, len(counted)) if counted else 0


def achievable_accuracy(truth, test, ignore=None):
    counted = positions(truth, ignore)
    right = sum(
        max(len(other & region) for region in members(truth, counted).values())
        for other in members(test, counted).values()
    )
    return Fraction(right, len(counted)) if counted else 1


def explained_variation(image, test):
    """Of an image with its channels last."""
    regions = members(test, range(test.size)).values()
    explained = whole = Fraction(0)
    for channel in np.moveaxis(image, -1, 0):
        values = [Fraction(x) for x in channel.ravel().tolist()]
        mean = sum(values) / len(values)
        whole += sum((x - mean) ** 2 for x in values)
        for region in regions:
            of_region = sum(values[p] for p in region) / len(region)
            explained += len(region) * (of_region - mean) ** 2
    return explained / whole if whole else 1


def compactness(test, spacing):
    ndim = test.ndim
    ball = pi ** (ndim / 2) / gamma(ndim / 2 + 1)
    unit = np.prod(spacing)
    total = 0.0
    for label in np.unique(test):
        inside = {p for p in np.ndindex(test.shape) if test[p] == label}
        surface = 0.0
        for p in inside:
            for axis in range(ndim):
                for step in (-1, 1):
                    if (*p[:axis], p[axis] + step, *p[axis + 1 :]) not in inside:
                        surface += unit / spacing[axis]
        volume = len(inside) * unit
        total += len(inside) * ndim**ndim * ball * volume ** (ndim - 1) / surface**ndim
    return total / test.size
