"""EM for Gaussian classes of pixels whose labels are a Potts field.

Each round settles the field for the classes as they are, and then asks how likely each
pixel is in each class given its neighbors (E), and which classes fit pixels best that belong to
them in these shares (M).  With neighbors at hand a pixel between two classes is seldom
in doubt, so classes that overlap are told apart where a mixture cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import _gaussians, _potts, _threads
from ._gaussians import Gaussians, Moments
from ._potts import Field

_HIGHEST = 1000.0  # nats; a class less likely than exp(-1000) costs no more
SOLVERS = ("icm", "mean_field", "graph_cut")


class Sweeps(NamedTuple):
    """How a field is settled."""

    solver: str
    max_iter: int
    tol: float


class Settled(NamedTuple):
    """A labeling of the pixels inside, and what it says of them."""

    labels: np.ndarray  # flat and padded, 0 outside
    belief: np.ndarray | None  # of the mean field, (padded, K)
    energy: float  # in nats
    shares: Callable[[slice], np.ndarray]  # (K, pixels) of a block: the classes given neighbors


def empty_field(
    shape: tuple[int, ...], inside: np.ndarray | None, n_classes: int, *, beta: float,
    connectivity: int,
) -> Field:  # fmt: skip
    """Return the field over the pixels inside, still without costs."""
    return _potts.make_field(
        n_classes, shape, inside, beta=beta, highest=_HIGHEST, connectivity=connectivity
    )


def settle(
    field: Field,
    values: np.ndarray,
    classes: Gaussians,
    sweeps: Sweeps,
    n_threads: int,
    before: Settled | None = None,
) -> Settled:
    """Return the field settled for pixels (n, p) and classes, from what it was before.

    Writes the costs of the field, and over the belief from before. Shares are computed when
    asked for, block by block: so nothing in double is as large as the image times the
    classes, but for the mean field.
    """
    density = _gaussians.density_of(classes)

    def price(block: slice) -> float:
        scores = density(values[block])
        best = scores.max(axis=0)
        _potts.write_costs(field, block, np.minimum(best - scores, _HIGHEST).T)
        return float(best.sum())

    def shares_by_labels(block: slice) -> np.ndarray:
        scores = density(values[block])
        scores += _potts.support(field, labels, block)
        _gaussians.normalize(scores)
        return scores

    def shares_by_belief(block: slice) -> np.ndarray:
        assert belief is not None
        return np.ascontiguousarray(belief[field.places[block]].T)

    best = sum(_threads.in_order(price, _gaussians.blocks(len(values)), n_threads))
    belief, shares = None, shares_by_labels
    if sweeps.solver == "mean_field":
        belief = _potts.settle_means(
            field, sweeps.max_iter, sweeps.tol, None if before is None else before.belief
        )
        labels, shares = _potts.most_probable(field, belief), shares_by_belief
    else:
        labels = _potts.cheapest(field) if before is None else before.labels
        solve = _potts.settle if sweeps.solver == "icm" else _potts.expand
        labels = solve(field, labels, sweeps.max_iter)
    return Settled(labels, belief, _potts.energy(field, labels) - best, shares)


def estimate(
    values: np.ndarray,
    shares: Callable[[slice], np.ndarray],
    covariance: str,
    floor: np.ndarray,
    before: Gaussians,
    n_threads: int,
) -> Gaussians:
    """Return the classes that fit best pixels (n, p) which belong to them in shares.

    A class without pixels stays as it was `before`.
    """

    def of_block(block: slice) -> Moments:
        return Moments.of(values[block], shares(block), before.means, covariance)

    total = Moments.empty(before.means, covariance)
    for part in _threads.in_order(of_block, _gaussians.blocks(len(values)), n_threads):
        total = total.plus(part)
    return _gaussians.class_estimates(total, covariance, floor, before)


def fit(
    field: Field,
    values: np.ndarray,
    classes: Gaussians,
    covariance: str,
    floor: np.ndarray,
    sweeps: Sweeps,
    *,
    max_iter: int,
    tol: float,
    n_threads: int,
) -> tuple[Gaussians, list[float]]:
    """Return the classes when EM ends, and the energy of the field settled in each round.

    It ends when a round changes the energy by less than `tol` for each pixel, or after
    `max_iter` rounds; the last energy is that of the classes returned.
    """
    energies: list[float] = []
    settled: Settled | None = None
    while True:
        settled = settle(field, values, classes, sweeps, n_threads, settled)
        energies.append(settled.energy)
        small = len(energies) > 1 and abs(energies[-1] - energies[-2]) < tol * len(values)
        if small or len(energies) == max_iter:
            return classes, energies
        classes = estimate(values, settled.shares, covariance, floor, classes, n_threads)
