"""Images and label images in files: what is read, and what is written.

Reading goes by what a file holds (`_decoding`), writing by the suffix.  A file
is written beside its place and renamed when it is complete, so that a
half-written one never looks finished.  A format that would change the values
is refused: PNG ends at 65535, JPEG loses.
"""

from __future__ import annotations

import os
import secrets
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from . import _check, _decoding, _dtypes

MAX_PIXELS = 2**28
_LOSSY = (".jpg", ".jpeg", ".webp")
LABEL_SUFFIXES = (".png", ".tif", ".tiff", ".npz", ".npy")
IMAGE_SUFFIXES = (".png", ".bmp", *_LOSSY, ".tif", ".tiff", ".npz", ".npy")


def read_image(
    path: str | os.PathLike[str],
    *,
    max_pixels: int | None = MAX_PIXELS,
    alpha: str = "drop",
) -> np.ndarray:
    """Return the image in a file: PNG, JPEG, BMP, GIF, WebP, PNM, TIFF, NPY or NPZ.

    Parameters
    ----------
    path : str or path
        The file.  What it holds decides how it is read, not its suffix.
    max_pixels : int or None, default 2**28
        An image of more pixels is refused before any memory is taken for it;
        None for no limit.
    alpha : {"drop", "refuse"}, default "drop"
        What happens to transparency: dropped with a warning, or a ValueError.

    Returns
    -------
    image : array
        ``(R, C)`` for grey, ``(R, C, 3)`` for color (red, green, blue),
        ``(P, R, C)`` or ``(P, R, C, 3)`` for a stack, in the type of the file:
        8 and 16 bits stay as they are, one bit becomes 0 and 255.  A photograph
        is turned the way its camera says.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    ValueError
        The file is damaged, is no image, or holds more than `max_pixels`.

    See Also
    --------
    write_image

    Notes
    -----
    **Cost** O(N) time. Damaged files are refused within seconds, in little memory.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import segkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "ramp.png")
    ...     segkit.write_image(path, np.array([[0, 1000, 65535]], dtype=np.uint16))
    ...     segkit.read_image(path)
    array([[    0,  1000, 65535]], dtype=uint16)
    """
    _check.choice(alpha, "alpha", ("drop", "refuse"))
    array, has_alpha = _decoding.read(path, _decoding.limit(max_pixels), for_labels=False)
    if has_alpha:
        if alpha == "refuse":
            raise ValueError(f'{path}: has an alpha channel, and `alpha` is "refuse"')
        warnings.warn(f"{path}: the alpha channel was dropped", stacklevel=2)
        array = np.ascontiguousarray(array[..., :-1])
        if array.shape[-1] == 1:
            array = array[..., 0]
    return array


def write_image(path: str | os.PathLike[str], image: Any) -> None:
    """Write an image: the suffix of `path` says in which format.

    Parameters
    ----------
    path : str or path
        ``.png``, ``.jpg``, ``.bmp``, ``.webp``, ``.tif``, ``.npy`` or ``.npz``.
    image : array, ``(R, C)``, ``(R, C, 3)`` or, for TIFF, NPY and NPZ, any shape
        uint8 or bool for every format, uint16 for PNG and TIFF, any real type
        for TIFF, NPY and NPZ.

    Returns
    -------
    None
        The file is there, complete, when the call returns.

    Raises
    ------
    ValueError
        The format cannot hold such an image, or is not known.
    OSError
        The file cannot be written.

    See Also
    --------
    read_image

    Notes
    -----
    JPEG and WebP lose a little; the others are read back exactly. **Cost** O(N) time.

    Examples
    --------
    >>> import os, tempfile
    >>> import segkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     segkit.write_image(os.path.join(folder, "dot.tif"), [[0.0, 0.5], [1.5, 0.0]])
    ...     segkit.read_image(os.path.join(folder, "dot.tif"))
    array([[0. , 0.5],
           [1.5, 0. ]])
    """
    array = np.ascontiguousarray(_check.as_array(image, "image"))
    target = _target(path)
    suffix = target.suffix.lower()
    if suffix in (".npy", ".npz"):
        _write_numpy(target, array, "image")
    elif suffix in (".tif", ".tiff"):
        color = array.ndim >= 3 and array.shape[-1] == 3 and array.dtype in (np.uint8, np.uint16)
        _write_tiff(target, array, color=color)
    elif suffix in (".png", ".bmp", *_LOSSY):
        _write_plain(target, array)
    else:
        raise ValueError(_unknown_suffix(target, ", ".join(IMAGE_SUFFIXES)))


