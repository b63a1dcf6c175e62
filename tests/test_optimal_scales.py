"""ODS, OIS and Best."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segkit import metrics
from tests.reference import optimal_scales as reference

TABLES = hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)).map(
    lambda table: (table % 5) / 4
)


@given(table=TABLES, better=st.sampled_from(["higher", "lower"]))
def test_scores_equal_the_plain_version(table, better):
    optimal = metrics.optimal_scores(table.tolist(), better=better)
    assert (optimal.ods, optimal.ois) == pytest.approx(
        reference.optimal_scores(table.tolist(), better), abs=1e-14
    )
    assert optimal.ods == pytest.approx(table[:, optimal.scale].mean(), abs=1e-14)
    best = table[np.arange(len(table)), list(optimal.scales)]
    assert optimal.ois == pytest.approx(best.mean(), abs=1e-14)


@st.composite
def tables_of_counts(draw):
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    number = st.integers(0, 6)
    table = draw(hnp.arrays(np.int64, (*shape, 2, 2), elements=number))
    return np.sort(table, axis=-1).reshape(*shape, 4)


@given(counts=tables_of_counts())
def test_boundary_scores_equal_the_plain_version(counts):
    optimal = metrics.optimal_boundary_scores(json.loads(json.dumps(counts.tolist())))
    ods, ois = reference.optimal_boundary_scores(counts.tolist())
    assert optimal.ods.f == pytest.approx(ods[2], abs=1e-14)
    sums = metrics.BoundaryCounts(*counts[:, optimal.scale].sum(axis=0).tolist())
    assert optimal.ods == sums.scores()
    at_best = counts[np.arange(len(counts)), list(optimal.scales)].sum(axis=0)
    assert optimal.ois == metrics.BoundaryCounts(*at_best.tolist()).scores()
    assert optimal.ois == pytest.approx(ois, abs=1e-14)


@st.composite
def families_of_overlaps(draw):
    n_scales, images = draw(st.integers(1, 4)), []
    for _ in range(draw(st.integers(1, 4))):
        n = draw(st.integers(0, 4))
        area = draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
        overlap = st.lists(st.sampled_from([0, 0.25, 0.5, 1.0]), min_size=n, max_size=n)
        images.append([[area, draw(overlap)] for _ in range(n_scales)])
    return images


@given(images=families_of_overlaps())
def test_covering_equals_the_plain_version(images):
    optimal = metrics.optimal_covering(json.loads(json.dumps(images)))
    wanted = reference.optimal_covering(images)
    assert (optimal.ods, optimal.ois, optimal.best) == pytest.approx(wanted, abs=1e-14)
    assert optimal.ods <= optimal.ois + 1e-14
    assert optimal.ois <= optimal.best + 1e-14
    arrays = [[tuple(map(np.array, scale)) for scale in image] for image in images]
    assert metrics.optimal_covering(arrays) == optimal


def test_ties_go_to_the_first_scale():
    assert metrics.optimal_scores([[1, 1], [2, 2]])[2:] == (0, (0, 0))
    assert metrics.optimal_scores([[1, 1], [2, 2]], better="lower")[2:] == (0, (0, 0))
    assert metrics.optimal_boundary_scores([[[1, 2, 1, 2]] * 3])[2:] == (0, (0,))
    assert metrics.optimal_covering([[([1], [0.5])] * 3])[3:] == (0, (0,))


def test_one_scale_is_ods_and_ois():
    assert metrics.optimal_scores([[0.25], [0.5]]) == (0.375, 0.375, 0, (0, 0))
    optimal = metrics.optimal_boundary_scores([[[1, 2, 1, 2]], [[0, 4, 0, 1]]])
    assert optimal.ods == optimal.ois == (1 / 6, 1 / 3, pytest.approx(2 / 9))


@pytest.mark.parametrize(
    ("error", "message", "scores"),
    [
        (ValueError, "`scores` must be a rectangular array", [[1, 2], [1]]),
        (ValueError, r"`scores` must have the axes \(image, scale\)", [1, 2]),
        (ValueError, r"`scores` must have the axes \(image, scale\)", []),
        (ValueError, r"`scores` must have the axes \(image, scale\)", [[], []]),
        (ValueError, "`scores` must not hold NaN", [[1, np.nan]]),
        (ValueError, "`scores` must not hold infinite", [[1, np.inf]]),
        (TypeError, "`scores` has dtype <U1", [["a"]]),
        (TypeError, "`scores` has dtype complex128", [[1j]]),
        (TypeError, "`scores` must be an array, got None", None),
    ],
)
def test_bad_scores(error, message, scores):
    with pytest.raises(error, match=message):
        metrics.optimal_scores(scores)


def test_bad_words():
    with pytest.raises(ValueError, match='`better` must be one of "higher", "lower"'):
        metrics.optimal_scores([[1]], better="best")
    with pytest.raises(TypeError, match="`better` must be one of"):
        metrics.optimal_scores([[1]], better=True)


@pytest.mark.parametrize(
    ("error", "message", "counts"),
    [
        (ValueError, r"`counts` must have the axes \(image, scale, count\)", [[1, 2, 3, 4]]),
        (ValueError, r"`counts` must have the axes \(image, scale, count\)", []),
        (ValueError, "`counts` must hold 4 numbers", [[[1, 2, 3]]]),
        (ValueError, r"`counts` must have the axes .*, none empty", [[[]]]),
        (ValueError, "`counts` must be >= 0", [[[-1, 2, 3, 4]]]),
        (ValueError, "`counts` must be >= 0, and no more", [[[3, 2, 3, 4]]]),
        (ValueError, "`counts` must be >= 0, and no more", [[[1, 2, 5, 4]]]),
        (TypeError, "`counts` must hold integers, got dtype float64", [[[1.5, 2, 3, 4]]]),
    ],
)
def test_bad_counts(error, message, counts):
    with pytest.raises(error, match=message):
        metrics.optimal_boundary_scores(counts)


@pytest.mark.parametrize(
    ("error", "message", "overlaps"),
    [
        (ValueError, "`overlaps` must hold at least one item", []),
        (TypeError, "`overlaps` must be a sequence, got 3", 3),
        (TypeError, "`overlaps` must be a sequence, got None", None),
        (TypeError, r"`overlaps\[0\]` must be an array, got None", [None]),
        (ValueError, r"`overlaps\[1\]` must have the axes", [[([1], [1])], []]),
        (ValueError, r"`overlaps\[0\]` must be a rectangular", [[([1], [1]), ([1], [])]]),
        (ValueError, r"`overlaps\[0\]` must hold pairs", [[([1], [1], [1])]]),
        (ValueError, r"`overlaps\[0\]` must hold the same areas", [[([1], [1]), ([2], [1])]]),
        (ValueError, r"`overlaps\[0\]` must hold the same areas >= 0", [[([-1], [1])]]),
        (ValueError, r"`overlaps\[0\]` must hold overlaps from 0 to 1", [[([1], [1.5])]]),
        (ValueError, r"`overlaps\[0\]` must not hold NaN", [[([1], [np.nan])]]),
        (ValueError, "as many scales for each image", [[([1], [1])], [([1], [1])] * 2]),
    ],
)
def test_bad_overlaps(error, message, overlaps):
    with pytest.raises(error, match=message):
        metrics.optimal_covering(overlaps)
