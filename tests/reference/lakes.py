"""The plain hierarchy of basins: what ``segkit_ext/basins.pyx`` computes.

A lake is a set of basins.  Passes are tried from the lowest; one that joins two
lakes is worth as much as the smaller of them.
"""

from .grid import neighbors


def passes(labels, relief, connectivity):
    """Return the lowest pass of each pair of basins: {(label, larger label): height}."""
    found = {}
    for p in labels_of(labels):
        for q in neighbors(p, labels.shape, connectivity):
            pair = (int(labels[p]), int(labels[q]))
            if 0 < pair[0] < pair[1]:
                height = max(relief[p].item(), relief[q].item())
                found[pair] = min(height, found.get(pair, height))
    return found


def labels_of(labels):
    """Return the pixels that have a label."""
    return [tuple(map(int, p)) for p in zip(*labels.nonzero(), strict=True)]


def size_of(lake, labels, relief, height, attribute):
    """Return the attribute of a lake when it is filled to a height."""
    heights = [relief[p].item() for p in labels_of(labels) if int(labels[p]) in lake]
    if attribute == "depth":
        return height - min(heights)
    wet = [h for h in heights if h < height]
    return len(wet) if attribute == "area" else sum(height - h for h in wet)


def merges(labels, relief, attribute, connectivity):
    """Return the merges [(level, basin, basin)] that join lakes, in the order of levels."""
    lake = {int(k): frozenset([int(k)]) for k in set(labels.ravel().tolist()) - {0}}
    found = []
    ordered = sorted((h, pair) for pair, h in passes(labels, relief, connectivity).items())
    for height, (one, two) in ordered:
        if lake[one] is lake[two]:
            continue
        sizes = [size_of(lake[k], labels, relief, height, attribute) for k in (one, two)]
        found.append((min(sizes), one, two))
        both = lake[one] | lake[two]
        for k in both:
            lake[k] = both
    return sorted(found, key=lambda merge: merge[0])
