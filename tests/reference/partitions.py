"""Comparing partitions by definition: the plain version of ``segkit_ext/count_pairs.pyx``
and of all that is computed from its counts.

Pairs of pixels are counted one by one, and intersections are sets of positions.
"""

from fractions import Fraction
from itertools import combinations
from math import log2


def positions(truth, ignore=None):
    """Return the pixels that count."""
    return [p for p, label in enumerate(truth.ravel().tolist()) if label != ignore]


def members(labels, counted):
    """Return the set of pixels of each id, ids in rising order."""
    flat = labels.ravel().tolist()
    found = {}
    for p in counted:
        found.setdefault(flat[p], set()).add(p)
    return dict(sorted(found.items()))


def contingency(truth, test, ignore=None):
    """Return {(truth id, test id): pixels}, only pairs that occur, in rising order."""
    first, second = truth.ravel().tolist(), test.ravel().tolist()
    counts = {}
    for p in positions(truth, ignore):
        pair = first[p], second[p]
        counts[pair] = counts.get(pair, 0) + 1
    return dict(sorted(counts.items()))


def pairs_of_pixels(truth, test, ignore=None):
    """Return how many pairs are together in both, in the truth alone, the test alone, in none."""
    first, second = truth.ravel().tolist(), test.ravel().tolist()
    both = only_truth = only_test = neither = 0
    for p, q in combinations(positions(truth, ignore), 2):
        in_truth, in_test = first[p] == first[q], second[p] == second[q]
        both += in_truth and in_test
        only_truth += in_truth and not in_test
        only_test += in_test and not in_truth
        neither += not in_truth and not in_test
    return both, only_truth, only_test, neither


def rand_index(truth, test, ignore=None):
    both, only_truth, only_test, neither = pairs_of_pixels(truth, test, ignore)
    total = both + only_truth + only_test + neither
    return Fraction(both + neither, total) if total else 1


def adjusted_rand_index(truth, test, ignore=None):
    both, only_truth, only_test, neither = pairs_of_pixels(truth, test, ignore)
    total = both + only_truth + only_test + neither
    if only_truth + only_test == 0:
        return 1
    in_truth, in_test = both + only_truth, both + only_test
    expected = Fraction(in_truth * in_test, total)
    return (both - expected) / (Fraction(in_truth + in_test, 2) - expected)


def adapted_rand_error(truth, test, ignore=None):
    """Return error, precision, recall."""
    both, only_truth, only_test, _ = pairs_of_pixels(truth, test, ignore)
    precision = ratio(both, both + only_test, only_truth)
    recall = ratio(both, both + only_truth, only_test)
    if precision + recall == 0:
        return 1, precision, recall
    return 1 - 2 * precision * recall / (precision + recall), precision, recall


def ratio(part, whole, other):
    """Return part / whole; without a whole 1 if there is nothing else either, else 0."""
    if whole:
        return Fraction(part, whole)
    return Fraction(0 if other else 1)


def entropy(labels, counted):
    """Return the bits needed to tell a pixel's region."""
    shares = [len(region) / len(counted) for region in members(labels, counted).values()]
    return -sum(share * log2(share) for share in shares)


def information(truth, test, ignore=None):
    """Return H(truth), H(test) and their mutual information, in bits."""
    counted = positions(truth, ignore)
    mutual = 0.0
    for region in members(truth, counted).values():
        for other in members(test, counted).values():
            joint = len(region & other) / len(counted)
            if joint:
                apart = len(region) * len(other) / len(counted) ** 2
                mutual += joint * log2(joint / apart)
    return entropy(truth, counted), entropy(test, counted), mutual


def variation_of_information(truth, test, ignore=None):
    """Return H(test | truth), H(truth | test)."""
    of_truth, of_test, mutual = information(truth, test, ignore)
    return of_test - mutual, of_truth - mutual


def normalized_mutual_information(truth, test, ignore=None):
    of_truth, of_test, mutual = information(truth, test, ignore)
    return mutual / ((of_truth + of_test) / 2) if of_truth + of_test else 1


def region_overlaps(truth, test, ignore=None):
    """Return (truth id, area, test id, IoU) of the best overlap of each region of the truth."""
    counted = positions(truth, ignore)
    rows = []
    for label, region in members(truth, counted).items():
        best, of_best = 0, None
        for other_label, other in members(test, counted).items():
            iou = Fraction(len(region & other), len(region | other))
            if iou > best:
                best, of_best = iou, other_label
        rows.append((label, len(region), of_best, best))
    return rows


def segmentation_covering(truths, test, ignore=None):
    rows = [row for truth in truths for row in region_overlaps(truth, test, ignore)]
    area = sum(row[1] for row in rows)
    return sum(row[1] * row[3] for row in rows) / Fraction(area) if area else 1
