"""Pipelines for tasks: round things, cells between membranes, what a few strokes mark.

Run ``python demos/tasks.py``; the picture goes to demos/out/.
"""

import cv2
import numpy as np
import sheet
from skimage import data

import segkit
from segkit import plot
from segkit._recipes import dark_lines

SIDE = 200  # pixels of the drawn pictures


def distances(n, rng):
    """Return the distance of each pixel to n scattered points, (SIDE, SIDE, n)."""
    generator = np.random.default_rng(rng)
    points = []
    while len(points) < n:
        point = generator.uniform(0, SIDE, 2)
        if all(np.hypot(*(point - other)) > 0.6 * SIDE / np.sqrt(n) for other in points):
            points.append(point)
    rows, columns = np.indices((SIDE, SIDE))
    return np.stack([np.hypot(rows - r, columns - c) for r, c in points], axis=-1)


def noisy(image, spread):
    """Return an image with noise, in 8 bits."""
    noise = np.random.default_rng(0).normal(0, spread, image.shape)
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def nuclei():
    """Find round things: bright, dark or stained."""
    distance = distances(45, 1)
    inside = distance.min(axis=-1) < 13
    light = np.random.default_rng(2).uniform(0.25, 1, distance.shape[-1])[distance.argmin(axis=-1)]
    share = np.where(inside, light, 0)[..., np.newaxis]
    stained = noisy((1 - share) * (235, 205, 225) + share * (80, 45, 140), 6)
    sky = data.hubble_deep_field()[430:730, 300:600]
    found = [segkit.segment(image, "nuclei", channel_axis=-1) for image in (stained, sky)]
    return (
        'Round things on a ground: segment(image, "nuclei")',
        "Dark or bright, of any size; each is outlined halfway between the ground and its own "
        "light, and parted from those it touches.",
        [
            ("drawn: stained, some much fainter", stained),
            (f"{found[0].max()} found", plot.overlay(stained, found[0], alpha=0.5)),
            ("the Hubble deep field", sky),
            (f"{found[1].max()} found", plot.overlay(sky, found[1], alpha=0.5)),
        ],
    )


def membranes():
    """Find cells between dark lines, some of which fade."""
    distance = np.sort(distances(28, 3), axis=-1)
    wall = np.exp(-(((distance[..., 1] - distance[..., 0]) / 5) ** 2))
    fades = np.clip(1.25 - np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 46 / 8, 0.25, 1)
    image = noisy(190 - 140 * wall * (1.25 - fades), 20)
    valleys = segkit.segment(image, "watershed")
    cells = segkit.segment(image, "membranes")
    walls = np.clip(2.5 * dark_lines(image, 3.5, 10), 0, 255).astype(np.uint8)
    return (
        'Cells between dark membranes: segment(image, "membranes")',
        "Filters that are long in one direction see a line also where it fades for a while. "
        "They are added to the darkness, and the sum is flooded.",
        [
            ("drawn: lines that fade, and noise", image),
            ("how much each pixel is on a line", walls),
            (f'"membranes": {cells.max()} cells', plot.overlay(image, cells, alpha=0.5)),
            (f'"watershed": {valleys.max()} regions', plot.overlay(image, valleys, alpha=0.5)),
        ],
    )


def scribbles():
    """Cut out what strokes mark."""
    photo = data.astronaut()
    strokes = np.zeros(photo.shape[:2], dtype=np.uint8)
    cv2.polylines(strokes, [np.array([(215, 60), (215, 200), (200, 500)])], False, 1, 5)
    cv2.polylines(strokes, [np.array([(110, 310), (300, 300)])], False, 1, 5)
    for line in ([(60, 20), (60, 120)], [(300, 20), (480, 20)], [(340, 100), (345, 290)],
                 [(480, 200), (480, 300)], [(20, 140), (20, 330)]):  # fmt: skip
        cv2.polylines(strokes, [np.array(line)], False, 2, 5)
    marked = photo.copy()
    marked[strokes == 1], marked[strokes == 2] = (60, 255, 60), (255, 60, 60)
    panels = [("green: this; red: not this", marked)]
    for method in ("growing", "marker_watershed", "scribbles"):
        found = segkit.segment(photo, method, markers=strokes, channel_axis=-1)
        cut = np.where((found == 1)[..., np.newaxis], photo, (photo // 5 + 200).astype(np.uint8))
        panels.append((f'"{method}"', cut))
    return (
        'A few strokes: segment(image, "scribbles", markers=strokes)',
        "Region growing looks at color alone, the watershed at edges alone; a random walk over "
        "the basins of a watershed looks at both.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "tasks")
    sheet.save(sheet.draw_sheet([nuclei(), membranes(), scribbles()]), path)


if __name__ == "__main__":
    main()
