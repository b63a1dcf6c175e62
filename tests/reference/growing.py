"""Region growing by its definition: dictionaries of pixels, exact fractions, no cleverness.

`grow_recursively` is the textbook's: for each neighbor, if homogeneous and not
labelled, label it and recurse.  With one seed and a fixed rule the order does not
matter, and it says all there is to say about "neighbor" and "seed".  With several
seeds somebody has to come first: `grow_in_turn` adds the queue.  `adams_bischof`
is the plain version of "region", `confidence_intervals` and `grow_in_turn` that of
"confidence".

Plain versions of segkit_ext/grow_fifo.pyx, segkit_ext/grow_bits.pyx,
segkit_ext/grow_region.pyx and, in `space_apart`, segkit_ext/space_out.pyx.

Images have their channels last, (..., C).  Seeds are a dictionary: id -> list of
pixels, a pixel being a tuple of indices.
"""

from collections import deque
from fractions import Fraction
from itertools import product
from math import floor, inf, isnan, sqrt

import numpy as np


class Picture:
    """An image as numbers: exact fractions for integers, floats for floats."""

    def __init__(self, image, connectivity=1, mask=None):
        self.shape = image.shape[:-1]
        self.n_channels = image.shape[-1]
        self.exact = image.dtype.kind != "f"
        self.value = {}
        for pixel in np.ndindex(self.shape):
            value = tuple(self.number(v) for v in image[pixel].tolist())
            if (mask is None or mask[pixel]) and not any(isnan(v) for v in value):
                self.value[pixel] = value
        steps = product((-1, 0, 1), repeat=len(self.shape))
        self.steps = [s for s in steps if 0 < sum(map(abs, s)) <= connectivity]
        self.steps.sort(key=lambda s: sum(map(abs, s)))  # nearest first, then raster order

    def number(self, value):
        return Fraction(int(value)) if self.exact else float(value)

    def neighbors(self, pixel):
        """The neighbors that have a value, in order."""
        for step in self.steps:
            other = tuple(a + b for a, b in zip(pixel, step, strict=True))
            if other in self.value:
                yield other

    def mean(self, pixels):
        n = Fraction(len(pixels)) if self.exact else len(pixels)
        columns = zip(*(self.value[p] for p in pixels), strict=True)
        return tuple(sum(column[1:], column[0]) / n for column in columns)

    def squared(self, a, b):
        """The squared Euclidean distance; equal infinities are equal."""
        return sum((x - y) ** 2 if x != y else 0 for x, y in zip(a, b, strict=True))

    def distance(self, a, b):
        """The Euclidean distance in double, of exact numbers rounded at the end."""
        if len(a) == 1:
            return float(abs(a[0] - b[0])) if a != b else 0.0
        return sqrt(self.squared(a, b))

    def near(self, a, b, tolerance):
        if self.exact:
            return self.squared(a, b) <= Fraction(tolerance) ** 2
        return self.distance(a, b) <= tolerance


def ranked(seeds):
    """Seeds as (id, pixels) in raster order of their first pixel."""
    return sorted(seeds.items(), key=lambda item: min(item[1]))


def grow_recursively(picture, seed, qualifies):
    """The region of one seed, a set of pixels; qualifies(p, q) for a step from p to q."""
    region = set(seed)

    def visit(pixel):
        for other in picture.neighbors(pixel):
            if other not in region and qualifies(pixel, other):
                region.add(other)
                visit(other)

    for pixel in seed:
        visit(pixel)
    return region


def grow_in_turn(picture, seeds, qualifies, max_steps=inf):
    """Labels by one queue for all seeds; qualifies(p, q, id) for a step from p to q."""
    labels = np.zeros(picture.shape, dtype=np.int64)
    for label, pixels in seeds.items():
        for pixel in pixels:
            labels[pixel] = label
    queue = deque(sorted(pixel for pixels in seeds.values() for pixel in pixels))
    steps = 0
    while queue:
        pixel = queue.popleft()
        for other in picture.neighbors(pixel):
            if labels[other] == 0 and qualifies(pixel, other, labels[pixel]):
                if steps == max_steps:
                    return labels
                labels[other] = labels[pixel]
                steps += 1
                queue.append(other)
    return labels


def neighbor_rule(picture, tolerance):
    """Criterion "neighbor"."""
    return lambda p, q, label: picture.near(picture.value[p], picture.value[q], tolerance)


def seed_rule(picture, seeds, tolerance):
    """Criterion "seed": the reference is the mean of the seed pixels."""
    mean = {label: picture.mean(pixels) for label, pixels in seeds.items()}
    return lambda p, q, label: picture.near(mean[label], picture.value[q], tolerance)


def interval_rule(picture, intervals):
    """Criterion "confidence", once the intervals are known."""
    return lambda p, q, label: intervals[label](picture.value[q][0])


def confidence_intervals(picture, seeds, multiplier, iterations):
    """The interval of each seed, estimated as if it were alone: a test of values."""
    return {
        label: _confidence_interval(picture, pixels, multiplier, iterations)
        for label, pixels in seeds.items()
    }


