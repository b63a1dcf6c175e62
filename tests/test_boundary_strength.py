"""The strength of boundaries by half-discs."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import segkit
from segkit import _half_discs
from tests.reference import half_discs as reference
from tests.strategies import REAL_DTYPES


@given(data=st.data())
def test_distances_equal_the_plain_version(data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=6))
    n_bins = data.draw(st.integers(2, 9))
    places = st.integers(0, 16 * (n_bins - 1))
    values = data.draw(hnp.arrays(np.int64, shape, elements=places)) / 16
    radius, n_orientations = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    got = _half_discs.oriented([(values, 1.0, 1.0, n_bins)], shape, (radius,), n_orientations)
    wanted = reference.oriented(values, n_bins, radius, n_orientations)
    for p, distances in wanted.items():
        np.testing.assert_allclose(got[:, *p], distances, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("radius", [1, 2, 5, 10, 20])
@pytest.mark.parametrize("n_orientations", [1, 4, 8, 11])
def test_slices_tile_the_disc_and_opposite_ones_match(radius, n_orientations):
    spans, half = _half_discs.disc_spans(radius, n_orientations)
    cells = {}
    for part, row, first, last in spans.tolist():
        for col in range(first, last + 1):
            assert (row, col) not in cells
            cells[row, col] = part
    assert len(cells) == 2 * half
    assert all(r * r + c * c <= radius * radius for r, c in cells)
    for (r, c), part in cells.items():
        assert cells[-r, -c] == (part + n_orientations) % (2 * n_orientations)


def test_it_peaks_at_an_edge_and_is_0_where_nothing_changes():
    image = np.zeros((31, 60), np.uint8)
    image[:, 30:] = 120
    strength = segkit.boundary_strength(image, scales=[3])
    assert strength.dtype == np.float32
    assert strength.shape == image.shape
    assert strength[15].argmax() in (29, 30)
    assert strength[15, 29] > 0.45
    assert strength[15, :8].max() < 0.05  # beyond the reach of filters and discs
    flat = segkit.boundary_strength(np.full((9, 9), 7))
    assert not flat.any()


def test_it_sees_texture_where_the_gradient_does_not():
    """Stripes that run across meet stripes that run down, and both have one mean."""
    rows, cols = np.indices((60, 80))
    image = np.where(cols < 40, rows // 2 % 2, cols // 2 % 2).astype(np.uint8) * 200
    strength = segkit.boundary_strength(image, scales=[5, 8]).mean(axis=0)
    relief = segkit.gradient(image, sigma=1).mean(axis=0)
    near, far = slice(38, 42), [*range(20, 30), *range(52, 62)]
    assert strength[near].mean() > 1.5 * strength[far].mean()
    assert relief[near].mean() < 1.5 * relief[far].max()


def test_color_counts_where_lightness_is_the_same():
    from skimage.color import lab2rgb

    lab = np.zeros((30, 40, 3))
    lab[..., 0] = 60
    lab[:, :20, 1], lab[:, 20:, 1] = 30, -30
    image = np.clip(lab2rgb(lab), 0, 1)
    strength = segkit.boundary_strength(image, channel_axis=-1)
    assert strength[15].argmax() in (19, 20)
    eight = np.round(255 * image).astype(np.uint8)
    np.testing.assert_allclose(
        segkit.boundary_strength(eight, channel_axis=-1), strength, atol=0.05
    )


def test_a_half_turn_turns_the_result():
    values = np.random.default_rng(0).integers(0, 160, (30, 40)) / 10
    options = ((30, 40), (2, 5), 8)
    one = _half_discs.oriented([(values, 1.0, 1.0, 17)], *options)
    two = _half_discs.oriented([(values[::-1, ::-1], 1.0, 1.0, 17)], *options)
    np.testing.assert_allclose(one, two[:, ::-1, ::-1], atol=1e-5)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [(lambda r, c: r > 30, 0), (lambda r, c: c > r, 2), (lambda r, c: c > 30, 4),
     (lambda r, c: c + r > 60, 6)],
)  # fmt: skip
def test_the_strongest_orientation_is_that_of_the_edge(line, wanted):
    values = np.where(line(*np.indices((61, 61))), 12.0, 3.0)
    got = _half_discs.oriented([(values, 1.0, 1.0, 17)], values.shape, (8,), 8)
    assert got[:, 30, 30].argmax() == wanted


def test_layouts_types_and_threads():
    image = np.random.default_rng(0).integers(0, 2, (20, 24)) * 3
    image = np.repeat(image[:, ::4], 4, axis=1)
    wanted = segkit.boundary_strength(image, scales=[2])
    for dtype in REAL_DTYPES:
        given_ = (image // (3 if dtype == np.bool_ else 1)).astype(dtype)
        before = given_.copy()
        for same in (given_, np.asfortranarray(given_), given_[::-1][::-1], given_.tolist()):
            np.testing.assert_allclose(
                segkit.boundary_strength(same, scales=[2]), wanted, atol=1e-5
            )
        np.testing.assert_array_equal(given_, before)
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: segkit.boundary_strength(image, scales=[2]), range(8)):
            np.testing.assert_array_equal(result, wanted)
    channels = np.stack([image] * 3, axis=0).astype(np.uint8)
    first = segkit.boundary_strength(channels, channel_axis=0, scales=[2])
    last = segkit.boundary_strength(np.moveaxis(channels, 0, -1), channel_axis=-1, scales=[2])
    np.testing.assert_array_equal(first, last)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (1, 5), (5, 1)])
def test_small_images(shape):
    strength = segkit.boundary_strength(np.arange(np.prod(shape)).reshape(shape))
    assert strength.shape == shape
    assert ((strength >= 0) & (strength <= 1)).all()


def test_values_near_the_largest_float_give_what_smaller_ones_give():
    image = np.repeat(np.random.default_rng(0).integers(-1, 2, (9, 5)), 3, axis=1)
    np.testing.assert_allclose(
        segkit.boundary_strength(image * 1e308), segkit.boundary_strength(image), atol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({"image": np.zeros(5)}, ValueError, "image"),
        ({"image": np.zeros((3, 3, 3))}, ValueError, "image"),
        ({"image": np.full((3, 3), np.nan)}, ValueError, "image"),
        ({"image": np.full((3, 3), np.inf)}, ValueError, "image"),
        ({"image": np.zeros((3, 3), complex)}, TypeError, "image"),
        ({"image": np.full((3, 3, 3), 2.0), "channel_axis": -1}, ValueError, "image"),
        ({"channel_axis": 5}, ValueError, "channel_axis"),
        ({"scales": []}, ValueError, "scales"),
        ({"scales": [0.5]}, ValueError, "scales"),
        ({"scales": [np.nan]}, ValueError, "scales"),
        ({"scales": 3}, ValueError, "scales"),
        ({"scales": ["3"]}, TypeError, "scales"),
        ({"n_orientations": 0}, ValueError, "n_orientations"),
        ({"n_orientations": 2.5}, TypeError, "n_orientations"),
    ],
)
def test_bad_arguments(arguments, error, name):
    with pytest.raises(error, match=f"`{name}`"):
        segkit.boundary_strength(**{"image": np.zeros((3, 3)), **arguments})
