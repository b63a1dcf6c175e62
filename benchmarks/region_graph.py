"""The region graph: edges, contacts, and the mean color of each region."""

from functools import cache

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time
from benchmarks.inputs import side_2d, side_3d


def higra_peer(target):
    def prepare(labels, image):
        import higra

        grid = higra.get_4_adjacency_graph(labels.shape)
        make = higra.make_region_adjacency_graph_from_labelisation
        return fresh_each_time(lambda: make(grid, labels))

    return Peer(
        "higra", "higra", prepare, target, finish=lambda graph: graph.num_edges(),
        note="edges only",
    )  # fmt: skip


def skimage_peer(target):
    def prepare(labels, image):
        from skimage.graph import rag_mean_color

        return fresh_each_time(lambda: rag_mean_color(image, labels, connectivity=1))

    return Peer(
        "scikit-image", "skimage", prepare, target, finish=lambda graph: graph.number_of_edges()
    )


def compare(graph, n_edges):
    low, high = sorted([graph.n_edges, int(n_edges)])
    return {"agreement": low / max(high, 1), "n_ours": graph.n_edges, "n_peer": int(n_edges)}


@cache
def color_patches(side, n_labels):
    """Return connected regions and a color image under them."""
    grey = inputs.mosaic(side)
    image = np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)
    labels = segkit.connected_components(inputs.patches((side, side), n_labels), background=None)
    return {"labels": labels, "image": np.ascontiguousarray(image)}


@cache
def grey_patches(side, n_labels):
    labels = segkit.connected_components(inputs.patches((side,) * 3, n_labels), background=None)
    return {"labels": labels, "image": inputs.volume(side)}


def fewer(side, n_labels):
    """Return as many labels as keep the size of regions on a smaller image."""
    return max(16, n_labels * side * side // 2048**2)


def in_2d(n_labels, peers, **options):
    return Case(
        name=f"region graph, {n_labels // 1000}k regions",
        input_name="patches on photographs, RGB",
        inputs=lambda size: color_patches(side_2d(size), fewer(side_2d(size), n_labels)),
        ours=lambda labels, image: segkit.region_graph(labels, image, channel_axis=-1),
        peers=peers,
        compare=compare,
        **options,
    )


CASES = [
    in_2d(1000, [higra_peer(12)]),
    in_2d(
        10_000, [higra_peer(12), skimage_peer(200)], bytes_limit=1, growth=True,
        large=lambda: color_patches(4096, 10_000),
    ),
    in_2d(100_000, [higra_peer(12)]),
    Case(
        name="region graph, 3-D",
        input_name=f"patches, {inputs.volume_name()}",
        inputs=lambda size: grey_patches(side_3d(size), 4000),
        ours=segkit.region_graph,
        large=lambda: grey_patches(256, 32_000),
        growth=True,
    ),
]  # fmt: skip
