"""The hidden Markov chain: every sequence on tiny chains, hmmlearn on long ones, and promises."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segkit
from segkit import _chain, _gaussians
from segkit._chain import Chain
from segkit._gaussians import COVARIANCES, Gaussians
from tests.reference import chains as plain
from tests.reference import gaussians as plain_gaussians
from tests.strategies import images

FLOOR = 1e-9


def tiny(seed):
    """Return the values of a few pixels and a chain of two or three classes."""
    rng = np.random.default_rng(seed)
    n, p, n_classes = rng.integers(1, 6), rng.integers(1, 3), rng.integers(1, 4)
    values = rng.integers(0, 4, (n, p)) + rng.normal(0, 0.3, (n, p))
    if p == 1 and rng.random() < 0.4:
        values = values.clip(0, 9).astype(np.uint8)
    return values, a_chain(rng, n_classes, p)


def a_chain(rng, n_classes, p):
    transition = rng.random((n_classes, n_classes)) + 0.05
    start = rng.random(n_classes) + 0.05
    return Chain(
        Gaussians(rng.normal(2, 1, (n_classes, p)), rng.random((n_classes, p)) + 0.5),
        start / start.sum(),
        transition / transition.sum(axis=1, keepdims=True),
    )


def densities(values, chain):
    matrices = [np.diag(row) for row in chain.classes.covariances]
    return np.exp(plain_gaussians.log_densities(values, chain.classes.means, matrices))


def shares_of(values, chain, n_threads=1):
    out = np.empty((len(chain.start), len(values)))
    for block, shares in _chain.shares(values, chain, n_threads):
        out[:, block] = shares
    return out


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 16384]))
def test_shares_and_rounds_are_sums_over_all_sequences(seed, block):
    values, chain = tiny(seed)
    seen = densities(values, chain)
    likely, shares, changes = plain.expectations(seen, chain.start, chain.transition)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_gaussians, "BLOCK", block)
        got = shares_of(values, chain)
        after, likelihood = _chain.improve(
            values, chain, "diag", np.full(values.shape[1], FLOOR), 1
        )
    np.testing.assert_allclose(got, shares, atol=1e-12)
    np.testing.assert_allclose(likelihood * len(values), likely, rtol=1e-10)
    np.testing.assert_allclose(after.start, shares[:, 0], atol=1e-12)
    if len(values) > 1:
        wanted = changes / changes.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(after.transition, wanted, rtol=1e-8, atol=1e-12)
    means, covariances = plain_gaussians.estimates(values.astype(float), shares)
    np.testing.assert_allclose(after.classes.means, means, rtol=1e-8, atol=1e-12)
    variances = np.maximum(np.diagonal(covariances, axis1=1, axis2=2), FLOOR)
    np.testing.assert_allclose(after.classes.covariances, variances, atol=1e-9)


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 16384]))
def test_the_best_path_has_the_largest_probability_of_all(seed, block):
    values, chain = tiny(seed)
    ranked = plain.ranking(densities(values, chain), chain.start, chain.transition)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_gaussians, "BLOCK", block)
        path = _chain.best_path(values, chain, 1)
    best = plain.joint(path, densities(values, chain), chain.start, chain.transition)
    np.testing.assert_allclose(best, ranked[0][0], rtol=1e-10)
    if len(ranked) > 1 and ranked[1][0] < ranked[0][0] * (1 - 1e-9):
        assert tuple(path) == ranked[0][1]


def test_of_equal_paths_the_lowest_classes_are_taken():
    equal = Chain(
        Gaussians(np.zeros((3, 1)), np.ones((3, 1))), np.full(3, 1 / 3), np.full((3, 3), 1 / 3)
    )
    values = np.zeros((7, 1))
    assert _chain.best_path(values, equal, 1).tolist() == [0] * 7
    segmenter = segkit.HiddenMarkovChainSegmenter(3)
    segmenter.n_features_in_ = 1
    (segmenter.means_, segmenter.covariances_), segmenter.start_, segmenter.transition_ = equal
    for decoding in ("mpm", "viterbi"):
        assert segmenter.set_params(decoding=decoding).predict(np.zeros(7)).tolist() == [1] * 7


def striped(shape=(48, 40), noise=0.7, seed=0):
    """Return a noisy image of two classes in broad stripes, and the classes 1 and 2."""
    truth = np.indices(shape).sum(axis=0) // 16 % 2
    return truth + np.random.default_rng(seed).normal(0, noise, shape), truth + 1


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("p", [1, 2])
def test_equals_hmmlearn_from_the_same_start(covariance, p):
    hmm = pytest.importorskip("hmmlearn.hmm")
    image, truth = striped()
    values = np.stack([image.ravel(), truth.ravel() + image.ravel() ** 2], axis=1)[:, :p]
    values = np.ascontiguousarray(values)
    floor = np.full(p, FLOOR)
    chain = _chain.start(values, lambda rows: (rows[:, 0] > 0.5).astype(int), 2, covariance, floor)
    theirs = hmm.GaussianHMM(
        2, covariance_type=covariance, min_covar=0, covars_prior=0, init_params="",
        covars_weight=0 if covariance == "full" else 1, n_iter=12, tol=-np.inf,
        implementation="scaling",
    )  # fmt: skip
    theirs.startprob_, theirs.transmat_ = chain.start, chain.transition
    theirs.means_, theirs.covars_ = chain.classes
    theirs.fit(values)
    ours, history = _chain.fit(values, chain, covariance, floor, max_iter=12, tol=0, n_threads=1)
    np.testing.assert_allclose(history, np.array(theirs.monitor_.history) / len(values), rtol=1e-9)
    np.testing.assert_allclose(ours.classes.means, theirs.means_, rtol=1e-7)
    np.testing.assert_allclose(ours.transition, theirs.transmat_, rtol=1e-6, atol=1e-12)
    got, spread = ours.classes.covariances, theirs._covars_  # covars_ repeats spherical ones
    got = got if covariance == "full" else got.reshape(2, -1)
    spread = spread if covariance == "full" else spread.reshape(2, -1)[:, : got.shape[1]]
    np.testing.assert_allclose(got, spread, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(shares_of(values, ours).T, theirs.predict_proba(values), atol=1e-7)
    assert np.array_equal(_chain.best_path(values, ours, 1), theirs.predict(values))


@pytest.mark.parametrize("decoding", ["mpm", "viterbi"])
@pytest.mark.parametrize("scan", ["hilbert", "snake"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_makes_far_fewer_errors_than_pixels_on_their_own(decoding, scan, dtype):
    image, truth = striped((96, 80))
    image = (image * 30 + 100).astype(dtype)
    alone = segkit.GaussianMixtureSegmenter(2).fit_predict(image)
    segmenter = segkit.HiddenMarkovChainSegmenter(2, scan=scan, decoding=decoding)
    labels = segmenter.fit_predict(image)
    assert labels.dtype == np.int32
    assert (labels != truth).mean() < 0.35 * (alone != truth).mean()
    assert (np.diag(segmenter.transition_) > 0.8).all()


def test_follows_the_scan_that_is_asked_for():
    image = np.zeros((5, 7))
    image[:2] = 9
    for scan, order in (("hilbert", segkit.hilbert_scan((5, 7))), ("snake", None)):
        segmenter = segkit.HiddenMarkovChainSegmenter(2, scan=scan, tol=0, max_iter=5)
        labels = segmenter.fit_predict(image)
        assert np.array_equal(labels, np.where(image > 0, 2, 1))
        path = (
            order
            if order is not None
            else [row * 7 + (k if row % 2 == 0 else 6 - k) for row in range(5) for k in range(7)]
        )
        seen = labels.ravel()[path]
        wanted = np.zeros((2, 2))
        np.add.at(wanted, (seen[:-1] - 1, seen[1:] - 1), 1)
        np.testing.assert_allclose(
            segmenter.transition_, wanted / wanted.sum(axis=1, keepdims=True), atol=1e-9
        )


@given(
    images(max_dims=4, n_levels=6).filter(lambda image: len(np.unique(image)) >= 3),
    st.sampled_from(COVARIANCES),
    st.sampled_from(["hilbert", "snake"]),
    st.sampled_from(["mpm", "viterbi"]),
)
def test_the_likelihood_never_falls_and_all_stays_finite(image, covariance, scan, decoding):
    segmenter = segkit.HiddenMarkovChainSegmenter(
        2, covariance=covariance, scan=scan, decoding=decoding, tol=0, max_iter=15
    )
    labels = segmenter.fit_predict(image)
    assert np.diff(segmenter.log_likelihood_).min(initial=0) > -1e-9
    for found in (segmenter.means_, segmenter.covariances_, segmenter.transition_):
        assert np.isfinite(found).all()
    np.testing.assert_allclose(segmenter.transition_.sum(axis=1), 1)
    np.testing.assert_allclose(segmenter.start_.sum(), 1)
    assert segmenter.means_[0, 0] <= segmenter.means_[1, 0], "numbered by increasing mean"
    shares = segmenter.predict_proba(image)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    assert set(np.unique(labels)) <= {1, 2}
    if decoding == "mpm":
        assert np.array_equal(shares.argmax(axis=-1) + 1, labels)


def test_far_outliers_and_impossible_changes_leave_no_nan():
    values = np.array([0, 0.1, 0, 1e30, 0, -1e30, 0.2, 5, 5, 5.1, 5])
    chain = Chain(
        Gaussians(np.array([[0.0], [5.0]]), np.array([[0.01], [0.01]])),
        np.array([1.0, 0.0]),
        np.array([[1.0, 0.0], [0.0, 1.0]]),
    )
    after, likely = _chain.improve(values[:, None], chain, "diag", np.array([FLOOR]), 1)
    assert np.isfinite(likely)
    assert all(np.isfinite(part).all() for part in (*after.classes, after.start, after.transition))
    shares = shares_of(values[:, None], chain)
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    assert shares[0, :7].min() > 0.99


def test_the_chain_runs_over_the_pixels_inside_the_mask():
    image, truth = striped()
    mask = np.zeros(image.shape, bool)
    mask[:, 10:30] = True
    changed = np.where(mask, image, 1e6)
    segmenter = segkit.HiddenMarkovChainSegmenter(2)
    labels = segmenter.fit_predict(changed, mask)
    assert (labels[~mask] == 0).all()
    assert (labels[mask] != truth[mask]).mean() < 0.15
    path = segkit.hilbert_scan(image.shape)
    inside = path[mask.ravel()[path]]
    alone = segkit.HiddenMarkovChainSegmenter(2).fit_predict(image.ravel()[inside])
    assert np.array_equal(labels.ravel()[inside], alone)
    assert (segmenter.predict_proba(changed, mask)[~mask] == 0).all()


def test_pickles_and_predicts_on_other_images():
    image, _ = striped()
    segmenter = segkit.HiddenMarkovChainSegmenter(2).fit(image)
    again = pickle.loads(pickle.dumps(segmenter))
    other, truth = striped((31, 57, 2), seed=3)
    assert np.array_equal(again.predict(other), segmenter.predict(other))
    assert (again.predict(other) != truth).mean() < 0.25
    assert again.predict(np.zeros((0, 3))).shape == (0, 3)
    again.decoding = "viterbi"
    assert again.predict(np.zeros((0, 3))).shape == (0, 3)
    assert again.predict(np.zeros((1, 1))).tolist() == [[1]]


def test_memory_does_not_grow_with_the_number_of_classes():
    image = np.random.default_rng(0).integers(0, 256, (700, 600)).astype(np.uint8)
    segmenter = segkit.HiddenMarkovChainSegmenter(6, max_iter=2)
    segmenter.fit(image[:50])
    tracemalloc.start()
    segmenter.fit(image)
    segmenter.predict(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * image.size + 6_000_000


@pytest.mark.parametrize("n_classes", [0, 257])
def test_no_more_classes_than_a_byte_tells_apart(n_classes):
    with pytest.raises(ValueError, match="`n_classes` must be an integer from 1 to 256"):
        segkit.HiddenMarkovChainSegmenter(n_classes).fit(np.arange(300))
