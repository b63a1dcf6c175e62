"""The plain greedy merge: what ``segkit_ext/merge.pyx`` and ``segkit_ext/tree.pyx`` compute.

A region is a list of pixels, and everything about it is worked out from them
anew, in exact fractions.  Each step tries all pairs of touching regions.
"""

from fractions import Fraction
from math import inf, sqrt
from statistics import median

from .grid import neighbors
from .measuring import members


class Picture:
    """An image (channels last), a strength, and what it costs to merge two sets of pixels."""

    def __init__(self, labels, image=None, strength=None, connectivity=1):
        self.labels, self.image, self.strength = labels, image, strength
        self.connectivity = connectivity
        self.regions = list(members(labels).values())

    def contact(self, one, two):
        """Return the touching pairs of pixels."""
        other = set(two)
        return [
            (p, q)
            for p in one
            for q in neighbors(p, self.labels.shape, self.connectivity)
            if q in other
        ]

    def values(self, pixels):
        """Return the values of each channel as fractions."""
        return [
            [Fraction(self.image[p][c].item()) for p in pixels] for c in range(self.image.shape[-1])
        ]

    def differences(self, one, two):
        """Return the difference of means in each channel."""
        pairs = zip(self.values(one), self.values(two), strict=True)
        return [float(mean(a) - mean(b)) for a, b in pairs]

    def mean(self, one, two):
        return sqrt(sum(d * d for d in self.differences(one, two)))

    def ward(self, one, two):
        n, m = len(one), len(two)
        return n * m / (n + m) * sum(d * d for d in self.differences(one, two))

    def range(self, one, two):
        return max(float(max(x) - min(x)) for x in self.values(one + two))

    def mean_strength(self, one, two):
        pairs = self.contact(one, two)
        values = [Fraction(self.strength[p].item()) for pair in pairs for p in pair]
        return float(mean(values))

    def student(self, one, two):
        n, m = len(one), len(two)
        pooled = sum(n * variance(x) for x in self.values(one))
        pooled += sum(m * variance(x) for x in self.values(two))
        pooled /= n + m
        if self.image.dtype.kind in "biu":
            least = Fraction(self.image.shape[-1], 12)
        else:
            everything = [p for pixels in self.regions for p in pixels]
            least = sum(variance(x) for x in self.values(everything)) * Fraction(1, 10**12)
        spread = max(pooled, least) * (Fraction(1, n) + Fraction(1, m))
        apart = sum(d * d for d in self.differences(one, two))
        return sqrt(apart / spread) if apart else 0.0

    def baatz_schape(
        self, one, two, shape_weight=0.1, compactness_weight=0.5, channel_weights=None
    ):
        def increase(measure):
            return measure(one + two) - measure(one) - measure(two)

        channels = range(self.image.shape[-1])
        color = sum(
            (channel_weights[c] if channel_weights else 1)
            * increase(lambda pixels, c=c: len(pixels) * sqrt(variance(self.values(pixels)[c])))
            for c in channels
        )
        if shape_weight == 0:
            return color
        compact = increase(lambda pixels: len(pixels) * perimeter(pixels) / sqrt(len(pixels)))
        smooth = increase(lambda pixels: len(pixels) * perimeter(pixels) / box_perimeter(pixels))
        shape = compactness_weight * compact + (1 - compactness_weight) * smooth
        return (1 - shape_weight) * color + shape_weight * shape

    def color_strength(self, one, two, strength_weight=0.5):
        by_mean, by_strength = self.scales()
        return (1 - strength_weight) * self.mean(one, two) / by_mean + (
            strength_weight * self.mean_strength(one, two) / by_strength
        )

    def scales(self):
        """Return the typical difference of means and strength of the first edges."""
        pairs = [
            (a, b)
            for i, a in enumerate(self.regions)
            for b in self.regions[:i]
            if self.contact(a, b)
        ]
        for measure in (self.mean, self.mean_strength):
            values = [measure(a, b) for a, b in pairs] or [1]
            yield median(values) or sum(values) / len(values) or 1


def mean(values):
    return sum(values) / len(values)


def variance(values):
    middle = mean(values)
    return sum((x - middle) ** 2 for x in values) / len(values)


def perimeter(pixels):
    """Return the number of faces of a set of pixels in 2-D."""
    inside = set(pixels)
    steps = ((0, 1), (1, 0), (0, -1), (-1, 0))
    return sum((r + dr, c + dc) not in inside for r, c in pixels for dr, dc in steps)


def box_perimeter(pixels):
    rows, cols = zip(*pixels, strict=True)
    return 2 * (max(rows) - min(rows) + max(cols) - min(cols) + 2)


def costs_of(picture, regions, cost, known):
    """Return the cost of each pair of touching regions, by numbers."""
    for one in regions:
        for two in regions:
            if one < two and (one, two) not in known:
                touching = picture.contact(regions[one], regions[two])
                known[one, two] = cost(regions[one], regions[two]) if touching else None
    return {pair: c for pair, c in known.items() if c is not None and {*pair} <= regions.keys()}


def merge(picture, cost, *, limit=inf, n_regions=1, min_size=1):
    """Merge greedily; return the merges [(one, two, cost)] and the regions left, by number.

    The k-th merge makes the region number n + k.
    """
    regions = dict(enumerate(picture.regions))
    merges, known = [], {}

    def join(one, two, price):
        regions[len(picture.regions) + len(merges)] = regions.pop(one) + regions.pop(two)
        merges.append((one, two, price))

    while len(regions) > n_regions:
        costs = costs_of(picture, regions, cost, known)
        if not costs:
            break
        price, (one, two) = min((c, pair) for pair, c in costs.items())
        if price > limit:
            break
        join(one, two, price)
    stuck = set()
    while True:
        small = [(len(p), k) for k, p in regions.items() if len(p) < min_size and k not in stuck]
        if not small:
            return merges, regions
        one = min(small)[1]
        costs = costs_of(picture, regions, cost, known)
        around = [(c, sum(pair) - one) for pair, c in costs.items() if one in pair]
        if around:
            price, two = min(around)
            join(one, two, price)
        else:
            stuck.add(one)


def tree(n, merges):
    """Return parent and level of each node, with what is left joined at level inf."""
    parent, level = list(range(2 * n - 1)), [0.0] * (2 * n - 1)
    roots = set(range(n))

    made = []

    def join(one, two, height):
        new = n + len(made)
        made.append(new)
        parent[one] = parent[two] = new
        level[new] = height
        roots.difference_update((one, two))
        roots.add(new)

    highest = 0.0
    for one, two, cost in merges:
        highest = max(highest, cost)
        join(one, two, highest)
    while len(roots) > 1:
        one, two = sorted(roots)[:2]
        join(one, two, inf)
    return parent, level


def joint_level(parent, level, one, two):
    """Return the level of the lowest common ancestor of two nodes."""
    above = {one}
    while parent[one] != one:
        one = parent[one]
        above.add(one)
    while two not in above:
        two = parent[two]
    return level[two]