def read_labels(path: str | os.PathLike[str], *, max_pixels: int | None = MAX_PIXELS) -> np.ndarray:
    """Return the label image in a file.

    Parameters
    ----------
    path : str or path
        PNG (of a palette image, the indices), TIFF, NPY, NPZ, or another
        format without loss.
    max_pixels : int or None, default 2**28
        An image of more pixels is refused before any memory is taken for it;
        None for no limit.

    Returns
    -------
    labels : array of int32, or int64 where ids or the number of pixels need it

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    ValueError
        The file is damaged, is no image, or holds colors, fractions, negative
        ids or more than `max_pixels`.

    See Also
    --------
    write_labels

    Notes
    -----
    **Cost** O(N) time. Damaged files are refused within seconds, in little memory.

    Examples
    --------
    >>> import os, tempfile
    >>> import segkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels.png")
    ...     segkit.write_labels(path, [[0, 1, 1], [0, 1, 300]])
    ...     segkit.read_labels(path)
    array([[  0,   1,   1],
           [  0,   1, 300]], dtype=int32)
    """
    array, has_alpha = _decoding.read(path, _decoding.limit(max_pixels), for_labels=True)
    if has_alpha:
        raise ValueError(f"{path}: has colors or transparency, a label image has one channel")
    if array.dtype.kind not in "bui":
        raise ValueError(f"{path}: holds {array.dtype}, a label image holds integers")
    try:
        array = _check.labels(array)
        largest = max(_check.largest_label(array), array.size)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    return np.ascontiguousarray(array, dtype=_dtypes.label_dtype(largest))


def write_labels(path: str | os.PathLike[str], labels: Any) -> None:
    """Write a label image so that it is read back exactly.

    Parameters
    ----------
    path : str or path
        The suffix says the format: ``.png`` (2-D, ids to 65535), ``.tif``
        (ids to 2**32 - 1) or ``.npz`` and ``.npy`` (every label image).
    labels : array of integers >= 0

    Returns
    -------
    None
        The file is there, complete, when the call returns.

    Raises
    ------
    TypeError
        `labels` does not hold integers.
    ValueError
        The format cannot hold these labels, or is not known.
    OSError
        The file cannot be written.

    See Also
    --------
    read_labels

    Notes
    -----
    PNG and TIFF get the smallest of 8, 16 and 32 bits that holds the ids;
    ``.npz`` holds one array named ``labels``. **Cost** O(N) time.

    Examples
    --------
    >>> import segkit
    >>> segkit.write_labels("labels.png", [[1, 70000]])
    Traceback (most recent call last):
    ...
    ValueError: labels.png: PNG holds ids to 65535, `labels` has 70000; write .tif or .npz
    """
    array = _check.labels(labels)
    largest = _check.largest_label(array)
    target = _target(path)
    suffix = target.suffix.lower()
    if suffix in (".npy", ".npz"):
        dtype = _dtypes.label_dtype(largest)
        _write_numpy(target, np.ascontiguousarray(array, dtype=dtype), "labels")
        return
    if suffix not in (".png", ".tif", ".tiff"):
        raise ValueError(_unknown_suffix(target, ", ".join(LABEL_SUFFIXES)))
    if array.size == 0:
        raise ValueError(f"{target}: `labels` is empty, which only .npz and .npy can hold")
    if array.ndim == 1:
        raise ValueError(f"{target}: `labels` has 1 dimension, which only .npz and .npy can hold")
    is_png = suffix == ".png"
    if is_png and array.ndim != 2:
        raise ValueError(
            f"{target}: PNG holds 2-D labels, `labels` has {array.ndim} dimension(s); "
            "write .tif or .npz"
        )
    limit = np.iinfo(np.uint16 if is_png else np.uint32).max
    if largest > limit:
        instead = ".tif or .npz" if is_png and largest <= np.iinfo(np.uint32).max else ".npz"
        raise ValueError(
            f"{target}: {'PNG' if is_png else 'TIFF'} holds ids to {limit}, `labels` has "
            f"{largest}; write {instead}"
        )
    array = np.ascontiguousarray(array, dtype=np.min_scalar_type(largest))
    if is_png:
        _write_plain(target, array)
    else:
        _write_tiff(target, array, color=False)


