"""Dice, Jaccard and Hausdorff."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import directed_hausdorff
from skimage.metrics import hausdorff_distance

from segkit import metrics
from tests import strategies as own
from tests.reference import mask_scores as reference

SPACINGS = (None, (0.5, 2.0, 3.0, 0.25))


@st.composite
def pairs_of_masks(draw, n=2, **options):
    shape = draw(own.shapes(**options))
    return [draw(hnp.arrays(np.bool_, shape)) for _ in range(n)]


@given(masks=pairs_of_masks())
def test_overlaps_equal_the_plain_version(masks):
    assert metrics.dice(*masks) == reference.dice(*masks)
    assert metrics.jaccard(*masks) == reference.jaccard(*masks)
    shared = metrics.jaccard(*masks)
    assert metrics.dice(*masks) == pytest.approx(2 * shared / (1 + shared), abs=1e-15)
    for measure in (metrics.dice, metrics.jaccard, metrics.hausdorff):
        assert measure(*masks) == measure(*masks[::-1])
        assert type(measure(*masks)) is float
    assert metrics.dice(masks[0], masks[0]) == metrics.jaccard(masks[0], masks[0]) == 1


@given(
    masks=pairs_of_masks(max_pixels=60),
    spacing=st.sampled_from(SPACINGS),
    share=st.sampled_from([0, 25, 50, 95, 99.5, 100]),
    between=st.sampled_from(["pixels", "surfaces"]),
)
def test_hausdorff_equals_the_plain_version(masks, spacing, share, between):
    sizes = (spacing or (1.0,) * 4)[: masks[0].ndim]
    got = metrics.hausdorff(*masks, spacing=spacing and sizes, percentile=share, between=between)
    wanted = reference.hausdorff(*masks, sizes, share, between)
    assert got == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@given(masks=pairs_of_masks(3), spacing=st.sampled_from(SPACINGS))
def test_hausdorff_is_a_distance_that_scales(masks, spacing):
    a, b, c = masks
    sizes = (spacing or (1.0,) * 4)[: a.ndim]
    for between in ("pixels", "surfaces"):
        options = {"spacing": sizes, "between": between}
        direct = metrics.hausdorff(a, c, **options)
        assert metrics.hausdorff(a, a, **options) == 0
        if between == "pixels":  # other masks may have the same surface
            assert (direct == 0) == np.array_equal(a, c)
        way_round = metrics.hausdorff(a, b, **options) + metrics.hausdorff(b, c, **options)
        assert direct <= way_round * (1 + 1e-12)
    doubled = metrics.hausdorff(a, c, spacing=[2 * size for size in sizes])
    assert doubled == 2 * metrics.hausdorff(a, c, spacing=sizes)


@given(data=st.data())
def test_a_label_is_the_mask_of_its_pixels(data):
    shape = data.draw(own.shapes())
    truth, test = (data.draw(own.label_images(shape=shape)) for _ in range(2))
    label = data.draw(st.sampled_from([0, 1, 5, 2**40]))
    for measure in (metrics.dice, metrics.jaccard, metrics.hausdorff):
        assert measure(truth, test, label=label) == measure(truth == label, test == label)
        assert measure(truth, test, label=float(label)) == measure(truth, test, label=label)


def random_masks(shape, seed):
    rng = np.random.default_rng(seed)
    return (rng.random(shape) < 0.2), (rng.random(shape) < 0.1)


@pytest.mark.parametrize("shape", [(40,), (17, 23), (9, 8, 12)], ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_the_same_as_scikit_learn_scikit_image_and_scipy(shape, seed):
    truth, test = random_masks(shape, seed)
    test &= np.indices(shape)[0] < shape[0] // 2
    got = metrics.hausdorff(truth, test)
    assert got == pytest.approx(hausdorff_distance(truth, test), rel=1e-12)
    points = [np.argwhere(mask) for mask in (truth, test)]
    directed = [directed_hausdorff(*points)[0], directed_hausdorff(*points[::-1])[0]]
    assert got == pytest.approx(max(directed), rel=1e-12)
    scores = pytest.importorskip("sklearn.metrics")
    flat = truth.ravel(), test.ravel()
    assert metrics.dice(truth, test) == pytest.approx(scores.f1_score(*flat), abs=1e-12)
    assert metrics.jaccard(truth, test) == pytest.approx(scores.jaccard_score(*flat), abs=1e-12)


@pytest.mark.parametrize("shape", [(17, 23), (9, 8, 12)], ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_the_same_as_simpleitk(shape, seed):
    sitk = pytest.importorskip("SimpleITK")
    truth, test = random_masks(shape, seed)
    spacing = (0.5, 2.0, 1.25)[: len(shape)]
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (truth, test)]
    for image in images:
        image.SetSpacing(spacing[::-1])
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    assert metrics.dice(truth, test) == pytest.approx(overlap.GetDiceCoefficient(), abs=1e-12)
    assert metrics.jaccard(truth, test) == pytest.approx(overlap.GetJaccardCoefficient(), abs=1e-12)
    distance = sitk.HausdorffDistanceImageFilter()
    distance.Execute(*images)
    wanted = distance.GetHausdorffDistance()
    assert metrics.hausdorff(truth, test, spacing=spacing) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (4,), (3, 2), (2, 1, 2), (1, 1, 1, 1)], ids=str)
def test_empty_masks(shape):
    empty = np.zeros(shape, bool)
    assert metrics.dice(empty, empty) == metrics.jaccard(empty, empty) == 1
    for options in ({}, {"between": "surfaces"}, {"percentile": 50}, {"label": 7}):
        assert metrics.hausdorff(empty, empty, **options) == 0
    if empty.size:
        full = ~empty
        assert metrics.dice(empty, full) == metrics.jaccard(full, empty) == 0
        for pair in ((empty, full), (full, empty)):
            assert metrics.hausdorff(*pair) == math.inf
            assert metrics.hausdorff(*pair, between="surfaces", percentile=0) == math.inf


def test_a_stray_pixel_decides_unless_a_share_is_forgiven():
    truth = np.zeros((100, 100), bool)
    truth[10:50, 10:50] = True
    test = truth.copy()
    test[90, 49] = True
    assert metrics.hausdorff(truth, test) == 41
    assert metrics.hausdorff(truth, test, percentile=95) == 0
    assert metrics.hausdorff(truth, test, percentile=95, between="surfaces") == 0
    larger = np.zeros_like(truth)
    larger[8:52, 8:52] = True
    larger[90, 49] = True
    surfaces = {"between": "surfaces", "percentile": 95}  # all corners but 4 are 2 away
    assert metrics.hausdorff(larger, truth, **surfaces | {"percentile": 90}) == 2
    assert metrics.hausdorff(truth, larger, **surfaces) == pytest.approx(math.sqrt(5))


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_spacing_of_any_size(scale):
    got = metrics.hausdorff([[1, 0, 0, 0], [0] * 4], [[0] * 4, [0, 0, 0, 1]], spacing=[scale] * 2)
    assert got == pytest.approx(scale * math.sqrt(10), rel=1e-12)


MASK = np.eye(3, dtype=bool)
FUNCTIONS = (metrics.dice, metrics.jaccard, metrics.hausdorff)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (TypeError, "`truth` must hold integers, got dtype float64", (MASK * 1.0, MASK)),
        (TypeError, "`test` must hold integers, got dtype float64", (MASK, MASK * 1.0)),
        (TypeError, "`truth` has dtype complex128", (MASK * 1j, MASK)),
        (TypeError, "`truth` has dtype object", (np.full((3, 3), None), MASK)),
        (TypeError, "`test` must be an array, got None", (MASK, None)),
        (TypeError, "`truth` has dtype datetime64", (np.zeros((3, 3), "M8[D]"), MASK)),
        (ValueError, r"`truth` has shape \(2, 3\), `test` has shape \(3, 3\)", (MASK[:2], MASK)),
        (ValueError, "`truth` must hold ids >= 0, got -1", (-MASK.astype(int), MASK)),
        (ValueError, "`truth` must be bool .or 0 and 1., got .* pass `label`", (MASK * 2, MASK)),
        (ValueError, "`test` must be bool .or 0 and 1.", (MASK, MASK * 2)),
        (ValueError, "`truth` must be an array of 1 to 4 dimensions", (3, MASK)),
        (ValueError, "`test` must have 1 to 4 dimensions", (MASK, np.ones((1,) * 5, bool))),
        (ValueError, "`truth` must be a rectangular", ([[1], [1, 0]], MASK)),
    ],
)  # fmt: skip
def test_bad_masks(function, error, message, arguments):
    with pytest.raises(error, match=message):
        function(*arguments)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bad_labels(function):
    for label in (True, "1", 1.5, [1]):
        with pytest.raises(TypeError, match="`label` must be an integer >= 0"):
            function(MASK, MASK, label=label)
    for label in (-1, np.nan):
        with pytest.raises(ValueError, match="`label` must be an integer >= 0"):
            function(MASK, MASK, label=label)


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1,)}),
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1, 0)}),
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1, -1)}),
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1, np.nan)}),
        (TypeError, "`spacing` must hold 2 finite", {"spacing": ("1", "2")}),
        (ValueError, "`percentile` must be a finite number >= 0", {"percentile": -1}),
        (ValueError, "`percentile` must be a finite number >= 0", {"percentile": np.nan}),
        (ValueError, "`percentile` must be a number from 0 to 100", {"percentile": 100.5}),
        (TypeError, "`percentile` must be a finite number", {"percentile": "95"}),
        (ValueError, '`between` must be one of "pixels", "surfaces"', {"between": "edges"}),
        (TypeError, "`between` must be one of", {"between": None}),
    ],
)
def test_bad_parameters_of_hausdorff(error, message, options):
    with pytest.raises(error, match=message):
        metrics.hausdorff(MASK, MASK, **options)
