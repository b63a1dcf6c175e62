"""The page of a comparison: one HTML file that needs nothing beside it.

Each photograph is in the page once.  A result is a layer of few colors over it,
so that a slider can fade it, a picture of the mean colors, and, where the truth
is known, its outlines against the true ones: found, missed and invented.  Layers
and means are WebP without loss, a third of what they are as PNG.  No outside request.

Tables and drawings are made here, sorted and with the best marked, so that the
page can be read without its script; the script sorts, enlarges and chooses.
"""

from __future__ import annotations

import base64
import io
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _chart, _files, _outlines, plot
from ._cases import color_axis
from ._scoring import GENERAL, KINDS, NUMBERED, SCORES, sides
from .measuring import mean_image
from .outlining import boundaries

LONGEST_SIDE = 720  # pixels of a picture in the page
_TINT = 105  # of 255: how strong the regions are tinted before the slider fades them
_DIMMED = (14, 17, 22, 185)  # over the photograph, under outlines
# White, orange, blue: apart in lightness, and to eyes that do not see red or green.
_OUTLINES = {"found": (255, 255, 255, 255), "missed": (255, 159, 28, 255),
             "extra": (62, 166, 255, 255)}  # fmt: skip

_WITH_VOID = ("classes", "mask")


def template() -> Any:
    """Return the template, or say in one line what the page needs."""
    try:
        import jinja2
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(f"the page needs {error.name}: pip install 'segkit[report]'") from None
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    source = Path(__file__).with_name("_page.html").read_text(encoding="utf-8")
    return environment.from_string(source)


def save(
    folder: str | Path,
    table: list[dict[str, Any]],
    images: Mapping[str, np.ndarray],
    labels: Mapping[tuple[str, str], np.ndarray],
    truths: Mapping[str, Sequence[np.ndarray]],
    markers: Mapping[str, np.ndarray],
    methods: Mapping[str, str],
    networks: Mapping[str, str],
) -> Path:
    """Write index.html into `folder` and return its path."""
    from . import __version__

    page = template()
    sections = []
    for number, (name, image) in enumerate(images.items(), start=1):
        rows = [row for row in table if row["image"] == name]
        section = _section(
            f"image-{number}", image, rows, labels, truths.get(name, ()), markers.get(name),
            networks,
        )  # fmt: skip
        sections.append(section)
    used = {column for row in table for column in row if column in SCORES}
    text = page.render(
        sections=sections,
        overall=_overall(table) if len(sections) > 1 else None,
        methods=[(title(name), text) for name, text in methods.items()],
        scores=[(score.title, score.text) for name, score in SCORES.items() if name in used],
        colors={name: "rgb({}, {}, {})".format(*color) for name, color in _OUTLINES.items()},
        n_results=len(table),
        version=__version__,
        machine=f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}",
    )
    target = Path(folder) / "index.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    _files.write_complete(target, lambda stream: stream.write(text.encode("utf-8")))
    return target


def _section(
    mark: str,
    image: np.ndarray,
    rows: list[dict[str, Any]],
    labels: Mapping[tuple[str, str], np.ndarray],
    truths: Sequence[np.ndarray],
    marked: np.ndarray | None,
    networks: Mapping[str, str],
) -> dict[str, Any]:
    """Return what the page shows of one image."""
    name, kind = rows[0]["image"], rows[0]["kind"]
    if kind == "mask":
        truths = [sides(truth) for truth in truths]
    ndim = image.ndim - (color_axis(image) is not None)
    picture = _reduced(plot.middle_plane(plot.as_rgb(image, image.shape[:ndim]), ndim))
    picture, brightened = _brightened(picture)
    results = []
    for number, row in enumerate(rows, start=1):
        found = labels[name, row["method"]]
        results.append(
            {
                "id": f"{mark}-{number}",
                "title": title(row["method"]),
                "numbers": [
                    SCORES[column].title + " " + SCORES[column].written(row[column])
                    for column in KINDS.get(kind, ())[:2]
                ],
                "n_regions": row["n_regions"],
                "seconds": SCORES["seconds"].written(row["seconds"]),
                "call": _call(
                    row,
                    color=image.ndim > ndim,
                    markers=row["markers"],
                )
                if row["method"] not in networks
                else "network.predict(image)",
                "layer": _layer(found, picture),
                "means": _means(found, picture),
                "outlines": _outlines_of(found, truths, kind, picture) if truths else None,
            }
        )
    numbered = [
        kind in NUMBERED and (row["markers"] or (kind == "classes" and row["method"] in networks))
        for row in rows
    ]
    board = _board(
        f"{mark}-board",
        rows,
        [title(row["method"]) + " *" * star for row, star in zip(rows, numbered, strict=True)],
        [f"#{result['id']}" for result in results],
    )
    if any(numbered):
        why = "gives classes itself" if not any(row["markers"] for row in rows) else (
            "started from the markers"
        )  # fmt: skip
        board["notes"] = [
            f"* {why} and is scored by its numbers; of the other methods each "
            "region counts as what most of its pixels are in the truth"
        ]
    return {
        "id": mark,
        "name": name,
        "size": " × ".join(map(str, image.shape[:ndim])),  # noqa: RUF001
        "kind": _kind(image, ndim) + (", brightened here" if brightened else ""),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "photo": _picture(picture, quality=90),
        "drawn": [
            {"title": text, "layer": _layer(labels_of, picture)}
            for text, labels_of in _drawn(kind, truths, marked)
        ],
        "has_truth": bool(truths),
        "results": results,
        "board": board,
    }