# Writing


def _target(path: Any) -> Path:
    """Return where to write, with an error that names the folder if there is none."""
    target = _decoding.as_path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target}: is a folder, not a file")
    return target


def refuse_target(path: Any, suffixes: tuple[str, ...]) -> None:
    """Refuse a place that nothing can be written to, before the work and not after it."""
    target = _target(path)
    if target.suffix.lower() not in suffixes:
        raise ValueError(_unknown_suffix(target, ", ".join(suffixes)))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no folder {target.parent}")


def _unknown_suffix(target: Path, known: str) -> str:
    return f"{target}: the suffix {target.suffix!r} is not one of {known}"


def write_complete(target: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside `target`, then give it its name."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        stream = part.open("xb")
    except OSError as error:  # the name that the user gave, not the passing one
        raise type(error)(error.errno, error.strerror, str(target)) from None
    try:
        with stream:
            write(stream)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _write_numpy(target: Path, array: np.ndarray, name: str) -> None:
    if target.suffix.lower() == ".npz":
        arrays: dict[str, Any] = {name: array}
        write_complete(target, lambda stream: np.savez_compressed(stream, **arrays))
    else:
        write_complete(target, lambda stream: np.save(stream, array, allow_pickle=False))


def _write_tiff(target: Path, array: np.ndarray, *, color: bool) -> None:
    import tifffile

    if array.size == 0 or array.ndim < 2:
        raise ValueError(
            f"{target}: TIFF holds images of 2 or more dimensions that are not empty, got shape "
            f"{array.shape}; write .npz"
        )
    array = array.astype(np.uint8) * 255 if array.dtype == np.bool_ else array
    write_complete(
        target,
        lambda stream: tifffile.imwrite(
            stream, array, photometric="rgb" if color else "minisblack", compression="zlib"
        ),
    )


def _write_plain(target: Path, array: np.ndarray) -> None:
    suffix = target.suffix.lower()
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    color = array.ndim == 3 and array.shape[2] == 3
    if array.size == 0 or not (array.ndim == 2 or color):
        raise ValueError(
            f"{target}: {suffix} holds (rows, columns) or (rows, columns, 3), `image` has "
            f"shape {array.shape}; write .tif or .npz"
        )
    if array.dtype != np.uint8 and not (suffix == ".png" and array.dtype == np.uint16):
        raise ValueError(
            f"{target}: {suffix} cannot hold `image` of dtype {array.dtype}; "
            + ("scale it to uint8 or uint16, or write .tif" if suffix == ".png" else "write .tif")
        )
    if suffix == ".png" and array.dtype == np.uint16 and color:
        import cv2

        done, data = cv2.imencode(".png", np.ascontiguousarray(array[..., ::-1]))
        if not done:
            raise ValueError(f"{target}: the image cannot be written as PNG")
        write_complete(target, lambda stream: stream.write(data.tobytes()))
        return
    from PIL import Image

    picture = Image.fromarray(array)
    name = {".png": "PNG", ".bmp": "BMP", ".webp": "WEBP"}.get(suffix, "JPEG")
    options = {"quality": 92} if suffix in _LOSSY else {}
    write_complete(target, lambda stream: picture.save(stream, format=name, **options))
