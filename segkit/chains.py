"""Hidden Markov chain: classes that persist along a path through the image.

An image read along a path is a sequence, and for sequences everything can be computed
exactly that can only be approximated for images.  The classes are taken to be a Markov
chain: the class of a pixel depends on that of the pixel before.  What is seen is the
class with Gaussian noise.  From the image alone Baum-Welch finds how often classes
change and what they look like, and the classes follow: at each pixel the likeliest
given the whole image (MPM), or the likeliest sequence of all (Viterbi).

The path matters.  A Hilbert curve stays in each part of the image before it goes on,
so that the pixels before and behind, to which the chain listens most, are around.

Limits.  Of its neighbors a pixel has two on the path; the others count only as far as
the path comes back soon.  Along the seams of the curve labels are noisier than a random
field's (`MarkovRandomFieldSegmenter`), which is slower and only approximately solved.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import _chain, _check, _gaussians, _mixtures
from ._chain import Chain
from ._gaussian_segmenter import GaussianSegmenter
from ._segmenter import Pixels
from .scans import _snake_scan, hilbert_scan

_SCANS = {"hilbert": hilbert_scan, "snake": _snake_scan}
_DECODINGS = ("mpm", "viterbi")


class HiddenMarkovChainSegmenter(GaussianSegmenter):
    """Classes of pixels as a hidden Markov chain along a scan, fitted by Baum-Welch.

    Parameters
    ----------
    n_classes : int, 1 to 256
        How many.
    scan : {"hilbert", "snake"}
        The path: `hilbert_scan`, or row by row, every other row backwards.
    decoding : {"mpm", "viterbi"}
        What `predict` gives. "mpm": at each pixel the class that is likeliest given the
        whole image, which makes the fewest errors. "viterbi": the likeliest sequence.
    features : sequence of str
        What a pixel is described by: names of `pixel_features`.
    covariance : {"full", "diag", "spherical"}
        The shape of a class: any ellipsoid; along the features; a ball.
    max_iter : int >= 1
        The most rounds of Baum-Welch.
    tol : float >= 0
        It ends when a round adds less than this to the mean log-likelihood of a pixel.
    rng : int or Generator
        For the start, by k-means.
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
    start_ : ndarray (K,)
        How likely each class is at the first pixel of the path.
    transition_ : ndarray (K, K)
        How likely the class of the column follows that of the row; rows sum to 1.
    log_likelihood_ : ndarray (n_iter_,)
        The mean log-likelihood (nats) of a pixel before each round; it never falls.
    n_iter_ : int
        Rounds; `max_iter` if it did not end by itself.
    n_features_in_ : int
        Columns of features.

    Notes
    -----
    Hidden Markov chains for images are due to Pieczynski and others [1]_ [2]_. The estimate
    is that of Baum and others [3]_ with shares scaled at each pixel [4]_, so that nothing
    underflows; densities smaller than 1e-100 of a pixel's largest count as that. A class is at
    least as wide as a floor: for integers the variance 1/12 of rounding, for floats a
    millionth of the feature's variance.

    Pixels outside a mask are left out: the path goes on behind them. `predict_proba` gives the
    probability of each class given the whole image, whatever the decoding.

    Classes are numbered 1..K by increasing mean of the first feature, then of the next. The
    start is k-means of the means of 16 pixels of the path, with classes that hardly change.

    **Ties**: "mpm" gives a pixel that is equally likely in several classes the lowest.
    "viterbi" takes, from the end of the path on, the lowest class of the sequences that
    are likeliest.

    **Cost**: Per round O(pixels × K × (K + p²)): about 40 ns for a pixel of one channel and K = 3.
    Memory per pixel, beyond the features: the path (8 bytes, while pixels are put in order),
    the features in that order, and the labels; K only counts in blocks of 16384 pixels.

    Kernels: ``segkit_ext/chain.pyx``, ``segkit_ext/gaussians.pyx``. Plain version:
    ``tests/reference/chains.py``.

    References
    ----------
    .. [1] B. Benmiloud, W. Pieczynski (1995), Estimation des paramètres dans les chaînes de
       Markov cachées et segmentation d'images, Traitement du Signal 12(5), 433-454.
       https://www.researchgate.net/publication/284685545
    .. [2] N. Giordana, W. Pieczynski (1997), Estimation of generalized multisensor hidden
       Markov chains and unsupervised image segmentation, IEEE Transactions on Pattern
       Analysis and Machine Intelligence 19(5), 465-475. :doi:`10.1109/34.589206`
    .. [3] L. E. Baum, T. Petrie, G. Soules, N. Weiss (1970), A maximization technique
       occurring in the statistical analysis of probabilistic functions of Markov chains, Annals
       of Mathematical Statistics 41(1), 164-171. :doi:`10.1214/aoms/1177697196`
    .. [4] L. R. Rabiner (1989), A tutorial on hidden Markov models and selected applications
       in speech recognition, Proceedings of the IEEE 77(2), 257-286. :doi:`10.1109/5.18626`

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> truth = np.indices((32, 32)).sum(axis=0) // 32
    >>> noisy = truth + np.random.default_rng(0).normal(0, 0.5, truth.shape)
    >>> alone = segkit.GaussianMixtureSegmenter(2).fit_predict(noisy)
    >>> chained = segkit.HiddenMarkovChainSegmenter(2).fit_predict(noisy)
    >>> int((alone != truth + 1).sum()), int((chained != truth + 1).sum())
    (159, 17)
    """

    def __init__(
        self,
        n_classes: int,
        *,
        scan: str = "hilbert",
        decoding: str = "mpm",
        features: Sequence[str] = ("intensity",),
        covariance: str = "full",
        max_iter: int = 100,
        tol: float = 1e-5,
        rng: int | np.random.Generator = 0,
        n_jobs: int = 1,
        sigmas: Sequence[float] = (1.0, 2.0, 4.0),
        channel_axis: int | None = None,
    ) -> None:
        self.n_classes = n_classes
        self.scan = scan
        self.decoding = decoding
        self.features = features
        self.covariance = covariance
        self.max_iter = max_iter
        self.tol = tol
        self.rng = rng
        self.n_jobs = n_jobs
        self.sigmas = sigmas
        self.channel_axis = channel_axis

    def _check_parameters(self) -> None:
        _check.integer(self.n_classes, "n_classes", low=1, high=_chain.MOST_CLASSES)
        super()._check_parameters()
        _check.choice(self.scan, "scan", tuple(_SCANS))
        _check.choice(self.decoding, "decoding", _DECODINGS)

    def _learn(self, pixels: Pixels, floor: np.ndarray) -> None:
        """Find the classes and how they change by Baum-Welch."""
        n_classes = int(self.n_classes)
        values = pixels.values[self._path(pixels)]

        def cluster(rows: np.ndarray) -> np.ndarray:
            return _mixtures.start_labels(rows, rows, n_classes, self.rng, self.n_jobs)

        chain, history = _chain.fit(
            values, _chain.start(values, cluster, n_classes, self.covariance, floor),
            self.covariance, floor,
            max_iter=int(self.max_iter), tol=float(self.tol), n_threads=self._n_threads(),
        )  # fmt: skip
        (self.means_, self.covariances_), self.start_, self.transition_ = chain.ordered()
        self.log_likelihood_ = np.array(history)
        self.n_iter_ = len(history)

    def _labels(self, pixels: Pixels) -> np.ndarray:
        path = self._path(pixels)
        values, chain = pixels.values[path], self._chain
        labels = np.empty(len(values), dtype=np.int32)
        if self.decoding == "viterbi" and len(values):
            labels[path] = _chain.best_path(values, chain, self._n_threads())
        else:
            for block, shares in _chain.shares(values, chain, self._n_threads()):
                labels[path[block]] = _gaussians.first_largest(shares)
        labels += 1
        return pixels.spread(labels)

    def _shares(self, pixels: Pixels) -> np.ndarray:
        path = self._path(pixels)
        values, chain = pixels.values[path], self._chain
        rows = np.empty((len(values), len(chain.start)))
        for block, shares in _chain.shares(values, chain, self._n_threads()):
            rows[path[block]] = shares.T
        return pixels.spread(rows)

    def _path(self, pixels: Pixels) -> np.ndarray:
        """Return the rows of the pixels in the order of the scan."""
        path = _SCANS[self.scan](pixels.shape)
        if pixels.inside is None:
            return path
        row = np.cumsum(pixels.inside) - 1
        return row[path[pixels.inside[path]]]

    @property
    def _chain(self) -> Chain:
        return Chain(self._classes, self.start_, self.transition_)


__all__ = ["HiddenMarkovChainSegmenter"]
