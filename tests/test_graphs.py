"""The region graph."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csgraph
from skimage import graph as skgraph

import segkit
from segkit import _edges
from tests import strategies as own
from tests.reference import graphs as reference

IDS = np.array([0, 1, 5, 3, 40, 2**31 + 7, 2**40])
NODE_COLUMNS = ("size", "sum", "sum_squares", "min", "max", "bbox", "position_sum", "perimeter")
EDGE_COLUMNS = ("u", "v", "contact", "faces")


def assert_same(one, other, rtol=1e-12):
    for name in (*NODE_COLUMNS, *EDGE_COLUMNS, "label", "scatter"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=rtol, atol=1e-9, err_msg=name
        )
    assert (one.strength is None) == (other.strength is None)
    if one.strength is not None:
        np.testing.assert_allclose(one.strength, other.strength, rtol=rtol)


@given(data=st.data())
def test_a_region_graph_equals_the_plain_version(data):
    shape = data.draw(own.shapes(max_pixels=100))
    labels = data.draw(own.label_images(shape=shape))
    channels = data.draw(st.integers(1, 3))
    image = data.draw(own.images(dtypes=own.REAL_DTYPES, shape=(*shape, channels)))
    strength = data.draw(st.none() | own.images(dtypes=own.REAL_DTYPES, shape=shape))
    connectivity = data.draw(own.connectivities(len(shape)))
    graph = segkit.region_graph(
        labels, image, strength=strength, connectivity=connectivity, channel_axis=-1
    )
    nodes, edges = reference.region_graph(labels, image, strength, connectivity)
    assert graph.label.tolist() == list(nodes)
    for k, node in enumerate(nodes.values()):
        for name, wanted in node.items():
            np.testing.assert_allclose(
                np.asarray(getattr(graph, name)[k], dtype=float),
                np.asarray(wanted, dtype=float),
                rtol=1e-12,
                err_msg=name,
            )
    pairs = list(zip(graph.label[graph.u].tolist(), graph.label[graph.v].tolist(), strict=True))
    assert pairs == list(edges)
    assert (graph.u < graph.v).all()
    assert graph.contact.tolist() == [edge["contact"] for edge in edges.values()]
    assert graph.faces.tolist() == [edge["faces"] for edge in edges.values()]
    if strength is None:
        assert graph.strength is None
    else:
        np.testing.assert_allclose(
            graph.strength, [float(edge["strength"]) for edge in edges.values()], rtol=1e-12
        )
    assert graph.size.sum() == np.count_nonzero(labels)
    assert graph.min.dtype == image.dtype


@given(data=st.data())
def test_contract_equals_the_graph_of_the_merged_image(data):
    shape = data.draw(own.shapes(max_pixels=100))
    labels = data.draw(own.label_images(shape=shape)).astype(np.int64)
    labels = np.where(labels > 40, 0, labels)
    image = data.draw(own.images(shape=(*shape, 2)))
    strength = data.draw(st.none() | own.images(shape=shape))
    options = {"strength": strength, "channel_axis": -1}
    options["connectivity"] = data.draw(own.connectivities(len(shape)))
    graph = segkit.region_graph(labels, image, **options)
    groups = data.draw(
        st.lists(st.sampled_from([3, 8, -1]), min_size=graph.n_regions, max_size=graph.n_regions)
    )
    names = dict(zip(graph.label.tolist(), groups, strict=True))
    merged = reference.contract(labels, names)
    # Nodes of the contracted graph stand in the order of groups, labels are the lowest.
    got = graph.contract(np.array(groups, dtype=int))
    assert got.label.tolist() == [
        min(label for label, name in names.items() if name == group)
        for group in sorted(set(groups))
    ]
    in_order = got.contract(got.label) if got.n_regions else got
    assert_same(in_order, segkit.region_graph(merged, image, **options))
    drawn = graph.labels(labels, np.array(groups, dtype=int))
    np.testing.assert_array_equal(drawn, segkit.relabel(merged))


@given(data=st.data())
def test_cut_joins_the_edges_below_a_threshold(data):
    labels = data.draw(own.label_images(max_pixels=60)).astype(np.int64)
    graph = segkit.region_graph(labels)
    weights = data.draw(st.lists(st.integers(0, 3), min_size=graph.n_edges, max_size=graph.n_edges))
    threshold = data.draw(st.integers(0, 4))
    groups = graph.cut(np.array(weights, dtype=float), threshold)
    pairs = list(zip(graph.u.tolist(), graph.v.tolist(), strict=True))
    weight_of = dict(zip(pairs, weights, strict=True))
    wanted = reference.groups(
        range(graph.n_regions), pairs, lambda pair: weight_of[pair] < threshold
    )
    assert {frozenset(np.flatnonzero(groups == g).tolist()) for g in set(groups)} == wanted
    first = [int(np.flatnonzero(groups == g)[0]) for g in range(len(wanted))]
    assert first == sorted(first)


@given(data=st.data())
def test_split_region_equals_the_plain_version(data):
    shape = data.draw(own.shapes())
    labels = data.draw(own.label_images(shape=shape))
    parts = data.draw(own.label_images(shape=shape))
    ids = [int(k) for k in np.unique(labels) if k]
    if not ids:
        with pytest.raises(ValueError, match="`label`"):
            segkit.split_region(labels, 1, parts)
        return
    label = data.draw(st.sampled_from(ids))
    got = segkit.split_region(labels, label, parts)
    np.testing.assert_array_equal(got, reference.split_region(labels, label, parts))
    assert got.dtype == (np.int64 if labels.max() > 2**31 - 10 else np.int32)


@pytest.mark.parametrize(
    ("label", "error"),
    [(0, ValueError), (7, ValueError), (None, TypeError), (1.5, TypeError), (True, TypeError)],
)
def test_regions_that_are_not_there_cannot_be_split(label, error):
    with pytest.raises(error, match="`label`"):
        segkit.split_region([[1, 2]], label, [[1, 2]])


def test_contract_undoes_split_region():
    labels = segkit.watershed(np.random.default_rng(0).integers(0, 9, (20, 20)))
    graph = segkit.region_graph(labels)
    split = segkit.split_region(labels, 3, np.indices(labels.shape)[0] % 2)
    again = segkit.region_graph(split)
    assert again.n_regions == graph.n_regions + 1
    again = again.contract(np.minimum(again.label, np.where(again.label > labels.max(), 3, 2**40)))
    assert_same(again, graph)


def test_faces_and_contacts_and_borders_by_hand():
    labels = np.array([[1, 1, 2], [1, 3, 3]])
    graph = segkit.region_graph(labels, connectivity=2, strength=[[0, 1, 2], [3, 4, 5]])
    assert graph.contact.tolist() == [1, 4, 2]
    assert graph.faces.tolist() == [1, 2, 1]
    # 1 | 3: two pairs along axes, then (0, 0) and (0, 1) each with one on a diagonal.
    assert graph.strength.tolist() == [1.5, (2.5 + 3.5 + 2 + 3) / 4, (3.5 + 3) / 2]
    assert graph.perimeter.tolist() == [8, 4, 6]


def test_lines_keep_regions_apart():
    graph = segkit.region_graph([1, 1, 0, 2])
    assert (graph.n_regions, graph.n_edges) == (2, 0)
    assert segkit.region_graph([[0, 0]]).n_regions == 0


@pytest.mark.parametrize("width", [1, 63, 64, 65, 4095, 4096, 4097, 9000])
def test_long_rows(width):
    labels = np.random.default_rng(width).integers(0, 50, (3, width))
    graph = segkit.region_graph(labels, connectivity=2)
    total = 0
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = labels[: 3 - dr, max(0, -dc) : width - max(0, dc)]
        b = labels[dr:, max(0, dc) : width - max(0, -dc)]
        total += np.count_nonzero((a != b) & (a > 0) & (b > 0))
    assert graph.contact.sum() == total


def test_many_edges_outgrow_the_table():
    labels = np.random.default_rng(0).permutation(np.arange(1, 90_001) % 400 + 1).reshape(300, 300)
    graph = segkit.region_graph(labels, strength=labels)
    assert graph.n_edges > 50_000  # nearly all pairs of 400
    pairs = np.concatenate(
        [np.stack([labels[1:], labels[:-1]]).reshape(2, -1),
         np.stack([labels[:, 1:], labels[:, :-1]]).reshape(2, -1)], axis=1,
    )  # fmt: skip
    pairs = np.sort(pairs[:, pairs[0] != pairs[1]], axis=0)
    wanted, counts = np.unique(pairs, axis=1, return_counts=True)
    np.testing.assert_array_equal(np.stack([graph.u, graph.v]) + 1, wanted)
    np.testing.assert_array_equal(graph.contact, counts)
    np.testing.assert_allclose(graph.strength, wanted.mean(axis=0))


@given(data=st.data())
def test_renumbering_carries_through(data):
    labels = data.draw(own.images(dtypes=(np.uint8,), max_pixels=100))
    names = np.array([0, *data.draw(st.permutations([1, 7, 2**33])), 0, 0][:4])
    image = data.draw(own.images(shape=labels.shape))
    one = segkit.region_graph(labels, image)
    two = segkit.region_graph(names[labels], image)
    order = np.argsort(names[one.label])
    for name in ("size", "sum", "mean", "variance", "perimeter", "centroid"):
        np.testing.assert_allclose(getattr(one, name)[order], getattr(two, name))
    edges = {
        frozenset(names[one.label[[u, v]]].tolist()): c
        for u, v, c in zip(one.u, one.v, one.contact, strict=True)
    }
    assert edges == {
        frozenset(two.label[[u, v]].tolist()): c
        for u, v, c in zip(two.u, two.v, two.contact, strict=True)
    }


@given(data=st.data())
def test_lowest_passes(data):
    shape = data.draw(own.shapes(max_pixels=100))
    labels = data.draw(own.images(dtypes=(np.int32,), shape=shape)) % 4
    relief = data.draw(own.images(dtypes=own.REAL_DTYPES, shape=shape))
    one, two, columns = _edges.touching(labels, 4, 1, relief, lowest=True)
    found = {}
    for p in np.ndindex(shape):
        for q in reference.neighbors(p, shape, 1):
            a, b = int(labels[p]), int(labels[q])
            if 0 < a < b:
                height = max(relief[p], relief[q])
                found[a, b] = min(height, found.get((a, b), height))
    got = dict(zip(zip(one.tolist(), two.tolist(), strict=True), columns["lowest"], strict=True))
    assert got == found
    assert columns["lowest"].dtype == relief.dtype


def test_variance_is_zero_in_constant_regions_and_survives_an_offset():
    image = np.full((4, 4), 0.1)
    graph = segkit.region_graph([[1, 1, 2, 2]] * 4, image)
    assert graph.variance.tolist() == [[0], [0]]
    far = (np.arange(1000) % 7 + 2.0**40).reshape(10, 100)
    graph = segkit.region_graph(np.arange(1000).reshape(10, 100) % 2 + 1, far)
    np.testing.assert_allclose(graph.variance, [[np.var(far.ravel()[k::2])] for k in (0, 1)])
    both = graph.contract([0, 0])
    np.testing.assert_allclose(both.variance, np.var(far))


@pytest.mark.parametrize(
    ("dtype", "sums", "squares"),
    [
        (bool, np.int64, np.int64), (np.uint8, np.int64, np.int64), (np.int16, np.int64, np.int64),
        (np.uint32, np.int64, np.float64), (np.int64, np.float64, np.float64),
        (np.float16, np.float64, np.float64), (np.float64, np.float64, np.float64),
    ],
)  # fmt: skip
def test_types_of_sums(dtype, sums, squares):
    graph = segkit.region_graph([[1, 2]], np.array([[1, 0]], dtype=dtype))
    assert (graph.sum.dtype, graph.sum_squares.dtype, graph.min.dtype) == (sums, squares, dtype)
    assert graph.sum.ravel().tolist() == [1, 0]


def test_16_bit_sums_are_exact():
    image = np.full((500, 500), 65535, np.uint16)
    graph = segkit.region_graph(np.ones((500, 500), int), image)
    assert graph.sum.item() == 65535 * 250_000
    assert graph.sum_squares.item() == 65535**2 * 250_000


# scikit-image and SciPy


@pytest.fixture(scope="module")
def photo():
    from skimage import data, segmentation

    image = data.coffee()[:120, :160]
    return image, segmentation.slic(image, n_segments=60, start_label=1)


@pytest.mark.parametrize("connectivity", [1, 2])
def test_it_equals_scikit_images_graph(photo, connectivity):
    image, labels = photo
    theirs = skgraph.rag_mean_color(image, labels, connectivity=connectivity)
    graph = segkit.region_graph(labels, image, connectivity=connectivity, channel_axis=-1)
    ours = graph.to_networkx()
    assert set(ours.nodes) == set(theirs.nodes)
    assert {frozenset(e) for e in ours.edges} == {frozenset(e) for e in theirs.edges}
    for node in theirs.nodes:
        for name in ("labels", "pixel count", "total color", "mean color"):
            np.testing.assert_allclose(ours.nodes[node][name], theirs.nodes[node][name])
    for u, v, weight in theirs.edges(data="weight"):
        np.testing.assert_allclose(ours.edges[u, v]["weight"], weight)
    again = segkit.RegionGraph.from_networkx(theirs)
    for name in ("label", "size", "sum", "u", "v"):
        np.testing.assert_allclose(getattr(again, name), getattr(graph, name))


def test_scikit_images_functions_take_ours(photo):
    image, labels = photo
    graph = segkit.region_graph(labels, image, channel_axis=-1)

    def merge(g, src, dst):
        g.nodes[dst]["total color"] += g.nodes[src]["total color"]
        g.nodes[dst]["pixel count"] += g.nodes[src]["pixel count"]
        g.nodes[dst]["mean color"] = g.nodes[dst]["total color"] / g.nodes[dst]["pixel count"]

    def weight(g, src, dst, n):
        return {"weight": np.linalg.norm(g.nodes[dst]["mean color"] - g.nodes[n]["mean color"])}

    for make in (graph.to_networkx, lambda: skgraph.rag_mean_color(image, labels, connectivity=1)):
        cut = skgraph.cut_threshold(labels, make(), 20)
        merged = skgraph.merge_hierarchical(labels, make(), 20, False, True, merge, weight)
        normalized = skgraph.cut_normalized(labels, make(), rng=0)
        results = [segkit.relabel(x + 1) for x in (cut, merged, normalized)]
        if make == graph.to_networkx:
            ours = results
    for one, other in zip(ours[:2], results[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert ours[2].shape == labels.shape
    np.testing.assert_array_equal(
        graph.labels(labels, graph.cut(graph.weights("mean"), 20)), results[0]
    )


def test_networkx_keeps_all():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, (9, 9)) * 10
    graph = segkit.region_graph(
        labels, rng.integers(0, 99, (9, 9, 2)), strength=rng.random((9, 9)), connectivity=2,
        channel_axis=-1,
    )  # fmt: skip
    g = graph.to_networkx()
    assert_same(segkit.RegionGraph.from_networkx(g), graph)
    assert g.next_id() == 51
    g.nodes[10]["total color"] += 5  # its own copy
    assert_same(segkit.RegionGraph.from_networkx(graph.to_networkx()), graph)
    assert isinstance(g, nx.Graph)
    empty = segkit.region_graph(np.zeros((2, 2), int))
    assert segkit.RegionGraph.from_networkx(empty.to_networkx()).n_regions == 0


def test_a_bare_networkx_graph_is_filled_in():
    g = nx.Graph()
    g.add_edge(7, 3, weight=0.5)
    g.add_edge(3, 0, weight=9)
    graph = segkit.RegionGraph.from_networkx(g)
    assert graph.label.tolist() == [3, 7]
    assert graph.size.tolist() == [1, 1]
    assert graph.sum.shape == (2, 0)
    assert (graph.u.tolist(), graph.v.tolist(), graph.strength.tolist()) == ([0], [1], [0.5])


@pytest.mark.parametrize(
    ("g", "error"),
    [
        ([(1, 2)], TypeError),
        (None, TypeError),
        (nx.DiGraph([(1, 2)]), TypeError),
        (nx.MultiGraph([(1, 2)]), TypeError),
        (nx.Graph([("a", "b")]), TypeError),
        (nx.Graph([(-1, 2)]), ValueError),
    ],
)
def test_networkx_graphs_that_do_not_fit(g, error):
    with pytest.raises(error, match="`g`"):
        segkit.RegionGraph.from_networkx(g)


def test_boundary_graphs_of_scikit_image(photo):
    _, labels = photo
    edges = np.random.default_rng(0).random(labels.shape)
    rag = skgraph.rag_boundary(labels, edges)
    graph = segkit.RegionGraph.from_networkx(rag)
    weights = [rag.edges[int(a), int(b)]["weight"] for a, b in zip(
        graph.label[graph.u], graph.label[graph.v], strict=True
    )]  # fmt: skip
    np.testing.assert_allclose(graph.strength, weights)


def test_sparse_arrays_go_into_scipy():
    labels = np.arange(1, 13).reshape(3, 4)
    graph = segkit.region_graph(labels, labels)
    matrix = graph.to_sparse()
    assert matrix.shape == (12, 12)
    assert (matrix != matrix.T).nnz == 0
    tree = csgraph.minimum_spanning_tree(graph.to_sparse(graph.weights("mean")))
    assert tree.nnz == 11
    assert tree.sum() == 9 + 2 * 4


def test_rag_nodes_merged_by_scikit_image_keep_their_lowest_label(photo):
    image, labels = photo
    rag = skgraph.rag_mean_color(image, labels)
    rag.merge_nodes(5, 2)
    graph = segkit.RegionGraph.from_networkx(rag)
    assert graph.n_regions == labels.max() - 1
    assert 5 not in graph.label


def test_a_graph_of_one_region_keeps_its_strength_through_networkx():
    graph = segkit.region_graph([[4, 4]], strength=[[1, 2]])
    back = segkit.RegionGraph.from_networkx(graph.to_networkx())
    assert back.strength.shape == (0,)
    assert segkit.merge_tree(back, criterion="strength").level.tolist() == [0]


@pytest.mark.parametrize("name", ["weights", "groups", "threshold", "labels"])
def test_arguments_of_methods(name):
    graph = segkit.region_graph([[1, 2], [3, 3]])
    ones = np.ones(3)
    if name == "weights":
        for bad, error in ((ones[:2], ValueError), ([1, np.nan, 2], ValueError), ("a", TypeError)):
            for call in (lambda w: graph.cut(w, 1), graph.to_sparse, graph.to_networkx):
                with pytest.raises(error, match="`weights`"):
                    call(bad)
    elif name == "groups":
        for bad, error in (([1, 2], ValueError), ([0.5, 1, 1], TypeError), (None, TypeError)):
            for call in (graph.contract, lambda g: graph.labels([[1, 2], [3, 3]], g)):
                with pytest.raises(error, match="`groups`"):
                    call(bad)
    elif name == "threshold":
        for bad in (np.nan, np.inf, -np.inf, -1, "1", None, True):
            error = ValueError if isinstance(bad, (float, int)) and bad is not True else TypeError
            with pytest.raises(error, match="`threshold` must be a finite number >= 0"):
                graph.cut(ones, bad)
    else:
        for bad in ([[1, 2], [3, 4]], [[1, 2], [3, 2**40]]):
            with pytest.raises(ValueError, match="`labels`"):
                graph.labels(bad, [0, 1, 2])


@pytest.mark.parametrize(
    ("nodes", "edge", "error", "match"),
    [
        ({"pixel count": "a"}, {}, TypeError, "`g` must have numbers for `pixel count`"),
        ({"pixel count": 0}, {}, ValueError, "`g` must have a `pixel count` >= 1"),
        ({"total color": [1.0, 2.0]}, {}, ValueError, "`g` must have a `total color` of one shape"),
        ({"total color": [np.nan]}, {}, ValueError, "`g` must not hold NaN for `total color`"),
        ({"labels": None}, {}, TypeError, "`g` must have lists as `labels`, got NoneType"),
        ({}, {"count": 0}, ValueError, "`g` must have a `count` >= 1 at every edge"),
        ({}, {"weight": "a"}, TypeError, "`g` must have numbers for `weight`"),
        ({}, {"weight": None}, TypeError, "`g` must have numbers for `weight`"),
        ({}, {"weight": np.nan}, ValueError, "`g` must not hold NaN for `weight`"),
    ],
)
def test_a_networkx_graph_with_bad_attributes_is_refused_in_words(nodes, edge, error, match):
    import networkx as nx

    g = nx.Graph()
    g.add_node(1, **nodes)
    g.add_node(2, **{"total color": [3.0]})
    g.add_edge(1, 2, **edge)
    if "total color" not in nodes:
        del g.nodes[2]["total color"]
    with pytest.raises(error, match=match):
        segkit.RegionGraph.from_networkx(g)
