"""The Hilbert scan: an image of any sides as one path, and what it is good for.

Run ``python demos/hilbert.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet
from scipy.ndimage import gaussian_filter

import segkit
from segkit import plot


def rainbow(n):
    """Return n colors from the first pixel of a path to the last."""
    from matplotlib import colormaps

    return colormaps["turbo"](np.linspace(0.02, 0.98, n))


def curve(path, shape):
    """Return a function that draws a path through the centers of the pixels."""

    def draw(axes):
        from matplotlib.collections import LineCollection

        rows, columns = np.unravel_index(path, shape)
        points = np.stack([columns, rows], axis=1)
        lines = np.stack([points[:-1], points[1:]], axis=1)
        width = min(4.0, 90 / max(shape))
        axes.add_collection(
            LineCollection(lines, colors=rainbow(len(lines)), linewidths=width, capstyle="round")
        )
        axes.scatter(*points[[0, -1]].T, s=14 * width, c=["black", "white"], edgecolors="black",
                     linewidths=1, zorder=3)  # fmt: skip
        axes.set(xlim=(-0.8, shape[1] - 0.2), ylim=(shape[0] - 0.2, -0.8), aspect="equal")
        axes.set_axis_off()

    return draw


def curve_in_space(shape):
    """Return a function that draws the scan of a volume."""

    def draw(axes):
        from mpl_toolkits.mplot3d.art3d import Line3DCollection

        part, place = axes.get_figure(), axes.get_position()
        axes.set_axis_off()
        space = part.add_axes(place.bounds, projection="3d")
        space.patch.set_alpha(0)
        points = np.stack(np.unravel_index(segkit.hilbert_scan(shape), shape), axis=1)[:, ::-1]
        lines = np.stack([points[:-1], points[1:]], axis=1)
        space.add_collection3d(
            Line3DCollection(lines, colors=rainbow(len(lines)), linewidths=16 / max(shape))
        )
        limits = [(-0.5, side - 0.5) for side in shape[::-1]]
        space.set(xlim=limits[0], ylim=limits[1], zlim=limits[2])
        space.set_box_aspect(shape[::-1], zoom=1.15)
        space.view_init(elev=24, azim=-58)
        space.set_axis_off()

    return draw


def any_sides():
    """Show the curve on images of several sides."""
    panels = [
        (f"{rows} x {columns}", curve(segkit.hilbert_scan((rows, columns)), (rows, columns)))
        for rows, columns in ((16, 16), (15, 18), (13, 13), (9, 22))
    ]
    return (
        "One path through all pixels",
        "From the black pixel to the white one, each step to a neighbor: Hilbert's curve on the "
        "square, uneven cuts of the same kind where a side is odd.",
        panels,
    )


def in_space():
    """Show the curve in volumes."""
    shapes = ((4, 4, 4), (8, 8, 8), (5, 6, 7), (6, 10, 14))
    return (
        "The same in three dimensions",
        "Boxes are cut into boxes that are entered and left at neighboring corners.",
        [(" x ".join(map(str, shape)), curve_in_space(shape)) for shape in shapes],
    )


def snake(shape):
    """Return row by row, every other row backwards."""
    index = np.arange(shape[0] * shape[1]).reshape(shape)
    index[1::2] = index[1::2, ::-1]
    return index.ravel()


def together():
    """Show which pixels the parts of a path hold, by Hilbert scan and by rows."""
    shape, parts = (90, 120), 12

    def twelfths(path, shape=shape):
        part = np.empty(path.size, dtype=np.intp)
        part[path] = np.arange(path.size) * parts // path.size
        return (255 * rainbow(parts)[:, :3]).astype(np.uint8)[part.reshape(shape)]

    def distances(axes):
        lengths = np.unique(np.geomspace(1, 2000, 40).astype(int))
        for name, path, color in (
            ("row by row", snake(shape), "#c0504d"),
            ("Hilbert scan", segkit.hilbert_scan(shape), "#1f6fb5"),
        ):
            places = np.stack(np.unravel_index(path, shape), axis=1)
            far = [np.sqrt(((places[n:] - places[:-n]) ** 2).sum(axis=1).mean()) for n in lengths]
            axes.loglog(lengths, far, color=color, label=name, linewidth=2)
        axes.set_xlabel("steps apart on the path")
        axes.text(0.03, 0.95, "pixels apart", transform=axes.transAxes, va="top", fontsize=9)
        axes.legend(frameon=False, loc="lower right", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        box = axes.get_position()
        axes.set_position([box.x0 + 0.03, box.y0 + 0.1, box.width - 0.03, box.height - 0.1])

    volume = twelfths(segkit.hilbert_scan((60, *shape)), (60, *shape))
    return (
        "What is near on the path is near in the image",
        "Each color is a twelfth of the path. Stretches of a Hilbert scan are compact, stretches "
        "of rows are stripes.",
        [
            ("Hilbert scan, 90 x 120", twelfths(segkit.hilbert_scan(shape))),
            ("row by row", twelfths(snake(shape))),
            ("Hilbert scan, a plane of 60 x 90 x 120", volume[30]),
            ("how far apart, on average", distances),
        ],
    )


def chain():
    """Segment a noisy image by a hidden Markov chain along the scan."""
    rng = np.random.default_rng(3)
    smooth = gaussian_filter(rng.normal(size=(192, 192)), 9)
    truth = 1 + np.digitize(smooth, np.quantile(smooth, [0.35, 0.75]))
    noisy = (60.0 * truth + rng.normal(0, 45, truth.shape)).clip(0, 255).astype(np.uint8)

    def shown(name, labels):
        errors = (labels != truth).mean()
        return (f"{name}: {errors:.1%} wrong", plot.colors(np.arange(4))[labels])

    mixture = segkit.GaussianMixtureSegmenter(3, rng=0)
    rows = segkit.HiddenMarkovChainSegmenter(3, scan="snake")
    hilbert = segkit.HiddenMarkovChainSegmenter(3)
    return (
        "A hidden Markov chain along the scan",
        "Three classes under strong noise. Pixels on their own can only be as good as the noise "
        "allows; a chain knows how seldom classes change.",
        [
            ("three classes and noise", noisy),
            shown("mixture", mixture.fit_predict(noisy)),
            shown("chain by rows", rows.fit_predict(noisy)),
            shown("chain by Hilbert scan", hilbert.fit_predict(noisy)),
        ],
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "hilbert")
    sheet.save(sheet.draw_sheet([any_sides(), in_space(), together(), chain()]), path)


if __name__ == "__main__":
    main()
