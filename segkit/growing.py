"""Region growing: from seeds, outwards, as long as pixels qualify.

A region starts from a seed and takes in neighbors, and their neighbors, as long as
they are like it.  What "like it" means is the criterion.  Compared with the pixel it
is reached from ("neighbor"), a region follows slow changes of light, and leaks
through any soft edge.  Compared with the seed ("seed"), it cannot drift, and hangs on
the one value it was started with.  Compared with the running mean of the region
("region"), the most similar pixel first, several regions divide the image between
them where it changes most (Adams and Bischof).  Within so many standard deviations
of the region ("confidence"), the tolerance comes from the image itself.

Limits.  Growing sees gray levels, not shapes: one pixel of gap in an edge is a leak,
noise above the tolerance leaves holes, and a seed on an odd pixel grows an odd region
or none.  Smooth first, choose seeds away from edges (`find_seeds`), fill afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from . import _check, _dtypes, _growth, _levels
from ._confidence import confidence_bounds
from ._seeds import Seeds, read_seeds, space_apart
from .relief import gradient

_CRITERIA = ("neighbor", "seed", "region", "confidence")
_GROW: dict[str, Any] = {
    "neighbor": _growth.grow_by_neighbor,
    "seed": _growth.grow_by_seed,
    "region": _growth.grow_by_mean,
}


def region_growing(
    image: Any,
    seeds: Sequence[Any] | np.ndarray | None = None,
    *,
    criterion: str = "region",
    tolerance: float | None = None,
    multiplier: float = 2.5,
    iterations: int = 4,
    min_size: int = 1,
    max_steps: int | None = None,
    connectivity: int = 1,
    mask: Any = None,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Grow regions from seeds through pixels that are like them.

    Parameters
    ----------
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        Real, of 1 to 4 spatial dimensions. NaN pixels are never inside a region and stop
        growth. Infinite values: a ValueError for "region" and "confidence"; for the other
        criteria equal infinities are equal, and infinitely far from all else.
    seeds : sequence of points, marker image or None
        A list of points [(row, col), ...] (in 1-D also plain integers) or an array (n, ndim):
        the i-th point grows the region i + 1. A marker image, of integers, has the spatial
        shape of `image`: 0 is no seed, pixels of one value are one seed. A NumPy array of the
        image's shape is a marker image even if it could be read as points, a list that can
        be read as points is points. None: the first pixel without a region, in raster
        order, grows to completion, then the next, until none is left.
    criterion : {"region", "neighbor", "seed", "confidence"}
        When a pixel joins. "neighbor": it differs by <= `tolerance` from the pixel it is
        reached from. "seed": from its seed, of several pixels their mean. "region": from the
        mean that the region has by then. "confidence": its value lies in the interval of the
        region, mean - and + `multiplier` standard deviations.
    tolerance : float >= 0, in the units of `image`
        The largest (Euclidean) distance. None is for "region" with seeds: no limit, every
        pixel that can be reached joins. "confidence" does not use it.
    multiplier : float >= 0
        How many standard deviations "confidence" admits.
    iterations : int >= 0
        How often "confidence" grows a region to estimate its interval anew.
    min_size : int >= 1
        Regions of fewer pixels become 0; without seeds the others are then renumbered.
    max_steps : int >= 0, optional
        Stop after so many pixels have joined: the state in between. Seed pixels are in their
        regions from the start and do not count; without seeds every pixel counts.
    connectivity : int
        How many axes a step to a neighbor may change, 1 to ndim.
    mask : array_like of bool, optional
        Regions grow only where it is True.
    channel_axis : int, optional
        The axis of channels. None: a one-channel image.

    Returns
    -------
    labels : ndarray of the spatial shape
        int32; int64 if an id, or the number of pixels, is above 2**31 - 1. 0 is no region.

    Raises
    ------
    TypeError
        For a wrong dtype or type, such as a fractional index or a float marker image.
    ValueError
        For a wrong value, shape or combination: a tolerance that is missing, negative or
        not finite; no seed; a seed outside the image or the mask, on NaN, or given twice.

    Notes
    -----
    **"region"** is seeded region growing [1]_. A pixel's priority is its distance to the
    nearest adjacent region's mean when it is queued (for integer images the integer part),
    then first in, first out. Taken out, it joins the adjacent region whose mean is
    nearest by then; if that is farther than `tolerance` it is released, and queued again
    when another neighbor joins. Sums are exact for integers, in double for floats.
    Without seeds, regions that are finished take no part in the growth of the next.

    **"confidence"** starts from the mean and variance (divided by n - 1) of the box of 3
    pixels a side around the seed, edges repeated, boxes of several seed pixels pooled,
    pixels outside left out. The closed interval always holds the values of the seed
    itself. Each interval is estimated as if its seed were alone, then seeds compete as for
    "seed". This is ITK's ConfidenceConnected, except that bounds are not truncated to the
    type of an integer image, and that a region of one pixel has the variance 0.

    **Ties**: Seeds are ranked by the raster index of their first pixel, whatever the order
    in which they are given. For "neighbor", "seed" and "confidence" one queue, first in,
    first out, starts with all seed pixels in raster order, and the first that reaches a
    pixel keeps it; neighbors are looked at nearest first, then in raster order. "region"
    queues in the same order, and of means equally near takes the region of lowest rank.

    **Exactness**: Differences never wrap, and integers, also of 64 bits, are compared
    exactly: a difference with `tolerance`, a mean as a fraction. In double, and so rounded, are
    squared distances of several channels beyond 64 bits, and distances above 2**53 in "region".

    **Cost**: Time linear in the pixels, for "region" on other than 8- and 16-bit images times
    the logarithm of the front; "confidence" grows each seed alone, iterations + 1 times.
    Memory about 5 bytes per pixel for 8-bit images, the result included, 10 for "region";
    for "confidence" up to 30 bytes more per pixel of the largest region.
    Kernels: ``segkit_ext/grow_fifo.pyx``, ``segkit_ext/grow_region.pyx``, and
    ``segkit_ext/grow_bits.pyx`` for one seed with an interval, in words of 64 pixels.
    Plain version: ``tests/reference/growing.py``.

    References
    ----------
    .. [1] R. Adams and L. Bischof, "Seeded region growing", IEEE Transactions on Pattern
       Analysis and Machine Intelligence 16(6), 1994. doi:10.1109/34.295913

    Examples
    --------
    >>> import segkit
    >>> image = [[1, 1, 7, 8],
    ...          [1, 2, 3, 8],
    ...          [5, 2, 2, 9]]
    >>> segkit.region_growing(image, [(0, 0), (0, 3)], tolerance=2)
    array([[1, 1, 2, 2],
           [1, 1, 1, 2],
           [0, 1, 1, 2]], dtype=int32)
    >>> segkit.region_growing(image, criterion="neighbor", tolerance=1)
    array([[1, 1, 2, 2],
           [1, 1, 1, 2],
           [3, 1, 1, 2]], dtype=int32)
    """
    array = _check.channels_last(image, channel_axis)
    shape = array.shape[:-1]
    _check.choice(criterion, "criterion", _CRITERIA)
    if tolerance is not None:
        tolerance = _check.number(tolerance, "tolerance")
    multiplier = _check.number(multiplier, "multiplier")
    iterations = _check.integer(iterations, "iterations", low=0)
    min_size = _check.integer(min_size, "min_size", low=1)
    if max_steps is not None:
        max_steps = _check.integer(max_steps, "max_steps", low=0)
    connectivity = _check.connectivity(connectivity, len(shape))
    inside = _check.mask(mask, shape, "image")
    if seeds is None and criterion == "confidence":
        raise ValueError('`seeds` must be given for criterion "confidence", got None')
    needed = criterion in ("neighbor", "seed") or (criterion == "region" and seeds is None)
    if needed and tolerance is None:
        raise ValueError(
            f'`tolerance` must be a finite number >= 0 for criterion "{criterion}"'
            + (" without seeds" if criterion == "region" else "")
            + ", got None"
        )
    if criterion == "confidence" and array.shape[-1] != 1:
        raise ValueError(
            f'`image` must have one channel for criterion "confidence", got {array.shape[-1]}'
        )
    if criterion in ("region", "confidence"):
        _check.refuse_not_finite(array, "image", nan=True, inside=inside)
    start: Any = None
    if seeds is not None:
        if array.size == 0:
            raise ValueError(
                f"`image` must have at least one pixel to hold `seeds`, got shape {shape}"
            )
        start = read_seeds(seeds, shape, channel_axis is not None)
        _refuse_seeds_outside(array, inside, start)
    if array.size == 0:
        return np.zeros(shape, dtype=np.int32)

    problem = _growth.make_problem(array, inside, start, connectivity, min_size, max_steps)
    if criterion == "confidence":
        bounds = confidence_bounds(problem, start, shape, multiplier, iterations)
        labels = _growth.grow_within(problem, *bounds)
    else:
        labels = _GROW[criterion](problem, tolerance)
    return labels.reshape(shape)


