"""MarkovRandomFieldSegmenter: Gaussian classes and a Potts field, by EM."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone

import segkit
from segkit import _hidden_field
from segkit._gaussians import Gaussians
from segkit._hidden_field import Sweeps
from tests import strategies as own
from tests.reference import random_field as reference

SOLVERS = ("icm", "mean_field", "graph_cut")
Segmenter = segkit.MarkovRandomFieldSegmenter


def patches(shape=(60, 70), deviation=20.0, seed=0):
    """Return the classes 1, 2, 3 of smooth patches, and a noisy image of them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(1, 4, [-(-side // 12) for side in shape])
    truth = np.kron(coarse, np.ones((12,) * len(shape), int))[tuple(slice(s) for s in shape)]
    image = 40 * truth + rng.normal(scale=deviation, size=shape)
    return truth, image.clip(0, 255).astype(np.uint8)


@st.composite
def rounds(draw):
    """Values (..., p), start classes, a mask and parameters, on tiny grids."""
    shape = draw(own.shapes(max_pixels=16, max_dims=3))
    n_features, n_classes = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    values = draw(hnp.arrays(np.int64, (*shape, n_features), elements=st.integers(0, 9)))
    inside = draw(hnp.arrays(np.bool_, shape))
    inside.flat[0] = True
    means = (
        draw(hnp.arrays(np.int64, (n_classes, n_features), elements=st.integers(0, 9), unique=True))
        + np.arange(n_classes)[:, np.newaxis] / 7
    )
    variance = draw(st.sampled_from([0.5, 3.0]))
    covariances = np.array([variance * np.eye(n_features)] * n_classes)
    return {
        "values": values.astype(float),
        "start": (means.astype(float), covariances),
        "inside": inside,
        "beta": draw(st.sampled_from([0, 0.3, 1.0, 4.0])),
        "connectivity": draw(own.connectivities(len(shape))),
    }


@given(problem=rounds(), solver=st.sampled_from(["icm", "graph_cut"]), n=st.integers(1, 4))
def test_rounds_equal_the_plain_version(problem, solver, n):
    settle = reference.icm if solver == "icm" else reference.expansions
    floor = 0.25
    means, covariances, energies = reference.hidden_field(
        **problem, floor=floor, settle=lambda model, labels: settle(model, 50, labels), rounds=n
    )
    values, inside = problem["values"][problem["inside"]], problem["inside"]
    start = Gaussians(*problem["start"])
    field = _hidden_field.empty_field(
        inside.shape, inside, len(start.means),
        beta=problem["beta"], connectivity=problem["connectivity"],
    )  # fmt: skip
    got, got_energies = _hidden_field.fit(
        field, values, start, "full", np.full(values.shape[1], floor), Sweeps(solver, 50, 0),
        max_iter=n, tol=0, n_threads=1,
    )  # fmt: skip
    n_same = len(got_energies)  # tol=0 also ends when nothing changes any more
    np.testing.assert_allclose(got_energies, energies[:n_same], atol=1e-6)
    if n_same == n:
        np.testing.assert_allclose(got.means, means, atol=1e-7)
        np.testing.assert_allclose(got.covariances, covariances, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_field_tells_apart_what_noise_mixes(solver):
    truth, image = patches()
    alone = Segmenter(3, beta=0, solver=solver).fit_predict(image)
    together = Segmenter(3, beta=1, solver=solver).fit_predict(image)
    assert np.mean(alone != truth) > 0.15
    assert np.mean(together != truth) < {"icm": 0.06}.get(solver, 0.03)


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_fit_finds(solver):
    truth, image = patches(deviation=8)
    one = Segmenter(3, solver=solver)
    assert one.fit(image) is one
    labels = one.predict(image)
    assert labels.dtype == np.int32
    assert np.mean(labels == truth) > 0.99
    np.testing.assert_allclose(one.means_[:, 0], [40, 80, 120], atol=1)
    np.testing.assert_allclose(one.covariances_[:, 0, 0], 64, rtol=0.15)
    assert one.n_iter_ == len(one.energy_) > 1
    assert one.energy_[-1] < one.energy_[0]
    assert one.n_features_in_ == 1
    proba = one.predict_proba(image)
    np.testing.assert_allclose(proba.sum(-1), 1)
    assert proba.shape == (*image.shape, 3)
    assert np.mean(proba.argmax(-1) + 1 == labels) > 0.999
    np.testing.assert_array_equal(Segmenter(3, solver=solver).fit_predict(image), labels)


@pytest.mark.parametrize("solver", ["icm", "graph_cut"])
def test_settling_never_raises_the_energy(solver):
    _, image = patches()
    values = image.reshape(-1, 1)
    field = _hidden_field.empty_field(image.shape, None, 3, beta=1, connectivity=2)
    classes = Gaussians(np.array([[40.0], [80], [120]]), np.full((3, 1, 1), 400.0))
    before = np.inf
    for sweeps in (1, 2, 3, 20):
        energy = _hidden_field.settle(field, values, classes, Sweeps(solver, sweeps, 0), 1).energy
        assert energy <= before
        before = energy
    settled = _hidden_field.settle(field, values, classes, Sweeps(solver, 20, 0), 1)
    again = _hidden_field.settle(field, values, classes, Sweeps(solver, 20, 0), 1, settled)
    assert again.energy <= settled.energy


@pytest.mark.parametrize("dtype", own.REAL_DTYPES)
def test_dtypes_and_layouts(dtype):
    _, image = patches((24, 30), deviation=10)
    image = (image // 8 > 9) if dtype == np.bool_ else image // 2
    n = 2 if dtype == np.bool_ else 3
    wanted = Segmenter(n, tol=0, max_iter=3).fit_predict(image.astype(np.int64))
    image = image.astype(dtype)
    kept = image.copy()
    got = Segmenter(n, tol=0, max_iter=3).fit_predict(np.asfortranarray(image)[:, ::-1])[:, ::-1]
    assert np.mean(got == wanted) > 0.98, "floors of floats and the order of visits differ"
    same = Segmenter(n, tol=0, max_iter=3).fit_predict(image.astype(image.dtype.newbyteorder()))
    np.testing.assert_array_equal(
        same, Segmenter(n, tol=0, max_iter=3).fit_predict(np.asfortranarray(image))
    )
    np.testing.assert_array_equal(image, kept)


def test_a_mask_takes_pixels_out():
    truth, image = patches((30, 40), deviation=5)
    mask = np.ones(image.shape, bool)
    mask[10:20, 5:30] = False
    image[~mask] = 255
    labels = Segmenter(3).fit_predict(image, mask)
    assert np.array_equal(labels > 0, mask)
    assert np.mean(labels[mask] == truth[mask]) > 0.98
    one = Segmenter(3).fit(image, mask)
    assert one.means_.max() < 130
    proba = one.predict_proba(image, mask)
    assert not proba[~mask].any()


@pytest.mark.parametrize("ndim", [1, 3, 4])
def test_dimensions(ndim):
    truth, image = patches({1: (150,), 3: (24, 24, 14), 4: (24, 12, 2, 24)}[ndim], deviation=8)
    one = Segmenter(len(np.unique(truth)), beta=1 / ndim**2, connectivity=ndim)
    labels = one.fit_predict(image)
    truth = np.unique(truth, return_inverse=True)[1] + 1
    assert np.mean(labels == truth) > 0.97


def test_channels():
    truth, image = patches(deviation=8)
    color = np.stack([image, 255 - image, image // 2], axis=0)
    labels = Segmenter(3, channel_axis=0).fit_predict(color)
    assert np.mean(labels == truth) > 0.99
    for covariance, shape in (("full", (3, 3, 3)), ("diag", (3, 3)), ("spherical", (3,))):
        one = Segmenter(3, channel_axis=0, covariance=covariance).fit(color)
        assert one.covariances_.shape == shape
    with pytest.raises(ValueError, match=r"`image` has 3 feature"):
        Segmenter(3).fit(image).set_params(channel_axis=0).predict(color)


def test_classes_are_numbered_by_their_means():
    _, image = patches(deviation=5)
    one = Segmenter(3).fit(image)
    assert np.all(np.diff(one.means_[:, 0]) > 0)
    other = Segmenter(3).fit(255 - image)
    np.testing.assert_allclose(one.means_, 255 - other.means_[::-1], atol=0.5)


def test_it_is_cloned_and_pickled():
    _, image = patches((20, 20))
    one = Segmenter(3, beta=0.5, solver="graph_cut")
    assert repr(one) == "MarkovRandomFieldSegmenter(n_classes=3, beta=0.5, solver='graph_cut')"
    assert clone(one).get_params() == one.get_params()
    one.fit(image)
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(again.predict(image), one.predict(image))


@pytest.mark.parametrize(("solver", "most"), [("icm", 54), ("mean_field", 118), ("graph_cut", 94)])
def test_memory_follows_the_costs_alone(solver, most):
    """4 bytes for each class, 8 more for the mean field; densities are computed in blocks."""
    image = np.random.default_rng(0).integers(0, 256, (400, 500)).astype(np.uint8)
    segmenter = Segmenter(8, solver=solver, max_iter=2)
    segmenter.fit(image[:50])
    tracemalloc.start()
    segmenter.fit(image)
    segmenter.predict(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most * image.size + 6_000_000
