"""Pictures: shapes, colors that stay, and what is refused."""

import numpy as np
import pytest

import segkit
from segkit import plot


def test_a_label_keeps_its_color():
    few, many = plot.colors([[0, 3]]), plot.colors(np.arange(200))
    np.testing.assert_array_equal(few[0, 1], many[3])
    np.testing.assert_array_equal(few[0, 0], [0, 0, 0])


def test_labels_close_in_number_look_unlike():
    colors = plot.colors(np.arange(1, plot.N_COLORS + 1)).astype(int)
    assert len(np.unique(colors, axis=0)) == plot.N_COLORS
    for step in (1, 2, 3):
        assert np.abs(colors[step:] - colors[:-step]).sum(axis=1).min() > 60


def test_large_ids_have_colors():
    assert plot.colors(np.array([2**40, 2**62])).any(axis=-1).all()


@pytest.mark.parametrize("shape", [(6,), (6, 7), (3, 6, 7), (2, 3, 4, 5), (0, 4)])
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.bool_])
def test_overlay_has_the_shape_of_the_labels(shape, channels, dtype):
    image = np.zeros(shape + channels, dtype=dtype)
    labels = np.ones(shape, dtype=np.int32)
    picture = plot.overlay(image, labels, boundaries="none")
    assert picture.shape == (*shape, 3)
    assert picture.dtype == np.uint8


def test_overlay_leaves_the_unlabelled_as_they_are():
    image = np.arange(60, dtype=np.uint8).reshape(6, 10)
    labels = np.zeros((6, 10), dtype=np.int32)
    labels[2:5, 3:8] = 4
    picture = plot.overlay(image, labels, alpha=1.0)
    np.testing.assert_array_equal(picture[labels == 0], image[labels == 0, np.newaxis].repeat(3, 1))
    np.testing.assert_array_equal(picture[labels > 0], plot.colors(labels)[labels > 0])


def test_overlay_draws_boundaries_in_full_color():
    labels = np.repeat([[1] * 5 + [2] * 5], 4, axis=0)
    picture = plot.overlay(np.zeros((4, 10), np.uint8), labels, alpha=0)
    full = (picture == plot.colors(labels)).all(axis=-1)
    np.testing.assert_array_equal(full[0], [0, 0, 0, 0, 1, 1, 0, 0, 0, 0])


def test_stretching_survives_odd_values():
    odd = np.array([[np.nan, np.inf, -np.inf, 0.0, 1.0]])
    assert plot.stretch(odd).tolist() == [[0, 255, 0, 0, 255]]
    assert plot.stretch(np.full((2, 2), np.nan)).max() == 0
    widest = np.array([[-1.7e308, 0, 1.7e308]] * 9)
    assert plot.stretch(widest)[0].tolist() == [0, 128, 255]
    assert plot.stretch(np.full((2, 2), 7.0)).max() == 0


def test_refused_in_words():
    with pytest.raises(ValueError, match=r"`image` has shape \(3, 4\); accepted: \(3, 5\)"):
        plot.overlay(np.zeros((3, 4)), np.ones((3, 5), int))
    with pytest.raises(ValueError, match="`alpha` must be a number from 0 to 1"):
        plot.overlay(np.zeros((3, 4)), np.ones((3, 4), int), alpha=2)
    with pytest.raises(TypeError, match="`labels` must hold integers"):
        plot.overlay(np.zeros((3, 4)), np.ones((3, 4)))
    with pytest.raises(ValueError, match="`boundaries` must be one of"):
        plot.overlay(np.zeros((3, 4)), np.ones((3, 4), int), boundaries="outer")


