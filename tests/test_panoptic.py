"""Panoptic images there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import panoptic
from tests import strategies as own
from tests.reference import panoptic as reference


@given(data=st.data(), divisor=st.sampled_from([50, 1000, 2**20, 2**41, 10**30]))
def test_encode_and_decode_equal_the_plain_version(data, divisor):
    classes = data.draw(own.label_images(n_ids=2))
    instances = data.draw(own.label_images(shape=classes.shape, n_ids=2))
    wanted = reference.encode(classes, instances, divisor)
    if max(wanted) >= 2**63:
        with pytest.raises(ValueError, match="`classes` must give ids below"):
            panoptic.encode(classes, instances, divisor=divisor)
        return
    ids = panoptic.encode(classes, instances, divisor=divisor)
    assert ids.ravel().tolist() == wanted
    assert ids.dtype == (np.int32 if max(wanted) < 2**31 else np.int64)
    back = panoptic.decode(ids, divisor=divisor)
    assert np.array_equal(back.classes, classes)
    assert np.array_equal(back.instances, instances)


@given(ids=own.label_images(), divisor=st.sampled_from([1, 2, 7, 1000, 2**40, 2**63, 10**30]))
def test_decode_equals_the_plain_version(ids, divisor):
    for got, wanted in zip(
        panoptic.decode(ids, divisor=divisor), reference.decode(ids, divisor), strict=True
    ):
        assert got.shape == ids.shape
        assert got.ravel().tolist() == wanted
        assert got.dtype == (np.int32 if max(wanted) < 2**31 else np.int64)


@given(ids=own.label_images(n_ids=2), large=st.integers(0, 2**24 - 1))
def test_colors_equal_the_plain_version(ids, large):
    if ids.dtype.itemsize >= 4:
        ids = np.where(ids == 5, ids.dtype.type(large), ids)
    colors = panoptic.to_coco(ids)
    assert colors.shape == (*ids.shape, 3)
    assert colors.dtype == np.uint8
    assert [tuple(color) for color in colors.reshape(-1, 3).tolist()] == reference.colors(ids)
    back = panoptic.from_coco(colors)
    assert back.dtype == np.int32
    assert np.array_equal(back, ids)


def test_the_last_id_that_fits_and_the_first_that_does_not():
    assert panoptic.to_coco([2**24 - 1]).tolist() == [[255, 255, 255]]
    with pytest.raises(
        ValueError, match=r"`ids` must be below 2\*\*24 to be a color, got 16777216"
    ):
        panoptic.to_coco([2**24])
    assert panoptic.encode([1], [999]).tolist() == [1999]
    with pytest.raises(ValueError, match="`instances` must be below `divisor`, 1000, got 1000"):
        panoptic.encode([1], [1000])
    widest = panoptic.encode([2**32 - 1], [2**31 - 1], divisor=2**31)
    assert widest.tolist() == [2**63 - 1]
    with pytest.raises(ValueError, match=r"`classes` must give ids below 2\*\*63"):
        panoptic.encode([2**32], [0], divisor=2**31)
    with pytest.raises(ValueError, match=r"`ids` must hold ids below 2\*\*63"):
        panoptic.decode(np.array([2**63], dtype=np.uint64))


def test_the_pair_has_names_and_unpacks():
    pair = panoptic.decode([[1002, 0], [3000, 1001]])
    assert isinstance(pair, panoptic.PanopticImages)
    classes, instances = pair
    assert classes.tolist() == pair.classes.tolist() == [[1, 0], [3, 1]]
    assert instances.tolist() == pair.instances.tolist() == [[2, 0], [0, 1]]


def test_a_small_type_does_not_wrap():
    classes, instances = np.array([200], np.uint8), np.array([255], np.uint8)
    assert panoptic.encode(classes, instances).tolist() == [200255]
    assert panoptic.from_coco(np.array([[255, 255, 255]], np.uint8)).tolist() == [2**24 - 1]


def test_colors_in_any_layout():
    ids = np.arange(24).reshape(4, 6) * 70_000
    colors = panoptic.to_coco(ids)
    for layout in (np.asfortranarray(colors), colors.astype(">i8"), colors.tolist()):
        assert np.array_equal(panoptic.from_coco(layout), ids)
    assert np.array_equal(panoptic.from_coco(colors[::-1, ::2]), ids[::-1, ::2])


@pytest.mark.parametrize(
    ("colors", "error"),
    [
        (np.zeros((3, 3), complex), TypeError),
        (np.full((3, 3), None), TypeError),
        (np.full((3, 3), "a"), TypeError),
        (np.zeros((3, 3)), TypeError),
        (None, TypeError),
        (np.zeros((3, 4), int), ValueError),
        (np.zeros((3, 0), int), ValueError),
        (np.zeros(3, int), ValueError),
        (np.array(3), ValueError),
        (np.zeros((1,) * 5 + (3,), int), ValueError),
        (np.full((3, 3), 256), ValueError),
        (np.full((3, 3), -1), ValueError),
        ([[1, 2, 3], [1]], ValueError),
    ],
)
def test_bad_colors(colors, error):
    with pytest.raises(error, match="`colors`"):
        panoptic.from_coco(colors)


def test_no_pixels():
    empty = np.zeros((0, 3), int)
    assert panoptic.encode(empty, empty).shape == (0, 3)
    assert panoptic.decode(empty).classes.shape == (0, 3)
    assert panoptic.to_coco(empty).shape == (0, 3, 3)
    assert panoptic.from_coco(np.zeros((0, 2, 3), int)).shape == (0, 2)
