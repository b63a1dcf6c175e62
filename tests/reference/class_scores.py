"""Scores of class images by definition, pixel by pixel.

The counts behind them come from ``segkit_ext/count_pairs.pyx``.
"""

import math

import numpy as np


def confusion_matrix(truth, test, n_classes):
    """Return counts of (true class, given class); pixels of true class 0 are left out."""
    matrix = [[0] * (n_classes + 1) for _ in range(n_classes + 1)]
    for p in np.ndindex(truth.shape):
        if truth[p]:
            matrix[truth[p]][test[p]] += 1
    return matrix


def pixel_accuracy(truth, test):
    """Return the part of the pixels that got their class."""
    right = [test[p] == truth[p] for p in np.ndindex(truth.shape) if truth[p]]
    return sum(right) / len(right) if right else 1.0


def members(labels, truth, k):
    """Return the pixels of class k where the truth has any class."""
    return {p for p in np.ndindex(labels.shape) if truth[p] and labels[p] == k}


def classes(truth, test):
    """Return the classes that either has where the truth has any."""
    pixels = [p for p in np.ndindex(truth.shape) if truth[p]]
    return sorted({a[p].item() for a in (truth, test) for p in pixels} - {0})


def class_accuracy(truth, test):
    """Return the mean recall of the classes of the truth."""
    recalls = []
    for k in classes(truth, truth):
        wanted = members(truth, truth, k)
        recalls.append(len(wanted & members(test, truth, k)) / len(wanted))
    return sum(recalls) / len(recalls) if recalls else 1.0


def iou(truth, test, k):
    """Return intersection over union of a class, 1 if there is none."""
    wanted, given = members(truth, truth, k), members(test, truth, k)
    return len(wanted & given) / len(wanted | given) if wanted | given else 1.0


def mean_iou(truth, test):
    """Return the mean over the classes that either has."""
    found = [iou(truth, test, k) for k in classes(truth, test)]
    return sum(found) / len(found) if found else 1.0


def outline(labels, truth, k):
    """Return the pixels p where one of p and its next pixel is of class k, and the other not."""
    found = []
    for p in np.ndindex(labels.shape):
        for axis in range(labels.ndim):
            q = (*p[:axis], p[axis] + 1, *p[axis + 1 :])
            if (
                q[axis] < labels.shape[axis]
                and truth[p]
                and truth[q]
                and (labels[p] == k) != (labels[q] == k)
            ):
                found.append(p)
                break
    return found


def share_near(some, others, radius):
    """Return the share of positions with another within the radius."""
    if not some or not others:
        return float(len(some) == len(others))
    return sum(min(math.dist(p, q) for q in others) <= radius for p in some) / len(some)


def boundary_f1(truth, test, tolerance):
    """Return the mean F1 of outlines over the classes that either has."""
    radius = tolerance * math.sqrt(sum(side**2 for side in truth.shape))
    scores = []
    for k in classes(truth, test):
        if not members(truth, truth, k) or not members(test, truth, k):
            scores.append(0.0)
            continue
        wanted, given = outline(truth, truth, k), outline(test, truth, k)
        precision, recall = share_near(given, wanted, radius), share_near(wanted, given, radius)
        total = precision + recall
        scores.append(2 * precision * recall / total if total else 0.0)
    return sum(scores) / len(scores) if scores else 1.0
