"""Random fields: smoothing of class probabilities by the Potts model."""

from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

import segkit
from segkit import _grid, _potts
from segkit_ext import cut
from tests import strategies as own
from tests.reference import max_flow as flow_reference
from tests.reference import random_field as reference

SOLVERS = ("icm", "mean_field", "graph_cut")
EXACT = ("icm", "graph_cut")


@st.composite
def problems(draw, max_pixels=12, n_classes=None, **shape_options):
    """Arguments of `regularize`: few votes for few classes, so that ties abound."""
    shape = draw(own.shapes(max_pixels=max_pixels, **shape_options))
    n_classes = draw(st.integers(1, 4)) if n_classes is None else n_classes
    dtype = draw(st.sampled_from([np.uint8, np.int32, np.float32, np.float64]))
    proba = draw(hnp.arrays(np.int64, (*shape, n_classes), elements=st.integers(0, 3)))
    arguments = {
        "proba": proba.astype(dtype),
        "beta": draw(st.sampled_from([0, 0.25, 0.7, 1.0, 3.0, 20])),
        "connectivity": draw(own.connectivities(len(shape))),
        "floor": draw(st.sampled_from([1e-3, 0.1, 1e-9])),
        "mask": draw(own.masks(shape)),
    }
    if draw(st.booleans()):
        arguments["image"] = draw(own.images(shape=shape, dtypes=(np.uint8, np.int64, np.float32)))
        arguments["sigma"] = draw(st.sampled_from([None, 1.5]))
    return arguments


def model_of(proba, beta, connectivity, floor, mask, image=None, sigma=None):
    """Return the plain model of the same problem."""
    inside = np.ones(proba.shape[:-1], bool) if mask is None else mask
    image = None if image is None else image[..., np.newaxis]
    return reference.make_model(proba, inside, beta, floor, connectivity, image, sigma)


def as_image(labels, shape):
    array = np.zeros(shape, np.int32)
    for p, label in labels.items():
        array[p] = label
    return array


def as_labels(image, model):
    return {p: int(image[p]) for p in model[0]}


@given(arguments=problems(), max_iter=st.sampled_from([1, 2, 50]))
def test_icm_equals_the_plain_version(arguments, max_iter):
    model = model_of(**arguments)
    labels = segkit.regularize(**arguments, solver="icm", max_iter=max_iter)
    wanted = as_image(reference.icm(model, max_iter), labels.shape)
    np.testing.assert_array_equal(labels, wanted)
    assert labels.dtype == np.int32


@given(arguments=problems(), max_iter=st.sampled_from([1, 50]))
def test_graph_cut_equals_the_plain_version(arguments, max_iter):
    model = model_of(**arguments)
    labels = segkit.regularize(**arguments, solver="graph_cut", max_iter=max_iter)
    if not model[0]:
        assert not labels.any()
        return
    wanted = as_image(reference.expansions(model, max_iter), labels.shape)
    np.testing.assert_array_equal(labels, wanted)


@given(arguments=problems(), max_iter=st.sampled_from([1, 50]))
def test_mean_field_equals_the_plain_version(arguments, max_iter):
    shape = arguments["proba"].shape[:-1]
    model = model_of(**arguments)
    _, field = segkit.random_field._read(
        **{"image": None, "sigma": None, **arguments}, channel_axis=None
    )
    belief = _potts.to_image(field, _potts.settle_means(field, max_iter, 1e-6), shape)
    for p, wanted in reference.mean_field(model, max_iter, 1e-6).items():
        np.testing.assert_allclose(belief[p], wanted, atol=1e-9)
    labels = segkit.regularize(**arguments, solver="mean_field", max_iter=max_iter, tol=1e-6)
    inside = labels > 0
    assert np.array_equal(inside, np.ones(shape, bool) if (m := arguments["mask"]) is None else m)
    np.testing.assert_array_equal(labels[inside], belief[inside].argmax(-1) + 1)


