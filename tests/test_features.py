"""Features of pixels against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segkit
from segkit import _filters, features
from tests.reference import features as plain
from tests.strategies import REAL_DTYPES, images


@given(images(dtypes=REAL_DTYPES, max_pixels=60), st.sampled_from([0.4, 1.0, 2.0]))
def test_features_are_those_of_the_definition(image, sigma):
    got = segkit.pixel_features(image, ["intensity", "smooth", "position"], sigmas=[sigma])
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got[..., 0], image)
    np.testing.assert_allclose(got[..., 1], plain.smooth(image, sigma), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(got[..., 2:], plain.position(image.shape), rtol=1e-6)


@st.composite
def pictures(draw):
    """Images of one to three channels, channels last."""
    image = draw(images(dtypes=(np.uint8, np.int32, np.float64), max_dims=3, max_pixels=40))
    others = draw(st.integers(0, 2))
    return np.stack([np.roll(image, 3 * k) * (k + 1) for k in range(others + 1)], axis=-1)


@given(pictures(), st.sampled_from([0.5, 1.0]))
def test_differences_and_spread_are_those_of_the_definition(image, sigma):
    channels = list(np.moveaxis(image, -1, 0))
    ndim = image.ndim - 1
    low, high = (0, 256) if image.dtype == np.uint8 else (image.min(), image.max())
    names = ["gradient", "hessian", "structure", "local_std", "local_entropy"]
    got = segkit.pixel_features(image, names, sigmas=[sigma], channel_axis=-1)
    wanted = [
        plain.gradient(channels, sigma)[..., None],
        plain.hessian(channels, sigma),
        plain.structure(channels, sigma),
        plain.local_std(channels, sigma)[..., None],
        plain.local_entropy(channels, sigma, float(low), float(high))[..., None],
    ]
    assert got.shape[-1] == 3 + 2 * ndim
    np.testing.assert_allclose(got, np.concatenate(wanted, axis=-1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(70, 90), (90, 3), (40,), (12, 14, 13), (5, 6, 4, 7)])
@pytest.mark.parametrize("name", features.FEATURES)
def test_tiles_of_any_size_give_the_same_to_the_last_bit(name, shape, monkeypatch):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    options = {"sigmas": [0.7, 1.5], "channel_axis": -1}
    whole = segkit.pixel_features(image, [name], **options)
    assert len(list(_filters.tiles(shape, 3))) == 1
    for most in (1, 37, 500):
        if most == 1 and image.size > 2000:
            continue
        monkeypatch.setattr(_filters, "_TILE", most)
        monkeypatch.setattr(_filters, "_LARGEST_TILE", most)
        monkeypatch.setattr(_filters, "_RUN", most)
        assert len(list(_filters.tiles(shape, 3))) > 1 or most >= np.prod(shape)
        got = segkit.pixel_features(image, [name], **options)
        assert got.tobytes() == whole.tobytes()


@pytest.mark.parametrize("shape", [(50,), (20, 30), (9, 8, 7), (1, 40)])
def test_sums_along_some_lines_after_others_are_the_same(shape, monkeypatch):
    image = np.random.default_rng(0).random(shape)
    names = ["hessian", "structure"]
    whole = segkit.pixel_features(image, names, sigmas=[2])
    monkeypatch.setattr(_filters, "_PRODUCTS", 100)
    np.testing.assert_array_equal(segkit.pixel_features(image, names, sigmas=[2]), whole)


@pytest.mark.parametrize("shape", [(7,), (1, 50), (50, 1), (5, 6, 4), (2, 3, 4, 5)])
@pytest.mark.parametrize("most", [1, 5, 10, 30, 1000])
def test_tiles_without_a_halo_lie_one_behind_the_other_in_memory(shape, most, monkeypatch):
    monkeypatch.setattr(_filters, "_RUN", most)
    places = np.arange(np.prod(shape)).reshape(shape)
    parts = [places[where].ravel() for where in _filters.tiles(shape, 0)]
    np.testing.assert_array_equal(np.concatenate(parts), places.ravel())
    assert max(map(len, parts)) <= most
    assert len(parts) == 1 or len(parts[0]) + len(parts[1]) > most


@pytest.mark.parametrize("name", features.FEATURES)
def test_a_halo_is_all_that_a_pixel_depends_on(name):
    image = np.random.default_rng(1).integers(0, 256, (60, 50, 3)).astype(np.uint8)
    around = _filters.halo([name], [1.0, 0.5])
    assert around == {"intensity": 0, "lab": 0, "position": 0, "structure": 8}.get(name, 4)
    whole = segkit.pixel_features(image, [name], sigmas=[1.0, 0.5], channel_axis=-1)
    changed = image.copy()
    changed[: 30 - around] = 255 - changed[: 30 - around]
    got = segkit.pixel_features(changed, [name], sigmas=[1.0, 0.5], channel_axis=-1)
    if name == "local_std":  # which takes differences from the mean of all
        np.testing.assert_allclose(got[30:], whole[30:], rtol=1e-6)
    else:
        np.testing.assert_array_equal(got[30:], whole[30:])


@pytest.mark.parametrize("name", features.FEATURES)
def test_there_is_a_name_for_each_column(name):
    image = np.zeros((4, 5, 6, 3), np.uint8)
    got = segkit.pixel_features(image, [name], sigmas=[1, 2], channel_axis=-1)
    columns = _filters.columns([name], [1, 2], 3, 3)
    assert len(columns) == got.shape[-1] == len(set(columns))
    assert all(column.startswith(name) for column in columns)


def test_gradients_are_those_of_gradient():
    image = np.random.default_rng(0).integers(0, 256, (30, 20, 3)).astype(np.uint8)
    got = segkit.pixel_features(image, ["gradient"], sigmas=[1.5], channel_axis=-1)
    wanted = segkit.gradient(image, sigma=1.5, channel_axis=-1)
    np.testing.assert_allclose(got[..., 0], wanted, rtol=1e-4, atol=1e-3)


def test_a_flat_image_has_no_curvature_and_no_spread():
    image = np.full((20, 20), 255, np.uint8)
    names = ["gradient", "hessian", "structure", "local_std", "local_entropy"]
    got = segkit.pixel_features(image, names, sigmas=[0.5, 1, 3])
    np.testing.assert_allclose(got, 0, atol=1e-5)


def test_what_features_say():
    """A ridge is curved across, an edge has one strong direction, a corner two."""
    rows, cols = np.mgrid[:41, :41] - 20.0
    ridge = 100 * np.exp(-(cols**2) / 8)
    high, low = segkit.pixel_features(ridge, ["hessian"], sigmas=[2])[20, 20]
    assert low < -5
    assert abs(high) < 1e-3
    edge, corner = 100.0 * (cols > 0), 100.0 * ((cols > 0) & (rows > 0))
    edge, corner = (
        segkit.pixel_features(x, ["structure"], sigmas=[2])[20, 20] for x in (edge, corner)
    )
    assert edge[1] < 1e-3 * edge[0]
    assert corner[1] > 0.1 * corner[0]
    chess = 255 * (np.indices((40, 40)).sum(axis=0) % 2).astype(np.uint8)
    entropy = segkit.pixel_features(chess, ["local_entropy"], sigmas=[2])[20, 20]
    assert entropy == pytest.approx(1, abs=1e-4)


def test_the_spread_of_large_numbers():
    image = 1e8 + np.random.default_rng(0).normal(0, 1, (50, 50))
    got = segkit.pixel_features(image, ["local_std"], sigmas=[4])[25, 25]
    np.testing.assert_allclose(got, 1, atol=0.2)


def test_columns_come_in_the_order_of_names_then_sigmas_then_channels():
    image = np.random.default_rng(0).integers(0, 256, (7, 6, 3)).astype(np.uint8)
    got = segkit.pixel_features(image, ["smooth", "intensity"], sigmas=[1, 2], channel_axis=-1)
    assert got.shape == (7, 6, 9)
    np.testing.assert_array_equal(got[..., 6:], image)
    for k, sigma in enumerate((1, 2)):
        for c in range(3):
            one = segkit.pixel_features(image[..., c], ["smooth"], sigmas=[sigma])
            np.testing.assert_array_equal(got[..., 3 * k + c], one[..., 0])


def test_lab_of_known_colors():
    colors = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    wanted = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    got = segkit.pixel_features(colors, ["lab"], channel_axis=-1)
    np.testing.assert_allclose(got, wanted, atol=0.02)
    for same in (colors / 255, colors.astype(np.uint16) * 257, colors > 0):
        again = segkit.pixel_features(same, ["lab"], channel_axis=-1)
        np.testing.assert_allclose(again, wanted, atol=0.02)


def test_lab_of_floats_beyond_1_is_refused():
    with pytest.raises(ValueError, match="`image` must hold floats from 0 to 1"):
        segkit.pixel_features(np.full((2, 2, 3), 255.0), ["lab"], channel_axis=-1)


@pytest.mark.parametrize("name", [name for name in features.FEATURES if name != "lab"])
@pytest.mark.parametrize("shape", [(9, 8), (4, 4, 4)])
def test_values_of_any_scale_give_no_nan(name, shape):
    image = np.random.default_rng(0).random(shape) - 0.5
    for scale in (5e-324, 1e-300, 1e40, 1e150):
        assert not np.isnan(segkit.pixel_features(image * scale, [name], sigmas=[1])).any()
    with pytest.raises(ValueError, match="`image` must hold values up to 1e"):
        segkit.pixel_features(image * 1e200, [name])
