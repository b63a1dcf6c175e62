"""What segmenters with Gaussian classes share: the mixture, the Markov field and the Markov chain.

All three describe a class by a mean and a covariance, find both by EM from a start by
k-means, and then say which class a pixel belongs to, or in which shares.  They differ in
what a pixel knows besides its own features: nothing, its neighbors, or the rest of a path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from . import _check, _gaussians, _threads
from ._gaussians import COVARIANCES, Gaussians
from ._segmenter import Pixels, Segmenter


class GaussianSegmenter(Segmenter, ABC):
    """The way from an image to Gaussian classes, and with them to labels and shares.

    A subclass finds its classes in `_learn`, and says in `_labels` and `_shares` what
    pixels are. Their values are always such as `_gaussians` takes.
    """

    n_classes: int
    covariance: str
    max_iter: int
    tol: float
    rng: int | np.random.Generator
    n_jobs: int
    means_: np.ndarray
    covariances_: np.ndarray

    def fit(self, image: Any, mask: Any = None) -> Self:
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
            For a wrong value or shape, NaN or infinite values, integers beyond 2**53 and
            floats beyond 1e150 (features beyond float32), fewer pixels than classes.
        """
        self._learned(image, mask)
        return self

    def predict(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return the class of each pixel, 1..K, int32; 0 outside the mask."""
        return self._labels(self._known(image, mask))

    def predict_proba(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return the shares of the classes at each pixel, the spatial shape and then (K,), double.

        They sum to 1; outside the mask they are 0.
        """
        return self._shares(self._known(image, mask))

    def fit_predict(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return the class of each pixel of the image that the classes are learned from."""
        return self._labels(self._learned(image, mask))

    @abstractmethod
    def _learn(self, pixels: Pixels, floor: np.ndarray) -> None:
        """Find the classes of pixels; no variance is less than the floor."""

    @abstractmethod
    def _labels(self, pixels: Pixels) -> np.ndarray:
        """Return the class of each pixel, in the shape of the image."""

    @abstractmethod
    def _shares(self, pixels: Pixels) -> np.ndarray:
        """Return the shares of the classes at each pixel, in the shape of the image."""

    def _check_parameters(self) -> None:
        super()._check_parameters()
        _check.integer(self.n_classes, "n_classes", low=1)
        _check.choice(self.covariance, "covariance", COVARIANCES)
        _check.integer(self.max_iter, "max_iter", low=1)
        _check.number(self.tol, "tol")
        _check.generator(self.rng)
        _check.jobs(self.n_jobs)

    def _learned(self, image: Any, mask: Any) -> Pixels:
        """Find the classes; return the pixels, so that labels need not compute them again."""
        self._check_parameters()
        pixels = self._pixels(image, mask, native=True, least=int(self.n_classes))
        pixels = pixels._replace(values=_gaussians.values_for_kernel(pixels.values))
        self._learn(pixels, _gaussians.variance_floor(pixels.values))
        self.n_features_in_ = pixels.values.shape[1]
        return pixels

    def _known(self, image: Any, mask: Any) -> Pixels:
        """Return the pixels of an image that suits what was fitted."""
        self._refuse_unfitted()
        self._check_parameters()
        if self.n_classes != len(self.means_):
            raise ValueError(
                f"`n_classes` must be {len(self.means_)}, as in `fit`, got {self.n_classes}"
            )
        pixels = self._pixels(image, mask, native=True)
        self._refuse_other_features(pixels.values.shape[1])
        return pixels._replace(values=_gaussians.values_for_kernel(pixels.values))

    @property
    def _classes(self) -> Gaussians:
        return Gaussians(self.means_, self.covariances_)

    def _n_threads(self) -> int:
        return _threads.count(self.n_jobs)
