"""EM for a mixture of Gaussians over the rows of a table, in blocks.

Each round asks how likely each row is in each class (E), and then which classes fit
rows best that belong to them in these shares (M).  The likelihood never falls.  A row
may stand for many pixels: an image of few gray levels is its histogram, the distinct
values weighted by their counts, and gives the same sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import _check, _gaussians, _lloyd, _threads
from ._gaussians import Gaussians, Moments

# No class gets lost to a weight of 0, whose logarithm is none.
_LEAST = float(np.finfo(np.float64).tiny)
_ROUNDS = 100  # of k-means, at most


class Mixture(NamedTuple):
    """Classes of pixels and how frequent each is."""

    classes: Gaussians
    weights: np.ndarray  # (K,)

    def ordered(self) -> Mixture:
        """Return the same with the classes in increasing order of their means."""
        order = _gaussians.order_by_mean(self.classes.means)
        return Mixture(self.classes.taken(order), self.weights[order])


class Samples(NamedTuple):
    """Rows of features that EM runs over."""

    values: np.ndarray  # (n, p), for the kernel
    counts: np.ndarray | None = None  # (n,), how many pixels each row is; None: one each
    prior: np.ndarray | None = None  # (n, K), shares at each row; None: the weights

    @property
    def n_pixels(self) -> int:
        """The number of pixels that the rows stand for."""
        return len(self.values) if self.counts is None else int(self.counts.sum())


def histogram_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the distinct values (m, 1) of pixels (n, 1) and their counts.

    None where that does not pay: floats, several features, or a wide range.
    """
    if values.shape[1] != 1 or values.dtype.kind not in "biu":
        return None
    low, high = int(values.min()), int(values.max())
    if high - low >= max(1 << 12, len(values) // 8) or high > np.iinfo(np.int64).max:
        return None
    counts = np.zeros(high - low + 1, dtype=np.int64)
    for block in _gaussians.blocks(len(values)):  # bincount makes a copy of what it gets
        steps = values[block, 0].astype(np.int64) - low
        counts += np.bincount(steps, minlength=len(counts))
    found = np.flatnonzero(counts)
    return (found + low).astype(values.dtype)[:, np.newaxis], counts[found]


def looked_up(values: np.ndarray, distinct: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the label of each of the values (n, 1), given those of the distinct ones."""
    low = int(distinct[0, 0])
    table = np.zeros(int(distinct[-1, 0]) - low + 1, dtype=labels.dtype)
    table[distinct[:, 0].astype(np.int64) - low] = labels
    out = np.empty(len(values), dtype=labels.dtype)
    for block in _gaussians.blocks(len(values)):
        np.take(table, values[block, 0].astype(np.int64) - low, out=out[block], mode="clip")
    return out


def start(
    samples: Samples,
    weights_of: Callable[[slice], np.ndarray],
    n_classes: int,
    covariance: str,
    floor: np.ndarray,
) -> Mixture:
    """Return the mixture that fits best when rows belong to classes with given weights.

    `weights_of` gives the weights of a block of rows, (K, rows).
    """
    values = samples.values
    classes = Gaussians(np.repeat(values[:1].astype(np.float64), n_classes, axis=0), floor)
    for last in (False, True):  # once more from the means: variances are precise near them
        sums = Moments.empty(classes.means, covariance)
        for block in _gaussians.blocks(len(values)):
            sums = sums.plus(
                Moments.of(values[block], weights_of(block), classes.means, covariance)
            )
        classes = _gaussians.class_estimates(sums, covariance, floor, classes if last else None)
    return Mixture(classes, _shares(sums.totals))


def start_labels(
    values: np.ndarray,
    rows: np.ndarray,
    n_classes: int,
    rng: int | np.random.Generator,
    n_jobs: int,
) -> np.ndarray:
    """Return the class 0 .. K - 1 of each of `rows` when k-means divides `values`.

    Warns where there are fewer different values than classes: some then stay empty.
    """
    table, generator = _lloyd.samples(values), _check.generator(rng)
    begin = _lloyd.plus_plus_start(_lloyd.draw_sample(table, generator), n_classes, generator)
    centers = _lloyd.lloyd(
        _lloyd.gather(table), begin, max_iter=_ROUNDS, tol=1e-4, n_jobs=n_jobs
    ).centers
    _lloyd.warn_of_empty(centers)
    labels = np.empty(len(rows), dtype=np.int32)
    _lloyd.label(_lloyd.samples(rows), centers, labels, n_jobs)
    labels -= 1
    return labels


def start_by_k_means(
    values: np.ndarray,
    n_classes: int,
    covariance: str,
    floor: np.ndarray,
    rng: int | np.random.Generator,
    n_jobs: int,
) -> tuple[Samples, Mixture]:
    """Return the rows that EM has to run over for pixels (n, p), and what it starts from."""
    few = histogram_of(values)
    rows = Samples(values) if few is None else Samples(*few)
    labels = start_labels(values, rows.values, n_classes, rng, n_jobs)
    weights_of = one_class_each(labels, rows.counts, n_classes)
    return rows, start(rows, weights_of, n_classes, covariance, floor)


def one_class_each(
    labels: np.ndarray, counts: np.ndarray | None, n_classes: int
) -> Callable[[slice], np.ndarray]:
    """Return weights for `start` that give each row wholly to one class, 0 .. K - 1."""

    def weights_of(block: slice) -> np.ndarray:
        rows = np.zeros((n_classes, block.stop - block.start))
        rows[labels[block], np.arange(rows.shape[1])] = 1 if counts is None else counts[block]
        return rows

    return weights_of


def prior_shares(prior: np.ndarray) -> Callable[[slice], np.ndarray]:
    """Return weights for `start`: the prior (n, K) itself, scaled to the sum 1."""
    return lambda block: np.exp(_log_prior(prior[block]))


def log_joint(mixture: Mixture) -> Callable[[Samples, slice], np.ndarray]:
    """Return a function that gives log(weight * density) of each class in a block, (K, rows)."""
    density = _gaussians.density_of(mixture.classes)
    weights = np.log(np.maximum(mixture.weights, _LEAST))[:, np.newaxis]

    def scores(samples: Samples, block: slice) -> np.ndarray:
        out = density(samples.values[block])
        out += weights if samples.prior is None else _log_prior(samples.prior[block])
        return out

    return scores


def _log_prior(prior: np.ndarray) -> np.ndarray:
    """Return the logarithm of shares (rows, K) that sum to 1, (K, rows); all 0: equal shares."""
    with np.errstate(divide="ignore"):
        return np.log(np.ascontiguousarray(_gaussians.scaled_to_one(prior).T))


def improve(
    samples: Samples, mixture: Mixture, covariance: str, floor: np.ndarray, n_threads: int
) -> tuple[Mixture, float]:
    """Return the mixture after one round, and the mean log-likelihood before it."""
    scores = log_joint(mixture)

    def of_block(block: slice) -> tuple[float, Moments]:
        shares = scores(samples, block)
        likely = _gaussians.normalize(shares)
        if samples.counts is not None:
            shares *= samples.counts[block]
            likely *= samples.counts[block]
        moments = Moments.of(samples.values[block], shares, mixture.classes.means, covariance)
        return float(likely.sum()), moments

    total, sums = 0.0, Moments.empty(mixture.classes.means, covariance)
    for likely, moments in _threads.in_order(
        of_block, _gaussians.blocks(len(samples.values)), n_threads
    ):
        total += likely
        sums = sums.plus(moments)
    classes = _gaussians.class_estimates(sums, covariance, floor, mixture.classes)
    return Mixture(classes, _shares(sums.totals)), total / samples.n_pixels


def _shares(totals: np.ndarray) -> np.ndarray:
    return totals / totals.sum()


def fit(
    samples: Samples,
    mixture: Mixture,
    covariance: str,
    floor: np.ndarray,
    *,
    max_iter: int,
    tol: float,
    n_threads: int,
) -> tuple[Mixture, list[float]]:
    """Return the mixture when EM ends, and the mean log-likelihood before each round."""
    return _gaussians.climb(
        mixture,
        lambda now: improve(samples, now, covariance, floor, n_threads),
        max_iter=max_iter,
        tol=tol,
    )
