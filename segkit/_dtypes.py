"""Which element type each array gets on its way to a kernel.

Kernels know six types (`segkit_ext/types.pxd`).  Every other real type is
brought to one of them by a map that keeps both order and differences, so that
thresholds, ties and floods come out the same: bool to uint8, float16 to
float32, and an integer type without a kernel of its own by shifting its range
(int8 by 128 onto uint8, uint64 by -2**63 onto int64).  64-bit integers never
pass through a float.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_INT32, _INT64 = np.dtype(np.int32), np.dtype(np.int64)
_LARGEST_INT32 = (1 << 31) - 1
# Integer types moved by half their range: flipping the top bit is that shift.
_SHIFTED: dict[np.dtype, np.dtype] = {
    np.dtype(np.int8): np.dtype(np.uint8),
    np.dtype(np.int16): np.dtype(np.uint16),
    np.dtype(np.uint32): np.dtype(np.int32),
    np.dtype(np.uint64): np.dtype(np.int64),
}
# Types whose bits can be compared for equality as those of a kernel type.
_SAME_BITS = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.int64}
KERNEL_TYPES: tuple[np.dtype, ...] = tuple(
    np.dtype(t) for t in (np.uint8, np.uint16, np.int32, np.int64, np.float32, np.float64)
)


def kernel_type(dtype: Any) -> np.dtype:
    """Return the kernel type that `dtype` is brought to."""
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype == np.bool_:
        return np.dtype(np.uint8)
    if dtype == np.float16:
        return np.dtype(np.float32)
    if dtype in _SHIFTED:
        return _SHIFTED[dtype]
    for kernel in KERNEL_TYPES:  # also catches long long, which NumPy tells apart from int64
        if dtype == kernel or (dtype.kind, dtype.itemsize) == (kernel.kind, kernel.itemsize):
            return kernel
    raise TypeError(f"no kernel type for {dtype}")


def kernel_values(array: np.ndarray) -> np.ndarray:
    """Return `array` C-contiguous, in native byte order and in a kernel type.

    Order and differences are kept; the values themselves may be shifted (see
    `value_shift`).  No copy is made when nothing has to change.
    """
    dtype = array.dtype.newbyteorder("=")
    kernel = kernel_type(dtype)
    if dtype == np.bool_ and array.flags.c_contiguous:
        return array.view(np.uint8)
    if dtype in _SHIFTED:
        bits = np.array(array, dtype=dtype, order="C").view(kernel)
        bits ^= kernel.type(np.iinfo(kernel).min or 1 << (8 * kernel.itemsize - 1))
        return bits
    return np.ascontiguousarray(array, dtype=kernel).reshape(array.shape)


def flat_ids(array: np.ndarray) -> np.ndarray:
    """Return integers flat, as the kernel type that has their bits: enough to tell them apart."""
    dtype = array.dtype.newbyteorder("=")
    return np.ascontiguousarray(array, dtype=dtype).view(_SAME_BITS[dtype.itemsize]).ravel()


def value_shift(dtype: Any) -> int:
    """Return what `kernel_values` adds to every value of `dtype`."""
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype not in _SHIFTED:
        return 0
    return int(np.iinfo(_SHIFTED[dtype]).min) - int(np.iinfo(dtype).min)


def original_values(array: np.ndarray, dtype: Any) -> np.ndarray:
    """Return what `kernel_values` brought to a kernel type in its own type again."""
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype not in _SHIFTED:
        return array.astype(dtype)
    kernel = _SHIFTED[dtype]
    return (array ^ kernel.type(np.iinfo(kernel).min or 1 << (8 * kernel.itemsize - 1))).view(dtype)


def label_dtype(largest: int) -> np.dtype:
    """Return the label type that holds `largest` (an id or a number of pixels)."""
    return _INT32 if largest <= _LARGEST_INT32 else _INT64


def index_dtype(size: int) -> np.dtype:
    """Return the type that holds every flat position of an array of `size` pixels."""
    return label_dtype(size)
