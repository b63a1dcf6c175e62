"""Measuring regions: size, place, outline and values, a table with one row per region.

A label image and, if wanted, an image under it go in; columns come out, as
plain arrays of equal length that pandas, a CSV writer or a plot take as they
are.  Everything is added up in one pass over rows: a stretch of one region adds
its length, coordinates and values at once.

Lengths are counted, not estimated: `perimeter` is the number of faces between
pixels, so that it adds up when regions are merged (and overestimates the length
of a slanted outline, by up to 4 / pi in 2-D).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.measure import measure_shapes, measure_values, n_columns

from . import _check, _dtypes
from .labels import _numbered

_PIXELS, _FIRST, _LAST, _TOTAL, _FACES = 0, 1, 5, 9, 13  # columns of the kernel's sums


class _RegionTable(dict[str, np.ndarray]):
    """Columns by name; the name before a dash gives all its columns in one array.

    ``table["centroid-0"]`` is a column; ``table["centroid"]`` has shape (n, ndim),
    ``table["bbox"]`` (n, ndim, 2) with [first, behind the last] along each axis,
    ``table["mean"]`` of an image with channels (n, C).
    """

    def __missing__(self, name: str) -> np.ndarray:
        """Return the columns ``name-0``, ``name-1``, ... side by side."""
        parts: list[np.ndarray] = []
        while f"{name}-{len(parts)}" in self:
            parts.append(self[f"{name}-{len(parts)}"])
        if not parts:
            raise KeyError(name)
        together = np.stack(parts, axis=1)
        if name == "bbox":
            return together.reshape(len(together), 2, -1).swapaxes(1, 2)
        return together


def regions(
    labels: ArrayLike,
    image: ArrayLike | None = None,
    *,
    channel_axis: int | None = None,
    spacing: ArrayLike | None = None,
) -> dict[str, np.ndarray]:
    """Measure each region; one row per id, in the order of ids.

    Parameters
    ----------
    labels : (...) integer array
        Label image; 0 is "no label" and is left out.  Ids may have gaps.
    image : (...) array, optional
        Values under the labels, of any real type, with channels along
        `channel_axis`.
    channel_axis : int, optional
        Axis of channels in `image`; None: one channel.
    spacing : sequence of float, optional
        Pixel size along each axis, in any unit; None: 1.

    Returns
    -------
    table : dict of (n,) arrays
        ``pandas.DataFrame(table)`` makes a data frame.  Columns:

        ===================== =========================================================
        label                 the id (int64)
        pixels                number of pixels (int64)
        area                  pixels times pixel size: area, volume (float64)
        bbox-0, bbox-1, ...   first row, column, ..., then one behind the last (int64)
        centroid-0, ...       mean position, in units of `spacing` (float64)
        perimeter             size of all faces between the region and anything else,
                              the image border included (float64)
        equivalent_diameter   diameter of the ball of the same area (float64)
        extent                pixels in proportion to the bounding box (float64)
        touches_border        whether a pixel lies at the image border (bool)
        mean, variance        of the values, population variance (float64)
        min, max              of the values (the type of `image`)
        ===================== =========================================================

        The last two lines only with an image; with channels they are mean-0,
        mean-1, ....  ``table["bbox"]`` gives the columns of one name together.

    Raises
    ------
    TypeError
        Labels that are not integers; an image that is not real.
    ValueError
        Negative ids; an image of another shape; values of regions that are NaN or
        infinite; a spacing that is not positive.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time, however large the ids.

    The variance is summed from differences to the first value of each region,
    which keeps it exact for constant regions and precise for any offset; for 8-
    and 16-bit images sums are exact integers.

    Kernel: ``segkit_ext/measure.pyx``.  Plain version:
    ``tests/reference/measuring.py``.

    Examples
    --------
    >>> import segkit
    >>> table = segkit.regions([[1, 1, 0], [1, 5, 5]], [[2, 4, 0], [6, 9, 9]])
    >>> table["label"], table["area"], table["mean"]
    (array([1, 5]), array([3., 2.]), array([4., 9.]))
    >>> table["centroid"]
    array([[0.33333333, 0.33333333],
           [1.        , 1.5       ]])
    """
    array = _check.labels(labels)
    values = None
    if image is not None:
        values = _values(image, channel_axis, array)
    sizes = _check.spacing(spacing, array.ndim)

    numbered, id_of, n = _numbered(array)
    sums = _shape_sums(numbered, n)
    if id_of is None:
        used = np.flatnonzero(sums[1:, _PIXELS]) + 1
        ids = used.astype(np.int64)
    else:
        used = np.argsort(id_of[1:]) + 1
        ids = id_of[used]
    table = _shape_columns(sums[used], ids, array.shape, sizes)
    if values is not None:
        mean, variance, low, high = (column[used] for column in _statistics(numbered, values, n))
        for name, column in (("mean", mean), ("variance", variance), ("min", low), ("max", high)):
            if channel_axis is None:
                table[name] = column[:, 0]
            else:
                table.update((f"{name}-{c}", column[:, c].copy()) for c in range(values.shape[-1]))
    return table


def mean_image(
    labels: ArrayLike, image: ArrayLike, *, channel_axis: int | None = None
) -> np.ndarray:
    """Replace every pixel by the mean of its region.

    Parameters
    ----------
    labels : (...) integer array
        Label image.  Pixels of label 0 keep their own value.
    image : (...) array
        Values, of any real type, with channels along `channel_axis`.
    channel_axis : int, optional
        Axis of channels in `image`; None: one channel.

    Returns
    -------
    means : array
        Shape of `image`; float32 for images of up to 16 bits and float32, float64
        for others.

    Raises
    ------
    TypeError
        Labels that are not integers; an image that is not real.
    ValueError
        Negative ids; an image of another shape; values of regions that are NaN or
        infinite.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time.

    Kernel: ``segkit_ext/measure.pyx``.  Plain version:
    ``tests/reference/measuring.py``.

    Examples
    --------
    >>> import numpy as np
    >>> import segkit
    >>> segkit.mean_image([1, 1, 0, 2], np.array([2, 5, 7, 9], dtype=np.uint8))
    array([3.5, 3.5, 7. , 9. ], dtype=float32)
    """
    array = _check.labels(labels)
    values = _values(image, channel_axis, array)
    small = values.dtype.itemsize <= 2 or values.dtype.newbyteorder("=") == np.float32
    numbered, _, n = _numbered(array)
    mean = _statistics(numbered, values, n)[0].astype(np.float32 if small else np.float64)
    out = mean[numbered]
    np.copyto(out, values, where=(array == 0)[..., np.newaxis], casting="unsafe")
    if channel_axis is None:
        return out[..., 0]
    return np.ascontiguousarray(np.moveaxis(out, -1, int(channel_axis)))


def _values(image: ArrayLike, channel_axis: int | None, array: np.ndarray) -> np.ndarray:
    """Return a checked image that lies under labels, with its channels last."""
    values = _check.channels_last(image, channel_axis)
    shape = values.shape[:-1]
    _check.same_shape(array, "labels", shape, "image")
    if values.dtype.kind == "f":
        _check.refuse_not_finite(values, "image", inside=array != 0)
    return values


def _shape_sums(numbered: np.ndarray, n: int) -> np.ndarray:
    """Return the kernel's sums over pixels, positions and faces, (n, columns)."""
    ndim, shape = numbered.ndim, numbered.shape
    sums = np.zeros((n, n_columns()), dtype=np.int64)
    sums[:, _FIRST:_LAST] = max(shape, default=0)
    sums[:, _LAST:_TOTAL] = -1
    if numbered.size:
        padded = np.array((1,) * (4 - ndim) + shape, dtype=np.intp)
        measure_shapes(numbered.ravel(), padded, np.empty(64, dtype=np.uint8), sums)
    for axis, side in enumerate(shape[:-1], 4 - ndim):
        if side == 1:  # the kernel passes over leading axes of length 1
            sums[:, _FIRST + axis] = sums[:, _LAST + axis] = 0
            sums[:, _FACES + axis] = 2 * sums[:, _PIXELS]
    return sums


