"""Boundary scores: the matching of outlines, beside the same from SciPy's parts."""

import math

import numpy as np

from benchmarks.contingency import two
from benchmarks.harness import Case, Peer, fresh_each_time, same_values
from segkit import metrics

TOLERANCE = 0.002  # of the diagonal of larger images than 0.0075 is meant for


def scipy_peer(target):
    def prepare(truth, test):
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import maximum_bipartite_matching
        from scipy.spatial import KDTree

        def call():
            found, wanted = (
                KDTree(np.argwhere(metrics.boundary_pixels(labels))) for labels in (test, truth)
            )
            reach = TOLERANCE * math.hypot(*truth.shape)
            near = found.sparse_distance_matrix(wanted, reach, output_type="coo_matrix")
            pairs = maximum_bipartite_matching(csr_array(near), perm_type="column")
            matched = int(np.count_nonzero(pairs >= 0))
            return matched, found.n, matched, wanted.n

        return fresh_each_time(call)

    return Peer("SciPy", "scipy", prepare, target, note="KDTree and maximum_bipartite_matching")


CASES = [
    Case(
        name="boundary scores",
        input_name=f"{n_truth} and {n_test} regions",
        inputs=two(n_truth, n_test),
        ours=lambda truth, test: metrics.boundary_counts(truth, test, tolerance=TOLERANCE),
        peers=[scipy_peer(None)],
        compare=lambda ours, theirs: same_values(np.array(ours), theirs),
    )
    for n_truth, n_test in ((1000, 300), (100, 5000))
]
