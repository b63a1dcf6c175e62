"""Quadtrees to labels, beside a plain recursion in NumPy: no library has one."""

from dataclasses import replace

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_partition
from benchmarks.inputs import side_2d, side_3d


def plain_range(values):
    return int(values.max()) - int(values.min())


def plain_std(values):
    return values.std()


def plain(measure):
    """Return a recursion over views of the image, as one would write it."""

    def prepare(image, threshold):
        root = 1 << (max(image.shape) - 1).bit_length()

        def split(labels, count, corner, side):
            box = tuple(slice(at, at + side) for at in corner)
            block = image[box]
            if block.size == 0:
                return count
            if side == 1 or measure(block) <= threshold:
                labels[box] = count + 1
                return count + 1
            half = side // 2
            for part in np.ndindex((2,) * image.ndim):
                first = tuple(at + half * step for at, step in zip(corner, part, strict=True))
                count = split(labels, count, first, half)
            return count

        def call():
            labels = np.zeros(image.shape, np.int32)
            split(labels, 0, (0,) * image.ndim, root)
            return labels

        return fresh_each_time(call)

    return [Peer("NumPy recursion", "numpy", prepare, 60)]


def by_range(image, threshold):
    return segkit.quadtree(image, threshold=threshold).labels()


def by_deviation(image, threshold):
    return segkit.quadtree(image, threshold=threshold, criterion="std").labels()


def of(image, threshold):
    return {"image": image, "threshold": threshold}


def leaves(image, threshold):
    """Return an image and its tree."""
    return {"image": image, "tree": segkit.quadtree(image, threshold=threshold, criterion="std")}


def graph_of(image, tree):
    """Return the graph of a tree that has not been asked for anything else yet."""
    return replace(tree).graph(image)


def through_pixels():
    """Return the way to the same graph that does not know of boxes."""

    def prepare(image, tree):
        return fresh_each_time(lambda: segkit.region_graph(replace(tree).labels(), image))

    return [Peer("region_graph", "numpy", prepare, 2, finish=lambda graph: graph.n_edges)]


def same_edges(graph, n_edges):
    count = int(n_edges)
    return {"agreement": float(graph.n_edges == count), "n_ours": graph.n_edges, "n_peer": count}


CASES = [
    Case(
        name="quadtree, range, 2-D uint8",
        input_name="photographs",
        inputs=lambda size: of(inputs.mosaic(side_2d(size)), 60),
        ours=by_range,
        peers=plain(plain_range),
        compare=same_partition,
        bytes_limit=12,
        large=lambda: of(inputs.mosaic(4096), 60),
        growth=True,
    ),
    Case(
        name="quadtree, std, 2-D uint8",
        input_name="photographs",
        inputs=lambda size: of(inputs.mosaic(side_2d(size)), 20),
        ours=by_deviation,
        peers=plain(plain_std),
        compare=same_partition,
        bytes_limit=14,
        large=lambda: of(inputs.mosaic(4096), 20),
        growth=True,
    ),
    Case(
        name="quadtree, std, 2-D float32",
        input_name="photographs",
        inputs=lambda size: of(inputs.mosaic(side_2d(size)).astype(np.float32), 20),
        ours=by_deviation,
        peers=plain(plain_std),
        compare=same_partition,
    ),
    Case(
        name="quadtree, range, 3-D uint8",
        input_name=inputs.volume_name(),
        inputs=lambda size: of(inputs.volume(side_3d(size)), 60),
        ours=by_range,
        peers=plain(plain_range),
        compare=same_partition,
        large=lambda: of(inputs.volume(256), 60),
        growth=True,
    ),
    Case(
        name="graph of a quadtree, 2-D uint8",
        input_name="photographs",
        inputs=lambda size: leaves(inputs.mosaic(side_2d(size)), 20),
        ours=graph_of,
        peers=through_pixels(),
        compare=same_edges,
        small=False,
    ),
    Case(
        name="graph of an octree, 3-D uint8",
        input_name=inputs.volume_name(),
        inputs=lambda size: leaves(inputs.volume(side_3d(size)), 20),
        ours=graph_of,
        peers=through_pixels(),
        compare=same_edges,
        small=False,
    ),
    Case(
        name="quadtree, range, 2-D uint8",
        input_name="noise",
        inputs=lambda size: of(inputs.noise((side_2d(size),) * 2), 20),
        ours=by_range,
        peers=plain(plain_range),
        compare=same_partition,
    ),
]
