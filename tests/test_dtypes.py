"""kernel_values keeps order and differences, whatever comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import _dtypes
from tests.strategies import INTEGER_DTYPES, KERNEL_DTYPES, REAL_DTYPES

KERNEL = [np.dtype(t) for t in KERNEL_DTYPES]


def extremes(dtype):
    """Return values of a type where a wrong conversion would show, as Python numbers."""
    dtype = np.dtype(dtype)
    if dtype == np.bool_:
        return [False, True]
    if dtype.kind == "f":
        info = np.finfo(dtype)
        return [-np.inf, float(info.min), -1.5, 0.0, float(info.tiny), float(info.max), np.inf]
    info = np.iinfo(dtype)
    near = [info.min, info.min + 1, -1, 0, 1, 127, 128, 2**53, 2**53 + 1, info.max - 1, info.max]
    return sorted({value for value in near if info.min <= value <= info.max})


def layouts(array):
    """Return the same values in every memory layout and byte order."""
    wide = np.zeros(tuple(3 * side for side in array.shape), dtype=array.dtype)
    every_third = wide[(slice(None, None, 3),) * array.ndim]
    every_third[...] = array
    backward = np.ascontiguousarray(array[::-1])[::-1]
    frozen = array.copy()
    frozen.flags.writeable = False
    return {
        "C": array,
        "F": np.asfortranarray(array),
        "wide": every_third,
        "negative": backward,
        "read-only": frozen,
        "swapped": array.astype(array.dtype.newbyteorder()),
        "swapped F": np.asfortranarray(array.astype(array.dtype.newbyteorder())),
    }


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_order_and_differences_are_kept_at_the_extremes(dtype):
    wanted = extremes(dtype)
    values = _dtypes.kernel_values(np.array(wanted, dtype=dtype))
    assert values.dtype in KERNEL
    got = values.tolist()
    assert (np.diff(np.argsort(values, kind="stable")) > 0).all()
    if np.dtype(dtype).kind in "biu":  # exact, in Python integers
        shift = _dtypes.value_shift(dtype)
        assert [int(value) + shift for value in wanted] == got
    else:
        assert got == wanted


@pytest.mark.parametrize("dtype", REAL_DTYPES)
@pytest.mark.parametrize("layout", list(layouts(np.zeros((1, 1), np.uint8))))
def test_every_layout_and_byte_order_gives_the_same_values(dtype, layout):
    rng = np.random.default_rng(3)
    array = rng.permuted(np.resize(np.array(extremes(dtype), dtype=dtype), (4, 5)).ravel())
    array = array.reshape(4, 5)
    arranged = layouts(array)[layout]
    before = arranged.copy()
    values = _dtypes.kernel_values(arranged)
    assert values.shape == array.shape
    assert values.flags.c_contiguous
    assert values.dtype == _dtypes.kernel_type(dtype)
    assert values.dtype.isnative
    assert np.array_equal(values, _dtypes.kernel_values(array))
    assert np.array_equal(arranged, before)


@pytest.mark.parametrize("dtype", KERNEL_DTYPES)
def test_a_kernel_type_is_not_copied(dtype):
    array = np.zeros((3, 4), dtype=dtype)
    assert np.shares_memory(_dtypes.kernel_values(array), array)


@pytest.mark.parametrize("dtype", REAL_DTYPES)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4), (1,), (1, 1, 1, 1)])
def test_empty_and_one_pixel_arrays_keep_their_shape(dtype, shape):
    values = _dtypes.kernel_values(np.zeros(shape, dtype=dtype))
    assert values.shape == shape


@given(st.data())
def test_differences_survive_for_random_integers(data):
    dtype = np.dtype(data.draw(st.sampled_from(INTEGER_DTYPES[1:])))
    info = np.iinfo(dtype)
    numbers = data.draw(st.lists(st.integers(info.min, info.max), min_size=1, max_size=8))
    got = _dtypes.kernel_values(np.array(numbers, dtype=dtype)).tolist()
    assert [value - got[0] for value in got] == [number - numbers[0] for number in numbers]


def test_bool_becomes_0_and_1():
    values = _dtypes.kernel_values(np.array([[True, False]]))
    assert values.dtype == np.uint8
    assert values.tolist() == [[1, 0]]


@pytest.mark.parametrize("name", ["long", "longlong", "ulong", "ulonglong", "intc", "uintc"])
def test_c_names_of_integer_types_are_known(name):
    dtype = np.dtype(name)
    values = _dtypes.kernel_values(np.array([0, 1, 5], dtype=dtype))
    assert values.dtype in KERNEL
    assert np.diff(values).tolist() == [1, 4]


@pytest.mark.parametrize("dtype", ["complex64", "U3", "M8[s]", "object"])
def test_other_types_have_no_kernel(dtype):
    with pytest.raises(TypeError, match="no kernel type"):
        _dtypes.kernel_type(dtype)


def test_labels_are_int32_as_long_as_the_largest_fits():
    assert _dtypes.label_dtype(0) == np.int32
    assert _dtypes.label_dtype(2**31 - 1) == np.int32
    assert _dtypes.label_dtype(2**31) == np.int64
    assert _dtypes.label_dtype(2**63 - 1) == np.int64
    assert _dtypes.index_dtype(2**31) == np.int64
