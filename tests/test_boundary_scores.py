"""Boundary scores and the pairing behind them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from segkit import _dtypes, metrics
from tests import strategies as own
from tests.reference import boundary_scores as reference

TOLERANCES = (0, 0.0075, 0.2, 0.25, 0.5, 1, 3.5)


def positions(found):
    """Return where a map is true, as tuples in raster order."""
    return [tuple(p) for p in np.argwhere(found).tolist()]


@given(data=st.data())
def test_no_pairing_has_more_pairs(data):
    shape = data.draw(own.shapes(max_pixels=5))  # trying all pairings takes 6**5 steps
    truth, test = (data.draw(hnp.arrays(np.bool_, shape)) for _ in range(2))
    tolerance = data.draw(st.sampled_from(TOLERANCES))
    radius = tolerance * math.hypot(*shape)
    candidates = reference.partners(positions(test), positions(truth), radius)
    counts = metrics.match_boundaries(truth, test, tolerance=tolerance)
    assert counts.matched_test == counts.matched_truth == reference.most_pairs(candidates)


@pytest.mark.parametrize("shape", [(300,), (40, 50), (9, 11, 13), (5, 5, 5, 6)], ids=str)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7])
@pytest.mark.parametrize("tolerance", [0.02, 0.05, 0.15])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_as_many_pairs_as_scipy_finds(shape, share, tolerance, index, monkeypatch):
    monkeypatch.setattr(_dtypes, "index_dtype", lambda size: np.dtype(index))
    rng = np.random.default_rng(0)
    truth, test = rng.random(shape) < share, rng.random(shape) < 0.3
    near = cdist(np.argwhere(test), np.argwhere(truth)) <= tolerance * math.hypot(*shape)
    pairs = near[linear_sum_assignment(near, maximize=True)].sum()
    counts = metrics.match_boundaries(truth, test, tolerance=tolerance)
    assert counts.matched_test == counts.matched_truth == pairs


def test_a_chain_through_every_pixel_is_found():
    n = 3000  # all have their own place but the first, which makes each move on by one
    test, truth = np.ones(n + 1, bool), np.ones(n + 1, bool)
    test[-1] = truth[0] = False
    counts = metrics.match_boundaries(truth, test, tolerance=1.5 / (n + 1))
    assert counts == (n, n, n, n)


@given(data=st.data())
def test_boundary_counts_equal_the_plain_version(data):
    shape = data.draw(own.shapes(max_pixels=60))
    test = data.draw(own.label_images(shape=shape))
    truths = data.draw(st.lists(own.label_images(shape=shape), min_size=1, max_size=3))
    tolerance = data.draw(st.sampled_from(TOLERANCES))
    maps = [reference.boundary_pixels(one) for one in truths]
    wanted = reference.boundary_counts(maps, reference.boundary_pixels(test), shape, tolerance)
    counts = metrics.boundary_counts(truths, test, tolerance=tolerance)
    assert counts == wanted
    assert all(type(count) is int for count in counts)
    scores = metrics.boundary_scores(truths, test, tolerance=tolerance)
    assert scores == pytest.approx(reference.scores(*wanted), abs=1e-12)
    if len(truths) == 1:
        assert metrics.boundary_counts(truths[0], test, tolerance=tolerance) == wanted


@given(data=st.data())
def test_maps_equal_the_plain_version(data):
    shape = data.draw(own.shapes(max_pixels=60))
    test, *truths = data.draw(st.lists(hnp.arrays(np.bool_, shape), min_size=2, max_size=4))
    tolerance = data.draw(st.sampled_from(TOLERANCES))
    maps = [positions(one) for one in truths]
    wanted = reference.boundary_counts(maps, positions(test), shape, tolerance)
    assert metrics.match_boundaries(truths, test, tolerance=tolerance) == wanted
    assert metrics.match_boundaries(np.stack(truths), test, tolerance=tolerance) == wanted


@given(labels=own.label_images())
def test_boundary_pixels_equal_the_plain_version(labels):
    assert positions(metrics.boundary_pixels(labels)) == reference.boundary_pixels(labels)
    assert metrics.boundary_scores(labels, labels) == (1, 1, 1)


@given(data=st.data())
def test_exchanging_truth_and_test_exchanges_precision_and_recall(data):
    shape = data.draw(own.shapes())
    first, second = (data.draw(own.label_images(shape=shape)) for _ in range(2))
    tolerance = data.draw(st.sampled_from(TOLERANCES))
    one = metrics.boundary_scores(first, second, tolerance=tolerance)
    other = metrics.boundary_scores(second, first, tolerance=tolerance)
    assert (one.precision, one.recall) == (other.recall, other.precision)
    assert one.f == pytest.approx(other.f, abs=1e-15)


@given(data=st.data())
def test_a_larger_tolerance_never_matches_fewer(data):
    shape = data.draw(own.shapes())
    truth, test = (data.draw(own.label_images(shape=shape)) for _ in range(2))
    found = [metrics.boundary_counts(truth, test, tolerance=t).matched_truth for t in TOLERANCES]
    assert found == sorted(found)


@given(labels=own.label_images())
def test_names_of_regions_do_not_matter(labels):
    _, named = np.unique(labels, return_inverse=True)
    named = named.reshape(labels.shape)
    other = named[::-1]
    assert metrics.boundary_counts(other, labels) == metrics.boundary_counts(other, 90 - 7 * named)


def test_distance_is_exact_at_the_limit():
    test, truth = np.zeros((2, 300, 400), bool)
    truth[100, 100] = test[103, 104] = True  # 5 pixels apart; the diagonal is 500
    assert metrics.match_boundaries(truth, test, tolerance=0.01).matched_test == 1
    assert metrics.match_boundaries(truth, test, tolerance=0.00999).matched_test == 0
    below = math.nextafter(math.sqrt(3) / 3, 0)  # of a diagonal of 3
    cube, far = np.zeros((2, 2, 2, 1), bool)
    cube[0, 0, 0] = far[1, 1, 0] = True  # sqrt(2) apart
    assert metrics.match_boundaries(cube, far, tolerance=math.sqrt(2) / 3).matched_test == 1
    assert metrics.match_boundaries(cube, far, tolerance=below).matched_test == 1
    assert metrics.match_boundaries(cube, far, tolerance=0.47).matched_test == 0


def test_a_doubled_line_is_no_match_for_a_single_one():
    truth, test = np.zeros((2, 20, 100), bool)
    truth[10] = True
    test[9] = test[11] = True
    counts = metrics.match_boundaries(truth, test, tolerance=0.02)
    assert counts == (100, 200, 100, 100)
    assert counts.scores() == (0.5, 1.0, pytest.approx(2 / 3))


def test_a_pixel_right_for_one_of_two_annotators_is_right():
    first = np.repeat([[1, 1, 2, 2, 2, 2, 2, 2, 2, 2]], 10, axis=0)
    second = np.repeat([[1, 1, 1, 1, 1, 1, 1, 1, 2, 2]], 10, axis=0)
    test = np.repeat([[1, 1, 2, 2, 2, 2, 2, 2, 3, 3]], 10, axis=0)
    assert metrics.boundary_counts(first, test) == (10, 20, 10, 10)
    assert metrics.boundary_counts([first, second], test) == (20, 20, 20, 20)
    assert metrics.boundary_counts([first, second], first) == (10, 10, 10, 20)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (4,), (3, 5), (1, 1, 1), (2, 3, 2, 1)])
def test_without_a_boundary_all_is_right(shape):
    flat = np.ones(shape, int)
    assert metrics.boundary_scores(flat, flat + 4) == (1, 1, 1)
    assert metrics.boundary_scores([flat, flat], flat) == (1, 1, 1)


def test_a_boundary_in_one_only_is_all_wrong():
    flat, cut = np.ones((4, 4), int), np.array([[1, 1, 2, 2]] * 4)
    assert metrics.boundary_scores(flat, cut) == (0, 0, 0)
    assert metrics.boundary_scores(cut, flat) == (0, 0, 0)
    assert metrics.boundary_scores([cut, flat], cut) == (1, 1, 1)
    corner = np.array([[1, 1, 1, 2]] * 4)
    assert metrics.boundary_scores(cut, corner, tolerance=0) == (0, 0, 0)


LABELS = np.array([[1, 1, 2], [1, 1, 2]])


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (TypeError, "`test` must hold integers, got dtype float64", (LABELS, LABELS * 1.0)),
        (TypeError, "`truth` must hold integers, got dtype float32", (LABELS.astype("f4"), LABELS)),
        (TypeError, "`truth` must hold integers", ([LABELS, LABELS * 1.0], LABELS)),
        (TypeError, "`truth` has dtype complex128", (LABELS * 1j, LABELS)),
        (TypeError, "`truth` has dtype <U1", ([["a", "b"]], LABELS)),
        (TypeError, "`test` must be an array, got None", (LABELS, None)),
        (TypeError, "`truth` must be an array, got None", (None, LABELS)),
        (TypeError, "`truth` must be an array, got None", ([LABELS, None], LABELS)),
        (ValueError, "`truth` must hold ids >= 0, got -1", (-LABELS + 1, LABELS)),
        (ValueError, "`test` must hold ids >= 0, got -2", (LABELS, -LABELS)),
        (ValueError, r"`truth` has shape \(3, 2\), `test` has shape", (LABELS.T, LABELS)),
        (ValueError, r"`truth` has shape \(2, 2\), `test`", ([LABELS, LABELS[:, :2]], LABELS)),
        (ValueError, "`truth` must hold at least one annotation", ([], LABELS)),
        (ValueError, "`truth` must hold at least one", (np.ones((0, 2, 3), int), LABELS)),
        (ValueError, "`truth` must be a rectangular array", ([[1, 2], [1]], LABELS)),
        (ValueError, "`truth` must be an array of 1 to 4 dimensions", (3, LABELS)),
        (ValueError, "`test` must be an array of 1 to 4 dimensions", (LABELS, 3)),
        (ValueError, "`test` must have 1 to 4", (LABELS, LABELS.reshape((1, 1, 1, 2, 3)))),
    ],
)
def test_bad_labels(error, message, arguments):
    for function in (metrics.boundary_scores, metrics.boundary_counts):
        with pytest.raises(error, match=message):
            function(*arguments)


@pytest.mark.parametrize("tolerance", [-1, -1e-9, np.nan, np.inf, 10**400])
def test_bad_tolerances(tolerance):
    message = "`tolerance` must be a finite number >= 0"
    for function in (metrics.boundary_scores, metrics.boundary_counts, metrics.match_boundaries):
        with pytest.raises(ValueError, match=message):
            function(LABELS == 1, LABELS == 1, tolerance=tolerance)
        with pytest.raises(TypeError, match=message):
            function(LABELS == 1, LABELS == 1, tolerance="1")


def test_bad_maps():
    found = LABELS == 1
    with pytest.raises(TypeError, match="`test` must hold integers, got dtype float64"):
        metrics.match_boundaries(found, found * 1.0)
    with pytest.raises(ValueError, match=r"`test` must be bool \(or 0 and 1\), got other values"):
        metrics.match_boundaries(found, LABELS)
    with pytest.raises(ValueError, match=r"`truth` must be bool \(or 0 and 1\), got other values"):
        metrics.match_boundaries([found, LABELS], found)
    with pytest.raises(ValueError, match=r"`truth` has shape \(3, 2\)"):
        metrics.match_boundaries(found.T, found)
    with pytest.raises(TypeError, match="`labels` must hold integers"):
        metrics.boundary_pixels(LABELS * 1.0)


def test_people_agree_on_photographs(data_root):
    """Each annotator against the others, by regions and by the thin lines of the data set."""
    folder, by_regions, by_lines = data_root / "bsds500", [], []
    for name in (folder / "test.txt").read_text().split()[:10]:
        with np.load(folder / "ground_truth" / "test" / f"{name}.npz") as truth:
            regions, lines = truth["segmentations"], truth["boundaries"]
        for k in range(len(regions)):
            others, other_lines = (np.delete(stack, k, axis=0) for stack in (regions, lines))
            by_regions.append(metrics.boundary_counts(others, regions[k]))
            by_lines.append(metrics.match_boundaries(other_lines, lines[k]))
    scores = metrics.BoundaryCounts(*np.sum(by_regions, axis=0)).scores()
    assert scores == pytest.approx((0.884, 0.699, 0.780), abs=0.002)
    assert all(type(score) is float for score in scores)
    scores = metrics.BoundaryCounts(*np.sum(by_lines, axis=0)).scores()
    assert scores.f == pytest.approx(0.783, abs=0.004)


@pytest.mark.parametrize("tolerance", [1, 1e10, 1e308])
def test_a_tolerance_of_any_size(tolerance):
    labels = np.arange(12).reshape(3, 4)
    assert metrics.boundary_scores(labels, labels[:, ::-1], tolerance=tolerance) == (1, 1, 1)
