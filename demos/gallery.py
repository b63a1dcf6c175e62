"""The README's picture: two photographs, segmented three ways.

Run ``python demos/gallery.py --out docs/images/gallery.png`` to make it again.
"""

import cv2
import numpy as np
import sheet

import segkit
from segkit import datasets, plot

WIDTH, GAP = 300, 10
METHODS = ("growing_unseeded", "watershed", "compact_watershed")


def fitted(picture, height):
    """Return a picture reduced to one size."""
    return cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)


def row(image):
    """Return the image, and beside it each result: regions left of a slanted cut, means right."""
    height = round(WIDTH * image.shape[0] / image.shape[1])
    pictures = [fitted(image, height)]
    rows, columns = np.indices((height, WIDTH))
    left = columns < WIDTH * 0.62 - 0.24 * WIDTH * rows / height
    for method in METHODS:
        labels = segkit.segment(image, method, channel_axis=-1)
        tinted = fitted(plot.overlay(image, labels, alpha=0.45), height)
        means = segkit.mean_image(labels, image, channel_axis=-1).astype(np.uint8)
        pictures.append(np.where(left[..., np.newaxis], tinted, fitted(means, height)))
    gap = np.full((height, GAP, 3), 255, dtype=np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.hstack(parts)


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "gallery")
    images = datasets.samples()
    rows = [row(images["coffee"]), row(images["chelsea"])]
    gap = np.full((GAP, rows[0].shape[1], 3), 255, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    segkit.write_image(path, np.vstack([rows[0], gap, rows[1]]))
    print(path)


if __name__ == "__main__":
    main()
