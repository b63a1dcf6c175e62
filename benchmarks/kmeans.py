"""k-means on colors, beside scikit-learn's from the same start."""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time
from benchmarks.inputs import side_2d

ROUNDS = 20


def sklearn_peer(target, note=""):
    def prepare(image, start):
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        rows = image.reshape(-1, image.shape[-1])
        k = len(start)

        def call():
            with threadpool_limits(1):
                return KMeans(k, init=start, n_init=1, max_iter=ROUNDS, tol=0).fit(rows)

        return fresh_each_time(call)

    return Peer("scikit-learn", "sklearn", prepare, target, lambda found: found.labels_ + 1, note)


def ours(image, start):
    segmenter = segkit.KMeansSegmenter(
        len(start), init=start, max_iter=ROUNDS, tol=0, channel_axis=-1
    )
    return segmenter.fit_predict(image)


def compare(labels, theirs):
    return {"agreement": float(np.mean(labels.ravel() == theirs))}


def arguments(image, k=8):
    """Return an image and k of its pixels, spread evenly, to start from."""
    rows = image.reshape(-1, image.shape[-1])
    start = rows[len(rows) // (2 * k) :: len(rows) // k][:k]
    return {"image": image, "start": start.astype(np.float64)}


def lab(side):
    return segkit.pixel_features(inputs.colors(side), ["lab"], channel_axis=-1)


def wide_noise(side):
    return np.moveaxis(inputs.noise((3, side, side)), 0, -1).copy()


CASES = [
    Case(
        name="k-means, RGB, k = 8, 20 rounds",
        input_name="photographs",
        inputs=lambda size: arguments(inputs.colors(side_2d(size))),
        ours=ours,
        peers=[sklearn_peer(4)],
        compare=compare,
        bytes_limit=4,
        large=lambda: arguments(inputs.colors(4096)),
        small=False,
    ),
    Case(
        name="k-means, RGB, k = 8, 20 rounds",
        input_name="noise",
        inputs=lambda size: arguments(wide_noise(side_2d(size))),
        ours=ours,
        peers=[sklearn_peer(4)],
        compare=compare,
        bytes_limit=4,
        large=lambda: arguments(wide_noise(4096)),
        small=False,
    ),
    Case(
        name="k-means, CIE Lab in float32, k = 8, 20 rounds",
        input_name="photographs",
        inputs=lambda size: arguments(lab(side_2d(size))),
        ours=ours,
        peers=[sklearn_peer(None, "rounds in float32")],
        compare=compare,
        small=False,
    ),
]