def _shape_parts(sums: np.ndarray, ndim: int) -> tuple[np.ndarray, ...]:
    """Return pixels (n,), then first, one behind the last, sum of indices, faces, (n, ndim)."""
    bounds = [k + 4 - ndim for k in (_FIRST, _LAST, _TOTAL, _FACES)]
    low, last, total, faces = (sums[:, k : k + ndim] for k in bounds)
    return sums[:, _PIXELS], low, last + 1, total, faces


def _shape_columns(
    sums: np.ndarray, ids: np.ndarray, shape: tuple[int, ...], spacing: np.ndarray
) -> dict[str, np.ndarray]:
    """Return all columns that need no image."""
    ndim = len(shape)
    pixels, low, high, total, faces = _shape_parts(sums, ndim)
    unit = math.prod(spacing.tolist())
    table = _RegionTable(label=ids, pixels=pixels.copy(), area=pixels * unit)
    table.update((f"bbox-{axis}", low[:, axis].copy()) for axis in range(ndim))
    table.update((f"bbox-{ndim + axis}", high[:, axis].copy()) for axis in range(ndim))
    for axis in range(ndim):
        table[f"centroid-{axis}"] = total[:, axis] / pixels * spacing[axis]
    table["perimeter"] = faces @ (unit / spacing)
    ball = {1: 2.0, 2: math.pi, 3: 4 / 3 * math.pi, 4: math.pi**2 / 2}[ndim]  # of radius 1
    table["equivalent_diameter"] = 2 * (table["area"] / ball) ** (1 / ndim)
    table["extent"] = pixels / (high - low).prod(axis=1)
    table["touches_border"] = ((low == 0) | (high == shape)).any(axis=1)
    return table


def _value_sums(
    numbered: np.ndarray, values: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return first, least and largest value, (n, channels), and the kernel's sums.

    The sums (n, channels, 3) are the number of values, and the sums of their
    differences from the first value and of the squares of these.
    """
    n_channels = values.shape[-1]
    flat = _dtypes.kernel_values(values).ravel()
    first = np.zeros(n * n_channels, dtype=flat.dtype)
    low, high = first.copy(), first.copy()
    sums = np.zeros((n * n_channels, 3))
    measure_values(numbered.ravel(), flat, n_channels, first, low, high, sums)
    first, low, high = (
        _dtypes.original_values(column.reshape(n, n_channels), values.dtype)
        for column in (first, low, high)
    )
    return first, low, high, sums.reshape(n, n_channels, 3)


def _scatter(sums: np.ndarray) -> np.ndarray:
    """Return the sum of squared differences from the mean, (n, channels), of `_value_sums`."""
    count, total, squares = np.moveaxis(sums, -1, 0)
    with np.errstate(over="ignore", invalid="ignore"):  # squares of the largest doubles
        scatter = np.fmax(squares - total * total / np.maximum(count, 1), 0.0)
    scatter[np.isinf(squares)] = np.inf
    return scatter


def _statistics(
    numbered: np.ndarray, values: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, variance, least and largest value, each (n, channels); 0 without pixels."""
    first, low, high, sums = _value_sums(numbered, values, n)
    count = np.maximum(sums[..., 0], 1)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = first + sums[..., 1] / count
    return mean, _scatter(sums) / count, low, high
