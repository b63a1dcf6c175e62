"""Scans: permutations, steps to neighbors, pixels that stay together."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given

import segkit
from segkit.scans import _snake_scan
from tests.reference import scans as plain
from tests.strategies import shapes

SMALL = [
    *itertools.product(range(1, 10), repeat=2),
    *itertools.product(range(1, 6), repeat=3),
    *itertools.product(range(1, 4), repeat=4),
]


def coordinates(path, shape):
    return np.stack(np.unravel_index(path, shape), axis=1)


@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_every_step_goes_to_a_neighbor_along_one_axis(ndim):
    for shape in SMALL:
        if len(shape) != ndim:
            continue
        for scan in (segkit.hilbert_scan, _snake_scan):
            path = scan(shape)
            assert path.dtype == np.intp
            assert sorted(path.tolist()) == list(range(np.prod(shape))), shape
            steps = np.abs(np.diff(coordinates(path, shape), axis=0)).sum(axis=1)
            assert (steps == 1).all(), shape


@given(shapes(min_side=0))
def test_equals_the_plain_version(shape):
    assert segkit.hilbert_scan(shape).tolist() == plain.hilbert_scan(shape)
    assert _snake_scan(shape).tolist() == plain.snake_scan(shape)


@pytest.mark.parametrize(
    "shape", [(1, 6), (6, 1), (40, 23), (17, 16), (2, 9), (5, 33), (12, 13, 9)]
)
def test_equals_the_plain_version_on_larger_images(shape):
    assert segkit.hilbert_scan(shape).tolist() == plain.hilbert_scan(shape)


def test_squares_of_powers_of_two_are_halved_and_quartered():
    for side in (2, 4, 32):
        places = coordinates(segkit.hilbert_scan((side, side)), (side, side))
        size = side * side
        while size >= 4:  # each aligned stretch of 4^k pixels is a square
            size //= 4
            for stretch in places.reshape(-1, size, 2):
                assert (np.ptp(stretch, axis=0) + 1).tolist() == [int(size**0.5)] * 2
    cube = coordinates(segkit.hilbert_scan((8, 8, 8)), (8, 8, 8))
    for stretch in cube.reshape(-1, 64, 3):
        assert (np.ptp(stretch, axis=0) + 1).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    "shape", [(64, 64), (63, 64), (101, 64), (75, 50), (40, 30, 20), (15, 33, 31)]
)
def test_keeps_pixels_together(shape):
    def spread(path, length):
        """Return the mean squared distance of pixels `length` steps apart on a path."""
        places = coordinates(path, shape)
        return ((places[length:] - places[:-length]) ** 2).sum(axis=1).mean()

    for length in (16, 64, 256):
        hilbert = spread(segkit.hilbert_scan(shape), length)
        assert hilbert < 2 * length ** (2 / len(shape))
        if len(shape) == 2:
            assert hilbert < spread(_snake_scan(shape), length) / 2 or length > shape[1]


def test_starts_at_the_first_pixel_and_ends_on_the_border():
    for shape in SMALL:
        path = segkit.hilbert_scan(shape)
        assert path[0] == 0
        last = np.unravel_index(path[-1], shape)
        assert any(at in (0, side - 1) for at, side in zip(last, shape, strict=True))


def test_lists_arrays_and_one_dimension_are_accepted():
    assert segkit.hilbert_scan([3]).tolist() == [0, 1, 2]
    assert segkit.hilbert_scan(np.array([1, 1])).tolist() == [0]
    assert segkit.hilbert_scan((0, 5)).shape == (0,)
    assert segkit.hilbert_scan((3.0, 1)).tolist() == [0, 1, 2]


def test_long_thin_images_need_no_deep_recursion_and_no_memory_but_the_result():
    for shape in ((1, 500_001), (2, 250_001), (3, 1, 99_999)):
        tracemalloc.start()
        path = segkit.hilbert_scan(shape)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < path.nbytes + 200_000
        if shape[0] == 2:
            assert np.abs(np.diff(coordinates(path, shape), axis=0)).sum(axis=1).max() == 1


@pytest.mark.parametrize(
    ("shape", "error", "match"),
    [
        (5, TypeError, "`shape` must be a sequence of sides"),
        ("ab", TypeError, "`shape` must be a sequence of sides"),
        (None, TypeError, "`shape` must be a sequence of sides"),
        ((3, 2.5), TypeError, r"`shape\[1\]` must be an integer"),
        ((3, True), TypeError, r"`shape\[1\]` must be an integer"),
        ((3, -1), ValueError, r"`shape\[1\]` must be an integer >= 0"),
        ((3, np.nan), ValueError, r"`shape\[1\]` must be an integer"),
        ((), ValueError, "`shape` must hold 1 to 4 sides"),
        ((1,) * 5, ValueError, "`shape` must hold 1 to 4 sides"),
        ((2**40, 2**40), ValueError, r"`shape` must have fewer than 2\*\*60 pixels"),
    ],
)
def test_bad_shapes_are_refused(shape, error, match):
    with pytest.raises(error, match=match):
        segkit.hilbert_scan(shape)