@given(arguments=problems(), solver=st.sampled_from(SOLVERS))
def test_energy_equals_the_plain_version(arguments, solver):
    labels = segkit.regularize(**arguments, solver=solver)
    model = model_of(**arguments)
    got = segkit.potts_energy(labels, **arguments)
    assert got == reference.energy(model, as_labels(labels, model)) * reference.UNIT


@given(arguments=problems(), solver=st.sampled_from(EXACT))
def test_energy_never_rises_from_round_to_round(arguments, solver):
    before = segkit.potts_energy(segkit.regularize(**{**arguments, "beta": 0}), **arguments)
    for max_iter in (1, 2, 3, 50):
        labels = segkit.regularize(**arguments, solver=solver, max_iter=max_iter)
        after = segkit.potts_energy(labels, **arguments)
        assert after <= before
        before = after


@given(arguments=problems(max_pixels=8))
def test_the_free_energy_of_the_mean_field_never_rises(arguments):
    model = model_of(**arguments)
    before = np.inf
    for max_iter in (1, 2, 3, 9):
        after = reference.free_energy(model, reference.mean_field(model, max_iter, 0))
        assert after <= before + 1e-9
        before = after


@given(arguments=problems(max_pixels=8, n_classes=2))
def test_two_classes_are_cut_at_the_lowest_energy_of_all(arguments):
    labels = segkit.regularize(**arguments, solver="graph_cut")
    model = model_of(**arguments)
    every = [
        dict(zip(model[0], classes, strict=True))
        for classes in product((1, 2), repeat=len(model[0]))
    ]
    lowest = min(reference.energy(model, one) for one in every)
    best = [as_image(one, labels.shape) for one in every if reference.energy(model, one) == lowest]
    np.testing.assert_array_equal(labels, min(best, key=lambda one: (one == 2).sum()))


@given(arguments=problems(max_pixels=6, n_classes=3))
def test_three_classes_are_cut_within_the_bound(arguments):
    """At most the costs of the best labeling plus twice its edges; no expansion is cheaper."""
    labels = segkit.regularize(**arguments, solver="graph_cut")
    model = model_of(**arguments)
    pixels = list(model[0])
    mine = as_labels(labels, model)
    found = reference.energy(model, mine)
    for classes in product((1, 2, 3), repeat=len(pixels)):
        other = dict(zip(pixels, classes, strict=True))
        edges = sum(w for (p, q), w in model[1].items() if other[p] != other[q])
        assert found <= reference.energy(model, other) + edges
        changed = {other[p] for p in pixels if other[p] != mine[p]}
        if len(changed) == 1:
            assert found <= reference.energy(model, other)


@st.composite
def networks(draw):
    """A padded grid with capacities: offsets, room, excess."""
    shape = draw(own.shapes(max_pixels=60))
    offsets = np.sort(_grid.neighbor_offsets(shape, draw(own.connectivities(len(shape)))))
    inside = _grid.pad(np.ones(shape, bool)).ravel()
    seed = draw(st.integers(0, 2**32 - 1))
    most = draw(st.sampled_from([1, 3, 1000, 2**24]))
    rng = np.random.default_rng(seed)
    room = rng.integers(0, most + 1, (inside.size, len(offsets))).astype(np.int32)
    for d, offset in enumerate(offsets):
        room[~(inside & np.roll(inside, -offset)), d] = 0
    excess = np.where(inside, rng.integers(-2 * most, 2 * most + 1, inside.size), 0)
    return offsets, room, excess.astype(np.int32)


def cut_of(offsets, room, excess):
    """Return the flow and the source's side, and check what is left."""
    left, over = room.copy(), excess.copy()
    n = len(excess)
    level = np.zeros(n, np.int32)
    shelf = np.zeros(n + 3, np.int64)
    parent, link = np.empty(n, np.int8), np.empty(n, np.int64)
    flow = cut.cut_grid(offsets, left.reshape(-1), over, level, parent, link, shelf)
    assert left.min() >= 0
    assert not shelf.any()
    assert (over * np.sign(excess) >= 0).all(), "a capacity was exceeded"
    # What a node gets from the source, or leaves to the sink, is what it sends to neighbors.
    sent = room.astype(np.int64) - left
    np.testing.assert_array_equal(sent.sum(axis=1), excess.astype(np.int64) - over)
    return flow, level > 0