def test_show_needs_no_global_state(tmp_path):
    import sys

    figure = plot.show(np.zeros((4, 6, 7), np.uint8), np.ones((4, 6, 7), int), title="a volume")
    figure.savefig(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000
    assert len(figure.axes) == 2
    assert len(plot.show(np.zeros((6, 7, 3))).axes) == 1
    assert "matplotlib.pyplot" not in sys.modules


def test_as_rgb_keeps_bytes_and_tells_grey_from_color_by_the_shape():
    grey = np.array([[0, 50, 255]], np.uint8)
    np.testing.assert_array_equal(plot.as_rgb(grey), np.stack([grey] * 3, axis=-1))
    color = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    np.testing.assert_array_equal(plot.as_rgb(color), color)
    volume = plot.as_rgb(color, color.shape)  # the same array as a grey volume
    np.testing.assert_array_equal(volume[..., 1], color)
    with pytest.raises(ValueError, match="`image` has shape"):
        plot.as_rgb(grey, (3, 1))


def test_middle_plane_is_the_one_in_the_middle_of_the_leading_axes():
    volume = np.arange(60).reshape(5, 3, 4)
    np.testing.assert_array_equal(plot.middle_plane(volume, 3), volume[2])
    np.testing.assert_array_equal(plot.middle_plane(volume[0], 2), volume[0])


def test_color_index_is_zero_for_no_label_alone():
    index = plot.color_index(np.array([0, 1, plot.N_COLORS, plot.N_COLORS + 1, 2**62]))
    assert index[0] == 0
    assert (index[1:] > 0).all()
    assert index[3] == index[1]


# Quadtrees


def test_lines_of_a_quadtree_lie_between_its_blocks():
    image = np.full((3, 4), 100, np.uint8)
    image[:2, 2:] = 200
    tree = segkit.quadtree(image, threshold=0)
    picture = plot.quadtree(image, tree, scale=5, alpha=1, color=(1, 2, 3))
    assert picture.shape == (16, 21, 3)
    lines = (picture == (1, 2, 3)).all(axis=-1)
    across = [[True] * 4, [False] * 4, [True] * 4, [True] * 4]  # above each row, and the end
    down = [[1, 0, 1, 0, 1]] * 3  # left of each pixel, and the end
    np.testing.assert_array_equal(lines[::5, 2::5], across)
    np.testing.assert_array_equal(lines[2::5, ::5], np.array(down, bool))
    np.testing.assert_array_equal(picture[2::5, 2::5, 0], image)


def test_the_rounds_of_splitting_are_drawn():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    tree = segkit.quadtree(image, threshold=0)
    drawn = [
        np.count_nonzero((plot.quadtree(image, tree.level(k), scale=4, alpha=1) == 205).any(-1))
        for k in range(4)
    ]
    assert drawn == sorted(set(drawn))


@pytest.mark.parametrize("shape", [(5,), (4, 6), (3, 4, 6), (2, 3, 4, 6)])
def test_a_quadtree_of_any_dimension_is_drawn(shape):
    image = np.random.default_rng(0).integers(0, 9, shape)
    picture = plot.quadtree(image, segkit.quadtree(image, threshold=3))
    assert picture.dtype == np.uint8
    assert max(picture.shape) >= 640
    color = np.stack([image] * 3, axis=-1).astype(np.uint8)
    assert plot.quadtree(color, segkit.quadtree(image, threshold=3), scale=1).ndim == 3


def test_bad_quadtree_pictures():
    tree = segkit.quadtree(np.zeros((4, 4)), threshold=0)
    with pytest.raises(ValueError, match="`image` has shape"):
        plot.quadtree(np.zeros((4, 5)), tree)
    with pytest.raises(TypeError, match="`tree` must be a Quadtree"):
        plot.quadtree(np.zeros((4, 4)), np.zeros((4, 4)))
    with pytest.raises(ValueError, match="`alpha`"):
        plot.quadtree(np.zeros((4, 4)), tree, alpha=2)
    with pytest.raises(ValueError, match="`scale`"):
        plot.quadtree(np.zeros((4, 4)), tree, scale=0)


# Region graphs


def two_halves():
    image = np.full((4, 6), 50, np.uint8)
    image[:, 3:] = 150
    return image, segkit.region_graph(image // 100 + 1, image)


def test_a_graph_has_a_disc_for_each_region_and_a_line_between():
    image, parts = two_halves()
    picture = plot.graph(image, parts, scale=20)
    assert picture.shape == (80, 120, 3)
    for label, centroid in zip(parts.label, parts.centroid, strict=True):
        row, column = np.round(20 * (centroid + 0.5)).astype(int)
        np.testing.assert_array_equal(picture[row, column], plot.colors([label])[0])
    assert picture[38:42, 60, 0].max() > 180  # the line, smoothed at its sides
    assert (picture[5, 60] == round(150 * 0.55)).all()


def test_cheap_edges_are_brighter():
    labels = np.arange(1, 4).repeat(4).reshape(1, 12).repeat(4, axis=0)
    parts = segkit.region_graph(labels, labels**3)
    dear_last = plot.graph(labels, parts, weights=parts.weights("mean"), scale=10)
    line = dear_last[18:22].max(axis=0).astype(int).sum(axis=-1)
    assert line[40] > line[80]


@pytest.mark.parametrize("shape", [(9,), (4, 6), (3, 4, 6), (2, 3, 4, 6)])
def test_a_graph_of_any_dimension_is_drawn(shape):
    image = np.random.default_rng(0).integers(0, 3, shape)
    parts = segkit.region_graph(segkit.connected_components(image, background=None), image)
    before = image.copy()
    assert max(plot.graph(image, parts).shape) >= 640
    np.testing.assert_array_equal(image, before)


def test_bad_graph_pictures():
    image, parts = two_halves()
    with pytest.raises(TypeError, match="`regions` must be a RegionGraph"):
        plot.graph(image, image)
    with pytest.raises(ValueError, match="`weights` has shape"):
        plot.graph(image, parts, weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="`image`"):
        plot.graph(image[0], parts)
    with pytest.raises(ValueError, match="`scale`"):
        plot.graph(image, parts, scale=0)


# Merge trees


def merged():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)
    labels = segkit.watershed(rng.integers(0, 4, (20, 30)))
    graph = segkit.region_graph(labels, image, channel_axis=-1)
    return image, labels, graph, segkit.merge_tree(graph, criterion="ward")


def test_a_dendrogram_has_a_fork_for_each_merge_and_the_colors_of_the_cut():
    _, _, graph, tree = merged()
    figure = plot.tree(tree)
    forks = figure.axes[0].collections[0].get_segments()
    assert len(forks) == graph.n_regions - 1
    for k, fork in enumerate(forks):
        heights = fork[:, 1]
        assert heights[1] == heights[2] == tree.level[graph.n_regions + k]
        assert heights[0] <= heights[1]
        assert heights[3] <= heights[2]
        assert fork[0, 0] == fork[1, 0] < fork[2, 0] == fork[3, 0]
    cut = plot.tree(tree, n_regions=4, scale="log").axes[0]
    assert cut.get_title() == f"{graph.n_regions} regions, cut into 4"
    tints = {tuple(tint) for tint in cut.collections[0].get_colors()[: graph.n_regions - 4]}
    assert len(tints) <= 4
    assert cut.lines[0].get_linestyle() == "--"
    level = float(np.median(tree.level[graph.n_regions :]))
    n_groups = tree.cut(level=level).max() + 1
    assert plot.tree(tree, level=level).axes[0].get_title().endswith(f"cut into {n_groups}")


def test_parts_that_do_not_touch_are_drawn_above(tmp_path):
    tree = segkit.merge_tree(segkit.region_graph([1, 2, 0, 3, 0, 4], [1, 3, 0, 5, 0, 5]))
    figure = plot.tree(tree, n_regions=3)
    solid, dotted = figure.axes[0].collections
    assert (len(solid.get_segments()), len(dotted.get_segments())) == (1, 2)
    figure.savefig(tmp_path / "tree.png")


@pytest.mark.parametrize("labels", [[[0, 0]], [[7, 7]], [[1, 2]]])
def test_the_smallest_trees_are_drawn(labels, tmp_path):
    tree = segkit.merge_tree(segkit.region_graph(labels, [[3, 4]]))
    plot.tree(tree).savefig(tmp_path / "tree.png")
    assert (tmp_path / "tree.png").stat().st_size > 1000


def test_bad_pictures_of_trees():
    _, _, graph, tree = merged()
    with pytest.raises(TypeError, match="`tree`"):
        plot.tree(graph)
    with pytest.raises(ValueError, match="`scale`"):
        plot.tree(tree, scale="cubic")
    with pytest.raises(ValueError, match="`level`"):
        plot.tree(tree, level=1, n_regions=3)
