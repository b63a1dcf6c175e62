"""Automatic seeds against the greedy choice written plainly, and their properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import find_seeds, gradient, region_growing
from tests import strategies as own
from tests.reference import growing as plain


@given(
    image=own.images(dtypes=own.REAL_DTYPES, max_pixels=80),
    min_distance=st.sampled_from((0, 1, 1.5, 2, 2.25, 5, 100)),
    n_seeds=st.none() | st.integers(1, 5),
    max_gradient=st.none() | st.sampled_from((0, 0.5, 1)),
    sigma=st.sampled_from((0, 1.0)),
    data=st.data(),
)
def test_flat_seeds_are_the_greedy_choice(image, min_distance, n_seeds, max_gradient, sigma, data):
    mask = data.draw(own.masks(image.shape))
    steepness = gradient(image, sigma=sigma)
    candidates = [
        pixel
        for pixel in np.ndindex(image.shape)
        if (mask is None or mask[pixel])
        and (max_gradient is None or steepness[pixel] <= max_gradient)
    ]
    candidates.sort(key=lambda pixel: steepness[pixel])  # stable: raster order among equals
    expected = plain.space_apart(candidates, min_distance, np.inf if n_seeds is None else n_seeds)
    markers = find_seeds(
        image, n_seeds=n_seeds, min_distance=min_distance, max_gradient=max_gradient,
        sigma=sigma, mask=mask,
    )  # fmt: skip
    assert list(zip(*np.nonzero(markers), strict=True)) == sorted(expected)
    assert markers[markers > 0].tolist() == list(range(1, len(expected) + 1))
    assert markers.dtype == np.int32


@given(
    image=own.images(max_pixels=80),
    min_distance=st.sampled_from((0, 1.5, 3)),
    n_seeds=st.none() | st.integers(1, 5),
    rng=st.integers(0, 5),
    data=st.data(),
)
def test_random_seeds_keep_their_distance_and_leave_no_room(
    image, min_distance, n_seeds, rng, data
):
    mask = data.draw(own.masks(image.shape))
    markers = find_seeds(
        image, method="random", n_seeds=n_seeds, min_distance=min_distance, rng=rng, mask=mask
    )
    seeds = list(zip(*np.nonzero(markers), strict=True))
    assert plain.space_apart(seeds, min_distance) == seeds
    if mask is not None:
        assert all(mask[seed] for seed in seeds)
    if n_seeds is None:
        allowed = [p for p in np.ndindex(image.shape) if mask is None or mask[p]]
        allowed = [p for p in allowed if not markers[p]]
        assert len(plain.space_apart([*seeds, *allowed], min_distance)) == len(seeds)
    again = find_seeds(
        image, method="random", n_seeds=n_seeds, min_distance=min_distance, mask=mask,
        rng=np.random.default_rng(rng),
    )  # fmt: skip
    np.testing.assert_array_equal(markers, again)


def test_random_seeds_are_as_likely_everywhere():
    counts = np.zeros(6)
    generator = np.random.default_rng(1)
    for _ in range(1200):
        counts += find_seeds(np.zeros(6), method="random", n_seeds=1, rng=generator)
    assert counts.sum() == 1200
    assert (abs(counts - 200) < 60).all()


def test_flat_seeds_avoid_edges():
    image = np.zeros((40, 40), np.uint8)
    image[:, 20:] = 200
    markers = find_seeds(image, n_seeds=30)
    assert not markers[:, 17:23].any()
    labels = region_growing(image, markers, tolerance=50)
    assert labels.all()


def test_color_seeds_see_edges_of_any_channel():
    image = np.zeros((20, 20, 3))
    image[:, 10:, 2] = 100
    markers = find_seeds(image, max_gradient=0, sigma=0, min_distance=1, channel_axis=-1)
    expected = np.ones((20, 20), bool)
    expected[:, 9:11] = False
    np.testing.assert_array_equal(markers > 0, expected)


def test_no_pixel_may_be_a_seed():
    ramp = np.arange(20.0)
    assert not find_seeds(ramp, max_gradient=0.25, sigma=0).any()
    assert not find_seeds(ramp, mask=np.zeros(20, bool)).any()
    assert find_seeds(np.zeros((0, 4))).shape == (0, 4)


@pytest.mark.parametrize(
    ("error", "match", "options"),
    [
        (ValueError, "`n_seeds` must be an integer >= 1, got 0", {"n_seeds": 0}),
        (TypeError, "`n_seeds` must be", {"n_seeds": 2.5}),
        (ValueError, '`method` must be one of "flat", "random"', {"method": "steep"}),
        (ValueError, "`min_distance` must be a finite number >= 0", {"min_distance": -1}),
        (ValueError, "`min_distance` must be", {"min_distance": np.inf}),
        (ValueError, "`max_gradient` must be", {"max_gradient": np.nan}),
        (ValueError, "`sigma` must be", {"sigma": -0.5}),
        (ValueError, "`rng` must be", {"rng": -1}),
        (TypeError, "`rng` must be", {"rng": "1"}),
        (ValueError, "`mask` has shape", {"mask": np.ones((4, 4), bool)}),
        (TypeError, "`mask` must be bool", {"mask": np.ones((4, 5))}),
        (ValueError, "`channel_axis` must be an axis", {"channel_axis": 2}),
    ],
)
def test_bad_options_are_refused(error, match, options):
    with pytest.raises(error, match=match):
        find_seeds(np.zeros((4, 5)), **options)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_without_a_gradient_are_refused(value):
    with pytest.raises(ValueError, match="`image` must not hold"):
        find_seeds([1.0, value, 2.0])


def test_a_mask_beside_an_image_taken_as_a_volume_suggests_the_channel_axis():
    with pytest.raises(ValueError, match="channel_axis=-1"):
        find_seeds(np.zeros((4, 5, 3)), mask=np.ones((4, 5), bool))


def test_seeds_further_apart_than_the_image_are_one_seed():
    for distance in (10, 1e18, 1e308, 10**300):
        markers = find_seeds(np.zeros((3, 4)), min_distance=distance)
        assert markers.sum() == 1


def test_a_max_gradient_beyond_float32_excludes_nothing():
    markers = find_seeds([0, 9, 0], max_gradient=1e308, min_distance=0)
    np.testing.assert_array_equal(markers, [1, 2, 3])
