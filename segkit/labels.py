"""Label images: making, numbering and taking apart.

A label image is an integer array with the shape of the image; 0 is "no label"
and regions are 1..n.  A photograph, a class image or a mask becomes one by
`connected_components`, which joins neighbors of equal (or nearly equal) value.
The other functions take any label image, with gaps between ids or not.

Components are found by rows.  Comparing a row with itself, one pixel on, gives
its runs; comparing it with the rows before it gives the pairs of runs that
touch.  Both are done 64 pixels at a time, as bits, and only runs, not pixels,
go through the union-find.  The result does not depend on anything but the
partition: labels are numbered in raster order of first pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.components import label_runs, spare_pixels, unite_runs
from segkit_ext.links import chunk_bytes, find_links
from segkit_ext.nearest import spread_nearest
from segkit_ext.renumber import rehash, renumber_by_hash, renumber_by_table

from . import _check, _dtypes, _grid

_WORD = 64  # pixels in a word of bits
_BLOCK = 1 << 18  # pixels between two calls of the kernels: their bits stay in the cache
_NONE_U8 = np.empty(0, dtype=np.uint8)


def connected_components(
    image: ArrayLike,
    *,
    connectivity: int = 1,
    tolerance: float = 0,
    mask: ArrayLike | None = None,
    background: float | None = 0,
) -> np.ndarray:
    """Join neighboring pixels of equal, or nearly equal, value.

    With a tolerance these are the quasi-flat zones: pixels joined by a path on
    which no step changes the value by more than `tolerance`.  Values far apart
    can so share a zone, when a slope leads from one to the other.

    Parameters
    ----------
    image : (...) array
        Any real type, 1 to 4 dimensions: a mask, a class image, a photograph.
    connectivity : int
        How many axes a step to a neighbor may change, 1 to ndim.
    tolerance : float
        Largest difference between neighbors that are joined, in grey levels.
        For integer images it is rounded down.
    mask : (...) bool array, optional
        Pixels outside get 0 and join nothing.
    background : float or None
        Pixels of this value get 0; None: no value is background.  (For
        photographs pass None: black pixels are pixels like others.)

    Returns
    -------
    labels : (...) int32 array
        1..n in raster order of first pixels, 0 for background.  int64 for 2**31
        pixels or more.

    Raises
    ------
    TypeError
        A dtype that is not real; a mask that is not bool.
    ValueError
        NaN in the image (inside the mask); a tolerance below 0 or not finite; a
        connectivity outside 1..ndim; a mask of another shape.

    Notes
    -----
    **Ties**: none; the partition is unique.

    **Cost**: O(pixels) time; 0.4 bytes per pixel beside the result.

    64-bit integers are compared exactly; differences of floats are taken in
    double.  Infinite values equal themselves.

    Kernels: ``segkit_ext/links.pyx``, ``segkit_ext/components.pyx``.  Plain
    version: ``tests/reference/labels.py``.

    References
    ----------
    He, Chao, Suzuki (2008). A run-based two-scan labeling algorithm. IEEE
    Transactions on Image Processing 17(5). doi:10.1109/TIP.2008.919369

    Soille (2008). Constrained connectivity for hierarchical image partitioning
    and simplification. IEEE TPAMI 30(7). doi:10.1109/TPAMI.2007.70817

    Examples
    --------
    >>> import segkit
    >>> segkit.connected_components([[1, 1, 0, 2], [0, 1, 2, 2]])
    array([[1, 1, 0, 2],
           [0, 1, 2, 2]], dtype=int32)
    >>> segkit.connected_components([10, 12, 13, 40, 41], tolerance=2)
    array([1, 1, 1, 2, 2], dtype=int32)
    """
    array = _check.as_array(image, "image")
    inside = _check.mask(mask, array.shape, "image")
    array = _check.image(array, inside=inside)
    connectivity = _check.connectivity(connectivity, array.ndim)
    tolerance = _check.number(tolerance, "tolerance")
    if isinstance(background, (bool, np.bool_)):  # the background of a binary image
        background = int(background)
    if background is not None:
        background = _check.number(background, "background", low=None, infinite=True)
    if array.dtype.kind != "f":
        tolerance = math.floor(tolerance)

    dtype = _dtypes.label_dtype(array.size)
    if array.size == 0:
        return np.zeros(array.shape, dtype=dtype)
    values, outside = _comparable(array, background, equal=tolerance == 0)
    if inside is not None:
        inside = np.ascontiguousarray(inside).view(np.uint8).ravel()

    # An axis of length 1 has no neighbors, so the longest rows are had without.
    shape = tuple(side for side in array.shape if side > 1) or (1,)
    out = np.empty(array.size, dtype=dtype)
    _label(values, outside, inside, shape, connectivity, tolerance, out)
    return out.reshape(array.shape)


def _comparable(
    array: np.ndarray, background: float | None, *, equal: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return flat values in a kernel type, and the background among them: 0 or 1 elements."""
    dtype = array.dtype.newbyteorder("=")
    same = _exact(background, dtype)
    if equal and dtype.kind != "f":
        return _dtypes.flat_ids(array), _dtypes.flat_ids(same)
    return _dtypes.kernel_values(array).ravel(), _dtypes.kernel_values(same)


