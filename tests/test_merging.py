"""Merging regions: trees, cuts, contour maps."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster import hierarchy

import segkit
from tests import strategies as own
from tests.reference import merging as reference

EXACT = ("mean", "ward", "strength", "range")  # equal costs are equal as floats too
CRITERIA = (*EXACT, "student", "baatz_schape", "color_strength")


@st.composite
def pictures(draw, max_pixels=24, max_dims=3, float_image=False, connectivity=None):
    """Return labels, an image with channels last, a strength and a connectivity."""
    shape = draw(own.shapes(max_pixels=max_pixels, max_dims=max_dims))
    labels = draw(own.images(dtypes=(np.int32,), shape=shape, n_levels=6)) % 7
    n_channels = draw(st.integers(1, 2))
    dtypes = (np.float64,) if float_image else (np.uint8, np.int16, np.float32)
    image = draw(own.images(dtypes=dtypes, shape=(*shape, n_channels), n_levels=6))
    strength = draw(own.images(dtypes=(np.uint8, np.float32), shape=shape, n_levels=6))
    return labels, image, strength, connectivity or draw(own.connectivities(len(shape)))


def graph_of(labels, image, strength, connectivity):
    return segkit.region_graph(
        labels, image, strength=strength, connectivity=connectivity, channel_axis=-1
    )


def plain(labels, image, strength, connectivity, criterion, **parameters):
    picture = reference.Picture(labels, image, strength, connectivity)
    cost = getattr(picture, {"strength": "mean_strength"}.get(criterion, criterion))
    return picture, lambda one, two: cost(one, two, **parameters)


@pytest.mark.parametrize("criterion", EXACT)
@given(data=st.data())
def test_a_tree_equals_the_plain_version(criterion, data):
    drawn = data.draw(pictures())
    tree = segkit.merge_tree(graph_of(*drawn), criterion=criterion)
    picture, cost = plain(*drawn, criterion)
    merges, left = reference.merge(picture, cost)
    parent, level = reference.tree(len(picture.regions), merges) if picture.regions else ([], [])
    assert tree.parent.tolist() == parent
    np.testing.assert_allclose(tree.level, level, rtol=1e-12)
    assert tree.n_components == len(left)


@pytest.mark.parametrize("criterion", CRITERIA)
@given(data=st.data())
def test_every_merge_is_the_cheapest_then(criterion, data):
    """Whatever rounding does to ties."""
    drawn = data.draw(pictures(max_pixels=16, max_dims=2, float_image=True))
    graph = graph_of(*drawn)
    if criterion == "baatz_schape" and drawn[0].ndim != 2:
        return
    tree = segkit.merge_tree(graph, criterion=criterion)
    picture, cost = plain(*drawn, criterion)
    regions, known, highest = dict(enumerate(picture.regions)), {}, 0.0
    first = reference.costs_of(picture, regions, cost, known)
    np.testing.assert_allclose(
        graph.weights(criterion), [c for _, c in sorted(first.items())], rtol=1e-6, atol=1e-6
    )
    for node in range(graph.n_regions, 2 * graph.n_regions - 1):
        costs = reference.costs_of(picture, regions, cost, known)
        one, two = np.flatnonzero(tree.parent[:-1] == node).tolist()
        if not costs:
            assert tree.level[node] == inf
        else:
            assert costs[one, two] <= min(costs.values()) + 1e-6
            highest = max(highest, costs[one, two])
            np.testing.assert_allclose(tree.level[node], highest, rtol=1e-6, atol=1e-6)
        regions[node] = regions.pop(one) + regions.pop(two)


@given(data=st.data())
def test_baatz_schape_weights_equal_the_plain_version(data):
    drawn = data.draw(pictures(max_dims=2).filter(lambda drawn: drawn[0].ndim == 2))
    fractions = st.sampled_from([0.0, 0.3, 1.0])
    parameters = {
        "shape_weight": data.draw(fractions),
        "compactness_weight": data.draw(fractions),
        "channel_weights": [2.0, 0.5][: drawn[1].shape[-1]],
    }
    graph = graph_of(*drawn)
    picture, cost = plain(*drawn, "baatz_schape", **parameters)
    costs = reference.costs_of(picture, dict(enumerate(picture.regions)), cost, {})
    got = graph.weights("baatz_schape", **parameters)
    np.testing.assert_allclose(got, [c for _, c in sorted(costs.items())], atol=1e-9)


@pytest.mark.parametrize("criterion", [*EXACT, "callable"])
@given(data=st.data())
def test_merge_regions_equals_the_plain_version(criterion, data):
    labels, image, strength, connectivity = drawn = data.draw(pictures())
    limit = data.draw(st.sampled_from([0, 1, 2.5, None]))
    min_size = data.draw(st.sampled_from([1, 1, 3, 100]))
    picture, cost = plain(*drawn, "mean" if criterion == "callable" else criterion)
    _, left = reference.merge(picture, cost)
    n_regions = max(2, len(left)) if limit is None else None
    _, regions = reference.merge(
        picture, cost, limit=inf if limit is None else limit, n_regions=n_regions or 1,
        min_size=min_size,
    )  # fmt: skip
    wanted = np.zeros(labels.shape, int)
    for k, pixels in enumerate(regions.values()):
        wanted[tuple(zip(*pixels, strict=True))] = k + 1
    got = segkit.merge_regions(
        labels, image, criterion=by_mean if criterion == "callable" else criterion,
        strength=strength, threshold=limit, n_regions=n_regions, min_size=min_size,
        connectivity=connectivity, channel_axis=-1,
    )  # fmt: skip
    np.testing.assert_array_equal(got, segkit.relabel(wanted))
    assert got.dtype == np.int32


def by_mean(graph, u, v):
    """Cost what "mean" costs, to the last bit."""
    n, m = graph.size[u, np.newaxis], graph.size[v, np.newaxis]
    d = (graph.sum[u] * m - graph.sum[v] * n) / (n * m)
    return np.sqrt((d * d).sum(axis=1))


def by_contact(graph, u, v):
    """Cost little where the border is long, strong, or in the upper left."""
    return 1 / graph.contact + graph.faces + graph.strength + graph.centroid[u, 0]


@given(data=st.data())
def test_a_callable_sees_the_regions_as_they_are(data):
    drawn = data.draw(pictures())
    graph = graph_of(*drawn)
    asked = []

    def check(now, u, v):
        asked.append(u.size)
        groups = np.arange(graph.n_regions)
        assert now.u.tolist() == u.tolist()
        assert (u < v).all()
        mean = now.sum[u] / now.size[u, np.newaxis]
        np.testing.assert_array_equal(now.mean[u], mean)
        assert now.label[u].max(initial=0) <= groups.size + 10
        return by_mean(now, u, v)

    tree = segkit.merge_tree(graph, criterion=check)
    wanted = segkit.merge_tree(graph, criterion="mean")
    np.testing.assert_array_equal(tree.parent, wanted.parent)
    np.testing.assert_allclose(tree.level, wanted.level)
    assert tree.criterion == "check()"
    assert asked[0] == graph.n_edges


def test_what_a_callable_sees_after_merges_is_what_contract_gives():
    rng = np.random.default_rng(0)
    labels = segkit.relabel(rng.integers(0, 9, (6, 7)))
    image, strength = rng.integers(0, 50, (6, 7, 2)), rng.random((6, 7))
    graph = segkit.region_graph(labels, image, strength=strength, connectivity=2, channel_axis=-1)
    merged = []

    def check(now, u, v):
        groups = np.arange(graph.n_regions)
        for one, two in merged:
            groups[groups == groups[two]] = groups[one]
        truth = graph.contract(groups)
        for k in range(u.size):
            i, j = (int(np.flatnonzero(truth.label == now.label[x])[0]) for x in (u[k], v[k]))
            for name in ("size", "sum", "sum_squares", "min", "max", "bbox", "perimeter",
                         "centroid", "variance"):  # fmt: skip
                for one, other in ((u[k], i), (v[k], j)):
                    np.testing.assert_allclose(getattr(now, name)[one], getattr(truth, name)[other])
            (e,) = np.flatnonzero((truth.u == min(i, j)) & (truth.v == max(i, j)))
            for name in ("contact", "faces", "strength"):
                np.testing.assert_allclose(getattr(now, name)[k], getattr(truth, name)[e])
        return by_contact(now, u, v)

    tree = segkit.merge_tree(graph, criterion=by_contact)
    leaf = np.arange(2 * graph.n_regions - 1)
    for node in range(graph.n_regions, leaf.size):
        leaf[node] = leaf[np.flatnonzero(tree.parent[:-1] == node)[0]]

    calls = []

    def replay(now, u, v):
        if calls:
            one, two = np.flatnonzero(tree.parent[:-1] == graph.n_regions + len(calls) - 1)
            merged.append((leaf[one], leaf[two]))
        calls.append(1)
        return check(now, u, v)

    np.testing.assert_array_equal(segkit.merge_tree(graph, criterion=replay).parent, tree.parent)


# Trees


@pytest.mark.parametrize("criterion", CRITERIA)
def test_levels_never_fall_and_cuts_are_nested(criterion):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
    labels = segkit.watershed(rng.integers(0, 5, (40, 40)))
    graph = graph_of(labels, image, rng.random((40, 40)), 1)
    tree = segkit.merge_tree(graph, criterion=criterion)
    assert (tree.level[tree.parent] >= tree.level).all()
    assert (np.diff(tree.level[graph.n_regions :]) >= 0).all()
    assert tree.parent[-1] == tree.parent.size - 1
    finer = np.arange(graph.n_regions)
    for n in range(graph.n_regions, 0, -7):
        groups = tree.cut(n_regions=n)
        assert groups.max() + 1 == n
        assert all(np.unique(groups[finer == g]).size == 1 for g in range(finer.max() + 1))
        finer = groups
    for level in np.quantile(tree.level, [0.3, 0.6, 0.9]):
        count = int((tree.level[graph.n_regions :] <= level).sum())
        np.testing.assert_array_equal(
            tree.cut(level=level), tree.cut(n_regions=graph.n_regions - count)
        )
        np.testing.assert_array_equal(
            tree.labels(labels, level=level),
            segkit.merge_regions(
                labels, image, criterion=criterion, strength=None, threshold=level, channel_axis=-1
            )
            if criterion not in ("strength", "color_strength")
            else tree.labels(labels, level=level),
        )


@pytest.mark.parametrize("criterion", ["mean", "range", "ward"])
@given(data=st.data())
def test_no_two_neighbors_left_satisfy_the_rule(criterion, data):
    labels, image, _, connectivity = data.draw(pictures(max_pixels=60))
    threshold = data.draw(st.sampled_from([0, 1, 2.5]))
    options = {"connectivity": connectivity, "channel_axis": -1}
    merged = segkit.merge_regions(
        labels, image, criterion=criterion, threshold=threshold, **options
    )
    weights = segkit.region_graph(merged, image, **options).weights(criterion)
    assert (weights > threshold).all()
    assert np.array_equal(merged == 0, labels == 0)
    higher = segkit.merge_regions(
        labels, image, criterion=criterion, threshold=threshold + 1, **options
    )
    pairs = {*zip(merged.ravel().tolist(), higher.ravel().tolist(), strict=True)}
    assert len(pairs) == len({low for low, _ in pairs}), "a lower threshold refines"
    if threshold == 0 and criterion == "mean":
        graph = segkit.region_graph(labels, image, **options)
        groups = graph.labels(labels, graph.cut(graph.weights("mean"), 1e-12))
        assert np.array_equal(merged, groups), "threshold 0 merges equal neighbors at most"


@pytest.mark.parametrize("criterion", CRITERIA)
def test_renumbering_changes_nothing_where_costs_differ(criterion):
    rng = np.random.default_rng(2)
    labels = segkit.watershed(rng.integers(0, 6, (30, 30)))
    image, strength = rng.random((30, 30, 3)), rng.random((30, 30))
    names = rng.permutation(10**6)[: labels.max() + 1] + 1
    for count in (3, 10, 30):
        results = [
            segkit.merge_regions(
                ids, image, strength=strength, criterion=criterion, n_regions=count,
                channel_axis=-1,
            )
            for ids in (labels, names[labels])
        ]  # fmt: skip
        np.testing.assert_array_equal(*results)
        assert results[0].max() == count


def test_ties_go_to_the_lowest_nodes():
    tree = segkit.merge_tree(segkit.region_graph([1, 2, 3, 4, 5], [0] * 5))
    # 0-1, then 2-3 (the new node 5 is behind), then 4 with 6 = (2, 3), then all.
    assert tree.parent.tolist() == [5, 5, 6, 6, 7, 8, 7, 8, 8]


def test_inversions_are_lifted():
    # The means are corners of a triangle: the middle of its shortest side, 20, is only 19
    # away from the third.
    image = np.array([[[0, 0], [20, 0]], [[10, 19], [10, 19]]])
    graph = segkit.region_graph([[1, 2], [3, 3]], image, connectivity=2, channel_axis=-1)
    assert graph.n_edges == 3
    assert graph.contract([0, 0, 1]).weights("mean").tolist() == [19]
    assert segkit.merge_tree(graph).level.tolist() == [0, 0, 0, 20, 20]


def test_parts_that_do_not_touch_are_joined_last():
    graph = segkit.region_graph([1, 2, 0, 3, 0, 4, 5], [1, 2, 0, 9, 0, 5, 9])
    tree = segkit.merge_tree(graph)
    assert tree.n_components == 3
    assert tree.level.tolist() == [0, 0, 0, 0, 0, 1, 4, inf, inf]
    assert tree.parent.tolist() == [5, 5, 7, 6, 6, 7, 8, 8, 8]
    assert tree.cut(n_regions=3).tolist() == [0, 0, 1, 2, 2]
    for call in (
        lambda: tree.cut(n_regions=2),
        lambda: segkit.merge_regions([1, 0, 2], [1, 0, 1], n_regions=1),
    ):
        with pytest.raises(ValueError, match="`n_regions` must be at least"):
            call()


def complete_labels(n):
    """Return a label image in which n regions all touch each other: every pair, with walls."""
    pairs = [(a, b) for a in range(1, n + 1) for b in range(1, a)]
    return np.array([[a, b, 0] for a, b in pairs]).reshape(1, -1)


def test_ward_on_a_complete_graph_is_scipys_linkage():
    rng = np.random.default_rng(0)
    points = rng.random((12, 3))
    g = segkit.region_graph(complete_labels(12)).to_networkx()
    for k in range(12):
        g.nodes[k + 1].update({"pixel count": 1, "total color": points[k]})
        for name in ("min", "max", "scatter", "sum of squares"):
            del g.nodes[k + 1][name]
    graph = segkit.RegionGraph.from_networkx(g)
    assert graph.n_edges == 66
    tree = segkit.merge_tree(graph, criterion="ward")
    wanted = hierarchy.linkage(points, "ward")
    got = tree.linkage()
    np.testing.assert_array_equal(np.sort(got[:, :2], axis=1), np.sort(wanted[:, :2], axis=1))
    np.testing.assert_allclose(got[:, 2:], wanted[:, 2:])
    assert hierarchy.is_valid_linkage(got)
    for n in (2, 5):
        ours, theirs = tree.cut(n_regions=n), hierarchy.fcluster(wanted, n, "maxclust")
        assert len({*zip(ours.tolist(), theirs.tolist(), strict=True)}) == n


def test_linkage_feeds_the_dendrogram():
    tree = segkit.merge_tree(segkit.region_graph([1, 2, 3, 4], [1, 2, 9, 12]))
    assert tree.linkage().tolist() == [[0, 1, 1, 2], [2, 3, 3, 2], [4, 5, 9, 4]]
    drawn = hierarchy.dendrogram(tree.linkage(), no_plot=True)
    assert drawn["leaves"] == [0, 1, 2, 3]
    empty = segkit.merge_tree(segkit.region_graph([0, 0], [1, 1]))
    assert empty.linkage().shape == (0, 4)


def test_the_linkage_of_a_callable_named_ward_holds_its_costs_not_roots_of_them():
    graph = segkit.region_graph([1, 2, 3, 4], [1, 2, 9, 12])

    def ward(graph, u, v):
        return by_mean(graph, u, v)

    tree = segkit.merge_tree(graph, criterion=ward)
    assert tree.linkage()[:, 2].tolist() == [1, 3, 9]
    assert repr(tree) == 'MergeTree(4 regions, by "ward()")'


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", ["size", "min", "scatter", "bbox"])
def test_a_callable_that_writes_is_told_so_and_the_graph_stays_as_it_was(name, late):
    labels = [[1, 2], [3, 4]]
    graph = segkit.region_graph(labels, labels)
    column, calls = getattr(graph, name), []
    before = column.copy()

    def spoil(graph, u, v):
        calls.append(len(u))
        if len(calls) > late:
            getattr(graph, name)[:] = 0
        return np.ones(len(u))

    with pytest.raises(ValueError, match="read-only"):
        segkit.merge_tree(graph, criterion=spoil)
    assert len(calls) == 1 + late
    with pytest.raises(ValueError, match="read-only"):
        graph.weights(spoil)
    np.testing.assert_array_equal(column, before)
    assert column.flags.writeable


@pytest.mark.parametrize("base", [0, 2**53, -(2**62), 2**63 - 9])
@pytest.mark.parametrize("criterion", ["mean", "ward", "student", "range", "color_strength"])
def test_large_integers_that_differ_by_one_are_not_merged_at_threshold_0(base, criterion):
    image = base + np.array([0, 1, 1, 3, 3, 3])
    labels = [1, 2, 3, 4, 4, 5]
    merged = segkit.merge_regions(
        labels, image, criterion=criterion, strength=np.zeros(6), threshold=0
    )
    assert merged.tolist() == [1, 2, 2, 3, 3, 3]
    graph = segkit.region_graph(labels, image)
    if criterion == "mean":
        assert graph.weights("mean").tolist() == [1, 0, 2, 0]


def test_a_strength_near_the_largest_float_gives_levels_without_a_warning():
    image = np.array([1e308, -1e308, 1e308])
    graph = segkit.region_graph([1, 2, 3], image, strength=np.abs(image))
    assert not np.isnan(segkit.merge_tree(graph, criterion="color_strength").level).any()


@given(data=st.data())
def test_a_contour_map_equals_the_plain_version(data):
    labels, image, strength, _ = data.draw(pictures(max_pixels=40, connectivity=1))
    labels = labels.astype(np.int64) * data.draw(st.sampled_from([1, 2**33]))
    tree = segkit.merge_tree(graph_of(labels, image, strength, 1))
    got = tree.contour_map(labels)
    assert got.dtype == np.float32
    assert got.shape == tuple(2 * side - 1 for side in labels.shape)
    node = {label: k for k, label in enumerate(tree.label.tolist())}
    levels = {}
    for place in sorted(np.ndindex(got.shape), key=lambda p: sum(k % 2 for k in p)):
        odd = [axis for axis in range(got.ndim) if place[axis] % 2]
        if not odd:
            wanted = 0.0
        elif len(odd) == 1:
            low = tuple(k // 2 for k in place)
            high = tuple((k + 1) // 2 for k in place)
            one, two = labels[low].item(), labels[high].item()
            if one == two:
                wanted = 0.0
            elif one == 0 or two == 0:
                wanted = inf
            else:
                wanted = reference.joint_level(tree.parent, tree.level, node[one], node[two])
        else:
            sides = []
            for axis in odd:
                for step in (-1, 1):
                    near = list(place)
                    near[axis] += step
                    sides.append(levels[tuple(near)])
            wanted = max(sides)
        levels[place] = wanted
        np.testing.assert_allclose(got[place], wanted, rtol=1e-6)


def test_cracks_above_a_level_are_the_boundaries_of_the_cut():
    rng = np.random.default_rng(3)
    labels = segkit.watershed(rng.integers(0, 6, (25, 31)))
    tree = segkit.merge_tree(segkit.region_graph(labels, rng.random((25, 31))))
    contours = tree.contour_map(labels)
    for level in [0.0, *tree.level[-80::9]]:
        cut = tree.labels(labels, level=level)
        np.testing.assert_array_equal(contours[1::2, ::2] > level, cut[1:] != cut[:-1])
        np.testing.assert_array_equal(contours[::2, 1::2] > level, cut[:, 1:] != cut[:, :-1])


def test_small_regions_go_last_into_their_cheapest_neighbor():
    labels = [[1, 1, 1, 2, 3, 3, 3, 0, 4]]
    image = [[0, 0, 0, 7, 9, 9, 9, 0, 1]]
    merged = segkit.merge_regions(labels, image, threshold=1, min_size=2)
    assert merged.tolist() == [[1, 1, 1, 2, 2, 2, 2, 0, 3]]


def test_64_bit_ranges_are_exact():
    top = 2**63 - 4
    graph = segkit.region_graph([1, 2, 3], np.array([top, top + 3, top + 1], dtype=np.int64))
    assert graph.weights("range").tolist() == [3, 2]


def test_a_callable_must_return_numbers():
    graph = segkit.region_graph([1, 2, 3])
    for bad in (lambda g, u, v: 1.0, lambda g, u, v: u * np.nan, lambda g, u, v: ["a"] * u.size):
        with pytest.raises(ValueError, match="`criterion` must"):
            segkit.merge_tree(graph, criterion=bad)


GRAPH = segkit.region_graph([[1, 2], [3, 3]], [[1, 2], [3, 4]])
BAD_TREES = [
    ({"criterion": "median"}, ValueError, "criterion"),
    ({"criterion": None}, TypeError, "criterion"),
    ({"criterion": "strength"}, ValueError, "criterion"),
    ({"criterion": "color_strength"}, ValueError, "criterion"),
    ({"shape_weight": 1.5}, ValueError, "shape_weight"),
    ({"shape_weight": np.nan}, ValueError, "shape_weight"),
    ({"compactness_weight": -0.1}, ValueError, "compactness_weight"),
    ({"strength_weight": "1"}, TypeError, "strength_weight"),
    ({"channel_weights": [1.0]}, ValueError, "channel_weights"),
    ({"criterion": "baatz_schape", "channel_weights": [1, 2]}, ValueError, "channel_weights"),
    ({"criterion": "baatz_schape", "channel_weights": [-1]}, ValueError, "channel_weights"),
    ({"criterion": "baatz_schape", "channel_weights": "a"}, TypeError, "channel_weights"),
]


@pytest.mark.parametrize(("arguments", "error", "name"), BAD_TREES)
def test_bad_arguments_of_merge_tree(arguments, error, name):
    for call in (lambda: segkit.merge_tree(GRAPH, **arguments), lambda: GRAPH.weights(**arguments)):
        with pytest.raises(error, match=f"`{name}`"):
            call()


def test_graphs_that_do_not_fit():
    for bad in (None, [[1, 2]], GRAPH.to_networkx()):
        with pytest.raises(TypeError, match="`graph`"):
            segkit.merge_tree(bad)
    with pytest.raises(ValueError, match="`criterion`"):
        segkit.merge_tree(segkit.region_graph([1, 2]))
    volume = segkit.region_graph(np.arange(1, 9).reshape(2, 2, 2), np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="`shape_weight`"):
        segkit.merge_tree(volume, criterion="baatz_schape")
    assert segkit.merge_tree(volume, criterion="baatz_schape", shape_weight=0).n_regions == 8


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({}, ValueError, "level"), ({"level": 1, "n_regions": 2}, ValueError, "level"),
        ({"level": -1}, ValueError, "level"), ({"level": np.nan}, ValueError, "level"),
        ({"level": inf}, ValueError, "level"), ({"level": "1"}, TypeError, "level"),
        ({"n_regions": 0}, ValueError, "n_regions"), ({"n_regions": 1.5}, TypeError, "n_regions"),
    ],
)  # fmt: skip
def test_bad_cuts(arguments, error, name):
    tree = segkit.merge_tree(GRAPH)
    for call in (tree.cut, lambda **k: tree.labels([[1, 2], [3, 3]], **k)):
        with pytest.raises(error, match=f"`{name}`"):
            call(**arguments)


def test_labels_of_another_image_are_refused():
    tree = segkit.merge_tree(GRAPH)
    for call in (tree.contour_map, lambda labels: tree.labels(labels, level=1)):
        with pytest.raises(ValueError, match="`labels`"):
            call([[1, 7], [3, 3]])


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({}, ValueError, "threshold"),
        ({"threshold": 1, "n_regions": 2}, ValueError, "threshold"),
        ({"threshold": -1}, ValueError, "threshold"), ({"threshold": inf}, ValueError, "threshold"),
        ({"threshold": 1, "min_size": -1}, ValueError, "min_size"),
        ({"threshold": 1, "connectivity": 3}, ValueError, "connectivity"),
        ({"threshold": 1, "criterion": "best"}, ValueError, "criterion"),
        ({"threshold": 1, "image": [[np.nan, 1]]}, ValueError, "image"),
        ({"threshold": 1, "image": [[1, 2, 3]]}, ValueError, "image"),
        ({"threshold": 1, "image": None}, ValueError, "criterion"),
    ],
)  # fmt: skip
def test_bad_arguments_of_merge_regions(arguments, error, name):
    with pytest.raises(error, match=f"`{name}`"):
        segkit.merge_regions([[1, 2]], **{"image": [[1, 2]], **arguments})


def test_nothing_to_merge():
    for shape in ((0,), (0, 3), (2, 2)):
        labels = np.zeros(shape, int)
        merged = segkit.merge_regions(labels, np.ones(shape), threshold=1)
        assert merged.shape == shape
        assert not merged.any()
        tree = segkit.merge_tree(segkit.region_graph(labels, np.ones(shape)))
        assert (tree.n_regions, tree.parent.size, tree.level.size) == (0, 0, 0)
        assert tree.cut(level=1).size == 0
        assert tree.contour_map(labels).shape == tuple(max(2 * side - 1, 0) for side in shape)
    one = segkit.merge_tree(segkit.region_graph([5, 5], [1, 2]))
    assert (one.parent.tolist(), one.level.tolist()) == ([0], [0])
    assert one.labels([5, 5], n_regions=1).tolist() == [1, 1]


def test_values_beyond_all_sums_do_no_harm():
    image = np.array([[1e300, -1e300, 3e299]])
    for criterion in ("mean", "ward", "student", "baatz_schape", "range"):
        tree = segkit.merge_tree(segkit.region_graph([[1, 2, 3]], image), criterion=criterion)
        assert not np.isnan(tree.level).any()


def test_a_star_of_many_neighbors():
    """One region with 20 000 neighbors that are merged into it one by one."""
    labels = np.ones((201, 401), np.int32)
    labels[1::2, 1::2] = np.arange(2, 20_002).reshape(100, 200)
    rng = np.random.default_rng(0)
    image = np.where(labels > 1, rng.random(labels.shape), 0)
    tree = segkit.merge_tree(segkit.region_graph(labels, image))
    assert tree.level[-1] <= 1
    assert tree.n_regions == 20_001
