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
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from . import _check, _sample_tree, _threads
from ._segmenter import Pixels, Segmenter

_BLOCK = 1 << 14  # pixels that are classified at once
_LARGEST = {4: 1e38, 8: 1e150}  # of values in 4 and in 8 bytes, so that nothing overflows
_WEIGHTS = ("uniform", "distance")


class _Samples(NamedTuple):
    values: np.ndarray  # (n, features)
    owner: np.ndarray  # (n,) positions in `classes`
    classes: np.ndarray  # ascending


class _Supervised(Segmenter):
    """What classifiers by example share: pairs of images and annotations."""

    max_samples: int | None
    rng: int | np.random.Generator
    classes_: np.ndarray

    def _samples(self, image: Any, annotation: Any, *, native: bool) -> _Samples:
        """Return the features and the class of annotated pixels, image by image, in raster order.

        With `max_samples` they are drawn without repetition, from each class as many,
        but for classes that have fewer.
        """
        images, annotations = _pairs(image, annotation, self.channel_axis)
        generator = _check.generator(self.rng)
        present = [np.unique(one[one != 0], return_counts=True) for one in annotations]
        classes = np.unique(np.concatenate([ids for ids, _ in present]))
        if classes.size == 0:
            raise ValueError("`annotation` must hold at least one pixel of a class, got none")
        counts = np.zeros((len(images), classes.size), dtype=np.int64)
        for row, (ids, numbers) in zip(counts, present, strict=True):
            row[np.searchsorted(classes, ids)] = numbers
        if self.max_samples is not None and self.max_samples < classes.size:
            raise ValueError(
                f"`max_samples` must be at least the number of classes, {classes.size}, "
                f"got {self.max_samples}"
            )
        drawn = _draw(counts.sum(axis=0), self.max_samples, generator)
        values, owners = [], []
        passed = np.zeros(classes.size, dtype=np.int64)
        for one, marks, numbers in zip(images, annotations, counts, strict=True):
            taken = [
                None if ranks is None else ranks[(ranks >= p) & (ranks < p + n)] - p
                for ranks, p, n in zip(drawn, passed, numbers, strict=True)
            ]
            passed += numbers
            rows, owner = _rows_of(marks, classes, numbers, taken)
            if rows.size:
                values.append(self._pixels(one, native=native).values[rows])
                owners.append(owner)
        for one in values[1:]:
            if one.shape[1] != values[0].shape[1]:
                raise ValueError(
                    "`image` must hold images of one number of features per pixel, "
                    f"got {values[0].shape[1]} and {one.shape[1]}"
                )
        return _Samples(np.concatenate(values), np.concatenate(owners), classes)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.max_samples is not None:
            _check.integer(self.max_samples, "max_samples", low=1)