def _exact(background: float | None, dtype: np.dtype) -> np.ndarray:
    """Return `background` as an array of `dtype`: one element, or none if no pixel can equal it."""
    none = np.empty(0, dtype=dtype)
    if background is None:
        return none
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.array([background], dtype=np.float64).astype(dtype)
    limits = (0, 1) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if math.isinf(background) or background != int(background):
        return none
    whole = int(background)
    return np.array([whole], dtype=dtype) if limits[0] <= whole <= limits[1] else none


def _label(
    values: np.ndarray,
    background: np.ndarray,
    mask: np.ndarray | None,
    shape: tuple[int, ...],
    connectivity: int,
    tolerance: float,
    out: np.ndarray,
) -> int:
    """Write the components of flat `values` to flat `out`; return how many there are."""
    width = shape[-1]
    n_rows = out.size // width
    n_words = -(-width // _WORD)
    row_shape = np.ones(3, dtype=np.intp)
    row_shape[4 - len(shape) :] = shape[:-1]
    steps, jumps, implied = _preceding_rows(shape, min(connectivity, len(shape)))
    if tolerance > 0:  # two values near a third need not be near each other
        implied[...] = 0

    block_rows = min(n_rows, max(1, _BLOCK // width))
    inside = np.empty(n_rows * n_words, dtype=np.uint64)
    start = np.empty_like(inside)
    runs_before = np.empty(inside.size, dtype=out.dtype)
    links = np.empty(block_rows * len(steps) * n_words, dtype=np.uint64)
    scratch = np.empty(chunk_bytes(), dtype=np.uint8)
    whole = 0
    if values.dtype.kind != "f":
        whole = min(int(tolerance), 2 ** (8 * values.dtype.itemsize) - 1)
    n_runs = 0
    for first in range(0, n_rows, block_rows):
        last = min(n_rows, first + block_rows)
        find_links(
            values,
            background,
            _NONE_U8 if mask is None else mask,
            first,
            last,
            row_shape,
            steps,
            width,
            tolerance == 0,
            whole,
            float(min(tolerance, np.finfo(np.float64).max)),
            scratch,
            inside,
            start,
            links,
        )
        n_runs = unite_runs(
            start, links, first, last, n_words, jumps, implied, n_runs, runs_before, out
        )
    spare = np.empty(spare_pixels(), dtype=out.dtype)
    return label_runs(inside, start, runs_before, n_runs, width, spare, out)


def _preceding_rows(
    shape: tuple[int, ...], connectivity: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the k steps to neighbors in rows before a row, straight ones first.

    steps (k, 4): along the three axes that tell rows apart, then along the row.
    jumps (k, 3): how many rows back, the step along the row, and which of the k
    goes to the same row straight.
    implied (k, k): of two neighbors that are neighbors of each other, one before
    the other; when values near a third are near each other, it does for both.
    """
    ndim = len(shape)
    neighbors = [tuple(step) for step in _grid.neighbor_steps(ndim, connectivity).tolist()]
    before = sorted(
        (step for step in neighbors if step[:-1] < (0,) * (ndim - 1)),
        key=lambda step: (abs(step[-1]), sum(map(abs, step)), step),
    )
    steps = np.zeros((len(before), 4), dtype=np.intp)
    jumps = np.zeros((len(before), 3), dtype=np.intp)
    implied = np.zeros((len(before), len(before)), dtype=np.uint8)
    rows = _grid.strides_of(shape[:-1])
    for k, step in enumerate(before):
        steps[k, 4 - ndim :] = step
        jumps[k] = (-int(np.dot(rows, step[:-1])), step[-1], before.index((*step[:-1], 0)))
        for j, other in enumerate(before[:k]):
            implied[k, j] = tuple(a - b for a, b in zip(step, other, strict=True)) in neighbors
    return steps, jumps, implied


def relabel(labels: ArrayLike) -> np.ndarray:
    """Renumber regions 1..n in raster order of their first pixels; 0 stays 0.

    Parameters
    ----------
    labels : (...) integer array
        Any ids >= 0, with gaps or not, as large as 64 bits hold.

    Returns
    -------
    labels : (...) int32 array
        The same partition.  int64 for 2**31 pixels or more.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time; memory in proportion to the number of ids, however
    large they are: {7, 2**40} costs what {1, 2} costs.

    Kernel: ``segkit_ext/renumber.pyx``.  Plain version:
    ``tests/reference/labels.py``.

    Examples
    --------
    >>> import segkit
    >>> segkit.relabel([[0, 70, 70], [2**40, 5, 70]])
    array([[0, 1, 1],
           [2, 3, 1]], dtype=int32)
    """
    array = _check.labels(labels)
    return _relabel(array)


def _relabel(array: np.ndarray) -> np.ndarray:
    """Return checked labels numbered 1..n in raster order."""
    out = np.empty(array.shape, dtype=_dtypes.label_dtype(array.size))
    if array.size == 0:
        return out
    ids = _dtypes.flat_ids(array)
    largest = int(array.max())
    # A table no longer than the image, and small enough for the type the ids are seen in.
    if largest < max(array.size, 1 << 16) and largest <= np.iinfo(ids.dtype).max:
        table = np.zeros(largest + 1, dtype=out.dtype)
        renumber_by_table(ids, table, out.ravel())
        return out
    keys = np.zeros(1 << 10, dtype=np.int64)
    numbers = np.zeros(keys.size, dtype=out.dtype)
    flat = out.ravel()
    done = renumber_by_hash(ids, 0, 0, keys, numbers, flat)
    while done < ids.size:
        taken = keys.size // 2
        old_keys, old_numbers = keys, numbers
        keys = np.zeros(4 * old_keys.size, dtype=np.int64)
        numbers = np.zeros(keys.size, dtype=out.dtype)
        rehash(old_keys, old_numbers, keys, numbers)
        done = renumber_by_hash(ids, done, taken, keys, numbers, flat)
    return out


def _numbered(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Return region numbers as int32, the id of each number, and how many numbers there are.

    Ids are None where they are the numbers themselves, not all of them in use.
    """
    largest = _check.largest_label(array)
    if largest < max(array.size // 16, 1 << 10):
        # A table indexed by ids is of moderate length.
        return np.ascontiguousarray(array, dtype=np.int32), None, largest + 1
    numbered = _relabel(array).astype(np.int32, copy=False)
    id_of = np.zeros(int(numbered.max()) + 1, dtype=np.int64)
    id_of[numbered.ravel()] = array.ravel()
    return numbered, id_of, len(id_of)


def join(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Intersect two partitions: pixels are together if they are in both.

    Parameters
    ----------
    first, second : (...) integer arrays
        Label images of the same shape.

    Returns
    -------
    labels : (...) int32 array
        1..n in raster order of first pixels; 0 where either is 0.  int64 for
        2**31 pixels or more.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids; shapes that differ.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time; 16 bytes per pixel for a while.

    A region of the result need not be connected, even if both partitions have
    connected regions; `connected_components` of the result makes it so.

    Kernel: ``segkit_ext/renumber.pyx``.  Plain version:
    ``tests/reference/labels.py``.

    Examples
    --------
    >>> import segkit
    >>> segkit.join([1, 1, 2, 2, 0], [3, 4, 4, 4, 4])
    array([1, 2, 3, 3, 0], dtype=int32)
    """
    one, two = _check.labels(first, "first"), _check.labels(second, "second")
    _check.same_shape(two, "second", one.shape, "first", hint=False)
    if one.size == 0:
        return _relabel(one)
    # Numbers do not exceed the number of pixels, so that pairs fit 64 bits.
    low, _, _ = _numbered(two)
    high, _, _ = _numbered(one)
    pairs = high.astype(np.int64)
    pairs *= int(low.max()) + 1
    pairs += low
    pairs[(low == 0) | (high == 0)] = 0
    return _relabel(pairs)


def remove_small(labels: ArrayLike, min_size: int, *, fill: str = "none") -> np.ndarray:
    """Remove the regions of less than `min_size` pixels.

    A region is the set of pixels of one id, connected or not; to remove small
    pieces call `connected_components` first.

    Parameters
    ----------
    labels : (...) integer array
        Label image.
    min_size : int
        Least number of pixels that a region must have to stay.
    fill : {"none", "nearest"}
        What pixels of removed regions get: 0, or the label of the nearest pixel of
        a region that stays (Euclidean distance between pixel centers).

    Returns
    -------
    labels : (...) int32 array
        1..n in raster order of first pixels.  int64 for 2**31 pixels or more.

    Raises
    ------
    TypeError
        A dtype that is not integer; a `min_size` that is no integer.
    ValueError
        Negative ids, a negative `min_size`, an unknown `fill`.

    Notes
    -----
    **Ties**: among equally near regions the one with the lowest id.  Pixels that
    were 0 stay 0.  When no region stays, all pixels are 0.

    **Cost**: O(pixels) time; "nearest" needs 12 bytes per pixel for a while.

    Kernels: ``segkit_ext/nearest.pyx``, ``segkit_ext/renumber.pyx``.  Plain
    version: ``tests/reference/labels.py``.

    Examples
    --------
    >>> import segkit
    >>> labels = [5, 5, 5, 0, 3, 8, 8]
    >>> segkit.remove_small(labels, 2)
    array([1, 1, 1, 0, 0, 2, 2], dtype=int32)
    >>> segkit.remove_small(labels, 2, fill="nearest")
    array([1, 1, 1, 0, 2, 2, 2], dtype=int32)
    """
    array = _check.labels(labels)
    min_size = _check.integer(min_size, "min_size", low=0)
    fill = _check.choice(fill, "fill", ("none", "nearest"))
    if array.size == 0:
        return _relabel(array)
    numbered, id_of, n = _numbered(array)
    flat = numbered.ravel()
    # Part by part: NumPy wants wide copies of what it counts, and hears no Ctrl-C meanwhile.
    # Where there are many regions parts are larger, so that adding up counts does not take over.
    step = max(4 * _BLOCK, 4 * n)
    parts = [slice(k, k + step) for k in range(0, flat.size, step)]
    counts = np.zeros(n, dtype=np.int64)
    for part in parts:
        counts += np.bincount(flat[part], minlength=n)
    stays = counts >= min_size
    stays[0] = False
    # Ranks, not numbers: ties go to the lowest id.
    ranks = np.arange(n) if id_of is None else np.argsort(np.argsort(id_of))
    rank_of = np.where(stays, ranks, 0).astype(np.int32)
    kept = np.empty(array.shape, dtype=np.int32)
    for part in parts:
        kept.reshape(-1)[part] = rank_of[flat[part]]
    if fill == "nearest" and stays.any():
        removed = (kept == 0) & (numbered != 0)
        np.copyto(kept, _nearest_label(kept), where=removed)
    return _relabel(kept)


def _nearest_label(labels: np.ndarray) -> np.ndarray:
    """Return the label of the nearest labeled pixel, the lowest among equally near ones."""
    nearest = labels.ravel().copy()
    distance = np.where(nearest == 0, np.int64(-1), np.int64(0))
    for length, stride in zip(labels.shape, _grid.strides_of(labels.shape), strict=True):
        place = np.empty(length, dtype=np.int64)
        name = np.empty(length, dtype=nearest.dtype)
        spread_nearest(nearest, distance, length, stride, place, np.empty_like(place), name)
    return nearest.reshape(labels.shape)


def masks(labels: ArrayLike) -> Iterator[tuple[int, np.ndarray]]:
    """Iterate over regions as binary images, in the order of ids.

    Parameters
    ----------
    labels : (...) integer array
        Label image; 0 is left out.

    Yields
    ------
    label : int
        The id.
    mask : (...) bool array
        True in the region; a new array each time.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) for each region, when it is asked for.  For many regions
    `regions` measures all of them at once.

    `labels` is checked at the call; later changes of it do not matter.

    Plain version: ``tests/reference/labels.py``.

    Examples
    --------
    >>> import segkit
    >>> for label, mask in segkit.masks([7, 0, 2, 7]):
    ...     print(label, mask.astype(int))
    2 [0 0 1 0]
    7 [1 0 0 1]
    """
    array = _check.labels(labels)
    numbered, id_of, n = _numbered(array)
    if numbered is array or np.shares_memory(numbered, array):
        numbered = numbered.copy()
    if id_of is None:
        used = np.flatnonzero(np.bincount(numbered.ravel(), minlength=n))
        used = used[used > 0]
        ids = used
    else:
        used = np.argsort(id_of[1:]) + 1
        ids = id_of[used]
    return ((int(label), numbered == k) for label, k in zip(ids, used, strict=True))
