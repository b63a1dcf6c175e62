"""Sheets of small pictures, which the demos share."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


def out_path(description, name):
    """Return where the picture goes: --out, or demos/out/ beside this file."""
    parser = argparse.ArgumentParser(description=description)
    default = Path(__file__).resolve().parent / "out" / f"{name}.png"
    parser.add_argument("--out", type=Path, default=default, help=f"default: demos/out/{name}.png")
    return parser.parse_args().out


def draw_sheet(rows, columns=4, width=13.0):
    """Return a figure of titled rows; a row is (heading, remark, [(title, picture or function)]).

    A picture is an RGB or grey array.  A function gets the axes to draw on; it may have
    the `shape` of what it draws.
    """
    cell = width / columns
    heights = [_height(row[2], cell) for row in rows]
    figure = Figure(figsize=(width, sum(heights)), dpi=110, facecolor="white")
    parts = figure.subfigures(len(rows), 1, height_ratios=heights, hspace=0)
    for part, (heading, remark, panels), height in zip(
        np.atleast_1d(part_list(parts)), rows, heights, strict=True
    ):
        left, top = 0.01, 1 - 0.10 / height
        part.text(left, top, heading, size=14, weight="bold", va="top")
        part.text(left, top - 0.27 / height, remark, size=10.5, va="top", color="#555555")
        axes = part.subplots(1, columns, squeeze=False)[0]
        part.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=1 - 0.86 / height, wspace=0.04)
        for place in axes[len(panels) :]:
            place.set_visible(False)
        for place, (title, picture) in zip(axes, panels, strict=False):
            if callable(picture):
                picture(place)
            else:
                grey = {"cmap": "gray", "vmin": 0, "vmax": 255} if picture.ndim == 2 else {}
                place.imshow(picture, interpolation="nearest", **grey)
                place.set_axis_off()
            place.set_title(title, size=10.5, loc="left", pad=4)
    return figure


def reduced(picture, side=350):
    """Return a picture at about the size it has on a sheet, so that thin lines stay."""
    import cv2

    factor = side / max(picture.shape[:2])
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def part_list(parts):
    """Return the parts of a figure as an array, also when there is one."""
    return np.ravel(np.array(parts, dtype=object))


def _height(panels, cell):
    """Return the height of a row in inches: its highest picture, and room for words."""
    shapes = [getattr(picture, "shape", None) for _, picture in panels]
    ratios = [shape[0] / shape[1] for shape in shapes if shape is not None]
    return 0.96 * cell * max(ratios, default=0.75) + 0.95


def save(figure, path):
    """Write the figure, and say where it is; refuse a remark that runs over the right side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    for part in figure.subfigs:
        for text in part.texts:
            if text.get_window_extent().x1 > figure.bbox.x1:
                raise ValueError(f"too long for the sheet: {text.get_text()}")
    print(path)
