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

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _check, _gaussians, _mixtures, _threads
from ._gaussians import COVARIANCES
from ._mixtures import Mixture, Samples
from ._segmenter import Pixels, Segmenter


class GaussianMixtureSegmenter(Segmenter):
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

    def fit(self, image: Any, mask: Any = None) -> GaussianMixtureSegmenter:
        """Find the classes of an image, inside the mask.

        Parameters
        ----------
        image : array_like, (..., R, C), with one more axis if `channel_axis` is given
            Real, of 1 to 4 spatial dimensions, without NaN or infinite values.
        mask : array_like of bool, optional
            The pixels to learn from.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            For a wrong dtype or type, of a parameter too.
        ValueError
            For a wrong value or shape, NaN or infinite values, fewer pixels than classes.
        """
        self._fit(image, mask)
        return self

    def predict(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return the class of each pixel, 1..K, int32; 0 outside the mask."""
        return self._labels(*self._known(image, mask))

    def predict_proba(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return the shares of the classes at each pixel, the spatial shape and then (K,), double.

        They sum to 1; outside the mask they are 0.
        """
        pixels, samples = self._known(image, mask)
        scores = _mixtures.log_joint(self._mixture)
        rows = np.empty((len(samples.values), len(self.weights_)))

        def write(block: slice) -> None:
            shares = scores(samples, block)
            _gaussians.normalize(shares)
            rows[block] = shares.T

        self._each_block(write, len(rows))
        return pixels.spread(rows)

    def fit_predict(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return the class of each pixel of the image that the classes are learned from."""
        return self._labels(*self._fit(image, mask))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        _check.integer(self.n_classes, "n_classes", low=1)
        _check.choice(self.covariance, "covariance", COVARIANCES)
        _check.integer(self.max_iter, "max_iter", low=1)
        _check.number(self.tol, "tol")
        _check.generator(self.rng)
        _check.jobs(self.n_jobs)

    def _samples(self, pixels: Pixels) -> Samples:
        """Return the rows of an image, with the prior of its pixels."""
        prior = None
        if self.prior is not None:
            prior = _check.as_array(self.prior, "prior")
            wanted = (*pixels.shape, _check.integer(self.n_classes, "n_classes", low=1))
            if prior.shape != wanted:
                raise ValueError(
                    f"`prior` must have the shape of `image`, then one for each class, {wanted}, "
                    f"got {prior.shape}"
                )
            _check.refuse_not_finite(prior, "prior")
            if prior.size and prior.min() < 0:
                raise ValueError(f"`prior` must hold numbers >= 0, got {prior.min()}")
            prior = prior.reshape(-1, wanted[-1])
            prior = prior if pixels.inside is None else prior[pixels.inside]
        return Samples(_gaussians.values_for_kernel(pixels.values), None, prior)

    def _fit(self, image: Any, mask: Any) -> tuple[Pixels, Samples]:
        """Fit, and return the pixels so that labels need not read them again."""
        self._check_parameters()
        pixels = self._pixels(image, mask, native=True)
        n_classes = int(self.n_classes)
        _check.enough_pixels(len(pixels.values), n_classes)
        samples = self._samples(pixels)
        floor = _gaussians.variance_floor(samples.values)
        few = None if samples.prior is not None else _mixtures.histogram_of(samples.values)
        rows = samples if few is None else Samples(*few)
        mixture = self._start(rows, samples.values, floor)
        mixture, history = _mixtures.fit(
            rows, mixture, self.covariance, floor,
            max_iter=int(self.max_iter), tol=float(self.tol), n_threads=self._threads(),
        )  # fmt: skip
        self._keep(mixture if samples.prior is not None else mixture.ordered())
        self.log_likelihood_ = np.array(history)
        self.n_iter_ = len(history)
        self.n_features_in_ = samples.values.shape[1]
        return pixels, samples

    def _start(self, rows: Samples, values: np.ndarray, floor: np.ndarray) -> Mixture:
        """Return the mixture that EM starts from: of the prior, or of k-means."""
        n_classes = int(self.n_classes)
        if rows.prior is not None:
            weights_of = _mixtures.prior_shares(rows.prior)
        else:
            labels = _mixtures.start_labels(values, rows.values, n_classes, self.rng, self.n_jobs)
            weights_of = _mixtures.one_class_each(labels, rows.counts, n_classes)
        return _mixtures.start(rows, weights_of, n_classes, self.covariance, floor)

    def _keep(self, mixture: Mixture) -> None:
        self._mixture = mixture
        (self.means_, self.covariances_), self.weights_ = mixture

    def _known(self, image: Any, mask: Any) -> tuple[Pixels, Samples]:
        """Return the pixels of an image that suits what was fitted."""
        self._refuse_unfitted()
        self._check_parameters()
        pixels = self._pixels(image, mask, native=True)
        self._refuse_other_features(pixels.values.shape[1])
        return pixels, self._samples(pixels)

    def _labels(self, pixels: Pixels, samples: Samples) -> np.ndarray:
        """Return the likeliest class of each pixel."""
        few = None
        if samples.prior is None and len(samples.values):
            few = _mixtures.histogram_of(samples.values)
        rows = samples if few is None else Samples(few[0])
        scores = _mixtures.log_joint(self._mixture)
        labels = np.empty(len(rows.values), dtype=np.int32)

        def write(block: slice) -> None:
            np.add(_gaussians.first_largest(scores(rows, block)), 1, out=labels[block])

        self._each_block(write, len(labels))
        if few is not None:
            labels = _mixtures.looked_up(samples.values, few[0], labels)
        return pixels.spread(labels)

    def _each_block(self, write: Any, n: int) -> None:
        for _ in _threads.in_order(write, _gaussians.blocks(n), self._threads()):
            pass

    def _threads(self) -> int:
        return _threads.count(_check.jobs(self.n_jobs))


__all__ = ["GaussianMixtureSegmenter"]