def arcs_of(offsets, room, excess):
    """Return the network as {(u, v): capacity}; the source is n, the sink n + 1."""
    n = len(excess)
    arcs = {(p, p + int(offsets[d])): int(room[p, d]) for p, d in np.argwhere(room > 0).tolist()}
    arcs.update({(n, p): int(excess[p]) for p in np.flatnonzero(excess > 0).tolist()})
    arcs.update({(p, n + 1): -int(excess[p]) for p in np.flatnonzero(excess < 0).tolist()})
    return arcs


@given(network=networks())
def test_the_largest_flow_equals_the_plain_version_and_scipy(network):
    flow, side = cut_of(*network)
    arcs = arcs_of(*network)
    n = len(network[2])
    wanted, reached = flow_reference.max_flow(arcs, n, n + 1)
    assert flow == wanted
    assert set(np.flatnonzero(side).tolist()) == reached - {n}
    matrix = csr_array((n + 2, n + 2), dtype=np.int32)
    if arcs:
        ends = np.array(list(arcs), dtype=np.int32).T
        matrix = csr_array(
            (np.array(list(arcs.values()), dtype=np.int32), tuple(ends)), shape=(n + 2, n + 2)
        )
    assert maximum_flow(matrix, n, n + 1).flow_value == flow


@pytest.mark.parametrize(
    ("shape", "connectivity"), [((60, 50), 1), ((60, 50), 2), ((9, 14, 11), 3)]
)
def test_the_largest_flow_of_an_image_equals_scipy(shape, connectivity):
    rng = np.random.default_rng(0)
    offsets = np.sort(_grid.neighbor_offsets(shape, connectivity))
    inside = _grid.pad(np.ones(shape, bool)).ravel()
    for most in (2, 40):
        room = rng.integers(0, most, (inside.size, len(offsets))).astype(np.int32)
        for d, offset in enumerate(offsets):
            room[~(inside & np.roll(inside, -offset)), d] = 0
        excess = np.where(inside, rng.integers(-40, 41, inside.size), 0).astype(np.int32)
        flow, side = cut_of(offsets, room, excess)
        arcs = arcs_of(offsets, room, excess)
        n = len(excess)
        ends = np.array(list(arcs), dtype=np.int32).T
        capacity = np.array(list(arcs.values()), dtype=np.int32)
        matrix = csr_array((capacity, tuple(ends)), shape=(n + 2, n + 2))
        found = maximum_flow(matrix, n, n + 1)
        assert found.flow_value == flow
        left = (matrix - found.flow).tocsr()
        left.data[left.data < 0] = 0
        left.eliminate_zeros()
        reached = breadth_first_order(left, n, return_predecessors=False)
        assert set(np.flatnonzero(side).tolist()) == set(reached.tolist()) - {n}


def test_a_way_that_folds_through_the_whole_image_is_cut():
    """Levels as deep as there are pixels, and a flow along all of them."""
    shape = (81, 80)
    way = np.zeros(shape, bool)
    way[::2] = True
    way[1::4, -1] = True
    way[3::4, 0] = True
    proba = np.full((*shape, 2), 0.5)
    proba[0, 0] = 0.01, 0.99
    proba[-1, -1] = 0.99, 0.01
    labels = segkit.regularize(proba, beta=1, solver="graph_cut", mask=way)
    assert (labels == 2).sum() == 1, "one edge anywhere on the way; fewest pixels of class 2"
    proba[-1, -1] = 0.4, 0.6
    labels = segkit.regularize(proba, beta=1, solver="graph_cut", mask=way)
    assert (labels[way] == 2).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_noise_is_removed(solver):
    rows, cols = np.indices((60, 60))
    truth = 1 + (np.hypot(rows - 30, cols - 30) < 18)
    rng = np.random.default_rng(3)
    noisy = np.where(rng.random(truth.shape) < 0.2, 3 - truth, truth)
    proba = np.stack([noisy == 1, noisy == 2], axis=-1) * 0.6 + 0.2
    labels = segkit.regularize(proba, beta=0.5, solver=solver, connectivity=2)
    assert np.mean(noisy != truth) > 0.18
    assert np.mean(labels != truth) < (0.04 if solver == "icm" else 0.02)


