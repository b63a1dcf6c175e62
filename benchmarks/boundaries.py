"""Boundaries of a label image."""

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_values
from benchmarks.inputs import side_2d


def mahotas_peer(target):
    def prepare(labels, mode):
        import mahotas

        return fresh_each_time(lambda: mahotas.borders(labels))

    return Peer("mahotas", "mahotas", prepare, target)


def skimage_peer(target):
    def prepare(labels, mode):
        from skimage.segmentation import find_boundaries

        return fresh_each_time(lambda: find_boundaries(labels, connectivity=1, mode=mode))

    return Peer("scikit-image", "skimage", prepare, target)


def ours(labels, mode):
    return segkit.boundaries(labels, mode=mode)


def case(mode, peers):
    return Case(
        name=f"boundaries, {mode}",
        input_name="4000 patches",
        inputs=lambda size: {"labels": inputs.patches((side_2d(size),) * 2, 4000), "mode": mode},
        ours=ours,
        peers=peers,
        compare=same_values,
    )


CASES = [
    case("thick", [mahotas_peer(8), skimage_peer(None)]),
    case("inner", [skimage_peer(None)]),
    case("outer", [skimage_peer(None)]),
]
