"""The mixture of Gaussians: its formulas, scikit-learn's answers, and what it promises."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segkit
from segkit import _gaussians, _mixtures
from segkit._gaussians import COVARIANCES, Gaussians
from segkit._mixtures import Mixture, Samples
from tests.reference import mixtures as plain
from tests.strategies import INTEGER_DTYPES, images, shapes


def blobs(shape=(40, 30), n_channels=1, dtype=np.float64, seed=0):
    """Return an image of two kinds of pixels, wide and narrow, and which is which."""
    rng = np.random.default_rng(seed)
    wide = rng.random(shape) < 0.4
    spread = np.where(wide, 20.0, 8.0)[..., None]
    values = np.where(wide, 130.0, 60.0)[..., None] + spread * rng.normal(size=(*shape, n_channels))
    values = values.clip(0, 255).astype(dtype)
    return (values if n_channels > 1 else values[..., 0]), wide


def a_start(p, covariance, n_classes=2):
    means = np.linspace(50, 150, n_classes)[:, None] * np.ones(p)
    covariances = {
        "full": np.tile(100.0 * np.eye(p), (n_classes, 1, 1)),
        "diag": np.full((n_classes, p), 100.0),
        "spherical": np.full(n_classes, 100.0),
    }[covariance]
    return Mixture(Gaussians(means, covariances), np.full(n_classes, 1 / n_classes))


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_a_round_follows_the_formulas(seed, p, n_classes, with_prior):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 9, (12, p)).astype(float) + rng.normal(0, 0.1, (12, p))
    means, weights = rng.normal(4, 2, (n_classes, p)), rng.random(n_classes) + 0.1
    weights /= weights.sum()
    covariances = np.tile(3.0 * np.eye(p), (n_classes, 1, 1))
    prior = rng.random((12, n_classes)) + 0.01 if with_prior else None
    scaled = weights if prior is None else (prior / prior.sum(axis=1, keepdims=True)).T
    wanted = plain.one_round(values, means, covariances, scaled)
    start = Mixture(Gaussians(means, covariances), weights)
    samples = Samples(values, None, prior)
    got, likely = _mixtures.improve(samples, start, "full", np.full(p, 1e-9), 1)
    np.testing.assert_allclose(got.classes.means, wanted[0])
    np.testing.assert_allclose(got.classes.covariances, wanted[1], atol=1e-8)
    np.testing.assert_allclose(got.weights, wanted[2])
    np.testing.assert_allclose(likely, wanted[3])


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("p", [1, 3])
def test_equals_scikit_learn_from_the_same_start(covariance, p):
    from sklearn.mixture import GaussianMixture

    image, _ = blobs(n_channels=p)
    values = image.reshape(-1, p)
    start = a_start(p, covariance)
    precisions = {
        "full": np.linalg.inv if covariance == "full" else None,
        "diag": np.reciprocal,
        "spherical": np.reciprocal,
    }[covariance](start.classes.covariances)
    theirs = GaussianMixture(
        2, covariance_type=covariance, reg_covar=0, tol=1e-7, max_iter=500,
        means_init=start.classes.means, weights_init=start.weights, precisions_init=precisions,
    ).fit(values)  # fmt: skip
    ours, history = _mixtures.fit(
        Samples(values), start, covariance, np.full(p, 1e-9), max_iter=500, tol=1e-7, n_threads=1
    )
    assert len(history) == theirs.n_iter_
    np.testing.assert_allclose(ours.classes.means, theirs.means_, rtol=1e-9)
    np.testing.assert_allclose(ours.classes.covariances, theirs.covariances_, rtol=1e-7)
    np.testing.assert_allclose(ours.weights, theirs.weights_, rtol=1e-9)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_finds_two_kinds_of_pixels(covariance, dtype):
    image, wide = blobs((60, 50), 3, dtype)
    mixture = segkit.GaussianMixtureSegmenter(2, covariance=covariance, channel_axis=-1)
    labels = mixture.fit_predict(image)
    assert labels.dtype == np.int32
    assert (labels == wide + 1).mean() > 0.99
    np.testing.assert_allclose(mixture.weights_, [0.6, 0.4], atol=0.03)
    np.testing.assert_allclose(mixture.means_, [[60] * 3, [130] * 3], atol=2)
    shares = mixture.predict_proba(image)
    assert shares.shape == (60, 50, 2)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    assert np.array_equal(shares.argmax(axis=-1) + 1, labels)


@given(
    images(max_dims=3, n_levels=6).filter(lambda image: len(np.unique(image)) >= 3),
    st.sampled_from(COVARIANCES),
)
def test_the_likelihood_never_falls_and_all_stays_finite(image, covariance):
    mixture = segkit.GaussianMixtureSegmenter(2, covariance=covariance, tol=0, max_iter=15)
    labels = mixture.fit_predict(image)
    assert np.diff(mixture.log_likelihood_).min(initial=0) > -1e-9
    assert np.isfinite(mixture.means_).all()
    assert np.isfinite(mixture.covariances_).all()
    np.testing.assert_allclose(mixture.weights_.sum(), 1)
    assert (np.diff(mixture.means_[:, 0]) >= 0).all(), "numbered by increasing mean"
    assert labels.shape == image.shape
    assert set(np.unique(labels)) <= {1, 2}


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.uint16, np.int64, np.uint64])
def test_the_histogram_gives_the_same_as_the_pixels(dtype, monkeypatch):
    image = blobs()[0] if dtype != np.bool_ else blobs()[1]
    image = (image - (64 if dtype == np.int8 else 0)).clip(-128, 127 if dtype == np.int8 else 255)
    image = image.astype(dtype)
    short = segkit.GaussianMixtureSegmenter(2, tol=1e-9, max_iter=30)
    labels = short.fit_predict(image)
    monkeypatch.setattr(_mixtures, "histogram_of", lambda values: None)
    long = segkit.GaussianMixtureSegmenter(2, tol=1e-9, max_iter=30)
    assert np.array_equal(long.fit_predict(image), labels)
    np.testing.assert_allclose(short.means_, long.means_, rtol=1e-7)
    np.testing.assert_allclose(short.covariances_, long.covariances_, rtol=1e-6)
    np.testing.assert_allclose(short.weights_, long.weights_, rtol=1e-7)


@given(images(dtypes=INTEGER_DTYPES, n_levels=9))
def test_a_histogram_counts_what_there_is(image):
    values = _gaussians.values_for_kernel(image.reshape(-1, 1))
    distinct, counts = _mixtures.histogram_of(values)
    wanted = np.unique(values, return_counts=True)
    assert np.array_equal(distinct[:, 0], wanted[0])
    assert np.array_equal(counts, wanted[1])
    labels = np.arange(len(distinct), dtype=np.int32)
    found = _mixtures.looked_up(values, distinct, labels)
    assert np.array_equal(distinct[found, 0], values[:, 0])


def test_wide_integers_are_taken_as_they_are():
    values = np.array([[0], [2**40], [2**63 - 1]])
    assert _mixtures.histogram_of(values) is None
    assert _mixtures.histogram_of(values.astype(float)) is None
    labels = segkit.GaussianMixtureSegmenter(2).fit_predict(np.array([0, 3, 2**40, 2**40 + 9]))
    assert labels.tolist() == [1, 1, 2, 2]


def test_a_prior_decides_where_the_pixel_does_not():
    image = np.zeros((4, 6))
    image[:, 3:] = 1e-3 * np.arange(12).reshape(4, 3)
    prior = np.zeros((4, 6, 2))
    prior[:2, :, 1] = 3.0  # the second class above, the first below, not scaled
    prior[2:, :, 0] = 0.2
    mixture = segkit.GaussianMixtureSegmenter(2, prior=prior)
    labels = mixture.fit_predict(image)
    assert labels.tolist() == [[2] * 6] * 2 + [[1] * 6] * 2, "in the order of the prior"
    assert mixture.weights_.tolist() == [0.5, 0.5]


def test_a_prior_of_zeros_is_the_same_for_all():
    image, wide = blobs()
    prior = np.stack([~wide, wide], axis=-1) + 0.2
    prior[:10] = 0
    mixture = segkit.GaussianMixtureSegmenter(2, prior=prior).fit(image)
    shares = mixture.predict_proba(image)[:10].reshape(-1, 2)
    equal = [0.5, 0.5]
    wanted, _ = plain.shares(image[:10].reshape(-1, 1), mixture.means_, mixture.covariances_, equal)
    np.testing.assert_allclose(shares, wanted.T, atol=1e-12)
    with pytest.raises(ValueError, match="`prior` must have the shape of `image`"):
        mixture.predict(image[1:])


def test_equally_likely_classes_give_the_lowest():
    mixture = segkit.GaussianMixtureSegmenter(2, covariance="spherical")
    mixture.fit(np.array([-3.0, -1.0, 1.0, 3.0]))
    np.testing.assert_allclose(mixture.means_.sum(), 0, atol=1e-12)
    (mixture.means_, mixture.covariances_), mixture.weights_ = a_start(1, "diag")
    assert mixture.predict(np.array([100.0, 100.1, 99.9])).tolist() == [1, 2, 1]


def test_pickles_and_predicts_on_other_images():
    image, _ = blobs(dtype=np.uint8)
    mixture = segkit.GaussianMixtureSegmenter(2).fit(image)
    again = pickle.loads(pickle.dumps(mixture))
    other = np.arange(256, dtype=np.uint8)
    labels = again.predict(other)
    assert np.array_equal(labels, mixture.predict(other.astype(np.float32)))
    assert labels[60] == 1
    assert labels[130] == 2


@given(shapes(max_dims=4, min_side=1).filter(lambda shape: np.prod(shape) >= 2))
def test_takes_one_to_four_dimensions(shape):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert segkit.GaussianMixtureSegmenter(2).fit_predict(image).shape == shape


@pytest.mark.parametrize(
    ("prior", "error", "match"),
    [
        (np.ones((3, 4)), ValueError, "`prior` must have the shape of `image`"),
        (np.ones((3, 4, 3)), ValueError, "`prior` must have the shape of `image`"),
        (np.full((3, 4, 2), np.nan), ValueError, "`prior` must not hold NaN"),
        (np.full((3, 4, 2), np.inf), ValueError, "`prior` must not hold infinite"),
        (np.full((3, 4, 2), -1), ValueError, "`prior` must hold numbers >= 0"),
        (np.full((3, 4, 2), "a"), TypeError, "`prior` has dtype"),
        (1, ValueError, "`prior` must be an array"),
    ],
)
def test_bad_priors_are_refused(prior, error, match):
    with pytest.raises(error, match=match):
        segkit.GaussianMixtureSegmenter(2, prior=prior).fit(np.arange(12).reshape(3, 4))


def test_a_prior_outside_the_mask_is_not_looked_at():
    image, wide = blobs((6, 7))
    prior = np.stack([~wide, wide], axis=-1) + 0.2
    mask = np.ones(image.shape, bool)
    mask[2:4] = False
    wanted = segkit.GaussianMixtureSegmenter(2, prior=prior).fit_predict(image, mask)
    prior[~mask] = np.nan, -1
    got = segkit.GaussianMixtureSegmenter(2, prior=prior).fit_predict(image, mask)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.7e308])
def test_a_prior_may_be_of_any_scale(scale):
    image, _ = blobs((6, 7))
    equal = np.ones((6, 7, 2))
    equal[0] = 1, 0
    wanted, got = (segkit.GaussianMixtureSegmenter(2, prior=p) for p in (equal, equal * scale))
    np.testing.assert_array_equal(got.fit_predict(image), wanted.fit_predict(image))
    np.testing.assert_array_equal(got.means_, wanted.means_)
