"""Renumbering of a label image."""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_labels, same_partition
from benchmarks.inputs import side_2d


def fastremap_peer(target):
    def prepare(labels):
        import fastremap

        return fresh_each_time(lambda: fastremap.renumber(labels, in_place=False)[0])

    return Peer("fastremap", "fastremap", prepare, target)


def skimage_peer(target):
    def prepare(labels):
        from skimage.segmentation import relabel_sequential

        return fresh_each_time(lambda: relabel_sequential(labels)[0])

    return Peer("scikit-image", "skimage", prepare, target, note="numbers by id, not by place")


def case(name, make, peers, compare=same_labels):
    return Case(
        name="relabel",
        input_name=name,
        inputs=lambda size: {"labels": make(inputs.patches((side_2d(size),) * 2, 4000))},
        ours=lambda labels: segkit.relabel(labels),
        peers=peers,
        compare=compare,
    )


CASES = [
    case(
        "sparse int64 ids",
        lambda labels: inputs.sparse_ids(labels, np.int64),
        [fastremap_peer(0.95)],
    ),
    case(
        "sparse int32 ids",
        lambda labels: inputs.sparse_ids(labels, np.int32),
        [fastremap_peer(0.95)],
    ),
    case(
        "ids up to 65535",
        lambda labels: inputs.sparse_ids(labels, np.uint16),
        [skimage_peer(5)],
        same_partition,
    ),
]
