"""Reliefs and their minima: what a watershed floods, and where it starts.

An image becomes a relief by its gradient: flat inside objects, high on their
contours.  Its minima are then the insides of objects, and the watershed's
basins grow from them to the contours.

Noise puts a shallow minimum in every dent.  The depth of a minimum is how far
water must rise in it before it spills over into a lower one.  Minima that are
less deep than `depth` can be passed over: this is the one parameter that cures
most over-segmentation.  (Depth is also called dynamics or persistence, and
minima of depth h are h-minima.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.flood import flood
from segkit_ext.minima import first_pixels, mark_lower, mark_zones, number_zones
from segkit_ext.translate import translate

from . import _check, _dtypes, _grid, _half_discs, _levels
from .labels import connected_components, relabel

_HEIGHTS = 2  # the mode of the flood that reconstructs


def gradient(
    image: ArrayLike, *, sigma: float = 0.0, channel_axis: int | None = None
) -> np.ndarray:
    """Return the magnitude of the gradient, in grey levels per pixel.

    Parameters
    ----------
    image : array_like, real, 1 to 4 spatial dimensions
        No NaN and no infinite values.
    sigma : float, in pixels
        Scale: derivatives of a Gaussian of this standard deviation.  0: half
        the difference of the two neighbors along each axis, which sees every
        detail and every grain of noise.
    channel_axis : int, optional
        The axis of channels.  None: the image has one channel.

    Returns
    -------
    relief : ndarray of float32, the spatial shape
        sqrt of the sum of squared derivatives over axes and channels: an edge
        that is strong in any channel is strong.  Infinite where it exceeds
        float32.

    Raises
    ------
    TypeError
        For a dtype that is not real.
    ValueError
        For NaN or infinite values, a `sigma` below 0 or above 10000, a
        `channel_axis` outside the image.

    See Also
    --------
    segkit.watershed : floods the relief.

    Notes
    -----
    The image is continued by its edge pixels.  An axis of length 1 has no
    derivative.  Computed in float32 for 8- and 16-bit images, float16 and
    float32, else in float64.

    **Ties**: None: every pixel is independent.

    **Cost**: O(pixels × channels × ndim × (1 + sigma)), by SciPy's filters.

    Plain version: ``tests/reference/relief.py``.

    References
    ----------
    .. [1] J. Canny, "A computational approach to edge detection", IEEE PAMI
       8(6), 1986, :doi:`10.1109/TPAMI.1986.4767851`.

    Examples
    --------
    >>> import segkit
    >>> segkit.gradient([0, 0, 8, 8])
    array([0., 4., 4., 0.], dtype=float32)
    """
    from scipy import ndimage

    channels = _check.channels_last(image, channel_axis)
    _check.refuse_not_finite(channels, "image")
    sigma = _check.sigma(sigma)
    shape = channels.shape[:-1]
    wide = channels.dtype.itemsize > 2 and not _squares_fit_float32(channels)
    total = np.zeros(shape, dtype=np.float64 if wide else np.float32)
    if total.size == 0:
        return total.astype(np.float32)
    for channel in np.moveaxis(channels, -1, 0):
        grey = np.ascontiguousarray(channel, dtype=total.dtype)
        for axis in range(len(shape)):
            if shape[axis] == 1:
                continue
            if sigma > 0:
                order = [int(k == axis) for k in range(len(shape))]
                slope = ndimage.gaussian_filter(grey, sigma, order=order, mode="nearest")
            else:
                slope = ndimage.correlate1d(grey, [-0.5, 0, 0.5], axis=axis, mode="nearest")
            with np.errstate(over="ignore"):  # beyond float32, as said
                slope *= slope
                total += slope
    with np.errstate(over="ignore"):
        return np.sqrt(total, out=total).astype(np.float32, copy=False)


def _squares_fit_float32(values: np.ndarray) -> bool:
    """Return whether these are float32 values whose squares neither overflow nor vanish."""
    if values.dtype.newbyteorder("=") != np.float32 or values.size == 0:
        return False
    largest = max(abs(float(values.min())), abs(float(values.max())))
    return largest == 0 or 1e-12 < largest < 1e18


def boundary_strength(
    image: ArrayLike,
    *,
    scales: Sequence[float] = (3, 5, 10),
    n_orientations: int = 8,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return how strongly a border runs through each pixel: differences between half-discs.

    Slower than `gradient`, and much better on photographs: a border between two
    textures counts, the grain of a texture does not.

    Parameters
    ----------
    image : array_like, real, 2 spatial dimensions
        With three channels, red, green and blue: integers from 0 to the largest of
        their type, floats from 0 to 1.  Any other number of channels: each from its
        lowest to its highest value.
    scales : sequence of float, in pixels
        Radii of the discs for lightness; for color and texture they are twice as
        large.  From 1 to 50.
    n_orientations : int
        Number of directions, 1 to 32.
    channel_axis : int, optional
        The axis of channels.  None: the image has one channel.

    Returns
    -------
    strength : ndarray of float32, the spatial shape
        0 to 1: that of the direction in which it is strongest.

    Raises
    ------
    TypeError
        For a dtype that is not real.
    ValueError
        For other than 2 dimensions, NaN or infinite values, floats of three channels
        outside 0 to 1, scales or orientations out of range.

    See Also
    --------
    segkit.gradient : quick, and for any number of dimensions.
    segkit.region_graph : takes it as `strength`.

    Notes
    -----
    The disc around a pixel is halved by a line; g and h are histograms of the halves.
    Their distance is ``sum (g - h)**2 / (g + h) / 2``.  It is averaged over the scales
    and over four channels: lightness, two axes of color (CIE Lab; 25 bins, to two of
    which a pixel counts, by its distance), and texture (up to 32 textons: answers of
    13 filters, clustered in the image itself).  The largest over the orientations is
    the result; it is not thinned.  The image is continued by its mirror image.

    **Ties**: none.

    **Cost**: O(pixels × scale × channels) time and 8 bytes per pixel and orientation.

    Kernel: ``segkit_ext/half_discs.pyx``.  Plain version: ``tests/reference/half_discs.py``.

    References
    ----------
    .. [1] D. R. Martin, C. C. Fowlkes and J. Malik, "Learning to detect natural image
       boundaries using local brightness, color, and texture cues", IEEE PAMI 26(5),
       2004, :doi:`10.1109/TPAMI.2004.1273918`.
    .. [2] P. Arbelaez, M. Maire, C. Fowlkes and J. Malik, "Contour detection and
       hierarchical image segmentation", IEEE PAMI 33(5), 2011,
       :doi:`10.1109/TPAMI.2010.161`.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> halves = np.repeat([[0, 200]], 8, axis=1).repeat(9, axis=0).astype(np.uint8)
    >>> strength = segkit.boundary_strength(halves, scales=[2])
    >>> print(strength[4].argmax() in (7, 8), strength[4, 7] > 3 * strength[4, 0])
    True True
    """
    return _oriented_boundary_strength(image, scales, n_orientations, channel_axis).max(axis=0)


