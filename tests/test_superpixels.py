"""Measures of oversegmentations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segkit
from segkit import _superpixels, datasets, metrics
from tests import strategies as own
from tests.reference import superpixels as reference


@st.composite
def pairs(draw):
    shape = draw(own.shapes(max_pixels=40))
    return draw(own.label_images(shape=shape)), draw(own.label_images(shape=shape))


@given(pair=pairs(), ignore=st.sampled_from([None, 0, 1, 40]))
def test_measures_of_a_table_equal_the_plain_version(pair, ignore):
    found = _superpixels.scores(metrics.contingency(*pair, ignore=ignore))
    for name in ("undersegmentation_error", "achievable_accuracy"):
        got = getattr(metrics, name)(*pair, ignore=ignore)
        assert type(got) is float
        assert got == float(getattr(reference, name)(*pair, ignore))
        assert found[name] == got


@given(pair=pairs(), other=st.data())
def test_a_list_of_truths_gives_the_mean(pair, other):
    truth, test = pair
    second = other.draw(own.label_images(shape=truth.shape))
    for measure in (metrics.undersegmentation_error, metrics.achievable_accuracy):
        both = (measure(truth, test) + measure(second, test)) / 2
        assert measure([truth, second], test) == pytest.approx(both)


@given(pair=pairs())
def test_cutting_up_is_no_fault(pair):
    """Pieces of the truth's regions lose nothing; the truth itself neither."""
    truth, test = pair
    pieces = np.unique(
        np.stack([truth.ravel().astype(np.uint64), test.ravel().astype(np.uint64)]),
        axis=1,
        return_inverse=True,
    )[1].reshape(truth.shape)
    for labels in (pieces, truth):
        assert metrics.undersegmentation_error(truth, labels) == 0.0
        assert metrics.achievable_accuracy(truth, labels) == 1.0


@given(data=st.data())
def test_explained_variation_equals_the_plain_version(data):
    test = data.draw(own.label_images(shape=data.draw(own.shapes(max_dims=3, max_pixels=40))))
    n_channels = data.draw(st.integers(1, 3))
    image = data.draw(own.images(dtypes=own.REAL_DTYPES, shape=(*test.shape, n_channels)))
    wanted = float(reference.explained_variation(image, test))
    axis = data.draw(st.integers(0, test.ndim))
    got = metrics.explained_variation(np.moveaxis(image, -1, axis), test, channel_axis=axis)
    assert got == pytest.approx(wanted, abs=1e-12)
    if n_channels == 1:
        assert metrics.explained_variation(image[..., 0], test) == got


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_explained_variation_at_its_ends(dtype):
    image = np.array([[1, 1, 9], [4, 7, 7]], dtype=dtype)
    assert metrics.explained_variation(image, image.astype(int)) == 1.0
    assert metrics.explained_variation(image, np.zeros((2, 3), int)) == 0.0
    assert metrics.explained_variation(image * 0, np.eye(2, 3, dtype=int)) == 1.0
    assert metrics.explained_variation(np.zeros((0, 3)), np.zeros((0, 3), int)) == 1.0


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-90, 1.0, 1e90, 1e160, 1e300])
def test_explained_variation_of_very_large_and_very_small_values(scale):
    image = np.array([1.0, 3.0, 5.0, 7.0]) * scale
    assert metrics.explained_variation(image, [1, 1, 2, 2]) == pytest.approx(0.8)


def test_explained_variation_far_from_zero():
    image = 2**62 + np.array([1, 3, 5, 7])
    assert metrics.explained_variation(image, [1, 1, 2, 2]) == pytest.approx(0.8)


@given(data=st.data())
def test_compactness_equals_the_plain_version(data):
    test = data.draw(own.label_images())
    spacing = data.draw(st.sampled_from([None, (0.5, 2.0, 3.0, 0.25)[: test.ndim]]))
    got = metrics.compactness(test, spacing=spacing)
    wanted = reference.compactness(test, spacing or (1.0,) * test.ndim)
    assert got == pytest.approx(wanted, rel=1e-12)


def test_compactness_does_not_depend_on_the_unit_of_spacing():
    labels = [[1, 1, 2], [0, 2, 2]]
    wanted = metrics.compactness(labels, spacing=(2, 1))
    for unit in (1e-300, 1e-9, 1e300):
        assert metrics.compactness(labels, spacing=(2 * unit, unit)) == pytest.approx(wanted)


def test_compactness_of_known_shapes():
    rows, cols = np.indices((8, 8)) // 4
    assert metrics.compactness(rows * 2 + cols) == pytest.approx(math.pi / 4)
    assert metrics.compactness(np.ones((5, 5, 5), int)) == pytest.approx(math.pi / 6)
    assert metrics.compactness([4, 4, 4, 9]) == 1.0
    assert metrics.compactness([4, 9, 4]) < 1.0, "in two pieces"
    assert metrics.compactness(np.zeros((0, 3), int)) == 1.0
    assert metrics.compactness([[2**40, 2**40]]) == pytest.approx(4 * math.pi * 2 / 36)


def test_regions_of_a_photograph_explain_more_the_more_there_are():
    image = datasets.samples()["coins"]
    before = 0.0
    for depth in (40, 20, 10, 0):
        labels = segkit.watershed(segkit.gradient(image), depth=depth)
        explained = metrics.explained_variation(image, labels)
        assert before <= explained <= 1.0
        before = explained
    assert before > 0.95


def test_a_color_image_taken_as_a_volume_gets_a_hint():
    with pytest.raises(ValueError, match="channel_axis=-1"):
        metrics.explained_variation(np.zeros((4, 5, 3)), np.zeros((4, 5), int))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(value):
    with pytest.raises(ValueError, match="`image` must not hold"):
        metrics.explained_variation([1.0, value], [0, 0])
