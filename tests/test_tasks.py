"""Pipelines for tasks: pictures with a known answer, and what is reached on real ones."""

import numpy as np
import pytest

import segkit
from segkit import _pipelines, _recipes, _tasks, datasets, metrics


def discs(centers, radius, shape=(96, 120)):
    """Return a label image of discs, the nearest center's where they touch."""
    grid = np.indices(shape)
    distance = np.stack([np.hypot(grid[0] - r, grid[1] - c) for r, c in centers])
    return np.where(distance.min(axis=0) < radius, distance.argmin(axis=0) + 1, 0)


def noisy(levels, spread=4, rng=0):
    noise = np.random.default_rng(rng).normal(0, spread, levels.shape)
    return np.clip(np.round(levels + noise), 0, 255).astype(np.uint8)


# Nuclei

CENTERS = [(20, 20), (20, 44), (45, 90), (60, 74), (75, 25), (50, 48), (80, 102)]
# All alike, and one after the other dimmer: the last is a third as bright as the first
EVEN, FADING = np.full(7, 170), np.linspace(200, 70, 7)


@pytest.mark.parametrize("light", [EVEN, FADING], ids=["even", "fading"])
@pytest.mark.parametrize("look", ["bright", "dark", "stained"])
def test_touching_nuclei_are_told_apart_bright_or_dark_or_stained(look, light):
    truth = discs(CENTERS, 13)
    bright = 20 + np.r_[0, light][truth]
    if look == "stained":  # violet on pink
        share = (bright / 255)[..., np.newaxis]
        image = noisy((1 - share) * (235, 205, 225) + share * (80, 45, 140))
    else:
        image = noisy(bright if look == "bright" else 255 - bright)
    found = segkit.segment(image, "nuclei", channel_axis=-1 if image.ndim == 3 else None)
    assert found.max() == len(CENTERS)
    assert metrics.average_precision(truth, found, iou=0.75) == 1


def test_nuclei_of_any_size_are_found_without_a_parameter():
    for radius in (5, 10, 20, 40):
        places = np.array([(1.2, 1.2), (1.2, 3.1), (3.6, 2.2), (3.4, 5.1)]) * radius
        truth = discs(places, radius, shape=(5 * radius, 7 * radius))
        found = segkit.segment(noisy(30 + 150 * (truth > 0)), "nuclei")
        assert metrics.average_precision(truth, found, iou=0.75) == 1, radius


def test_nuclei_in_a_volume_are_balls():
    image, truth = datasets.blobs((24, 48, 48), n_blobs=4, rng=1)
    found = segkit.segment(image, "nuclei")
    assert found.shape == truth.shape
    assert found.max() == 4
    assert metrics.average_precision(truth, found, iou=0.5) == 1


def test_an_even_image_has_no_nuclei():
    assert segkit.segment(np.full((40, 50), 90, np.uint8), "nuclei").max() == 0
    assert segkit.segment(np.zeros((40, 50), np.uint8), "nuclei", radius=5).max() == 0


# Membranes


def cells_and_walls(gap=0):
    """Return cells of a Voronoi diagram, and a picture with walls of which a part has faded."""
    generator = np.random.default_rng(3)
    grid = np.add.outer(25 + 50 * np.arange(4), 1j * (25 + 50 * np.arange(4))).ravel()
    centers = np.stack([grid.real, grid.imag], axis=-1) + generator.uniform(-9, 9, (16, 2))
    pixels = np.indices((200, 200)).reshape(2, -1).T
    distance = np.sort(np.linalg.norm(pixels[:, None] - centers[None], axis=2), axis=1)
    nearest = np.linalg.norm(pixels[:, None] - centers[None], axis=2).argmin(axis=1) + 1
    wall = np.exp(-(((distance[:, 1] - distance[:, 0]) / 6) ** 2)).reshape(200, 200)
    image = 190 - 140 * wall
    faded = pixels.sum(axis=1).reshape(200, 200) % 40 < gap
    image[faded] = np.maximum(image[faded], 170)
    return nearest.reshape(200, 200), noisy(image, spread=12)


@pytest.mark.parametrize("gap", [0, 4])
def test_cells_between_membranes_are_found_also_where_a_membrane_fades(gap):
    truth, image = cells_and_walls(gap)
    found = segkit.segment(image, "membranes")
    assert found.max() == 16
    assert metrics.adapted_rand_error(truth, found).error < 0.06


