"""Panoptic images: what each pixel is, and which one, in one number, and back.

Run ``python demos/panoptic.py``; the picture goes to demos/out/.  With ``--data FOLDER``
it takes a photograph of CamVid in place of the drawing.
"""

import numpy as np
import sheet
import street
from scipy.ndimage import distance_transform_edt

import segkit
from segkit import metrics, panoptic, plot

THINGS = (street.TREE, street.CAR, street.PERSON)  # what can be counted
SMALLEST = 80  # pixels


def instances_of(classes):
    """Return an instance image: each class of things is cut at its waists."""
    instances = np.zeros(classes.shape, dtype=np.int32)
    for thing in THINGS:
        inside = classes == thing
        distance = distance_transform_edt(inside)
        parts = segkit.watershed(-distance, depth=4, mask=inside)
        parts = segkit.remove_small(parts, SMALLEST)
        instances = np.where(parts > 0, parts + instances.max(), instances)
    return segkit.relabel(instances)


def spread(ids):
    """Return the colors of COCO for ids, spread so that small ids can be told apart."""
    return panoptic.to_coco(ids.astype(np.int64) * 7919 % (1 << 24))


def row(image, classes, heading, remark, truth=None):
    """Return a row of the sheet: classes, instances, both in one image, and back."""
    instances = instances_of(classes)
    ids = panoptic.encode(classes, instances)
    colors = panoptic.to_coco(ids)
    again = panoptic.decode(panoptic.from_coco(colors))
    assert (again.classes == classes).all()
    assert (again.instances == instances).all()
    title = f"{instances.max()} instances"
    if truth is not None:
        quality = metrics.panoptic_quality(instances_of(truth), instances)
        title += f": panoptic quality {quality.pq:.2f}"
    panels = [
        ("classes", plot.overlay(image, classes, alpha=0.6)),
        (title, plot.overlay(image, instances, alpha=0.6)),
        (f"ids {ids.min()} to {ids.max()}, spread over colors", spread(ids)),
        ("and back: cars alone", plot.overlay(image, np.where(
            again.classes == street.CAR, again.instances, 0), alpha=0.7)),
    ]  # fmt: skip
    return heading, remark, panels


def main():
    path, image, truth = street.out_path_and_scene(__doc__.splitlines()[0], "panoptic")
    classes = segkit.CNNSegmenter.pretrained("espnet-camvid").predict(image)
    rows = [
        row(
            image, truth, "Class and instance in one number: panoptic.encode(classes, instances)",
            "id = class * 1000 + instance. Trees, cars and people are cut into instances by a "
            "watershed of the distance to their outline; sky and road have none.",
        ),
        row(
            image, classes, "The same from a network's classes",
            "Panoptic quality asks how many instances overlap a true one by more than half, and "
            "how well. A network that was trained on photographs is not at home in a drawing.",
            truth,
        ),
    ]  # fmt: skip
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
