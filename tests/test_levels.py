"""The layout of levels for a flood: sorting keys, ranks, and axes of length 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segkit import _dtypes, _grid, _levels

from .reference import levels as reference

WIDE = (np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64)


def keys_of(values):
    where = _levels.grid(values.shape, 1)
    return _levels.sort_keys(_dtypes.kernel_values(values), None, where, np.dtype(np.int32))[0]


@given(st.sampled_from(WIDE), st.data())
def test_keys_sort_as_values_do(dtype, data):
    elements = {"allow_nan": False} if np.dtype(dtype).kind == "f" else {}
    values = data.draw(hnp.arrays(dtype, st.integers(0, 40), elements=elements))
    keys = keys_of(values)
    order, ranks = reference.ranked(values.tolist())
    np.testing.assert_array_equal(_levels.order(_dtypes.kernel_values(values)), order)
    distinct, found = np.unique(keys, return_inverse=True)
    np.testing.assert_array_equal(found, ranks)
    assert distinct.size == len(set(values.tolist()))
    for word in (np.int32, np.int64):
        items = np.arange(values.size, dtype=word)
        got_keys, got_items = _levels.sorted_pairs(keys.copy(), items)
        np.testing.assert_array_equal(got_items, order)
        np.testing.assert_array_equal(got_keys, np.sort(keys))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_negative_zero_is_zero(dtype):
    keys = keys_of(np.array([0.0, -0.0], dtype))
    assert keys[0] == keys[1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float64])
@pytest.mark.parametrize("masked", [False, True])
def test_state_holds_the_level_of_every_pixel_inside(dtype, masked):
    values = np.random.default_rng(0).integers(0, 6, (4, 1, 5)).astype(dtype)
    mask = values != 3 if masked else None
    where = _levels.grid(values.shape, 3)
    assert where.shape == (4, 5)
    below = _levels.basins(values, mask, where, np.dtype(np.int32))
    heights = _levels.heights(values, below, where)
    state = where.interior(below.state)
    inside = np.ones((4, 5), bool) if mask is None else mask.reshape(4, 5)
    assert (state[~inside] == 0).all()
    np.testing.assert_array_equal(heights[(-1 - state[inside]) >> 1], values.reshape(4, 5)[inside])
    assert below.first[-1] == np.count_nonzero(inside)


def test_a_column_carries_no_more_border_than_a_row():
    assert _levels.grid((1000, 1), 2).size == _levels.grid((1000,), 1).size == 1002


@given(hnp.array_shapes(max_dims=4, max_side=5), st.integers(0, 10**6))
def test_padded_positions_and_back(shape, pick):
    index = np.array([pick % int(np.prod(shape))])
    position = _grid.padded_index(index, shape)
    padded = np.zeros(_grid.padded_shape(shape), np.intp)
    _grid.interior(padded)[...] = np.arange(int(np.prod(shape))).reshape(shape)
    assert padded.reshape(-1)[position] == index
    assert _grid.flat_index(position, shape) == index
