"""The contingency table: how many pixels two label images share, region by region.

One table of the pairs (truth id, test id) that occur, with their numbers of
pixels, is all that the measures of partitions and of instances know of two
images.  It is sparse: its size follows the pairs found, not the ids, so that
ids may be as large as 64 bits hold.  Making it is one pass over the pixels;
whatever is computed from it afterwards costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.count_pairs import count_pairs, find_places

from . import _check, _dtypes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_ROOM = 1 << 9  # pairs that a count begins with room for


class ContingencyTable(NamedTuple):
    """The pairs of ids that two label images share, as flat arrays.

    Attributes
    ----------
    truth_ids, test_ids : (n_truth,), (n_test,) int64 arrays
        The ids found, in rising order.
    truth_sizes, test_sizes : (n_truth,), (n_test,) int64 arrays
        Their numbers of pixels.
    row, col : (n_pairs,) intp arrays
        The pairs, as places in `truth_ids` and `test_ids`, in rising order.
    counts : (n_pairs,) int64 array
        How many pixels have the pair; none is 0.
    n : int
        How many pixels were counted.
    """

    truth_ids: np.ndarray
    test_ids: np.ndarray
    truth_sizes: np.ndarray
    test_sizes: np.ndarray
    row: np.ndarray
    col: np.ndarray
    counts: np.ndarray
    n: int

    def to_sparse(self) -> csr_array:
        """Return the counts as a SciPy sparse array, (n_truth, n_test), int64."""
        from scipy.sparse import csr_array

        starts = np.searchsorted(self.row, np.arange(len(self.truth_ids) + 1))
        shape = (len(self.truth_ids), len(self.test_ids))
        return csr_array((self.counts.copy(), self.col.copy(), starts), shape=shape)


def contingency(
    truth: ArrayLike, test: ArrayLike, *, ignore: int | None = None
) -> ContingencyTable:
    """Count the pixels that each region of one label image shares with each of another.

    Parameters
    ----------
    truth, test : (...) integer arrays
        Label images of the same shape, 1 to 4 dimensions, any ids >= 0.
    ignore : int, optional
        An id of `truth` whose pixels are left out.  None: all pixels count, and 0
        is a region like any other.

    Returns
    -------
    table : ContingencyTable
        A named tuple of flat arrays: ``truth_ids``, ``test_ids``, their
        ``truth_sizes`` and ``test_sizes`` in pixels, and the pairs that occur,
        ``row``, ``col`` (places in the ids) and ``counts``; ``n`` is the number of
        pixels.  ``table.to_sparse()`` is the same as a SciPy array.

    Raises
    ------
    TypeError
        A dtype that is not integer.
    ValueError
        Negative ids, ids of 2**63 or more; shapes that differ.

    Notes
    -----
    **Ties**: none.

    **Cost**: O(pixels) time; memory in proportion to the number of pairs found,
    however large the ids.

    Kernel: ``segkit_ext/count_pairs.pyx``.  Plain version:
    ``tests/reference/partitions.py``.

    Examples
    --------
    >>> from segkit import metrics
    >>> table = metrics.contingency([1, 1, 1, 7], [0, 5, 5, 5])
    >>> table.truth_ids, table.test_ids
    (array([1, 7]), array([0, 5]))
    >>> table.to_sparse().toarray()
    array([[1, 2],
           [0, 1]])
    """
    return table_of(*checked_pair(truth, test), checked_ignore(ignore))


def checked_pair(truth: Any, test: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return two label images of the same shape."""
    second = _labels(test, "test")
    first = _labels(truth, "truth")
    _check.same_shape(first, "truth", second.shape, "test", hint=False)
    return first, second


def checked_truths(truth: Any, test: Any) -> tuple[list[np.ndarray], np.ndarray]:
    """Return one truth or several as a list, and the label image they are held against."""
    second = _labels(test, "test")
    return [_labels(one, "truth") for one in _check.truths(truth, second.shape)], second


def checked_ignore(value: Any) -> int | None:
    """Return the id to leave out, or None."""
    return None if value is None else _check.integer(value, "ignore", low=0)


def _labels(value: Any, name: str) -> np.ndarray:
    """Return a label image whose ids fit a signed 64-bit integer."""
    array = _check.labels(value, name)
    if array.dtype.kind == "u" and array.dtype.itemsize == 8:
        _check.largest_label(array, name)
    return array


def table_of(truth: np.ndarray, test: np.ndarray, ignore: int | None = None) -> ContingencyTable:
    """Return the contingency table of two checked label images."""
    pairs = _pairs_of(truth, test)
    if ignore is not None:
        pairs = pairs[pairs[:, 0] != ignore]
    truth_ids, row = _compact(pairs[:, 0])
    test_ids, col = _compact(pairs[:, 1])
    order = _order(row, col, len(truth_ids), len(test_ids))
    row, col, count = row[order], col[order], pairs[order, 2]
    # Sums of integers below 2**53 are exact in double.
    truth_sizes = np.bincount(row, count, len(truth_ids)).astype(np.int64)
    test_sizes = np.bincount(col, count, len(test_ids)).astype(np.int64)
    return ContingencyTable(
        truth_ids, test_ids, truth_sizes, test_sizes, row, col, count, int(truth_sizes.sum())
    )


def _pairs_of(truth: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the pairs that occur with their counts, (n_pairs, 3), as they were found."""
    first, second = _same_type(truth, test)
    pairs = np.empty((_ROOM, 3), dtype=np.int64)
    slots = np.zeros(2 * _ROOM, dtype=_dtypes.label_dtype(first.size))
    n_found = np.zeros(1, dtype=np.int64)
    done = count_pairs(first, second, slots, pairs, n_found, 0)
    while done < first.size:
        full, pairs = pairs, np.empty((4 * len(pairs), 3), dtype=np.int64)
        pairs[: len(full)] = full
        slots = np.zeros(2 * len(pairs), dtype=slots.dtype)
        find_places(full, slots)
        done = count_pairs(first, second, slots, pairs, n_found, done)
    pairs = pairs[: int(n_found[0])]
    if first.dtype == np.int32 and "u" in truth.dtype.kind + test.dtype.kind:
        pairs[:, :2] &= (1 << 32) - 1  # the upper half of uint32 was seen as negative
    return pairs


def _same_type(truth: np.ndarray, test: np.ndarray) -> list[np.ndarray]:
    """Return both flat in one kernel type."""
    size = max(truth.dtype.itemsize, test.dtype.itemsize)
    return [
        _dtypes.flat_ids(array if array.dtype.itemsize == size else array.astype(f"u{size}"))
        for array in (truth, test)
    ]


def _compact(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids that occur, rising, and the place of each element among them."""
    largest = int(ids.max()) if ids.size else 0
    if largest > 4 * ids.size + 1024:
        return np.unique(ids, return_inverse=True)
    there = np.zeros(largest + 1, dtype=bool)
    there[ids] = True
    place = np.cumsum(there) - 1
    return np.flatnonzero(there).astype(np.int64), place[ids]


def _order(row: np.ndarray, col: np.ndarray, n_rows: int, n_cols: int) -> np.ndarray:
    """Return the order by row, then column."""
    order = np.arange(len(row))
    for place, n in ((col, n_cols), (row, n_rows)):
        for shift in range(0, max(n - 1, 0).bit_length(), 16):
            # NumPy sorts 16-bit integers by counting.
            digit = (place[order] >> shift).astype(np.uint16)
            order = order[np.argsort(digit, kind="stable")]
    return order
