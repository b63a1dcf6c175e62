"""A sheet that shows merging: the graph, the tree, its cuts, the contour map, three criteria.

Run ``python demos/merge_tree.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet

import segkit
from segkit import datasets, plot

CUTS = (60, 15, 5)


def start(photo):
    """Return a few hundred basins of a photograph's gradient, and the gradient."""
    relief = segkit.gradient(photo, sigma=1.5, channel_axis=-1)
    return segkit.watershed(relief, depth=4), relief


def contours(tree, labels):
    """Return the contour map as a picture: the later a contour vanishes, the darker it is."""
    cracks = tree.contour_map(labels)
    # In which of all merges it vanishes tells more than at which level.
    rank = np.searchsorted(tree.level[tree.n_regions :].astype(np.float32), cracks)
    darkness = np.where(cracks > 0, (rank + 1) / tree.n_regions, 0) ** 6
    padded = np.pad(darkness, 1)
    height, width = darkness.shape
    around = [padded[r : r + height, c : c + width] for r in range(3) for c in range(3)]
    return np.round(255 * (1 - np.max(around, axis=0)[::2, ::2])).astype(np.uint8)


def first_row(photo, labels, graph, tree):
    def dendrogram(axes):
        plot.tree(tree, n_regions=CUTS[1], scale="log", axes=axes)
        axes.set_yticks([], minor=False)
        axes.set_yticks([], minor=True)
        axes.set_ylabel("")

    drawn = plot.graph(photo, graph, weights=graph.weights("ward"))
    return (
        "From many regions to one",
        "The basins of a gradient are nodes, neighbors share an edge; merging the cheapest "
        "pair again and again gives a tree.",
        [
            (f"basins: {graph.n_regions}", plot.overlay(photo, labels)),
            ("the region graph: cheap edges bright", drawn),
            (f"the merge tree, cut into {CUTS[1]}", dendrogram),
            ("the contour map: dark lines last long", contours(tree, labels)),
        ],
    )


def second_row(photo, labels, tree):
    pictures = []
    for n in CUTS:
        cut = tree.labels(labels, n_regions=n)
        pictures.append((f"n_regions={n}", plot.overlay(photo, cut, alpha=0.35)))
    cut = tree.labels(labels, n_regions=CUTS[1])
    means = segkit.mean_image(cut, photo, channel_axis=-1).astype(np.uint8)
    pictures.append((f"means of {CUTS[1]} regions", means))
    return (
        "One tree, all partitions",
        'Each cut refines those above it.  (criterion="ward")',
        pictures,
    )


def third_row(photo, labels, relief):
    graph = segkit.region_graph(labels, photo, strength=relief, channel_axis=-1)
    pictures = []
    for criterion in ("mean", "ward", "strength", "color_strength"):
        tree = segkit.merge_tree(graph, criterion=criterion)
        cut = tree.labels(labels, n_regions=CUTS[1])
        pictures.append((f'"{criterion}"', plot.overlay(photo, cut, alpha=0.35)))
    return (
        f"What is similar? {CUTS[1]} regions by four criteria",
        "Means alone and strength alone spend regions on specks; Ward's favors large, even ones; "
        "both together keep the objects.",
        pictures,
    )


def fourth_row(relief, labels_of):
    pictures = []
    for attribute in ("depth", "area", "volume"):
        labels, tree = labels_of(attribute)
        cut = tree.labels(labels, n_regions=40)
        pictures.append((f'attribute="{attribute}"', plot.overlay(relief, cut, alpha=0.45)))
    return (
        "The hierarchical watershed of the gradient, 40 regions",
        "watershed_tree merges the basins of all minima by how deep, large or full a lake was "
        "when it ran over.",
        [("the gradient", plot.stretch(relief)), *pictures],
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "merge_tree")
    photo = datasets.samples()["coffee"][::2, ::2]
    labels, relief = start(photo)
    graph = segkit.region_graph(labels, photo, strength=relief, channel_axis=-1)
    tree = segkit.merge_tree(graph, criterion="ward")
    rows = [
        first_row(photo, labels, graph, tree),
        second_row(photo, labels, tree),
        third_row(photo, labels, relief),
        fourth_row(relief, lambda attribute: segkit.watershed_tree(relief, attribute=attribute)),
    ]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
