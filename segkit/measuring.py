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
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.measure import measure_shapes, measure_values

from . import _check, _dtypes
from .labels import _numbered


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
        used = np.flatnonzero(sums.pixels[1:]) + 1
        ids = used.astype(np.int64)
    else:
        used = np.argsort(id_of[1:]) + 1
        ids = id_of[used]
    table = _shape_columns(sums.of(used), ids, array.shape, sizes)
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


def _places(used: np.ndarray) -> np.ndarray | slice:
    """Return a slice where that will do: columns are then views."""
    if used.size == 0:
        return used
    first = int(used[0])
    run = np.array_equal(used, np.arange(first, first + used.size))
    return slice(first, first + used.size) if run else used


class _Shapes(NamedTuple):
    """Sums over the pixels of each region: (n,), then (n, ndim)."""

    pixels: np.ndarray
    low: np.ndarray  # the first index
    high: np.ndarray  # one behind the last
    total: np.ndarray  # the sum of indices
    faces: np.ndarray

    def of(self, used: np.ndarray) -> _Shapes:
        """Return the sums of some of the regions."""
        which = _places(used)
        return _Shapes(*(column[which] for column in self))


def _shape_sums(numbered: np.ndarray, n: int) -> _Shapes:
    """Return the sums over pixels, positions and faces of regions 0 to n - 1."""
    ndim, shape = numbered.ndim, numbered.shape
    sums = np.zeros((1 + 4 * ndim, n), dtype=np.int64)
    sums[1 : 1 + ndim] = max(shape)
    if numbered.size:
        measure_shapes(numbered.ravel(), np.array(shape, dtype=np.intp), sums)
    return _Shapes(sums[0], *sums[1:].reshape(4, ndim, n).swapaxes(1, 2))


def _shape_columns(
    sums: _Shapes, ids: np.ndarray, shape: tuple[int, ...], spacing: np.ndarray
) -> dict[str, np.ndarray]:
    """Return all columns that need no image."""
    ndim = len(shape)
    pixels, low, high, total, faces = sums
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


class _Values(NamedTuple):
    """First, least and largest value of each region in each channel, (n, C), and sums.

    Sums are of differences from the first value, or, if they are integers, of the values.
    """

    first: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pixels: np.ndarray  # (n, 1), at least 1
    total: np.ndarray
    squares: np.ndarray

    def of(self, used: np.ndarray) -> _Values:
        """Return what is known of some of the regions."""
        which = _places(used)
        return _Values(*(column[which] for column in self))

    def about_first(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of the differences from the first value, and of their squares."""
        if self.total.dtype.kind == "f":
            return self.total, self.squares
        base = self.first.astype(np.int64)
        rest = base * self.pixels
        np.subtract(self.total, rest, out=rest)  # of differences: none is large
        squares = self.total + rest
        squares *= base
        np.subtract(self.squares, squares, out=squares)
        return rest.astype(np.float64), squares.astype(np.float64)

    def scatter(self) -> np.ndarray:
        """Return the sum of squared differences from the mean, (n, C)."""
        total, squares = self.about_first()
        with np.errstate(over="ignore", invalid="ignore"):  # squares of the largest doubles
            scatter = total * total
            scatter /= self.pixels
            np.subtract(squares, scatter, out=scatter)
        np.fmax(scatter, 0.0, out=scatter)
        if self.total.dtype.kind == "f":
            scatter[np.isinf(squares)] = np.inf
        return scatter


def _value_sums(numbered: np.ndarray, values: np.ndarray, n: int) -> _Values:
    """Return the values and sums of regions 0 to n - 1."""
    n_channels = values.shape[-1]
    flat = _dtypes.kernel_values(values).ravel()
    seen = [np.zeros(n * n_channels, dtype=flat.dtype) for _ in range(3)]
    small = flat.dtype.itemsize <= 2
    count = np.zeros(n, dtype=np.int64)
    whole = np.zeros((2, n * n_channels if small else 0), dtype=np.int64)
    sums = np.zeros((2, 0 if small else n * n_channels))
    if n_channels:
        measure_values(numbered.ravel(), flat, n_channels, *seen, count, whole, sums)
    np.maximum(count, 1, out=count)
    total, squares = (whole if small else sums).reshape(2, n, n_channels)
    shift = _dtypes.value_shift(values.dtype) if small else 0
    if shift:  # every value was larger by so much
        squares -= shift * (2 * total - shift * count[:, np.newaxis])
        total -= shift * count[:, np.newaxis]
    first, low, high = (
        _dtypes.original_values(x.reshape(n, n_channels), values.dtype) for x in seen
    )
    return _Values(first, low, high, count[:, np.newaxis], total, squares)


def _statistics(
    numbered: np.ndarray, values: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, variance, least and largest value, each (n, channels); 0 without pixels."""
    sums = _value_sums(numbered, values, n)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = sums.first + sums.about_first()[0] / sums.pixels
    return mean, sums.scatter() / sums.pixels, sums.low, sums.high
