"""The Potts model and three ways to a cheap labeling: segkit_ext/settle.pyx, segkit_ext/cut.pyx.

A model is a pair of dictionaries: costs {pixel: [cost of class 1, 2, ...]} and weights
{(pixel, neighbor): weight}, each pair once, the first in raster order first.  All of them
are whole numbers of units of 2**-16.
"""

from itertools import product
from math import dist, exp, log, sqrt

import numpy as np

from tests.reference.grid import neighbors
from tests.reference.max_flow import max_flow

UNIT = 2.0**-16


def make_model(proba, inside, beta, floor, connectivity, image=None, sigma=None):
    """Return the costs and weights for arrays proba (..., K), inside, and image (..., C)."""
    shape = inside.shape
    pixels = [p for p in product(*map(range, shape)) if inside[p]]
    costs = {}
    for p in pixels:
        total = float(proba[p].sum())
        n_classes = len(proba[p])
        shares = [float(v) / total if total else 1 / n_classes for v in proba[p]]
        costs[p] = [round(-log(max(share, floor)) / UNIT) for share in shares]
    pairs = [(p, q) for p in pixels for q in neighbors(p, shape, connectivity) if inside[q]]
    pairs = [(p, q) for p, q in pairs if p < q]
    falloff = dict.fromkeys(pairs, 1.0)
    if image is not None:
        contrast = {(p, q): dist(map(float, image[p]), map(float, image[q])) for p, q in pairs}
        if sigma is None:
            sigma = sqrt(sum(d * d for d in contrast.values()) / max(len(pairs), 1))
        for pair, d in contrast.items():
            falloff[pair] = exp(-0.5 * (d / sigma) ** 2) if d else 1.0
    weights = {(p, q): round(beta / dist(p, q) * falloff[p, q] / UNIT) for p, q in pairs}
    return costs, weights


def energy(model, labels):
    """Return what a labeling {pixel: class} costs, in units."""
    costs, weights = model
    return sum(costs[p][labels[p] - 1] for p in costs) + sum(
        weight for (p, q), weight in weights.items() if labels[p] != labels[q]
    )


def cheapest_each(model):
    """Return the cheapest class of each pixel, the lowest of several."""
    return {p: prices.index(min(prices)) + 1 for p, prices in model[0].items()}


def icm(model, max_iter, start=None):
    """Give each pixel in turn its cheapest class as its neighbors stand, until none changes."""
    costs, weights = model
    labels = dict(start or cheapest_each(model))
    for _ in range(max_iter):
        before = dict(labels)
        for p in sorted(costs):
            prices = [
                cost + sum(weights[e] for e in weights if p in e and labels[other(e, p)] != k + 1)
                for k, cost in enumerate(costs[p])
            ]
            if min(prices) < prices[labels[p] - 1]:
                labels[p] = prices.index(min(prices)) + 1
        if labels == before:
            break
    return labels


def mean_field(model, max_iter, tol):
    """Return {pixel: probabilities}, each pixel in turn given those its neighbors imply."""
    costs, weights = model
    belief = {p: softmax([-UNIT * cost for cost in costs[p]]) for p in costs}
    for _ in range(max_iter):
        change = 0.0
        for p in sorted(costs):
            gains = [
                UNIT * (-cost + sum(weights[e] * belief[other(e, p)][k] for e in weights if p in e))
                for k, cost in enumerate(costs[p])
            ]
            new = softmax(gains)
            change = max(change, *(abs(a - b) for a, b in zip(new, belief[p], strict=True)))
            belief[p] = new
        if change <= tol:
            break
    return belief


def free_energy(model, belief):
    """Return the mean of the energy over independent pixels minus their entropy, in nats."""
    costs, weights = model
    total = 0.0
    for p, shares in belief.items():
        total += sum(b * c * UNIT for b, c in zip(shares, costs[p], strict=True))
        total += sum(b * log(b) for b in shares if b > 0)
    for (p, q), weight in weights.items():
        alike = sum(a * b for a, b in zip(belief[p], belief[q], strict=True))
        total += weight * UNIT * (1 - alike)
    return total


def softmax(gains):
    """Return exp(gains), divided by their sum."""
    powers = [exp(g - max(gains)) for g in gains]
    return [power / sum(powers) for power in powers]


def other(edge, p):
    """Return the other end of an edge."""
    return edge[1] if edge[0] == p else edge[0]


