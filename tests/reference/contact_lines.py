"""Strength along borders by definition: what ``segkit/_contact_lines.py`` computes."""

from math import atan2, floor, pi

import numpy as np


def contacts(labels):
    """Return {(u, v): [(p, q), ...]}, p a pixel of u < v and q its neighbor in v."""
    found = {}
    for p in np.ndindex(labels.shape):
        for q in ((p[0] + 1, p[1]), (p[0], p[1] + 1)):
            if q[0] == labels.shape[0] or q[1] == labels.shape[1]:
                continue
            one, two = labels[p].item(), labels[q].item()
            if one and two and one != two:
                ends = (p, q) if one < two else (q, p)
                found.setdefault((min(one, two), max(one, two)), []).append(ends)
    return found


def normal(contact, others, reach):
    """Return the sum of the steps from region to region over the contacts within reach."""
    total = [0, 0]
    for p, q in others:
        apart = [(p[k] + q[k] - contact[0][k] - contact[1][k]) / 2 for k in (0, 1)]
        if apart[0] ** 2 + apart[1] ** 2 <= reach**2:
            total = [total[k] + q[k] - p[k] for k in (0, 1)]
    return total


def along(contact, direction, oriented):
    """Return the strength at a contact along a line (rows, columns), between two orientations."""
    n = len(oriented)

    def mean(plane):
        return (float(plane[contact[0]]) + float(plane[contact[1]])) / 2

    if direction == [0, 0]:
        return mean(np.max(oriented, axis=0))
    turn = atan2(*direction) / pi * n % n
    low = floor(turn)
    part = turn - low
    return (1 - part) * mean(oriented[low % n]) + part * mean(oriented[(low + 1) % n])


def strength_sums(labels, oriented, reach):
    """Return {(u, v): sum over their contacts of the strength along the border there}."""
    sums = {}
    for pair, found in contacts(labels).items():
        sums[pair] = 0.0
        for contact in found:
            down, right = normal(contact, found, reach)
            sums[pair] += along(contact, [right, -down], oriented)
    return sums
