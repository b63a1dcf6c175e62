"""Region growing: from one seed, and many seeds by the running mean of their regions."""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_values
from benchmarks.inputs import side_2d, side_3d


def cv2_peer(target):
    def prepare(image, seed, tolerance):
        import cv2

        rows, cols = image.shape
        flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)

        def call():
            mask = np.zeros((rows + 2, cols + 2), np.uint8)
            cv2.floodFill(image, mask, seed[::-1], 0, tolerance, tolerance, flags)
            return mask

        return fresh_each_time(call)

    return Peer("OpenCV", "cv2", prepare, target, finish=lambda mask: mask[1:-1, 1:-1])


def skimage_peer(target):
    def prepare(image, seed, tolerance):
        from skimage.segmentation import flood

        return fresh_each_time(lambda: flood(image, seed, tolerance=tolerance, connectivity=1))

    return Peer("scikit-image", "skimage", prepare, target)


def itk_peer(target):
    def prepare(image, seed, tolerance):
        import SimpleITK as sitk  # noqa: N813

        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        picture = sitk.GetImageFromArray(image)
        level = int(image[seed])
        at = [int(axis) for axis in seed[::-1]]
        return fresh_each_time(
            lambda: sitk.ConnectedThreshold(picture, [at], level - tolerance, level + tolerance)
        )

    def finish(image):
        import SimpleITK as sitk  # noqa: N813

        return sitk.GetArrayFromImage(image)

    return Peer("SimpleITK", "SimpleITK", prepare, target, finish=finish)


def from_seed(image, seed, tolerance):
    return segkit.region_growing(image, [seed], criterion="seed", tolerance=tolerance)


def seed_of(image):
    """Return the pixel of the median grey level that is nearest to the middle."""
    level = int(np.median(image))
    places = np.argwhere(image == level)
    nearest = np.abs(places - np.array(image.shape) // 2).sum(axis=1).argmin()
    return tuple(int(axis) for axis in places[nearest])


def seeded(image, tolerance):
    return {"image": image, "seed": seed_of(image), "tolerance": tolerance}


def watershed_peer(target):
    def prepare(image, markers):
        from skimage.segmentation import watershed

        return fresh_each_time(lambda: watershed(image, markers))

    return Peer(
        "scikit-image's watershed", "skimage", prepare, target, note="another method, same data"
    )


def by_region(image, markers):
    return segkit.region_growing(image, markers)


def with_markers(image):
    return {"image": image, "markers": inputs.scattered_markers(image.shape)}


CASES = [
    Case(
        name="growing, one seed, 2-D",
        input_name="photographs",
        inputs=lambda size: seeded(inputs.mosaic(side_2d(size)), 60),
        ours=from_seed,
        peers=[cv2_peer(0.95), skimage_peer(10), itk_peer(None)],
        compare=same_values,
        bytes_limit=5,
        large=lambda: seeded(inputs.mosaic(4096), 60),
        growth=True,
    ),
    Case(
        name="growing, one seed, 2-D",
        input_name="blobs",
        inputs=lambda size: seeded(inputs.blobs((side_2d(size),) * 2), 25),
        ours=from_seed,
        peers=[cv2_peer(0.95), skimage_peer(10)],
        compare=same_values,
    ),
    Case(
        name="growing, one seed, 2-D",
        input_name="constant",
        inputs=lambda size: seeded(np.zeros((side_2d(size),) * 2, np.uint8), 1),
        ours=from_seed,
        peers=[cv2_peer(None), skimage_peer(None)],
        compare=same_values,
    ),
    Case(
        name="growing, one seed, 2-D",
        input_name="spiral",
        inputs=lambda size: {
            "image": inputs.spiral(side_2d(size)),
            "seed": (0, 0),
            "tolerance": 0,
        },
        ours=from_seed,
        peers=[cv2_peer(None), skimage_peer(None)],
        compare=same_values,
    ),
    Case(
        name="growing, one seed, 3-D",
        input_name=inputs.volume_name(),
        inputs=lambda size: seeded(inputs.volume(side_3d(size)), 40),
        ours=from_seed,
        peers=[skimage_peer(10), itk_peer(None)],
        compare=same_values,
    ),
    Case(
        name="growing, region, 2-D uint8",
        input_name="photographs",
        inputs=lambda size: with_markers(inputs.mosaic(side_2d(size))),
        ours=by_region,
        peers=[watershed_peer(4)],
        bytes_limit=13,
        large=lambda: with_markers(inputs.mosaic(4096)),
        growth=True,
    ),
]
