"""Connected components: many values, and with a tolerance."""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_partition
from benchmarks.inputs import side_2d, side_3d


def cc3d_peer(target):
    def prepare(image, tolerance):
        import cc3d

        options = {"connectivity": 4 if image.ndim == 2 else 6, "out_dtype": np.uint32}
        if tolerance:
            options["delta"] = tolerance
        return fresh_each_time(lambda: cc3d.connected_components(image, **options))

    return Peer("cc3d", "cc3d", prepare, target)


def skimage_peer(target):
    def prepare(image, tolerance):
        from skimage.measure import label

        return fresh_each_time(lambda: label(image, background=0, connectivity=1))

    return Peer("scikit-image", "skimage", prepare, target)


def ours(image, tolerance):
    return segkit.connected_components(image, tolerance=tolerance)


def case(name, input_name, make, *, tolerance=0, peers, limit=None, large=None, growth=False):
    return Case(
        name=name,
        input_name=input_name,
        inputs=lambda size: {"image": make(size), "tolerance": tolerance},
        ours=ours,
        peers=peers,
        compare=same_partition,
        bytes_limit=limit,
        large=None if large is None else lambda: {"image": large(), "tolerance": tolerance},
        growth=growth,
    )


def mosaic(size):
    return np.maximum(inputs.mosaic(side_2d(size)), 1)  # 0 is background to all of them


def coarse(size):
    return inputs.mosaic(side_2d(size)) // 32 + 1


def coarse_large():
    return inputs.mosaic(4096) // 32 + 1


def mosaic_large():
    return np.maximum(inputs.mosaic(4096), 1)


def volume(size):
    return inputs.volume(side_3d(size)) // 32 + 1


def fine_volume(size):
    return np.maximum(inputs.volume(side_3d(size)), 1)


VOLUME = inputs.volume_name()
CASES = [
    case(
        "components, many values, 2-D",
        "photographs, 8 levels",
        coarse,
        peers=[cc3d_peer(0.95), skimage_peer(2.5)],
        limit=5,
        large=coarse_large,
        growth=True,
    ),
    case(
        "components, many values, 2-D",
        "photographs, 255 levels",
        mosaic,
        peers=[cc3d_peer(0.95), skimage_peer(2.5)],
        limit=5,
        large=mosaic_large,
    ),
    case(
        "components, many values, 2-D",
        "patches",
        lambda size: inputs.patches((side_2d(size),) * 2, 4000),
        peers=[cc3d_peer(0.95), skimage_peer(2.5)],
    ),
    case(
        "components, many values, 3-D",
        f"{VOLUME}, 8 levels",
        volume,
        peers=[cc3d_peer(0.95), skimage_peer(2.5)],
    ),
    case(
        "components, many values, 3-D",
        f"{VOLUME}, 255 levels",
        fine_volume,
        peers=[cc3d_peer(0.95), skimage_peer(2.5)],
    ),
    case(
        "components, tolerance 5, 2-D",
        "photographs",
        mosaic,
        tolerance=5,
        peers=[cc3d_peer(1.5)],
        limit=5,
        large=mosaic_large,
        growth=True,
    ),
    case("components, tolerance 5, 3-D", VOLUME, fine_volume, tolerance=5, peers=[cc3d_peer(2)]),
    case(
        "components, many values, 2-D",
        "noise",
        lambda size: inputs.noise((side_2d(size),) * 2) // 64 + 1,
        peers=[cc3d_peer(None)],
    ),
    case(
        "components, many values, 2-D",
        "constant",
        lambda size: np.ones((side_2d(size),) * 2, np.uint8),
        peers=[cc3d_peer(None)],
    ),
    case(
        "components, many values, 2-D",
        "spiral",
        lambda size: inputs.spiral(side_2d(size)) + 1,
        peers=[cc3d_peer(None)],
    ),
]
