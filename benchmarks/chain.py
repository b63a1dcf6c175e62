"""Mixtures and hidden Markov chains: ten rounds of EM from the same start, and a labeling.

A labeling takes about as long as a round, so an eleventh of the figure is the time of a
pixel and a round: with three classes it is to be at most 60 ns for the chain.
"""

import warnings

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_labels
from benchmarks.inputs import side_2d
from segkit import _chain, _gaussians, _mixtures

ROUNDS = 10
N_CLASSES = 3
NOTE = "ours finds its start, theirs is given"


def by_chain(image):
    return segkit.HiddenMarkovChainSegmenter(N_CLASSES, max_iter=ROUNDS, tol=0).fit_predict(image)


def by_viterbi(image):
    return segkit.HiddenMarkovChainSegmenter(
        N_CLASSES, decoding="viterbi", max_iter=ROUNDS, tol=0
    ).fit_predict(image)


def by_mixture(image):
    return segkit.GaussianMixtureSegmenter(N_CLASSES, max_iter=ROUNDS, tol=0).fit_predict(image)


def start_of_chain(values):
    """Return the chain that ours starts from."""
    floor = _gaussians.variance_floor(values)
    return _chain.start(
        values,
        lambda rows: _mixtures.start_labels(rows, rows, N_CLASSES, 0, 1),
        N_CLASSES, "full", floor,
    )  # fmt: skip


def in_order_of_means(labels, means):
    """Return labels from 1 in increasing order of the means of their classes."""
    rank = np.empty(len(means), dtype=np.int32)
    rank[np.argsort(np.ravel(means))] = np.arange(1, len(means) + 1)
    return rank[labels]


def hmmlearn_peer(algorithm):
    def prepare(image):
        from hmmlearn.hmm import GaussianHMM

        path = segkit.hilbert_scan(image.shape)
        values = image.ravel()[path][:, np.newaxis]
        start, doubles = start_of_chain(values), values.astype(np.float64)

        def call():
            model = GaussianHMM(
                N_CLASSES, covariance_type="full", n_iter=ROUNDS, tol=-np.inf, init_params="",
                implementation="scaling", algorithm=algorithm, min_covar=0, covars_prior=0,
                covars_weight=0,
            )  # fmt: skip
            model.startprob_, model.transmat_ = start.start, start.transition
            model.means_, model.covars_ = start.classes
            labels = np.empty(image.size, dtype=np.int32)
            labels[path] = in_order_of_means(model.fit(doubles).predict(doubles), model.means_)
            return labels

        return fresh_each_time(call)

    return Peer("hmmlearn", "hmmlearn", prepare, note=NOTE)


def sklearn_peer(target):
    def prepare(image):
        from sklearn.mixture import GaussianMixture

        values = image.reshape(-1, 1)
        floor = _gaussians.variance_floor(values)
        _, start = _mixtures.start_by_k_means(values, N_CLASSES, "full", floor, 0, 1)
        values = values.astype(np.float64)  # with uint8 its predict differs from its fit

        def call():
            model = GaussianMixture(
                N_CLASSES, max_iter=ROUNDS, tol=0.0, reg_covar=0,
                weights_init=start.weights, means_init=start.classes.means,
                precisions_init=np.linalg.inv(start.classes.covariances),
            )  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it has not ended by itself
                return in_order_of_means(model.fit(values).predict(values), model.means_)

        return fresh_each_time(call)

    return Peer("scikit-learn", "sklearn", prepare, target, note=NOTE)


def picture(size, dtype=np.uint8):
    return {"image": inputs.mosaic(side_2d(size) // 2).astype(dtype)}


def scan(image):
    return segkit.hilbert_scan(image.shape)


CASES = [
    Case(
        name="hidden Markov chain, 10 rounds, MPM",
        input_name="photographs, uint8",
        inputs=picture,
        ours=by_chain,
        peers=[hmmlearn_peer("map")],
        compare=same_labels,
        small=False,
        bytes_limit=24,
        large=lambda: {"image": inputs.mosaic(4096)},
        growth=True,
    ),
    Case(
        name="hidden Markov chain, 10 rounds, Viterbi",
        input_name="photographs, float32",
        inputs=lambda size: picture(size, np.float32),
        ours=by_viterbi,
        peers=[hmmlearn_peer("viterbi")],
        compare=same_labels,
        small=False,
    ),
    Case(
        name="Gaussian mixture, 10 rounds",
        input_name="photographs, uint8",
        inputs=picture,
        ours=by_mixture,
        peers=[sklearn_peer(20)],
        compare=same_labels,
        small=False,
        bytes_limit=6,
        large=lambda: {"image": inputs.mosaic(4096)},
        growth=True,
    ),
    Case(
        name="Gaussian mixture, 10 rounds",
        input_name="photographs, float32",
        inputs=lambda size: picture(size, np.float32),
        ours=by_mixture,
        peers=[sklearn_peer(4)],
        compare=same_labels,
        small=False,
    ),
    Case(
        name="Hilbert scan",
        input_name="2-D",
        inputs=lambda size: {"image": np.zeros((side_2d(size),) * 2, np.uint8)},
        ours=scan,
        bytes_limit=8.5,
        large=lambda: {"image": np.zeros((4096, 4096), np.uint8)},
    ),
    Case(
        name="Hilbert scan",
        input_name="2-D, odd sides",
        inputs=lambda size: {"image": np.zeros((side_2d(size) - 1, side_2d(size) + 1), np.uint8)},
        ours=scan,
    ),
]
