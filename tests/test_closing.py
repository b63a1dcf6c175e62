"""Contours with gaps closed into regions: drawings with a known answer, and what leaks without."""

import numpy as np
import pytest

import segkit
from segkit import _closing, datasets, metrics

SHAPE = (90, 130)


def outline(shape, gap, *, where=0.0):
    """Return what a closed line encloses, 1 the ground and 2 the shape, and the line with a gap.

    The gap, `gap` pixels wide, is `where` turns from the right along the line.
    """
    rows, cols = np.indices(SHAPE) - np.array([44, 64])[:, np.newaxis, np.newaxis]
    if shape == "disc":
        inside = np.hypot(rows, cols) <= 28
    else:
        inside = (np.abs(rows) <= 24) & (np.abs(cols) <= 36)
    line = inside & (segkit.boundaries(inside.astype(int), mode="inner"))
    angle = 2 * np.pi * where
    along = np.cos(angle) * cols + np.sin(angle) * rows
    across = np.cos(angle) * rows - np.sin(angle) * cols
    line &= ~((along > 0) & (np.abs(across) < gap / 2))
    return inside + 1, line


def leaked(line):
    """Return whether a flood fill of the ground gets inside."""
    zones = segkit.connected_components(line.astype(np.uint8), background=1)
    return zones[44, 64] == zones[0, 0]


@pytest.mark.parametrize("where", [0, 0.25, 0.4, 0.9])
@pytest.mark.parametrize("gap", [2, 6, 12, 20])
@pytest.mark.parametrize("shape", ["disc", "rectangle"])
def test_a_gap_through_which_a_flood_fill_leaks_is_closed(shape, gap, where):
    truth, line = outline(shape, gap, where=where)
    assert leaked(line)
    basins, drawn = _closing.closed(line, depth=1)
    tree = segkit.merge_tree(segkit.region_graph(basins, strength=drawn), criterion="strength")
    labels = tree.labels(basins, level=0.5)
    assert labels.max() == 2
    assert metrics.segmentation_covering(truth, labels) > 0.95
    np.testing.assert_array_equal(labels, tree.labels(basins, n_regions=2))


@pytest.mark.parametrize("shape", ["disc", "rectangle"])
def test_a_line_without_a_gap_is_left_as_it_is(shape):
    truth, line = outline(shape, 0)
    assert not leaked(line)
    basins, drawn = _closing.closed(line, depth=1)
    tree = segkit.merge_tree(segkit.region_graph(basins, strength=drawn), criterion="strength")
    labels = tree.labels(basins, level=0.9)
    assert labels.max() == 2
    assert tree.level[-1] == 1  # drawn all the way
    np.testing.assert_array_equal(labels[~line], segkit.relabel(truth)[~line])


def test_an_open_door_is_not_closed():
    _, line = outline("disc", 58)  # half of it is missing
    basins, _ = _closing.closed(line, depth=1)
    assert basins[44, 64] == basins[44, -1]
    assert basins[44, 64] != basins[44, 0]


def test_the_level_of_a_border_is_the_part_of_it_that_was_drawn():
    line = np.zeros((41, 60), dtype=bool)
    line[20] = True
    line[20, 20:32] = False  # 12 of 60, less the 2 that are near its ends
    basins, drawn = _closing.closed(line, depth=1)
    assert basins.max() == 2
    graph = segkit.region_graph(basins, strength=drawn)
    assert graph.strength[0] == pytest.approx(50 / 60, abs=0.01)


def test_without_edges_there_is_one_region():
    for shape in ((0,), (5, 0), (1, 1), (7, 9), (3, 4, 5), (2, 3, 2, 3)):
        basins, drawn = _closing.closed(np.zeros(shape, dtype=bool), depth=1)
        assert (basins == 1).all()
        assert (drawn == 0).all()
        assert basins.shape == drawn.shape == shape


# The pipeline


def disc_that_fades(shape=(100, 140)):
    """Return a disc on a ground, alike at its right rim, and the truth."""
    rows, cols = np.indices(shape)
    inside = np.hypot(rows - 50, cols - 70) <= 32
    light = np.clip((cols - 60) / 42, 0, 1)
    return np.where(inside, 170 - 75 * light, 90).astype(np.uint8), inside + 1


def test_a_disc_whose_contour_fades_is_found_whole():
    image, truth = disc_that_fades()
    edges = _closing.edges_of(image, 1.5, 8, None)
    zones = segkit.connected_components(edges.astype(np.uint8), background=1)
    assert zones[50, 70] == zones[0, 0], "Canny's edges alone enclose nothing"
    labels = segkit.segment(image, "closed_contours", sigma=1.5, contrast=8, threshold=1)
    assert labels.max() == 2
    assert metrics.segmentation_covering(truth, labels) > 0.93


def test_a_higher_threshold_gives_coarser_regions():
    image = datasets.samples()["coffee"][::2, ::2]
    before = None
    for threshold in (0.1, 0.5, 2, 8):
        labels = segkit.segment(image, "closed_contours", threshold=threshold, channel_axis=-1)
        if before is not None:
            assert labels.max() < before.max()
            assert len(np.unique(before * 10_000 + labels)) == before.max()  # parts of regions
        before = labels


@pytest.mark.parametrize("shape", [(60,), (40, 50), (16, 30, 30)])
def test_a_box_is_found_in_any_number_of_dimensions(shape):
    image = np.full(shape, 80, dtype=np.uint8)
    image[tuple(slice(side // 4, side - side // 4) for side in shape)] = 160
    truth = segkit.connected_components(image, background=None)
    labels = segkit.segment(image, "closed_contours", sigma=1)
    assert labels.max() == truth.max()
    assert metrics.segmentation_covering(truth, labels) > 0.85


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", -1), ("contrast", 0), ("depth", np.nan), ("size_weight", np.inf), ("sigma", -1)],
)
def test_bad_parameters_are_named(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        segkit.segment(np.eye(9), "closed_contours", **{name: value})
