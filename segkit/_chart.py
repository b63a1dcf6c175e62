"""Score against time, as a drawing that stands in the page's own text.

matplotlib draws axes, dots and names; what it writes is then stripped to what a
page needs inline: no preamble, ids that are unique on the page, text that stays
text, and colors taken from the page, so that the drawing is light or dark with it.

Names must not cover each other or a dot.  They are placed one after the other,
crowded dots first, each at the nearest free place around its dot; a thin line
leads there where it is not right beside.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

WIDTH, HEIGHT = 440, 350  # units of the drawing; a telephone shows it at four fifths
_FONT = 12.5
# Stand-ins that matplotlib draws with, and what the page calls them.
_COLORS = {"#010101": "var(--ink)", "#020202": "var(--soft)", "#030303": "var(--accent)",
           "#040404": "var(--line)"}  # fmt: skip
_INK, _SOFT, _ACCENT, _LINE = _COLORS


def chart(
    seconds: Sequence[float],
    values: Sequence[float],
    names: Sequence[str],
    *,
    title: str,
    best: Sequence[bool],
    prefix: str,
) -> str:
    """Return the drawing as an element: values against seconds, each dot with its name.

    `prefix` makes its ids unique on the page; dots marked `best` bear the accent.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix, "font.size": _FONT,
                     "font.family": "DejaVu Sans", "axes.edgecolor": _LINE,
                     "axes.labelcolor": _SOFT, "xtick.color": _LINE, "ytick.color": _LINE,
                     "xtick.labelcolor": _SOFT, "ytick.labelcolor": _SOFT,
                     "text.color": _INK, "grid.color": _LINE}):  # fmt: skip
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
        axes = figure.add_axes((46 / WIDTH, 44 / HEIGHT, 1 - 56 / WIDTH, 1 - 76 / HEIGHT))
        axes.set_xscale("log")
        seconds = np.maximum(seconds, 1e-6).tolist()  # a logarithm must exist
        low, high = min(seconds), max(seconds)
        room = max(1.6, (high / low) ** 0.12)
        axes.set_xlim(low / room, high * room)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 30 * low else (1,)))
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.margins(y=0.12)
        axes.grid(linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("seconds")
        axes.text(0, 1.04, title, transform=axes.transAxes, weight="bold", va="bottom")
        for x, y, mark in zip(seconds, values, best, strict=True):
            color = _ACCENT if mark else _INK
            axes.plot([x], [y], "o", color=color, markersize=8 if mark else 6, clip_on=False)
        axes.autoscale_view()
        dots = axes.transData.transform(np.column_stack([seconds, values]))
        renderer = FigureCanvasAgg(figure).get_renderer()
        sizes = []
        for name, mark in zip(names, best, strict=True):
            text = axes.text(0, 0, name, weight="bold" if mark else "normal")
            extent = text.get_window_extent(renderer)
            sizes.append((extent.width, _FONT))
            text.remove()
        frame = axes.get_window_extent()
        bounds = (frame.x0, frame.y0 - 4, WIDTH - 2, frame.y1 + 8)
        for k, (x, y) in enumerate(places(dots, np.array(sizes), bounds)):
            center = (x + sizes[k][0] / 2, y + sizes[k][1] / 2)
            if _gap(dots[k], (x, y, *sizes[k])) > 14:
                figure.add_artist(_line(dots[k], center, (x, y, *sizes[k])))
            figure.text(
                x / WIDTH, center[1] / HEIGHT, names[k], va="center_baseline",
                weight="bold" if best[k] else "normal",
            )  # fmt: skip
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return _inlined(stream.getvalue(), prefix, f"{title} against seconds, by method")


Box = tuple[float, float, float, float]  # left, bottom, width, height


def places(
    dots: np.ndarray, sizes: np.ndarray, bounds: tuple[float, float, float, float]
) -> list[tuple[float, float]]:
    """Return the lower left corner of each name, free of other names and of all dots.

    `dots` (n, 2) and `sizes` (n, 2) are in pixels; names stay between `bounds`, left,
    bottom, right, top.  Where no place is free, the least covered one is taken.
    """
    distance = np.linalg.norm(dots[:, np.newaxis] - dots, axis=-1)
    nearest = np.sort(distance, axis=1)[:, :4].sum(axis=1)
    taken: list[Box] = [(x - 6, y - 6, 12.0, 12.0) for x, y in dots]
    found = [(0.0, 0.0)] * len(dots)
    for k in np.argsort(nearest, kind="stable"):
        width, height = sizes[k]
        best = None
        for x, y in _around(dots[k], width, height):
            x = min(max(x, bounds[0] + 3), bounds[2] - width)
            y = min(max(y, bounds[1]), bounds[3] - height)
            box = (x - 2, y - 1, width + 4, height + 2)
            cover = sum(_overlap(box, other) for other in taken)
            cost = (cover, _gap(dots[k], (x, y, width, height)))
            if best is None or cost < best[0]:
                best = (cost, (x, y), box)
            if cover == 0:
                break
        assert best is not None
        found[k] = best[1]
        taken.append(best[2])
    return found


def _around(dot: np.ndarray, width: float, height: float) -> list[tuple[float, float]]:
    """Return places for a name, the nearest first: right, left, above, below, then rings."""
    x, y = dot
    near = [
        (x + 9, y - height / 2), (x - 9 - width, y - height / 2),
        (x - width / 2, y + 8), (x - width / 2, y - 8 - height),
    ]  # fmt: skip
    angles = np.arange(16) * np.pi / 8
    for radius in (16, 26, 38, 52, 68, 86, 106, 130, 160, 200):
        cos, sin = np.cos(angles), np.sin(angles)
        left = x + cos * (radius + width / 2) - width / 2
        bottom = y + sin * (radius + height / 2) - height / 2
        near += list(zip(left.tolist(), bottom.tolist(), strict=True))
    return near


def _overlap(one: Box, other: Box) -> float:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    along = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, along)


def _nearest(dot: np.ndarray, box: Box) -> np.ndarray:
    """Return the point of a box nearest to a dot."""
    return np.clip(dot, box[:2], (box[0] + box[2], box[1] + box[3]))


def _gap(dot: np.ndarray, box: Box) -> float:
    return float(np.linalg.norm(_nearest(dot, box) - dot))


def _line(dot: np.ndarray, center: tuple[float, float], box: Box) -> Any:
    from matplotlib.lines import Line2D

    end = _nearest(dot, box)
    return Line2D(
        [dot[0] / WIDTH, end[0] / WIDTH], [dot[1] / HEIGHT, end[1] / HEIGHT],
        color=_SOFT, linewidth=0.7, solid_capstyle="round", zorder=1,
    )  # fmt: skip


def _inlined(text: str, prefix: str, label: str) -> str:
    """Return matplotlib's SVG as it stands in a page."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'<g id="[^"]*">', "<g>", text)
    text = re.sub(r'\bid="', f'id="{prefix}-', text).replace('href="#', f'href="#{prefix}-')
    text = text.replace("url(#", f"url(#{prefix}-")
    for stand_in, color in _COLORS.items():
        text = text.replace(stand_in, color)
    text = re.sub(r"font: bold [^;\"]*", "font-weight: bold", text)
    text = re.sub(r"font-size: [^;]*; font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r">\s+<", ">\n<", text)
    return re.sub(
        r"<svg[^>]*>",
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">',
        text,
        count=1,
    )
