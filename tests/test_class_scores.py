"""Scores of class images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segkit import metrics
from tests import strategies as own
from tests.reference import class_scores as reference

TOLERANCES = (0, 0.0075, 0.2, 0.34, 0.5, 1)
BY_MATRIX = (metrics.pixel_accuracy, metrics.class_accuracy, metrics.mean_iou)


@st.composite
def class_images(draw, n=2, **options):
    shape = draw(own.shapes(**options))
    dtype = draw(st.sampled_from(own.INTEGER_DTYPES))
    high = 1 if dtype == np.bool_ else 4
    return [
        draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, high))).astype(dtype)
        for _ in range(n)
    ]


@given(pair=class_images())
def test_scores_equal_the_plain_version(pair):
    truth, test = pair
    n = int(max(truth.max(), test.max()))
    matrix = metrics.confusion_matrix(truth, test)
    assert matrix.dtype == np.int64
    numbers = truth.astype(int), test.astype(int)
    np.testing.assert_array_equal(matrix, reference.confusion_matrix(*numbers, n))
    np.testing.assert_array_equal(
        metrics.confusion_matrix(truth, test, n_classes=6), reference.confusion_matrix(*numbers, 6)
    )
    for function in BY_MATRIX:
        wanted = getattr(reference, function.__name__)(truth, test)
        assert function(truth, test) == pytest.approx(wanted, abs=1e-14)
        assert function(matrix=matrix) == function(truth, test)
        assert type(function(truth, test)) is float
    wanted = [reference.iou(truth, test, k + 1) for k in range(n)]
    assert metrics.iou_per_class(truth, test).tolist() == wanted
    assert metrics.iou_per_class(matrix=matrix).tolist() == wanted
    six = metrics.iou_per_class(truth, test, n_classes=6).tolist()
    assert six == wanted + [1.0] * (6 - n)


@given(pair=class_images(max_pixels=80), tolerance=st.sampled_from(TOLERANCES))
def test_boundary_f1_equals_the_plain_version(pair, tolerance):
    wanted = reference.boundary_f1(*pair, tolerance)
    assert metrics.boundary_f1(*pair, tolerance=tolerance) == pytest.approx(wanted, abs=1e-14)


@given(pair=class_images())
def test_identity_is_perfect_and_names_do_not_matter(pair):
    truth, test = (a.astype(np.int64) for a in pair)
    new_names = np.array([0, 2**40, 7, 3, 2**31 + 5])
    for function in (*BY_MATRIX, metrics.boundary_f1):
        assert function(truth, truth) == 1
        got = function(new_names[truth], new_names[test])
        assert got == pytest.approx(function(truth, test), abs=1e-14)


@given(pairs=st.lists(class_images(), min_size=1, max_size=3))
def test_the_sum_of_matrices_is_that_of_all_pixels(pairs):
    truth, test = (np.concatenate([pair[k].ravel() for pair in pairs]).astype(int) for k in (0, 1))
    matrix = sum(metrics.confusion_matrix(*pair, n_classes=5) for pair in pairs)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(truth, test, n_classes=5))
    for function in BY_MATRIX:
        assert function(matrix=matrix.tolist()) == function(truth, test)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("void", [False, True])
def test_the_same_as_scikit_learn(seed, void):
    scores = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    truth, test = rng.integers(0, 6, (2, 12, 20))
    test = np.where(rng.random(test.shape) < 0.5, truth, test)
    test = test if void else np.maximum(test, 1)
    known, given = truth[truth > 0], test[truth > 0]
    labels = np.arange(1, 6)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(truth, test)[1:, 1:],
        scores.confusion_matrix(known, given, labels=labels),
    )
    wanted = scores.jaccard_score(known, given, labels=labels, average=None)
    np.testing.assert_allclose(metrics.iou_per_class(truth, test), wanted, atol=1e-12)
    assert metrics.mean_iou(truth, test) == pytest.approx(wanted.mean(), abs=1e-12)
    accuracy = scores.accuracy_score(known, given)
    assert metrics.pixel_accuracy(truth, test) == pytest.approx(accuracy, abs=1e-12)
    recall = scores.recall_score(known, given, labels=labels, average="macro")
    assert metrics.class_accuracy(truth, test) == pytest.approx(recall, abs=1e-12)
    if not void:
        balanced = scores.balanced_accuracy_score(known, given)
        assert metrics.class_accuracy(truth, test) == pytest.approx(balanced, abs=1e-12)


def test_void_in_the_truth_is_left_out_and_in_the_test_is_wrong():
    truth, test = [1, 1, 2, 2, 0, 0], [1, 0, 2, 2, 2, 0]
    assert metrics.pixel_accuracy(truth, test) == 0.75
    assert metrics.class_accuracy(truth, test) == 0.75
    assert metrics.iou_per_class(truth, test).tolist() == [0.5, 1.0]
    assert metrics.mean_iou(truth, test) == 0.75


def test_a_class_that_only_the_test_has_counts_with_zero():
    truth, test = [1, 1, 1, 1], [1, 1, 1, 3]
    assert metrics.iou_per_class(truth, test).tolist() == [0.75, 1.0, 0.0]
    assert metrics.mean_iou(truth, test) == 0.375
    assert metrics.class_accuracy(truth, test) == 0.75
    flat = np.ones((3, 3), int)
    assert metrics.boundary_f1(flat, flat + 1) == 0  # no outline in either, and all is wrong


@pytest.mark.parametrize("shape", [(0,), (0, 3), (4,), (2, 2, 2)])
def test_without_a_pixel_that_counts_all_is_right(shape):
    void = np.zeros(shape, int)
    for test in (void, void + 3):
        for function in (*BY_MATRIX, metrics.boundary_f1):
            assert function(void, test) == 1
    assert metrics.confusion_matrix(void, void).tolist() == [[0]]
    assert metrics.iou_per_class(void, void).tolist() == []
    assert metrics.iou_per_class(void, void, n_classes=2).tolist() == [1, 1]


def test_outlines_against_void_do_not_count():
    truth = np.array([[1, 1, 0, 2, 2]] * 5)
    assert metrics.boundary_f1(truth, np.array([[1, 1, 1, 2, 2]] * 5)) == 1
    assert metrics.boundary_f1(truth, np.array([[1, 1, 2, 2, 2]] * 5)) == 1
    assert metrics.boundary_f1(truth, np.array([[1, 2, 2, 2, 2]] * 5)) < 0.6


def test_large_ids_cost_no_memory():
    truth = np.array([[1, 2**62], [2**62, 0]])
    assert metrics.mean_iou(truth, truth[::-1]) == 0
    assert metrics.pixel_accuracy(truth.astype(np.uint64), truth.astype(np.uint64)) == 1
    with pytest.raises(ValueError, match="`truth` must hold classes up to 4095, got 46116860184"):
        metrics.confusion_matrix(truth, truth)


LABELS = np.array([[1, 1, 2], [0, 1, 2]])
FUNCTIONS = (
    *(metrics.confusion_matrix, metrics.iou_per_class, metrics.boundary_f1),
    *BY_MATRIX,
)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (TypeError, "`truth` must hold integers, got dtype float64", (LABELS * 1.0, LABELS)),
        (TypeError, "`test` must hold integers, got dtype float64", (LABELS, LABELS * 1.0)),
        (TypeError, "`truth` has dtype complex128", (LABELS * 1j, LABELS)),
        (TypeError, "`test` has dtype object", (LABELS, np.full((2, 3), None))),
        (TypeError, "`truth` has dtype <U1", (np.full((2, 3), "a"), LABELS)),
        (TypeError, "`truth` has dtype datetime64", (np.zeros((2, 3), "M8[D]"), LABELS)),
        (TypeError, "`truth` must be an array, got None", (None, LABELS)),
        (TypeError, "`test` must be an array, got None", (LABELS, None)),
        (ValueError, "`truth` must hold ids >= 0, got -1", (LABELS - 1, LABELS)),
        (ValueError, "`test` must hold ids >= 0, got -2", (LABELS, -LABELS)),
        (ValueError, r"`truth` has shape \(3, 2\), `test` has shape \(2, 3\)", (LABELS.T, LABELS)),
        (ValueError, "`truth` must be an array of 1 to 4 dimensions", (3, LABELS)),
        (ValueError, "`test` must have 1 to 4", (LABELS, LABELS.reshape((1, 1, 1, 2, 3)))),
    ],
)
def test_bad_labels(function, error, message, arguments):
    with pytest.raises(error, match=message):
        function(*arguments)


@pytest.mark.parametrize("function", [*BY_MATRIX, metrics.iou_per_class])
@pytest.mark.parametrize(
    ("error", "message", "matrix"),
    [
        (TypeError, "`matrix` must hold integers", [[0.0, 0], [0, 1]]),
        (TypeError, "`matrix` has dtype object", [[None]]),
        (ValueError, "`matrix` must be square", [[0, 0, 0], [0, 1, 1]]),
        (ValueError, r"`matrix` must have the axes \(truth, test\)", [0, 1]),
        (ValueError, "`matrix` must hold counts >= 0", [[0, 0], [0, -1]]),
        (ValueError, "none in row 0", [[1, 0], [0, 1]]),
        (ValueError, "`matrix` must be a rectangular", [[1, 0], [0]]),
    ],
)
def test_bad_matrices(function, error, message, matrix):
    with pytest.raises(error, match=message):
        function(matrix=matrix)
    with pytest.raises(ValueError, match="`matrix` must be None beside"):
        function(LABELS, LABELS, matrix=[[0, 0], [0, 1]])
    with pytest.raises(TypeError, match="`truth` must be an array, got None"):
        function()


@pytest.mark.parametrize("function", [metrics.confusion_matrix, metrics.iou_per_class])
def test_bad_numbers_of_classes(function):
    with pytest.raises(ValueError, match="`truth` must hold classes up to `n_classes`, 1, got 2"):
        function(LABELS, LABELS, n_classes=1)
    with pytest.raises(ValueError, match="`test` must hold classes up to `n_classes`, 2, got 9"):
        function(LABELS, LABELS + 7, n_classes=2)
    for bad in (0, -1, 4096, np.nan):
        with pytest.raises(ValueError, match="`n_classes` must be an integer from 1 to 4095"):
            function(LABELS, LABELS, n_classes=bad)
    for bad in (True, "2", 1.5):
        with pytest.raises(TypeError, match="`n_classes` must be an integer"):
            function(LABELS, LABELS, n_classes=bad)
    with pytest.raises(ValueError, match="`n_classes` goes with images"):
        metrics.iou_per_class(matrix=[[0]], n_classes=1)


def test_bad_tolerances_of_boundary_f1():
    for bad in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="`tolerance` must be a finite number >= 0"):
            metrics.boundary_f1(LABELS, LABELS, tolerance=bad)
    with pytest.raises(TypeError, match="`tolerance`"):
        metrics.boundary_f1(LABELS, LABELS, tolerance=None)
