"""EM for a mixture of Gaussians, by its formulas, over all pixels at once.

The densities are those of tests/reference/gaussians.py, the plain version of
segkit_ext/gaussians.pyx.
"""

import numpy as np

from .gaussians import estimates, log_densities


def shares(pixels, means, covariances, weights):
    """Return p(class | pixel), (classes, pixels), and the log-likelihood of each pixel.

    weights are one number for each class, or one for each class and pixel.
    """
    weights = np.broadcast_to(np.reshape(weights, (len(means), -1)), (len(means), len(pixels)))
    joint = weights * np.exp(log_densities(pixels, means, covariances))
    return joint / joint.sum(axis=0), np.log(joint.sum(axis=0))


def one_round(pixels, means, covariances, weights):
    """Return means, full covariances and weights after one round, and the mean likelihood."""
    given, likely = shares(pixels, means, covariances, weights)
    means, covariances = estimates(pixels, given)
    return means, covariances, given.mean(axis=1), likely.mean()
