"""Joining pixels along edges by definition.

The plain version of ``segkit_ext/pixel_edges.pyx`` (every pair of neighbors, weakest
first) and of ``segkit_ext/join_edges.pyx`` (who is joined).  Images have their channels
last; they are smoothed before they come here.
"""

from math import floor, log, log2, sqrt

import numpy as np

from .grid import neighbors


def twelve_bits(weight, most):
    """Return a weight rounded down to 12 significant bits; 0 if it is tiny beside `most`."""
    if weight < 2.0 ** (floor(log2(most)) - 30):
        return 0.0
    unit = 2.0 ** (floor(log2(weight)) - 11)
    return floor(weight / unit) * unit


def euclidean(a, b):
    """Return the distance of two pixels, in their own type."""
    if len(a) == 1:
        return abs(a[0] - b[0])
    total = (b[0] - a[0]) * (b[0] - a[0])
    for x, y in zip(a[1:], b[1:], strict=True):
        total += (y - x) * (y - x)
    return np.sqrt(total)


def largest_difference(a, b):
    """Return the difference in the channel where it is largest."""
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def weakest_first(image, connectivity, distance, most=None):
    """Return (weight, p, q) of all neighbors p before q; `most` if weights are rounded."""
    edges = []
    for p in np.ndindex(image.shape[:-1]):
        for q in neighbors(p, image.shape[:-1], connectivity):
            if p < q:
                weight = float(distance(image[p], image[q]))
                edges.append((twelve_bits(weight, most) if most else weight, p, q))
    return sorted(edges)


class Regions:
    """Sets of pixels, each with whatever is known about it."""

    def __init__(self, image, start):
        self.of = {p: p for p in np.ndindex(image.shape[:-1])}
        self.members = {p: [p] for p in self.of}
        self.known = {p: start(image[p]) for p in self.of}

    def join(self, one, other, known):
        """Let the region that begins first take in the other."""
        one, other = min(one, other), max(one, other)
        for p in self.members[other]:
            self.of[p] = one
        self.members[one] += self.members.pop(other)
        self.known[one] = known

    def join_small(self, edges, min_size):
        """Join along every edge where one of both regions is too small."""
        for _, p, q in edges:
            one, other = self.of[p], self.of[q]
            small = min(len(self.members[one]), len(self.members[other])) < min_size
            if one != other and small:
                self.join(one, other, None)

    def labels(self, shape):
        """Number the regions in raster order of their first pixel."""
        labels = np.zeros(shape, dtype=np.int32)
        for label, first in enumerate(sorted(self.members), 1):
            for p in self.members[first]:
                labels[p] = label
        return labels


def felzenszwalb(image, scale, min_size, connectivity, most=None):
    """Join two regions unless the edge stands out beside those inside them."""
    edges = weakest_first(image, connectivity, euclidean, most)
    regions = Regions(image, lambda value: 0.0)  # known: the strongest edge inside
    for weight, p, q in edges:
        one, other = regions.of[p], regions.of[q]
        if one != other and all(
            weight <= regions.known[r] + scale / len(regions.members[r]) for r in (one, other)
        ):
            regions.join(one, other, weight)
    regions.join_small(edges, min_size)
    return regions.labels(image.shape[:-1])


def statistical_region_merging(image, complexity, min_size, levels=256.0):
    """Join two regions unless their means differ by more than chance allows."""
    n_pixels = image[..., 0].size

    def doubt(n):
        terms = min(n, 256) * log(n + 1) + log(6) + 2 * log(n_pixels)
        return levels / complexity * levels / 2 * terms / n

    edges = weakest_first(image, 1, largest_difference)
    regions = Regions(image, lambda value: value.astype(float))  # known: the sums of channels
    for _, p, q in edges:
        one, other = regions.of[p], regions.of[q]
        if one == other:
            continue
        m, n = len(regions.members[one]), len(regions.members[other])
        apart = regions.known[one] / m - regions.known[other] / n
        if all(abs(d) <= sqrt(doubt(m) + doubt(n)) for d in apart):
            regions.join(one, other, regions.known[one] + regions.known[other])
    regions.join_small(edges, min_size)
    return regions.labels(image.shape[:-1])
