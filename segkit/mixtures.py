"""Mixture of Gaussians: classes that overlap, found without examples.

Each class of pixels is taken to scatter around its mean as a Gaussian does, and the image
to be a mixture of K classes.  Their means, covariances and weights are those under which
the image is most likely; EM finds them in rounds.  Unlike k-means, a mixture knows
wide and narrow classes, frequent and rare ones, and says how sure it is of each pixel.

An atlas can say in advance where which class is likely: then it takes the place of the
weights, pixel by pixel.

Limits.  EM climbs to the nearest top, which need not be the highest: the start
counts.  Each pixel is judged on its own, so noise in the image is noise in the labels: see
`MarkovRandomFieldSegmenter` and `HiddenMarkovChainSegmenter`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _check, _gaussians, _mixtures, _threads
from ._gaussian_segmenter import GaussianSegmenter
from ._mixtures import Mixture, Samples
from ._segmenter import Pixels


class GaussianMixtureSegmenter(GaussianSegmenter):
    """Classes of pixels as a mixture of Gaussians, fitted by EM.

    Parameters
    ----------
    n_classes : int >= 1
        How many.
    features : sequence of str
        What a pixel is described by: names of `pixel_features`.
    covariance : {"full", "diag", "spherical"}
        The shape of a class: any ellipsoid; along the features; a ball.
    prior : array_like, the spatial shape and then (n_classes,), optional
        How likely each class is at each pixel before it is looked at (a probabilistic
        atlas): finite, >= 0, scaled to sum to 1; where all are 0, all are equal. It takes
        the place of the weights, and EM starts from it.
    max_iter : int >= 1
        The most rounds of EM.
    tol : float >= 0
        EM ends when a round adds less than this to the mean log-likelihood of a pixel.
    rng : int or Generator
        For the start by k-means.
    n_jobs : int
        Threads; -1 is one for each core. The result does not depend on it.
    sigmas : sequence of float > 0, in pixels
        Scales of the features that have some.
    channel_axis : int, optional
        The axis of channels. None: a one-channel image.

    Attributes
    ----------
    means_ : ndarray (K, p)
        In the units of the features.
    covariances_ : ndarray
        (K, p, p) "full", (K, p) "diag", (K,) "spherical".
    weights_ : ndarray (K,)
        The shares of the classes, which sum to 1; with a prior, their mean over the pixels.
    log_likelihood_ : ndarray (n_iter_,)
        The mean log-likelihood (nats) of a pixel before each round; it never falls.
    n_iter_ : int
        Rounds; `max_iter` if EM did not end by itself.
    n_features_in_ : int
        Columns of features.

    Notes
    -----
    The steps of EM [1]_ [2]_ work on logarithms, so no density underflows. A class is at
    least as wide as a floor: for integers the variance 1/12 of rounding, for floats a
    millionth of the feature's variance. Where a covariance would be narrower in some
    direction it is lifted there, which is the likeliest one allowed.

    Classes are numbered 1..K by increasing mean of the first feature, then of the next; with
    a prior they keep its order. The start is k-means.

    **One channel of integers** without a prior is worked on as its histogram: the same
    result up to rounding, in time that hardly depends on the size of the image.

    **Ties**: A pixel that is equally likely in several classes gets the lowest.

    **Cost**: Per round O(pixels × K × p²), "diag" and "spherical" O(pixels × K × p); memory beyond
    the features a few blocks of 16384 pixels.

    Kernel: ``segkit_ext/gaussians.pyx``. Plain version: ``tests/reference/mixtures.py``.

    References
    ----------
    .. [1] A. P. Dempster, N. M. Laird, D. B. Rubin (1977), Maximum likelihood from
       incomplete data via the EM algorithm, Journal of the Royal Statistical Society B 39(1),
       1-38. :doi:`10.1111/j.2517-6161.1977.tb01600.x`
    .. [2] C. M. Bishop (2006), Pattern Recognition and Machine Learning, section 9.2, Springer,
       ISBN 978-0-387-31073-2.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> image = np.array([[1, 2, 1, 40], [2, 1, 60, 50], [1, 55, 45, 50]])
    >>> mixture = segkit.GaussianMixtureSegmenter(2)
    >>> mixture.fit_predict(image)
    array([[1, 1, 1, 2],
           [1, 1, 2, 2],
           [1, 2, 2, 2]], dtype=int32)
    >>> mixture.means_.round(1).tolist()
    [[1.3], [50.0]]
    """

    def __init__(
        self,
        n_classes: int,
        *,
        features: Sequence[str] = ("intensity",),
        covariance: str = "full",
        prior: Any = None,
        max_iter: int = 100,
        tol: float = 1e-3,
        rng: int | np.random.Generator = 0,
        n_jobs: int = 1,
        sigmas: Sequence[float] = (1.0, 2.0, 4.0),
        channel_axis: int | None = None,
    ) -> None:
        self.n_classes = n_classes
        self.features = features
        self.covariance = covariance
        self.prior = prior
        self.max_iter = max_iter
        self.tol = tol
        self.rng = rng
        self.n_jobs = n_jobs
        self.sigmas = sigmas
        self.channel_axis = channel_axis

    def _check_place(self, shape: tuple[int, ...], mask: np.ndarray | None) -> None:
        if self.prior is None:
            return
        prior = _check.as_array(self.prior, "prior")
        wanted = (*shape, int(self.n_classes))
        if prior.shape != wanted:
            raise ValueError(
                f"`prior` must have the shape of `image`, then one for each class, {wanted}, "
                f"got {prior.shape}"
            )
        _check.probabilities(prior, "prior", inside=mask)

    def _learn(self, pixels: Pixels, floor: np.ndarray) -> None:
        """Find the classes by EM, from a start by k-means or, if there is one, by the prior."""
        n_classes = int(self.n_classes)
        rows = self._samples(pixels)
        if rows.prior is None:
            rows, mixture = _mixtures.start_by_k_means(
                pixels.values, n_classes, self.covariance, floor, self.rng, self.n_jobs
            )
        else:
            weights_of = _mixtures.prior_shares(rows.prior)
            mixture = _mixtures.start(rows, weights_of, n_classes, self.covariance, floor)
        mixture, history = _mixtures.fit(
            rows, mixture, self.covariance, floor,
            max_iter=int(self.max_iter), tol=float(self.tol), n_threads=self._n_threads(),
        )  # fmt: skip
        if self.prior is None:
            mixture = mixture.ordered()
        (self.means_, self.covariances_), self.weights_ = mixture
        self.log_likelihood_ = np.array(history)
        self.n_iter_ = len(history)

    def _labels(self, pixels: Pixels) -> np.ndarray:
        few = None
        if self.prior is None and len(pixels.values):
            few = _mixtures.histogram_of(pixels.values)
        rows = self._samples(pixels) if few is None else Samples(few[0])
        scores = _mixtures.log_joint(self._mixture)
        labels = np.empty(len(rows.values), dtype=np.int32)

        def write(block: slice) -> None:
            np.add(_gaussians.first_largest(scores(rows, block)), 1, out=labels[block])

        self._each_block(write, len(labels))
        if few is not None:
            labels = _mixtures.looked_up(pixels.values, few[0], labels)
        return pixels.spread(labels)

    def _shares(self, pixels: Pixels) -> np.ndarray:
        samples = self._samples(pixels)
        scores = _mixtures.log_joint(self._mixture)
        rows = np.empty((len(samples.values), len(self.weights_)))

        def write(block: slice) -> None:
            shares = scores(samples, block)
            _gaussians.normalize(shares)
            rows[block] = shares.T

        self._each_block(write, len(rows))
        return pixels.spread(rows)

    def _samples(self, pixels: Pixels) -> Samples:
        """Return the pixels with the prior at each."""
        prior = None
        if self.prior is not None:
            prior = np.asarray(self.prior).reshape(-1, int(self.n_classes))
            prior = prior if pixels.inside is None else prior[pixels.inside]
        return Samples(pixels.values, None, prior)

    @property
    def _mixture(self) -> Mixture:
        return Mixture(self._classes, self.weights_)

    def _each_block(self, write: Callable[[slice], None], n: int) -> None:
        for _ in _threads.in_order(write, _gaussians.blocks(n), self._n_threads()):
            pass


__all__ = ["GaussianMixtureSegmenter"]
