"""Random fields: classes of pixels that take their neighbors into account.

A classifier that looks at each pixel alone turns noise into salt and pepper.  The Potts
model adds one belief: neighbors are of one class more often than not.  Every pixel pays
for its class, the more the less probable it is, and every pair of neighbors of
different class pays `beta`, or less where the image itself has an edge between them.
The labeling that pays least in all is the regularized one.

Finding it is hard for three or more classes, so there are three ways.  Iterated
conditional modes (ICM) is quick and stops at the nearest valley.  The mean field lets every
pixel stay undecided for a while and gets further.  Graph cuts ask all pixels at once
whether to change to one class; with two classes the answer is the best there is, with
more it is within a factor of two of it, and in practice much nearer.

Limits.  Short boundaries are cheap, whatever they bound: thin things and sharp
corners are lost when `beta` is high, and no noise is removed when it is low.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np

from . import _check, _gaussians, _hidden_field, _mixtures, _potts
from ._gaussian_segmenter import GaussianSegmenter
from ._hidden_field import SOLVERS, Settled, Sweeps
from ._segmenter import Pixels


def regularize(
    proba: Any,
    *,
    beta: float,
    solver: str = "icm",
    image: Any = None,
    sigma: float | None = None,
    floor: float = 1e-3,
    max_iter: int = 100,
    tol: float = 1e-3,
    connectivity: int = 1,
    mask: Any = None,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Smooth class probabilities into labels: neighbors like to be of one class.

    Parameters
    ----------
    proba : array_like, (..., R, C, K)
        The probabilities of K classes at each pixel, of 1 to 4 spatial dimensions, from
        any classifier; votes and weights will do, since each pixel is divided by its sum.
        Not negative, finite; a pixel of zeros alone is undecided.
    beta : float >= 0
        What a pair of neighbors of different class costs, in nats. 0 gives the most probable
        class of each pixel. With four neighbors and beta = 1, a pixel alone among others of
        one class stays if it is exp(4) times more probable than they say.
    solver : {"icm", "mean_field", "graph_cut"}
        "icm": pixel by pixel to the cheapest class. "mean_field": pixel by pixel to
        the mean probabilities, at the end the most probable class. "graph_cut": one class
        after the other offered to all pixels; exact for two classes.
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given, optional
        Where it has contrast, a change of class costs less.
    sigma : float > 0, in the units of `image`, optional
        The contrast at which the cost of a pair has fallen to exp(-1/2) = 0.61 of `beta`. None:
        the root of the mean squared distance between neighbors.
    floor : float, 0 < floor <= 1
        Probabilities below it count as it. A class that got none of five votes is
        not impossible; with a very low floor it would stay so whatever its neighbors.
    max_iter : int >= 1
        At most so many sweeps; for "graph_cut", rounds over all classes.
    tol : float >= 0
        "mean_field" ends when no probability changes by more than this.
    connectivity : int
        How many axes a step to a neighbor may change, 1 to ndim.
    mask : array_like of bool, optional
        Pixels outside get 0 and are nobody's neighbors.
    channel_axis : int, optional
        The axis of channels of `image`. None: a one-channel image.

    Returns
    -------
    labels : int32 ndarray, (..., R, C)
        Classes 1..K in the order of `proba`; 0 outside `mask`.

    Raises
    ------
    TypeError
        For a wrong dtype or type.
    ValueError
        For a wrong value, shape or combination, negative or not finite probabilities, NaN
        or infinite values in `image`.

    See Also
    --------
    potts_energy : what a labeling costs.

    Notes
    -----
    The energy of labels l is the sum of -log max(p(l), `floor`) over the pixels plus the
    sum of w over the pairs of neighbors of different class. w is `beta` divided by the
    length of the step (1 along an axis, the square root of 2 or 3 or 4 along diagonals), times
    exp(-d^2 / (2 sigma^2)) for neighbors at the (Euclidean) distance d in `image` [1]_.
    Costs are rounded to multiples of 2**-16 (coarser from a `beta` of about 1000; above 2**15 it
    counts as that), and sums are exact from there on: with "icm" [2]_ and "graph_cut" [3]_
    no step raises the energy.

    **Ties**: all start from the most probable class, the lowest of several. "icm"
    goes in raster order and writes in place; a pixel keeps its class unless another is cheaper,
    and takes the lowest of several. "graph_cut" offers the classes 1, 2, ..., K, 1, ... until K
    offers in a row change nothing; of equally cheap answers it takes the one that changes
    fewest pixels. With two classes it starts from class 1: of all cheapest labelings, the
    one with the fewest pixels of class 2. "mean_field" goes in raster order and
    writes in place; at the end the lowest of equally probable classes.

    **Cost**: per pixel and neighbor a few nanoseconds for each sweep of "icm", times K for
    "mean_field"; "graph_cut" one maximum flow per offer, close to linear in
    the pixels. Memory per pixel 4 K + 20 bytes, for "mean_field" 12 K + 20; for "graph_cut" 4
    more for each neighbor and 20; with an image 2 more for each neighbor, and while they are
    made 4 for each and 16 for each channel.
    Kernels: ``segkit_ext/settle.pyx``, ``segkit_ext/cut.pyx``.
    Plain versions: ``tests/reference/random_field.py``, ``tests/reference/max_flow.py``.

    References
    ----------
    .. [1] Y. Boykov and M.-P. Jolly, "Interactive graph cuts for optimal boundary and region
       segmentation of objects in N-D images", ICCV 2001. doi:10.1109/ICCV.2001.937505
    .. [2] J. Besag, "On the statistical analysis of dirty pictures", Journal of the Royal
       Statistical Society B 48(3), 1986. doi:10.1111/j.2517-6161.1986.tb01412.x
    .. [3] Y. Boykov, O. Veksler and R. Zabih, "Fast approximate energy minimization via graph
       cuts", IEEE Transactions on Pattern Analysis and Machine Intelligence 23(11), 2001.
       doi:10.1109/34.969114

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> second = np.array([.1, .1, .6, .1, .1, .8, .9, .4, .9])
    >>> proba = np.stack([1 - second, second], axis=-1)
    >>> segkit.regularize(proba, beta=0)
    array([1, 1, 2, 1, 1, 2, 2, 1, 2], dtype=int32)
    >>> segkit.regularize(proba, beta=0.5, solver="graph_cut")
    array([1, 1, 1, 1, 1, 2, 2, 2, 2], dtype=int32)
    """
    solver = _check.choice(solver, "solver", SOLVERS)
    max_iter = min(_check.integer(max_iter, "max_iter", low=1), _potts.MOST_SWEEPS)
    tol = float(_check.number(tol, "tol"))
    array, field = _read(proba, beta, image, sigma, floor, connectivity, mask, channel_axis)
    shape = array.shape[:-1]
    if field is None:
        return np.zeros(shape, dtype=np.int32)
    if solver == "mean_field":
        labels = _potts.most_probable(field, _potts.settle_means(field, max_iter, tol))
    else:
        solve = _potts.settle if solver == "icm" else _potts.expand
        labels = solve(field, _potts.cheapest(field), max_iter)
    return _potts.to_image(field, labels, shape)


