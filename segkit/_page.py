"""The page of a comparison: one HTML file that needs nothing beside it.

Each photograph is in the page once.  A result is a layer of few colors over it
(a paletted PNG with transparency, a tenth of the size of a picture), so that a
slider can fade it, and a picture of the mean colors.  No outside request.
"""

from __future__ import annotations

import base64
import io
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import _files, plot
from .measuring import mean_image
from .outlining import boundaries

LONGEST_SIDE = 720  # pixels of a picture in the page
_TINT = 105  # of 255: how strong the regions are tinted before the slider fades them


def template() -> Any:
    """Return the template, or say in one line what it needs."""
    try:
        import jinja2
    except ImportError:
        raise ImportError("the page needs jinja2: pip install 'segkit[report]'") from None
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    source = Path(__file__).with_name("_page.html").read_text(encoding="utf-8")
    return environment.from_string(source)


def save(
    folder: str | Path,
    table: list[dict[str, Any]],
    images: Mapping[str, np.ndarray],
    labels: Mapping[tuple[str, str], np.ndarray],
    truths: Mapping[str, np.ndarray],
    methods: Mapping[str, str],
) -> Path:
    """Write index.html into `folder` and return its path."""
    from . import __version__

    page = template()
    sections = []
    for number, (name, image) in enumerate(images.items(), start=1):
        rows = [row for row in table if row["image"] == name]
        ndim = labels[name, rows[0]["method"]].ndim
        picture = _reduced(plot.middle_plane(plot.as_rgb(image, image.shape[:ndim]), ndim))
        sections.append(
            {
                "id": f"image-{number}",
                "name": name,
                "size": " × ".join(map(str, image.shape[:ndim])),  # noqa: RUF001
                "kind": _kind(image, ndim),
                "width": picture.shape[1],
                "height": picture.shape[0],
                "photo": _png(picture),
                "truth": _layer(truths[name], picture) if name in truths else None,
                "results": [
                    {
                        **row,
                        "title": title(row["method"]),
                        "call": _call(row, color=image.ndim > ndim),
                        "layer": _layer(labels[name, row["method"]], picture),
                        "means": _means(labels[name, row["method"]], picture),
                    }
                    for row in rows
                ],
            }
        )
    text = page.render(
        sections=sections,
        methods=[(title(name), text) for name, text in methods.items()],
        n_results=len(table),
        version=__version__,
        machine=f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}",
    )
    target = Path(folder) / "index.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    _files.write_complete(target, lambda stream: stream.write(text.encode("utf-8")))
    return target


def title(method: str) -> str:
    """Return the name of a method as a title."""
    return method.replace("_", " ").capitalize()


def _kind(image: np.ndarray, ndim: int) -> str:
    kind = f"{'color' if image.ndim > ndim else 'grey'}, {image.dtype}"
    return kind if ndim == 2 else f"{kind}, middle plane shown"


def _call(row: Mapping[str, Any], *, color: bool) -> str:
    """Return the line that gives this result again."""
    settings = "".join(f", {name}={value!r}" for name, value in row["parameters"].items())
    axis = ", channel_axis=-1" if color else ""
    return f'segkit.segment(image, "{row["method"]}"{axis}{settings})'


def _reduced(picture: np.ndarray) -> np.ndarray:
    """Return a picture whose longest side is at most LONGEST_SIDE."""
    rows, columns = picture.shape[:2]
    scale = LONGEST_SIDE / max(rows, columns)
    if scale >= 1:
        return np.ascontiguousarray(picture)
    import cv2

    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _on_picture(labels: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Return the middle plane of `labels`, sampled at the picture's pixels."""
    plane = plot.middle_plane(labels, labels.ndim)
    rows = (np.arange(picture.shape[0]) + 0.5) * plane.shape[0] / picture.shape[0]
    columns = (np.arange(picture.shape[1]) + 0.5) * plane.shape[1] / picture.shape[1]
    return np.ascontiguousarray(plane[np.ix_(rows.astype(np.intp), columns.astype(np.intp))])


def _layer(labels: np.ndarray, picture: np.ndarray) -> str:
    """Return tinted regions with full-colored boundaries, on clear ground."""
    plane = _on_picture(labels, picture)
    index = plot.color_index(plane)
    index[boundaries(plane, mode="inner") & (plane > 0)] += plot.N_COLORS
    used = plot.colors(np.arange(plot.N_COLORS + 1))
    palette = np.concatenate([used, used[1:]])
    alpha = bytes([0] + [_TINT] * plot.N_COLORS + [255] * plot.N_COLORS)
    return _png(index, palette, alpha)


def _means(labels: np.ndarray, picture: np.ndarray) -> str:
    """Return the picture with every region in its mean color, clear where there is none."""
    plane = _on_picture(labels, picture)
    mean = np.round(mean_image(plane, picture, channel_axis=-1)).astype(np.uint8)
    clear = np.where(plane > 0, np.uint8(255), np.uint8(0))
    return _png(np.dstack([mean, clear]) if (plane == 0).any() else mean)


def _png(picture: np.ndarray, palette: np.ndarray | None = None, alpha: bytes = b"") -> str:
    """Return a picture as a data URI."""
    from PIL import Image

    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    if palette is None:
        image.save(stream, format="PNG", compress_level=9)
    else:
        image.putpalette(palette.tobytes())
        image.save(stream, format="PNG", compress_level=9, transparency=alpha)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
