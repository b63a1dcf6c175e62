"""Outlines of regions: the pixels, or the cracks between pixels, where regions meet.

A pixel lies on an outline if a neighbor has another id.  Whether both sides are
meant, or one of the two, is the mode; between the pixels, in an image twice as
fine, outlines are one position thin and belong to no region.  The border of the
image is no outline.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.outline import mark_differing

from . import _check, _dtypes, _grid


def boundaries(labels: ArrayLike, *, mode: str = "inner", connectivity: int = 1) -> np.ndarray:
    """Mark the pixels, or the cracks between pixels, where regions meet.

    Parameters
    ----------
    labels : (...) integer array
        Label image; 0 is "no label" and bounds regions as another region does.
    mode : {"inner", "outer", "thick", "subpixel"}
        "thick": pixels with a neighbor of another label, on both sides.
        "inner": those of them that have a label.
        "outer": those of them that have none, and those with a pixel of another
        region (not 0) in the box of 3 pixels a side around them.
        "subpixel": an image of sides 2 s - 1, pixels at even positions; marked
        are the positions between pixels that are not all equal.
    connectivity : int
        How many axes a step to a neighbor may change, 1 to ndim; "subpixel" does
        not depend on it.

    Returns
    -------
    boundaries : (...) bool array
        Shape of `labels`; for "subpixel" 2 s - 1 along each axis of s pixels.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids, an unknown mode, a connectivity outside 1..ndim.

    Notes
    -----
    **Ties**: none.  The image border is no boundary.

    **Cost**: O(pixels * neighbors), one byte per pixel.

    The same pixels as ``skimage.segmentation.find_boundaries``, except where
    that one treats ids unequally: in modes "outer" and "subpixel" it takes the
    largest id of the dtype (255 of uint8) for background, and in mode "outer"
    it marks pixels around single regions when ids are of 64 bits.

    Kernel: ``segkit_ext/outline.pyx``.  Plain version:
    ``tests/reference/outlining.py``.

    Examples
    --------
    >>> import segkit
    >>> segkit.boundaries([0, 0, 1, 1, 1, 2, 2]).astype(int)
    array([0, 0, 1, 0, 1, 1, 0])
    >>> segkit.boundaries([1, 1, 2], mode="subpixel").astype(int)
    array([0, 0, 0, 1, 0])
    """
    array = _check.labels(labels)
    mode = _check.choice(mode, "mode", ("inner", "outer", "thick", "subpixel"))
    connectivity = _check.connectivity(connectivity, array.ndim)
    if mode == "subpixel":
        return _cracks(array)
    marked = _differing(array, connectivity, zero_counts=mode != "inner")
    if mode == "outer":
        contested = _differing(array, array.ndim, labeled=True)
        contested |= array == 0
        marked &= contested
    return marked


def _differing(
    array: np.ndarray, connectivity: int, *, labeled: bool = False, zero_counts: bool = True
) -> np.ndarray:
    """Return which pixels have a neighbor of another id (not 0 if `labeled`).

    Pixels of id 0 are among them only if `zero_counts`.
    """
    out = np.empty(array.shape, dtype=bool)
    if array.size == 0:
        return out
    steps = np.zeros((len(_grid.neighbor_steps(array.ndim, connectivity)), 4), dtype=np.intp)
    steps[:, 4 - array.ndim :] = _grid.neighbor_steps(array.ndim, connectivity)
    row_shape = np.ones(3, dtype=np.intp)
    row_shape[4 - array.ndim :] = array.shape[:-1]
    jumps = np.empty(-(-len(steps) // 4) * 4, dtype=np.intp)
    mark_differing(
        _dtypes.flat_ids(array),
        row_shape,
        steps,
        array.shape[-1],
        labeled,
        zero_counts,
        jumps,
        out.view(np.uint8).ravel(),
    )
    return out


def _cracks(array: np.ndarray) -> np.ndarray:
    """Return the positions between pixels, in an image of sides 2 s - 1, that are not all equal."""
    out = np.zeros([max(0, 2 * side - 1) for side in array.shape], dtype=bool)
    every, even, odd = slice(None), slice(None, None, 2), slice(1, None, 2)
    for axis in range(array.ndim):

        def along(part: slice, axis: int = axis) -> tuple[slice, ...]:
            return (every,) * axis + (part,)

        differ = array[along(slice(1, None))] != array[along(slice(None, -1))]
        out[(even,) * axis + (odd,) + (even,) * (array.ndim - 1 - axis)] = differ
    # A position between more than two pixels: a crack between any two of them ends there.
    for axis in range(array.ndim):
        between = (every,) * axis
        low, high = out[(*between, slice(None, -1, 2))], out[(*between, slice(2, None, 2))]
        out[(*between, odd)] |= low | high
    return out