def potts_energy(
    labels: Any,
    proba: Any,
    *,
    beta: float,
    image: Any = None,
    sigma: float | None = None,
    floor: float = 1e-3,
    connectivity: int = 1,
    mask: Any = None,
    channel_axis: int | None = None,
) -> float:
    """Return the energy of a labeling: what `regularize` makes low.

    Parameters
    ----------
    labels : array_like of int, (..., R, C)
        Classes 1..K inside `mask`; what they are outside does not matter.
    proba, beta, image, sigma, floor, connectivity, mask, channel_axis
        As for `segkit.regularize`.

    Returns
    -------
    energy : float
        In nats; the lower, the better. Equal to the multiple of 2**-16 that the solvers see.

    Raises
    ------
    TypeError
        For a wrong dtype or type.
    ValueError
        For a wrong value, shape or combination, such as a class that `proba` does not have.

    Notes
    -----
    The formula stands with `segkit.regularize`.

    **Cost**: time and memory of one sweep of "icm". Kernel: ``segkit_ext/settle.pyx``.
    Plain version: ``tests/reference/random_field.py``.

    Examples
    --------
    >>> import segkit
    >>> proba = [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
    >>> one = segkit.potts_energy([1, 1, 1], proba, beta=2)
    >>> segkit.potts_energy([1, 2, 1], proba, beta=2) - one
    4.0
    """
    classes = _check.labels(labels)
    array, field = _read(proba, beta, image, sigma, floor, connectivity, mask, channel_axis)
    shape = array.shape[:-1]
    _check.shape_of_proba(classes, "labels", array.shape)
    if field is None:
        return 0.0
    inside = _check.mask(mask, shape, "proba")
    chosen = classes if inside is None else classes[inside]
    if chosen.size and not 1 <= chosen.min() <= chosen.max() <= field.n_classes:
        wrong = chosen[(chosen < 1) | (chosen > field.n_classes)]
        raise ValueError(
            f"`labels` must hold classes from 1 to {field.n_classes} inside, got {int(wrong[0])}"
        )
    if inside is not None:
        classes = np.where(inside, classes, 0)
    return _potts.energy(field, _potts.from_image(field, classes))


