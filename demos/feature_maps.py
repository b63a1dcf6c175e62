"""What each layer of a network sees; and what it sees when the pixels are shuffled.

Run ``python demos/feature_maps.py``; the picture goes to demos/out/.  With
``--data FOLDER`` it takes a photograph of CamVid in place of the drawing.
"""

import cv2
import numpy as np
import sheet
import street

import segkit
from segkit import _backends, _onnx, metrics, plot

# Of the activations of ESPNet: the layer, at which part of the size.
LAYERS = {0: "1st layer, 1/2 of the size", 4: "5th, 1/4", 15: "16th, 1/8", -1: "the last one, 1/2"}
SHOWN = 9


def seen(network, image, number):
    """Return what an activation gives for an image, (channels, rows, columns)."""
    model = network._model
    names = [node.gives[0] for node in _onnx.nodes(model) if node.kind == "PRelu"]
    run = _backends.load(_onnx.giving(model, names[number]), network.backend, names[number])
    return run(network._normalized(network._picture(image))[np.newaxis])[0]


def mosaic(maps):
    """Return the channels that vary most as grey pictures, three by three."""
    chosen = np.sort(np.argsort(-maps.std(axis=(1, 2)))[:SHOWN])
    pictures = []
    for values in maps[chosen]:
        low, high = np.percentile(values, (1, 99))
        grey = np.clip(255 * (values - low) / max(high - low, 1e-9), 0, 255).astype(np.uint8)
        pictures.append(cv2.resize(grey, (240, 180), interpolation=cv2.INTER_NEAREST))
    framed = [np.pad(picture, 3, constant_values=255) for picture in pictures]
    return np.vstack([np.hstack(framed[k : k + 3]) for k in range(0, SHOWN, 3)])


def tinted(image, classes):
    """Return the image with its classes as colors."""
    return plot.overlay(image, classes, alpha=0.6, boundaries="none")


def main():
    path, image, truth = street.out_path_and_scene(__doc__.splitlines()[0], "feature_maps")
    network = segkit.CNNSegmenter.pretrained("espnet-camvid")
    order = np.random.default_rng(0).permutation(truth.size)
    shuffled = image.reshape(-1, 3)[order].reshape(image.shape)

    def back(classes):
        """Return what was given to shuffled pixels at the places that these came from."""
        found = np.zeros(truth.size, dtype=classes.dtype)
        found[order] = classes.ravel()
        return found.reshape(truth.shape)

    known = np.where(np.random.default_rng(1).random(truth.shape) < 0.02, truth, 0)
    neighbors = segkit.KNNSegmenter(9, features=("lab",), channel_axis=-1).fit(image, known)
    results = {
        "network": network.predict(image),
        "network, shuffled": back(network.predict(shuffled)),
        "kNN on color": neighbors.predict(image),
        "kNN on color, shuffled": back(neighbors.predict(shuffled)),
    }
    score = {name: metrics.pixel_accuracy(truth, found) for name, found in results.items()}
    panels = [
        (f"{name}: {100 * score[name]:.0f} % right", tinted(image, found))
        for name, found in results.items()
    ]
    rows = [
        (
            "What the layers of a network see",
            f"Of each, the {SHOWN} channels that vary most. The first is near to colors and edges; "
            "deeper ones see less sharply, and more of what things are.",
            [("the image", image)]
            + [(text, mosaic(seen(network, image, number))) for number, text in LAYERS.items()],
        ),
        (
            "What it is worth to know one's neighbors: the same pixels, shuffled",
            "Each pixel keeps its color and loses its place; the classes are put back to where "
            "they came from. The network is lost; a classifier of single pixels does not notice.",
            [("shuffled", shuffled), *panels],
        ),
    ]
    sheet.save(sheet.draw_sheet(rows, columns=5, width=16), path)


if __name__ == "__main__":
    main()