def _confidence_interval(picture, pixels, multiplier, iterations):
    highest = [side - 1 for side in picture.shape]
    box = []
    for pixel in sorted(pixels):
        for step in product((-1, 0, 1), repeat=len(pixel)):
            other = tuple(
                min(max(a + b, 0), high) for a, b, high in zip(pixel, step, highest, strict=True)
            )
            if other in picture.value:
                box.append(picture.value[other][0])
    inside = _interval(picture, box, multiplier, pixels)
    for _ in range(iterations):
        region = grow_recursively(picture, pixels, lambda p, q: inside(picture.value[q][0]))  # noqa: B023
        values = [picture.value[pixel][0] for pixel in sorted(region)]
        inside = _interval(picture, values, multiplier, pixels)
    return inside


def _interval(picture, values, multiplier, pixels):
    """Whether a value is within so many standard deviations, or between the seed's values."""
    own = [picture.value[pixel][0] for pixel in pixels]
    n = len(values)
    if picture.exact:
        mean = sum(values) / n
        variance = sum((v - mean) ** 2 for v in values) / max(n - 1, 1)
        square = Fraction(multiplier) ** 2 * variance
        return lambda v: (
            (v - mean) ** 2 <= square or (min(own) <= v <= mean) or (mean <= v <= max(own))
        )
    values = np.array(values)
    mean = values.sum() / n
    reach = multiplier * sqrt(((values - mean) ** 2).sum() / max(n - 1, 1))
    return lambda v: min(mean - reach, *own) <= v <= max(mean + reach, *own)


def adams_bischof(picture, seeds, tolerance=inf, max_steps=inf):
    """Labels by seeded region growing (criterion "region")."""
    order = ranked(seeds)
    region = {pixel: rank for rank, (_, pixels) in enumerate(order) for pixel in pixels}
    members = [sorted(pixels) for _, pixels in order]  # in the order of joining
    waiting = set()
    queue = []

    def length(measure):
        return float(measure) if picture.n_channels == 1 else sqrt(measure)

    def nearest(pixel):
        """(distance, rank) of the adjacent region with the nearest mean."""
        ranks = {region[q] for q in picture.neighbors(pixel) if q in region}
        return min(
            (_measure(picture, picture.value[pixel], picture.mean(members[rank])), rank)
            for rank in ranks
        )

    def enqueue(pixel):
        for other in picture.neighbors(pixel):
            if other not in region and other not in waiting:
                distance = length(nearest(other)[0])
                key = floor(distance) if picture.exact else distance
                waiting.add(other)
                queue.append((key, len(queue), other))

    for pixel in sorted(region):
        enqueue(pixel)
    done = set()
    steps = 0
    while len(done) < len(queue):
        entry = min(entry for entry in queue if entry[1] not in done)
        done.add(entry[1])
        pixel = entry[2]
        waiting.remove(pixel)
        measure, rank = nearest(pixel)
        if length(measure) > tolerance:
            continue
        if steps == max_steps:
            break
        steps += 1
        region[pixel] = rank
        members[rank].append(pixel)
        enqueue(pixel)
    labels = np.zeros(picture.shape, dtype=np.int64)
    for pixel, rank in region.items():
        labels[pixel] = order[rank][0]
    return labels


def _measure(picture, a, b):
    """What distances are compared by: with several channels their squares, which are exact."""
    return abs(a[0] - b[0]) if len(a) == 1 else picture.squared(a, b)


def grow_unseeded(picture, grow, max_steps=inf):
    """Labels of one region after another; grow(picture, seeds, max_steps) grows one seed.

    Each region is what its first pixel grows to on the pixels that are left.
    """
    left = Picture.__new__(Picture)
    left.__dict__.update(picture.__dict__, value=dict(picture.value))
    labels = np.zeros(picture.shape, dtype=np.int64)
    while left.value and max_steps > 0:
        start = min(left.value)
        grown = grow(left, {1: [start]}, max_steps - 1) > 0
        labels[grown] = labels.max() + 1
        max_steps -= np.count_nonzero(grown)
        for pixel in zip(*np.nonzero(grown), strict=True):
            del left.value[tuple(int(i) for i in pixel)]
    return labels


def without_small(labels, min_size):
    """Regions below min_size become 0, the others are numbered anew."""
    result = np.zeros_like(labels)
    n = 0
    for label in range(1, labels.max(initial=0) + 1):
        if np.count_nonzero(labels == label) >= min_size:
            n += 1
            result[labels == label] = n
    return result


def space_apart(candidates, min_distance, n_points=inf):
    """The pixels chosen greedily, none nearer than min_distance to one before."""
    chosen = []
    for pixel in candidates:
        squares = [sum((a - b) ** 2 for a, b in zip(pixel, other, strict=True)) for other in chosen]
        if len(chosen) < n_points and all(s >= min_distance**2 for s in squares):
            chosen.append(pixel)
    return chosen