def title(method: str) -> str:
    """Return the name of a method as a title."""
    return method.replace("_", " ").capitalize()


def _drawn(
    kind: str | None, truths: Sequence[np.ndarray], markers: np.ndarray | None
) -> list[tuple[str, np.ndarray]]:
    """Return what is shown beside the image, with its captions: truths and markers."""
    noun = {"instances": "objects", "classes": "classes", "structures": "structures"}
    drawn = []
    for number, truth in enumerate(truths, start=1):
        who = f"Annotator {number}" if len(truths) > 1 else "Truth"
        count = len(np.unique(truth[truth > 0]))
        what = f"{count} {noun.get(kind or '', 'regions')}" if count != 1 else "one region"
        drawn.append((f"{who}: {'the object' if kind == 'mask' else what}", truth))
    if kind == "mask":
        drawn = [(text, np.where(truth == 1, truth, 0)) for text, truth in drawn]
    if markers is not None:
        drawn.append(("Markers", markers))
    return drawn


# Tables and drawings


def _overall(table: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the table of means over images, one row for each method."""
    images = dict.fromkeys(row["image"] for row in table)
    means, titles = [], []
    for method in dict.fromkeys(row["method"] for row in table):
        rows = [row for row in table if row["method"] == method]
        columns = {name: [row[name] for row in rows if name in row] for name in SCORES}
        mean: dict[str, Any] = {
            name: float(np.mean(values)) for name, values in columns.items() if values
        }
        counts = {name: len(values) for name, values in columns.items()}
        means.append({"method": method, "counts": counts, **mean})
        where = f" ({_among([row['image'] for row in rows])})"
        titles.append(title(method) + (where if len(rows) < len(images) else ""))
    board = _board("overall-board", means, titles)
    kinds = {row["image"]: row["kind"] for row in table}
    board["notes"] = [
        f"{', '.join(SCORES[name].title for name in KINDS[kind])}: {_among(of_kind)} only"
        for kind in KINDS
        if 0 < len(of_kind := [name for name in kinds if kinds[name] == kind]) < len(kinds)
    ]
    return board


def _among(names: Sequence[str]) -> str:
    return f"{len(names)} images" if len(names) > 3 else " and ".join(names)


def _board(
    mark: str,
    rows: list[dict[str, Any]],
    titles: Sequence[str],
    links: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return a table of scores, best first, and a drawing of each score against time."""
    shown = [name for name in SCORES if any(name in row for row in rows)]
    main = shown[0] if shown[0] not in GENERAL else None  # else in the order of methods
    order = list(range(len(rows)))
    if main is not None:
        sign = -1 if SCORES[main].better == "more" else 1
        order.sort(key=lambda k: sign * rows[k].get(main, np.inf * sign))
    best = {name: _best(name, rows) for name in shown}
    lines = [
        {
            "title": titles[k],
            "link": links[k] if links else None,
            "cells": [
                {
                    "value": rows[k].get(name, ""),
                    "text": SCORES[name].written(rows[k].get(name)),
                    "best": best[name][k],
                }
                for name in shown
            ],
        }
        for k in order
    ]
    drawn = [name for name in shown if name not in ("seconds", "unlabelled")]
    return {
        "id": mark,
        "columns": [
            {"score": SCORES[name], "sorted": _direction(name) if name == main else None}
            for name in shown
        ],
        "rows": lines,
        "charts": [
            {
                "title": SCORES[name].title,
                "drawing": _drawing(name, rows, best[name], f"{mark}-{number}"),
            }
            for number, name in enumerate(drawn)
            if any(np.isfinite(row.get(name, np.nan)) for row in rows)
        ],
    }


def _direction(name: str) -> str:
    return "descending" if SCORES[name].better == "more" else "ascending"


def _best(name: str, rows: list[dict[str, Any]]) -> list[bool]:
    """Return which rows are written like the best of a column, means over fewer images aside."""
    score = SCORES[name]
    counts = [row.get("counts", {}).get(name, 1) if name in row else 0 for row in rows]
    whole = [count == max(counts) for count in counts]
    values = [row[name] for row, wanted in zip(rows, whole, strict=True) if wanted]
    if not score.better or len(values) < 2:
        return [False] * len(rows)
    top = score.written(max(values) if score.better == "more" else min(values))
    return [
        wanted and score.written(row[name]) == top for row, wanted in zip(rows, whole, strict=True)
    ]


def _drawing(name: str, rows: list[dict[str, Any]], best: list[bool], mark: str) -> str:
    """Return a score against time."""
    kept = [k for k, row in enumerate(rows) if np.isfinite(row.get(name, np.nan))]
    scale = {"bytes": 1e-6, "percent": 100}.get(SCORES[name].unit, 1)
    unit = {"bytes": " (MB)", "bits": " (bits)", "pixels": " (pixels)"}.get(SCORES[name].unit, "")
    return _chart.chart(
        [rows[k]["seconds"] for k in kept],
        [scale * rows[k][name] for k in kept],
        [title(rows[k]["method"]) for k in kept],
        title=SCORES[name].title + unit,
        best=[best[k] for k in kept],
        prefix=mark,
    )


# Pictures


def _kind(image: np.ndarray, ndim: int) -> str:
    kind = f"{'color' if image.ndim > ndim else 'grey'}, {image.dtype}"
    return kind if ndim == 2 else f"{kind}, middle plane shown"


def _call(row: Mapping[str, Any], *, color: bool, markers: bool) -> str:
    """Return the line that gives this result again."""
    settings = "".join(f", {name}={value!r}" for name, value in row["parameters"].items())
    axis = ", channel_axis=-1" if color else ""
    axis += ", markers=markers" if markers else ""
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


def _brightened(picture: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return a picture that can be made out, and whether it had to be made brighter."""
    top = float(np.percentile(picture, 99.9))
    if not 0 < top < 128:
        return picture, False
    return np.minimum(np.round(picture * (255 / top)), 255).astype(np.uint8), True


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
    alpha = np.repeat(np.array([0, _TINT, 255], np.uint8), [1, plot.N_COLORS, plot.N_COLORS])
    return _picture(np.column_stack([np.concatenate([used, used[1:]]), alpha])[index])


def _means(labels: np.ndarray, picture: np.ndarray) -> str:
    """Return the picture with every region in its mean color, clear where there is none."""
    plane = _on_picture(labels, picture)
    mean = np.round(mean_image(plane, picture, channel_axis=-1)).astype(np.uint8)
    clear = np.where(plane > 0, np.uint8(255), np.uint8(0))
    return _picture(np.dstack([mean, clear]) if (plane == 0).any() else mean)


def _outlines_of(
    labels: np.ndarray, truths: Sequence[np.ndarray], kind: str, picture: np.ndarray
) -> str:
    """Return outlines that were found, missed and invented, over a dimmed ground."""
    ndim = labels.ndim
    planes = [plot.middle_plane(truth, ndim) for truth in truths]
    maps = _outlines.against(plot.middle_plane(labels, ndim), planes, void=kind in _WITH_VOID)
    rows, columns = picture.shape[:2]
    colored = np.empty((rows, columns, 4), np.uint8)
    colored[:] = _DIMMED
    thick = -(-max(rows, columns) // 256)
    for name, marked in maps.items():
        place = np.argwhere(marked) * (rows, columns) // marked.shape
        for down in range(thick):
            for right in range(thick):
                row, column = np.minimum(place + np.array([down, right]), (rows - 1, columns - 1)).T
                colored[row, column] = _OUTLINES[name]
    return _picture(colored)


def _picture(picture: np.ndarray, *, quality: int | None = None) -> str:
    """Return a picture as a data URI: without loss, unless a quality is given."""
    from PIL import Image, features

    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    form = "webp" if features.check("webp") else "png"
    if form == "webp" and quality is not None:
        image.save(stream, format=form, quality=quality)
    elif form == "webp":
        image.save(stream, format=form, lossless=True, method=2)
    else:
        image.save(stream, format=form, optimize=True)
    return f"data:image/{form};base64," + base64.b64encode(stream.getvalue()).decode("ascii")
