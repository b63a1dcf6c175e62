"""k-means: pixels sorted into classes by what they look like.

Run ``python demos/kmeans.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet
from skimage import data

import segkit

INK = "#333333"


def photograph():
    """Return the head and shoulders of a cat."""
    return np.ascontiguousarray(data.chelsea()[:280, 60:440])


def painted(image, labels):
    """Return the image with each class in its mean color."""
    return segkit.mean_image(labels, image, channel_axis=-1).round().astype(np.uint8)


def colors_in_space():
    """Draw the colors of the photograph as points, and what k-means makes of them."""
    image = photograph()
    lab = segkit.pixel_features(image, ["lab"], channel_axis=-1).reshape(-1, 3)
    found = segkit.KMeansSegmenter(5, features=["lab"], channel_axis=-1)
    labels = found.fit_predict(image)
    some = np.random.default_rng(0).permutation(len(lab))[:4000]
    own = image.reshape(-1, 3)[some] / 255
    means = painted(image, labels).reshape(-1, 3)[some] / 255

    def cloud(shades, centers):
        def draw(axes):
            axes.scatter(lab[some, 2], lab[some, 0], s=4, c=shades, linewidths=0)
            if centers is not None:
                axes.scatter(
                    centers[:, 2], centers[:, 0], s=90, c="white", edgecolors=INK, linewidths=1.5
                )
            axes.text(0.98, 0.03, "yellow", transform=axes.transAxes, ha="right", color=INK)
            axes.text(0.02, 0.03, "blue", transform=axes.transAxes, color=INK)
            axes.text(0.98, 0.92, "light", transform=axes.transAxes, ha="right", color=INK)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_facecolor("#f4f2ee")
            axes.spines[:].set_visible(False)

        draw.shape = image.shape
        return draw

    return (
        "The idea",
        "Each pixel is a point in the space of colors. Five centers are sought so that all points "
        "are near to one of them; each pixel belongs to the nearest.",
        [
            ("the photograph", image),
            ("its colors, seen from the side", cloud(own, None)),
            ("the classes, and their centers", cloud(means, found.centers_)),
            ("back in the picture", painted(image, labels)),
        ],
    )


def rounds():
    """Stop the iteration after some rounds."""
    image = photograph()
    start = np.array([[20.0, 5, 5], [24, 5, 5], [28, 5, 5], [32, 5, 5], [36, 5, 5]])
    panels = []
    for n in (1, 3, 8, 100):
        found = segkit.KMeansSegmenter(5, features=["lab"], init=start, max_iter=n, channel_axis=-1)
        labels = found.fit_predict(image)
        per_pixel = found.inertia_ / labels.size
        name = f"after {found.n_iter_}" if n < 100 else f"done after {found.n_iter_}"
        panels.append((f"{name}: {per_pixel:.0f} from a center", painted(image, labels)))
    return (
        "Rounds",
        "From a bad start (five dark browns): pixels to the nearest center, centers to the mean of "
        "their pixels, again and again. The mean squared distance never rises.",
        panels,
    )


def numbers():
    """Show two, four, eight and sixteen classes."""
    image = photograph()
    panels = []
    for k in (2, 4, 8, 16):
        found = segkit.KMeansSegmenter(k, features=["lab"], channel_axis=-1)
        panels.append((f"n_classes={k}", painted(image, found.fit_predict(image))))
    return (
        "How many",
        "The one thing that k-means has to be told. Classes come out about equally wide, "
        "whether the picture has such or not.",
        panels,
    )


def features():
    """Show what color, place and texture see."""
    photo = data.coffee()[:, 60:]
    image = np.ascontiguousarray(photo[::2, ::2])
    panels = [("the photograph", image)]
    for title, names, sigmas in (
        ("lab", ["lab"], [1.0]),
        ("lab, position: neighbors together", ["lab", "position"], [1.0]),
        ("smooth, local_std: the surroundings", ["smooth", "local_std"], [6.0]),
    ):
        found = segkit.KMeansSegmenter(5, features=names, sigmas=sigmas, channel_axis=-1)
        panels.append((title, painted(image, found.fit_predict(image))))
    return (
        "Features",
        "Pixels are near each other in what they are described by: color alone, color and place, "
        "or their surroundings.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "kmeans")
    rows = [colors_in_space(), rounds(), numbers(), features()]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
