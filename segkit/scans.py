"""Scans: one path through all pixels, so that an image can be read like a text.

Methods for sequences (a Markov chain, a run-length code, a filter along a line) take an
image in some order.  Row by row tears its neighborhoods apart: the pixel above is a whole
row away.  A Hilbert curve fills one half of the image before it goes on to the other, one
quarter before the next, and so on down to single pixels; what is near on the curve is near
in the image, and most of what is near in the image is near on the curve.

Hilbert's own curve needs a square of 2^k pixels a side.  Here a box of any sides is cut
into boxes which are each entered at a corner and left at the other end of an edge, and
these again.  Where a side is odd the cuts are uneven, but they always fit: from the first
pixel to the last each step goes to a neighbor along one axis.

Limits.  No path keeps all neighbors together: for each cut there are pixels on its two
sides that are far apart on the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from segkit_ext.hilbert import stack_shape, walk_boxes

from . import _check, _grid

_AXES = stack_shape()[1] // 2


def hilbert_scan(shape: Sequence[int]) -> np.ndarray:
    """Return the pixels of an image in the order of a generalised Hilbert curve.

    Parameters
    ----------
    shape : sequence of int
        The sides of the image, 1 to 4 of them; any sides, also odd, 1 and 0.

    Returns
    -------
    path : ndarray of intp, (N,)
        Raveled indices (C order), each pixel once. ``image.ravel()[path]`` is the image as
        a sequence; ``out[path] = sequence`` brings it back.

    Raises
    ------
    TypeError
        If `shape` is not a sequence, or holds something else than integers.
    ValueError
        If `shape` is empty, longer than 4 or negative, or has too many pixels for an index.

    Notes
    -----
    Each pixel is a neighbor of the one before along one axis, whatever the sides. Curves
    that have to end at the corner next to the start, at the end of the longest side, need
    one diagonal step when that side is odd and another is even. This one ends elsewhere then:
    it travels along the longest even side, or, where the odd one is longer by half, first along a
    part of that.

    On squares and cubes of 2^k pixels a side it is a Hilbert curve [1]_. It starts at
    the first pixel, and ends on the border. In three and four dimensions a box is cut along
    three axes at once, or along two where the third is short or parity asks for it.

    **Ties**: Of equally long axes the last is traveled, so a square is left at its upper
    right corner.

    **Cost**: Time linear in the pixels, about 5 ns each; 8 bytes per pixel for the result.

    Kernel: ``segkit_ext/hilbert.pyx``. Plain version: ``tests/reference/scans.py``.

    References
    ----------
    .. [1] D. Hilbert (1891), Ueber die stetige Abbildung einer Linie auf ein Flächenstück,
       Mathematische Annalen 38, 459-460. :doi:`10.1007/BF01199431`

    Examples
    --------
    >>> import segkit
    >>> path = segkit.hilbert_scan((4, 4))
    >>> path.tolist()
    [0, 1, 5, 4, 8, 12, 13, 9, 10, 14, 15, 11, 7, 6, 2, 3]
    """
    sides = _check.shape(shape, "shape")
    n = prod(sides)
    if n > np.iinfo(np.intp).max // 8:
        raise ValueError(f"`shape` must have fewer than 2**60 pixels, got {sides}")
    path = np.empty(n, dtype=np.intp)
    if n == 0:
        return path
    stack = np.empty(stack_shape(), dtype=np.intp)
    boxes = _first_boxes(sides)
    stack[: len(boxes)] = boxes[::-1]
    walk_boxes(stack, len(boxes), path)
    return path


def _first_boxes(shape: tuple[int, ...]) -> list[list[int]]:
    """Return boxes, one behind the other, that the kernel can go through.

    The travel axis has to be even or all sides odd.  While the longest side is odd, another
    even and much shorter, an even part of the longest is traveled first.
    """
    axes = [axis for axis in range(len(shape)) if shape[axis] > 1] or [0]
    sides = [shape[axis] for axis in axes]
    strides = [int(_grid.strides_of(shape)[axis]) for axis in axes]
    boxes, start = [], 0
    while True:
        longest = _longest(sides, range(len(sides)))
        even = [k for k, side in enumerate(sides) if side % 2 == 0]
        travel = _longest(sides, even) if even else longest
        if 3 * sides[travel] >= 2 * sides[longest]:
            boxes.append(_box(start, sides, strides, travel))
            return boxes
        part = 2 * ((sides[longest] + 1) // 4)
        first = [*sides[:longest], part, *sides[longest + 1 :]]
        boxes.append(_box(start, first, strides, longest))
        start += part * strides[longest]
        sides[longest] -= part


def _longest(sides: list[int], among: Sequence[int]) -> int:
    """Return the longest side, of equals the last."""
    return max(among, key=lambda k: (sides[k], k))


def _box(start: int, sides: list[int], strides: list[int], travel: int) -> list[int]:
    """Return a row for the kernel: start, sides, strides, the travel axis first."""
    order = [travel, *(k for k in range(len(sides)) if k != travel)]
    absent = [1] * (_AXES - len(sides))
    return [start, *(sides[k] for k in order), *absent, *(strides[k] for k in order), *absent]


def _snake_scan(shape: tuple[int, ...]) -> np.ndarray:
    """Return the pixels row by row, every other row backwards, so that steps go to neighbors."""
    path = np.zeros(1, dtype=np.intp)
    stride = 1
    for side in shape[::-1]:  # forwards on even, backwards on odd steps along this axis
        turns = np.stack([path, path[::-1]])[np.arange(side) % 2]
        path = (turns + stride * np.arange(side, dtype=np.intp)[:, np.newaxis]).reshape(-1)
        stride *= side
    return path


__all__ = ["hilbert_scan"]
