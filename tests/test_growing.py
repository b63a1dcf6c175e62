"""Region growing against its plain version, other libraries, and its own properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import connected_components, region_growing
from tests import strategies as own
from tests.reference import growing as plain

FIXED = ("neighbor", "seed")
CRITERIA = (*FIXED, "region")
ALL = (*CRITERIA, "confidence")
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
    lead=st.just(()) | own.shapes(max_dims=3, max_pixels=12),
    width=st.integers(16, 140),
    tolerance=st.sampled_from(TOLERANCES),
    data=st.data(),
)
def test_one_seed_grows_by_words_as_by_pixels(lead, width, tolerance, data):
    shape = (*lead, width)
    image = data.draw(own.images(dtypes=own.REAL_DTYPES, shape=shape, n_levels=3))
    pixel = st.tuples(*(st.integers(0, side - 1) for side in shape))
    pixels = data.draw(st.lists(pixel, min_size=1, max_size=3, unique=True))
    mask = data.draw(own.masks(shape))
    if image.dtype.kind == "f" and data.draw(st.booleans()):
        image[data.draw(pixel)] = np.nan
        image[tuple(np.transpose(pixels))] = 1
    if mask is not None:
        mask |= np.arange(width) % 4 > 0  # dense enough to be crossed
        mask[tuple(np.transpose(pixels))] = True
    connectivity = data.draw(own.connectivities(len(shape)))
    min_size = data.draw(st.sampled_from((1, 5)))
    seeds = {9: pixels}
    picture = plain.Picture(image[..., np.newaxis], connectivity, mask)
    qualifies = plain.seed_rule(picture, seeds, tolerance)
    expected = plain.grow_in_turn(picture, seeds, qualifies)
    if np.count_nonzero(expected) < min_size:
        expected[...] = 0
    labels = region_growing(
        image, marker_image(seeds, shape), criterion="seed", tolerance=tolerance,
        connectivity=connectivity, min_size=min_size, mask=mask,
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


# Other libraries


@given(case=cases(dtypes=(np.uint8, np.int32, np.float64), max_channels=1, nan=False))
def test_one_point_grows_as_scikit_image_floods(case):
    from skimage.segmentation import flood

    image, seeds, _, connectivity = case
    image = image[..., 0]
    point = min(pixel for pixels in seeds.values() for pixel in pixels)
    labels = region_growing(
        image, [point], criterion="seed", tolerance=1, connectivity=connectivity
    )
    expected = flood(image, point, tolerance=1, connectivity=connectivity)
    np.testing.assert_array_equal(labels, expected)


@given(image=own.images(dtypes=(np.uint8,), min_dims=2, max_dims=2, n_levels=6), data=st.data())
def test_one_point_grows_as_opencv_fills_with_a_floating_range(image, data):
    import cv2

    row, col = data.draw(st.sampled_from(list(np.ndindex(image.shape))))
    mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
    flags = 4 | (1 << 8) | cv2.FLOODFILL_MASK_ONLY
    cv2.floodFill(image.copy(), mask, (col, row), 0, 1, 1, flags)
    labels = region_growing(image, [(row, col)], criterion="neighbor", tolerance=1)
    np.testing.assert_array_equal(labels, mask[1:-1, 1:-1])


@given(
    image=own.images(dtypes=(np.float64,), min_dims=2, max_dims=3, n_levels=4),
    multiplier=st.sampled_from((0.7, 1.3, 2.5)),
    iterations=st.integers(0, 3),
    data=st.data(),
)
def test_confidence_is_that_of_itk(image, multiplier, iterations, data):
    sitk = pytest.importorskip("SimpleITK")
    image = image + data.draw(own.images(dtypes=(np.float64,), shape=image.shape)) / 8
    point = data.draw(st.sampled_from(list(np.ndindex(image.shape))))
    labels = region_growing(
        image, [point], criterion="confidence", multiplier=multiplier, iterations=iterations
    )
    expected = sitk.GetArrayFromImage(
        sitk.ConfidenceConnected(
            sitk.GetImageFromArray(image), seedList=[point[::-1]], multiplier=multiplier,
            numberOfIterations=iterations, initialNeighborhoodRadius=1, replaceValue=1,
        )
    )  # fmt: skip
    if expected.any():  # of one pixel ITK estimates no deviation, and drops the region
        np.testing.assert_array_equal(labels, expected)
    else:
        assert np.count_nonzero(labels) == 1


@given(
    image=own.images(dtypes=(np.uint8, np.int64, np.float32), max_pixels=100),
    tolerance=st.integers(0, 2),
    data=st.data(),
)
def test_unseeded_neighbor_growing_gives_the_quasi_flat_zones(image, tolerance, data):
    mask = data.draw(own.masks(image.shape))
    connectivity = data.draw(own.connectivities(image.ndim))
    labels = region_growing(
        image, criterion="neighbor", tolerance=tolerance, connectivity=connectivity, mask=mask
    )
    zones = connected_components(
        image, tolerance=tolerance, connectivity=connectivity, mask=mask, background=None
    )
    np.testing.assert_array_equal(labels, zones)


# Properties


def options_for(criterion):
    return {} if criterion == "confidence" else {"tolerance": 1}


@pytest.mark.parametrize("criterion", ALL)
@given(case=cases(max_channels=1), data=st.data())
def test_regions_hold_their_seeds_are_connected_and_stay_inside(criterion, case, data):
    image, seeds, mask, connectivity = case
    image = image[..., 0]
    before = image.copy()
    markers = marker_image(seeds, image.shape)
    labels = region_growing(
        image, markers, criterion=criterion, connectivity=connectivity, mask=mask,
        **options_for(criterion),
    )  # fmt: skip
    np.testing.assert_array_equal(labels[markers > 0], markers[markers > 0])
    if mask is not None:
        assert not labels[~mask].any()
    if image.dtype.kind == "f":
        assert not labels[np.isnan(image)].any()
    parts = connected_components(labels, connectivity=connectivity)
    for part in range(1, parts.max() + 1):  # every part of a region is held by a seed pixel
        assert markers[parts == part].any()
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("criterion", ALL)
@given(case=cases(max_channels=1, dtypes=(np.uint8, np.float32)), data=st.data())
def test_the_order_of_points_does_not_matter(criterion, case, data):
    image, seeds, _, _ = case
    image = image[..., 0]
    points = sorted({pixel for pixels in seeds.values() for pixel in pixels})
    order = data.draw(st.permutations(range(len(points))))
    options = options_for(criterion)
    labels = region_growing(image, points, criterion=criterion, **options)
    shuffled = region_growing(image, [points[k] for k in order], criterion=criterion, **options)
    back = np.array([0, *(k + 1 for k in order)])
    np.testing.assert_array_equal(back[shuffled], labels)


@pytest.mark.parametrize("criterion", FIXED)
@given(case=cases(n_seeds=1, max_channels=1, dtypes=(np.int16, np.uint8)), data=st.data())
def test_one_seed_grows_with_tolerance_and_knows_no_direction(criterion, case, data):
    image, seeds, _, connectivity = case
    image = image[..., 0] + image.dtype.type(3)
    markers = marker_image(seeds, image.shape)
    options = {"criterion": criterion, "connectivity": connectivity}
    labels = region_growing(image, markers, tolerance=1, **options)
    more = region_growing(image, markers, tolerance=2, **options)
    assert not (labels.astype(bool) & ~more.astype(bool)).any()
    shifted = region_growing(image + image.dtype.type(50), markers, tolerance=1, **options)
    np.testing.assert_array_equal(shifted, labels)
    axis = data.draw(st.integers(0, image.ndim - 1))
    flipped = region_growing(np.flip(image, axis), np.flip(markers, axis), tolerance=1, **options)
    np.testing.assert_array_equal(np.flip(flipped, axis), labels)
    swapped = region_growing(image.T, markers.T, tolerance=1, **options)
    np.testing.assert_array_equal(swapped.T, labels)


@pytest.mark.parametrize("criterion", ALL)
@given(case=cases(max_channels=1, dtypes=(np.uint8, np.int32, np.float64)), data=st.data())
def test_memory_layout_and_byte_order_do_not_matter(criterion, case, data):
    image, seeds, mask, connectivity = case
    image = image[..., 0]
    markers = marker_image(seeds, image.shape)
    options = {"criterion": criterion, "connectivity": connectivity, **options_for(criterion)}
    labels = region_growing(image, markers, mask=mask, **options)
    strided = np.repeat(image[..., np.newaxis], 2, axis=-1)[..., 0]
    frozen = image.copy()
    frozen.flags.writeable = False
    for other in (
        np.asfortranarray(image), strided, frozen, image.tolist(),
        image.astype(image.dtype.newbyteorder()), np.flip(np.flip(image).copy()),
    ):  # fmt: skip
        again = region_growing(other, np.asfortranarray(markers), mask=mask, **options)
        np.testing.assert_array_equal(again, labels)
        assert again.flags.c_contiguous


def test_labels_of_steps_lead_to_the_result_one_pixel_at_a_time():
    image = np.random.default_rng(0).integers(0, 9, (7, 9))
    points = [(1, 1), (5, 7)]
    for criterion in ALL:
        options = {"criterion": criterion, **options_for(criterion)}
        final = region_growing(image, points, **options)
        total = np.count_nonzero(final) - len(points)
        before = region_growing(image, points, max_steps=0, **options)
        assert np.count_nonzero(before) == len(points)
        for steps in range(1, total + 2):
            labels = region_growing(image, points, max_steps=steps, **options)
            assert np.count_nonzero(labels) == len(points) + min(steps, total)
            np.testing.assert_array_equal(labels[before > 0], before[before > 0])
            before = labels
        np.testing.assert_array_equal(before, final)


# Single cases


def test_differences_never_wrap():
    image = np.array([250, 5, 250], np.uint8)
    assert region_growing(image, [0], criterion="neighbor", tolerance=244).tolist() == [1, 0, 0]
    assert region_growing(image, [0], criterion="neighbor", tolerance=245).tolist() == [1, 1, 1]
    assert region_growing(image, [1], criterion="seed", tolerance=11).tolist() == [0, 1, 0]


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_64_bit_integers_are_compared_exactly(criterion, dtype):
    high = np.iinfo(dtype).max
    image = np.array([high - 3, high, high - 1, high - 2], dtype)
    labels = region_growing(image, [1], criterion=criterion, tolerance=1)
    assert labels.tolist()[:3] == [0, 1, 1]
    low = np.iinfo(dtype).min
    image = np.array([low, high], dtype)
    for tolerance, expected in ((2**64 - 2, [1, 0]), (2**64 - 1, [1, 1])):
        if dtype == np.int64 and criterion == "region":
            continue  # distances are in double there, and 2**64 - 1 is none
        if dtype == np.uint64 and criterion == "region":
            continue
        labels = region_growing(image, [0], criterion=criterion, tolerance=tolerance)
        assert labels.tolist() == expected


def test_wide_integers_of_several_channels_do_not_wrap():
    image = np.array([[0, 0], [3 * 10**9, 4 * 10**9], [2**62, -(2**62)]], np.int64)
    options = {"criterion": "seed", "channel_axis": -1}
    assert region_growing(image, [0], tolerance=5 * 10**9, **options).tolist() == [1, 1, 0]
    assert region_growing(image, [0], tolerance=5 * 10**9 - 1, **options).tolist() == [1, 0, 0]


def test_equal_infinities_are_equal_and_far_from_all_else():
    image = np.array([np.inf, np.inf, 1, -np.inf, -np.inf])
    for criterion in FIXED:
        labels = region_growing(image, [0, 4], criterion=criterion, tolerance=1e300)
        assert labels.tolist() == [1, 1, 0, 2, 2]
        pixels = np.stack([image, image], axis=-1)
        labels = region_growing(
            pixels, [0, 4], criterion=criterion, tolerance=1e300, channel_axis=-1
        )
        assert labels.tolist() == [1, 1, 0, 2, 2]
    wide = np.full((3, 40), np.inf)
    wide[1] = 0
    labels = region_growing(wide, [(0, 5)], criterion="seed", tolerance=2)
    assert labels.sum() == 40


def test_sparse_and_huge_ids_are_kept():
    image = np.zeros(6, np.uint8)
    markers = np.array([7, 0, 0, 0, 0, 2**40])
    labels = region_growing(image, markers)
    assert labels.dtype == np.int64
    assert labels.tolist() == [7, 7, 7, 7, 2**40, 2**40]  # a tie in the middle
    assert region_growing(image, markers.clip(0, 9)).dtype == np.int32
    wide = np.zeros((2, 70), np.uint8)
    ids = np.zeros(wide.shape, np.uint64)
    ids[1, 3] = 2**40
    labels = region_growing(wide, ids, criterion="seed", tolerance=0)
    assert labels.dtype == np.int64
    assert (labels == 2**40).all()


def test_bool_markers_are_one_seed():
    markers = np.array([True, False, False, True])
    assert region_growing([1, 1, 9, 9], markers, criterion="seed", tolerance=4).tolist() == [1] * 4


def test_an_array_of_the_shape_of_the_image_is_a_marker_image_and_a_list_is_points():
    image = np.zeros((2, 2), np.uint8)
    image[1] = 9
    seeds = [[0, 0], [1, 0]]
    by_points = region_growing(image, seeds, tolerance=1)
    assert by_points.tolist() == [[1, 1], [2, 2]]
    by_markers = region_growing(image, np.array(seeds), tolerance=1)
    assert by_markers.tolist() == [[0, 0], [1, 1]]
    image = np.zeros((2, 3), np.uint8)
    assert region_growing(image, np.array([[1, 2], [0, 0]])).max() == 2
    assert region_growing(image, [[0, 0, 5], [0, 0, 0]]).tolist() == [[5] * 3] * 2


def test_small_regions_are_removed_and_ids_of_seeds_kept():
    image = [0, 5, 9, 9, 9, 0, 0]
    labels = region_growing(image, criterion="seed", tolerance=1, min_size=2)
    assert labels.tolist() == [0, 0, 1, 1, 1, 2, 2]
    labels = region_growing(image, [1, 3], criterion="seed", tolerance=1, min_size=2)
    assert labels.tolist() == [0, 0, 2, 2, 2, 0, 0]


def test_a_spiral_of_one_pixel_width_is_followed_to_its_end():
    side = 401
    image = np.zeros((side, side), np.uint8)
    top, left, bottom, right = 0, 0, side - 1, side - 1
    while top <= bottom and left <= right:
        image[top, max(left - 2, 0) : right + 1] = 1
        image[top : bottom + 1, right] = 1
        image[bottom, left : right + 1] = 1
        image[top + 2 : bottom + 1, left] = 1
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    for criterion in CRITERIA:
        labels = region_growing(image, [(0, 0)], criterion=criterion, tolerance=0)
        np.testing.assert_array_equal(labels, image)


def test_empty_images_have_no_regions():
    for shape in ((0,), (0, 5), (3, 0, 2)):
        labels = region_growing(np.zeros(shape), tolerance=1)
        assert labels.shape == shape
    assert not region_growing(np.zeros((3, 4)), tolerance=1, mask=np.zeros((3, 4), bool)).any()


def test_one_pixel_grows_into_itself():
    for ndim in range(1, 5):
        image = np.full((1,) * ndim, 7, np.uint8)
        for criterion in ALL:
            options = {"criterion": criterion, **options_for(criterion)}
            assert (
                region_growing(image, [(0,) * ndim], **options).tolist()
                == np.ones_like(image).tolist()
            )


# Bad input


IMAGE = np.arange(20, dtype=np.uint8).reshape(4, 5)
POINT = [(1, 1)]


@pytest.mark.parametrize(
    ("error", "match", "options"),
    [
        (ValueError, "`tolerance` must be a finite number >= 0", {"tolerance": -1}),
        (ValueError, "`tolerance` must be a finite number >= 0", {"tolerance": np.nan}),
        (ValueError, "`tolerance` must be a finite number >= 0", {"tolerance": np.inf}),
        (TypeError, "`tolerance` must be a finite number", {"tolerance": "1"}),
        (ValueError, "`tolerance` .* criterion \"seed\"", {"criterion": "seed"}),
        (ValueError, "`tolerance` .* criterion \"neighbor\"", {"criterion": "neighbor"}),
        (ValueError, "`tolerance` .* without seeds", {"seeds": None}),
        (ValueError, "`seeds` must be given", {"seeds": None, "criterion": "confidence"}),
        (ValueError, "`multiplier` must be", {"multiplier": -1}),
        (ValueError, "`multiplier` must be", {"multiplier": np.nan}),
        (ValueError, "`iterations` must be", {"iterations": -1}),
        (TypeError, "`iterations` must be", {"iterations": 1.5}),
        (ValueError, "`min_size` must be", {"min_size": 0}),
        (ValueError, "`max_steps` must be", {"max_steps": -1}),
        (TypeError, "`max_steps` must be", {"max_steps": True}),
        (ValueError, "`connectivity` must be an integer from 1 to 2", {"connectivity": 3}),
        (ValueError, "`connectivity` must be an integer from 1 to 2", {"connectivity": 0}),
        (ValueError, "`criterion` must be one of", {"criterion": "mean"}),
        (TypeError, "`criterion` must be one of", {"criterion": 1}),
        (ValueError, "`mask` has shape", {"mask": np.ones((5, 4), bool)}),
        (TypeError, "`mask` must be bool", {"mask": np.ones((4, 5))}),
        (ValueError, "`channel_axis` must be an axis", {"channel_axis": 5}),
        (ValueError, "`seeds` must lie inside `mask`", {"mask": IMAGE == 0}),
        (ValueError, "`seeds` must lie inside `mask`", {"mask": np.zeros((4, 5), bool)}),
        (ValueError, "`seeds` must hold at least one point", {"seeds": []}),
        (ValueError, "`seeds` must hold at least one point", {"seeds": np.empty((0, 2), int)}),
        (ValueError, "`seeds` must mark at least one pixel", {"seeds": np.zeros((4, 5), int)}),
        (ValueError, "`seeds` must lie inside the image", {"seeds": [(4, 0)]}),
        (ValueError, "`seeds` must lie inside the image", {"seeds": [(0, 0), (-1, 0)]}),
        (ValueError, "outside of every image", {"seeds": [(2**70, 0)]}),
        (TypeError, "`seeds` must hold integer indices", {"seeds": [(1.5, 0)]}),
        (ValueError, "`seeds` must hold integer indices", {"seeds": [(np.nan, 0)]}),
        (TypeError, "`seeds` must hold integer indices, got bool", {"seeds": [(True, False)]}),
        (ValueError, "`seeds` must be different points", {"seeds": [(1, 1), (0, 0), (1, 1)]}),
        (ValueError, "`seeds` must be a sequence of points", {"seeds": (1, 2)}),
        (ValueError, "equally many indices", {"seeds": [(1, 2), (1,)]}),
        (ValueError, r"`seeds` has shape \(1, 3\)", {"seeds": [(1, 1, 1)]}),
        (ValueError, r"`seeds` has shape \(4, 6\)", {"seeds": np.ones((4, 6), int)}),
        (TypeError, "`seeds` must be", {"seeds": 3}),
        (TypeError, "`seeds` must be", {"seeds": "ab"}),
        (TypeError, "`seeds` must be", {"seeds": [("a", "b")]}),
        (TypeError, "`seeds` must be", {"seeds": [(None, 1)]}),
        (TypeError, "integers", {"seeds": np.ones((4, 5))}),
        (TypeError, "`seeds` must be", {"seeds": np.ones((4, 5), complex)}),
        (ValueError, "`seeds` must hold ids >= 0", {"seeds": np.full((4, 5), -1)}),
        (ValueError, r"`seeds` must hold ids below 2\*\*63",
         {"seeds": np.full((4, 5), 2**63, np.uint64)}),
    ],
)  # fmt: skip
def test_bad_options_are_refused(error, match, options):
    with pytest.raises(error, match=match):
        region_growing(IMAGE, **{"seeds": POINT, **options})


@pytest.mark.parametrize(
    ("error", "match", "image"),
    [
        (TypeError, "`image` has dtype complex128", np.ones((4, 5), complex)),
        (TypeError, "`image` has dtype object", np.full((4, 5), None)),
        (TypeError, "`image` has dtype <U1", np.full((4, 5), "a")),
        (TypeError, "`image` has dtype datetime64", np.zeros((4, 5), "datetime64[s]")),
        (TypeError, "`image` must be an array, got None", None),
        (ValueError, "`image` must be an array of 1 to 4 dimensions, got a scalar", 3),
        (ValueError, "`image` must have 1 to 4 spatial dimensions", np.zeros((1,) * 5)),
        (ValueError, "`image` must have at least one pixel", np.zeros((0, 5))),
    ],
)
def test_bad_images_are_refused(error, match, image):
    with pytest.raises(error, match=match):
        region_growing(image, POINT)


def test_values_that_have_no_mean_are_refused():
    image = np.ones((4, 5))
    image[2, 2] = np.inf
    for criterion in ("region", "confidence"):
        with pytest.raises(ValueError, match="`image` must not hold infinite values"):
            region_growing(image, POINT, criterion=criterion)
        labels = region_growing(image, POINT, criterion=criterion, mask=np.isfinite(image))
        assert labels.sum() == 19


@pytest.mark.parametrize("criterion", ALL)
def test_seeds_on_nan_are_refused(criterion):
    image = np.ones((4, 5))
    image[1, 1] = np.nan
    options = {"criterion": criterion, **options_for(criterion)}
    with pytest.raises(ValueError, match=r"`seeds` must not lie on NaN, got \(1, 1\)"):
        region_growing(image, POINT, **options)
    labels = region_growing(image, [(0, 0)], **options)
    assert labels.sum() == 19


def test_confidence_needs_one_channel():
    with pytest.raises(ValueError, match="`image` must have one channel for criterion"):
        region_growing(np.zeros((4, 5, 3)), POINT, criterion="confidence", channel_axis=-1)


@pytest.mark.parametrize("seeds", [POINT, np.ones((4, 5), int)])
def test_flat_seeds_beside_an_image_taken_as_a_volume_suggest_the_channel_axis(seeds):
    with pytest.raises(ValueError, match="channel_axis=-1"):
        region_growing(np.zeros((4, 5, 3)), seeds)
    with pytest.raises(ValueError, match="channel_axis=-1"):
        region_growing(np.zeros((4, 5, 3)), tolerance=1, mask=np.ones((4, 5), bool))


@pytest.mark.parametrize("index", [1e30, -1e30, 2**63, -(2**63)])
def test_a_seed_index_beyond_64_bits_lies_outside(index):
    with pytest.raises(ValueError, match="`seeds`"):
        region_growing(np.zeros((4, 5)), [(index, 0)])


def test_confidence_of_extreme_values_and_multipliers_is_finite():
    image = np.array([-1e308, -1e308, 1e308, 1e308])
    labels = region_growing(image, [0], criterion="confidence", multiplier=0.5)
    np.testing.assert_array_equal(labels, [1, 1, 0, 0])
    wide = np.arange(9).reshape(3, 3) * 2**59
    labels = region_growing(wide, [(1, 1)], criterion="confidence", multiplier=1e308)
    assert (labels == 1).all()