class MarkovRandomFieldSegmenter(GaussianSegmenter):
    """Gaussian classes of pixels whose neighbors like to be of one class, found without examples.

    Parameters
    ----------
    n_classes : int >= 1
        How many.
    beta : float >= 0
        What a pair of neighbors of different class costs, in nats, see `regularize`.
    solver : {"icm", "mean_field", "graph_cut"}
        How the field is settled, see `regularize`.
    features : sequence of str
        What a pixel is described by: names of `pixel_features`.
    covariance : {"full", "diag", "spherical"}
        The shape of a class: any ellipsoid; along the features; a ball.
    connectivity : int
        How many axes a step to a neighbor may change, 1 to ndim.
    max_iter : int >= 1
        The most rounds of EM; of that of the mixture at the start, too.
    tol : float >= 0
        EM ends when a round changes the energy by less than this for each pixel.
    rng : int or Generator
        For the start by k-means.
    n_jobs : int
        Threads for the densities; -1 is one for each core. The result does not depend on it.
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
    energy_ : ndarray (n_iter_,)
        Of the field settled in each round, in nats: minus the logarithm of the density of
        each pixel in its class, and `beta` for each pair. No step that settles the field by
        "icm" or "graph_cut" raises it; new means and covariances mostly lower it.
    n_iter_ : int
        Rounds; `max_iter` if EM did not end by itself.
    n_features_in_ : int
        Columns of features.

    See Also
    --------
    regularize : the field alone, for the probabilities of any classifier.

    Notes
    -----
    This is the hidden Markov random field with EM of Zhang, Brady and Smith [1]_: each round
    settles the field for the present classes, starting from the labels before, then takes as
    the share of a class its density times exp(weight of the neighbors that are of it),
    scaled to sum to 1, and estimates means and covariances by these shares. With "mean_field"
    the shares are the mean field itself [2]_. A class is at least as wide as a floor:
    for integers the variance 1/12 of rounding, for floats a millionth of the
    feature's variance. EM starts from a mixture of Gaussians, and that from k-means.

    Classes are numbered 1..K by increasing mean of the first feature, then of the next.
    `predict` settles the field from the likeliest class of each pixel alone, also
    for the image of `fit`; the shares of `predict_proba` are those given the neighbors' labels.
    Pixels outside a mask are nobody's neighbors.

    **Ties**: as for `regularize`.

    **Cost**: each round that of `regularize`, and O(pixels × K × p²) for the densities; memory
    beyond the features that of `regularize`.

    Kernels: ``segkit_ext/settle.pyx``, ``segkit_ext/cut.pyx``, ``segkit_ext/gaussians.pyx``.
    Plain version: ``tests/reference/random_field.py``.

    References
    ----------
    .. [1] Y. Zhang, M. Brady and S. Smith, "Segmentation of brain MR images through a hidden Markov
       random field model and the expectation-maximization algorithm", IEEE Transactions on
       Medical Imaging 20(1), 2001. doi:10.1109/42.906424
    .. [2] J. Zhang, "The mean field theory in EM procedures for Markov random fields", IEEE
       Transactions on Signal Processing 40(10), 1992. doi:10.1109/78.157297

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> image = np.array([[1, 2, 1, 7], [2, 6, 6, 8], [1, 2, 9, 7]])
    >>> field = segkit.MarkovRandomFieldSegmenter(2, beta=1)
    >>> field.fit_predict(image)
    array([[1, 1, 1, 2],
           [1, 2, 2, 2],
           [1, 1, 2, 2]], dtype=int32)
    """

    def __init__(
        self,
        n_classes: int,
        *,
        beta: float = 1.0,
        solver: str = "icm",
        features: Sequence[str] = ("intensity",),
        covariance: str = "full",
        connectivity: int = 1,
        max_iter: int = 100,
        tol: float = 1e-3,
        rng: int | np.random.Generator = 0,
        n_jobs: int = 1,
        sigmas: Sequence[float] = (1.0, 2.0, 4.0),
        channel_axis: int | None = None,
    ) -> None:
        self.n_classes = n_classes
        self.beta = beta
        self.solver = solver
        self.features = features
        self.covariance = covariance
        self.connectivity = connectivity
        self.max_iter = max_iter
        self.tol = tol
        self.rng = rng
        self.n_jobs = n_jobs
        self.sigmas = sigmas
        self.channel_axis = channel_axis

    def _check_parameters(self) -> None:
        super()._check_parameters()
        _check.number(self.beta, "beta")
        _check.choice(self.solver, "solver", SOLVERS)
        _check.integer(self.connectivity, "connectivity", low=1)

    def _check_place(self, shape: tuple[int, ...], mask: np.ndarray | None) -> None:
        _check.connectivity(self.connectivity, len(shape))

    def _learn(self, pixels: Pixels, floor: np.ndarray) -> None:
        """Find the classes by EM, from those of a mixture."""
        n_classes, values = int(self.n_classes), pixels.values
        max_iter, tol, n_threads = int(self.max_iter), float(self.tol), self._n_threads()
        rows, start = _mixtures.start_by_k_means(
            values, n_classes, self.covariance, floor, self.rng, self.n_jobs
        )
        mixture, _ = _mixtures.fit(
            rows, start, self.covariance, floor, max_iter=max_iter, tol=tol, n_threads=n_threads
        )
        classes, energies = _hidden_field.fit(
            self._field(pixels, n_classes), values, mixture.classes, self.covariance, floor,
            self._sweeps(), max_iter=max_iter, tol=tol, n_threads=n_threads,
        )  # fmt: skip
        order = _gaussians.order_by_mean(classes.means)
        self.means_, self.covariances_ = classes.taken(order)
        self.energy_ = np.array(energies)
        self.n_iter_ = len(energies)

    def _labels(self, pixels: Pixels) -> np.ndarray:
        if len(pixels.values) == 0:
            return np.zeros(pixels.shape, dtype=np.int32)
        labels = self._settled(pixels).labels
        return pixels.spread(labels[labels != 0])

    def _shares(self, pixels: Pixels) -> np.ndarray:
        if len(pixels.values) == 0:
            return np.zeros((*pixels.shape, len(self.means_)))
        shares_of = self._settled(pixels).shares
        rows = np.empty((len(pixels.values), len(self.means_)))
        for block in _gaussians.blocks(len(rows)):
            rows[block] = shares_of(block).T
        return pixels.spread(rows)

    def _field(self, pixels: Pixels, n_classes: int) -> _potts.Field:
        """Return the field over the pixels of an image, still without costs."""
        inside = None if pixels.inside is None else pixels.inside.reshape(pixels.shape)
        return _hidden_field.empty_field(
            pixels.shape, inside, n_classes,
            beta=float(self.beta), connectivity=int(self.connectivity),
        )  # fmt: skip

    def _sweeps(self) -> Sweeps:
        return Sweeps(self.solver, 100, 1e-3)

    def _settled(self, pixels: Pixels) -> Settled:
        """Return the settled field over the pixels of an image."""
        return _hidden_field.settle(
            self._field(pixels, len(self.means_)), pixels.values, self._classes, self._sweeps(),
            self._n_threads(),
        )  # fmt: skip


