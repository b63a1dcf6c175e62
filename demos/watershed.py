"""The watershed: an image as a landscape that is flooded.

Run ``python demos/watershed.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage import data

import segkit
from segkit import plot


def landscape():
    """Return a small relief with four valleys."""
    rows, columns = np.mgrid[0:90, 0:110].astype(float)
    relief = 190.0 + 0 * rows
    for row, column, depth, width in (
        (28, 26, 150, 13),
        (60, 44, 120, 12),
        (30, 72, 165, 16),
        (66, 88, 105, 11),
    ):
        relief -= depth * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * width**2))
    return relief


def surface(relief, labels, level):
    """Return a function that draws the landscape, with water up to `level`."""

    def draw(axes):
        part, place = axes.get_figure(), axes.get_position()
        axes.set_axis_off()
        ground = part.add_axes(place.bounds, projection="3d", computed_zorder=False)
        ground.patch.set_alpha(0)
        rows, columns = np.indices(relief.shape)
        height = gaussian_filter(relief.astype(float), 1)
        steep = np.gradient(height)
        light = np.clip(0.72 + 0.035 * steep[1] - 0.02 * steep[0], 0.25, 1)
        colors = light[..., None] * np.array([0.93, 0.90, 0.84])
        if labels is not None:
            water = labels > 0
            height[water] = np.maximum(height[water], level)
            shade = np.ones_like(light) if level else light
            colors[water] = plot.colors(labels)[water] / 255.0 * shade[water, None]
        ground.plot_surface(
            columns, rows, height, facecolors=colors, rstride=1, cstride=1,
            linewidth=0, antialiased=False, shade=False,
        )  # fmt: skip
        ground.view_init(elev=50, azim=-62)
        ground.set_box_aspect((110, 90, 42), zoom=1.3)
        ground.set_zlim(0, 200)
        ground.set_axis_off()

    return draw


def stages_as_surface():
    """Raise the water step by step."""
    relief = landscape()
    panels = [("the relief", surface(relief, None, 0))]
    for level in (85, 125):
        labels = segkit.watershed(relief, max_level=level)
        panels.append((f"max_level={level}", surface(relief, labels, level)))
    panels.append(("all flooded, the water gone", surface(relief, segkit.watershed(relief), 0)))
    return (
        "The idea",
        "Grey levels are heights. Water rises from each valley (each regional minimum); where two "
        "waters meet, a watershed stands.",
        panels,
    )


def coins():
    """Return a photograph of coins, and the height of its edges."""
    image = data.coins()
    return image, segkit.gradient(image, sigma=2.0)


def stages_on_coins():
    """Flood the gradient of a photograph from its deep minima."""
    image, relief = coins()
    sources = segkit.local_minima(relief, depth=6)
    panels = []
    for level in (2, 6, 14, None):
        labels = segkit.watershed(relief, sources, max_level=level)
        title = f"water up to {level}" if level is not None else "all is flooded"
        panels.append((title, plot.overlay(image, labels, alpha=0.5)))
    return (
        "Stages of flooding",
        "The relief is the gradient: plains inside things, walls at their edges. "
        "max_level stops the water.",
        panels,
    )


def over_segmentation():
    """Show what all minima give, and the two cures."""
    image, relief = coins()
    everything = segkit.watershed(relief)
    deep = segkit.watershed(relief, depth=6)
    markers = np.zeros(image.shape, dtype=np.int32)
    markers[image < 30] = 1
    markers[image > 150] = 2
    bright = segkit.watershed(segkit.gradient(image, sigma=1.0), markers) == 2
    marked = segkit.remove_small(segkit.connected_components(bright), 50)
    gradient = np.clip(relief * 8, 0, 255).astype(np.uint8)
    return (
        "Over-segmentation, and its cures",
        "Noise makes minima, and each minimum makes a region. Keep the deep ones only, "
        "or say with markers what is wanted: here darkest is ground, brightest is coin.",
        [
            ("the gradient", gradient),
            (f"all minima: {everything.max()} regions", plot.overlay(image, everything)),
            (f"depth=6: {deep.max()} regions", plot.overlay(image, deep)),
            (f"two markers: {marked.max()} coins", plot.overlay(image, marked, alpha=0.5)),
        ],
    )


def touching():
    """Tell apart two discs that touch."""
    rows, columns = np.indices((120, 160))
    discs = (np.hypot(rows - 60, columns - 55) < 36) | (np.hypot(rows - 62, columns - 112) < 30)
    image = np.where(discs, np.uint8(210), np.uint8(40))
    distance = distance_transform_edt(discs)
    joined = segkit.connected_components(discs)
    labels = segkit.watershed(-distance, depth=2, mask=discs, lines="thin")
    shown = (255 * distance / distance.max()).astype(np.uint8)
    return (
        "Two touching regions told apart",
        "Connected components see one thing. In the distance to the ground, turned upside down, "
        "each disc is a valley, and the watershed runs through the neck.",
        [
            ("two discs that touch", image),
            (f"components: {joined.max()}", plot.overlay(image, joined, alpha=0.6)),
            ("distance to the ground", shown),
            (f"watershed: {labels.max()}", plot.overlay(image, labels, alpha=0.6)),
        ],
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "watershed")
    rows = [stages_as_surface(), stages_on_coins(), over_segmentation(), touching()]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
