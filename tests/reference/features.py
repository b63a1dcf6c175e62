"""Features of pixels by their definitions, one pixel and one sum at a time.

Stands beside `segkit/features.py`, which has no kernel of its own.
"""

from itertools import product
from math import exp

import numpy as np


def gaussian(sigma):
    """Return the weights of a Gaussian, cut at four standard deviations, with sum 1."""
    radius = int(4 * sigma + 0.5)
    weights = [exp(-0.5 * (k / sigma) ** 2) for k in range(-radius, radius + 1)]
    return [w / sum(weights) for w in weights]


def weighted(image, weights):
    """Return the weighted sum around each pixel, the same weights along every axis.

    Outside the image lies the nearest pixel of its edge.
    """
    out = image.astype(float)
    for axis, side in enumerate(image.shape):
        radius = len(weights) // 2
        new = np.zeros(image.shape)
        for place in product(*map(range, image.shape)):
            for k, weight in enumerate(weights):
                at = list(place)
                at[axis] = min(max(place[axis] + k - radius, 0), side - 1)
                new[place] += weight * out[tuple(at)]
        out = new
    return out


def smooth(image, sigma):
    """Return the image blurred by a Gaussian."""
    return weighted(image, gaussian(sigma))


def position(shape):
    """Return the center of each pixel in percent of the longest side."""
    out = np.zeros((*shape, len(shape)))
    for place in product(*map(range, shape)):
        out[place] = [100 * (x + 0.5) / max(shape) for x in place]
    return out
