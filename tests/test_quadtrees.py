"""Quadtrees and octrees."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data as pictures

import segkit
from tests import strategies as own
from tests.reference import graphs, merging
from tests.reference import quadtrees as reference

TEXTBOOK = np.array(
    [
        [0, 1, 0, 0, 7, 7, 7, 7],
        [1, 0, 2, 2, 7, 7, 7, 7],
        [0, 2, 2, 2, 7, 7, 7, 7],
        [4, 4, 2, 2, 7, 7, 7, 7],
        [0, 0, 1, 1, 3, 3, 7, 7],
        [1, 1, 2, 2, 3, 7, 7, 7],
        [2, 4, 3, 0, 5, 7, 7, 7],
        [2, 3, 3, 5, 5, 0, 7, 7],
    ],
    dtype=np.uint8,
)


def channel_images(data, dtypes, **options):
    """Draw an image with channels last, its shape, and a mask or None."""
    shape = data.draw(own.shapes(**options))
    n_channels = data.draw(st.integers(1, 3))
    image = data.draw(own.images(dtypes=dtypes, shape=(*shape, n_channels), n_levels=6))
    return image, shape, data.draw(own.masks(shape))


def sizes(data):
    """Draw min_size and max_size that go together."""
    least = data.draw(st.integers(1, 5))
    return least, data.draw(st.none() | st.integers(least, 9))


def check(tree, leaves, shape, mask, n_channels):
    """Compare a tree with the leaves of the plain version."""
    ndim = len(shape)
    assert tree.shape == shape
    assert tree.n_leaves == len(leaves)
    assert tree.corner.tolist() == [list(leaf[0]) for leaf in leaves]
    assert tree.extent.tolist() == [list(leaf[1]) for leaf in leaves]
    assert tree.depth.tolist() == [leaf[2] for leaf in leaves]
    assert tree.size.tolist() == [len(leaf[3]) for leaf in leaves]
    assert tree.corner.shape == tree.extent.shape == (len(leaves), ndim)
    pixels = [np.array(leaf[3], dtype=float) for leaf in leaves]
    shaped = (len(leaves), n_channels)
    means = np.array([p.mean(axis=0) for p in pixels]).reshape(shaped)
    variances = np.array([p.var(axis=0) for p in pixels]).reshape(shaped)
    np.testing.assert_allclose(tree.mean, means, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tree.variance, variances, rtol=1e-12, atol=1e-12)
    labels = tree.labels()
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, reference.labels_of(leaves, shape, mask))


# Integer images meet the threshold exactly; a float image only at 0.
INTEGERS = st.sampled_from([0, 0.5, 1, 1.5, 2, 0.25**0.5, 2**0.5, 6])
ANY = st.sampled_from([0, 0.53, 0.77, 1.13, 1.9, 7.1])


@given(data=st.data())
@pytest.mark.parametrize("criterion", ["range", "std", "entropy"])
def test_integer_images_equal_the_plain_version(criterion, data):
    image, shape, mask = channel_images(data, own.INTEGER_DTYPES)
    threshold = data.draw(INTEGERS)
    least, most = sizes(data)
    options = {"criterion": criterion, "min_size": least, "max_size": most, "mask": mask}
    tree = segkit.quadtree(image, threshold=threshold, channel_axis=-1, **options)
    leaves = reference.split(image.astype(int), threshold, **options)
    check(tree, leaves, shape, mask, image.shape[-1])


@given(data=st.data())
@pytest.mark.parametrize("criterion", ["range", "std"])
def test_float_images_equal_the_plain_version(criterion, data):
    image, shape, mask = channel_images(data, (np.float16, np.float32, np.float64))
    image /= 4
    threshold = data.draw(ANY)
    least, most = sizes(data)
    options = {"criterion": criterion, "min_size": least, "max_size": most, "mask": mask}
    tree = segkit.quadtree(image, threshold=threshold, channel_axis=-1, **options)
    check(tree, reference.split(image, threshold, **options), shape, mask, image.shape[-1])


@given(data=st.data())
def test_a_callable_equals_the_plain_version(data):
    image, shape, mask = channel_images(data, own.KERNEL_DTYPES)
    threshold = data.draw(st.integers(0, 4))
    least, most = sizes(data)
    options = {"min_size": least, "max_size": most, "mask": mask}

    def n_distinct(pixels):
        assert pixels.ndim == 2
        assert pixels.dtype == image.dtype
        return len(np.unique(pixels)) - 1

    tree = segkit.quadtree(
        image, threshold=threshold, criterion=n_distinct, channel_axis=-1, **options
    )

    def plain(pixels):
        return len({value for pixel in pixels for value in pixel}) - 1

    leaves = reference.split(image, threshold, plain, **options)
    check(tree, leaves, shape, mask, image.shape[-1])


@given(data=st.data())
@pytest.mark.parametrize("criterion", ["range", "std", "entropy"])
def test_leaves_tile_and_none_could_be_larger_or_must_be_smaller(criterion, data):
    """ROBUSTNESS: leaves tile; each is homogeneous or minimal; no complete family is together."""
    image = data.draw(own.images(dtypes=own.INTEGER_DTYPES, n_levels=6, max_pixels=150))
    threshold = data.draw(INTEGERS)
    least, most = sizes(data)
    options = {"threshold": threshold, "criterion": criterion}
    tree = segkit.quadtree(image, min_size=least, max_size=most, **options)
    measure = reference.CRITERIA[criterion]
    covered = np.zeros(image.shape, dtype=int)
    root = 1 << int(max(image.shape) - 1).bit_length()
    families = {}
    for corner, extent, depth in zip(tree.corner, tree.extent, tree.depth, strict=True):
        box = tuple(slice(a, a + n) for a, n in zip(corner, extent, strict=True))
        covered[box] += 1
        side = root >> depth
        assert side // 2 < least or side <= (most or side)
        calm = measure([[int(v)] for v in image[box].ravel()]) <= threshold
        assert calm or side // 2 < least or side == 1 or side // 2 < 1
        if depth:
            families.setdefault((*(corner // (2 * side)), depth), []).append(box)
    assert (covered == 1).all()
    for (*place, depth), boxes in families.items():
        side = 2 * (root >> depth)
        whole = tuple(slice(at * side, (at + 1) * side) for at in place)
        complete = sum(image[box].size for box in boxes) == image[whole].size
        if complete and (most is None or side <= most) and side // 2 >= least:
            assert measure([[int(v)] for v in image[whole].ravel()]) > threshold


@given(data=st.data())
def test_a_level_is_the_tree_split_no_deeper(data):
    """level(d) of the range is the tree whose leaves are the blocks at depth d, or leaves."""
    image, shape, mask = channel_images(data, own.KERNEL_DTYPES)
    tree = segkit.quadtree(image, threshold=1, mask=mask, channel_axis=-1)
    depth = data.draw(st.integers(0, 4))
    root = 1 << max(max(shape) - 1, 0).bit_length()
    least = max(root >> depth, 1)
    wanted = segkit.quadtree(image, threshold=1, mask=mask, min_size=least, channel_axis=-1)
    got = tree.level(depth)
    for name in ("corner", "extent", "depth", "size"):
        np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name))
    np.testing.assert_allclose(got.mean, wanted.mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(got.variance, wanted.variance, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(got.labels(), wanted.labels())


def test_the_textbook_example():
    """Each round splits the blocks that are not homogeneous: 1, 4, 13, 25 blocks."""
    tree = segkit.quadtree(TEXTBOOK, threshold=2)
    assert [tree.level(k).n_leaves for k in range(4)] == [1, 4, 13, 25]
    assert tree.level(1).labels()[::4, ::4].tolist() == [[1, 2], [3, 4]]
    assert tree.level(2).depth.tolist() == [2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2]
    labels = tree.labels()
    wanted = [
        [1, 1, 2, 2, 8, 8, 8, 8],
        [1, 1, 2, 2, 8, 8, 8, 8],
        [3, 4, 7, 7, 8, 8, 8, 8],
        [5, 6, 7, 7, 8, 8, 8, 8],
        [9, 9, 10, 10, 16, 17, 20, 20],
        [9, 9, 10, 10, 18, 19, 20, 20],
        [11, 11, 12, 13, 21, 22, 25, 25],
        [11, 11, 14, 15, 23, 24, 25, 25],
    ]
    assert labels.tolist() == wanted
    assert tree.mean[7] == 7


# Split and merge


@given(data=st.data())
@pytest.mark.parametrize("criterion", ["range", "mean"])
def test_split_and_merge_equals_the_plain_versions(criterion, data):
    image = data.draw(own.images(dtypes=own.INTEGER_DTYPES, n_levels=6, max_pixels=40))
    mask = data.draw(own.masks(image.shape))
    threshold = data.draw(st.sampled_from([0, 1, 1.5, 2, 4]))
    merge_at = data.draw(st.none() | st.sampled_from([0, 1, 2.5]))
    least = data.draw(st.integers(1, 3))
    got = segkit.split_and_merge(
        image, split_threshold=threshold, merge_threshold=merge_at, merge_criterion=criterion,
        min_size=least, mask=mask,
    )  # fmt: skip
    values = image.astype(int)[..., np.newaxis]
    leaves = reference.split(values, threshold, "range", min_size=least, mask=mask)
    blocks = reference.labels_of(leaves, image.shape, mask)
    picture = merging.Picture(blocks, values)
    limit = threshold if merge_at is None else merge_at
    _, regions = merging.merge(picture, getattr(picture, criterion), limit=limit)
    wanted = np.zeros(image.shape, int)
    for label, pixels in enumerate(sorted(map(sorted, regions.values())), 1):
        for p in pixels:
            wanted[p] = label
    np.testing.assert_array_equal(got, wanted)


# The region graph


def assert_same_graph(got, wanted):
    for field in fields(wanted):
        one, two = getattr(got, field.name), getattr(wanted, field.name)
        if two is None:
            assert one is None, field.name
            continue
        assert one.dtype == two.dtype, field.name
        np.testing.assert_array_equal(one, two, err_msg=field.name)


@given(st.data())
def test_the_graph_of_a_tree_is_that_of_its_labels(data):
    image, _, mask = channel_images(data, own.REAL_DTYPES)
    least, most = sizes(data)
    threshold = data.draw(st.sampled_from([0, 1, 2, 4]))
    tree = segkit.quadtree(
        image, threshold=threshold, min_size=least, max_size=most, mask=mask, channel_axis=-1
    )
    labels = tree.labels()
    got = tree.graph(image, channel_axis=-1)
    assert_same_graph(got, segkit.region_graph(labels, image, channel_axis=-1))
    assert_same_graph(tree.graph(), segkit.region_graph(labels))
    cut = tree.level(data.draw(st.integers(0, 3)))
    assert_same_graph(cut.graph(), segkit.region_graph(cut.labels()))
    nodes, edges = graphs.region_graph(labels)
    assert got.label.tolist() == list(nodes)
    pairs = zip((got.u + 1).tolist(), (got.v + 1).tolist(), strict=True)
    assert list(pairs) == list(edges)
    assert got.contact.tolist() == [edge["contact"] for edge in edges.values()]


def test_the_graph_of_a_photograph_and_of_a_volume():
    volume = np.add.outer(pictures.coins()[:40, :61], np.arange(23) // 7 * 9)
    for image in (pictures.coins(), volume, volume[0, 0], np.zeros((0, 5)), np.ones((1, 1))):
        for threshold in (0, 20, 300):
            tree = segkit.quadtree(image, threshold=threshold)
            assert_same_graph(tree.graph(image), segkit.region_graph(tree.labels(), image))


def test_a_large_leaf_has_many_neighbors_in_order():
    image = np.zeros((64, 128), np.uint8)
    image[:, 64:] = np.indices((64, 64)).sum(axis=0) % 2 * 9
    graph = segkit.quadtree(image, threshold=0).graph(image)
    assert (graph.u == 0).sum() == 64
    assert (np.diff(graph.u * graph.n_regions + graph.v) > 0).all()


def test_the_graph_of_a_tree_can_be_changed_without_a_change_to_the_tree():
    tree = segkit.quadtree(TEXTBOOK, threshold=2)
    tree.graph(TEXTBOOK).size[:] = 0
    assert tree.size.sum() == TEXTBOOK.size


def test_the_graph_of_a_tree_refuses_in_words():
    tree = segkit.quadtree(TEXTBOOK, threshold=2)
    with pytest.raises(ValueError, match=r"`tree` has shape \(8, 8\), `image` has shape \(8, 9\)"):
        tree.graph(np.ones((8, 9)))
    with pytest.raises(ValueError, match="pass channel_axis=-1"):
        tree.graph(np.ones((8, 8, 3)))
    with pytest.raises(ValueError, match="`image` must not hold NaN"):
        tree.graph(np.full((8, 8), np.nan))
    with pytest.raises(TypeError, match="`image` has dtype complex128"):
        tree.graph(np.ones((8, 8), complex))
    with pytest.raises(ValueError, match="`channel_axis` must be None without an `image`"):
        tree.graph(channel_axis=-1)


@pytest.mark.parametrize("criterion", ["range", "mean", "ward", "student"])
def test_no_neighbors_that_satisfy_the_rule_remain(criterion):
    """ROBUSTNESS: after merging no two neighbors satisfy the merge rule; regions connected."""
    image = pictures.coins()[60:190, 40:170]
    labels = segkit.split_and_merge(
        image, split_threshold=20, merge_threshold=25, merge_criterion=criterion
    )
    assert 1 < labels.max() < segkit.quadtree(image, threshold=20).n_leaves
    assert (segkit.region_graph(labels, image).weights(criterion) > 25).all()
    assert segkit.connected_components(labels, background=None).max() == labels.max()


def test_split_and_merge_to_a_number_of_regions():
    for n in (5, 2, 1):
        labels = segkit.split_and_merge(TEXTBOOK, split_threshold=2, n_regions=n)
        assert np.array_equal(np.unique(labels), np.arange(1, n + 1))


def test_split_and_merge_of_the_textbook_example():
    labels = segkit.split_and_merge(TEXTBOOK, split_threshold=2)
    wanted = [
        [1, 1, 1, 1, 2, 2, 2, 2],
        [1, 1, 1, 1, 2, 2, 2, 2],
        [1, 1, 1, 1, 2, 2, 2, 2],
        [3, 3, 1, 1, 2, 2, 2, 2],
        [1, 1, 1, 1, 4, 4, 2, 2],
        [1, 1, 1, 1, 4, 2, 2, 2],
        [5, 5, 5, 1, 4, 2, 2, 2],
        [5, 5, 5, 4, 4, 6, 2, 2],
    ]
    assert labels.tolist() == wanted


@pytest.mark.parametrize("merge_criterion", ["baatz_schape", "ward"])
@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_split_and_merge_in_every_dimension(ndim, merge_criterion):
    image = np.zeros((6,) * ndim)
    image[(slice(1, 4),) * ndim] = 50
    labels = segkit.split_and_merge(
        image, split_threshold=1, merge_threshold=0, merge_criterion=merge_criterion
    )
    expected = segkit.connected_components(image, background=None)
    assert labels.max() >= expected.max()
    assert segkit.join(labels, expected).max() == labels.max()


def test_split_and_merge_by_callables():
    labels = segkit.split_and_merge(
        TEXTBOOK,
        split_threshold=2,
        split_criterion=np.ptp,
        merge_criterion=lambda graph, u, v: np.abs(graph.mean[u] - graph.mean[v])[:, 0],
    )
    wanted = segkit.split_and_merge(TEXTBOOK, split_threshold=2, merge_criterion="mean")
    np.testing.assert_array_equal(labels, wanted)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"split_threshold": -1}, ValueError, "`split_threshold`"),
        ({"merge_threshold": np.nan}, ValueError, "`merge_threshold`"),
        ({"merge_threshold": 1, "n_regions": 2}, ValueError, "at most one of `merge_threshold`"),
        ({"n_regions": 0}, ValueError, "`n_regions`"),
        ({"merge_criterion": "strength"}, ValueError, "`merge_criterion`"),
        ({"split_criterion": "mean"}, ValueError, "`split_criterion`"),
        ({"split_criterion": lambda p: None}, TypeError, "`split_criterion` must return"),
        ({"image": [[1.0, 2.0]], "split_criterion": "entropy"}, TypeError, "`image` must hold"),
    ],
)
def test_bad_input_of_split_and_merge(changes, error, match):
    arguments = {"image": np.arange(6).reshape(2, 3), "split_threshold": 1} | changes
    with pytest.raises(error, match=match):
        segkit.split_and_merge(**arguments)


# Sizes, thresholds, values at the edge of what is possible


def test_no_block_is_smaller_than_min_size_nor_larger_than_max_size():
    image = np.arange(64 * 50).reshape(64, 50)
    for least, most, smallest, largest in (
        (1, None, 1, 64), (4, None, 4, 64), (3, None, 4, 64), (1, 20, 1, 16), (8, 8, 8, 8),
        (3, 3, 2, 2), (5, 7, 4, 4), (100, None, 64, 64),
    ):  # fmt: skip
        for threshold, side in ((0, smallest), (1e9, largest)):
            tree = segkit.quadtree(image, threshold=threshold, min_size=least, max_size=most)
            assert (64 >> tree.depth == side).all()


def test_sizes_given_as_floats_and_huge_ones():
    image = np.arange(16).reshape(4, 4)
    assert segkit.quadtree(image, threshold=0, min_size=10**30).n_leaves == 1
    assert segkit.quadtree(image, threshold=10**18, max_size=10**30).n_leaves == 1
    assert segkit.quadtree(image, threshold=0, min_size=2.0).n_leaves == 4


@pytest.mark.parametrize(
    ("dtype", "step", "threshold", "n"),
    [
        (np.int64, 1, 0, 4),
        (np.int64, 1, 0.999, 4),
        (np.int64, 1, 1, 1),
        (np.uint64, 3, 2.9, 4),
        (np.uint64, 3, 3, 1),
    ],
)
def test_ranges_of_64_bit_integers_are_exact(dtype, step, threshold, n):
    top = np.iinfo(dtype).max
    image = np.array([[top, top], [top - step, top]], dtype=dtype)
    assert segkit.quadtree(image, threshold=threshold).n_leaves == n


def test_ranges_and_deviations_never_wrap():
    for dtype in (np.int8, np.int16, np.int32, np.int64):
        info = np.iinfo(dtype)
        image = np.array([[info.min, info.max]], dtype=dtype)
        span = int(info.max) - int(info.min)
        assert segkit.quadtree(image, threshold=span).n_leaves == 1
        below = span - 1 if span < 2**53 else span * (1 - 2**-50)
        assert segkit.quadtree(image, threshold=below).n_leaves == 2
        assert segkit.quadtree(image, threshold=span / 2, criterion="std").n_leaves == 1
        assert segkit.quadtree(image, threshold=span / 2.01, criterion="std").n_leaves == 2


def test_an_infinite_range_splits():
    image = np.array([-1.7e308, 1.7e308])
    for criterion in ("range", "std"):
        assert segkit.quadtree(image, threshold=1.7e308, criterion=criterion).n_leaves == 2


def test_deviations_do_not_depend_on_a_constant():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (70, 90))
    wanted = segkit.quadtree(noise, threshold=0.9, criterion="std")
    assert 10 < wanted.n_leaves < noise.size
    got = segkit.quadtree(noise + 1e6, threshold=0.9, criterion="std")
    np.testing.assert_array_equal(got.labels(), wanted.labels())
    np.testing.assert_allclose(got.variance, wanted.variance, rtol=1e-8, atol=1e-12)


def test_a_deviation_of_exactly_the_threshold_stops_in_large_blocks():
    """The sums of a whole image of 16-bit extremes neither overflow nor round."""
    image = np.zeros((300, 2000), dtype=np.uint16)
    image[:, ::2] = 65534
    assert segkit.quadtree(image, threshold=32767, criterion="std").n_leaves == 1
    assert segkit.quadtree(image, threshold=32766.99, criterion="std").n_leaves > 1
    image = np.zeros((512, 2048), dtype=np.uint8)
    image[:, ::2] = 254
    assert segkit.quadtree(image, threshold=127, criterion="std").n_leaves == 1
    assert segkit.quadtree(image, threshold=126.99, criterion="std").n_leaves > 1


def test_an_irrational_threshold_is_met_from_both_sides():
    image = np.array([0, 3, 3], dtype=np.uint8)  # variance 2
    for dtype in (np.uint8, np.int16, np.int64):
        values = image.astype(dtype)
        root = np.sqrt(2)
        assert segkit.quadtree(values, threshold=root, criterion="std").n_leaves == 1
        below = np.nextafter(root, 0)
        assert segkit.quadtree(values, threshold=below, criterion="std").n_leaves > 1


def test_entropy_of_equally_many_values():
    image = np.repeat(np.arange(8), 6).reshape(6, 8)  # three bits, in every order
    rng = np.random.default_rng(0)
    for _ in range(20):
        shuffled = rng.permutation(image.ravel()).reshape(6, 8)
        assert segkit.quadtree(shuffled, threshold=3, criterion="entropy").n_leaves == 1
        assert segkit.quadtree(shuffled, threshold=2.99, criterion="entropy").n_leaves > 1


def test_a_callable_sees_read_only_pixels_in_raster_order():
    image = np.arange(12).reshape(3, 4)
    seen = []

    def criterion(pixels):
        assert not pixels.flags.writeable
        seen.append(pixels[:, 0].tolist())
        return 0 if len(pixels) < 5 else 1

    tree = segkit.quadtree(image, threshold=0, criterion=criterion)
    assert seen == [list(range(12)), [0, 1, 4, 5], [2, 3, 6, 7], [8, 9], [10, 11]]
    assert tree.n_leaves == 4
    assert image.flags.writeable


def test_masked_pixels_may_be_anything():
    image = np.array([[1.0, np.nan], [1.0, np.inf]])
    mask = np.isfinite(image)
    for criterion in ("range", "std"):
        tree = segkit.quadtree(image, threshold=0, criterion=criterion, mask=mask)
        assert tree.labels().tolist() == [[1, 0], [1, 0]]
        assert tree.size.tolist() == [2]
        assert tree.mean.tolist() == [[1.0]]
    huge = np.full((2, 2), 1e300)
    tree = segkit.quadtree(huge, threshold=0, criterion="std", mask=mask)
    assert tree.labels().tolist() == [[1, 0], [1, 0]]


def test_the_mask_may_change_afterwards():
    mask = np.ones((2, 2), bool)
    tree = segkit.quadtree([[1, 1], [1, 1]], threshold=0, mask=mask)
    mask[:] = False
    assert tree.labels().all()


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0, 2)])
def test_an_empty_image_has_no_leaves(shape):
    tree = segkit.quadtree(np.zeros(shape), threshold=1)
    assert tree.n_leaves == 0
    assert tree.labels().shape == shape
    assert tree.extent.shape == (0, len(shape))
    assert tree.level(0).n_leaves == 0


def test_it_shows_what_it_is():
    tree = segkit.quadtree(TEXTBOOK, threshold=2)
    assert repr(tree) == "<Quadtree of 25 leaves, shape (8, 8)>"


# Bad input


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"image": [[1.0, np.nan]]}, ValueError, "`image` must not hold NaN"),
        ({"image": [[1.0, np.inf]]}, ValueError, "`image` must not hold infinite"),
        ({"image": [[1.0, 2.0]], "criterion": "entropy"}, TypeError, "`image` must hold integers"),
        ({"criterion": 3}, TypeError, "`criterion`"),
        ({"criterion": "mean"}, ValueError, "`criterion`"),
        ({"criterion": lambda pixels: None}, TypeError, "`criterion` must return a number"),
        ({"criterion": lambda pixels: "a"}, TypeError, "`criterion` must return a number"),
        ({"criterion": lambda pixels: np.nan}, ValueError, "`criterion` must return a number"),
        ({"min_size": 0}, ValueError, "`min_size`"),
        ({"max_size": 0}, ValueError, "`max_size`"),
        ({"min_size": 4, "max_size": 3}, ValueError, "`max_size` must be at least `min_size`"),
        ({"mask": np.ones((3, 3), bool)}, ValueError, "`mask` has shape"),
        ({"threshold": -1}, ValueError, "`threshold`"),
    ],
)
def test_bad_input(changes, error, match):
    arguments = {"image": np.arange(6).reshape(2, 3), "threshold": 1} | changes
    with pytest.raises(error, match=match):
        segkit.quadtree(**arguments)


@pytest.mark.parametrize(("depth", "error"), [(-1, ValueError), (0.5, TypeError), ("1", TypeError)])
def test_bad_depths(depth, error):
    with pytest.raises(error, match="`depth`"):
        segkit.quadtree(TEXTBOOK, threshold=1).level(depth)


def test_an_error_in_the_callable_comes_through():
    def criterion(pixels):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        segkit.quadtree(TEXTBOOK, threshold=1, criterion=criterion)


def test_a_block_that_a_mask_cuts_apart_stays_one_region():
    mask = [[True, False, True, True]]
    labels = segkit.split_and_merge([[5, 9, 5, 5]], split_threshold=0, mask=mask)
    assert labels.tolist() == [[1, 0, 1, 1]]