def test_dark_lines_answers_to_dark_lines_in_any_direction():
    image = np.full((60, 60), 100.0)
    image[30] = 40
    image += np.arange(60)  # an even slope
    found = _recipes.dark_lines(image, 1.5, 6)
    assert found[30, 20] > 15
    assert found[10:20, 20:40].max() < 1e-3
    turned = _recipes.dark_lines(image.T, 1.5, 6)
    np.testing.assert_allclose(turned, found.T, atol=1e-3)
    bright = _recipes.dark_lines(200 - image, 1.5, 6)
    assert bright[30, 20] < 1e-3


# Pieces of cells


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_dark_walls_answers_to_walls_in_any_direction_and_dimension(ndim):
    image = np.full((31,) * ndim, 100.0)
    image[15] = 40
    image += np.arange(31)  # an even slope
    everywhere = np.ones(image.shape, dtype=bool)
    found = _recipes.dark_walls(image, 1.5, everywhere)
    middle = (15,) * ndim
    # Of a line one pixel wide, sigma squared times the curvature of the Gaussian
    assert found[middle] == pytest.approx(60 / np.sqrt(2 * np.pi) / 1.5, rel=0.05)
    away = (5, *[slice(8, -8)] * (ndim - 1))  # at the rim the slope ends
    assert found[away].max() < 1e-2
    turned = _recipes.dark_walls(image.T, 1.5, everywhere.T)
    np.testing.assert_allclose(turned, found.T, atol=1e-2)
    assert _recipes.dark_walls(200 - image, 1.5, everywhere)[middle] < 1e-2
    here = np.zeros(image.shape, dtype=bool)
    here[middle] = True
    np.testing.assert_array_equal(
        _recipes.dark_walls(image, 1.5, here), np.where(here, found, np.float32(0))
    )


def test_a_wide_dark_thing_is_no_wall():
    image = np.full((61, 61), 160.0)
    image[20:41] = 60
    found = _recipes.dark_walls(image, 1.5, np.ones(image.shape, dtype=bool))
    assert found[30].max() < 1e-2


