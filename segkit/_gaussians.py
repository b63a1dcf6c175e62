"""Gaussian classes of pixels, which the mixture, the Markov field and the Markov chain share.

A class is a mean and a covariance: full (any ellipsoid), diagonal (each feature on its
own) or spherical (one variance for all).  Two questions are answered here: how
likely is each pixel in each class, and which means and covariances fit pixels best that
belong to each class with a given weight.  Both are the steps of every EM algorithm.

A variance never falls below a floor.  Without one a class can close in on a single
value and its density grow without end.  Where the best covariance would be narrower
than the floor in some direction, it is the floor in that direction: among all
covariances that are nowhere narrower this is the most likely, so with the floor, too,
EM never makes the likelihood fall.

Pixels are taken in blocks of a fixed length, and what is summed over a block is added
in the order of blocks, without BLAS: results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np

import segkit_ext.gaussians as kernel

from . import _check

Model = TypeVar("Model")
COVARIANCES = ("full", "diag", "spherical")
BLOCK = 1 << 14  # pixels; the arrays of a block stay in the second level cache
# A class of the floor's deviation is a thousandth as wide as the image's values.
_RELATIVE_FLOOR = 1e-6
_ROUNDING = 1 / 12  # the variance of what was rounded to integers
_STRIP = kernel.strip_length()
# Types without a kernel go into the next that holds their values.
_WIDENED: dict[np.dtype, np.dtype] = {
    **{np.dtype(t): np.dtype(np.int32) for t in (np.int8, np.int16)},
    **{np.dtype(t): np.dtype(np.int64) for t in (np.uint32, np.uint64)},
    np.dtype(np.bool_): np.dtype(np.uint8),
    np.dtype(np.float16): np.dtype(np.float32),
}


class Gaussians(NamedTuple):
    """Classes 0 .. K - 1 of pixels with p features."""

    means: np.ndarray  # (K, p), double
    covariances: np.ndarray  # full (K, p, p), diag (K, p), spherical (K,)

    def taken(self, order: np.ndarray) -> Gaussians:
        """Return the classes in another order."""
        return Gaussians(self.means[order], self.covariances[order])


def values_for_kernel(values: np.ndarray) -> np.ndarray:
    """Return pixels (n, p) C-contiguous in a type that the kernel reads; the values stay.

    Those that a double cannot hold, or not their squares, are refused.
    """
    _check.refuse_huge(values, "image")
    _check.refuse_inexact(values, "image")
    dtype = values.dtype.newbyteorder("=")
    return np.ascontiguousarray(values, dtype=_WIDENED.get(dtype, dtype))


def blocks(n: int) -> Iterator[slice]:
    """Yield the blocks that pixels are taken in."""
    for begin in range(0, n, BLOCK):
        yield slice(begin, min(begin + BLOCK, n))


def variance_floor(values: np.ndarray) -> np.ndarray:
    """Return the least variance of each feature, (p,), for pixels (n, p) as the kernel reads them.

    Integers: 1/12, the variance of rounding.  Floats: a millionth of the feature's
    variance; of a constant feature, of the mean variance; 1/12 if all are constant.
    """
    if values.dtype.kind in "biu":
        return np.full(values.shape[1], _ROUNDING)
    variances = class_estimates(
        Moments.of(values, None, values[:1].astype(np.float64), "diag"), "diag", None
    ).covariances[0]
    if not variances.any():
        return np.full(values.shape[1], _ROUNDING)
    return _RELATIVE_FLOOR * np.where(variances > 0, variances, variances.mean())


def log_densities(values: np.ndarray, classes: Gaussians) -> np.ndarray:
    """Return the logarithm of each class's density at each pixel, (K, n) in double.

    `values` (n, p) come from `values_for_kernel`.
    """
    factors, constants = _factors(classes)
    return _log_densities(values, classes.means, factors, constants)


def density_of(classes: Gaussians) -> Callable[[np.ndarray], np.ndarray]:
    """Return `log_densities` of these classes, their factors found once for many blocks."""
    factors, constants = _factors(classes)
    return lambda values: _log_densities(values, classes.means, factors, constants)


def _log_densities(
    values: np.ndarray, means: np.ndarray, factors: np.ndarray, constants: np.ndarray
) -> np.ndarray:
    (n_classes, p), n = means.shape, len(values)
    out = np.empty((n_classes, n))
    kernel.log_densities(
        values.reshape(-1), means, factors, constants,
        np.empty((p, _STRIP)), np.empty((p, _STRIP)), np.empty((2, _STRIP)), out,
    )  # fmt: skip
    return out


def _factors(classes: Gaussians) -> tuple[np.ndarray, np.ndarray]:
    """Return F with F^T F the inverse covariance, as the kernel wants it, and log densities."""
    means, covariances = classes
    p = means.shape[1]
    if covariances.ndim == 3:
        lower = np.linalg.cholesky(covariances)
        factors = np.linalg.solve(lower, np.broadcast_to(np.eye(p), lower.shape))
        factors = np.ascontiguousarray(np.tril(factors))
        diagonal = np.diagonal(factors, axis1=1, axis2=2)
    else:
        spread = np.sqrt(covariances if covariances.ndim == 2 else covariances[:, np.newaxis])
        diagonal = np.ascontiguousarray(np.broadcast_to(1 / spread, means.shape))
        factors = diagonal[:, np.newaxis, :]
    return factors, np.log(diagonal).sum(axis=1) - 0.5 * p * np.log(2 * np.pi)


def normalize(scores: np.ndarray) -> np.ndarray:
    """Turn log scores (K, n) into shares that sum to 1 over the classes, in place.

    Returns the logarithm of the sum of scores at each pixel, (n,).  A pixel where
    every score is -inf gets equal shares.
    """
    largest = scores.max(axis=0)
    impossible = np.isneginf(largest)
    if impossible.any():
        scores[:, impossible] = 0.0
    scores -= np.where(impossible, 0.0, largest)
    np.exp(scores, out=scores)
    total = scores.sum(axis=0)
    scores /= total
    largest += np.log(total)
    return largest


def scaled_to_one(shares: np.ndarray) -> np.ndarray:
    """Return numbers >= 0 (n, K) in double, each row divided by its sum; all 0: equal shares."""
    rows = shares.astype(np.float64)
    largest = rows.max(axis=1, keepdims=True)
    undecided = largest == 0
    rows /= np.where(undecided, 1, largest)  # first, because the sum may be too large for a double
    rows += undecided
    rows /= rows.sum(axis=1, keepdims=True)
    return rows


def first_largest(scores: np.ndarray) -> np.ndarray:
    """Return the class of the largest score at each pixel, int32; of equals the lowest.

    scores (K, n).  No choice between pixels, which NumPy's argmax makes: several times quicker.
    """
    best, label = scores[0], np.zeros(scores.shape[1], dtype=np.int32)
    for k in range(1, len(scores)):
        later = np.multiply(scores[k] > best, np.int32(k), dtype=np.int32)
        np.maximum(label, later, out=label)
        best = np.maximum(best, scores[k])
    return label


class Moments(NamedTuple):
    """Weighted sums over pixels for each class; those of several blocks add."""

    sums: np.ndarray  # (K, columns), see the kernel
    centers: np.ndarray  # (K, p)

    @classmethod
    def empty(cls, centers: np.ndarray, covariance: str) -> Moments:
        """Return the sums over no pixel at all."""
        n_classes, p = centers.shape
        n_products = p * (p + 1) // 2 if covariance == "full" else p
        return cls(np.zeros((n_classes, 1 + p + n_products)), centers)

    @classmethod
    def of(
        cls, values: np.ndarray, weights: np.ndarray | None, centers: np.ndarray, covariance: str
    ) -> Moments:
        """Return the sums of pixels (n, p) with weights (K, n); None: 1 for all.

        `centers` (K, p) are what differences are taken from, near the means.
        """
        n, (n_classes, p) = len(values), centers.shape
        full = covariance == "full"
        sums = cls.empty(centers, covariance).sums
        strip, centered, weighted = (np.empty((p + more, _STRIP)) for more in (0, 0, 2))
        for block in blocks(n):
            own = np.zeros_like(sums)
            length = block.stop - block.start
            of_block = np.ones((n_classes, length)) if weights is None else weights[:, block]
            kernel.add_moments(
                values[block].reshape(-1), np.ascontiguousarray(of_block, np.float64), centers,
                full, strip, centered, weighted, own,
            )  # fmt: skip
            sums += own
        return cls(sums, centers)

    def plus(self, other: Moments) -> Moments:
        """Return the sums over the pixels of both, which have the same centers."""
        return Moments(self.sums + other.sums, self.centers)

    @property
    def totals(self) -> np.ndarray:
        """The sum of the weights of each class, (K,)."""
        return self.sums[:, 0]


def class_estimates(
    moments: Moments, covariance: str, floor: np.ndarray | None, before: Gaussians | None = None
) -> Gaussians:
    """Return the means and covariances that fit the weighted pixels best.

    `floor` (p,) holds the least variance of each feature.  A class without pixels stays
    as it was `before`; without that, at its center with the floor's covariance.
    """
    sums, centers = moments
    p = centers.shape[1]
    none = ~(sums[:, 0] > np.finfo(np.float64).tiny)
    totals = np.where(none, 1.0, sums[:, 0])[:, np.newaxis]
    shift = np.where(none[:, np.newaxis], 0.0, sums[:, 1 : 1 + p] / totals)
    products = np.where(none[:, np.newaxis], 0.0, sums[:, 1 + p :] / totals)
    least = np.zeros(p) if floor is None else floor
    if covariance == "full":
        covariances = np.empty((len(sums), p, p))
        rows, columns = np.tril_indices(p)
        covariances[:, rows, columns] = products - shift[:, rows] * shift[:, columns]
        covariances[:, columns, rows] = covariances[:, rows, columns]
        if floor is not None:
            covariances = _nowhere_narrower(covariances, floor)
    else:
        covariances = np.maximum(products - shift * shift, 0.0)
        if covariance == "spherical":
            covariances, least = covariances.mean(axis=1), least.mean()
        covariances = np.maximum(covariances, least)
    means = centers + shift
    if before is not None and none.any():
        means[none], covariances[none] = before.means[none], before.covariances[none]
    return Gaussians(means, covariances)


def _nowhere_narrower(covariances: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return covariances (K, p, p) widened to the floor in the directions where they are below."""
    unit = np.sqrt(floor)
    scale = unit[:, np.newaxis] * unit
    spreads, axes = np.linalg.eigh(covariances / scale)
    wide = np.all(spreads >= 1.0, axis=1)
    lifted = np.einsum("kij,kj,klj->kil", axes, np.maximum(spreads, 1.0), axes) * scale
    lifted = 0.5 * (lifted + np.swapaxes(lifted, 1, 2))
    return np.where(wide[:, np.newaxis, np.newaxis], covariances, lifted)


def order_by_mean(means: np.ndarray) -> np.ndarray:
    """Return the classes in increasing order of the first feature's mean, then of the next."""
    return np.lexsort(means.T[::-1])


def climb(
    model: Model, improve: Callable[[Model], tuple[Model, float]], *, max_iter: int, tol: float
) -> tuple[Model, list[float]]:
    """Return the model when EM ends, and the mean log-likelihood of a pixel before each round.

    `improve` gives the model after a round, and the likelihood before it.  EM ends when
    a round adds less than `tol`, or after `max_iter` rounds.
    """
    history: list[float] = []
    for _ in range(max_iter):
        model, likelihood = improve(model)
        history.append(likelihood)
        if len(history) > 1 and abs(history[-1] - history[-2]) < tol:
            break
    return model, history
