"""Which regions touch: the pairs, found in one pass over the rows of a label image.

The kernel keeps pairs in a table of fixed size and stops before it could get
full; here it is made larger, and the kernel goes on.
"""

from __future__ import annotations

import numpy as np

from segkit_ext.edges import find_edges, n_recent, rehash, segment_pixels

from . import _dtypes, _grid

_AXES = 4  # of the kernel


def touching(
    numbered: np.ndarray,
    n: int,
    connectivity: int,
    weight: np.ndarray | None = None,
    *,
    lowest: bool = False,
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return the smaller and the larger number of each touching pair, and its columns.

    `numbered` are int32 numbers below n, 0 for no region.  Columns are `contact`
    and `faces`; with a weight for each pixel `strength_sum`, or, if `lowest`,
    `lowest`: the least of max(weight p, weight q) over touching pixels p, q.
    """
    if weight is not None and weight.dtype.kind == "u" and weight.itemsize == 8 and not lowest:
        weight = weight.astype(np.float64)  # shifted to int64, small values would be lost in sums
    steps = _steps_back(numbered.ndim, connectivity)
    slanted = connectivity > 1
    values = np.empty(0, np.uint8) if weight is None else _dtypes.kernel_values(weight).ravel()
    none = np.empty(0, dtype=np.int64)
    room = 3 * n  # as many as a plane graph has
    shape = np.array((1,) * (_AXES - numbered.ndim) + numbered.shape, dtype=np.intp)
    spare = len(steps) * min(numbered.shape[-1], segment_pixels()) + 1
    keys = np.empty(0, dtype=np.int64)
    columns = {
        "contact": none,
        "faces": none,
        "total": np.empty(0),
        "least": np.empty(0, dtype=values.dtype),
    }
    wanted = ["contact"] + ["faces"] * slanted
    if weight is not None:
        wanted.append("least" if lowest else "total")
    recent, found = np.zeros(n_recent(), dtype=np.int32), np.zeros(1, dtype=np.intp)
    unit, n_units = 0, numbered.size // max(shape[-1], 1) * -(-shape[-1] // segment_pixels())
    while unit < n_units:
        room = max(room, 2 * int(found[0])) + spare
        slots = np.full(1 << (2 * room - 1).bit_length(), -1, dtype=np.int32)
        keys = _longer(keys, room)
        for name in wanted:
            columns[name] = _longer(columns[name], room)
        rehash(keys, found[0], slots)
        unit = find_edges(
            numbered.ravel(), values, shape, steps, numbered.ndim, unit, lowest, recent,
            slots, keys, *columns.values(), found,
        )  # fmt: skip
    m = found[0]
    one, two = keys[:m] >> 32, keys[:m] & 0xFFFFFFFF  # as the kernel packs them
    contact = columns["contact"][:m]
    result = {"contact": contact, "faces": columns["faces"][:m] if slanted else contact}
    if weight is not None and lowest:
        result["lowest"] = _dtypes.original_values(columns["least"][:m], weight.dtype)
    elif weight is not None:
        # Each pair adds its two pixels; a shifted type adds its shift to both.
        shift = _dtypes.value_shift(weight.dtype)
        result["strength_sum"] = columns["total"][:m] / 2 - float(shift) * contact
    return one, two, result


def _steps_back(ndim: int, connectivity: int) -> np.ndarray:
    """Return the steps to neighbors that come before a pixel, (k, 4), along axes first."""
    steps = _grid.neighbor_steps(ndim, connectivity)
    back = [step for step in steps.tolist() if step < [0] * ndim]
    wide = np.zeros((len(back), _AXES), dtype=np.intp)
    wide[:, _AXES - ndim :] = back
    return wide


def _longer(array: np.ndarray, length: int) -> np.ndarray:
    """Return a copy of `array` with zeros behind."""
    longer = np.zeros(length, dtype=array.dtype)
    longer[: array.size] = array
    return longer