def test_pieces_are_joined_where_there_is_no_wall():
    truth, image = cells_and_walls()
    rows, cols = np.indices(truth.shape)
    pieces = segkit.relabel(truth * 64 + rows // 16 % 8 * 8 + cols // 40 % 8)
    assert pieces.max() > 60
    found = _tasks.joined_supervoxels(image, supervoxels=pieces)
    assert metrics.adapted_rand_error(truth, found).error < 0.02


def test_of_equal_contacts_the_one_that_surrounds_most_goes_first():
    """A tongue of one cell reaches into another: nothing but its share of contact tells."""
    image = np.full((40, 60), 120, np.uint8)
    image[19:21] = 100  # one faint wall between all
    pieces = np.ones(image.shape, np.int32)
    pieces[20:] = 2
    pieces[14:20, 20:40] = 3  # its sides touch 1 where there is no wall, its foot touches 2
    found = _tasks.joined_supervoxels(image, supervoxels=pieces, threshold=3)
    assert found[17, 30] == found[5, 30] != found[30, 30]


# Scribbles


def test_strokes_of_three_colors_find_their_fields():
    truth = np.ones((60, 90), dtype=np.int64)
    truth[:, 30:] = 2
    truth[30:, 45:] = 5
    image = noisy(np.array([(0, 0, 0), (150, 60, 60), (60, 150, 70), (0, 0, 0), (0, 0, 0),
                            (70, 80, 160)])[truth])  # fmt: skip
    markers = np.zeros(truth.shape, dtype=np.uint8)
    markers[10:14, 5:20], markers[10, 40:60], markers[50, 60:70] = 1, 2, 5
    found = segkit.segment(image, "scribbles", markers=markers, channel_axis=-1)
    assert np.mean(found == truth) > 0.99


def test_an_island_goes_to_the_stroke_of_its_color():
    truth = np.full((80, 100), 2)
    truth[10:70, 10:40] = truth[20:60, 60:90] = 1
    image = noisy(np.where(truth == 1, 220, 60))
    markers = np.zeros(truth.shape, dtype=np.uint8)
    markers[30:50, 20], markers[5, 5:95] = 1, 2
    found = segkit.segment(image, "scribbles", markers=markers)
    assert np.mean(found == truth) > 0.98


def test_one_stroke_takes_all():
    markers = np.zeros((30, 40), dtype=int)
    markers[4, 4] = 6
    found = segkit.segment(noisy(np.full((30, 40), 90.0)), "scribbles", markers=markers)
    assert (found == 6).all()


# All three


@pytest.mark.parametrize(
    ("method", "settings", "told"),
    [
        ("nuclei", {"radius": 0}, "`radius` must be a finite number > 0"),
        ("nuclei", {"level": -1}, "`level` must be a finite number >= 0"),
        ("nuclei", {"height": np.nan}, "`height` must be a finite number >= 0"),
        ("nuclei", {"depth": -0.1}, "`depth` must be a finite number >= 0"),
        ("membranes", {"sigma": 0}, "`sigma` must be a number from 0.1 to 100, got 0"),
        ("membranes", {"length": 1e9}, "`length` must be a number from 0.1 to 100"),
        ("membranes", {"depth": -1}, "`depth` must be a finite number >= 0"),
        ("scribbles", {"depth": -1}, "`depth` must be a finite number >= 0"),
        ("scribbles", {"contrast": 0}, "`contrast` must be a number from 0.01 to 10000"),
        ("scribbles", {"likeness": np.inf}, "`likeness` must be a finite number"),
        ("scribbles", {"evidence": 0}, "`evidence` must be a number from 1e-09 to 1000"),
        ("scribbles", {"sure": 2}, "`sure` must be a number from 0 to 1, got 2"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(method, settings, told):
    markers = {"markers": np.eye(20, dtype=int)} if method == "scribbles" else {}
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        segkit.segment(np.eye(20), method, **settings, **markers)


@pytest.mark.parametrize("method", _pipelines.TASKS)
def test_any_size_and_extreme_parameters_give_labels(method):
    extremes = {
        "nuclei": {"radius": 1e9, "level": 1e300, "height": 1e300},
        "membranes": {"sigma": 100, "length": 100},
        "scribbles": {"contrast": 0.01, "likeness": 0.01, "evidence": 1000, "sure": 1},
    }[method]
    generator = np.random.default_rng(0)
    for shape in ((1,), (7,), (1, 9), (6, 1), (3, 4, 5), (2, 3, 2, 3)):
        image = generator.integers(0, 256, shape, dtype=np.uint8)
        given = {"markers": (generator.random(shape) < 0.3).astype(int)}
        given["markers"].flat[0] = 2
        if method != "scribbles":
            given = {}
        for settings in ({}, extremes):
            assert segkit.segment(image, method, **settings, **given).shape == shape


# Real images: a handful each, of those that no parameter was chosen on


def held_back(name, data_root, n, step):
    """Return every `step`-th of the half of a data set that is for tests."""
    return datasets.open(name, data_root, split="test")[::step][:n]


def test_nuclei_on_real_images(data_root):
    scores = []
    for item in held_back("dsb2018", data_root, 12, 3):
        axis = -1 if item.image.ndim == 3 else None
        found = segkit.segment(item.image, "nuclei", channel_axis=axis)
        scores.append(metrics.average_precision(item.truth, found, iou=0.5))
    assert np.mean(scores) > 0.70, scores


def test_scribbles_on_real_photographs(data_root):
    scores = []
    for item in held_back("seeds50", data_root, 5, 3):
        for strokes in item.scribbles:
            found = segkit.segment(item.image, "scribbles", markers=strokes, channel_axis=-1)
            known = item.truth > 0
            scores.append(metrics.jaccard((item.truth == 1)[known], (found == 1)[known]))
    assert np.mean(scores) > 0.75, scores


def test_membranes_on_real_sections(data_root):
    scores = []
    for item in held_back("isbi2012", data_root, 3, 3):
        found = segkit.segment(item.image, "membranes")
        scores.append(metrics.adapted_rand_error(item.truth, found, ignore=0).error)
    assert np.mean(scores) < 0.12, scores


def test_pieces_of_cells_in_a_real_volume(data_root):
    item = datasets.open("fib25", data_root, split="test")[0]
    found = _tasks.joined_supervoxels(item.image, supervoxels=item.supervoxels)
    assert metrics.variation_of_information(item.truth, found, ignore=0).total < 1.7
