"""A network and classical methods on one street: what is where, and where it ends.

Run ``python demos/cnn_vs_classical.py``; the picture goes to demos/out/.  With
``--data FOLDER`` it takes a photograph of CamVid in place of the drawing.
"""

import numpy as np
import sheet
import street

import segkit
from segkit import metrics, plot
from segkit._class_contenders import espnet_regions


def tinted(image, classes):
    """Return the image with its classes as colors."""
    return plot.overlay(image, classes, alpha=0.6)


def score(truth, classes):
    """Return how right it is, in words."""
    accuracy, iou = metrics.pixel_accuracy(truth, classes), metrics.mean_iou(truth, classes)
    return f"{100 * accuracy:.0f} %, IoU {100 * iou:.0f} %"


def voted(regions, truth):
    """Return for each region the class that most of its pixels have in the truth."""
    n = int(truth.max()) + 1
    votes = np.bincount((regions.astype(np.int64) * n + truth).ravel(), minlength=n)
    votes = np.pad(votes, (0, -len(votes) % n)).reshape(-1, n)
    votes[:, 0] = 0  # void
    return votes.argmax(axis=1)[regions]


def by_example(image, truth):
    """Return the classes that nearest neighbors give, from one pixel in fifty."""
    known = np.random.default_rng(0).random(truth.shape) < 0.02
    neighbors = segkit.KNNSegmenter(9, features=("lab", "smooth", "position"), channel_axis=-1)
    return neighbors.fit(image, np.where(known, truth, 0)).predict(image)


def legend(names):
    """Return a function that draws the names of the classes in their colors."""

    def draw(axes):
        axes.set_axis_off()
        shades = plot.colors(np.arange(max(names) + 1)) / 255
        for k, (number, name) in enumerate(names.items()):
            where = 0.03 + 0.5 * (k % 2), 0.93 - 0.17 * (k // 2)
            axes.text(
                where[0],
                where[1],
                "  ",
                size=12,
                va="center",
                bbox={"facecolor": shades[number], "edgecolor": "none", "pad": 2.5},
            )
            axes.text(where[0] + 0.09, where[1], name, size=10.5, va="center")

    draw.shape = street.SHAPE
    return draw


def main():
    path, image, truth = street.out_path_and_scene(__doc__.splitlines()[0], "cnn_vs_classical")
    network = segkit.CNNSegmenter.pretrained("espnet-camvid")
    classes, proba = network.predict(image), network.predict_proba(image)
    field = segkit.regularize(proba, beta=2, image=image, sigma=16, channel_axis=-1)
    by_regions = espnet_regions(image, scale=30, channel_axis=-1)
    fine = segkit.felzenszwalb(image, scale=30, sigma=0.5, channel_axis=-1)
    merged = segkit.segment(image, "merged_watershed", channel_axis=-1)
    best = voted(merged, truth)
    known = by_example(image, truth)
    rows = [
        (
            'A network knows what is where: CNNSegmenter.pretrained("espnet-camvid")',
            "ESPNet has seen 367 photographs of streets, and needs no stroke and no parameter. A "
            "random field smooths its probabilities along edges. Figures: right pixels, mean IoU.",
            [
                ("the image", image),
                ("the truth", tinted(image, truth)),
                (f"network: {score(truth, classes)}", tinted(image, classes)),
                (f"+ random field: {score(truth, field)}", tinted(image, field)),
                ("the classes of CamVid", legend(network.classes)),
            ],
        ),
        (
            "Classical methods know where things end",
            "A merge gives regions without names; each can take the class that the network "
            "sees in most of it. Nearest neighbors learn from examples in this very image.",
            [
                (f"merged_watershed: {merged.max()} regions", plot.overlay(image, merged)),
                (f"with true names: {score(truth, best)}", tinted(image, best)),
                (f"felzenszwalb: {fine.max()} regions", plot.overlay(image, fine, alpha=0.6)),
                (f"network's names: {score(truth, by_regions)}", tinted(image, by_regions)),
                (f"kNN, 2 % known: {score(truth, known)}", tinted(image, known)),
            ],
        ),
    ]
    sheet.save(sheet.draw_sheet(rows, columns=5, width=16), path)


if __name__ == "__main__":
    main()
