"""What is homogeneous, what is alike, and where splitting and merging go wrong.

Run ``python demos/split_criteria.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet

import segkit
from segkit import datasets, plot

BLOCKS = 1000


def middle_range(pixels):
    """Return the range without the darkest and the lightest tenth."""
    low, high = np.quantile(pixels, (0.1, 0.9))
    return high - low


def with_about(image, n, low, high, **choices):
    """Return the tree of about n blocks, and its threshold."""
    for _ in range(12):
        middle = (low + high) / 2
        tree = segkit.quadtree(image, threshold=middle, **choices)
        low, high = (middle, high) if tree.n_leaves > n else (low, middle)
    return tree, middle


def split_criteria():
    """Split one image by four criteria into about as many blocks."""
    image = datasets.samples()["camera"]
    panels = []
    for criterion, high in (("range", 255), ("std", 127), ("entropy", 8), (middle_range, 255)):
        tree, threshold = with_about(image, BLOCKS, 0, high, criterion=criterion, min_size=4)
        name = f'"{criterion}"' if isinstance(criterion, str) else "a function: middle 80 %"
        picture = sheet.reduced(plot.quadtree(image, tree, scale=1))
        panels.append((f"{name}, threshold {threshold:.1f}", picture))
    return (
        "What is homogeneous?",
        f"About {BLOCKS} blocks by each. The range obeys single pixels, the deviation their "
        "number, the entropy texture of any contrast; a function is what you make it.",
        panels,
    )


def merge_criteria():
    """Merge the same blocks by four criteria."""
    image = datasets.samples()["coffee"][::2, ::2]
    blocks = segkit.quadtree(
        image, threshold=8, criterion="std", min_size=2, channel_axis=-1
    ).labels()
    graph = segkit.region_graph(blocks, image, channel_axis=-1)
    panels = []
    for criterion in ("mean", "range", "student", "baatz_schape"):
        tree = segkit.merge_tree(graph, criterion=criterion, shape_weight=0.3)
        labels = tree.labels(blocks, n_regions=20)
        panels.append((f'"{criterion}"', plot.overlay(image, labels, alpha=0.4)))
    return (
        f"What is alike? {graph.n_regions} blocks merged to 20 regions",
        "The mean and the range keep what is extreme, however small; Student's ratio, what is "
        "more than chance; Baatz and Schäpe's, large round things.",
        panels,
    )


def shaded(row=64, col=50):
    """Return a disc on a ground that gets lighter to the right, until it is as light."""
    rows, cols = np.indices((128, 128))
    image = 40 + 150 * cols / 127.0
    image[np.hypot(rows - row, cols - col) < 30] = 190
    image += np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def limits():
    """Show what goes wrong."""
    image = shaded()
    spoilt = image.copy()
    places = np.random.default_rng(1).integers(0, 128, (2, 60))
    spoilt[tuple(places)] = 0
    cases = {"quiet": image, "60 bad pixels": spoilt, "moved a little": shaded(70, 55)}
    panels = []
    for title, picture in cases.items():
        tree = segkit.quadtree(picture, threshold=24)
        title = f"{title}: {tree.n_leaves} blocks"
        panels.append((title, sheet.reduced(plot.quadtree(picture, tree, scale=3))))
    labels = segkit.split_and_merge(image, split_threshold=24, n_regions=6)
    panels.append(("the shading cut into bands", plot.overlay(image, labels, alpha=0.4)))
    return (
        "Limits",
        "One bad pixel splits every block around it; blocks lie on a grid that does not move with "
        "the image; soft shading is cut where it happens to reach the threshold.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "split_criteria")
    sheet.save(sheet.draw_sheet([split_criteria(), merge_criteria(), limits()]), path)


if __name__ == "__main__":
    main()
