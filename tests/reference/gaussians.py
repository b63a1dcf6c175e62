"""The plain version of segkit_ext/gaussians.pyx: Gaussian classes by their formulas."""

import numpy as np


def log_densities(pixels, means, covariances):
    """Return log N(x; mean, covariance), (classes, pixels); every covariance is a matrix."""
    out = np.empty((len(means), len(pixels)))
    for k, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        inverse = np.linalg.inv(covariance)
        volume = np.linalg.det(2 * np.pi * covariance)
        for i, pixel in enumerate(pixels):
            d = pixel - mean
            out[k, i] = -0.5 * (np.log(volume) + d @ inverse @ d)
    return out


def estimates(pixels, weights):
    """Return the weighted means and the full covariances of the classes."""
    means, covariances = [], []
    for row in weights:
        share = row / row.sum()
        mean = sum(s * pixel for s, pixel in zip(share, pixels, strict=True))
        spread = sum(
            s * np.outer(pixel - mean, pixel - mean) for s, pixel in zip(share, pixels, strict=True)
        )
        means.append(mean)
        covariances.append(spread)
    return np.array(means), np.array(covariances)
