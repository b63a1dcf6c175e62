"""Split and merge: cut an image into blocks until each is homogeneous, then join blocks.

Run ``python demos/split_and_merge.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet

import segkit
from segkit import datasets, plot

TEXTBOOK = np.array(
    [
        [0, 1, 0, 0, 7, 7, 7, 7],
        [1, 0, 2, 2, 7, 7, 7, 7],
        [0, 2, 2, 2, 7, 7, 7, 7],
        [4, 4, 2, 2, 7, 7, 7, 7],
        [0, 0, 1, 1, 3, 3, 7, 7],
        [1, 1, 2, 2, 3, 7, 7, 7],
        [2, 4, 3, 0, 5, 7, 7, 7],
        [2, 3, 3, 5, 5, 0, 7, 7],
    ],
    dtype=np.uint8,
)
THRESHOLD = 2
SCALE = 60


def numbered(picture):
    """Return a function that draws a picture of the example with its grey levels written in."""

    def draw(axes):
        axes.imshow(picture, interpolation="nearest")
        for (row, col), level in np.ndenumerate(TEXTBOOK):
            axes.text(
                (col + 0.5) * SCALE, (row + 0.5) * SCALE, str(level), size=11,
                ha="center", va="center", color="black" if level > 3 else "white",
            )  # fmt: skip
        axes.set_axis_off()

    draw.shape = picture.shape
    return draw


def textbook_image():
    """Return the example's levels as greys."""
    return (50 + TEXTBOOK * 25).astype(np.uint8)


def textbook_split():
    """Split the textbook's example round by round."""
    tree = segkit.quadtree(TEXTBOOK, threshold=THRESHOLD)
    panels = []
    for depth in range(4):
        cut = tree.level(depth)
        blocks = "1 block" if cut.n_leaves == 1 else f"{cut.n_leaves} blocks"
        picture = plot.quadtree(textbook_image(), cut, scale=SCALE, alpha=1)
        title = f"split {depth}: {blocks}" if depth else f"the image: {blocks}"
        panels.append((title, numbered(thick(picture))))
    return (
        "Split",
        f"A block whose largest and least level differ by more than {THRESHOLD} is cut into four. "
        "tree.level(k) is the state after k rounds.",
        panels,
    )


def thick(picture):
    """Return a picture with its one-pixel lines made three wide."""
    line = (picture == (255, 205, 40)).all(axis=-1)
    wide = line.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            wide |= np.roll(line, step, axis=axis)
    return np.where(wide[..., np.newaxis], np.uint8((255, 205, 40)), picture)


def textbook_merge():
    """Merge the blocks of the example."""
    tree = segkit.quadtree(TEXTBOOK, threshold=THRESHOLD)
    blocks = tree.labels()
    parts = tree.graph(TEXTBOOK)
    graph = plot.graph(textbook_image(), parts, weights=parts.weights("range"), scale=SCALE)
    panels = [("who touches whom: cheap pairs bright", sheet.reduced(graph))]
    tree = segkit.merge_tree(parts, criterion="range")
    for level in (0, 1, THRESHOLD):
        labels = tree.labels(blocks, level=level)
        large = np.kron(labels, np.ones((SCALE, SCALE), labels.dtype))
        grey = np.kron(textbook_image(), np.ones((SCALE, SCALE), np.uint8))
        picture = plot.overlay(grey, large, alpha=0.6)
        panels.append((f"range <= {level}: {labels.max()} regions", numbered(picture)))
    return (
        "Merge",
        "Each block is a node of a graph. The pair of neighbors that is most homogeneous together "
        "becomes one region, again and again, up to the same threshold.",
        panels,
    )


def photograph():
    """Return a part of a photograph."""
    return datasets.samples()["coffee"][:400, 100:500]


def photograph_split():
    """Split a photograph."""
    image = photograph()
    tree = segkit.quadtree(image, threshold=14, criterion="std", min_size=4, channel_axis=-1)
    panels = []
    for depth in (3, 5, 6):
        cut = tree.level(depth)
        title = f"split {depth}: {cut.n_leaves} blocks"
        panels.append((title, sheet.reduced(plot.quadtree(image, cut, scale=1))))
    picture = sheet.reduced(plot.quadtree(image, tree, scale=1))
    panels.append((f"all: {tree.n_leaves} blocks", picture))
    return (
        "The same on a photograph",
        "Here a block is homogeneous if the standard deviation of its colors is at most 14, and no "
        "block is smaller than 4 x 4.",
        panels,
    )


def photograph_merge():
    """Merge the blocks of the photograph."""
    image = photograph()
    tree = segkit.quadtree(image, threshold=14, criterion="std", min_size=16, channel_axis=-1)
    parts = tree.graph(image, channel_axis=-1)
    graph = plot.graph(image, parts, weights=parts.weights("mean"))
    panels = [(f"the region graph of {tree.n_leaves} larger blocks", sheet.reduced(graph))]
    for n in (60, 12):
        labels = segkit.split_and_merge(
            image, split_threshold=14, split_criterion="std", merge_criterion="ward",
            n_regions=n, min_size=4, channel_axis=-1,
        )  # fmt: skip
        panels.append((f"merged to {n} regions", plot.overlay(image, labels, alpha=0.45)))
    means = segkit.mean_image(labels, image, channel_axis=-1)
    panels.append((f"the means of {n} regions", np.round(means).astype(np.uint8)))
    return (
        "Merge by color",
        'split_and_merge does both steps. merge_criterion="ward" joins the two regions that '
        "together differ least from their common mean.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "split_and_merge")
    rows = [textbook_split(), textbook_merge(), photograph_split(), photograph_merge()]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
