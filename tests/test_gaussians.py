"""Gaussian classes: densities, estimates, the floor, and independence of blocks and threads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segkit import _gaussians, _threads
from tests.reference import gaussians as plain
from tests.strategies import KERNEL_DTYPES, REAL_DTYPES


@st.composite
def pixels_and_weights(draw, dtypes=KERNEL_DTYPES):
    """Return a few pixels of few values, and positive weights for up to three classes."""
    n, p, n_classes = draw(st.integers(1, 9)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    dtype = draw(st.sampled_from(dtypes))
    pixels = draw(hnp.arrays(np.int64, (n, p), elements=st.integers(0, 5))).astype(dtype)
    weights = draw(hnp.arrays(np.int64, (n_classes, n), elements=st.integers(1, 4)))
    return pixels, weights / 4


def matrices(classes):
    """Return covariances of any kind as matrices."""
    means, covariances = classes
    p = means.shape[1]
    if covariances.ndim == 3:
        return covariances
    if covariances.ndim == 2:
        return np.array([np.diag(row) for row in covariances])
    return covariances[:, None, None] * np.eye(p)


def estimated(pixels, weights, covariance, floor):
    centers = np.zeros((len(weights), pixels.shape[1]))
    moments = _gaussians.Moments.of(pixels, weights, centers, covariance)
    return _gaussians.class_estimates(moments, covariance, floor)


@given(pixels_and_weights())
def test_full_estimates_follow_the_formulas(drawn):
    pixels, weights = drawn
    means, covariances = plain.estimates(pixels.astype(float), weights)
    got = estimated(pixels, weights, "full", None)
    np.testing.assert_allclose(got.means, means, atol=1e-12)
    np.testing.assert_allclose(got.covariances, covariances, atol=1e-12)
    got = estimated(pixels, weights, "diag", np.zeros(pixels.shape[1]))
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    np.testing.assert_allclose(got.covariances, variances, atol=1e-12)
    got = estimated(pixels, weights, "spherical", np.zeros(pixels.shape[1]))
    np.testing.assert_allclose(got.covariances, variances.mean(axis=1), atol=1e-12)


@given(pixels_and_weights(), st.sampled_from(_gaussians.COVARIANCES))
def test_densities_follow_the_formula(drawn, covariance):
    pixels, weights = drawn
    floor = np.full(pixels.shape[1], 0.25)
    classes = estimated(pixels, weights, covariance, floor)
    got = _gaussians.log_densities(pixels, classes)
    wanted = plain.log_densities(pixels.astype(float), classes.means, matrices(classes))
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)


@given(pixels_and_weights(), st.lists(st.floats(0.1, 9), min_size=3, max_size=3))
def test_no_covariance_is_narrower_than_the_floor_or_moved_where_wider(drawn, floor):
    pixels, weights = drawn
    floor = np.array(floor[: pixels.shape[1]])
    plain_covariances = estimated(pixels, weights, "full", None).covariances
    got = estimated(pixels, weights, "full", floor).covariances
    unit = np.sqrt(np.outer(floor, floor))
    assert np.linalg.eigvalsh(got / unit).min() > 1 - 1e-9
    # Nothing but the narrow directions was widened.
    added = np.linalg.eigvalsh((got - plain_covariances) / unit)
    assert added.min() > -1e-9
    assert added.max() <= 1 + 1e-9
    assert (estimated(pixels, weights, "diag", floor).covariances >= floor).all()
    assert (estimated(pixels, weights, "spherical", floor).covariances >= floor.mean()).all()


def test_the_floor_makes_the_most_likely_covariance_among_those_nowhere_narrower():
    rng = np.random.default_rng(1)
    pixels, weights = rng.normal(size=(40, 2)) * (0.3, 2), np.ones((1, 40))
    floor = np.array([0.5, 0.7])
    best = estimated(pixels, weights, "full", floor)
    likely = _gaussians.log_densities(pixels, best).sum()
    for _ in range(300):
        turn = rng.normal(size=(2, 2)) * 0.1
        unit = np.sqrt(floor)
        spread = best.covariances[0] / np.outer(unit, unit) + turn + turn.T
        values, axes = np.linalg.eigh(spread)
        other = (axes * np.maximum(values, 1)) @ axes.T * np.outer(unit, unit)
        rival = _gaussians.Gaussians(best.means, other[None])
        assert _gaussians.log_densities(pixels, rival).sum() <= likely + 1e-9


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_every_type_keeps_its_values(dtype):
    values = np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)
    if dtype is np.uint64:
        values = values + np.uint64(2**53 - 1)
    ready = _gaussians.values_for_kernel(values)
    assert ready.flags.c_contiguous
    assert ready.astype(float).tolist() == values.astype(float).tolist()
    _gaussians.Moments.of(ready, np.ones((1, 3)), np.zeros((1, 2)), "full")


def test_the_floor_of_integers_is_that_of_rounding_and_of_floats_relative():
    integers = np.array([[1, 5], [2, 5], [9, 5]])
    assert _gaussians.variance_floor(integers).tolist() == [1 / 12, 1 / 12]
    floats = integers.astype(np.float32)
    variance = floats[:, 0].var()
    np.testing.assert_allclose(
        _gaussians.variance_floor(floats), [1e-6 * variance, 0.5e-6 * variance], rtol=1e-6
    )
    assert _gaussians.variance_floor(floats[:, 1:].copy()).tolist() == [1 / 12]


def test_sums_of_blocks_are_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(3 * _gaussians.BLOCK + 7, 2)).astype(np.float32)
    weights = rng.random((2, len(pixels)))
    centers = np.zeros((2, 2))

    def work(block):
        return _gaussians.Moments.of(pixels[block], weights[:, block], centers, "full").sums

    alone = sum(_threads.in_order(work, _gaussians.blocks(len(pixels))))
    for n_threads in (2, 5):
        parts = _threads.in_order(work, _gaussians.blocks(len(pixels)), n_threads)
        assert np.array_equal(sum(parts), alone)
    whole = _gaussians.Moments.of(pixels, weights, centers, "full").sums
    assert np.array_equal(whole, alone)


def test_shares_sum_to_one_and_impossible_pixels_get_equal_ones():
    scores = np.array([[-2000.0, 0.0, -np.inf], [-2001.0, -np.inf, -np.inf]])
    totals = _gaussians.normalize(scores)
    np.testing.assert_allclose(scores[0], [1 / (1 + np.exp(-1)), 1, 0.5])
    np.testing.assert_allclose(scores.sum(axis=0), 1)
    np.testing.assert_allclose(totals[:2], [-2000 + np.log1p(np.exp(-1)), 0])
    assert totals[2] == -np.inf


def test_a_class_without_pixels_stays_as_it_was():
    pixels, weights = np.array([[1.0], [3.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    before = _gaussians.Gaussians(np.array([[0.0], [7.0]]), np.array([[2.0], [5.0]]))
    moments = _gaussians.Moments.of(pixels, weights, before.means, "diag")
    after = _gaussians.class_estimates(moments, "diag", np.array([0.1]), before)
    assert after.means.tolist() == [[2.0], [7.0]]
    assert after.covariances.tolist() == [[1.0], [5.0]]