def _read(
    proba: Any,
    beta: float,
    image: Any,
    sigma: float | None,
    floor: float,
    connectivity: int,
    mask: Any,
    channel_axis: int | None,
) -> tuple[np.ndarray, _potts.Field | None]:
    """Check what makes up a Potts model; return the probabilities and it, None without pixels."""
    inside = None
    if mask is not None:
        inside = _check.mask(mask, _check.as_array(mask, "mask").shape, "mask")
    array = _check.probabilities(proba, inside=inside)
    shape = array.shape[:-1]
    beta = float(_check.number(beta, "beta"))
    floor = float(_check.number(floor, "floor", above=True))
    if floor > 1:
        raise ValueError(f"`floor` must be a number > 0 and <= 1, got {floor:g}")
    if sigma is not None:
        sigma = float(_check.number(sigma, "sigma", above=True))
    connectivity = _check.connectivity(connectivity, len(shape))
    pixels = None
    if image is not None:
        pixels = _check.channels_last(image, channel_axis)
        _check.shape_of_proba(pixels[..., 0], "image", array.shape)
        _check.refuse_not_finite(pixels, "image", inside=inside)
    elif sigma is not None:
        raise ValueError("`sigma` is the contrast in `image`, which must be given with it")
    if array.size == 0:
        return array, None
    rows = array.reshape(-1, array.shape[-1]) if inside is None else array[inside]
    field = _potts.make_field(
        array.shape[-1],
        shape,
        inside,
        pixels,
        beta=beta,
        highest=-log(floor),
        connectivity=connectivity,
        sigma=sigma,
    )
    for block in _gaussians.blocks(len(rows)):
        _potts.write_costs(field, block, _costs(rows[block], floor))
    return array, field


def _costs(rows: np.ndarray, floor: float) -> np.ndarray:
    """Return -log of the probabilities, each row divided by its sum, none below `floor`."""
    share = _gaussians.scaled_to_one(rows)
    return -np.log(np.maximum(share, floor, out=share), out=share)
