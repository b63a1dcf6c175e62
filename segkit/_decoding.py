"""Decoding an image file, whatever it holds.

What a file holds decides how it is read, not its name.  The header is read
first, and a picture that is larger than allowed, or larger than its file could
possibly hold, is refused before memory is taken for it.  Whatever a library
raises for a damaged file becomes one ValueError that names the file.

Pillow decodes the everyday formats, OpenCV 16-bit color PNG (of which Pillow
gives 8 bits), tifffile TIFF and stacks, NumPy `.npy` and `.npz` (no pickles).
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from . import _check

_PLAIN_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM")
# What the formats can pack at most: deflate 1032 bytes of one-bit pixels into one,
# JPEG one bit for each block of 8 x 8.
_PIXELS_PER_BYTE = {"PNG": 8 * 1032, "JPEG": 8 * 64}
_READABLE = "PNG, JPEG, BMP, GIF, WebP, PNM, TIFF, NPY or NPZ"
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = b"PK\x03\x04"


def limit(max_pixels: Any) -> int | None:
    return None if max_pixels is None else _check.integer(max_pixels, "max_pixels", low=1)


def as_path(path: Any) -> Path:
    if not isinstance(path, (str, os.PathLike)) or isinstance(os.fspath(path), bytes):
        raise TypeError(f"`path` must be a str or a path, got {path!r}")
    return Path(path)


def read(path: Any, limit: int | None, *, for_labels: bool) -> tuple[np.ndarray, bool]:
    """Return what a file holds, and whether its last axis ends with alpha.

    For labels, colors count as alpha: neither is wanted.
    """
    source = as_path(path)
    with opened(source) as (stream, size):
        start = stream.read(16)
        stream.seek(0)
        if start.startswith(_TIFF_MAGIC):
            array, kind = _read_tiff(stream, source, size, limit, for_labels=for_labels)
        elif start.startswith(_NPY_MAGIC):
            array, kind = _read_npy(stream, source, size, limit), "grey"
        elif start.startswith(_ZIP_MAGIC):
            array, kind = _read_npz(stream, limit, for_labels=for_labels), "grey"
        else:
            array, kind = _read_plain(stream, source, start, size, limit, for_labels=for_labels)
    return array, kind == "alpha" or (for_labels and kind == "color")


@contextlib.contextmanager
def opened(source: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file to decode; yield it and its size, and name it in whatever goes wrong."""
    with source.open("rb") as stream:  # a folder or a missing file: OSError with its name
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{source}: not a regular file")
        with _damage_named(source):
            yield stream, status.st_size


