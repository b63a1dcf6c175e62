"""Greedy merging: of a graph that is there already, and from labels to labels."""

from functools import cache

import numpy as np

import segkit
from benchmarks.harness import Case, Peer, fresh_each_time
from benchmarks.inputs import side_2d
from benchmarks.region_graph import color_patches, fewer


@cache
def arguments(side, n_labels):
    """Return labels, an image, and the graph that is merged."""
    given = color_patches(side, fewer(side, n_labels))
    graph = segkit.region_graph(**given, channel_axis=-1)
    return {**given, "graph": graph}


def higra_peer(target):
    def prepare(labels, image, graph):
        import higra

        regions = higra.UndirectedGraph(graph.n_regions)
        regions.add_edges(graph.u.astype(np.int64), graph.v.astype(np.int64))
        mean, size = graph.mean, graph.size.astype(np.float64)
        make = higra.binary_partition_tree_ward_linkage
        return fresh_each_time(lambda: make(regions, mean, size))

    return Peer("higra", "higra", prepare, target, finish=lambda result: result[1], note="Ward")


def skimage_peer(target, threshold):
    def prepare(labels, image, graph):
        from skimage.graph import merge_hierarchical, rag_mean_color

        def merge(g, one, two):
            g.nodes[two]["total color"] += g.nodes[one]["total color"]
            g.nodes[two]["pixel count"] += g.nodes[one]["pixel count"]
            g.nodes[two]["mean color"] = g.nodes[two]["total color"] / g.nodes[two]["pixel count"]

        def weigh(g, _, two, other):
            return {"weight": np.linalg.norm(g.nodes[two]["mean color"]
                                             - g.nodes[other]["mean color"])}  # fmt: skip

        def call():
            rag = rag_mean_color(image, labels, connectivity=1)
            return merge_hierarchical(labels, rag, threshold, False, True, merge, weigh)

        return fresh_each_time(call)

    return Peer("scikit-image", "skimage", prepare, target, finish=lambda labels: labels + 1)


def same_merges(tree, altitudes):
    """Return the fraction of merges at which levels agree, ours against twice as much."""
    n = tree.n_regions
    ours, theirs = np.sort(tree.level[n:]), np.sort(altitudes[n:])
    return {"agreement": float(np.mean(np.isclose(ours, theirs, rtol=1e-3)))}


def same_partition(ours, theirs):
    theirs = segkit.relabel(theirs)
    return {
        "agreement": float(np.mean(ours == theirs)),
        "n_ours": int(ours.max()),
        "n_peer": int(theirs.max()),
    }


def whole_tree(n_labels, criterion, peers):
    return Case(
        name=f"merge tree, {criterion}, {n_labels // 1000}k regions",
        input_name="patches on photographs, RGB",
        inputs=lambda size: arguments(side_2d(size), n_labels),
        ours=lambda labels, image, graph: segkit.merge_tree(graph, criterion=criterion),
        peers=peers,
        compare=same_merges,
        small=False,
    )


def to_a_threshold(labels, image, graph):
    return segkit.merge_regions(labels, image, threshold=20, channel_axis=-1)


CASES = [
    whole_tree(1000, "ward", [higra_peer(2.5)]),
    whole_tree(10_000, "ward", [higra_peer(2.5)]),
    whole_tree(100_000, "ward", [higra_peer(2.5)]),
    whole_tree(10_000, "mean", []),
    Case(
        name="merge to a threshold, 10k regions, graph included",
        input_name="patches on photographs, RGB",
        inputs=lambda size: arguments(side_2d(size), 10_000),
        ours=to_a_threshold,
        peers=[skimage_peer(100, 20)],
        compare=same_partition,
        small=False,
    ),
]
