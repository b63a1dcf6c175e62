"""Changes of training images: what moves, moves together; what has no meaning is taken away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import exposure

from segkit import training
from tests.strategies import INTEGER_DTYPES

SIDES = st.integers(1, 9)
SEEDS = st.integers(0, 2**20)


def marked(rows, columns, channels=None):
    """Return an image and an annotation in which each pixel says where it is from."""
    annotation = np.arange(1, rows * columns + 1).reshape(rows, columns)
    image = annotation.astype(np.int32)
    if channels:
        image = np.stack([image + 1000 * c for c in range(channels)], axis=-1)
    return image, annotation


@given(SIDES, SIDES, SEEDS, st.booleans(), st.booleans())
def test_image_and_annotation_move_together(rows, columns, seed, flips, turns):
    image, annotation = marked(rows, columns)
    pair = training.augment(image, annotation, flips=flips, quarter_turns=turns, rng=seed)
    assert pair.image.shape == image.shape
    assert np.array_equal(pair.image, pair.annotation)
    assert sorted(pair.image.flat) == sorted(image.flat)


def symmetries(image):
    """Return the eight ways to lay a square down."""
    return [np.rot90(side, k) for side in (image, image[:, ::-1]) for k in range(4)]


def test_all_eight_symmetries_of_a_square_come_up_and_nothing_else():
    image, annotation = marked(3, 3)
    found = {training.augment(image, annotation, rng=seed).image.tobytes() for seed in range(300)}
    assert found == {np.ascontiguousarray(each).tobytes() for each in symmetries(image)}


def test_an_oblong_image_keeps_its_shape_and_has_four_symmetries():
    image, annotation = marked(2, 3)
    found = {training.augment(image, annotation, rng=s).image.tobytes() for s in range(200)}
    wanted = [each for each in symmetries(image) if each.shape == image.shape]
    assert found == {np.ascontiguousarray(each).tobytes() for each in wanted}


@given(SIDES, SIDES, SIDES, SIDES, SEEDS)
def test_a_crop_is_a_part_of_the_image_or_holds_all_of_it(rows, columns, high, wide, seed):
    image, annotation = marked(rows, columns)
    pair = training.augment(
        image, annotation, flips=False, quarter_turns=False, crop=(high, wide), rng=seed
    )
    assert pair.image.shape == pair.annotation.shape == (high, wide)
    known = pair.annotation > 0
    assert np.array_equal(pair.image[known], pair.annotation[known])
    assert known.sum() == min(rows, high) * min(columns, wide)
    assert len(set(pair.annotation[known])) == known.sum()  # nothing twice


def test_where_a_crop_is_larger_the_image_is_reflected_and_nothing_is_annotated():
    pair = training.augment([[1, 2, 3]], [[1, 1, 2]], flips=False, quarter_turns=False, crop=(1, 5))
    assert pair.image.tolist() == [[1, 1, 2, 3, 3]]
    assert pair.annotation.tolist() == [[0, 1, 1, 2, 0]]


@given(st.floats(0.3, 3), SEEDS)
def test_scaling_keeps_shape_and_classes(factor, seed):
    annotation = np.ones((8, 10), int)
    annotation[3:] = 4
    image = np.where(annotation == 4, 200, 10).astype(np.uint8)
    pair = training.augment(image, annotation, scale=(factor, factor), rng=seed)
    assert pair.image.shape == (8, 10)
    assert set(np.unique(pair.annotation)) <= {0, 1, 4}
    inner = np.abs(pair.image.astype(int) - 105) == 95  # away from the blended edge
    known = inner & (pair.annotation > 0)
    assert np.array_equal(pair.image[known] == 200, pair.annotation[known] == 4)


def test_enlarging_by_two_repeats_the_annotation():
    image, annotation = marked(3, 3)
    pair = training.augment(
        image, annotation, flips=False, quarter_turns=False, scale=(2, 2), crop=(6, 6)
    )
    assert np.array_equal(pair.annotation, annotation.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("dtype", [*INTEGER_DTYPES, np.float32, np.float64])
def test_light_leaves_annotation_and_dtype_alone(dtype):
    image = (np.arange(100).reshape(10, 10) % 64 // 32 * 50).astype(dtype)
    annotation = np.arange(100).reshape(10, 10) % 3
    pair = training.augment(
        image, annotation, flips=False, quarter_turns=False,
        brightness=0.2, contrast=0.5, noise=0.05, rng=3,
    )  # fmt: skip
    assert pair.image.dtype == dtype
    assert np.array_equal(pair.annotation, annotation)
    assert image.dtype.kind == "b" or not np.array_equal(pair.image, image)


def test_light_is_cut_off_at_the_ends_of_the_dtype():
    image = np.array([[0, 255]], dtype=np.uint8)
    for seed in range(20):
        pair = training.augment(
            image, [[1, 1]], flips=False, quarter_turns=False, brightness=0.5, rng=seed
        )
        dark, light = pair.image[0]
        assert dark < light  # 255 + 60 is 255, not 59
        assert dark == 0 or light == 255


def test_64_bit_values_do_not_wrap():
    image = np.array([[0, 2**64 - 1]], dtype=np.uint64)
    pair = training.augment(image, [[1, 1]], flips=False, quarter_turns=False, contrast=5, rng=1)
    assert pair.image[0, 0] == 0
    assert pair.image[0, 1] > 2**63


def test_amounts_are_parts_of_the_range():
    image = np.full((64, 64), 100.0)
    image[0, 0], image[0, 1] = 0, 200
    pair = training.augment(image, np.ones((64, 64), int), flips=False, noise=0.05, rng=1)
    assert 8 < pair.image.std() < 12
    shifts = [
        training.augment(image, np.ones((64, 64), int), brightness=0.1, rng=s).image.mean() - 100
        for s in range(50)
    ]
    assert -20 <= min(shifts) < -10
    assert 10 < max(shifts) <= 20


@given(SEEDS)
def test_the_same_seed_gives_the_same_and_inputs_stay(seed):
    image, annotation = marked(5, 7, channels=3)
    before = image.copy(), annotation.copy()
    options = {"crop": (4, 4), "scale": (0.5, 2), "brightness": 0.1, "noise": 0.1, "rng": seed}
    one = training.augment(image, annotation, channel_axis=-1, **options)
    two = training.augment(image, annotation, channel_axis=-1, **options)
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.annotation, two.annotation)
    assert one.image.shape == (4, 4, 3)
    assert np.array_equal(image, before[0])
    assert np.array_equal(annotation, before[1])


def test_channels_may_come_first():
    image, annotation = marked(4, 4, channels=3)
    last = training.augment(image, annotation, rng=5, channel_axis=-1)
    first = training.augment(np.moveaxis(image, -1, 0), annotation, rng=5, channel_axis=0)
    assert np.array_equal(np.moveaxis(first.image, 0, -1), last.image)


IMAGE = np.zeros((3, 4))


@pytest.mark.parametrize(
    ("error", "name", "arguments"),
    [
        (TypeError, "image", {"image": IMAGE.astype(complex)}),
        (TypeError, "annotation", {"annotation": IMAGE}),
        (ValueError, "annotation", {"annotation": np.ones((3, 5), int)}),
        (ValueError, "annotation", {"annotation": -np.ones((3, 4), int)}),
        (ValueError, "image", {"image": np.zeros((3, 4, 3))}),
        (ValueError, "image", {"image": IMAGE * np.nan}),
        (ValueError, "image", {"image": np.zeros((0, 4)), "annotation": np.zeros((0, 4), int)}),
        (ValueError, "crop", {"crop": 3}),
        (ValueError, "crop", {"crop": (0, 3)}),
        (ValueError, "scale", {"scale": (2, 1)}),
        (ValueError, "scale", {"scale": (0, 1)}),
        (ValueError, "scale", {"scale": (1, 1e9)}),
        (ValueError, "brightness", {"brightness": -1}),
        (ValueError, "contrast", {"contrast": np.nan}),
        (TypeError, "noise", {"noise": "much"}),
        (TypeError, "rng", {"rng": "a"}),
    ],
)
def test_bad_input(error, name, arguments):
    with pytest.raises(error, match=f"`{name}`"):
        training.augment(**{"image": IMAGE, "annotation": np.ones((3, 4), int), **arguments})


# Preparing


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_equalized_values_are_the_part_at_most_as_bright(values):
    image = np.array([values])
    wanted = [sum(other <= value for other in values) / len(values) for value in values]
    assert np.allclose(training.equalize(image)[0], wanted, atol=1e-6)


def test_equalize_is_that_of_scikit_image():
    image = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
    assert np.abs(training.equalize(image) - exposure.equalize_hist(image)).max() < 1e-6


def test_equalize_is_unchanged_by_an_increasing_change():
    image = np.random.default_rng(0).integers(0, 9, (6, 7))
    assert np.array_equal(training.equalize(image), training.equalize(np.exp(image) - 5))


def test_white_images_have_mean_0_and_deviation_1_in_each_channel():
    image = np.random.default_rng(0).normal(7, 3, (5, 9, 8)) * np.arange(1, 6)[:, None, None]
    white = training.whiten(image, channel_axis=0)
    assert np.abs(white.mean(axis=(1, 2))).max() < 1e-6
    assert np.abs(white.std(axis=(1, 2)) - 1).max() < 1e-6
    assert not training.whiten(np.full((3, 3), 8)).any()  # not NaN


@pytest.mark.parametrize("function", [training.equalize, training.whiten])
def test_preparing_bad_input(function):
    assert function(np.zeros((0, 3))).shape == (0, 3)
    with pytest.raises(ValueError, match="`image`"):
        function([[np.nan, 1]])
    with pytest.raises(TypeError, match="`image`"):
        function([["a"]])
    with pytest.raises(ValueError, match="`channel_axis`"):
        function(np.zeros((3, 3)), channel_axis=5)
