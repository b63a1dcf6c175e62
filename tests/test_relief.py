"""segkit.gradient and segkit.local_minima against their plain versions and peers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import h_minima
from skimage.morphology import local_minima as peer_minima

import segkit
from segkit_ext.translate import translate

from .reference import relief as reference
from .strategies import REAL_DTYPES, connectivities, images, masks


@given(
    images(REAL_DTYPES, n_levels=7, max_pixels=60),
    st.sampled_from([0, 0.5, 1, 1.5, 2, 2.25, 3, 9]),
    st.data(),
)
def test_minima_equal_plain_version(relief, depth, data):
    options = {
        "depth": depth,
        "connectivity": data.draw(connectivities(relief.ndim)),
        "mask": data.draw(masks(relief.shape)),
    }
    np.testing.assert_array_equal(
        segkit.local_minima(relief, **options), reference.local_minima(relief, **options)
    )


@given(images((np.uint8, np.int32), n_levels=7, min_dims=2, max_dims=3, min_side=3), st.data())
def test_the_same_pixels_as_scikit_image(relief, data):
    connectivity = data.draw(connectivities(relief.ndim))
    if np.ptp(relief) == 0:
        return  # scikit-image has no minimum in a flat image
    ours = segkit.local_minima(relief, connectivity=connectivity)
    np.testing.assert_array_equal(ours > 0, peer_minima(relief, connectivity=connectivity))
    footprint = ndimage.generate_binary_structure(relief.ndim, connectivity)
    depth = data.draw(st.integers(1, int(np.ptp(relief))))
    ours = segkit.local_minima(relief, connectivity=connectivity, depth=depth)
    np.testing.assert_array_equal(ours > 0, h_minima(relief, depth, footprint))


def test_depth_is_exact_for_64_bit_integers():
    relief = np.array([0, 2**64 - 1, 5, 2**64 - 2, 0], np.uint64)
    np.testing.assert_array_equal(segkit.local_minima(relief, depth=2**64 - 7), [1, 0, 2, 0, 3])
    np.testing.assert_array_equal(segkit.local_minima(relief, depth=2**64 - 6), [1, 0, 0, 0, 2])
    # Deeper than the range of the type: what is left is one lowest minimum.
    np.testing.assert_array_equal(segkit.local_minima(relief, depth=2**80), [1, 0, 0, 0, 1])


def test_minima_that_the_raised_surface_joins_share_a_marker():
    np.testing.assert_array_equal(segkit.local_minima([9, 0, 2, 0, 9], depth=3), [0, 1, 0, 1, 0])
    np.testing.assert_array_equal(segkit.local_minima([9, 0, 4, 0, 9], depth=3), [0, 1, 0, 2, 0])


def test_a_fraction_of_a_grey_level_joins_nothing_that_a_whole_one_parts():
    assert segkit.local_minima([0, 1, 0], depth=0.5).tolist() == [1, 0, 2]
    assert segkit.local_minima([0, 1, 0], depth=1).tolist() == [1, 0, 1]
    relief = np.array([2**63 - 3, 2**63 - 1, 2**63 - 2], np.int64)
    assert segkit.local_minima(relief, depth=0.5).tolist() == [1, 0, 2]
    assert segkit.local_minima(relief, depth=1.5).tolist() == [1, 0, 0]


def test_infinite_heights():
    relief = [0, np.inf, -np.inf, 3, 2, 3]
    np.testing.assert_array_equal(segkit.local_minima(relief, depth=1), [1, 0, 2, 0, 3, 0])
    np.testing.assert_array_equal(segkit.local_minima(relief, depth=2), [1, 0, 2, 0, 0, 0])


@given(images(REAL_DTYPES, n_levels=9), st.booleans())
def test_gradient_equals_plain_version(image, channels):
    if channels and image.ndim > 1:
        got, expected = segkit.gradient(image, channel_axis=-1), reference.gradient(image)
    else:
        got, expected = segkit.gradient(image), reference.gradient(image[..., np.newaxis])
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


def test_gradient_at_a_scale_is_that_of_a_gaussian():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 50), dtype=np.uint8)
    expected = ndimage.gaussian_gradient_magnitude(image.astype(float), 2, mode="nearest")
    np.testing.assert_allclose(segkit.gradient(image, sigma=2), expected, rtol=1e-4, atol=1e-3)
    ramp = np.add.outer(3.0 * np.arange(60), 4.0 * np.arange(60))
    middle = segkit.gradient(ramp, sigma=1.5)[20:40, 20:40]
    np.testing.assert_allclose(middle, 5, rtol=1e-3)  # grey levels per pixel; SciPy cuts the tails


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: segkit.gradient([0, np.nan]), ValueError, "`image` must not hold NaN"),
        (lambda: segkit.gradient([0, np.inf]), ValueError, "`image` must not hold infinite"),
        (lambda: segkit.gradient([0, 1], sigma=-1), ValueError, "`sigma` must be a finite"),
        (lambda: segkit.gradient([0, 1], sigma="a"), TypeError, "`sigma` must be a finite"),
        (lambda: segkit.gradient([[0]], channel_axis=2), ValueError, "`channel_axis` must be"),
        (lambda: segkit.gradient([0j]), TypeError, "`image` has dtype complex128"),
        (lambda: segkit.local_minima([0, np.nan]), ValueError, "`relief` must not hold NaN"),
        (lambda: segkit.local_minima([0, 1], depth=-1), ValueError, "`depth` must be"),
        (lambda: segkit.local_minima([0, 1], depth=np.inf), ValueError, "`depth` must be"),
        (lambda: segkit.local_minima([0, 1], connectivity=2), ValueError, "`connectivity`"),
        (lambda: segkit.local_minima([0, 1], mask=[1]), ValueError, "`mask` has shape"),
        (lambda: segkit.local_minima("ab"), (TypeError, ValueError), "`relief`"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_empty_images():
    assert segkit.local_minima(np.zeros((0, 3))).shape == (0, 3)
    assert segkit.local_minima(np.zeros((0, 3)), depth=2).shape == (0, 3)
    assert segkit.gradient(np.zeros((0, 3))).shape == (0, 3)
    assert not segkit.local_minima([[1, 2]], mask=[[0, 0]], depth=1).any()


@given(st.lists(st.integers(0, 5), max_size=20), st.sampled_from([np.int32, np.int64]))
def test_translate_equals_plain_version(labels, dtype):
    table = [0, 7, 7, 1, 2, 9]
    found = np.array(labels, dtype=dtype)
    translate(found, np.array(table, dtype=dtype))
    np.testing.assert_array_equal(found, reference.translate(labels, table))


def test_gradient_of_large_and_small_values_neither_overflows_nor_vanishes():
    for size in (1e-30, 1e25, 3e38):
        relief = segkit.gradient(np.array([0, 0, size, size], dtype=np.float32))
        np.testing.assert_allclose(relief, [0, size / 2, size / 2, 0], rtol=1e-6)
    np.testing.assert_array_equal(segkit.gradient([0, 1e300]), [np.inf, np.inf])


@pytest.mark.parametrize("sigma", [10_001, 1e308, 10**300])
def test_gradient_refuses_a_sigma_that_cannot_be_sampled(sigma):
    with pytest.raises(ValueError, match="`sigma` must be a number of pixels from 0 to 10000"):
        segkit.gradient([1, 2, 3], sigma=sigma)


def test_a_depth_beyond_the_range_keeps_the_lowest_minimum_only():
    relief = np.array([0.5, 0.25, 0.5, 0.0, 0.25])
    for depth in (0.6, 1e17, 1e30, 1e308):
        np.testing.assert_array_equal(segkit.local_minima(relief, depth=depth), [0, 0, 0, 1, 0])
