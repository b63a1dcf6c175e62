"""Baum-Welch, shares and best paths of a hidden Markov chain that is as long as an image.

The chain is worked on in blocks.  A forward pass keeps what the classes looked like
where each block begins, and nothing else; then the blocks are taken from the last to
the first, each once more forward and then backward.  So memory does not grow with the
number of classes times the number of pixels.

Of one channel of integers with few values the densities are found once for each value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

import segkit_ext.chain as kernel

from . import _gaussians, _mixtures, _threads
from ._gaussians import Gaussians, Moments

# No change of classes is less likely, and no density of a pixel counts less than this share of
# the largest (see the kernel): every product stays a positive number.
_LEAST = 1e-100
MOST_CLASSES = 256
_STRETCH = 16  # pixels, a square of 4 x 4 on a Hilbert curve
_ENOUGH = 16  # stretches for a class
_PERSISTENCE = 0.999  # of the classes in the chain that Baum-Welch starts from


class Chain(NamedTuple):
    """What generates the classes along a path, and what they look like."""

    classes: Gaussians
    start: np.ndarray  # (K,), at the first pixel
    transition: np.ndarray  # (K, K), from the row's class to the column's

    def ordered(self) -> Chain:
        """Return the same with the classes in increasing order of their means."""
        order = _gaussians.order_by_mean(self.classes.means)
        return Chain(
            self.classes.taken(order), self.start[order], self.transition[np.ix_(order, order)]
        )


class _Scores:
    """Log densities of blocks of a sequence, from a table where values are few."""

    def __init__(self, values: np.ndarray, classes: Gaussians) -> None:
        self.values, self.table, self.low = values, None, 0
        self.density = _gaussians.density_of(classes)
        if values.shape[1] == 1 and values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
            self.low = int(values.min())
            each = np.arange(self.low, int(values.max()) + 1)
            self.table = self.density(each.astype(values.dtype)[:, np.newaxis])
            scaled = self.table.copy()
            self.largest = _scale(scaled)
            self.scaled = scaled

    def of(self, block: slice) -> np.ndarray:
        """Return the log densities, (K, pixels)."""
        if self.table is None:
            return self.density(self.values[block])
        return self.table.take(self._codes(block), axis=1)

    def scaled_of(self, block: slice) -> tuple[np.ndarray, float]:
        """Return densities divided by the largest of the pixel, and the logarithm taken out."""
        if self.table is None:
            scores = self.density(self.values[block])
            return scores, float(_scale(scores).sum())
        codes = self._codes(block)
        return self.scaled.take(codes, axis=1), float(self.largest[codes].sum())

    def _codes(self, block: slice) -> np.ndarray:
        return self.values[block, 0].astype(np.intp) - self.low


def _scale(scores: np.ndarray) -> np.ndarray:
    """Turn log densities (K, n) into shares of the largest, in place; return the largest."""
    largest = scores.max(axis=0)
    scores -= largest
    np.exp(scores, out=scores)
    return largest


def start(
    values: np.ndarray,
    cluster: Callable[[np.ndarray], np.ndarray],
    n_classes: int,
    covariance: str,
    floor: np.ndarray,
) -> Chain:
    """Return a chain for Baum-Welch to start from; `cluster` gives rows to classes 0 .. K - 1.

    Noise is averaged out first: clusters are those of the means of short stretches, which
    on a Hilbert curve are small squares.  And classes persist: of a start with many changes
    Baum-Welch seldom finds back to large regions, the other way round it does.
    """
    stretch = _STRETCH if len(values) >= _STRETCH * _ENOUGH * n_classes else 1
    labels = np.repeat(cluster(_stretch_means(values, stretch)), stretch)[: len(values)]
    classes, weights = _mixtures.start(
        _mixtures.Samples(values), _mixtures.one_class_each(labels, None, n_classes),
        n_classes, covariance, floor,
    )  # fmt: skip
    transition = np.full((n_classes, n_classes), (1 - _PERSISTENCE) / max(n_classes - 1, 1))
    np.fill_diagonal(transition, _PERSISTENCE if n_classes > 1 else 1.0)
    return Chain(classes, weights, transition)


def _stretch_means(values: np.ndarray, stretch: int) -> np.ndarray:
    """Return the means of stretches of a sequence, the last one of what is left."""
    if stretch == 1:
        return values
    n, p = values.shape
    whole = values[: n - n % stretch].reshape(-1, stretch, p).mean(axis=1, dtype=np.float64)
    rest = values[n - n % stretch :]
    means = whole if not len(rest) else np.vstack([whole, rest.mean(axis=0, dtype=np.float64)])
    return means.astype(np.float32 if values.dtype.itemsize <= 4 else np.float64)


class _Steps:
    """The forward pass over a sequence: what is expected where each block begins."""

    def __init__(self, values: np.ndarray, chain: Chain, n_threads: int) -> None:
        self.chain, self.n_threads = chain, n_threads
        self.scores = _Scores(values, chain.classes)
        self.transition = np.maximum(chain.transition, _LEAST)
        self.blocks = list(_gaussians.blocks(len(values)))
        self.expected: list[np.ndarray] = []
        self.likelihood = 0.0
        expected = np.maximum(chain.start, _LEAST)
        none, nothing = np.empty((0, 0)), np.empty(0)
        for emissions, taken_out in _threads.in_order(
            self.scores.scaled_of, self.blocks, n_threads
        ):
            self.expected.append(expected.copy())
            self.likelihood += taken_out + kernel.forward(
                emissions, self.transition, expected, False, none, nothing
            )

    def _again(self, which: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return densities, shares given the past and scale of a block."""
        emissions, _ = self.scores.scaled_of(self.blocks[which])
        shares, scale = np.empty(emissions.shape[::-1]), np.empty(emissions.shape[1])
        kernel.forward(emissions, self.transition, self.expected[which].copy(), True, shares, scale)
        return emissions, shares, scale

    def backward(self, changes: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield blocks from the last to the first, with the shares (K, pixels) given all.

        `changes` (K, K) grows by the expected number of changes from class to class.
        """
        n_classes = len(changes)
        pairs, ahead, last = np.zeros((n_classes, n_classes)), np.ones(n_classes), True
        order = range(len(self.blocks) - 1, -1, -1)
        for which, (emissions, shares, scale) in zip(
            order, _threads.in_order(self._again, order, self.n_threads), strict=True
        ):
            given_all = np.empty(emissions.shape)
            kernel.backward(emissions, self.transition, shares, scale, ahead, given_all, pairs)
            if last:  # the kernel counts a change behind the end, where there is none
                pairs -= shares[-1][:, np.newaxis]
                last = False
            yield self.blocks[which], given_all
        changes += self.transition * np.maximum(pairs, 0.0)


def improve(
    values: np.ndarray, chain: Chain, covariance: str, floor: np.ndarray, n_threads: int
) -> tuple[Chain, float]:
    """Return the chain after one round of Baum-Welch, and the mean log-likelihood before it."""
    steps = _Steps(values, chain, n_threads)
    changes = np.zeros(chain.transition.shape)
    sums, given_all = Moments.empty(chain.classes.means, covariance), np.empty((0, 0))
    for block, given_all in steps.backward(changes):
        sums = sums.plus(Moments.of(values[block], given_all, chain.classes.means, covariance))
    totals = changes.sum(axis=1, keepdims=True)
    transition = np.where(totals > 0, changes / np.where(totals > 0, totals, 1), chain.transition)
    classes = _gaussians.class_estimates(sums, covariance, floor, chain.classes)
    first = given_all[:, 0]  # of the first block, which is the last to come
    return Chain(classes, first / first.sum(), transition), steps.likelihood / len(values)


def fit(
    values: np.ndarray,
    chain: Chain,
    covariance: str,
    floor: np.ndarray,
    *,
    max_iter: int,
    tol: float,
    n_threads: int,
) -> tuple[Chain, list[float]]:
    """Return the chain when Baum-Welch ends, and the mean log-likelihood before each round."""
    return _gaussians.climb(
        chain,
        lambda now: improve(values, now, covariance, floor, n_threads),
        max_iter=max_iter,
        tol=tol,
    )


def shares(values: np.ndarray, chain: Chain, n_threads: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks from the last to the first, with the shares (K, pixels) of the classes."""
    steps = _Steps(values, chain, n_threads)
    yield from steps.backward(np.zeros(chain.transition.shape))


def best_path(values: np.ndarray, chain: Chain, n_threads: int) -> np.ndarray:
    """Return the likeliest sequence of classes, 0 .. K - 1, as bytes."""
    scores = _Scores(values, chain.classes)
    transition = np.log(np.maximum(chain.transition, _LEAST))
    expected = np.log(np.maximum(chain.start, _LEAST))
    # The last pixel is looked at by itself: nothing follows that it could change to.
    end = len(values) - 1
    blocks, begins = list(_gaussians.blocks(end)), []
    none = np.empty((0, 0), dtype=np.uint8)
    for of_block in _threads.in_order(scores.of, blocks, n_threads):
        begins.append(expected.copy())
        kernel.best(of_block, transition, expected, False, none)

    def origin_of(which: int) -> np.ndarray:
        of_block = scores.of(blocks[which])
        origin = np.empty(of_block.shape[::-1], dtype=np.uint8)
        kernel.best(of_block, transition, begins[which].copy(), True, origin)
        return origin

    path = np.empty(len(values), dtype=np.uint8)
    path[end] = (expected + scores.of(slice(end, end + 1))[:, 0]).argmax()
    order = range(len(blocks) - 1, -1, -1)
    for which, origin in zip(order, _threads.in_order(origin_of, order, n_threads), strict=True):
        kernel.trace(origin, int(path[blocks[which].stop]), path[blocks[which]])
    return path
