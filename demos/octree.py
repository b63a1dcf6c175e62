"""The octree: a volume cut into cubes until each is homogeneous.

Run ``python demos/octree.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet
from scipy.ndimage import gaussian_filter

import segkit
from segkit import datasets, plot

SHAPE = (48, 96, 96)


def volume():
    """Return a noisy volume of balls, smoothed."""
    image, _ = datasets.blobs(SHAPE, n_blobs=12, rng=5)
    return gaussian_filter(image, 1.0)


def cubes(tree, bright):
    """Return a function that draws the blocks whose mean is above `bright`, in space."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    def faces(corner, extent):
        low, high = corner, corner + extent
        for axis in range(3):
            for end in (low[axis], high[axis]):
                square = []
                for j, k in ((0, 0), (0, 1), (1, 1), (1, 0)):
                    point = np.array(low)
                    point[axis] = end
                    others = [other for other in range(3) if other != axis]
                    point[others[0]] += j * extent[others[0]]
                    point[others[1]] += k * extent[others[1]]
                    square.append(point[[2, 1, 0]])
                yield square

    def draw(axes):
        part, place = axes.get_figure(), axes.get_position()
        axes.set_axis_off()
        space = part.add_axes(place.bounds, projection="3d")
        space.patch.set_alpha(0)
        chosen = np.flatnonzero(tree.mean[:, 0] > bright)
        squares, shades = [], []
        for leaf in chosen:
            squares += list(faces(tree.corner[leaf], tree.extent[leaf]))
            color = plot.colors([tree.depth[leaf] + 1])[0] / 255
            shades += [color * light for light in (0.9, 1.0, 0.75, 0.85, 0.65, 0.8)]
        boxes = Poly3DCollection(squares, facecolors=np.clip(shades, 0, 1), edgecolors="#00000030")
        boxes.set_linewidth(0.3)
        boxes.set_clip_on(False)
        space.add_collection3d(boxes)
        space.set(xlim=(0, SHAPE[2]), ylim=(0, SHAPE[1]), zlim=(0, SHAPE[0]))
        space.set_box_aspect((SHAPE[2], SHAPE[1], SHAPE[0]), zoom=1.4)
        space.view_init(elev=28, azim=-58)
        space.set_axis_off()

    return draw


def rounds():
    """Show the rounds of splitting in space."""
    tree = segkit.quadtree(volume(), threshold=40, min_size=2)
    panels = []
    for depth in (3, 4, 5, 6):
        cut = tree.level(depth)
        panels.append((f"split {depth}: {cut.n_leaves} blocks", cubes(cut, 55)))
    return (
        "Rounds of splitting in three dimensions",
        "A cube is cut into eight while its range exceeds 40. Drawn are the blocks with a mean "
        "above 55, colored by depth.",
        panels,
    )


def planes():
    """Show a plane of the volume, and what merging makes of the blocks."""
    image = volume()
    tree = segkit.quadtree(image, threshold=40, min_size=2)
    labels = segkit.split_and_merge(
        image, split_threshold=40, merge_criterion="ward", n_regions=15, min_size=2
    )
    plane = SHAPE[0] // 2
    picture = plot.overlay(image, labels, alpha=0.5, boundaries="none")[plane]
    blocks = plot.overlay(image, tree.labels(), alpha=0.5, boundaries="none")[plane]
    return (
        "A plane of it",
        "The same call for any number of dimensions; split_and_merge then joins the blocks of a "
        "ball, and those around it.",
        [
            ("the middle plane", image[plane]),
            ("the blocks that it cuts", sheet.reduced(plot.quadtree(image, tree))),
            ("each block is a region", blocks),
            (f"merged: {labels.max()} regions", picture),
        ],
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "octree")
    sheet.save(sheet.draw_sheet([rounds(), planes()]), path)


if __name__ == "__main__":
    main()
