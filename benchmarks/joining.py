"""Merging pixels directly along sorted edges.

OpenCV's version is in opencv-contrib-python-headless, which would overwrite the core
cv2; put it into a folder of its own and name that folder:
``pip install --no-deps --target contrib opencv-contrib-python-headless``, then
``SEGKIT_CONTRIB=contrib python -m benchmarks speed --only felzenszwalb``.
"""

import importlib
import os
import sys

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, count_labels, fresh_each_time
from benchmarks.inputs import side_2d, side_3d

SCALE = 100.0


def contrib():
    """Return the cv2 that has ximgproc."""
    folder = os.environ.get("SEGKIT_CONTRIB")
    if folder and "cv2" not in sys.modules:
        sys.path.insert(0, folder)
    cv2 = importlib.import_module("cv2")
    if not hasattr(cv2, "ximgproc"):
        raise ImportError("cv2 without ximgproc: see the top of this file")
    cv2.setNumThreads(1)
    return cv2


def cv2_peer(target):
    def prepare(image):
        create = contrib().ximgproc.segmentation.createGraphSegmentation
        graph = create(sigma=0.8, k=SCALE, min_size=20)
        return fresh_each_time(lambda: graph.processImage(image))

    return Peer("OpenCV contrib", "cv2", prepare, target, finish=lambda labels: labels + 1)


def skimage_peer(target):
    def prepare(image):
        from skimage.segmentation import felzenszwalb

        axis = -1 if image.ndim == 3 else None
        return fresh_each_time(
            lambda: felzenszwalb(image, scale=SCALE, sigma=0.8, min_size=20, channel_axis=axis)
        )

    return Peer("scikit-image", "skimage", prepare, target, finish=lambda labels: labels + 1)


def compare(ours, theirs):
    return {
        "agreement": segkit.metrics.adjusted_rand_index(theirs.astype(np.int32), ours),
        "n_ours": count_labels(ours),
        "n_peer": count_labels(theirs),
    }


def grey(image):
    return segkit.felzenszwalb(image, scale=SCALE)


def color(image):
    return segkit.felzenszwalb(image, scale=SCALE, channel_axis=-1)


def in_color(side):
    """Return three shifted copies of the photographs as channels."""
    image = inputs.mosaic(side)
    return np.stack([image, np.roll(image, 3, 0), np.roll(image, 5, 1)], axis=-1)


CASES = [
    Case(
        name="felzenszwalb, 2-D uint8",
        input_name="photographs",
        inputs=lambda size: {"image": inputs.mosaic(side_2d(size))},
        ours=grey,
        peers=[cv2_peer(2), skimage_peer(6)],
        compare=compare,
        bytes_limit=60,
        large=lambda: {"image": inputs.mosaic(4096)},
    ),
    Case(
        name="felzenszwalb, 2-D color",
        input_name="photographs",
        inputs=lambda size: {"image": in_color(side_2d(size))},
        ours=color,
        peers=[cv2_peer(2), skimage_peer(6)],
        compare=compare,
    ),
    Case(
        name="felzenszwalb, 3-D uint8",
        input_name=inputs.volume_name(),
        inputs=lambda size: {"image": inputs.volume(side_3d(size))},
        ours=grey,
    ),
    Case(
        name="statistical region merging, 2-D uint8",
        input_name="photographs",
        inputs=lambda size: {"image": inputs.mosaic(side_2d(size))},
        ours=lambda image: segkit.statistical_region_merging(image),
    ),
]
