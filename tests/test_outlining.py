"""Outlines of regions, in and between pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import segmentation

import segkit

from . import strategies as own
from .reference import outlining as reference

MODES = ("inner", "outer", "thick", "subpixel")


@given(data=st.data())
def test_boundaries_equal_the_plain_version(data):
    labels = data.draw(own.label_images())
    mode = data.draw(st.sampled_from(MODES))
    connectivity = data.draw(own.connectivities(labels.ndim))
    got = segkit.boundaries(labels, mode=mode, connectivity=connectivity)
    assert got.dtype == np.bool_
    np.testing.assert_array_equal(got, reference.boundaries(labels, mode, connectivity))


@pytest.mark.parametrize("shape", [(40, 50), (1, 30), (30, 1), (12, 9, 11), (70,), (3, 5000)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_boundaries_equal_scikit_image(shape, dtype):
    labels = np.random.default_rng(4).integers(0, 3, shape).astype(dtype)
    labels[..., ::3] = 0
    for connectivity in range(1, len(shape) + 1):
        for mode in MODES[:3]:
            got = segkit.boundaries(labels, mode=mode, connectivity=connectivity)
            wanted = segmentation.find_boundaries(labels, mode=mode, connectivity=connectivity)
            np.testing.assert_array_equal(got, wanted)
    if labels.size < 3000:
        got = segkit.boundaries(labels, mode="subpixel")
        np.testing.assert_array_equal(got, segmentation.find_boundaries(labels, mode="subpixel"))


def test_boundaries_tell_64_bit_ids_apart():
    labels = np.array([2**40, 2**40 + 1, 1, 2**32 + 1], dtype=np.int64)
    np.testing.assert_array_equal(segkit.boundaries(labels), [True] * 4)


def test_boundaries_of_empty_arrays():
    for shape, cracks in (((0,), (0,)), ((0, 4), (0, 7)), ((3, 0), (5, 0))):
        empty = np.zeros(shape, dtype=int)
        assert segkit.boundaries(empty).shape == shape
        assert segkit.boundaries(empty, mode="subpixel").shape == cracks


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "`mode` must be one of", {"mode": "middle"}),
        (TypeError, "`mode` must be one of", {"mode": None}),
        (ValueError, "`connectivity` must be an integer from 1 to 2", {"connectivity": 3}),
    ],
)
def test_bad_arguments_of_boundaries(error, message, options):
    with pytest.raises(error, match=message):
        segkit.boundaries(np.ones((3, 4), int), **options)
