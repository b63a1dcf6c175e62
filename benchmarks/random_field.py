"""Random fields: cuts of two classes, expansions of eleven, and ICM."""

from functools import cache

import numpy as np

import segkit
from benchmarks.harness import Case, Peer, fresh_each_time, same_labels
from benchmarks.inputs import mosaic, side_2d, side_3d, volume

N_CLASSES = 11


@cache
def two_classes(shape_2d, side):
    """Return an image with noise, and how probable each of its pixels is dark or bright."""
    image = mosaic(side) if shape_2d else volume(side)
    noise = np.random.default_rng(0).normal(scale=40, size=image.shape)
    bright = 1 / (1 + np.exp(-(image + noise - 128) / 30))
    return {"image": image, "proba": np.stack([1 - bright, bright], axis=-1)}


@cache
def two_seeds(side):
    """Return a photograph where nothing is known but a block in the middle and the rim."""
    proba = np.full((side, side, 2), 0.5)
    block = slice(2 * side // 5, 3 * side // 5)
    proba[block, block] = 0, 1
    for rim in (0, -1):
        proba[rim] = proba[:, rim] = 1, 0
    return {"image": mosaic(side), "proba": proba}


@cache
def eleven_classes(side):
    """Return an image, and how probable each of its pixels is in one of eleven gray levels."""
    image = mosaic(side)
    levels = np.linspace(0, 255, N_CLASSES)
    noise = np.random.default_rng(0).normal(scale=25, size=image.shape)
    distance = (image + noise)[..., np.newaxis] - levels
    proba = np.exp(-0.5 * (distance / 30) ** 2)
    return {"image": image, "proba": proba / proba.sum(axis=-1, keepdims=True)}


def regularize(solver):
    return lambda image, proba: segkit.regularize(proba, beta=1, solver=solver)


def costs_of(proba):
    """Return our costs and the cost of an edge as whole numbers, for the peer."""
    return np.rint(-np.log(np.maximum(proba, 1e-3)) * 2**16), 2**16


def maxflow_peer(target):
    """The cut alone, from costs that are there already."""

    def prepare(image, proba):
        import maxflow

        costs, edge = costs_of(proba)
        costs = np.ascontiguousarray(np.moveaxis(costs, -1, 0), dtype=np.int64)

        def call():
            graph = maxflow.GraphInt(image.size, 2 * image.ndim * image.size)
            nodes = graph.add_grid_nodes(image.shape)
            graph.add_grid_edges(nodes, edge, symmetric=True)
            graph.add_grid_tedges(nodes, costs[1], costs[0])
            graph.maxflow()
            return graph.get_grid_segments(nodes)

        return fresh_each_time(call)

    return Peer("PyMaxflow", "maxflow", prepare, target, finish=lambda found: np.where(found, 2, 1))


def expansion_peer(target):
    def prepare(image, proba):
        from maxflow.fastmin import aexpansion_grid

        costs, edge = costs_of(proba)
        potts = edge * (1.0 - np.eye(N_CLASSES))
        start = costs.argmin(axis=-1)

        def fresh():
            labels = start.copy()
            return lambda: aexpansion_grid(costs, potts, labels=labels)

        return fresh

    return Peer("PyMaxflow", "maxflow", prepare, target, finish=lambda found: found + 1)


def case(name, input_name, solver, inputs, *peers):
    return Case(
        name=name,
        input_name=input_name,
        inputs=inputs,
        ours=regularize(solver),
        peers=list(peers),
        compare=same_labels,
        small=False,
    )


NOISY = "photographs with noise"
CASES = [
    case(
        "graph cut, 2 classes, 2-D", NOISY, "graph_cut",
        lambda size: two_classes(True, min(side_2d(size), 1024)), maxflow_peer(1.0),
    ),
    case(
        "graph cut between two seeds, 2-D", "unknown all between", "graph_cut",
        lambda size: two_seeds(min(side_2d(size), 1024)), maxflow_peer(None),
    ),
    case(
        "graph cut, 2 classes, 3-D", "volume with noise", "graph_cut",
        lambda size: two_classes(False, side_3d(size)), maxflow_peer(1.0),
    ),
    case(
        "graph cut, 11 classes, 2-D", NOISY, "graph_cut",
        lambda size: eleven_classes(min(side_2d(size), 416)), expansion_peer(1.0),
    ),
    case(
        "ICM, 11 classes, 2-D", NOISY, "icm",
        lambda size: eleven_classes(min(side_2d(size), 1024)),
    ),
]  # fmt: skip
