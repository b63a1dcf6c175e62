"""Measures of instances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import _instances, metrics
from tests import strategies as own
from tests.reference import instances as reference

THRESHOLDS = (0.1, 0.2, 1 / 3, 0.5, 0.6, 0.75, 1.0)


@st.composite
def images(draw):
    """Return two label images with background and up to six objects each, cut finely."""
    shape = draw(own.shapes(max_dims=2, max_pixels=12))
    return [draw(own.label_images(shape=shape, n_ids=3)) for _ in range(2)]


@given(pair=images(), least=st.sampled_from(THRESHOLDS))
def test_matches_equal_the_best_of_all_assignments(pair, least):
    found = metrics.match_instances(*pair, iou=least)
    n_matches, total = reference.best(*pair, least)
    assert len(found.iou) == n_matches
    assert found.iou.sum() == pytest.approx(float(total), abs=1e-12)
    iou = reference.overlaps(*pair)
    for u, v, value in zip(found.truth_ids, found.test_ids, found.iou, strict=True):
        assert value == float(iou[u, v])
        assert value >= least
    for matched, left, labels in (
        (found.truth_ids, found.missed, pair[0]),
        (found.test_ids, found.spurious, pair[1]),
    ):
        everyone = np.concatenate([matched, left])
        assert sorted(everyone.tolist()) == list(reference.objects(labels))
    assert found.truth_ids.tolist() == sorted(found.truth_ids.tolist())


@given(pair=images())
def test_scores_equal_the_plain_version(pair):
    got = metrics.average_precision(*pair, iou=THRESHOLDS)
    wanted = [float(reference.average_precision(*pair, least)) for least in THRESHOLDS]
    assert got.tolist() == wanted
    assert metrics.average_precision(*pair) == wanted[THRESHOLDS.index(0.5)]
    quality = metrics.panoptic_quality(*pair)
    assert quality == pytest.approx([float(x) for x in reference.panoptic_quality(*pair)])
    assert all(type(x) is float for x in quality)
    found = _instances.scores(metrics.contingency(*pair))
    assert found["panoptic_quality"] == quality.pq
    assert found["average_precision"] == metrics.average_precision(*pair)
    mean = metrics.average_precision(*pair, iou=np.arange(50, 100, 5) / 100).mean()
    assert found["mean_average_precision"] == pytest.approx(mean)


@given(pair=images())
def test_the_same_objects_are_perfect_whatever_their_ids(pair):
    labels = pair[0]
    renamed = labels.astype(np.int64)
    renamed[renamed > 0] = (
        100 - np.unique(renamed, return_inverse=True)[1].reshape(labels.shape)[renamed > 0]
    )
    for least in THRESHOLDS:
        assert metrics.average_precision(labels, renamed, iou=least) == 1.0
    assert metrics.panoptic_quality(labels, renamed) == (1, 1, 1)


@given(pair=images())
def test_exchanging_truth_and_test(pair):
    one, two = pair
    there, back = (metrics.average_precision(*p, iou=THRESHOLDS) for p in ((one, two), (two, one)))
    assert np.array_equal(there, back)
    assert metrics.panoptic_quality(one, two) == metrics.panoptic_quality(two, one)


def test_more_matches_come_before_better_ones():
    """One object of the truth could take either: taking the worse one lets another match."""
    truth = np.array([1] * 6 + [2] * 2)
    test = np.array([8] * 2 + [7] * 6)
    found = metrics.match_instances(truth, test, iou=0.2)
    assert list(zip(found.truth_ids, found.test_ids, strict=True)) == [(1, 8), (2, 7)]
    assert metrics.match_instances(truth, test, iou=0.5).missed.tolist() == [2]


def test_objects_that_compete_in_a_large_grid():
    """Tiles moved by half a tile: each overlaps four; memory must follow the overlaps."""
    rows, cols = np.indices((400, 400))
    tiles = rows // 10 * 40 + cols // 10 + 1
    moved = (rows + 5) // 10 * 50 + (cols + 5) // 10 + 1
    assert metrics.average_precision(tiles, moved, iou=0.1) == 1600 / 1681
    assert metrics.average_precision(tiles, moved) == 0


def test_an_overlap_that_is_the_threshold_matches():
    for part in range(1, 20):
        truth, test = np.ones(20, int), np.repeat([1, 0], [part, 20 - part])
        assert metrics.average_precision(truth, test, iou=part / 20) == 1.0
        assert metrics.average_precision(truth, test, iou=part / 20 + 0.001) == 0.0


@pytest.mark.parametrize("iou", [0.5, 1.0])
def test_nothing_on_either_side_and_on_one(iou):
    nothing, something = np.zeros((3, 3), int), np.eye(3, dtype=int)
    empty = np.zeros((0, 3), int)
    for both in (nothing, empty):
        assert metrics.average_precision(both, both, iou=iou) == 1.0
        assert metrics.panoptic_quality(both, both) == (1, 1, 1)
        assert len(metrics.match_instances(both, both, iou=iou).iou) == 0
    for pair in ((nothing, something), (something, nothing)):
        assert metrics.average_precision(*pair, iou=iou) == 0.0
        assert metrics.panoptic_quality(*pair) == (0, 0, 0)


def test_an_iou_of_exactly_one_half_matches_for_precision_but_not_for_quality():
    truth, test = [1, 1, 0], [0, 1, 0]
    assert metrics.average_precision(truth, test) == 1.0
    assert metrics.panoptic_quality(truth, test) == (0, 0, 0)
    # Two halves of one object: one of them matches.
    found = metrics.match_instances([1, 1], [5, 6])
    assert (len(found.iou), len(found.missed), len(found.spurious)) == (1, 0, 1)


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (1.01, ValueError), (-0.5, ValueError), (float("nan"), ValueError),
     (float("inf"), ValueError), ("0.5", TypeError), (True, TypeError), (None, TypeError),
     (1j, TypeError)],
)  # fmt: skip
def test_bad_thresholds(value, error):
    with pytest.raises(error, match="`iou`"):
        metrics.match_instances([1], [1], iou=value)
    with pytest.raises(error, match="`iou`"):
        metrics.average_precision([1], [1], iou=value)
    with pytest.raises(error, match=r"`iou\[1\]`"):
        metrics.average_precision([1], [1], iou=[0.5, value])


def test_thresholds_of_two_axes():
    with pytest.raises(ValueError, match="`iou` must be a number or a flat sequence"):
        metrics.average_precision([1], [1], iou=[[0.5]])
    assert metrics.average_precision([1], [1], iou=[]).shape == (0,)