@contextlib.contextmanager
def _damage_named(source: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into a ValueError that names the file."""
    try:
        yield
    except RefusedError as error:
        raise ValueError(f"{source}: {error}") from None
    except OSError as error:
        if error.filename is not None:
            raise
        raise ValueError(f"{source}: damaged or cut short ({_one_line(error)})") from error
    except (MemoryError, ImportError):  # neither is the file's fault
        raise
    except Exception as error:  # decoders raise nearly everything: SyntaxError, struct.error, ...
        raise ValueError(f"{source}: damaged or not supported ({_one_line(error)})") from error


class RefusedError(Exception):
    """A file that is refused for a reason that can be told."""


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _refuse_large(shape: tuple[int, ...], limit: int | None) -> None:
    pixels = 1
    for side in shape:
        pixels *= int(side)
    if limit is not None and pixels > limit:
        size = " x ".join(map(str, shape))
        raise RefusedError(
            f"holds {size} pixels, more than the {limit} allowed; pass a larger max_pixels"
        )


def _refuse_more_than_file(claimed: float, size: int) -> None:
    if claimed > size:
        raise RefusedError(
            f"damaged: its header promises at least {claimed:.0f} bytes, the file has {size}"
        )


def _read_plain(
    stream: IO[bytes], source: Path, start: bytes, size: int, limit: int | None, *, for_labels: bool
) -> tuple[np.ndarray, str]:
    from PIL import Image

    Image.init()
    for name in _PLAIN_FORMATS:
        # Not Image.open: it compares with a limit of its own, which is global.
        factory, accepts = Image.OPEN[name]
        if accepts is not None and accepts(start) is True:
            break
    else:
        raise RefusedError(f"not an image that can be read ({_READABLE})")
    with factory(stream, str(source)) as picture:
        columns, rows = picture.size
        _refuse_large((rows, columns), limit)
        _refuse_more_than_file(rows * columns / _PIXELS_PER_BYTE.get(name, np.inf), size)
        if name != "JPEG" and getattr(picture, "n_frames", 1) > 1:
            raise RefusedError("holds several frames; write them as a TIFF stack")
        raw = picture.tile[0][3] if name == "PNG" and picture.tile else ""
        deep_color = isinstance(raw, str) and raw.endswith(";16B") and picture.mode != "I;16"
        picture.load()
        if deep_color:
            return _read_deep_png(stream)
        if for_labels:
            return _label_pixels(picture)
        return _picture_pixels(picture)


def _label_pixels(picture: Any) -> tuple[np.ndarray, str]:
    array = np.asarray(picture)
    return array, "grey" if array.ndim == 2 else "color"


def _picture_pixels(picture: Any) -> tuple[np.ndarray, str]:
    from PIL import ImageOps

    mode = picture.mode
    if mode == "I":  # Pillow's reading of 16-bit PNM
        array = np.asarray(picture)
        return array.astype(np.uint16) if 0 <= array.min() <= array.max() < 2**16 else array, "grey"
    if mode in ("F", "I;16"):
        return np.asarray(picture), "grey"
    has_alpha = mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info
    if mode in ("1", "L", "LA", "La"):
        wanted = "LA" if has_alpha else "L"
    else:
        wanted = "RGBA" if has_alpha else "RGB"
    picture = ImageOps.exif_transpose(picture)
    array = np.array(picture if mode == wanted else picture.convert(wanted))
    return array, "alpha" if has_alpha else ("grey" if wanted == "L" else "color")


def _read_deep_png(stream: IO[bytes]) -> tuple[np.ndarray, str]:
    import cv2

    stream.seek(0)
    data = np.frombuffer(stream.read(), dtype=np.uint8)
    array = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if array is None:
        raise RefusedError("damaged: the 16-bit pixels cannot be decoded")
    if array.ndim == 2:
        return array, "grey"
    if array.shape[2] == 4:
        return np.ascontiguousarray(array[..., [2, 1, 0, 3]]), "alpha"
    return np.ascontiguousarray(array[..., ::-1]), "color"


def _read_tiff(
    stream: IO[bytes], source: Path, size: int, limit: int | None, *, for_labels: bool
) -> tuple[np.ndarray, str]:
    import tifffile

    with tifffile.TiffFile(stream, name=source.name) as tiff:
        if len(tiff.series) != 1:
            raise RefusedError(f"holds {len(tiff.series)} images of different kinds, not one")
        series = tiff.series[0]
        axes, shape, page = series.axes, series.shape, series.keyframe
        if page is None or page.dtype is None:
            raise RefusedError("damaged: the type of its pixels is not known")
        if page.shaped_description is not None:
            promised = json.loads(page.shaped_description).get("shape", shape)
            if tuple(promised) != tuple(shape):
                raise RefusedError(f"damaged: promises shape {promised}, holds {list(shape)}")
        channel = axes.find("S")
        _refuse_large(tuple(side for k, side in enumerate(shape) if k != channel), limit)
        if page.compression == tifffile.COMPRESSION.NONE:
            bits = float(np.prod(shape, dtype=float)) * page.bitspersample
            _refuse_more_than_file(bits / 8, size)
        array = _tiff_pixels(tiff, stream, shape)
        # 1 and 2 are the two kinds of alpha; 0 is a channel of some other meaning.
        has_alpha = channel >= 0 and page.extrasamples[-1:] in ((1,), (2,))
        inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    if inverted and array.dtype.kind == "u":
        array = np.iinfo(array.dtype).max - array
    if array.dtype == np.bool_ and not for_labels:
        array = array.astype(np.uint8) * 255
    if channel >= 0:
        array = np.moveaxis(array, channel, -1)
    array = np.ascontiguousarray(array)
    if has_alpha:
        return array, "alpha"
    return array, "grey" if channel < 0 else "color"


def _tiff_pixels(tiff: Any, stream: IO[bytes], shape: tuple[int, ...]) -> np.ndarray:
    """Return the pixels of the only series, by OpenCV where tifffile has no decoder."""
    try:
        return np.asarray(tiff.series[0].asarray()).reshape(shape)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
    import cv2

    stream.seek(0)
    data = np.frombuffer(stream.read(), dtype=np.uint8)
    decoded, pages = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED)
    if not decoded:
        raise RefusedError("damaged: its compressed pixels cannot be decoded")
    stack = np.array(pages)
    if stack.shape[-1] == 3 and shape[-1] == 3:
        stack = stack[..., ::-1]
    elif stack.shape[-1] == 4 and shape[-1] == 4:
        stack = stack[..., [2, 1, 0, 3]]
    return stack.reshape(shape)


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    if dtype.hasobject:
        raise RefusedError("holds Python objects, which are not read")
    return shape, dtype


def _read_npy(stream: IO[bytes], source: Path, size: int, limit: int | None) -> np.ndarray:
    shape, dtype = _npy_header(stream)
    _refuse_large(shape, limit)
    _refuse_more_than_file(float(np.prod(shape, dtype=float)) * dtype.itemsize, size)
    stream.seek(0)
    return _real_array(np.lib.format.read_array(stream, allow_pickle=False))


def _read_npz(stream: IO[bytes], limit: int | None, *, for_labels: bool) -> np.ndarray:
    with zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        meant = "labels.npy" if for_labels else "image.npy"
        wanted = [name for name in names if name == meant] or names
        if len(wanted) != 1:
            raise RefusedError(
                f"not an NPZ file with one array, or one named {meant[:-4]}; it holds "
                + (", ".join(name.removesuffix(".npy") for name in names) or "none")
            )
        return _real_array(_npz_member(archive, wanted[0], limit))


def _npz_member(archive: zipfile.ZipFile, name: str, limit: int | None) -> np.ndarray:
    member = archive.getinfo(name)
    with archive.open(member) as data:
        shape, dtype = _npy_header(data)
    _refuse_large(shape, limit)
    _refuse_more_than_file(float(np.prod(shape, dtype=float)) * dtype.itemsize, member.file_size)
    # The directory can lie about the size too: deflate packs 1032 bytes into one.
    _refuse_more_than_file(member.file_size / 1032, member.compress_size + 64)
    with archive.open(member) as data:
        array = np.lib.format.read_array(data, allow_pickle=False)
        data.read(1)  # to the end, so that the checksum is compared
    return array


def read_arrays(path: Any, names: Iterable[str], limit: int | None) -> dict[str, np.ndarray]:
    """Return the arrays of these names in an NPZ file, each of at most `limit` values."""
    source = as_path(path)
    with opened(source) as (stream, _), zipfile.ZipFile(stream) as archive:
        held = archive.namelist()
        for name in names:
            if f"{name}.npy" not in held:
                raise RefusedError(f"holds no array {name!r}")
        return {name: _real_array(_npz_member(archive, f"{name}.npy", limit)) for name in names}


def _real_array(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        raise RefusedError(f"holds {array.dtype} of shape {array.shape}, not an image")
    return array
