"""Nearest neighbors by definition: all distances, sorted.

The plain version of ``segkit_ext/nearest_samples.pyx``, and of what
``segkit/classification.py`` does before and after.  Samples are pairs of a vector
and a class.  Vectors hold integers or fractions, so that distances are exact.
"""

from collections import Counter
from itertools import product
from math import sqrt


def samples_of(images, annotations):
    """Return the annotated pixels of images with their channels last, image by image."""
    return [
        (image[place], marks[place])
        for image, marks in zip(images, annotations, strict=True)
        for place in product(*map(range, marks.shape))
        if marks[place] != 0
    ]


def squared_distance(one, other):
    """Return the squared Euclidean distance of two vectors."""
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def neighbors(samples, pixel, k):
    """Return (squared distance, class) of the k nearest samples, the lowest classes of equals."""
    return sorted((squared_distance(vector, pixel), owner) for vector, owner in samples)[:k]


def votes(samples, pixel, k, weights):
    """Return how many votes each class gets from the neighbors."""
    near = neighbors(samples, pixel, k)
    count = Counter()
    for square, owner in near:
        if weights == "uniform":
            count[owner] += 1
        elif near[0][0] == 0:
            count[owner] += square == 0
        else:
            count[owner] += 1 / sqrt(square)
    return count


def winner(samples, pixel, k, weights="uniform"):
    """Return the class of most votes, the lowest of several."""
    count = votes(samples, pixel, k, weights)
    return min(count, key=lambda owner: (-count[owner], owner))


def shares(samples, pixel, k, weights="uniform"):
    """Return the share in the votes of each class that any sample has, in ascending order."""
    count = votes(samples, pixel, k, weights)
    return [count[owner] / count.total() for owner in sorted({owner for _, owner in samples})]


def balanced(counts, most):
    """Return how many samples each class keeps: as many as there is room for, one after the other.

    In turn each class that has samples left gets one more, until there is no room for
    another round; what is left then goes to the most frequent.
    """
    kept = [0] * len(counts)
    if sum(counts) <= most:
        return list(counts)
    while True:
        open_ = [c for c, n in enumerate(counts) if kept[c] < n]
        if sum(kept) + len(open_) > most:
            break
        for c in open_:
            kept[c] += 1
    order = sorted(open_, key=lambda c: (counts[c], c))
    for c in order[len(order) - (most - sum(kept)) :]:
        kept[c] += 1
    return kept
