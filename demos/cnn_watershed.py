"""A watershed on a network's probabilities: it decides where the network hesitates.

Run ``python demos/cnn_watershed.py``; the picture goes to demos/out/.  With
``--data FOLDER`` it takes a photograph of CamVid in place of the drawing.
"""

import numpy as np
import sheet
import street

import segkit
from segkit import metrics, plot

SURE = 0.8  # probability from which a pixel is a source


def shade(values, top):
    """Return values from 0 to `top` as grey levels."""
    return np.clip(np.round(255 * values / top), 0, 255).astype(np.uint8)


def score(truth, classes):
    """Return how right it is, in words."""
    accuracy, iou = metrics.pixel_accuracy(truth, classes), metrics.mean_iou(truth, classes)
    return f"{100 * accuracy:.1f} %, IoU {100 * iou:.1f} %"


def main():
    path, image, truth = street.out_path_and_scene(__doc__.splitlines()[0], "cnn_watershed")
    network = segkit.CNNSegmenter.pretrained("espnet-camvid")
    classes, proba = network.predict(image), network.predict_proba(image)
    doubt = 1 - proba.max(axis=-1)
    sources = np.where(doubt <= 1 - SURE, classes, 0)
    edges = segkit.gradient(image, sigma=1, channel_axis=-1)
    relief = edges / edges.mean() + 4 * doubt
    flooded = segkit.watershed(relief, sources)
    rest = np.where(sources > 0, 0, flooded)
    rows = [
        (
            "Where a network is sure, and where it hesitates",
            "It hesitates along outlines, and where it knows nothing. There the surest class "
            "may still be the wrong one.",
            [
                ("the image", image),
                (f"its classes: {score(truth, classes)}", plot.overlay(image, classes, alpha=0.6)),
                ("doubt: 1 - the highest probability", shade(doubt, 1)),
                (f"sure to {100 * SURE:.0f} %", plot.overlay(image, sources, alpha=0.6)),
            ],
        ),
        (
            "segkit.watershed(edges + doubt, where it is sure)",
            "Sure pixels are the sources. The flood meets on edges of the image, and fills with "
            "their neighbors' classes what was left to itself.",
            [
                ("the relief: edges + doubt", shade(relief, np.percentile(relief, 99))),
                ("what was flooded", plot.overlay(image, rest, alpha=0.6)),
                (f"all: {score(truth, flooded)}", plot.overlay(image, flooded, alpha=0.6)),
                ("the truth", plot.overlay(image, truth, alpha=0.6)),
            ],
        ),
    ]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
