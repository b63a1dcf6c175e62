"""What the mixture, the Markov field and the Markov chain have in common.

What all segmenters share is in tests/test_segmenters.py.
"""

import warnings

import numpy as np
import pytest

import segkit
from segkit._gaussians import COVARIANCES

KINDS = {
    "mixture": segkit.GaussianMixtureSegmenter,
    "field": segkit.MarkovRandomFieldSegmenter,
    "field, mean_field": lambda k, **given: segkit.MarkovRandomFieldSegmenter(
        k, solver="mean_field", **given
    ),
    "field, graph_cut": lambda k, **given: segkit.MarkovRandomFieldSegmenter(
        k, solver="graph_cut", **given
    ),
    "chain": segkit.HiddenMarkovChainSegmenter,
    "chain, viterbi": lambda k, **given: segkit.HiddenMarkovChainSegmenter(
        k, decoding="viterbi", **given
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def two_halves(shape=(20, 24), n_channels=1, noise=8.0, dtype=np.float64):
    """Return an image whose right half is brighter, and the classes 1 and 2."""
    truth = 1 + (np.indices(shape)[-1] >= shape[-1] // 2)
    image = 60.0 * truth[..., None] + np.random.default_rng(0).normal(
        0, noise, (*shape, n_channels)
    )
    image = image.clip(0, 255).astype(dtype)
    return (image if n_channels > 1 else image[..., 0]), truth


def learned(segmenter):
    """Return all that `fit` found, by name."""
    return {name: value for name, value in vars(segmenter).items() if name.endswith("_")}


@every_kind
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_finds_two_halves(kind, covariance):
    image, truth = two_halves(n_channels=2, dtype=np.uint8)
    segmenter = KINDS[kind](2, covariance=covariance, channel_axis=-1)
    labels = segmenter.fit_predict(image)
    assert labels.dtype == np.int32
    assert np.mean(labels == truth) > 0.99
    np.testing.assert_allclose(segmenter.means_, [[60, 60], [120, 120]], atol=3)
    shape = {"full": (2, 2, 2), "diag": (2, 2), "spherical": (2,)}[covariance]
    assert segmenter.covariances_.shape == shape
    assert segmenter.n_features_in_ == 2
    assert 1 <= segmenter.n_iter_ <= segmenter.max_iter
    np.testing.assert_array_equal(segmenter.predict(image), labels)
    shares = segmenter.predict_proba(image)
    assert shares.dtype == np.float64
    assert shares.shape == (*image.shape[:-1], 2)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)


@every_kind
@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_equal_pixels_give_one_class_and_a_warning(kind, covariance, dtype):
    image = np.full((6, 50, 2), 7, dtype)
    segmenter = KINDS[kind](3, covariance=covariance, channel_axis=-1)
    with pytest.warns(UserWarning, match="only 1 of 3 classes have pixels") as seen:
        labels = segmenter.fit_predict(image)
    assert [one.filename for one in seen] == [__file__], "told to who called"
    assert (labels == 1).all()
    for name, found in learned(segmenter).items():
        assert np.isfinite(found).all(), name
    assert np.isfinite(segmenter.predict_proba(image)).all()


@every_kind
def test_as_many_classes_as_pixels(kind):
    for image in ([[3]], [[5, 1], [9, 2]], [0.5, 0.25, 7.0]):
        n = np.size(image)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert KINDS[kind](n).fit_predict(image).shape == np.shape(image)
    with pytest.raises(ValueError, match=r"`n_classes` must be at most .*, 1, got 2"):
        KINDS[kind](2).fit([[3]])


@every_kind
def test_the_number_of_threads_changes_nothing(kind):
    image, _ = two_halves((300, 200), 2, 40, np.float32)
    one = KINDS[kind](2, channel_axis=-1, max_iter=5).fit(image)
    for n_jobs in (3, -1):
        other = KINDS[kind](2, channel_axis=-1, max_iter=5, n_jobs=n_jobs).fit(image)
        for name, found in learned(one).items():
            np.testing.assert_array_equal(learned(other)[name], found, err_msg=name)
        np.testing.assert_array_equal(other.predict(image), one.predict(image))
        np.testing.assert_array_equal(other.predict_proba(image), one.predict_proba(image))


@every_kind
def test_pixels_outside_the_mask_do_not_count(kind):
    image, truth = two_halves()
    mask = np.random.default_rng(1).random(image.shape) < 0.8
    changed = np.where(mask, image, 1e6)
    one, other = KINDS[kind](2).fit(image, mask), KINDS[kind](2).fit(changed, mask)
    for name, found in learned(one).items():
        np.testing.assert_array_equal(learned(other)[name], found, err_msg=name)
    labels = other.predict(changed, mask)
    np.testing.assert_array_equal(labels > 0, mask)
    assert np.mean(labels[mask] == truth[mask]) > 0.99
    shares = other.predict_proba(changed, mask)
    assert not shares[~mask].any()
    np.testing.assert_allclose(shares[mask].sum(axis=-1), 1)


@every_kind
def test_nothing_to_classify(kind):
    image, _ = two_halves(n_channels=3)
    segmenter = KINDS[kind](2, channel_axis=-1).fit(image)
    assert segmenter.predict(np.zeros((0, 3, 3))).shape == (0, 3)
    assert segmenter.predict_proba(np.zeros((0, 3, 3))).shape == (0, 3, 2)
    nothing = np.zeros(image.shape[:-1], bool)
    assert not segmenter.predict(image, nothing).any()
    assert not segmenter.predict_proba(image, nothing).any()


@every_kind
def test_other_parameters_after_fit(kind):
    image, _ = two_halves()
    segmenter = KINDS[kind](2).fit(image)
    segmenter.set_params(n_classes=3)
    with pytest.raises(ValueError, match="`n_classes` must be 2, as in `fit`, got 3"):
        segmenter.predict(image)
    assert segmenter.fit(image).means_.shape == (3, 1)
    segmenter.set_params(tol=-1)
    with pytest.raises(ValueError, match="`tol`"):
        segmenter.predict_proba(image)


@every_kind
@pytest.mark.parametrize("method", ["fit", "predict"])
@pytest.mark.parametrize(
    ("image", "match"),
    [
        ([[1e300, -1e300], [0.0, 1.0]], "`image` must hold values up to 1e"),
        ([[1.7e308, -1.7e308], [0.0, 1.0]], "`image` must hold values up to 1e"),
        (np.array([2**64 - 1, 2**64 - 2, 0], np.uint64), r"`image` must hold integers up to 2\*"),
        (np.array([2**53 + 1, 0, 3], np.int64), r"`image` must hold integers up to 2\*"),
        (np.array([-(2**63), 0, 3], np.int64), r"`image` must hold integers up to 2\*"),
    ],
)
def test_numbers_that_double_cannot_square_or_tell_apart_are_refused(kind, method, image, match):
    segmenter = KINDS[kind](2).fit([[0, 1], [8, 9]])
    with pytest.raises(ValueError, match=match):
        getattr(segmenter, method)(image)


@every_kind
@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e-30, 1e30, 1e149])
def test_very_large_and_very_small_values_give_finite_classes(kind, scale):
    image, _ = two_halves((8, 9))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        segmenter = KINDS[kind](2).fit(image / 255 * scale)
    for name, found in learned(segmenter).items():
        assert np.isfinite(found).all(), name
    for far in (0.0, -scale, 1e149, -1e149):
        shares = segmenter.predict_proba([far, scale, 0.0])
        assert np.isfinite(shares).all()
        np.testing.assert_allclose(shares.sum(axis=-1), 1)
        assert segmenter.predict([far, scale, 0.0]).min() >= 1
