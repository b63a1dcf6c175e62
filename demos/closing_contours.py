"""Contours with gaps closed into regions: flooding closes gaps, merging opens false borders.

Run ``python demos/closing_contours.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet
from scipy.ndimage import distance_transform_edt, maximum_filter
from skimage.feature import canny

import segkit
from segkit import datasets, plot

LEVELS = (0.3, 0.6, 0.9)


def drawing():
    """Return three outlines that touch, each with a gap: a disc, a rectangle, a triangle."""
    rows, cols = np.indices((120, 160))
    shapes = np.zeros(rows.shape, dtype=int)
    shapes[np.hypot(rows - 42, cols - 42) < 30] = 1
    shapes[20:70, 72:146] = 2
    shapes[(rows < 108) & (rows - 74 > np.abs(cols - 88) * 0.8)] = 3
    lines = segkit.boundaries(shapes, mode="inner")
    lines[12:30, 36:48] = False
    lines[38:52, 140:150] = False
    lines[100:112, 76:92] = False
    return lines


def ink(lines):
    """Return lines black on white."""
    return np.where(lines, 0, 255).astype(np.uint8)


def thick(lines):
    """Return lines thick enough to be seen on a sheet."""
    return ink(maximum_filter(lines, 2))


def closed(edges, depth=1):
    """Return the basins between edges, and a map of what is an edge or beside one."""
    relief = -distance_transform_edt(~edges)
    basins = segkit.watershed(relief, depth=depth)
    return basins, maximum_filter(edges, 3).astype(np.float32)


def zones(edges):
    """Return what a flood fill makes of edges: parts that not even a gap connects."""
    return segkit.connected_components(edges.astype(np.uint8), background=1)


def idea():
    """Close a drawing step by step."""
    lines = drawing()
    basins, drawn = closed(lines)
    tree = segkit.merge_tree(segkit.region_graph(basins, strength=drawn), criterion="strength")
    labels = tree.labels(basins, level=0.5)
    leaked = zones(lines)
    away = distance_transform_edt(~lines)
    return (
        "The idea",
        "The middle of what lines enclose is far from them. In the distance to the lines, upside "
        "down, it is a valley, and a gap is a pass: the waters meet in it.",
        [
            (
                f"lines with gaps; flood fill: {leaked.max()} region",
                plot.overlay(ink(lines), leaked, alpha=0.4, boundaries="none"),
            ),
            ("the distance to the lines, upside down", plot.stretch(-away)),
            (f"watershed: {basins.max()} basins", plot.overlay(ink(lines), basins, alpha=0.5)),
            (
                f"half of each contour drawn: {labels.max()} regions",
                plot.overlay(ink(lines), labels, alpha=0.5),
            ),
        ],
    )


def photograph():
    """Return a photograph, and Canny's edges in it."""
    photo = datasets.samples()["coffee"][::2, ::2]
    grey = photo @ np.array([0.299, 0.587, 0.114])
    return photo, canny(grey, sigma=2, low_threshold=14, high_threshold=36)


def contour_picture(tree, basins):
    """Return the contour map: the larger the part that was drawn, the darker the contour."""
    cracks = tree.contour_map(basins)
    padded = np.pad(cracks, 1)
    height, width = cracks.shape
    around = [padded[r : r + height, c : c + width] for r in range(3) for c in range(3)]
    return np.round(255 * (1 - np.minimum(np.max(around, axis=0)[::2, ::2], 1))).astype(np.uint8)


def canny_closed():
    """Close the edges of a photograph."""
    photo, edges = photograph()
    basins, drawn = closed(edges)
    tree = segkit.merge_tree(segkit.region_graph(basins, strength=drawn), criterion="strength")
    return (
        "Canny's edges close into regions",
        "Lines end where the contrast fades, as at the rim of the saucer. The level of a "
        "contour is the part of it that Canny drew; the rest bridges gaps.",
        [
            ("a photograph", photo),
            ("Canny's edges, with gaps", thick(edges)),
            (f"the watershed closes all: {basins.max()} basins", plot.overlay(photo, basins)),
            ("the contour map: pale parts bridge gaps", contour_picture(tree, basins)),
        ],
    )


def three_levels():
    """Cut the tree at three levels, then do the same with colors and sizes."""
    photo, edges = photograph()
    basins, drawn = closed(edges)
    tree = segkit.merge_tree(segkit.region_graph(basins, strength=drawn), criterion="strength")
    panels = []
    for level in LEVELS:
        labels = tree.labels(basins, level=level)
        title = f"drawn to at least {level:.0%}: {labels.max()} regions"
        panels.append((title, plot.overlay(photo, labels, alpha=0.35)))
    labels = segkit.segment(
        photo, "closed_contours", sigma=2, contrast=4.5, threshold=1.5, channel_axis=-1
    )
    title = f'segment(photo, "closed_contours"): {labels.max()}'
    panels.append((title, plot.overlay(photo, labels, alpha=0.35)))
    return (
        "The regions at three levels",
        "The higher the level, the fewer borders that bridge gaps are left. The pipeline counts, "
        "beside the drawn part, how unlike the colors and how large the regions are.",
        panels,
    )


def any_map():
    """Close other maps of contours."""
    photo, _ = photograph()
    panels = []
    maps = {
        "gradient": segkit.gradient(photo, sigma=2, channel_axis=-1),
        "boundary_strength": segkit.boundary_strength(photo, channel_axis=-1),
    }
    for name, relief in maps.items():
        basins = segkit.watershed(relief)
        graph = segkit.region_graph(basins, photo, strength=relief, channel_axis=-1)
        tree = segkit.merge_tree(graph, criterion="color_strength")
        labels = tree.labels(basins, n_regions=25)
        shown = plot.stretch(-np.minimum(relief, np.quantile(relief, 0.99)))
        panels += [(name, shown), ("its regions: 25", plot.overlay(photo, labels, alpha=0.35))]
    return (
        "Any map of contours closes",
        "A map with values is flooded as it is, and weighs the contours itself: "
        "watershed(strength), region_graph(..., strength=strength), merge_tree.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "closing_contours")
    sheet.save(sheet.draw_sheet([idea(), canny_closed(), three_levels(), any_map()]), path)


if __name__ == "__main__":
    main()
