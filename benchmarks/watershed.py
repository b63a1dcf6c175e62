"""Watershed: from markers and from all minima, 2-D and 3-D, 8 bits and float."""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_labels, same_partition
from benchmarks.inputs import side_2d, side_3d


def skimage_peer(target):
    def prepare(relief, markers=None):
        from skimage.segmentation import watershed

        return fresh_each_time(lambda: watershed(relief, markers))

    return Peer("scikit-image", "skimage", prepare, target)


def itk_peer(target):
    def prepare(relief, markers):
        import SimpleITK as sitk  # noqa: N813

        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        image = sitk.GetImageFromArray(relief)
        seeds = sitk.GetImageFromArray(markers.astype(np.uint32))
        return fresh_each_time(
            lambda: sitk.MorphologicalWatershedFromMarkers(image, seeds, markWatershedLine=False)
        )

    return Peer("SimpleITK", "SimpleITK", prepare, target, finish=itk_array)


def itk_minima_peer(target):
    def prepare(relief):
        import SimpleITK as sitk  # noqa: N813

        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        image = sitk.GetImageFromArray(relief)
        return fresh_each_time(
            lambda: sitk.MorphologicalWatershed(image, level=0, markWatershedLine=False)
        )

    return Peer("SimpleITK", "SimpleITK", prepare, target, finish=itk_array)


def itk_array(image):
    import SimpleITK as sitk  # noqa: N813

    return sitk.GetArrayFromImage(image)


def cv2_peer(target):
    def prepare(relief, markers):
        import cv2

        color = np.ascontiguousarray(np.repeat(relief[..., np.newaxis], 3, axis=-1))

        def fresh():
            seeds = markers.copy()  # overwritten
            return lambda: cv2.watershed(color, seeds)

        return fresh

    return Peer("OpenCV", "cv2", prepare, target, note="other flooding rule, lines of -1")


def diplib_peer(target, *, seeded):
    def prepare(relief, markers=None):
        import diplib as dip

        dip.SetNumberOfThreads(1)
        image = dip.Image(relief)
        options = {"connectivity": 1, "maxDepth": 0, "maxSize": 0}
        if seeded:
            seeds = dip.Image(markers.astype(np.uint32))
            options["flags"] = {"labels", "no gaps"}
            return fresh_each_time(lambda: dip.SeededWatershed(image, seeds, **options))
        return fresh_each_time(lambda: dip.Watershed(image, flags={"labels"}, **options))

    note = "" if seeded else "leaves lines between basins"
    return Peer("diplib", "diplib", prepare, target, note=note)


def relief_2d(dtype, side):
    return inputs.slope(inputs.mosaic(side), dtype)


def relief_3d(dtype, side):
    return inputs.slope(inputs.volume(side), dtype)


def with_markers(relief):
    return {"relief": relief, "markers": inputs.scattered_markers(relief.shape)}


def from_markers(relief, markers):
    return segkit.watershed(relief, markers)


def from_minima(relief):
    return segkit.watershed(relief)


def marker_case(dtype, ndim, peers, *, limit=None):
    make, side = (relief_2d, side_2d) if ndim == 2 else (relief_3d, side_3d)
    return Case(
        name=f"watershed, markers, {ndim}-D {dtype}",
        input_name="slope of photographs" if ndim == 2 else f"slope of {inputs.volume_name()}",
        inputs=lambda size: with_markers(make(dtype, side(size))),
        ours=from_markers,
        peers=peers,
        compare=same_labels,
        bytes_limit=limit,
        large=(lambda: with_markers(make(dtype, 4096))) if ndim == 2 else None,
        growth=ndim == 2,
    )


def minima_case(dtype, target, *, limit=None):
    return Case(
        name=f"watershed, all minima, 2-D {dtype}",
        input_name="slope of photographs",
        inputs=lambda size: {"relief": relief_2d(dtype, side_2d(size))},
        ours=from_minima,
        peers=[diplib_peer(target, seeded=False), itk_minima_peer(None), skimage_peer(None)],
        compare=same_partition,
        bytes_limit=limit,
        large=lambda: {"relief": relief_2d(dtype, 4096)},
    )


def content_case(name, image):
    """Make a case without a target: what another kind of image does to the time."""
    return Case(
        name="watershed, markers, 2-D uint8",
        input_name=name,
        inputs=lambda size: with_markers(image(side_2d(size))),
        ours=from_markers,
        peers=[itk_peer(None), skimage_peer(None)],
        compare=same_labels,
    )


CASES = [
    marker_case(
        "uint8",
        2,
        [itk_peer(4), cv2_peer(3), skimage_peer(15), diplib_peer(None, seeded=True)],
        limit=12,
    ),
    marker_case(
        "float32",
        2,
        [itk_peer(2), skimage_peer(5), diplib_peer(None, seeded=True)],
        limit=28,
    ),
    marker_case("uint8", 3, [itk_peer(6), skimage_peer(15)]),
    marker_case("float32", 3, [skimage_peer(5), itk_peer(None)]),
    minima_case("uint8", 2.5, limit=12),
    minima_case("float32", 2, limit=28),
    content_case("photographs", inputs.mosaic),
    content_case("noise", lambda side: inputs.noise((side, side))),
    content_case("blobs", lambda side: inputs.blobs((side, side))),
    content_case("constant", lambda side: np.zeros((side, side), np.uint8)),
    content_case("spiral", inputs.spiral),
]
