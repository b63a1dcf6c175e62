"""The hierarchical watershed, from a relief to the tree of its basins."""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time
from benchmarks.inputs import side_2d

PEERS = {"depth": "dynamics", "area": "area", "volume": "volume"}  # higra's words


def photographs(size):
    """Return 1 megapixel at most: the peer takes its time."""
    return inputs.mosaic(min(side_2d(size), 1024))


def higra_peer(attribute):
    def prepare(relief):
        import higra

        make = getattr(higra, f"watershed_hierarchy_by_{PEERS[attribute]}")

        def call():
            grid = higra.get_4_adjacency_graph(relief.shape)
            weights = higra.weight_graph(grid, relief, higra.WeightFunction.max)
            return make(grid, weights)

        return fresh_each_time(call)

    return Peer(
        "higra", "higra", prepare, finish=lambda result: np.count_nonzero(result[1]) + 1,
        note="minima of edges, not of pixels: other basins where these are single pixels",
    )  # fmt: skip


def compare(ours, n_basins):
    return {"n_ours": int(ours.labels.max()), "n_peer": int(n_basins)}


def by(attribute):
    return Case(
        name=f"watershed tree, {attribute}, 2-D uint8",
        input_name="slope of photographs",
        inputs=lambda size: {"relief": inputs.slope(photographs(size), np.uint8)},
        ours=lambda relief: segkit.watershed_tree(relief, attribute=attribute),
        peers=[higra_peer(attribute)],
        compare=compare,
    )


CASES = [by(attribute) for attribute in PEERS]