def find_seeds(
    image: Any,
    *,
    n_seeds: int | None = None,
    method: str = "flat",
    min_distance: float = 5,
    max_gradient: float | None = None,
    sigma: float = 1.0,
    rng: int | np.random.Generator = 0,
    mask: Any = None,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Choose seed pixels for growing or flooding, away from strong contrast or at random.

    Parameters
    ----------
    image : array_like, (..., R, C), with one more axis if `channel_axis` is given
        Real, of 1 to 4 spatial dimensions, without NaN or infinite values.
    n_seeds : int >= 1, optional
        At most so many. None: as many as keep their distance.
    method : {"flat", "random"}
        "flat": pixels of the lowest gradient first. "random": every pixel is as likely.
    min_distance : float >= 0, in pixels
        No two seeds are nearer to each other (Euclidean distance).
    max_gradient : float >= 0, optional
        Pixels of a larger gradient are no seeds, with both methods.
    sigma : float >= 0, in pixels
        Scale of the gradient, see `segkit.gradient`.
    rng : int or numpy.random.Generator
        For "random".
    mask : array_like of bool, optional
        Seeds lie only where it is True.
    channel_axis : int, optional
        The axis of channels. None: a one-channel image.

    Returns
    -------
    markers : ndarray of the spatial shape
        int32; int64 above 2**31 - 1 pixels. Seeds are numbered 1..n in raster order; 0
        elsewhere, and everywhere if no pixel may be a seed.

    Raises
    ------
    TypeError
        For a wrong dtype or type.
    ValueError
        For a wrong value, shape or combination, NaN or infinite values.

    See Also
    --------
    segkit.local_minima : one marker for each minimum of a relief.

    Notes
    -----
    A seed on an edge grows a region of the mixed gray levels there. "flat" therefore takes
    the pixel of lowest gradient, crosses out all that are too near, and goes on with the
    lowest that is left. At random, large regions get more seeds than small ones.

    **Ties**: equal gradients in raster order.

    **Cost**: O(n log n) for n pixels, plus the ball of `min_distance` for each seed.
    Kernel: ``segkit_ext/space_out.pyx``. Plain version: ``tests/reference/growing.py``.

    Examples
    --------
    >>> import segkit
    >>> segkit.find_seeds([5, 5, 5, 5, 9, 9, 9, 9], min_distance=4, sigma=0)
    array([1, 0, 0, 0, 0, 2, 0, 0], dtype=int32)
    """
    array = _check.channels_last(image, channel_axis)
    shape = array.shape[:-1]
    if n_seeds is not None:
        n_seeds = _check.integer(n_seeds, "n_seeds", low=1)
    _check.choice(method, "method", ("flat", "random"))
    min_distance = _check.number(min_distance, "min_distance")
    if max_gradient is not None:
        max_gradient = _check.number(max_gradient, "max_gradient")
    sigma = _check.sigma(sigma)
    generator = _check.generator(rng)
    inside = _check.mask(mask, shape, "image")
    _check.refuse_not_finite(array, "image")
    markers = np.zeros(shape, dtype=_dtypes.label_dtype(prod(shape)))
    if markers.size == 0:
        return markers

    allowed = np.ones(shape, dtype=bool) if inside is None else inside.copy()
    steepness: Any = None
    if method == "flat" or max_gradient is not None:
        steepness = gradient(array, sigma=sigma, channel_axis=-1)
        if max_gradient is not None:
            allowed &= steepness <= np.float64(max_gradient)
    candidates = np.flatnonzero(allowed)
    if method == "flat":
        candidates = candidates[_levels.order(steepness[allowed])]
    else:
        candidates = generator.permutation(candidates)
    chosen = np.sort(space_apart(candidates, shape, min_distance, n_seeds))
    markers.reshape(-1)[chosen] = np.arange(1, len(chosen) + 1)
    return markers


def _refuse_seeds_outside(array: np.ndarray, inside: np.ndarray | None, seeds: Seeds) -> None:
    """Refuse seed pixels outside the mask, or whose value is NaN."""
    where = np.unravel_index(seeds.position, array.shape[:-1])
    if inside is not None and not inside[where].all():
        point = tuple(int(index[~inside[where]][0]) for index in where)
        raise ValueError(f"`seeds` must lie inside `mask`, got {point}")
    if array.dtype.kind == "f":
        nan = np.isnan(array[where]).any(axis=-1)
        if nan.any():
            point = tuple(int(index[nan][0]) for index in where)
            raise ValueError(f"`seeds` must not lie on NaN, got {point}")
