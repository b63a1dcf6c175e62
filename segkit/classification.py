"""Classification by example: a pixel is what the pixels are that look like it.

Someone has marked some pixels, with a few scribbles or completely, and named their
classes.  A classifier learns from these which features go with which class, and
names every other pixel, in this image or in others like it.

Nearest neighbors (`KNNSegmenter`) need no training: a pixel gets the class that most of
the k marked pixels have whose features are nearest to its own.  Classes may have any
shape in the space of features, and a new scribble is taken in at once.  Every
feature counts as much as its units make it count, and features that tell nothing
blur the rest: few and telling ones are best.  `PixelClassifier` puts any classifier of
scikit-learn in the same place, which may weigh features by itself.

Limits.  Each pixel is classified alone, so results are speckled where classes
overlap: smooth them with `segkit.regularize`.  What nobody has marked has no class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _check, _sample_tree
from ._examples import BLOCK, Samples, Supervised

_LARGEST = {4: 1e38, 8: 1e150}  # of values in 4 and in 8 bytes, so that nothing overflows
_WEIGHTS = ("uniform", "distance")
_MEASURED = 1 << 28  # numbers that a block is compared with at worst: a few tenths of a second


class KNNSegmenter(Supervised):
    """The class that most of the k most similar annotated pixels have.

    Parameters
    ----------
    n_neighbors : int >= 1
        How many samples vote, k.
    features : sequence of str
        What pixels are compared by, see `segkit.pixel_features`. Distances are
        Euclidean over all columns, in their units.
    weights : {"uniform", "distance"}
        "uniform": each neighbor has one vote. "distance": one over its distance; where
        neighbors are at distance 0, these alone vote, one vote each.
    max_samples : int, optional
        At most so many annotated pixels are kept, from each class as many, drawn at random;
        what a class of fewer leaves goes to the others, what does not go into equal parts to
        the most frequent. At least the number of classes. None: all.
    rng : int or numpy.random.Generator
        For `max_samples`.
    n_jobs : int
        Threads for prediction, -1 for one on each core; ``SEGKIT_NUM_THREADS`` caps it. The
        result does not depend on it.
    channel_axis : int, optional
        The axis of channels. None: one-channel images.
    sigmas : sequence of float > 0, in pixels
        Scales of features that have several.

    Attributes
    ----------
    classes_ : (K,) int32 or int64 array
        The values of the annotation other than 0, ascending.
    n_features_in_ : int
        The number of features of a pixel.
    n_samples_ : int
        How many annotated pixels are kept.

    Notes
    -----
    `n_neighbors` and `weights` may be set anew after `fit`: samples need not be learned again.

    **Ties**: neighbors are ordered by distance, then class, so of samples that are equally far
    the lowest classes are taken. Of classes with equally many votes the lowest wins. So
    neither the order of images and pixels nor the search has a part in the result.

    **Exactness**: what brute force finds in double precision, no approximation. Features are
    float32, where intensities alone are the feature the image's own values: distances between
    integers are exact up to 2**53, squared. Values beyond 1e150 (in float32: 1e38) are refused.

    **Cost**: fitting O(m log m) for m samples. Prediction about O(log m) for each pixel with few
    features, in as little as a third of a microsecond; O(m) with very many. A pixel that looks
    exactly like one shortly before is not searched again. Memory of the samples, and of the
    features of the image, 4 bytes each. Kernel: ``segkit_ext/nearest_samples.pyx``. Plain
    version: ``tests/reference/classification.py``.

    References
    ----------
    .. [1] T. Cover and P. Hart, "Nearest neighbor pattern classification", IEEE Transactions on
       Information Theory 13(1), 1967. doi:10.1109/TIT.1967.1053964
    .. [2] J. H. Friedman, J. L. Bentley and R. A. Finkel, "An algorithm for finding best matches
       in logarithmic expected time", ACM Transactions on Mathematical Software 3(3), 1977.
       doi:10.1145/355744.355745

    Examples
    --------
    >>> import segkit
    >>> image = [[1, 2, 8, 9],
    ...          [2, 2, 7, 9]]
    >>> scribbles = [[1, 0, 0, 2],
    ...              [1, 0, 0, 2]]
    >>> knn = segkit.KNNSegmenter(n_neighbors=1).fit(image, scribbles)
    >>> knn.predict(image)
    array([[1, 1, 2, 2],
           [1, 1, 2, 2]], dtype=int32)
    >>> knn.predict_proba([5, 9]).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    native = True

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        features: Sequence[str] = ("intensity",),
        weights: str = "uniform",
        max_samples: int | None = None,
        rng: int | np.random.Generator = 0,
        n_jobs: int = 1,
        channel_axis: int | None = None,
        sigmas: Sequence[float] = (1.0, 2.0, 4.0),
    ) -> None:
        self.n_neighbors = n_neighbors
        self.features = features
        self.weights = weights
        self.max_samples = max_samples
        self.rng = rng
        self.n_jobs = n_jobs
        self.channel_axis = channel_axis
        self.sigmas = sigmas

    def predict_proba(self, image: ArrayLike) -> np.ndarray:
        """Return the share of each class in the votes of each pixel's neighbors.

        Parameters
        ----------
        image : array_like
            An image with as many features as those of `fit`, of any size.

        Returns
        -------
        proba : (..., K) float32 array
            The spatial shape, then one column for each of `classes_`; columns sum to 1.

        Raises
        ------
        TypeError, ValueError
            For a bad image, another number of features, or before `fit`.
        """
        return self._shares(image)

    def _learn(self, samples: Samples) -> None:
        self._neighbors_of(len(samples.values))
        _refuse_huge(samples.values)
        self._origin = _origin_of(samples.values)
        numbers = _numbers(samples.values, self._origin)
        self._tree = _sample_tree.grow(numbers, samples.owner, samples.classes.size)

    def _answers(self, values: np.ndarray, *, shares: bool) -> Callable[[slice], np.ndarray]:
        n_neighbors = self._neighbors_of(self.n_samples_)
        _refuse_huge(values)
        tree = self._tree.holding(_numbers(values[:0], self._origin).dtype)

        def answer(block: slice) -> np.ndarray:
            numbers = _numbers(values[block], self._origin).astype(tree.dtype, copy=False)
            winner, proba = _sample_tree.vote(
                tree, numbers, n_neighbors, by_distance=self.weights == "distance",
                shares=shares,
            )  # fmt: skip
            return proba if shares else winner

        return answer

    def _block(self) -> int:
        # A thread that is not the main one hears of Ctrl-C when its block is done
        return max(1, min(BLOCK, _MEASURED // (self.n_samples_ * self.n_features_in_)))

    def _neighbors_of(self, n_samples: int) -> int:
        """Return how many of so many samples vote."""
        n_neighbors = _check.integer(self.n_neighbors, "n_neighbors", low=1)
        if n_neighbors > n_samples:
            raise ValueError(
                f"`n_neighbors` must be at most the number of samples, {n_samples}, "
                f"got {n_neighbors}"
            )
        return n_neighbors

    def _check_parameters(self) -> None:
        super()._check_parameters()
        _check.integer(self.n_neighbors, "n_neighbors", low=1)
        _check.choice(self.weights, "weights", _WEIGHTS)
        _check.jobs(self.n_jobs)


def _origin_of(values: np.ndarray) -> int:
    """Return what is subtracted before anything else: 64-bit integers may be far from 0."""
    wide = values.dtype.kind in "iu" and values.dtype.itemsize == 8
    return int(values.min()) if wide else 0


def _numbers(values: np.ndarray, origin: int) -> np.ndarray:
    """Return features as the search has them: in float32 where that holds them all, or double."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if not origin:
        small = size <= 2 or (kind == "f" and size <= 4)
        return np.ascontiguousarray(values, dtype=np.float32 if small else np.float64)
    if kind == "f":
        return np.ascontiguousarray(values, dtype=np.float64) - origin
    # Differences modulo 2**64 are exact, on either side of the origin
    bits = values.astype(np.uint64) - np.uint64(origin % 2**64)
    below = values < origin
    apart = np.where(below, -bits, bits).astype(np.float64)
    return np.where(below, -apart, apart)


def _refuse_huge(values: np.ndarray) -> None:
    """Refuse values of which differences or squares are not finite."""
    largest = _LARGEST.get(values.dtype.itemsize)
    if values.dtype.kind == "f" and largest is not None and values.size:
        found = max(-values.min(), values.max())
        if found > largest:
            raise ValueError(f"`image` must hold values up to {largest:g}, got {found:g}")


class PixelClassifier(Supervised):
    """Any classifier of scikit-learn, for pixels.

    Parameters
    ----------
    estimator : scikit-learn classifier
        What has `fit`, `predict` and, for probabilities, `predict_proba`: logistic regression,
        a perceptron, a multilayer perceptron, a support vector machine, a random forest, a
        pipeline with a scaler before. `fit` works on a clone of it.
    features : sequence of str
        What the classifier gets to see of a pixel, see `segkit.pixel_features`.
    max_samples : int, optional
        At most so many annotated pixels are used, from each class as many, drawn at random;
        what a class of fewer leaves goes to the others, what does not go into equal parts to
        the most frequent. At least the number of classes. None: all.
    rng : int or numpy.random.Generator
        For `max_samples`. The classifier has a `random_state` of its own.
    channel_axis : int, optional
        The axis of channels. None: one-channel images.
    sigmas : sequence of float > 0, in pixels
        Scales of features that have several.

    Attributes
    ----------
    classes_ : (K,) int32 or int64 array
        The values of the annotation other than 0, ascending.
    estimator_ : scikit-learn classifier
        The fitted clone.
    n_features_in_ : int
        The number of features of a pixel.
    n_samples_ : int
        How many annotated pixels are used.

    Notes
    -----
    Classifiers that add features up want these in units of one size: put a
    ``StandardScaler`` before them.

    **Ties**: as the classifier has them.

    **Cost**: that of the classifier, in blocks of pixels, so that memory beyond the features of
    the image stays bounded. Plain version: ``tests/reference/classification.py``.

    Examples
    --------
    >>> import segkit
    >>> from sklearn.linear_model import LogisticRegression
    >>> image = [[1, 2, 8, 9],
    ...          [2, 2, 7, 9]]
    >>> scribbles = [[1, 0, 0, 2],
    ...              [1, 0, 0, 2]]
    >>> classifier = segkit.PixelClassifier(LogisticRegression()).fit(image, scribbles)
    >>> classifier.predict(image)
    array([[1, 1, 2, 2],
           [1, 1, 2, 2]], dtype=int32)
    """

    def __init__(
        self,
        estimator: Any,
        *,
        features: Sequence[str] = ("intensity",),
        max_samples: int | None = None,
        rng: int | np.random.Generator = 0,
        channel_axis: int | None = None,
        sigmas: Sequence[float] = (1.0, 2.0, 4.0),
    ) -> None:
        self.estimator = estimator
        self.features = features
        self.max_samples = max_samples
        self.rng = rng
        self.channel_axis = channel_axis
        self.sigmas = sigmas

    @property
    def predict_proba(self) -> Callable[[ArrayLike], np.ndarray]:
        """A method that returns the probability of each class of each pixel.

        ``predict_proba(image)`` gives an array of float32: the spatial shape, then one column
        for each of `classes_`. It is there if the classifier has it, otherwise asking for it is
        an AttributeError, as in scikit-learn.
        """
        estimator = getattr(self, "estimator_", self.estimator)
        if not hasattr(estimator, "predict_proba"):
            *_, (_, last) = getattr(estimator, "steps", [("", estimator)])  # of a pipeline
            raise AttributeError(
                f"`estimator` gives no probabilities: {type(last).__name__} has no `predict_proba`"
            )
        return self._shares

    def _learn(self, samples: Samples) -> None:
        from sklearn.base import clone

        estimator = clone(self.estimator)
        estimator.fit(samples.values, samples.classes[samples.owner])
        known = np.asarray(getattr(estimator, "classes_", samples.classes))
        if not np.array_equal(np.sort(known, axis=None), samples.classes):
            raise ValueError(
                f"`estimator` must learn the classes of `annotation`, {samples.classes}, "
                f"but has as `classes_` {known!r:.60}"
            )
        self._columns = np.argsort(known)
        self.estimator_ = estimator

    def _answers(self, values: np.ndarray, *, shares: bool) -> Callable[[slice], np.ndarray]:
        def classify(block: slice) -> np.ndarray:
            rows = values[block]
            return _positions(self.estimator_.predict(rows), len(rows), self.classes_)

        def divide(block: slice) -> np.ndarray:
            rows = values[block]
            proba = self.estimator_.predict_proba(rows)
            return _probabilities(proba, (len(rows), self.classes_.size))[:, self._columns]

        return divide if shares else classify

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for needed in ("fit", "predict", "get_params"):
            method = getattr(self.estimator, needed, None)
            if isinstance(self.estimator, type) or not callable(method):
                raise TypeError(
                    f"`estimator` must be a classifier of scikit-learn's kind, with `{needed}`, "
                    f"got {self.estimator!r:.60}"
                )


def _positions(predicted: Any, n: int, classes: np.ndarray) -> np.ndarray:
    """Return where in `classes` the values are that a classifier gave for n pixels."""
    found = np.asarray(predicted)
    if found.shape != (n,):
        raise ValueError(
            f"`estimator` must predict one class for each of {n} pixel(s), "
            f"got an array of shape {found.shape}"
        )
    if found.dtype.kind in "biuf":
        places = np.minimum(np.searchsorted(classes, found), classes.size - 1)
        known = classes[places] == found
        if known.all():
            return places
        found = found[~known]
    raise ValueError(
        f"`estimator` must predict the classes of `annotation`, {classes}, got {found[0]!s:.60}"
    )


def _probabilities(proba: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return what a classifier gave as probabilities, if that is what they are."""
    array = np.asarray(proba)
    if array.shape != shape or array.dtype.kind not in "biuf":
        raise ValueError(
            f"`estimator` must give probabilities of shape {shape}, got {array.dtype} of shape "
            f"{array.shape}"
        )
    if not (array.min(initial=0) >= 0 and np.allclose(array.sum(axis=1), 1, atol=1e-3)):
        raise ValueError("`estimator` must give probabilities, from 0 on and 1 in all")
    return array
