"""Reading MATLAB's files of level 5 (version 5 to 7): numbers, cells and structs.

Such a file is a row of elements, each a tag (type and length in bytes) and its
data; an array is an element whose parts are elements again: flags, sides, name,
values.  SciPy reads them too, but takes memory for whatever a damaged length
promises; here nothing is taken that the file does not hold.  Compressed elements
are unpacked to `limit` bytes at most.

A cell array becomes a list, a struct array a list of dicts, both in MATLAB's
order (columns first); an array of numbers becomes a NumPy array of its shape.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import _decoding
from ._decoding import RefusedError

_MAX_BYTES = 2**28
_MAX_DEPTH = 8  # arrays in arrays
_HEADER = 128
_VALUES = {  # how values are stored
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_CLASSES = {  # what they are
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT = 1, 2
_COMPLEX = 0x0800


def read_mat(path: Any, name: str, limit: int = _MAX_BYTES) -> Any:
    """Return the variable `name` of a file.

    An OSError or a ValueError names a file that is missing, damaged, or holds no such variable.
    """
    with _decoding.opened(_decoding.as_path(path)) as (stream, size):
        if size > limit:
            raise RefusedError(f"has {size} bytes, more than the {limit} allowed")
        return _variable(stream.read(), name, limit)


def _variable(data: bytes, wanted: str, limit: int) -> Any:
    if data[:8] == b"\x89HDF\r\n\x1a\n" or data[124:126] in (b"\x00\x02", b"\x02\x00"):
        raise RefusedError("is a MATLAB file of version 7.3, which is not read; save it as -v7")
    if data[126:128] not in (b"IM", b"MI"):
        raise RefusedError("not a MATLAB file of version 5 to 7")
    order = "<" if data[126:128] == b"IM" else ">"
    names = []
    for kind, content in _elements(memoryview(data)[_HEADER:], order):
        if kind == _COMPRESSED:
            content = memoryview(_unpacked(content, limit))
            kind, content = next(_elements(content, order))
        if kind == _MATRIX:
            array = _Array(content, order)
            if array.name == wanted:
                return array.value(0)
            names.append(array.name)
    raise RefusedError(f"holds no variable {wanted!r}, but {', '.join(names) or 'none'}")


def _unpacked(content: memoryview, limit: int) -> bytes:
    inflate = zlib.decompressobj()
    unpacked = inflate.decompress(content, limit)
    if not inflate.eof:
        raise RefusedError(
            "damaged or cut short"
            if len(unpacked) < limit
            else f"unpacks to more than the {limit} bytes allowed"
        )
    return unpacked


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the content of each element."""
    word = np.dtype(order + "u4")
    start = 0
    while start < len(data):
        if start + 8 > len(data):
            raise RefusedError("damaged or cut short")
        kind, n_bytes = (int(v) for v in np.frombuffer(data, word, 2, start))
        if kind >> 16:  # a small one: type, length and up to four bytes in eight
            kind, n_bytes, first, step = kind & 0xFFFF, kind >> 16, start + 4, 8
            if n_bytes > 4:
                raise RefusedError("damaged: the length of an element is wrong")
        else:
            first = start + 8
            step = 8 + n_bytes + (-n_bytes % 8 if kind != _COMPRESSED else 0)
        if first + n_bytes > len(data):
            raise RefusedError("damaged or cut short")
        yield kind, data[first : first + n_bytes]
        start += step


def _numbers(element: tuple[int, memoryview], order: str) -> np.ndarray:
    kind, content = element
    if kind not in _VALUES:
        raise RefusedError(f"damaged: numbers of type {kind}")
    return np.frombuffer(content, np.dtype(order + _VALUES[kind]))


class _Array:
    """One array element: its name at once, its value on demand."""

    def __init__(self, content: memoryview, order: str) -> None:
        self.order = order
        self.parts = _elements(content, order)
        flags = int(self._next_numbers()[0])
        self.kind, self.is_complex = flags & 0xFF, bool(flags & _COMPLEX)
        self.shape = tuple(int(side) for side in self._next_numbers())
        self.name = bytes(next(self.parts)[1]).decode("ascii")
        if len(self.shape) < 2 or min(self.shape) < 0:
            raise RefusedError(f"damaged: an array of shape {self.shape}")

    def _next_numbers(self) -> np.ndarray:
        return _numbers(next(self.parts), self.order)

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise RefusedError(f"holds arrays in arrays, more than {_MAX_DEPTH} deep")
        if self.kind == _CELL:
            return self._members(depth)
        if self.kind == _STRUCT:
            return self._records(depth)
        if self.kind not in _CLASSES or self.is_complex:
            raise RefusedError(f"holds an array of MATLAB's class {self.kind}, which is not read")
        values = self._next_numbers()
        if values.size != math.prod(self.shape):
            raise RefusedError(f"damaged: {values.size} values for shape {self.shape}")
        return values.astype(_CLASSES[self.kind]).reshape(self.shape, order="F")

    def _members(self, depth: int) -> list[Any]:
        """Return the value of every array that is left."""
        return [
            _Array(content, self.order).value(depth + 1) if len(content) else np.zeros((0, 0))
            for _, content in self.parts
        ]

    def _records(self, depth: int) -> list[dict[str, Any]]:
        length = int(self._next_numbers()[0])
        text = bytes(next(self.parts)[1])
        if length < 1 or len(text) % length:
            raise RefusedError("damaged: the names of fields cannot be told apart")
        fields = [
            text[k : k + length].split(b"\0")[0].decode("ascii")
            for k in range(0, len(text), length)
        ]
        values = self._members(depth)
        if not fields or len(values) % len(fields):
            raise RefusedError(f"damaged: {len(values)} values for fields {fields}")
        return [
            dict(zip(fields, values[k : k + len(fields)], strict=True))
            for k in range(0, len(values), len(fields))
        ]
