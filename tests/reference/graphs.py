"""The plain region graph: what ``segkit_ext/edges.pyx`` and ``segkit_ext/weigh.pyx`` compute,
and of the leaves of a quadtree ``segkit_ext/adjoin.pyx``.

Nodes and edges are dictionaries, sums are exact fractions, and a border is a
list of pairs of pixels.
"""

from fractions import Fraction
from math import sqrt

import numpy as np

from .grid import neighbors
from .measuring import members, shape_of


def region_graph(labels, image=None, strength=None, connectivity=1):
    """Return nodes {label: ...} and edges {(label, larger label): ...}.

    `image` has its channels last.
    """
    nodes = {}
    for label, pixels in members(labels).items():
        shape = shape_of(pixels, labels, (1,) * labels.ndim)
        channels = 0 if image is None else image.shape[-1]
        values = [[Fraction(image[p][c].item()) for p in pixels] for c in range(channels)]
        nodes[label] = {
            "size": len(pixels),
            "sum": [sum(x) for x in values],
            "sum_squares": [sum(a * a for a in x) for x in values],
            "mean": [sum(x) / len(x) for x in values],
            "variance": [variance(x) for x in values],
            "min": [min(x) for x in values],
            "max": [max(x) for x in values],
            "bbox": shape["bbox"],
            "centroid": shape["centroid"],
            "perimeter": shape["perimeter"],
        }
    edges = {}
    for p in np.ndindex(labels.shape):
        for q in neighbors(p, labels.shape, connectivity):
            if p < q and labels[p] and labels[q] and labels[p] != labels[q]:
                pair = tuple(sorted((labels[p].item(), labels[q].item())))
                edge = edges.setdefault(pair, {"contact": 0, "faces": 0, "strength": 0})
                edge["contact"] += 1
                edge["faces"] += sum(a != b for a, b in zip(p, q, strict=True)) == 1
                if strength is not None:
                    edge["strength"] += Fraction(strength[p].item()) + Fraction(strength[q].item())
    for edge in edges.values():
        edge["strength"] /= 2 * edge["contact"]
    return nodes, dict(sorted(edges.items()))


def variance(values):
    """Return the population variance of fractions."""
    mean = sum(values) / len(values)
    return sum((x - mean) ** 2 for x in values) / len(values)


def contract(labels, group_of):
    """Return the label image in which each region has the lowest label of its group."""
    lowest = {}
    for label in sorted(group_of):
        lowest.setdefault(group_of[label], label)
    out = labels.copy()
    for p in np.ndindex(labels.shape):
        if labels[p]:
            out[p] = lowest[group_of[labels[p].item()]]
    return out


def groups(nodes, edges, joins):
    """Return the sets of nodes that edges for which joins(pair) holds bring together."""
    group = {label: {label} for label in nodes}
    for a, b in edges:
        if joins((a, b)) and group[a] is not group[b]:
            group[a] |= group[b]
            for label in group[b]:
                group[label] = group[a]
    return {frozenset(found) for found in group.values()}


def split_region(labels, label, parts):
    """Give a new label to each part of a region but that of the lowest id."""
    ids = sorted({parts[p].item() for p in np.ndindex(labels.shape) if labels[p] == label})
    new = {part: int(labels.max()) + k for k, part in enumerate(ids)}
    new[ids[0]] = label
    out = labels.astype(np.int64)
    for p in np.ndindex(labels.shape):
        if labels[p] == label:
            out[p] = new[parts[p].item()]
    return out


def distance(one, two):
    """Return the distance of two means."""
    return sqrt(sum((a - b) ** 2 for a, b in zip(one["mean"], two["mean"], strict=True)))