@given(arguments=problems(max_pixels=40), solver=st.sampled_from(SOLVERS))
def test_without_beta_each_pixel_gets_its_most_probable_class(arguments, solver):
    arguments["beta"] = 0
    labels = segkit.regularize(**arguments, solver=solver)
    most = np.where(arguments["proba"].any(-1), arguments["proba"].argmax(-1), 0) + 1
    if arguments["mask"] is not None:
        most[~arguments["mask"]] = 0
    if arguments["floor"] < 0.1:  # votes of one in nine and none at all count alike above
        np.testing.assert_array_equal(labels, most)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("beta", [1e3, 1e6, 1e30, 1e300])
def test_a_very_large_beta_gives_one_class(solver, beta):
    proba = np.full((8, 9, 3), 0.2)
    proba[..., 1] = 0.5
    proba[2, 3] = 0.1, 0.1, 0.8
    assert (segkit.regularize(proba, beta=beta, solver=solver) == 2).all()


def test_boundaries_run_along_contrast():
    image = np.zeros((6, 12), np.uint8)
    image[:, 7:] = 100
    proba = np.full((6, 12, 2), 0.5)
    proba[:, :2] = 0.9, 0.1
    proba[:, -2:] = 0.1, 0.9
    labels = segkit.regularize(proba, beta=1, solver="graph_cut", image=image)
    assert np.array_equal(labels == 2, image == 100)
    color = np.stack([image, image * 0, image], axis=0)
    again = segkit.regularize(proba, beta=1, solver="graph_cut", image=color, channel_axis=0)
    assert np.array_equal(labels, again)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200, 1e308])
def test_contrast_has_no_unit(scale):
    rng = np.random.default_rng(0)
    image = rng.random((9, 9)) * 1.0
    proba = rng.random((9, 9, 3))
    wanted = segkit.regularize(proba, beta=1, image=image, solver="graph_cut")
    got = segkit.regularize(proba, beta=1, image=(image - 0.5) * scale, solver="graph_cut")
    np.testing.assert_array_equal(got, wanted)


def test_integers_of_64_bits_keep_their_contrast():
    image = np.array([0, 0, 0, 1, 1, 1])
    proba = [[0.9, 0.1], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.1, 0.9]]
    for start in (0, 2**62, -(2**62)):
        labels = segkit.regularize(proba, beta=1, image=image + start, solver="graph_cut")
        assert labels.tolist() == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("dtype", own.REAL_DTYPES)
def test_contrast_in_either_byte_order(dtype):
    image = np.arange(20).reshape(4, 5) * 37 % 101 * (3 if np.dtype(dtype).itemsize > 1 else 1)
    image = image.astype(dtype)
    swapped = image.astype(image.dtype.newbyteorder())
    labels = np.indices((4, 5)).sum(axis=0) % 2 + 1
    for sigma in (None, 20.0):
        arguments = {"proba": np.ones((4, 5, 2)), "beta": 2, "sigma": sigma}
        wanted = segkit.potts_energy(labels, image=image, **arguments)
        assert segkit.potts_energy(labels, image=swapped, **arguments) == wanted


