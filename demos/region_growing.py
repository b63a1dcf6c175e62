"""Region growing on a photograph: stages, criteria, tolerance, seeds, and how it goes wrong.

Run ``python demos/region_growing.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet
from scipy.ndimage import gaussian_filter
from skimage import data

import segkit
from segkit import plot

POINTS = [(60, 60), (300, 90), (160, 225), (440, 440), (175, 420), (480, 110)]
PLACES = "sky, coat, face, lawn, tower, lawn behind the coat"


def dotted(picture, points, size=5):
    """Return an RGB picture with a dot on each point: dark rim, light core."""
    picture = plot.as_rgb(picture).copy()
    rows, columns = np.indices(picture.shape[:2])
    for row, column in points:
        distance = np.hypot(rows - row, columns - column)
        picture[distance < size + 2] = 20
        picture[distance < size] = (255, 221, 87)
    return picture


def tinted(image, labels, points=()):
    """Return the regions over the image, and the seeds as dots."""
    return dotted(plot.overlay(image, labels, alpha=0.5), points)


def points_of(markers):
    """Return a point of each marker."""
    _, first = np.unique(markers, return_index=True)
    flat = [place for place in first if markers.flat[place]]
    return np.transpose(np.unravel_index(flat, markers.shape))


def stages(image):
    """Stop the growing after so many pixels."""
    panels = []
    for share in (0.04, 0.20, 0.50, 1.0):
        labels = segkit.region_growing(image, POINTS, max_steps=int(share * image.size))
        panels.append((f"after {share:.0%} of the pixels", tinted(image, labels, POINTS)))
    return (
        "Stages of growing",
        "criterion='region': of all pixels at the rims, the one most like its region joins next. "
        f"Six seeds by hand: {PLACES}.",
        panels,
    )


def criteria(image):
    """Give the same seeds to the four criteria."""
    panels = []
    for title, options in (
        ("'neighbor', tolerance=2", {"criterion": "neighbor", "tolerance": 2}),
        ("'seed', tolerance=25", {"criterion": "seed", "tolerance": 25}),
        ("'region', tolerance=25", {"criterion": "region", "tolerance": 25}),
        ("'confidence', multiplier=3", {"criterion": "confidence", "multiplier": 3}),
    ):
        labels = segkit.region_growing(image, POINTS, **options)
        panels.append((title, tinted(image, labels, POINTS)))
    return (
        "The criterion",
        "Like the pixel it is reached from; like the seed; like the region's mean so far; "
        "within 3 deviations of the region's mean. Untinted pixels qualified for no region.",
        panels,
    )


def tolerances(image):
    """Widen the tolerance around the same seeds."""
    panels = []
    for tolerance in (5, 15, 30, 60):
        labels = segkit.region_growing(image, POINTS, criterion="seed", tolerance=tolerance)
        panels.append(
            (f"tolerance={tolerance}: {np.mean(labels > 0):.0%} labelled", tinted(image, labels))
        )
    return (
        "The tolerance",
        "criterion='seed'. Too narrow, and regions have holes; too wide, and the first to arrive "
        "takes what belongs to others.",
        panels,
    )


def seeds(image):
    """Set the seeds by hand, in flat places, at random, or not at all."""
    flat = segkit.find_seeds(image, min_distance=70)
    random = segkit.find_seeds(image, n_seeds=flat.max(), method="random", rng=1)
    panels = [("6 seeds by hand", tinted(image, segkit.region_growing(image, POINTS), POINTS))]
    for title, markers in (("flat", flat), ("random", random)):
        labels = segkit.region_growing(image, markers)
        panels.append((f"{markers.max()} {title} seeds", tinted(image, labels, points_of(markers))))
    labels = segkit.region_growing(image, tolerance=25, min_size=100)
    panels.append((f"no seeds, tolerance=25: {labels.max()} regions", tinted(image, labels)))
    return (
        "The seeds",
        "criterion='region'. Every region starts from a seed, so a thing without a seed falls to "
        "its neighbors; random seeds land on edges. Without seeds the tolerance decides.",
        panels,
    )


def leak():
    """Part two areas by a wall that fades into a gradient."""
    columns = np.arange(160)
    image = np.empty((120, 160))
    for row in range(120):
        width = 1 + 0.55 * row
        image[row] = 60 + 130 / (1 + np.exp(-(columns - 80) / (width / 6)))
    image = image.astype(np.float32)
    start = [(100, 20)]
    panels = [("sharp above, soft below; one seed", dotted(image.astype(np.uint8), start, 2))]
    for title, options in (
        ("'neighbor', tolerance=6: leaks", {"criterion": "neighbor", "tolerance": 6}),
        ("'seed', tolerance=40: holds", {"criterion": "seed", "tolerance": 40}),
        ("'region', tolerance=40: holds", {"criterion": "region", "tolerance": 40}),
    ):
        labels = segkit.region_growing(image, start, **options)
        picture = plot.overlay(image.astype(np.uint8), labels, alpha=0.5)
        panels.append((title, dotted(picture, start, 2)))
    return (
        "The leak",
        "A local criterion only sees one step at a time: through the soft part of the border every "
        "step is small, and the region flows into the other half.",
        panels,
    )


def noise():
    """Grow in noise, then in the same image smoothed."""
    generator = np.random.default_rng(0)
    rows, columns = np.indices((120, 160))
    clean = np.where(np.hypot(rows - 60, columns - 80) < 42, 150.0, 90.0)
    noisy = np.clip(clean + generator.normal(0, 22, clean.shape), 0, 255).astype(np.uint8)
    smooth = gaussian_filter(noisy.astype(np.float32), 2)
    start = [(60, 80)]
    panels = [("a disc in noise; one seed", dotted(noisy, start, 2))]
    for title, image, options in (
        ("'neighbor', tolerance=40: leaks", noisy, {"criterion": "neighbor", "tolerance": 40}),
        ("'seed', tolerance=25: holes", noisy, {"criterion": "seed", "tolerance": 25}),
        ("smoothed first: 'seed', tolerance=25", smooth, {"criterion": "seed", "tolerance": 25}),
    ):
        labels = segkit.region_growing(image, start, **options)
        picture = plot.overlay(np.asarray(image).astype(np.uint8), labels, alpha=0.5)
        panels.append((title, dotted(picture, start, 2)))
    return (
        "The noise",
        "Each pixel is judged alone. In noise a wide enough tolerance leaks, a narrow one leaves "
        "holes; smooth the image first.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "region_growing")
    image = gaussian_filter(data.camera().astype(np.float32), 1.0).astype(np.uint8)
    rows = [stages(image), criteria(image), tolerances(image), seeds(image), leak(), noise()]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
