"""Measures of the regions of a label image."""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case, Peer, fresh_each_time, same_values
from benchmarks.inputs import side_2d


def cc3d_peer(target):
    def prepare(labels, image):
        import cc3d

        return fresh_each_time(lambda: cc3d.statistics(labels.view(np.uint32)))

    return Peer(
        "cc3d", "cc3d", prepare, target, finish=lambda s: s["voxel_counts"][1:], note="no mean"
    )


def diplib_peer(target):
    def prepare(labels, image):
        import diplib as dip

        dip.SetNumberOfThreads(1)
        regions, grey = dip.Image(labels.view(np.uint32)), dip.Image(image)
        features = ["Size", "Mean", "Minimum", "Maximum"]  # the last two are the bounding box
        return fresh_each_time(lambda: dip.MeasurementTool.Measure(regions, grey, features))

    def finish(measurement):
        return np.asarray(measurement["Size"]).ravel()

    return Peer("diplib", "diplib", prepare, target, finish=finish)


def skimage_peer(target):
    def prepare(labels, image):
        from skimage.measure import regionprops_table

        names = ("label", "area", "bbox", "mean_intensity")
        return fresh_each_time(lambda: regionprops_table(labels, image, properties=names))

    return Peer("scikit-image", "skimage", prepare, target, finish=lambda table: table["area"])


def compare(table, areas):
    return same_values(
        np.asarray(table["area"], dtype=np.int64), np.asarray(areas).astype(np.int64)
    )


def ours(labels, image):
    return segkit.regions(labels, image)


def arguments(side):
    return {"labels": inputs.patches((side, side), 10_000), "image": inputs.mosaic(side)}


CASES = [
    Case(
        name="regions, 10 000 labels",
        input_name="patches on photographs",
        inputs=lambda size: arguments(side_2d(size)),
        ours=ours,
        peers=[cc3d_peer(4), diplib_peer(None), skimage_peer(50)],
        compare=compare,
    )
]
