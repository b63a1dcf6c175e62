"""Features of pixels by their definitions, one pixel and one sum at a time.

Stands beside `segkit/features.py`, which has no kernel of its own.
"""

from itertools import product
from math import exp, log2

import numpy as np


def gaussian(sigma):
    """Return the weights of a Gaussian, cut at four standard deviations, with sum 1."""
    radius = int(4 * sigma + 0.5)
    weights = [exp(-0.5 * (k / sigma) ** 2) for k in range(-radius, radius + 1)]
    return [w / sum(weights) for w in weights]


def weighted(image, weights_of_axes):
    """Return the weighted sum around each pixel, with weights for each axis.

    Outside the image lies the nearest pixel of its edge.
    """
    out = image.astype(float)
    for axis, side in enumerate(image.shape):
        weights = weights_of_axes[axis]
        radius = len(weights) // 2
        new = np.zeros(image.shape)
        for place in product(*map(range, image.shape)):
            for k, weight in enumerate(weights):
                at = list(place)
                at[axis] = min(max(place[axis] + k - radius, 0), side - 1)
                new[place] += weight * out[tuple(at)]
        out = new
    return out


def derivative(sigma, order):
    """Return the weights of a derivative of that Gaussian; a flat image has none."""
    weights = gaussian(sigma)
    places = range(-(len(weights) // 2), len(weights) // 2 + 1)
    if order == 0:
        return weights
    if order == 1:
        return [w * k / sigma**2 for k, w in zip(places, weights, strict=True)]
    second = [w * (k**2 / sigma**4 - 1 / sigma**2) for k, w in zip(places, weights, strict=True)]
    rest = sum(second)
    return [b - rest * w for b, w in zip(second, weights, strict=True)]


def smooth(image, sigma):
    """Return the image blurred by a Gaussian."""
    return weighted(image, [gaussian(sigma)] * image.ndim)


def position(shape):
    """Return the center of each pixel in percent of the longest side."""
    out = np.zeros((*shape, len(shape)))
    for place in product(*map(range, shape)):
        out[place] = [100 * (x + 0.5) / max(shape) for x in place]
    return out


def derived(image, sigma, axes):
    """Return the derivative of the blurred image along each of some axes in turn."""
    orders = [axes.count(axis) for axis in range(image.ndim)]
    return weighted(image, [derivative(sigma, order) for order in orders])


def gradient(channels, sigma):
    """Return the magnitude of the gradient over all channels."""
    return np.sqrt(sum(derived(c, sigma, [axis]) ** 2 for c in channels for axis in range(c.ndim)))


def eigenvalues(matrix):
    """Return the eigenvalues at each pixel of matrices of images, largest first, (..., ndim)."""
    stacked = np.moveaxis(np.array(matrix), (0, 1), (-2, -1))
    return np.linalg.eigvalsh(stacked)[..., ::-1]


def hessian(channels, sigma):
    """Return the eigenvalues of the second derivatives of the mean of the channels."""
    gray = sum(c.astype(float) for c in channels) / len(channels)
    axes = range(gray.ndim)
    return eigenvalues([[derived(gray, sigma, [a, b]) for b in axes] for a in axes])


def structure(channels, sigma):
    """Return the eigenvalues of the blurred products of derivatives, summed over channels."""
    axes = range(channels[0].ndim)
    slopes = [[derived(c, sigma, [axis]) for axis in axes] for c in channels]
    return eigenvalues(
        [[smooth(sum(s[a] * s[b] for s in slopes), sigma) for b in axes] for a in axes]
    )


def local_std(channels, sigma):
    """Return the root of the variances under the Gaussian, summed over channels."""
    total = 0
    for c in channels:
        c = c.astype(float)
        total = total + smooth(c * c, sigma) - smooth(c, sigma) ** 2
    return np.sqrt(np.maximum(total, 0))


def local_entropy(channels, sigma, low, high):
    """Return the entropy in bits of 16 levels of the mean of the channels."""
    gray = sum(c.astype(float) for c in channels) / len(channels)
    levels = [0 if high <= low else min(int(16 * (x - low) / (high - low)), 15) for x in gray.flat]
    levels = np.array(levels).reshape(gray.shape)
    out = np.zeros(gray.shape)
    for level in range(16):
        share = smooth(levels == level, sigma)
        for place in product(*map(range, gray.shape)):
            if share[place] > 0:
                out[place] -= share[place] * log2(share[place])
    return out