def test_sums_of_probabilities_do_not_matter():
    rng = np.random.default_rng(1)
    proba = rng.random((7, 8, 3))
    factor = 2.0 ** rng.integers(-300, 300, (7, 8, 1))
    wanted = segkit.regularize(proba, beta=1)
    np.testing.assert_array_equal(segkit.regularize(proba * factor, beta=1), wanted)


def test_long_steps_weigh_less():
    """A diagonal pair costs beta divided by the square root of 2."""
    proba = np.array([[[0.5, 0.5], [0, 1]], [[0, 1], [0.5, 0.5]]])
    mask = np.eye(2, dtype=bool)
    apart = np.array([[1, 0], [0, 2]])
    arguments = {"proba": proba, "beta": 3, "connectivity": 2, "mask": mask}
    edge = segkit.potts_energy(apart, **arguments) - 2 * -log(0.5)
    assert edge == pytest.approx(3 / np.sqrt(2), abs=1e-4)


def test_contrast_at_sigma():
    arguments = {"proba": np.ones((2, 2)), "beta": 2, "image": [0, 5], "sigma": 5}
    edge = segkit.potts_energy([1, 2], **arguments) - 2 * log(2)
    assert edge == pytest.approx(2 * exp(-0.5), abs=1e-4)


@pytest.mark.parametrize(
    ("high", "sigma", "wanted"),
    [
        (1.0, 1e308, 2), (1.0, 1e-308, 0), (5e-324, 1e308, 2), (1e-300, 1e-300, 2 * exp(-0.5)),
        (1.7e308, 1e-308, 0), (1.7e308, 1.7e308, 2 * exp(-2)),
    ],
)  # fmt: skip
def test_contrast_far_from_sigma(high, sigma, wanted):
    low = -high if high > 1 else 0
    arguments = {"proba": np.ones((2, 2)), "beta": 2, "image": [low, high], "sigma": sigma}
    edge = segkit.potts_energy([1, 2], **arguments) - 2 * log(2)
    assert edge == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_any_number_of_rounds_may_be_allowed(solver):
    proba = np.random.default_rng(0).random((6, 7, 3))
    wanted = segkit.regularize(proba, beta=1, solver=solver, max_iter=1000)
    got = segkit.regularize(proba, beta=1, solver=solver, max_iter=10**30)
    np.testing.assert_array_equal(got, wanted)


# What is refused


GOOD = {"proba": np.full((4, 5, 3), 1 / 3), "beta": 1.0}


