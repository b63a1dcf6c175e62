"""The plain version of segkit_ext/chain.pyx: every sequence of classes, one after the other.

The joint probability of a sequence of classes and of what is seen is a product; the
likelihood is its sum over all sequences, the shares of classes at a pixel and of changes
between two pixels are parts of that sum, and the best sequence has the largest product.
For chains of a few pixels that is all there is to it.
"""

from itertools import product

import numpy as np


def joint(classes, densities, start, transition):
    """Return p(classes, pixels); densities (K, pixels)."""
    probability = start[classes[0]] * densities[classes[0], 0]
    for t in range(1, len(classes)):
        probability *= transition[classes[t - 1], classes[t]] * densities[classes[t], t]
    return probability


def expectations(densities, start, transition):
    """Return the log-likelihood, the shares (K, pixels) and the expected changes (K, K)."""
    n_classes, n = densities.shape
    total, shares = 0.0, np.zeros((n_classes, n))
    changes = np.zeros((n_classes, n_classes))
    for classes in product(range(n_classes), repeat=n):
        probability = joint(classes, densities, start, transition)
        total += probability
        for t in range(n):
            shares[classes[t], t] += probability
        for t in range(1, n):
            changes[classes[t - 1], classes[t]] += probability
    return np.log(total), shares / total, changes / total


def ranking(densities, start, transition):
    """Return all sequences of classes with their probability, the likeliest first."""
    n_classes, n = densities.shape
    sequences = product(range(n_classes), repeat=n)
    ranked = [(joint(c, densities, start, transition), c) for c in sequences]
    return sorted(ranked, key=lambda pair: -pair[0])
