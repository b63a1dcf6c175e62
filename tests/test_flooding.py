"""segkit.watershed against its plain version, scikit-image, and what a flood must hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.segmentation import watershed as peer

import segkit

from .reference import flooding as reference
from .strategies import REAL_DTYPES, connectivities, images, markers, masks


@st.composite
def floods(draw, dtypes=REAL_DTYPES):
    relief = draw(images(dtypes))
    return (
        relief,
        draw(markers(relief.shape)),
        {
            "connectivity": draw(connectivities(relief.ndim)),
            "mask": draw(masks(relief.shape)),
        },
    )


@given(
    floods(),
    st.sampled_from([0.0, 0.0, 0.5, 2]),
    st.sampled_from(["none", "thin"]),
    st.sampled_from([None, None, -1, 0, 1.5, np.inf]),
)
def test_equals_plain_version(flood, compactness, lines, max_level):
    relief, sources, options = flood
    options |= {"compactness": compactness, "lines": lines, "max_level": max_level}
    expected = reference.watershed(relief, sources, **options)
    np.testing.assert_array_equal(segkit.watershed(relief, sources, **options), expected)


@given(floods(dtypes=(np.uint8, np.uint16, np.int32, np.float32, np.float64)), st.data())
def test_equals_scikit_image_when_markers_differ_in_height(flood, data):
    relief, sources, options = flood
    mask = options["mask"]
    taken = set()
    for p in np.ndindex(*relief.shape):  # keep one marker pixel of each height
        inside = mask is None or mask[p]
        if sources[p] and inside and relief[p] in taken:
            sources[p] = 0
        elif sources[p] and inside:
            taken.add(relief[p])
    compactness = data.draw(st.sampled_from([0, 0, 0.3, 4]))
    ours = segkit.watershed(relief, sources, compactness=compactness, **options)
    np.testing.assert_array_equal(ours, peer(relief, sources, compactness=compactness, **options))


@given(floods())
def test_what_a_flood_must_hold(flood):
    relief, sources, options = flood
    mask, connectivity = options["mask"], options["connectivity"]
    labels = segkit.watershed(relief, sources, **options)
    inside = np.ones(relief.shape, bool) if mask is None else mask
    planted = (sources > 0) & inside
    assert (labels[planted] == sources[planted]).all()
    assert (labels[~inside] == 0).all()

    lowest = {}
    for label in np.unique(sources[planted]):
        start = list(zip(*np.nonzero(planted & (sources == label)), strict=True))
        reached = reference.pass_heights(relief, start, connectivity=connectivity, mask=mask)
        for p, level in reached.items():
            lowest.setdefault(p, {})[label] = level
    for p in np.ndindex(*relief.shape):
        if p not in lowest:
            assert labels[p] == 0  # no marker reaches it
        elif not planted[p]:
            assert lowest[p][labels[p]] == min(lowest[p].values())
    for label in np.unique(labels[labels > 0]):  # every piece of a region holds a marker of it
        pieces = segkit.connected_components(labels == label, connectivity=connectivity)
        for piece in range(1, pieces.max() + 1):
            assert (sources[pieces == piece] == label).any()


@given(floods(dtypes=(np.uint8, np.int32)))
def test_any_increasing_map_of_heights_gives_the_same(flood):
    relief, sources, options = flood
    expected = segkit.watershed(relief, sources, **options)
    heights = relief.astype(np.float64)
    for mapped in (
        np.exp(heights).astype(np.float32),
        heights**3 - 2**40,
        (relief.astype(np.int64) << 40) - 7,
        (relief.astype(np.int64) + 5).astype(np.uint16),
    ):
        np.testing.assert_array_equal(segkit.watershed(mapped, sources, **options), expected)


@given(images(REAL_DTYPES), st.data())
def test_without_markers_the_minima_are_the_sources(relief, data):
    depth = data.draw(st.sampled_from([0, 1, 2]))
    connectivity = data.draw(connectivities(relief.ndim))
    mask = data.draw(masks(relief.shape))
    options = {"connectivity": connectivity, "mask": mask}
    sources = segkit.local_minima(relief, depth=depth, **options)
    labels = segkit.watershed(relief, depth=depth, **options)
    np.testing.assert_array_equal(labels, segkit.watershed(relief, sources, **options))
    assert ((labels > 0) == (True if mask is None else mask)).all()


def test_64_bit_heights_are_not_rounded():
    top = 2**63 - 1
    relief = np.array([top - 3, top, top - 2, top - 1, top - 2], np.int64)
    labels = segkit.watershed(relief, [1, 0, 0, 0, 2])
    np.testing.assert_array_equal(labels, [1, 1, 2, 2, 2])
    unsigned = relief.astype(np.uint64) * 2
    np.testing.assert_array_equal(segkit.watershed(unsigned, [1, 0, 0, 0, 2]), labels)


def test_infinite_heights_are_the_lowest_and_highest():
    relief = [0, np.inf, -np.inf, np.inf, 5]
    np.testing.assert_array_equal(segkit.watershed(relief, [1, 0, 0, 0, 2]), [1, 1, 1, 2, 2])
    np.testing.assert_array_equal(
        segkit.watershed(relief, [1, 0, 0, 0, 2], max_level=9), [1, 0, 0, 0, 2]
    )


def test_nan_outside_the_mask_is_allowed():
    relief = np.array([0.0, 1.0, np.nan, 2.0])
    labels = segkit.watershed(relief, [3, 0, 0, 4], mask=[1, 1, 0, 1])
    np.testing.assert_array_equal(labels, [3, 3, 0, 4])
    with pytest.raises(ValueError, match="`relief` must not hold NaN"):
        segkit.watershed(relief, [3, 0, 0, 4])


def test_large_ids_make_int64_and_are_kept():
    labels = segkit.watershed(np.zeros((2, 3), np.uint8), np.array([[2**40, 0, 0], [0, 0, 7]]))
    assert labels.dtype == np.int64
    assert set(np.unique(labels)) == {7, 2**40}
    assert segkit.watershed([0, 1], np.array([7, 0], np.int64)).dtype == np.int32


def test_lines_part_regions_that_would_touch():
    relief = np.array([[0, 2, 1], [0, 2, 1], [0, 2, 1]])
    sources = np.array([[0, 0, 0], [1, 0, 2], [0, 0, 0]])
    np.testing.assert_array_equal(segkit.watershed(relief, sources, lines="thin"), [[1, 0, 2]] * 3)


def test_same_as_scikit_image_on_a_photograph():
    from skimage import data

    coins = data.coins()
    for relief in (coins, segkit.gradient(coins, sigma=1)):
        sources = segkit.local_minima(relief, depth=20 if relief is coins else 2)
        # One source of each height, so that nothing hangs on the order of equal ones.
        _, first = np.unique(np.where(sources > 0, relief, -1.0), return_index=True)
        single = np.zeros_like(sources)
        single.flat[first[1:]] = np.arange(1, first.size)
        np.testing.assert_array_equal(segkit.watershed(relief, single), peer(relief, single))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        (([[0, 1]], [[1, 0, 0]]), {}, ValueError, r"`markers` has shape \(1, 3\), `relief`"),
        (([[0, 1]], [[1.0, 0]]), {}, TypeError, "`markers` must hold integers"),
        (([[0, 1]], [[-1, 0]]), {}, ValueError, "`markers` must hold ids >= 0, got -1"),
        (([[0, 1]], [[1, 0]]), {"mask": [[1, 1, 1]]}, ValueError, "`mask` has shape"),
        (([[0, 1]], [[1, 0]]), {"mask": [[1, 2]]}, ValueError, "`mask` must be bool"),
        (([[0, 1]], [[1, 0]]), {"mask": [[1.0, 0]]}, TypeError, "`mask` must be bool"),
        (([[0, 1]], [[1, 0]]), {"connectivity": 3}, ValueError, "`connectivity` must be"),
        (([[0, 1]], [[1, 0]]), {"connectivity": 0}, ValueError, "`connectivity` must be"),
        (([[0, 1]], [[1, 0]]), {"compactness": -1}, ValueError, "`compactness` must be"),
        (([[0, 1]], [[1, 0]]), {"compactness": np.inf}, ValueError, "`compactness` must be"),
        (([[0, 1]], [[1, 0]]), {"max_level": np.nan}, ValueError, "`max_level` must be"),
        (([[0, 1]], [[1, 0]]), {"lines": "thick"}, ValueError, "`lines` must be one of"),
        (([[0, 1]], [[1, 0]]), {"lines": True}, TypeError, "`lines` must be one of"),
        (([[0, 1]], [[1, 0]]), {"depth": 2}, ValueError, "`depth` must be 0 when `markers`"),
        (([[0, 1]],), {"depth": -2}, ValueError, "`depth` must be a finite number >= 0"),
        (([[0, 1j]],), {}, TypeError, "`relief` has dtype complex128"),
        ((5,), {}, ValueError, "`relief` must be an array"),
        ((np.zeros((2,) * 5),), {}, ValueError, "`relief` must have 1 to 4 dimensions"),
        ((np.zeros((4, 5, 3)), np.ones((4, 5), int)), {}, ValueError, "channel_axis=-1"),
    ],
)
def test_bad_input(arguments, options, error, match):
    with pytest.raises(error, match=match):
        segkit.watershed(*arguments, **options)


def test_no_markers_and_empty_images_give_zeros():
    assert not segkit.watershed([[3, 1]], [[0, 0]]).any()
    assert not segkit.watershed([[3, 1]], mask=[[0, 0]]).any()
    assert segkit.watershed(np.zeros((0, 4))).shape == (0, 4)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.uint64, np.float16, np.float64])
@pytest.mark.parametrize("level", [1e300, 10**300, 2**64])
def test_a_max_level_beyond_the_type_floods_everything_finite(dtype, level):
    relief = np.array([0, 1, 1, 0], dtype=dtype)
    np.testing.assert_array_equal(segkit.watershed(relief, max_level=level), [1, 1, 2, 2])
    none = segkit.watershed(relief, [1, 0, 0, 0], max_level=-level)
    np.testing.assert_array_equal(none, [1, 0, 0, 0])


def test_a_finite_max_level_stops_below_infinite_heights():
    relief = np.array([0, np.inf, 0], dtype=np.float16)
    np.testing.assert_array_equal(segkit.watershed(relief, max_level=1e300), [1, 0, 2])
