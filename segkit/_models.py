"""Model files, what is known of those that come with segkit, and what is told of the others.

A file is opened with suspicion and read by `_onnx`; whatever is wrong becomes one ValueError
that names `model` and the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _check, _decoding, _onnx

FOLDER = Path(__file__).with_name("models")
VOID = "void"  # the name of what is no class


# Files


def opened(path: Path, max_bytes: int) -> _onnx.Model:
    """Return the model in a file."""
    try:
        with _decoding.opened(path) as (stream, size):
            if size > max_bytes:
                raise _decoding.RefusedError(
                    f"has {size} bytes, more than the {max_bytes} allowed; pass larger `max_bytes`"
                )
            try:
                return _onnx.parse(stream.read(size), path.parent)
            except _onnx.DamagedError as error:
                raise _decoding.RefusedError(str(error)) from None
    except ValueError as error:
        raise ValueError(f"`model` {error}") from None


def told(name: str) -> dict[str, Any]:
    """Return what is known of a network that comes with segkit."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return found


def known_multiple(data: bytes) -> int | None:
    """Return the multiples that sides must be of, for a network that comes with segkit."""
    digest = hashlib.sha256(data).hexdigest()
    for path in FOLDER.glob("*.json"):
        known = told(path.stem)
        if known["sha256"] == digest:
            return int(known["multiple"])
    return None


# Checks


def names(value: Any) -> tuple[str, ...]:
    """Return the names of classes."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise TypeError(f"`class_names` must be a sequence of str, got {value!r}")
    for name in value:
        if not isinstance(name, str):
            raise TypeError(f"`class_names` must hold str, got {name!r}")
    if all(name == VOID for name in value):
        raise ValueError(f"`class_names` must name at least one class, got {list(value)}")
    return tuple(value)


def per_channel(value: Any, name: str) -> np.ndarray:
    """Return one number, or one for each channel, as an array."""
    wanted = f"`{name}` must be a finite number, or one for each channel, got {value!r}"
    try:
        array = np.atleast_1d(np.asarray(value))
    except ValueError:  # a ragged list
        raise ValueError(wanted) from None
    if array.dtype.kind not in "iuf":
        raise TypeError(wanted)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(wanted)
    return array.astype(np.float64)


def pair(value: Any, name: str) -> tuple[int, int]:
    """Return two sides from one number or from two."""
    if not isinstance(value, (tuple, list, np.ndarray)):
        value = (value, value)
    if len(value) != 2:
        raise ValueError(f"`{name}` must be one side or two, got {value!r}")
    rows, columns = (_check.integer(side, name, low=1) for side in value)
    return rows, columns


def pixels(overlap: float, side: int) -> int:
    """Return an overlap in pixels, less than the side of a tile."""
    pixels = int(overlap * side) if overlap < 1 else _check.integer(overlap, "overlap")
    if pixels >= side:
        raise ValueError(f"`overlap` must be less than the side of `tile`, {side}, got {overlap}")
    return pixels
