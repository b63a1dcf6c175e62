"""Clustering: classes of pixels without examples.

k-means wants k classes, each with a center in the space of features, such that pixels
lie near the center of their class: the sum of their squared distances, the inertia, is to
be small.  Lloyd's iteration gives each pixel to the nearest center and moves each center
to the mean of its pixels, again and again.  The inertia never rises, and after a few tens
of rounds hardly anything moves.

Limits.  The iteration ends in the valley that it starts in: another start, another
result; `n_init` tries several.  Classes come out about equally wide in all directions,
and about equally large, whether the image has such or not.  Where pixels are only matters
if the position is among the features: a class is no region, but has parts all over the
image (`segkit.connected_components` tells them apart).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from . import _check, _lloyd, _threads
from ._segmenter import Segmenter

_STARTS = ("k-means++", "random")


class KMeansSegmenter(Segmenter):
    """Classes by k-means: each pixel belongs to the nearest of k centers.

    Parameters
    ----------
    n_classes : int >= 1
        How many classes, k.
    features : sequence of str
        What a pixel is described by, see `segkit.pixel_features`.
    sigmas : sequence of float > 0, in pixels
        Scales of the features that have one.
    init : {"k-means++", "random"} or array_like (k, p)
        Where centers start. "k-means++": pixels far from each other, each the best of a few
        that are drawn with a probability proportional to the squared distance from those so
        far. "random": any k pixels. Both draw from at most 32768 pixels, taken at random. An
        array: these centers, in the units of the features.
    n_init : int >= 1
        How many starts are tried; the result of least inertia counts, the first of several.
        With an array there is only one start.
    max_iter : int >= 1
        The most rounds of an iteration.
    tol : float >= 0
        The iteration ends when the squared shifts of the centers sum up to no more than `tol`
        times the mean variance of the features. 0: when nothing moves.
    rng : int or numpy.random.Generator
        For starts.
    n_jobs : int
        Threads; -1 for one on each core. `SEGKIT_NUM_THREADS` in the environment is the most.
        The result does not depend on it.
    channel_axis : int, optional
        The axis of channels. None: one-channel images.

    Attributes
    ----------
    centers_ : ndarray (k, p), float64
        The centers, in the order of the start; class j + 1 has row j.
    inertia_ : float
        Sum of the squared distances of pixels from their centers.
    n_iter_ : int
        Rounds of the start that counts.
    n_features_in_ : int
        p, the columns of features.

    Raises
    ------
    TypeError
        In `fit`: for a parameter or an image of a wrong type.
    ValueError
        In `fit`: for a parameter out of range, NaN or infinite values, a mask of another
        shape, fewer pixels than classes; integers beyond 2**53 and floats beyond 1e150, which
        distances in double cannot do justice to, and features beyond float32. In `predict`: for
        an image with other features than in `fit`, or before it.

    Warns
    -----
    UserWarning
        In `fit`: where there are fewer different pixels than classes, some centers coincide,
        and their classes, but the first of them, stay empty.

    See Also
    --------
    segkit.pixel_features : the features.
    segkit.connected_components : makes regions of classes.

    Notes
    -----
    Distances are squared, in double, and summed channel after channel. Intensities alone
    keep the type of the image; other features are float32. A class that loses its last pixel
    takes over all pixels of the value that is farthest from its center. Stops and counts of
    rounds are those of scikit-learn's KMeans with the same start.

    **Ties**: a pixel as near to several centers belongs to the lowest class; of values as far
    from their centers an empty class takes the least, compared feature by feature.

    **Cost**: O(pixels × p) for each round and class, and less by far where images are: equal
    colors are counted once (8-bit images of one or three channels, 16-bit ones of one), and
    pixels deep inside a cluster are dealt with together [2]_. The memory that `fit` needs is
    at most a copy of the features in their own type, of the image if these are its
    intensities; then `predict` the labels.
    Kernels: ``segkit_ext/assign.pyx``, ``segkit_ext/cells.pyx``.
    Plain version: ``tests/reference/clustering.py``.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding",
       SODA 2007, pp. 1027-1035. https://dl.acm.org/doi/10.5555/1283383.1283494
    .. [2] T. Kanungo et al., "An efficient k-means clustering algorithm: analysis and
       implementation", IEEE PAMI 24(7), 2002. doi:10.1109/TPAMI.2002.1017616

    Examples
    --------
    >>> import segkit
    >>> image = [[10, 12, 90], [11, 88, 91]]
    >>> two = segkit.KMeansSegmenter(2, init=[[0], [100]])
    >>> two.fit_predict(image)
    array([[1, 1, 2],
           [1, 2, 2]], dtype=int32)
    >>> two.centers_.ravel().tolist()
    [11.0, 89.66666666666667]
    """

    def __init__(
        self,
        n_classes: int,
        *,
        features: Sequence[str] = ("intensity",),
        sigmas: Sequence[float] = (1.0, 2.0, 4.0),
        init: Any = "k-means++",
        n_init: int = 1,
        max_iter: int = 100,
        tol: float = 1e-4,
        rng: int | np.random.Generator = 0,
        n_jobs: int = 1,
        channel_axis: int | None = None,
    ) -> None:
        self.n_classes = n_classes
        self.features = features
        self.sigmas = sigmas
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.rng = rng
        self.n_jobs = n_jobs
        self.channel_axis = channel_axis

    def fit(self, image: Any, mask: Any = None) -> Self:
        """Find the centers of the classes.

        Parameters
        ----------
        image : array_like, (..., R, C), with one more axis if `channel_axis` is given
            Real, of 1 to 4 spatial dimensions, without NaN or infinite values.
        mask : array_like of bool, optional
            Only pixels where it is True count.

        Returns
        -------
        self : KMeansSegmenter
        """
        self._check_parameters()
        rows = _lloyd.samples(
            self._pixels(image, mask, native=True, least=int(self.n_classes)).values
        )
        starts = self._starts(rows)
        points = _lloyd.gather(rows)
        del rows
        best: _lloyd.Clusters | None = None
        for start in starts:
            found = _lloyd.lloyd(
                points, start, max_iter=int(self.max_iter), tol=self.tol, n_jobs=self.n_jobs
            )
            if best is None or found.inertia < best.inertia:
                best = found
        assert best is not None
        _lloyd.warn_of_empty(best.centers)
        self.centers_, self.inertia_, self.n_iter_ = best
        self.n_features_in_ = self.centers_.shape[1]
        return self

    def predict(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return the class of each pixel.

        Parameters
        ----------
        image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        mask : array_like of bool, optional
            Pixels where it is False get 0.

        Returns
        -------
        labels : ndarray of int32, the spatial shape
            1..k; the nearest center.
        """
        self._refuse_unfitted()
        n_jobs = _check.jobs(self.n_jobs)
        tiled = self._tiled(image, native=True)
        self._refuse_other_features(tiled.n_features)
        mask = _check.mask(mask, tiled.shape, "image")
        labels = np.empty(tiled.shape, dtype=np.int32)

        def work(where: tuple[slice, ...]) -> None:
            rows = _lloyd.samples(tiled.rows_of(where))
            part = np.empty(len(rows), dtype=np.int32)
            _lloyd.label(rows, self.centers_, part)
            labels[where] = part.reshape(labels[where].shape)
            if mask is not None:
                labels[where] *= mask[where]

        _threads.run(work, tiled.tiles, n_jobs)
        return labels

    def fit_predict(self, image: Any, mask: Any = None) -> np.ndarray:
        """Find the centers and return the class of each pixel: 1..k, and 0 outside the mask.

        Parameters
        ----------
        image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        mask : array_like of bool, optional
            Only pixels where it is True count.

        Returns
        -------
        labels : ndarray of int32, the spatial shape
        """
        return self.fit(image, mask).predict(image, mask)

    def predict_proba(self, image: Any, mask: Any = None) -> np.ndarray:
        """Return 1 for the class of each pixel and 0 for the others: k-means has no doubts.

        Parameters
        ----------
        image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        mask : array_like of bool, optional
            Pixels where it is False get 0 for every class.

        Returns
        -------
        proba : ndarray of float32, the spatial shape and then (k,)
        """
        labels = self.predict(image, mask)
        proba = np.zeros((*labels.shape, len(self.centers_)), dtype=np.float32)
        for k in range(len(self.centers_)):
            proba[..., k] = labels == k + 1
        return proba

    def _check_parameters(self) -> None:
        """Refuse parameters that are wrong for any image."""
        super()._check_parameters()
        _check.integer(self.n_classes, "n_classes", low=1)
        if isinstance(self.init, str):
            _check.choice(self.init, "init", _STARTS)
        else:
            _check.table(self.init, "init", ("k", "p"))
        _check.integer(self.n_init, "n_init", low=1)
        _check.integer(self.max_iter, "max_iter", low=1)
        _check.number(self.tol, "tol")
        _check.generator(self.rng)
        _check.jobs(self.n_jobs)

    def _starts(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return the centers that each iteration starts with."""
        if not isinstance(self.init, str):
            start = _check.table(self.init, "init", ("k", "p"))
            wanted = (int(self.n_classes), rows.shape[1])
            if start.shape != wanted:
                raise ValueError(
                    f"`init` must have a row for each class and a column for each feature, "
                    f"{wanted}, got shape {start.shape}"
                )
            return [start]
        generator = _check.generator(self.rng)
        draw = _lloyd.plus_plus_start if self.init == "k-means++" else _lloyd.random_start
        starts = []
        for _ in range(int(self.n_init)):
            sample = _lloyd.draw_sample(rows, generator)
            starts.append(draw(sample, int(self.n_classes), generator))
        return starts
