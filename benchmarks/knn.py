"""Nearest neighbors: the class of each pixel from 10 000 annotated ones, k = 5.

The peer finds the same neighbors, but for samples that are equally far, and gets
their votes counted by NumPy.
"""

from functools import cache

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_labels
from benchmarks.inputs import side_2d

N_SAMPLES, N_NEIGHBORS, N_CLASSES = 10_000, 5, 3


def ckdtree_peer(target):
    def prepare(annotation, image, knn):
        from scipy.spatial import cKDTree

        annotated = annotation > 0
        tree, owner = cKDTree(image[annotated]), annotation[annotated]
        pixels = image.reshape(-1, image.shape[-1]).astype(np.float64)  # as it wants them

        def classify():
            classes = owner[tree.query(pixels, k=N_NEIGHBORS)[1]]
            votes = [(classes == c + 1).sum(axis=1) for c in range(N_CLASSES)]
            return (np.argmax(votes, axis=0) + 1).reshape(annotation.shape)

        return fresh_each_time(classify)

    return Peer("SciPy cKDTree", "scipy", prepare, target)


def colors(side):
    """Return a color photograph."""
    grey = inputs.mosaic(side)
    return np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)


def ten_features(side):
    """Return colors, twice blurred, and the steepness."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    image = colors(side).astype(np.float32)
    blurred = [gaussian_filter(image, (sigma, sigma, 0)) for sigma in (1, 2)]
    steep = gaussian_gradient_magnitude(image[..., 0], 1)
    return np.concatenate([image, *blurred, steep[..., np.newaxis]], axis=-1)


def fractions(side):
    """Return a color photograph from 0 to 1 in double, as many libraries have it."""
    return colors(side) / 255.0


def noise(side):
    """Return colors without any order."""
    return inputs.noise((side, side, 3))


def fine_colors(side):
    """Return a color photograph without two equal colors."""
    grain = np.random.default_rng(0).normal(0, 1, (side, side, 3))
    return (colors(side) + grain).astype(np.float32)


@cache
def annotated(make, side):
    """Return an image, annotated pixels all over it, and what is fitted to them."""
    image = make(side)
    n_samples = min(N_SAMPLES, side * side // 2)
    places = np.random.default_rng(0).choice(side * side, n_samples, replace=False)
    annotation = np.zeros(side * side, dtype=np.int32)
    bright = image.reshape(-1, image.shape[-1])[places, :3].sum(axis=1)
    annotation[places] = 1 + (6 * bright / bright.max()).astype(int) % 3
    annotation = annotation.reshape(side, side)
    knn = segkit.KNNSegmenter(N_NEIGHBORS, channel_axis=-1).fit(image, annotation)
    return {"annotation": annotation, "image": image, "knn": knn}


def case(name, make, target, *, smaller):
    return Case(
        name="nearest neighbors",
        input_name=name,
        inputs=lambda size: annotated(make, max(side_2d(size) // smaller, 64)),
        ours=lambda annotation, image, knn: knn.predict(image),
        peers=[ckdtree_peer(target)],
        compare=same_labels,
        small=False,
    )


CASES = [
    case("photographs, RGB", colors, 2.5, smaller=2),
    case("photographs, 10 features", ten_features, 3.5, smaller=4),
    case("photographs, RGB in double", fractions, 2.5, smaller=4),
    case("photographs, RGB with fine grain", fine_colors, None, smaller=4),
    case("noise, RGB", noise, None, smaller=4),
]