@pytest.mark.parametrize("function", [segkit.regularize, segkit.potts_energy])
@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"proba": np.full((4, 5, 3), np.nan)}, ValueError, "`proba` must not hold NaN"),
        ({"proba": np.full((4, 5, 3), np.inf)}, ValueError, "`proba` must not hold infinite"),
        ({"proba": np.full((4, 5, 3), -0.5)}, ValueError, "`proba` must hold numbers >= 0"),
        ({"proba": np.ones((4, 5, 3), complex)}, TypeError, "`proba` has dtype complex128"),
        ({"proba": np.full((4, 5, 3), "a")}, TypeError, "`proba` has dtype"),
        ({"proba": None}, TypeError, "`proba` must be an array"),
        ({"proba": [0.5, 0.5]}, ValueError, "`proba` must have 1 to 4 spatial dimensions"),
        ({"proba": np.ones((1,) * 6)}, ValueError, "`proba` must have 1 to 4 spatial"),
        ({"proba": np.ones((4, 5, 0))}, ValueError, "`proba` must have at least one class"),
        ({"beta": -1}, ValueError, "`beta` must be a finite number >= 0"),
        ({"beta": np.nan}, ValueError, "`beta`"),
        ({"beta": np.inf}, ValueError, "`beta`"),
        ({"beta": "1"}, TypeError, "`beta`"),
        ({"floor": 0}, ValueError, "`floor` must be a finite number > 0"),
        ({"floor": 1.5}, ValueError, "`floor` must be a number > 0 and <= 1"),
        ({"floor": np.nan}, ValueError, "`floor`"),
        ({"connectivity": 0}, ValueError, "`connectivity`"),
        ({"connectivity": 3}, ValueError, "`connectivity`"),
        ({"mask": np.ones((4, 6), bool)}, ValueError, "`mask` has shape"),
        ({"mask": np.full((4, 5), 2)}, ValueError, "`mask` must be bool"),
        ({"image": np.ones((4, 6))}, ValueError, "`image` has shape"),
        ({"image": np.ones((4, 5, 3))}, ValueError, "channel_axis=-1"),
        ({"image": np.ones((4, 5)), "channel_axis": 2}, ValueError, "`channel_axis`"),
        ({"image": np.full((4, 5), np.nan)}, ValueError, "`image` must not hold NaN"),
        ({"image": np.full((4, 5), np.inf)}, ValueError, "`image` must not hold infinite"),
        ({"image": np.ones((4, 5), complex)}, TypeError, "`image` has dtype"),
        ({"image": np.ones((4, 5)), "sigma": 0}, ValueError, "`sigma`"),
        ({"image": np.ones((4, 5)), "sigma": -1}, ValueError, "`sigma`"),
        ({"image": np.ones((4, 5)), "sigma": np.nan}, ValueError, "`sigma`"),
        ({"sigma": 1.0}, ValueError, "`sigma` is the contrast in `image`"),
    ],
)  # fmt: skip
def test_bad_input(function, change, error, match):
    arguments = {**GOOD, **change}
    if function is segkit.potts_energy:
        arguments["labels"] = np.ones((4, 5), int)
    with pytest.raises(error, match=match):
        function(**arguments)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"solver": "best"}, ValueError, "`solver` must be one of"),
        ({"solver": 3}, TypeError, "`solver` must be one of"),
        ({"max_iter": 0}, ValueError, "`max_iter`"),
        ({"max_iter": 1.5}, TypeError, "`max_iter`"),
        ({"tol": -1}, ValueError, "`tol`"),
        ({"tol": np.nan}, ValueError, "`tol`"),
    ],
)
def test_bad_input_of_regularize(change, error, match):
    with pytest.raises(error, match=match):
        segkit.regularize(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("labels", "error", "match"),
    [
        (np.zeros((4, 5), int), ValueError, "`labels` must hold classes from 1 to 3 inside, got 0"),
        (np.full((4, 5), 4), ValueError, "`labels` must hold classes from 1 to 3 inside, got 4"),
        (np.ones((4, 5)), TypeError, "`labels` must hold integers"),
        (np.full((4, 5), -1), ValueError, "`labels` must hold ids >= 0"),
        (np.ones((4, 6), int), ValueError, "`labels` has shape"),
    ],
)
def test_bad_labels(labels, error, match):
    with pytest.raises(error, match=match):
        segkit.potts_energy(labels, **GOOD)


def test_what_lies_outside_is_not_looked_at():
    proba = np.full((3, 3, 2), 0.5)
    proba[1, 1] = np.nan, -7
    image = np.zeros((3, 3))
    image[1, 1] = np.nan
    mask = np.ones((3, 3), bool)
    mask[1, 1] = False
    for solver in SOLVERS:
        labels = segkit.regularize(proba, beta=1, image=image, mask=mask, solver=solver)
        assert np.array_equal(labels, mask.astype(int))
    labels[1, 1] = 99
    assert segkit.potts_energy(labels, proba, beta=1, mask=mask) == pytest.approx(
        8 * log(2), abs=1e-3
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 2)])
def test_no_pixels(solver, shape):
    proba = np.zeros((*shape, 3))
    assert segkit.regularize(proba, beta=1, solver=solver).shape == shape
    assert segkit.potts_energy(np.zeros(shape, int), proba, beta=1) == 0.0
    outside = segkit.regularize(np.ones((3, 3, 2)), beta=1, mask=np.zeros((3, 3), bool))
    assert not outside.any()
