"""Features of pixels against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segkit
from tests.reference import features as plain
from tests.strategies import REAL_DTYPES, images


@given(images(dtypes=REAL_DTYPES, max_pixels=60), st.sampled_from([0.4, 1.0, 2.0]))
def test_features_are_those_of_the_definition(image, sigma):
    got = segkit.pixel_features(image, ["intensity", "smooth", "position"], sigmas=[sigma])
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got[..., 0], image)
    np.testing.assert_allclose(got[..., 1], plain.smooth(image, sigma), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(got[..., 2:], plain.position(image.shape), rtol=1e-6)


def test_columns_come_in_the_order_of_names_then_sigmas_then_channels():
    image = np.random.default_rng(0).integers(0, 256, (7, 6, 3)).astype(np.uint8)
    got = segkit.pixel_features(image, ["smooth", "intensity"], sigmas=[1, 2], channel_axis=-1)
    assert got.shape == (7, 6, 9)
    np.testing.assert_array_equal(got[..., 6:], image)
    for k, sigma in enumerate((1, 2)):
        for c in range(3):
            one = segkit.pixel_features(image[..., c], ["smooth"], sigmas=[sigma])
            np.testing.assert_array_equal(got[..., 3 * k + c], one[..., 0])


def test_lab_of_known_colors():
    colors = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    wanted = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    got = segkit.pixel_features(colors, ["lab"], channel_axis=-1)
    np.testing.assert_allclose(got, wanted, atol=0.02)
    for same in (colors / 255, colors.astype(np.uint16) * 257, colors > 0):
        again = segkit.pixel_features(same, ["lab"], channel_axis=-1)
        np.testing.assert_allclose(again, wanted, atol=0.02)


def test_lab_of_floats_beyond_1_is_refused():
    with pytest.raises(ValueError, match="`image` must hold floats from 0 to 1"):
        segkit.pixel_features(np.full((2, 2, 3), 255.0), ["lab"], channel_axis=-1)
