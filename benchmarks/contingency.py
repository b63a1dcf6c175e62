"""The contingency table of two label images, and the measures on top of it."""

import numpy as np

from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_values
from benchmarks.inputs import side_2d
from segkit import _partitions, metrics


def skimage_table(target):
    def prepare(truth, test):
        from skimage.metrics import contingency_table

        return fresh_each_time(lambda: contingency_table(truth, test, sparse_type="array"))

    return Peer("scikit-image", "skimage", prepare, target, finish=lambda table: table.data)


def sklearn_table(target):
    def prepare(truth, test):
        from sklearn.metrics.cluster import contingency_matrix

        flat = truth.ravel(), test.ravel()
        return fresh_each_time(lambda: contingency_matrix(*flat, sparse=True))

    return Peer("scikit-learn", "sklearn", prepare, target, finish=lambda table: table.data)


def skimage_information(target):
    def prepare(truth, test):
        from skimage.metrics import variation_of_information

        return fresh_each_time(lambda: variation_of_information(truth, test))

    return Peer("scikit-image", "skimage", prepare, target)


def skimage_measures(target):
    def prepare(truth, test):
        from skimage import metrics as theirs

        def call():
            error = theirs.adapted_rand_error(truth, test, ignore_labels=())[0]
            return error, *theirs.variation_of_information(truth, test)

        return fresh_each_time(call)

    return Peer("scikit-image", "skimage", prepare, target, note="two of six measures")


def measures(truth, test):
    return _partitions.scores(metrics.contingency(truth, test))


def two(n_truth, n_test):
    """Return inputs: two label images of so many regions each."""

    def make(size):
        shape = (side_2d(size),) * 2
        return {
            "truth": inputs.patches(shape, n_truth),
            "test": inputs.patches(shape, n_test, seed=1),
        }

    return make


def noise(size):
    rng = np.random.default_rng(0)
    shape = (side_2d(size),) * 2
    return {
        "truth": rng.integers(0, 10_000, shape, dtype=np.int32),
        "test": rng.integers(0, 1000, shape, dtype=np.int32),
    }


def table_case(name, make, peers):
    return Case(
        name="contingency table",
        input_name=name,
        inputs=make,
        ours=lambda truth, test: metrics.contingency(truth, test),
        peers=peers,
        compare=lambda ours, theirs: same_values(ours.counts, theirs[theirs > 0].astype(np.int64)),
    )


CASES = [
    table_case("10k x 1k regions", two(10_000, 1000), [skimage_table(4), sklearn_table(None)]),
    table_case("100 x 30 regions", two(100, 30), [skimage_table(None)]),
    table_case("10k x 1k ids, noise", noise, [skimage_table(None)]),
    Case(
        name="variation of information",
        input_name="10k x 1k regions",
        inputs=two(10_000, 1000),
        ours=lambda truth, test: metrics.variation_of_information(truth, test),
        peers=[skimage_information(4)],
        compare=lambda ours, theirs: same_values(np.array(ours), theirs),
    ),
    Case(
        name="all measures of partitions",
        input_name="10k x 1k regions",
        inputs=two(10_000, 1000),
        ours=measures,
        peers=[skimage_measures(4)],
        compare=lambda ours, theirs: same_values(
            np.array([ours[name] for name in ("adapted_rand_error", "split", "merge")]), theirs
        ),
    ),
]