def _pairs(
    image: Any, annotation: Any, channel_axis: Any
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return images, channels as they were, and their annotations; int64 where these are wide.

    A list or tuple of arrays is several images; lists of numbers are one.
    """
    several = [_is_several(one) for one in (image, annotation)]
    images = list(image) if several[0] else [image]
    annotations = list(annotation) if several[1] else [annotation]
    if not images or several[0] != several[1] or len(images) != len(annotations):
        raise ValueError(
            "`annotation` must hold one class image for each of `image`, got "
            f"{_told(annotation, several[1])} for {_told(image, several[0])}"
        )
    checked = []
    for one, marks in zip(images, annotations, strict=True):
        shape = _check.channels_last(one, channel_axis).shape[:-1]
        array = _check.labels(marks, "annotation", negative=True)
        _check.same_shape(array, "annotation", shape, "image")
        _check.largest_label(array, "annotation")
        checked.append(array)
    return images, checked


def _is_several(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(one, np.ndarray) for one in value)


def _told(value: Any, several: bool) -> str:
    return f"a list of {len(value)}" if several else "one array"


def _draw(
    counts: np.ndarray, most: int | None, generator: np.random.Generator
) -> list[np.ndarray | None]:
    """Return for each class which of its samples are taken, ascending; None: all."""
    if most is None or counts.sum() <= most:
        return [None] * counts.size
    drawn: list[np.ndarray | None] = [None] * counts.size
    left = most
    # The rarest first: what they do not use is left to the others
    for done, c in enumerate(np.argsort(counts, kind="stable")):
        share = left // (counts.size - done)
        left -= min(share, int(counts[c]))
        if share < counts[c]:
            drawn[c] = np.sort(generator.choice(counts[c], share, replace=False, shuffle=False))
    return drawn


def _rows_of(
    marks: np.ndarray,
    classes: np.ndarray,
    numbers: np.ndarray,
    taken: list[np.ndarray | None],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of an image that are samples, in raster order, and the class of each."""
    flat = marks.reshape(-1)
    rows = np.flatnonzero(flat)
    owner = np.searchsorted(classes, flat[rows])
    if all(one is None for one in taken):
        return rows, owner
    by_class = np.argsort(owner, kind="stable")
    ends = np.cumsum(numbers)
    keep = np.zeros(rows.size, dtype=bool)
    for end, n, ranks in zip(ends, numbers, taken, strict=True):
        of_class = by_class[end - n : end]
        keep[of_class if ranks is None else of_class[ranks]] = True
    return rows[keep], owner[keep]


def _class_type(classes: np.ndarray) -> np.ndarray:
    """Return the classes in the type that predictions have: int32 if all fit."""
    small = np.iinfo(np.int32)
    fits = small.min <= int(classes[0]) and int(classes[-1]) <= small.max
    return classes.astype(np.int32 if fits else np.int64)


class KNNSegmenter(_Supervised):
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
        what a class of fewer leaves goes to the others. At least the number of classes. None:
        all.
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

    def fit(
        self,
        image: ArrayLike | Sequence[np.ndarray],
        annotation: ArrayLike | Sequence[np.ndarray],
    ) -> Self:
        """Keep the annotated pixels as samples.

        Parameters
        ----------
        image : array_like, or a list of arrays
            One image, or several: a list or tuple whose items are NumPy arrays. NaN and
            infinite values are refused.
        annotation : array_like of integers, or a list of arrays
            A class image for each image, of its spatial shape: 0 is not annotated, every other
            value (also below 0) is a class.

        Returns
        -------
        self : KNNSegmenter

        Raises
        ------
        TypeError
            For a dtype that is not real, an annotation that does not hold integers.
        ValueError
            For a wrong parameter, shapes that differ, no annotated pixel, fewer samples than
            `n_neighbors`, NaN or infinite values.
        """
        self._check_parameters()
        n_neighbors = _check.integer(self.n_neighbors, "n_neighbors", low=1)
        samples = self._samples(image, annotation, native=True)
        n_samples, n_features = samples.values.shape
        if n_neighbors > n_samples:
            raise ValueError(
                f"`n_neighbors` must be at most the number of samples, {n_samples}, "
                f"got {n_neighbors}"
            )
        self._scale = _scale_of(samples.values)
        values = self._scale.numbers(samples.values)
        self._tree = _sample_tree.grow(values, samples.owner, samples.classes.size, n_neighbors)
        self.classes_ = _class_type(samples.classes)
        self.n_samples_ = n_samples
        self.n_features_in_ = n_features
        return self

    def predict(self, image: ArrayLike) -> np.ndarray:
        """Return the class of each pixel.

        Parameters
        ----------
        image : array_like
            An image with as many features as those of `fit`, of any size.

        Returns
        -------
        classes : class image of the spatial shape, int32 or int64
            Values of `classes_`.

        Raises
        ------
        TypeError, ValueError
            For a bad image, another number of features, or before `fit`.
        """
        pixels = self._checked_pixels(image)
        classes = np.empty(len(pixels.values), dtype=self.classes_.dtype)

        def classify(block: slice) -> None:
            winner, _ = self._vote(pixels.values[block], chances=False)
            classes[block] = self.classes_[winner]

        _threads.run(classify, _threads.slices(len(classes), _BLOCK), self.n_jobs)
        return pixels.spread(classes)

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
        pixels = self._checked_pixels(image)
        proba = np.empty((len(pixels.values), self.classes_.size), dtype=np.float32)

        def classify(block: slice) -> None:
            proba[block] = self._vote(pixels.values[block], chances=True)[1]

        _threads.run(classify, _threads.slices(len(proba), _BLOCK), self.n_jobs)
        return pixels.spread(proba)

    def _checked_pixels(self, image: Any) -> Pixels:
        """Return the pixels of an image to be classified."""
        self._refuse_unfitted()
        self._check_parameters()
        pixels = self._pixels(image, native=True)
        self._refuse_other_features(pixels.values.shape[1])
        _refuse_huge(pixels.values)
        return pixels

    def _vote(self, values: np.ndarray, *, chances: bool) -> tuple[np.ndarray, np.ndarray]:
        return _sample_tree.vote(
            self._tree,
            self._scale.numbers(values),
            by_distance=self.weights == "distance",
            chances=chances,
        )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        _check.integer(self.n_neighbors, "n_neighbors", low=1)
        _check.choice(self.weights, "weights", _WEIGHTS)
        _check.jobs(self.n_jobs)


class _Scale(NamedTuple):
    """How feature values become the numbers of the search."""

    dtype: np.dtype  # float32 where that holds all values of the samples' type
    origin: int  # what is subtracted first: 64-bit integers may be far from 0

    def numbers(self, values: np.ndarray) -> np.ndarray:
        if self.origin and values.dtype.kind in "iu":
            # Differences modulo 2**64 are exact, on either side of the origin
            bits = values.astype(np.uint64) - np.uint64(self.origin % 2**64)
            below = values < self.origin
            apart = np.where(below, -bits, bits).astype(np.float64)
            values = np.where(below, -apart, apart)
        elif self.origin:
            values = values.astype(np.float64) - self.origin
        return np.ascontiguousarray(values, dtype=self.dtype)


def _scale_of(values: np.ndarray) -> _Scale:
    _refuse_huge(values)
    kind, size = values.dtype.kind, values.dtype.itemsize
    small = size <= 2 or (kind == "f" and size <= 4)
    origin = int(values.min()) if kind in "iu" and size == 8 else 0
    return _Scale(np.dtype(np.float32 if small else np.float64), origin)


def _refuse_huge(values: np.ndarray) -> None:
    """Refuse values of which differences or squares are not finite."""
    largest = _LARGEST.get(values.dtype.itemsize)
    if values.dtype.kind == "f" and largest is not None and values.size:
        found = max(-values.min(), values.max())
        if found > largest:
            raise ValueError(f"`image` must hold values up to {largest:g}, got {found:g}")


class PixelClassifier(_Supervised):
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
        what a class of fewer leaves goes to the others. At least the number of classes. None:
        all.
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

    def fit(
        self,
        image: ArrayLike | Sequence[np.ndarray],
        annotation: ArrayLike | Sequence[np.ndarray],
    ) -> Self:
        """Fit a clone of the classifier to the annotated pixels.

        Parameters
        ----------
        image : array_like, or a list of arrays
            One image, or several: a list or tuple whose items are NumPy arrays. NaN and
            infinite values are refused.
        annotation : array_like of integers, or a list of arrays
            A class image for each image, of its spatial shape: 0 is not annotated, every other
            value (also below 0) is a class.

        Returns
        -------
        self : PixelClassifier

        Raises
        ------
        TypeError
            For what is no classifier, a dtype that is not real, an annotation that does not
            hold integers.
        ValueError
            For a wrong parameter, shapes that differ, no annotated pixel, NaN or infinite
            values, and what the classifier refuses, such as a single class.
        """
        self._check_parameters()
        samples = self._samples(image, annotation, native=False)
        from sklearn.base import clone

        classes = _class_type(samples.classes)
        self.estimator_ = clone(self.estimator).fit(samples.values, classes[samples.owner])
        self.classes_ = classes
        self.n_samples_, self.n_features_in_ = samples.values.shape
        return self

    def predict(self, image: ArrayLike) -> np.ndarray:
        """Return the class of each pixel.

        Parameters
        ----------
        image : array_like
            An image with as many features as those of `fit`, of any size.

        Returns
        -------
        classes : class image of the spatial shape, int32 or int64
            Values of `classes_`.

        Raises
        ------
        TypeError, ValueError
            For a bad image, another number of features, or before `fit`.
        """
        pixels = self._checked_pixels(image)
        classes = np.empty(len(pixels.values), dtype=self.classes_.dtype)
        for block in _threads.slices(len(classes), _BLOCK):
            classes[block] = self.estimator_.predict(pixels.values[block])
        return pixels.spread(classes)

    @property
    def predict_proba(self) -> Callable[[ArrayLike], np.ndarray]:
        """A method that returns the probability of each class of each pixel.

        ``predict_proba(image)`` gives an array of float32: the spatial shape, then one column
        for each of `classes_`. It is there if the classifier has it, otherwise asking for it is
        an AttributeError, as in scikit-learn.
        """
        estimator = getattr(self, "estimator_", self.estimator)
        if not hasattr(estimator, "predict_proba"):
            raise AttributeError(f"{type(estimator).__name__} has no `predict_proba`")
        return self._probabilities

    def _probabilities(self, image: ArrayLike) -> np.ndarray:
        """Return the probability of each class of each pixel."""
        pixels = self._checked_pixels(image)
        proba = np.empty((len(pixels.values), self.classes_.size), dtype=np.float32)
        for block in _threads.slices(len(proba), _BLOCK):
            proba[block] = self.estimator_.predict_proba(pixels.values[block])
        return pixels.spread(proba)

    def _checked_pixels(self, image: Any) -> Pixels:
        """Return the pixels of an image to be classified."""
        self._refuse_unfitted()
        pixels = self._pixels(image)
        self._refuse_other_features(pixels.values.shape[1])
        return pixels

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for needed in ("fit", "predict", "get_params"):
            if isinstance(self.estimator, type) or not hasattr(self.estimator, needed):
                raise TypeError(
                    f"`estimator` must be a classifier of scikit-learn's kind, with `{needed}`, "
                    f"got {self.estimator!r:.60}"
                )
