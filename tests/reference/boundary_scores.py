"""Boundary scores by definition: the plain version of ``segkit_ext/pair_off.pyx``."""

import math

import numpy as np


def boundary_pixels(labels):
    """Return the positions that differ from the next position along any axis."""
    found = []
    for p in np.ndindex(labels.shape):
        for axis in range(labels.ndim):
            q = (*p[:axis], p[axis] + 1, *p[axis + 1 :])
            if q[axis] < labels.shape[axis] and labels[q] != labels[p]:
                found.append(p)
                break
    return found


def pair_off(candidates):
    """Return the rows that get a column: each, in order, if those before it keep one.

    `candidates` holds (row, the columns it may take), the first row first.
    """
    columns_of = dict(candidates)
    row_of = {}

    def takes_one(row, tried):
        for column in columns_of[row]:
            if column not in tried:
                tried.add(column)
                if column not in row_of or takes_one(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    return {row for row, _ in candidates if takes_one(row, set())}


def most_pairs(candidates):
    """Return the largest number of pairs there is, by trying all."""
    if not candidates:
        return 0
    (_, columns), *others = candidates
    best = most_pairs(others)
    for taken in columns:
        left = [(row, [c for c in theirs if c != taken]) for row, theirs in others]
        best = max(best, 1 + most_pairs(left))
    return best


def partners(found, wanted, radius):
    """Return for each found position those wanted within the radius, nearest to any first."""
    near = {p: [q for q in wanted if math.dist(p, q) <= radius] for p in found}
    rows = [p for p in found if near[p]]
    rows.sort(key=lambda p: min(math.dist(p, q) for q in near[p]))  # stable: raster order
    return [(p, near[p]) for p in rows]


def boundary_counts(truth_maps, test_map, shape, tolerance):
    """Return matched and all pixels of the test, matched and all of the truths."""
    radius = tolerance * math.sqrt(sum(side**2 for side in shape))
    matched, matched_truth, n_truth = set(), 0, 0
    for wanted in truth_maps:
        pairs = pair_off(partners(test_map, wanted, radius))
        matched |= pairs
        matched_truth += len(pairs)
        n_truth += len(wanted)
    return len(matched), len(test_map), matched_truth, n_truth


def scores(matched_test, n_test, matched_truth, n_truth):
    """Return precision, recall and F: 1 if both are empty, 0 if one is."""
    if n_test == 0 and n_truth == 0:
        return 1.0, 1.0, 1.0
    if n_test == 0 or n_truth == 0:
        return 0.0, 0.0, 0.0
    precision, recall = matched_test / n_test, matched_truth / n_truth
    if precision + recall == 0:
        return 0.0, 0.0, 0.0
    return precision, recall, 2 * precision * recall / (precision + recall)