def _oriented_boundary_strength(
    image: ArrayLike,
    scales: Sequence[float] = (3, 5, 10),
    n_orientations: int = 8,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Return the strength of a border through each pixel in each direction, see `_half_discs`."""
    channels = _check.channels_last(image, channel_axis)
    if channels.ndim != 3:
        raise ValueError(
            f"`image` must have 2 spatial dimensions, got {channels.ndim - 1}"
            + ("" if channel_axis is not None else _check.channel_hint(channels.shape[:-1]))
        )
    _check.refuse_not_finite(channels, "image")
    radii = _radii(scales)
    n_orientations = _check.integer(n_orientations, "n_orientations", low=1, high=32)
    colored = channels.shape[-1] == 3
    if colored and channels.dtype.kind == "f" and channels.size:
        low, high = float(channels.min()), float(channels.max())
        if low < 0 or high > 1:
            raise ValueError(
                f"`image` must hold values from 0 to 1 as floats in color, got {low:g} to {high:g}"
            )
    shape = channels.shape[:2]
    if 0 in shape:
        return np.zeros((n_orientations, *shape), dtype=np.float32)
    planes = _half_discs.lightness_and_color(channels)
    lightness = planes[0] if colored else np.mean(planes, axis=0)
    kinds, n_kinds = _half_discs.textons(lightness)
    weight = 1 / (1 if colored else len(planes))
    cues = [
        (_half_discs.binned(plane), weight, 2.0 if colored and k else 1.0, _half_discs.n_bins())
        for k, plane in enumerate(planes)
    ]
    cues.append((kinds.astype(np.float64), 1.0, 2.0, n_kinds + 1))
    return _half_discs.oriented(cues, shape, radii, n_orientations)


def _radii(value: Any) -> tuple[float, ...]:
    """Return the radii of discs, each from 1 to 50 pixels."""
    wanted = f"`scales` must hold numbers from 1 to 50, got {value!r:.60}"
    try:
        radii = np.asarray(value)
    except ValueError:
        raise ValueError(wanted) from None
    if radii.dtype.kind not in "iuf":
        raise TypeError(wanted)
    if radii.ndim != 1 or radii.size == 0 or not ((radii >= 1) & (radii <= 50)).all():
        raise ValueError(wanted)
    return tuple(float(radius) for radius in radii)


def local_minima(
    relief: ArrayLike,
    *,
    depth: float = 0,
    connectivity: int = 1,
    mask: ArrayLike | None = None,
) -> np.ndarray:
    """Label the minima of a relief that are at least so deep.

    Parameters
    ----------
    relief : array_like, real, 1 to 4 dimensions
        Heights.  NaN is allowed outside `mask` only.
    depth : float, in units of the relief
        The least depth.  0: every regional minimum, that is every connected
        set of equal pixels without a lower neighbor.  h > 0: `relief` + h is
        lowered onto `relief` (reconstruction by erosion); the pixels that
        stay h above the relief are the minima at least h deep.  Those that one
        flat zone of the lowered surface joins share a marker: from there,
        water reaches one from the other without rising more than h.
    connectivity : int, 1 to ndim
        How many axes a step to a neighbor may change.
    mask : array_like of bool, same shape, optional
        Pixels outside do not exist: they are neither minima nor neighbors.

    Returns
    -------
    markers : ndarray of int32 or int64, same shape
        1..n on the pixels of lowest value of each minimum, 0 elsewhere.
        Numbered in raster order of the first pixel.

    Raises
    ------
    TypeError
        For a dtype that is not real or a mask that is not bool.
    ValueError
        For NaN inside `mask`, shapes that differ, a negative or infinite
        `depth`, a `connectivity` outside 1..ndim.

    See Also
    --------
    segkit.watershed : floods from these markers.

    Notes
    -----
    The lowest minimum has infinite depth and is always kept (with a `mask`, in
    each of its connected parts); a flat image is one minimum.  64-bit integers
    are exact, with a fractional `depth` too.  float32 heights are compared with
    `depth` in float64.

    **Ties**: A minimum exactly `depth` deep is kept.

    **Cost**: O(pixels × neighbors); with `depth` a flood more.  Extra memory:
    5 bytes per pixel with the result, and 5 per flat zone; with `depth` as for
    :func:`segkit.watershed`, and some 100 bytes per minimum, which on noise is more.

    Kernels: ``segkit_ext/minima.pyx``, ``segkit_ext/flood.pyx``,
    ``segkit_ext/translate.pyx``; plain version: ``tests/reference/relief.py``.

    References
    ----------
    .. [1] M. Grimaud, "A new measure of contrast: the dynamics", SPIE 1769,
       1992, :doi:`10.1117/12.60650`.
    .. [2] L. Vincent, "Morphological grayscale reconstruction in image
       analysis", IEEE Trans. Image Processing 2(2), 1993,
       :doi:`10.1109/83.217222`.

    Examples
    --------
    The dent in the middle is one deep, the valleys around it five and more:

    >>> import segkit
    >>> segkit.local_minima([5, 0, 5, 4, 5, 0, 6])
    array([0, 1, 0, 2, 0, 3, 0], dtype=int32)
    >>> segkit.local_minima([5, 0, 5, 4, 5, 0, 6], depth=2)
    array([0, 1, 0, 0, 0, 2, 0], dtype=int32)
    """
    heights = _check.image(relief, "relief", nan=True)
    inside = _check.mask(mask, heights.shape, "relief")
    _check.refuse_not_finite(heights, "relief", inf=True, inside=inside)
    connectivity = _check.connectivity(connectivity, heights.ndim)
    depth = _check.number(depth, "depth")
    if heights.dtype.kind == "f" and depth > 0 and heights.dtype.itemsize < 8:
        heights = heights.astype(np.float64)
    values = _dtypes.kernel_values(heights)
    if inside is not None and values.dtype.kind == "f":
        values = np.where(inside, values, values.dtype.type(0))  # no NaN beyond this line
    minima = _regional_minima(values, inside, connectivity)
    if depth == 0 or minima.size == 0:
        return minima
    if depth != int(depth) and values.dtype.itemsize < 4:
        values = values.astype(np.int32)  # levels between two grey values: by rank, not by value
    return _deep_minima(values, minima, depth, inside, connectivity)


def _regional_minima(
    values: np.ndarray, inside: np.ndarray | None, connectivity: int
) -> np.ndarray:
    """Label the flat zones without a lower neighbor, 1..n in raster order."""
    zones = connected_components(values, connectivity=connectivity, mask=inside, background=None)
    if zones.size == 0:
        return zones
    ndim = values.ndim
    shape = np.ones(4, dtype=np.intp)
    shape[4 - ndim :] = values.shape
    around = _grid.neighbor_steps(ndim, connectivity)
    steps = np.zeros((len(around), 4), dtype=np.intp)
    steps[:, 4 - ndim :] = around
    mask = np.empty(0, np.uint8)
    if inside is not None:
        mask = np.ascontiguousarray(inside).view(np.uint8).reshape(-1)
    lower = np.zeros(values.size, dtype=np.uint8)
    mark_lower(values.reshape(-1), mask, lower, shape, steps)
    flat = zones.reshape(-1)
    drained = np.zeros(int(flat.max()) + 1, dtype=np.uint8)
    mark_zones(flat, lower, drained)
    del lower
    table = np.empty(drained.size, dtype=zones.dtype)
    number_zones(drained, table)
    translate(flat, table)
    return zones


def _deep_minima(
    values: np.ndarray,
    minima: np.ndarray,
    depth: float,
    inside: np.ndarray | None,
    connectivity: int,
) -> np.ndarray:
    """Keep the minima at least so deep; those joined by the reconstruction become one."""
    flat = minima.reshape(-1)
    sources = np.empty(int(flat.max()), dtype=np.intp)
    first_pixels(flat, sources)
    if sources.size == 0:
        return minima

    where = _levels.grid(values.shape, connectivity)
    connectivity = min(connectivity, len(where.shape))
    word = _levels.word_type(values, where, sources.size)
    below = _levels.basins(values, inside, where, word)
    heights = values.reshape(-1)
    surface = _Surface.above(_levels.heights(values, below, where), heights[sources], depth)
    state, slots, first, free = surface.enter(below, _grid.padded_index(sources, where.shape))
    del below
    last = first.size - 2
    flood(state, slots, first, free, where.offsets, where.rows_ahead, last, _HEIGHTS, False)
    del slots

    kept = state[_grid.padded_index(sources, where.shape)] == surface.sources + 1
    zones = connected_components(where.interior(state), connectivity=connectivity)
    table = np.zeros(sources.size + 1, dtype=minima.dtype)
    table[1:] = np.where(kept, zones.reshape(-1)[sources], 0)
    translate(flat, relabel(table).astype(minima.dtype))
    return minima


class _Surface(NamedTuple):
    """The levels of a relief and of sources that stand above it, in one order."""

    pixels: np.ndarray  # the new level of each level of the relief
    sources: np.ndarray  # the level of each source
    n_levels: int

    @classmethod
    def above(cls, heights: np.ndarray, minima: np.ndarray, depth: float) -> _Surface:
        """Place sources `depth` above `minima` among the increasing `heights`.

        Integers are counted from the lowest, as unsigned numbers, so that a sum
        beyond the type's range shows as one that wrapped around.
        """
        between = False  # a fraction puts every source between two integers
        if heights.dtype.kind != "f":
            between = depth != int(depth)
            lowest = heights[0]
            heights, minima = _count_from(heights, lowest), _count_from(minima, lowest)
            # No minimum but the lowest is as deep as the whole range.
            depth = heights.dtype.type(min(int(depth), int(heights[-1])))
        with np.errstate(over="ignore", invalid="ignore"):
            if heights.dtype.kind == "f":  # a larger depth would drown the heights in rounding
                depth = np.fmin(depth, heights[-1] - heights[0])
            raised = minima + depth
        wrapped = raised < minima
        order = np.lexsort((raised, wrapped))
        place = np.searchsorted(heights, raised, side="right" if between else "left")
        place[wrapped] = heights.size
        found = (place < heights.size) & (not between)
        found[found] = heights[place[found]] == raised[found]
        # Sources at a height of no pixel get levels of their own, equal ones the same.
        new = order[~found[order]]
        differs = np.ones(new.size, dtype=bool)
        here, there = new[1:], new[:-1]
        differs[1:] = (raised[here] != raised[there]) | (wrapped[here] != wrapped[there])
        before = np.bincount(place[new[differs]], minlength=heights.size + 1)
        pixels = np.arange(heights.size) + np.cumsum(before)[: heights.size]
        sources = np.empty(minima.size, dtype=np.intp)
        sources[found] = pixels[place[found]]
        sources[new] = place[new] + np.cumsum(differs) - 1
        return cls(pixels, sources, heights.size + int(differs.sum()))

    def enter(
        self, below: _levels.Basins, positions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return state, slots, first and free of a flood with the sources entered."""
        state, slots, first, ranked = below
        word = state.dtype
        pixels_on = np.diff(first)
        if ranked:  # every level counts as shared from now on
            state[slots] = np.repeat((-2 - 2 * self.pixels).astype(word), pixels_on)
        sources_on = np.bincount(self.sources, minlength=self.n_levels)
        counts = sources_on.copy()
        counts[self.pixels] += pixels_on
        starts = np.zeros(self.n_levels + 1, dtype=word)
        np.cumsum(counts, out=starts[1:])
        places = np.empty(slots.size + positions.size, dtype=word)
        order = np.argsort(self.sources, kind="stable")
        levels = self.sources[order]
        rank = np.arange(order.size) - np.searchsorted(levels, levels)  # within its level
        places[starts[levels] + rank] = positions[order]
        return state, places, starts, (starts[:-1] + sources_on).astype(word)


def _count_from(values: np.ndarray, lowest: np.generic) -> np.ndarray:
    """Return integers minus the lowest as uint64, without overflow."""
    return values.astype(np.int64).view(np.uint64) - np.int64(lowest).view(np.uint64)


__all__ = ["boundary_strength", "gradient", "local_minima"]
