"""Region growing against its plain version, other libraries, and its own properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import region_growing
from tests import strategies as own
from tests.reference import growing as plain

FIXED = ("neighbor", "seed")
CRITERIA = (*FIXED, "region")
TOLERANCES = (0, 1, 2, 0.5, 1.5, 2.25)


@st.composite
def cases(draw, dtypes=own.REAL_DTYPES, max_channels=3, nan=True, n_seeds=3, **shape_options):
    """Image with channels last, seeds {id: pixels}, mask, connectivity."""
    options = {"max_pixels": 60, **shape_options}
    shape = draw(own.shapes(**options))
    n_channels = draw(st.integers(1, max_channels))
    image = draw(own.images(dtypes=dtypes, shape=(*shape, n_channels)))
    mask = draw(own.masks(shape))
    pixels = list(np.ndindex(shape))
    chosen = draw(st.lists(st.sampled_from(pixels), min_size=1, max_size=6, unique=True))
    ids = draw(st.lists(st.integers(1, n_seeds), min_size=len(chosen), max_size=len(chosen)))
    seeds = {}
    for pixel, label in zip(chosen, ids, strict=True):
        seeds.setdefault(7 * label + 2, []).append(pixel)
    if mask is not None:
        for pixel in chosen:
            mask[pixel] = True
    if nan and image.dtype.kind == "f" and draw(st.booleans()):
        hole = draw(st.sampled_from(pixels))
        if hole not in chosen:
            image[hole] = np.nan
    return image, seeds, mask, draw(own.connectivities(len(shape)))


def marker_image(seeds, shape, dtype=np.int64):
    markers = np.zeros(shape, dtype)
    for label, pixels in seeds.items():
        for pixel in pixels:
            markers[pixel] = label
    return markers


def rule(criterion, picture, seeds, tolerance):
    if criterion == "neighbor":
        return plain.neighbor_rule(picture, tolerance)
    return plain.seed_rule(picture, seeds, tolerance)


def plain_growth(criterion, picture, seeds, tolerance, max_steps=np.inf):
    if criterion == "region":
        tolerance = np.inf if tolerance is None else tolerance
        return plain.adams_bischof(picture, seeds, tolerance, max_steps)
    qualifies = rule(criterion, picture, seeds, tolerance)
    return plain.grow_in_turn(picture, seeds, qualifies, max_steps)


@pytest.mark.parametrize("criterion", FIXED)
@given(case=cases(n_seeds=1), tolerance=st.sampled_from(TOLERANCES))
def test_one_seed_grows_as_the_textbook_recursion(criterion, case, tolerance):
    image, seeds, mask, connectivity = case
    picture = plain.Picture(image, connectivity, mask)
    (pixels,) = seeds.values()
    qualifies = rule(criterion, picture, seeds, tolerance)
    region = plain.grow_recursively(picture, pixels, lambda p, q: qualifies(p, q, *seeds))
    labels = region_growing(
        image, marker_image(seeds, picture.shape), criterion=criterion, tolerance=tolerance,
        mask=mask, connectivity=connectivity, channel_axis=-1,
    )  # fmt: skip
    assert set(zip(*np.nonzero(labels), strict=True)) == region


@given(
    case=cases(n_seeds=1, max_channels=1, max_dims=3, max_pixels=12),
    width=st.integers(16, 140),
    tolerance=st.sampled_from(TOLERANCES),
    data=st.data(),
)
def test_one_seed_grows_by_words_as_by_pixels(case, width, tolerance, data):
    small, seeds, _, connectivity = case
    shape = (*small.shape[:-1], width)
    image = data.draw(own.images(dtypes=(small.dtype,), shape=shape, n_levels=3))
    (pixels,) = seeds.values()
    seeds = {9: [(*pixel, data.draw(st.integers(0, width - 1))) for pixel in pixels]}
    picture = plain.Picture(image[..., np.newaxis], connectivity)
    qualifies = plain.seed_rule(picture, seeds, tolerance)
    min_size = data.draw(st.sampled_from((1, 5)))
    expected = plain.grow_in_turn(picture, seeds, qualifies)
    if np.count_nonzero(expected) < min_size:
        expected[...] = 0
    labels = region_growing(
        image, marker_image(seeds, shape), criterion="seed", tolerance=tolerance,
        connectivity=connectivity, min_size=min_size,
    )  # fmt: skip
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("criterion", CRITERIA)
@given(case=cases(), tolerance=st.sampled_from(TOLERANCES), data=st.data())
def test_competing_seeds_share_the_image_as_the_plain_version_says(
    criterion, case, tolerance, data
):
    image, seeds, mask, connectivity = case
    max_steps = data.draw(st.none() | st.integers(0, 12))
    if criterion == "region" and data.draw(st.booleans()):
        tolerance = None
    picture = plain.Picture(image, connectivity, mask)
    expected = plain_growth(
        criterion, picture, seeds, tolerance, np.inf if max_steps is None else max_steps
    )
    labels = region_growing(
        image, marker_image(seeds, picture.shape), criterion=criterion, tolerance=tolerance,
        mask=mask, connectivity=connectivity, channel_axis=-1, max_steps=max_steps,
    )  # fmt: skip
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == np.int32


@pytest.mark.parametrize("criterion", CRITERIA)
@given(case=cases(max_pixels=36), tolerance=st.sampled_from(TOLERANCES), data=st.data())
def test_without_seeds_one_region_grows_after_another(criterion, case, tolerance, data):
    image, _, mask, connectivity = case
    max_steps = data.draw(st.none() | st.integers(0, 12))
    min_size = data.draw(st.integers(1, 3))

    def grow(picture, seeds, steps):
        return plain_growth(criterion, picture, seeds, tolerance, steps)

    picture = plain.Picture(image, connectivity, mask)
    expected = plain.grow_unseeded(picture, grow, np.inf if max_steps is None else max_steps)
    labels = region_growing(
        image, criterion=criterion, tolerance=tolerance, min_size=min_size, mask=mask,
        connectivity=connectivity, channel_axis=-1, max_steps=max_steps,
    )  # fmt: skip
    np.testing.assert_array_equal(labels, plain.without_small(expected, min_size))


@given(
    case=cases(max_channels=1),
    multiplier=st.sampled_from([0, 0.5, 1, 2, 2.5]),
    iterations=st.integers(0, 4),
    max_steps=st.none() | st.integers(0, 12),
)
def test_confidence_grows_as_the_plain_version_says(case, multiplier, iterations, max_steps):
    image, seeds, mask, connectivity = case
    picture = plain.Picture(image, connectivity, mask)
    intervals = plain.confidence_intervals(picture, seeds, multiplier, iterations)
    expected = plain.grow_in_turn(
        picture, seeds, plain.interval_rule(picture, intervals),
        np.inf if max_steps is None else max_steps,
    )  # fmt: skip
    labels = region_growing(
        image[..., 0], marker_image(seeds, picture.shape), criterion="confidence",
        multiplier=multiplier, iterations=iterations, max_steps=max_steps, mask=mask,
        connectivity=connectivity,
    )  # fmt: skip
    np.testing.assert_array_equal(labels, expected)