def expansions(model, max_iter, start=None):
    """Offer each class in turn to all pixels, until a round of offers changes nothing."""
    n_classes = len(next(iter(model[0].values())))
    labels = dict(start or cheapest_each(model))
    if n_classes == 2:
        labels = dict.fromkeys(labels, 1)
    in_vain = 0
    for _ in range(max_iter):
        for alpha in range(1, n_classes + 1):
            new = expand(model, labels, alpha)
            in_vain = 1 if new != labels else in_vain + 1
            labels = new
            if in_vain == n_classes:
                return labels
    return labels


def expand(model, labels, alpha):
    """Return the cheapest labeling in which pixels keep their class or change to alpha.

    Of several, the one that changes fewest pixels: a pixel changes if it stands on the
    source's side of the smallest cheapest cut.
    """
    costs, weights = model
    capacities = {}

    def add(u, v, capacity):
        capacities[u, v] = capacities.get((u, v), 0) + capacity

    for p in costs:
        if labels[p] != alpha:
            add("source", p, costs[p][labels[p] - 1])  # paid if p stays
            add(p, "sink", costs[p][alpha - 1])  # paid if p changes
    for (p, q), weight in weights.items():
        changing = [r for r in (p, q) if labels[r] != alpha]
        if len(changing) == 1:
            add("source", changing[0], weight)  # an edge unless it changes
        elif len(changing) == 2 and labels[p] == labels[q]:
            add(p, q, weight)  # an edge if one changes alone
            add(q, p, weight)
        elif len(changing) == 2:
            add("source", p, weight)  # an edge unless both change
            add(p, q, weight)
    _, changed = max_flow(capacities, "source", "sink")
    return {p: alpha if p in changed else label for p, label in labels.items()}


def gaussian_model(values, means, covariances, inside, beta, connectivity):
    """Return the model of Gaussian classes, and what is left out of its costs, in nats.

    The cost of a class is the logarithm of the best class's density minus its own's, at
    most 1000 nats: only differences between classes matter.
    """
    densities = {
        p: [log_density(values[p], m, c) for m, c in zip(means, covariances, strict=True)]
        for p in product(*map(range, inside.shape))
        if inside[p]
    }
    costs = {
        p: [round(min(max(scores) - score, 1000) / UNIT) for score in scores]
        for p, scores in densities.items()
    }
    pairs = [(p, q) for p in costs for q in neighbors(p, inside.shape, connectivity) if inside[q]]
    weights = {(p, q): round(beta / dist(p, q) / UNIT) for p, q in pairs if p < q}
    return (costs, weights), densities


def log_density(value, mean, covariance):
    """Return the logarithm of a Gaussian's density."""
    away = value - mean
    square = float(away @ np.linalg.inv(covariance) @ away)
    return -0.5 * (square + log(np.linalg.det(2 * np.pi * covariance)))


def shares_given_neighbors(model, densities, labels):
    """Return {pixel: shares}: density times exp(weight of the neighbors of that class)."""
    shares = {}
    for p, scores in densities.items():
        gains = list(scores)
        for edge, weight in model[1].items():
            if p in edge:
                gains[labels[other(edge, p)] - 1] += weight * UNIT
        shares[p] = softmax(gains)
    return shares


def weighted_gaussians(values, shares, before, floor):
    """Return the means and covariances of pixels that belong to classes in shares.

    No variance along an axis of a covariance is below `floor`; a class without pixels stays.
    """
    means, covariances = [], []
    for k in range(len(before[0])):
        total = sum(share[k] for share in shares.values())
        if total <= np.finfo(float).tiny:
            means.append(before[0][k])
            covariances.append(before[1][k])
            continue
        mean = sum(share[k] * values[p] for p, share in shares.items()) / total
        spread = sum(
            share[k] * np.outer(values[p] - mean, values[p] - mean) for p, share in shares.items()
        )
        sizes, axes = np.linalg.eigh(spread / total)
        means.append(mean)
        covariances.append(axes @ np.diag(np.maximum(sizes, floor)) @ axes.T)
    return means, covariances


def hidden_field(values, start, inside, beta, connectivity, floor, settle, rounds):
    """Alternate field and EM so many rounds; return means, covariances, and the energies.

    values (..., p); start (means, covariances); settle(model, labels before or None)
    returns labels.  The last energy is that of the classes returned.
    """
    means, covariances = start
    labels, energies = None, []
    while True:
        model, densities = gaussian_model(values, means, covariances, inside, beta, connectivity)
        labels = settle(model, labels)
        left_out = sum(max(scores) for scores in densities.values())
        energies.append(energy(model, labels) * UNIT - left_out)
        if len(energies) == rounds:
            return means, covariances, energies
        shares = shares_given_neighbors(model, densities, labels)
        means, covariances = weighted_gaussians(values, shares, (means, covariances), floor)
