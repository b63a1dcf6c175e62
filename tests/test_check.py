"""Every check: what it lets through, and the type and text of what it refuses."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from segkit import _check
from tests.strategies import INTEGER_DTYPES, REAL_DTYPES

NOT_REAL = {
    "complex": np.zeros((2, 2), dtype=complex),
    "complex64": np.zeros((2, 2), dtype=np.complex64),
    "object": np.array([[None, 1]], dtype=object),
    "string": np.array([["a", "b"]]),
    "bytes": np.array([[b"a"]]),
    "datetime": np.zeros((2, 2), dtype="M8[s]"),
    "timedelta": np.zeros((2, 2), dtype="m8[s]"),
    "record": np.zeros((2, 2), dtype=[("a", "i4")]),
    "list of strings": [["a"]],
    "text": "picture.png",
    "none": None,
    "function": len,
    "set": {1, 2},
    "dict": {"a": 1},
    "huge integers": [[2**70, 1]],
}


@pytest.mark.parametrize("bad", NOT_REAL.values(), ids=NOT_REAL)
@pytest.mark.parametrize("check", [_check.as_array, _check.image, _check.labels])
def test_arrays_of_no_real_type_are_a_type_error(check, bad):
    with pytest.raises(TypeError, match="`thing`"):
        check(bad, "thing")


def test_a_sparse_array_is_told_from_a_dense_one():
    from scipy import sparse

    for value in (sparse.eye_array(3), sparse.csr_matrix(np.eye(3))):
        with pytest.raises(TypeError, match="`image` must be a dense array, got a sparse one"):
            _check.image(value)


def test_long_double_is_refused_where_it_is_wider_than_double():
    array = np.zeros((2, 2), dtype=np.longdouble)
    if array.dtype.itemsize > 8:
        with pytest.raises(TypeError, match="`image` has dtype"):
            _check.image(array)


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_every_real_type_is_an_image(dtype):
    array = np.ones((2, 3), dtype=dtype)
    assert _check.image(array) is array
    swapped = array.astype(array.dtype.newbyteorder())
    assert np.array_equal(_check.image(swapped), array)


def test_lists_are_arrays():
    assert _check.image([[1, 2], [3, 4]]).shape == (2, 2)
    assert _check.image([]).shape == (0,)


@pytest.mark.parametrize("scalar", [3, 2.5, np.float32(1), np.array(4)])
def test_a_scalar_is_not_an_array(scalar):
    with pytest.raises(ValueError, match="`image` must be an array of 1 to 4 dimensions"):
        _check.image(scalar)


def test_a_ragged_list_is_a_value_error():
    with pytest.raises(ValueError, match="`image` must be a rectangular array"):
        _check.image([[1, 2], [3]])


def test_more_dimensions_than_supported():
    assert _check.image(np.zeros((1,) * 4)).ndim == 4
    with pytest.raises(ValueError, match="`image` must have 1 to 4 dimensions, got 5"):
        _check.image(np.zeros((1,) * 5))
    with pytest.raises(ValueError, match="channel_axis=-1"):
        _check.image(np.zeros((2, 2, 2, 2, 3)))
    with pytest.raises(ValueError, match="`labels` must have 1 to 4 dimensions, got 5"):
        _check.labels(np.zeros((1,) * 5, dtype=int))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nan_is_refused_unless_allowed_or_outside(dtype):
    array = np.zeros((3, 3), dtype=dtype)
    array[1, 1] = np.nan
    with pytest.raises(ValueError, match="`relief` must not hold NaN, got 1 such"):
        _check.image(array, "relief")
    assert _check.image(array, nan=True) is array
    outside = np.isfinite(array)
    assert _check.image(array, inside=outside) is array
    with pytest.raises(ValueError, match="NaN"):
        _check.image(array, inside=~outside)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinities_are_refused_only_on_request(dtype, value):
    array = np.zeros((3, 3), dtype=dtype)
    array[0, 2] = value
    assert _check.image(array) is array
    with pytest.raises(ValueError, match="`image` must not hold infinite values, got 1 such"):
        _check.image(array, inf=False)
    assert _check.image(array, inf=False, inside=np.isfinite(array)) is array


def test_opposite_infinities_and_sums_that_overflow_are_told_from_nan():
    assert _check.image(np.array([np.inf, -np.inf])).size == 2  # their sum is NaN
    largest = np.full(8, np.finfo(np.float64).max)  # their sum is infinite
    assert _check.image(largest, inf=False) is largest


def test_channels_go_last():
    array = np.zeros((3, 4, 5))
    assert _check.channels_last(array, None).shape == (3, 4, 5, 1)
    assert _check.channels_last(array, 0).shape == (4, 5, 3)
    assert _check.channels_last(array, -1).shape == (3, 4, 5)
    assert _check.channels_last(array, 1.0).shape == (3, 5, 4)
    assert _check.channels_last(np.zeros((1,) * 4 + (3,)), -1).shape == (1, 1, 1, 1, 3)
    assert _check.channels_last(np.zeros((0, 3)), -1).shape == (0, 3)


@pytest.mark.parametrize("axis", [3, -4, 100])
def test_a_channel_axis_outside_the_image(axis):
    with pytest.raises(ValueError, match="`channel_axis` must be an axis of `image`"):
        _check.channels_last(np.zeros((3, 4, 5)), axis)


@pytest.mark.parametrize("axis", ["last", 1.5, True, (0, 1), [1]])
def test_a_channel_axis_that_is_no_integer(axis):
    with pytest.raises(TypeError, match="`channel_axis`"):
        _check.channels_last(np.zeros((3, 4, 5)), axis)


@pytest.mark.parametrize(
    ("shape", "axis"), [((3,), -1), ((1,) * 5, None), ((1,) * 6, 0), ((4, 0), -1)]
)
def test_channels_need_1_to_4_axes_beside_them(shape, axis):
    with pytest.raises(ValueError, match="`image` must have"):
        _check.channels_last(np.zeros(shape), axis)


def test_different_shapes_are_named_and_channels_suggested():
    with pytest.raises(ValueError, match=r"`mask` has shape \(4, 5\), `image` has shape \(4, 6\)"):
        _check.same_shape(np.zeros((4, 5)), "mask", (4, 6), "image")
    with pytest.raises(ValueError, match="pass channel_axis=-1"):
        _check.same_shape(np.zeros((4, 5)), "mask", (4, 5, 3), "image")
    _check.same_shape(np.zeros((4, 5)), "mask", (4, 5), "image")


@pytest.mark.parametrize("dtype", INTEGER_DTYPES)
def test_every_integer_type_holds_labels(dtype):
    array = np.ones((2, 2), dtype=dtype)
    assert _check.labels(array) is array


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_labels_are_not_floats(dtype):
    with pytest.raises(TypeError, match="`markers` must hold integers, got dtype float"):
        _check.labels(np.zeros((2, 2), dtype=dtype), "markers")


def test_negative_labels():
    array = np.array([[0, -1]])
    with pytest.raises(ValueError, match="`labels` must hold ids >= 0, got -1"):
        _check.labels(array)
    assert _check.labels(array, negative=True) is array


def test_the_largest_label_fits_int64():
    assert _check.largest_label(np.array([3, 2**63 - 1], dtype=np.uint64)) == 2**63 - 1
    assert _check.largest_label(np.zeros((0, 3), dtype=np.int8)) == 0
    with pytest.raises(ValueError, match=r"`markers` must hold ids below 2\*\*63"):
        _check.largest_label(np.array([2**63], dtype=np.uint64), "markers")


def test_masks_are_bool_or_0_and_1():
    assert _check.mask(None, (2,), "image") is None
    wanted = np.array([True, False])
    for value in (wanted, [1, 0], np.array([1, 0], dtype=np.int8), np.array([1, 0], np.uint64)):
        got = _check.mask(value, (2,), "image")
        assert got.dtype == np.bool_
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("value", [[0, 2], [-1, 0], [255, 0]])
def test_masks_of_other_values(value):
    with pytest.raises(ValueError, match="`mask` must be bool"):
        _check.mask(value, (2,), "image")


def test_masks_of_other_types_and_shapes():
    with pytest.raises(TypeError, match="`mask` must be bool"):
        _check.mask([0.0, 1.0], (2,), "image")
    with pytest.raises(TypeError, match="`mask`"):
        _check.mask("yes", (2,), "image")
    with pytest.raises(ValueError, match=r"`mask` has shape \(3,\), `image` has shape \(2,\)"):
        _check.mask([True] * 3, (2,), "image")
    with pytest.raises(ValueError, match="channel_axis=-1"):
        _check.mask(np.ones((4, 5), bool), (4, 5, 3), "image")


@pytest.mark.parametrize(
    "value", [3, 3.0, np.int8(3), np.uint64(3), np.float32(3), np.array(3), Fraction(3)]
)
def test_an_integer_may_be_written_in_many_ways(value):
    got = _check.integer(value, "n", low=1, high=3)
    assert got == 3
    assert type(got) is int


@pytest.mark.parametrize(
    "value",
    [True, np.True_, 2.5, "3", None, 3j, [3], (3,), np.array([3]), Decimal(3), Fraction(5, 2)],
)
def test_what_is_no_integer(value):
    with pytest.raises(TypeError, match="`n` must be an integer >= 0, got"):
        _check.integer(value, "n", low=0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 11, 10**30, -(10**40)])
def test_integers_out_of_range(value):
    with pytest.raises(ValueError, match="`n` must be an integer from 0 to 10, got"):
        _check.integer(value, "n", low=0, high=10)


def test_an_integer_of_any_size_stays_exact():
    assert _check.integer(2**63 + 1, "n") == 2**63 + 1
    assert _check.integer(10**400, "n") == 10**400


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), np.uint8(7), 2**53 + 1, Fraction(1, 2)])
def test_a_number_keeps_its_value(value):
    got = _check.number(value, "t")
    assert got == value
    assert type(got) in (int, float)


@pytest.mark.parametrize("value", [float("nan"), np.nan, float("inf"), -1, -1e-300, -np.inf])
def test_numbers_out_of_range(value):
    with pytest.raises(ValueError, match="`t` must be a finite number >= 0, got"):
        _check.number(value, "t")


@pytest.mark.parametrize("value", [True, np.False_, "1", None, 1j, [1.0], np.array([1.0])])
def test_what_is_no_number(value):
    with pytest.raises(TypeError, match="`t` must be a finite number"):
        _check.number(value, "t")


def test_limits_of_a_number():
    with pytest.raises(ValueError, match="`t` must be a finite number > 0, got 0"):
        _check.number(0, "t", above=True)
    assert _check.number(-3.5, "t", low=None) == -3.5
    assert _check.number(float("inf"), "t", infinite=True) == float("inf")
    with pytest.raises(ValueError, match="`t` must be a number"):
        _check.number(float("nan"), "t", infinite=True)
    assert _check.number(2**64 + 1, "t") == 2**64 + 1


def test_an_integer_beyond_every_double_is_not_finite():
    with pytest.raises(ValueError, match="`t` must be a finite number >= 0, got 1000"):
        _check.number(10**400, "t")


def test_messages_stay_short():
    for bad in (10**400, 10**5000, list(range(10_000))):
        with pytest.raises((TypeError, ValueError), match="`n` must be an integer") as caught:
            _check.integer(bad, "n", high=5)
        assert len(str(caught.value)) < 120


@pytest.mark.parametrize("value", [0, 4, -1, 10**30])
def test_connectivity_outside_the_axes(value):
    with pytest.raises(ValueError, match="`connectivity` must be an integer from 1 to 3, got"):
        _check.connectivity(value, 3)


@pytest.mark.parametrize("value", [None, True, "1", 1.5])
def test_connectivity_of_another_type(value):
    with pytest.raises(TypeError, match="`connectivity` must be an integer from 1 to 3, got"):
        _check.connectivity(value, 3)


def test_choice_is_one_of_the_words():
    assert _check.choice("b", "mode", ("a", "b")) == "b"
    with pytest.raises(ValueError, match="""`mode` must be one of "a", "b", got 'c'"""):
        _check.choice("c", "mode", ("a", "b"))
    for value in (None, 1, ["a"], b"a"):
        with pytest.raises(TypeError, match="`mode` must be one of"):
            _check.choice(value, "mode", ("a", "b"))


def test_spacing_has_one_number_for_each_axis():
    assert _check.spacing(None, 3).tolist() == [1, 1, 1]
    got = _check.spacing((1, 2.5), 2)
    assert got.dtype == np.float64
    assert got.tolist() == [1, 2.5]


def test_a_number_between_two_others():
    assert _check.between(np.int8(2), "t", 0, 2) == 2.0
    assert isinstance(_check.between(2, "t", 0, 2), float)
    for value in (-0.1, 2.5, 10**400, np.nan):
        with pytest.raises(ValueError, match="`t` must be a"):
            _check.between(value, "t", 0, 2)
    with pytest.raises(TypeError, match="`t` must be a finite number, got True"):
        _check.between(True, "t", 0, 2)


@pytest.mark.parametrize("value", [(1,), (1, 2, 3), 1.0, (1, 0), (1, -1), (1, np.nan), (np.inf, 1)])
def test_wrong_spacing(value):
    with pytest.raises(ValueError, match="`spacing` must hold 2 finite number"):
        _check.spacing(value, 2)


@pytest.mark.parametrize("value", ["ab", ("a", "b"), (True, True), (1j, 1), (None, 1)])
def test_spacing_of_another_type(value):
    with pytest.raises(TypeError, match="`spacing` must hold 2 finite number"):
        _check.spacing(value, 2)


def test_rng_is_an_int_or_a_generator():
    generator = np.random.default_rng(5)
    assert _check.generator(generator) is generator
    assert _check.generator(5).random() == np.random.default_rng(5).random()
    assert _check.generator(5.0).random() == np.random.default_rng(5).random()
    with pytest.raises(ValueError, match="`rng`"):
        _check.generator(-1)
    for value in (None, "seed", 0.5, True, np.random.RandomState(0)):
        with pytest.raises(TypeError, match="`rng`"):
            _check.generator(value)
