"""Learning from examples: annotated pixels of images, and the class of every other pixel.

What classifiers by example share.  An example is a pixel whose annotation is not 0, be
it of one image or of many; its features are a row of a table and its class is one of
few.  Which of them are kept if there are too many is drawn here, class by class.  Then
a classifier answers for the pixels of an image block by block: each block alone, so
that neither their size nor the number of threads has a part in the result.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from . import _check, _threads
from ._segmenter import Pixels, Segmenter

BLOCK = 1 << 14  # pixels that are classified at once, at most


class Samples(NamedTuple):
    """Annotated pixels, image by image, in raster order."""

    values: np.ndarray  # (n, features)
    owner: np.ndarray  # (n,) positions in `classes`
    classes: np.ndarray  # ascending; int32 if all fit, else int64


class Supervised(Segmenter, ABC):
    """A classifier by example.

    A subclass learns in `_learn` and answers in `_answers`; `native` says whether intensities
    alone may keep the type of the image.
    """

    max_samples: int | None
    rng: int | np.random.Generator
    n_jobs: int = 1
    native = False

    classes_: np.ndarray
    n_samples_: int

    def fit(
        self,
        image: ArrayLike | Sequence[np.ndarray],
        annotation: ArrayLike | Sequence[np.ndarray],
    ) -> Self:
        """Learn from the annotated pixels.

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
        self : the segmenter

        Raises
        ------
        TypeError
            For a dtype that is not real, an annotation that does not hold integers, a parameter
            of a wrong type.
        ValueError
            For a wrong parameter, shapes that differ, no annotated pixel, NaN or infinite
            values, and where the samples are too few: less than `n_neighbors`, or what a
            classifier refuses, such as a single class.
        """
        self._check_parameters()
        samples = self._samples(image, annotation)
        self._learn(samples)
        self.classes_ = samples.classes
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
        answers = self._answers(pixels.values, shares=False)

        def classify(block: slice) -> None:
            classes[block] = self.classes_[answers(block)]

        _threads.run(classify, _threads.slices(len(classes), self._block()), self.n_jobs)
        return pixels.spread(classes)

    def _shares(self, image: ArrayLike) -> np.ndarray:
        """Return the share of each class of each pixel, float32 (..., K)."""
        pixels = self._checked_pixels(image)
        proba = np.empty((len(pixels.values), self.classes_.size), dtype=np.float32)
        answers = self._answers(pixels.values, shares=True)

        def classify(block: slice) -> None:
            proba[block] = answers(block)

        _threads.run(classify, _threads.slices(len(proba), self._block()), self.n_jobs)
        return pixels.spread(proba)

    @abstractmethod
    def _learn(self, samples: Samples) -> None:
        """Keep what the samples teach, or refuse them."""

    @abstractmethod
    def _answers(self, values: np.ndarray, *, shares: bool) -> Callable[[slice], np.ndarray]:
        """Return what gives the classes of a block of rows, as positions in `classes_`.

        With `shares` it gives the share of every class instead, (n, K).
        """

    def _block(self) -> int:
        """Return how many pixels are classified at once."""
        return BLOCK

    def _checked_pixels(self, image: Any) -> Pixels:
        """Return the pixels of an image to be classified."""
        self._refuse_unfitted()
        self._check_parameters()
        pixels = self._pixels(image, native=self.native)
        self._refuse_other_features(pixels.values.shape[1])
        return pixels

    def _samples(self, image: Any, annotation: Any) -> Samples:
        """Return the features and the class of annotated pixels, image by image, in raster order.

        With `max_samples` they are drawn without repetition, from each class as many, but for
        classes that have fewer; what does not go into equal parts is for the most frequent.
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
        most = self._most()
        if most is not None and most < classes.size:
            raise ValueError(
                f"`max_samples` must be at least the number of classes, {classes.size}, got {most}"
            )
        drawn = _draw(counts.sum(axis=0), most, generator)
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
                values.append(self._pixels(one, native=self.native).values[rows])
                owners.append(owner)
        for one in values[1:]:
            if one.shape[1] != values[0].shape[1]:
                raise ValueError(
                    "`image` must hold images of one number of features per pixel, "
                    f"got {values[0].shape[1]} and {one.shape[1]}"
                )
        return Samples(np.concatenate(values), np.concatenate(owners), _class_type(classes))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._most()

    def _most(self) -> int | None:
        """Return how many samples are kept at most; None: all."""
        if self.max_samples is None:
            return None
        return _check.integer(self.max_samples, "max_samples", low=1)


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
        channels = _check.channels_last(one, channel_axis)
        _check.refuse_not_finite(channels, "image")
        shape = channels.shape[:-1]
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
