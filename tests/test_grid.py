"""Neighborhoods, padding and flat positions, against coordinates."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import _grid
from tests.strategies import shapes

NDIM_CONNECTIVITY = [(n, c) for n in range(1, 5) for c in range(1, n + 1)]
COUNTS = {
    (1, 1): 2, (2, 1): 4, (2, 2): 8, (3, 1): 6, (3, 2): 18, (3, 3): 26,
    (4, 1): 8, (4, 2): 32, (4, 3): 64, (4, 4): 80,
}  # fmt: skip


@pytest.mark.parametrize(("ndim", "connectivity"), NDIM_CONNECTIVITY)
def test_neighbors_are_all_steps_of_at_most_connectivity_axes(ndim, connectivity):
    steps = _grid.neighbor_steps(ndim, connectivity)
    assert steps.shape == (COUNTS[ndim, connectivity], ndim)
    found = {tuple(map(int, step)) for step in steps}
    wanted = {
        step
        for step in product((-1, 0, 1), repeat=ndim)
        if 1 <= sum(axis != 0 for axis in step) <= connectivity
    }
    assert found == wanted


@pytest.mark.parametrize(("ndim", "connectivity"), NDIM_CONNECTIVITY)
def test_neighbors_come_nearest_first_then_in_raster_order(ndim, connectivity):
    steps = [tuple(map(int, step)) for step in _grid.neighbor_steps(ndim, connectivity)]
    assert steps == sorted(steps, key=lambda step: (sum(map(abs, step)), step))


def test_the_order_of_the_four_neighbors_is_up_left_right_down():
    assert _grid.neighbor_steps(2, 1).tolist() == [[-1, 0], [0, -1], [0, 1], [1, 0]]


@given(st.data())
def test_offsets_lead_to_the_neighbors_in_the_padded_array(data):
    shape = data.draw(shapes())
    connectivity = data.draw(st.integers(1, len(shape)))
    padded = _grid.padded_shape(shape)
    offsets = _grid.neighbor_offsets(shape, connectivity)
    steps = _grid.neighbor_steps(len(shape), connectivity)
    pixel = tuple(data.draw(st.integers(0, side - 1)) for side in shape)
    here = np.ravel_multi_index([x + 1 for x in pixel], padded)
    for step, offset in zip(steps, offsets, strict=True):
        there = np.ravel_multi_index([x + 1 + s for x, s in zip(pixel, step, strict=True)], padded)
        assert there - here == offset


@given(shapes(min_side=0))
def test_crop_undoes_pad_and_the_border_holds_the_fill(shape):
    array = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape) + 5
    padded = _grid.pad(array, fill=-3)
    assert padded.shape == _grid.padded_shape(shape) == tuple(side + 2 for side in shape)
    assert padded.flags.c_contiguous
    cropped = _grid.crop(padded)
    assert cropped.flags.c_contiguous
    assert np.array_equal(cropped, array)
    assert np.count_nonzero(padded == -3) == padded.size - array.size
    inner = _grid.interior(padded)
    assert np.shares_memory(inner, padded) or inner.size == 0


def test_pad_takes_another_dtype():
    padded = _grid.pad(np.array([[True]]), dtype=np.dtype(np.int64))
    assert padded.dtype == np.int64
    assert padded.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


@given(shapes())
def test_row_starts_are_the_positions_of_the_first_pixels(shape):
    flat = np.arange(int(np.prod(_grid.padded_shape(shape)))).reshape(_grid.padded_shape(shape))
    assert _grid.row_starts(shape).tolist() == _grid.interior(flat)[..., 0].ravel().tolist()


@given(shapes())
def test_padded_index_is_the_position_after_padding(shape):
    flat = np.arange(int(np.prod(_grid.padded_shape(shape)))).reshape(_grid.padded_shape(shape))
    index = np.arange(int(np.prod(shape)))
    assert np.array_equal(_grid.padded_index(index, shape), _grid.interior(flat).ravel())


def test_strides_are_counted_in_elements():
    assert _grid.strides_of((2, 3, 4)).tolist() == [12, 4, 1]
    assert _grid.strides_of((7,)).tolist() == [1]


def test_strides_do_not_overflow_on_a_large_shape():
    assert _grid.strides_of((3, 2**31, 2**20)).tolist() == [2**51, 2**20, 1]
