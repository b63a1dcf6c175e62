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

from math import log
from typing import Any

import numpy as np

from . import _check, _potts

_SOLVERS = ("icm", "mean_field", "graph_cut")


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
    the pixels. Memory per pixel 4 K bytes, for "mean_field" 12 K; for "graph_cut" 4 for each
    neighbor and 20 more; with an image 2 for each neighbor.
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
    solver = _check.choice(solver, "solver", _SOLVERS)
    max_iter = _check.integer(max_iter, "max_iter", low=1)
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
        _costs(rows, floor),
        shape,
        inside,
        pixels,
        beta=beta,
        highest=-log(floor),
        connectivity=connectivity,
        sigma=sigma,
    )
    return array, field


def _costs(rows: np.ndarray, floor: float) -> np.ndarray:
    """Return -log of the probabilities, each row divided by its sum, none below `floor`."""
    share = rows.astype(np.float64)
    largest = share.max(axis=-1, keepdims=True)
    undecided = largest == 0
    share /= np.where(undecided, 1, largest)  # first, because the sum may be too large for a double
    share += undecided
    share /= share.sum(axis=-1, keepdims=True)
    return -np.log(np.maximum(share, floor, out=share), out=share)
