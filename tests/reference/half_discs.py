"""Differences between half-discs by definition: what ``segkit_ext/half_discs.pyx`` computes."""

from math import atan2, floor, pi

import numpy as np


def mirrored(index, side):
    """Return where an index beyond the image falls when the image is continued by its mirror."""
    index %= 2 * side
    return index if index < side else 2 * side - 1 - index


def halves(values, center, radius, orientation, n_orientations):
    """Return the values in the two halves of a disc; the line through it is turned step by step."""
    found = ([], [])
    for row in range(-radius, radius + 1):
        for col in range(-radius, radius + 1):
            if (row, col) == (0, 0) or row**2 + col**2 > radius**2:
                continue
            below = row < 0 or (row == 0 and col < 0)  # opposite pixels lie in opposite slices
            angle = atan2(-row, -col) if below else atan2(row, col)
            part = min(floor(angle / pi * n_orientations + 1e-9), n_orientations - 1)
            part += n_orientations * below
            side = (part - orientation) % (2 * n_orientations) >= n_orientations
            p = tuple(
                mirrored(a + b, n) for a, b, n in zip(center, (row, col), values.shape, strict=True)
            )
            found[side].append(values[p].item())
    return found


def histogram(values, n_bins):
    """Return counts of values from 0 to n_bins - 1, each shared between two bins, in sixteenths."""
    counts = [0.0] * n_bins
    for value in values:
        low = min(floor(value), max(n_bins - 2, 0))
        second = round(16 * (value - low)) / 16
        counts[low] += 1 - second
        if second:
            counts[low + 1] += second
    return counts


def distance(one, two, n_bins):
    """Return half the sum of (g - h)^2 / (g + h), g and h adding up to 1."""
    if not one:
        return 0.0
    g, h = ([x / len(one) for x in histogram(values, n_bins)] for values in (one, two))
    return sum((a - b) ** 2 / (a + b) for a, b in zip(g, h, strict=True) if a + b > 0) / 2


def oriented(values, n_bins, radius, n_orientations):
    """Return the distance of each orientation at each pixel, {pixel: [distance, ...]}."""
    return {
        p: [
            distance(*halves(values, p, radius, k, n_orientations), n_bins)
            for k in range(n_orientations)
        ]
        for p in np.ndindex(values.shape)
    }
