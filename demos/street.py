"""A street that is drawn, for networks that know streets, and its classes.

Photographs of CamVid may not be passed on; demos take them with ``--data``, and this
drawing without.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter
from skimage import data

from segkit import datasets

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PERSON, BICYCLE = range(1, 12)
SHAPE = (360, 480)


def out_path_and_scene(description, name):
    """Return where the picture goes, and an image with its classes: --data, or the drawing."""
    parser = argparse.ArgumentParser(description=description)
    default = Path(__file__).resolve().parent / "out" / f"{name}.png"
    parser.add_argument("--out", type=Path, default=default, help=f"default: demos/out/{name}.png")
    parser.add_argument("--data", type=Path, help="folder of CamVid, or the one that holds it")
    parser.add_argument("--image", default="Seq05VD_f01710", help="which of its test images")
    given = parser.parse_args()
    if given.data is None:
        return given.out, *draw()
    item = datasets.open("camvid", given.data)[given.image]
    return given.out, item.image, item.truth


def texture(picture, scale, seed):
    """Return a texture around 0 that fills the scene."""
    rows, columns = SHAPE
    start = np.random.default_rng(seed).integers(0, 60, 2)
    tile = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.tile(tile, (2 + rows // tile.shape[0] + 1, 2 + columns // tile.shape[1] + 1))
    tile = tile[start[0] : start[0] + rows, start[1] : start[1] + columns].astype(float)
    return tile - tile.mean()


class Scene:
    """A picture and its classes, painted from far to near."""

    def __init__(self):
        self.image = np.zeros((*SHAPE, 3))
        self.classes = np.zeros(SHAPE, dtype=np.int32)

    def paint(self, inside, name, color, grain=0.0):
        """Paint where `inside`, with a grain around the color."""
        inside = inside & np.ones(SHAPE, dtype=bool)
        grain = np.broadcast_to(np.asarray(grain)[..., np.newaxis], (*SHAPE, 3))
        self.image[inside] = (np.asarray(color, float) + grain)[inside]
        if name is not None:
            self.classes[inside] = name

    def polygon(self, points, name, color, grain=0.0):
        """Paint a polygon of (column, row) points."""
        inside = np.zeros(SHAPE, dtype=np.uint8)
        cv2.fillPoly(inside, [np.array(points, dtype=np.int32)], 1)
        self.paint(inside > 0, name, color, grain)


def draw():
    """Return a street as a camera in a car sees it, and its classes."""
    scene = Scene()
    rows, columns = np.indices(SHAPE)
    rng = np.random.default_rng(0)
    bricks = texture(data.brick(), 0.22, 1)
    leaves = texture(data.grass(), 0.6, 2)
    gravel = texture(data.gravel(), 0.5, 3)
    clouds = gaussian_filter(rng.normal(size=SHAPE), 30) * 150
    scene.paint(rows >= 0, SKY, (238, 243, 247), clouds + rows * 0.05)

    # Houses along both sides, towards a point at (240, 165)
    scene.polygon([(0, 0), (95, 60), (165, 128), (190, 165), (190, 185), (0, 260)],
                  BUILDING, (104, 78, 64), 0.35 * bricks)  # fmt: skip
    scene.polygon([(480, 10), (385, 70), (330, 120), (292, 150), (292, 182), (480, 250)],
                  BUILDING, (112, 102, 88), 0.35 * bricks)  # fmt: skip
    scene.polygon([(190, 140), (292, 140), (292, 180), (190, 180)], BUILDING, (120, 110, 102),
                  0.3 * bricks)  # fmt: skip
    for left, (near, far) in ((True, (0, 170)), (False, (480, 310))):
        for share in np.linspace(0.08, 0.88, 7):
            column = near + (far - near) * share
            size = 26 * (1 - share) + 3
            for story in range(3):
                top = 165 - (165 - 40) * (1 - share) * (0.75 - 0.33 * story)
                scene.polygon(
                    [(column, top), (column + size * (0.6 if left else -0.6), top + 0.1 * size),
                     (column + size * (0.6 if left else -0.6), top + size), (column, top + size)],
                    None, (62, 68, 76),
                )  # fmt: skip
    scene.polygon([(0, 258), (190, 182), (292, 182), (480, 248), (480, 360), (0, 360)],
                  PAVEMENT, (146, 138, 134), 0.06 * gravel)  # fmt: skip
    scene.polygon([(228, 180), (262, 180), (520, 360), (-60, 360)],
                  ROAD, (78, 76, 84), 0.07 * gravel)  # fmt: skip
    for near, far in ((345, 300), (270, 245), (225, 212), (202, 195)):
        width = 0.03 * (near - 175), 0.03 * (far - 175)
        scene.polygon([(243 - width[0], near), (243 + width[0], near), (243 + width[1], far),
                       (243 - width[1], far)], None, (205, 205, 200))  # fmt: skip

    def tree(column, row, radius):
        trunk = (abs(columns - column) < radius * 0.1) & (rows > row) & (rows < row + 2.2 * radius)
        scene.paint(trunk, TREE, (70, 58, 46), 0.3 * leaves)
        wobble = gaussian_filter(rng.normal(size=SHAPE), 5) * 6
        inside = np.hypot(columns - column, (rows - row) * 0.9) < radius * (1 + wobble * 0.35)
        shade = 25 * (column - columns) / radius - 25 * (rows - row) / radius
        scene.paint(inside, TREE, (48, 60, 34), 0.7 * leaves + 0.4 * shade)

    tree(205, 138, 26)
    tree(290, 140, 22)
    tree(70, 118, 55)
    tree(410, 122, 50)

    def car(left, top, width, height, color):
        bottom = top + height
        scene.polygon(
            [
                (left + 0.04 * width, bottom),
                (left + 0.96 * width, bottom),
                (left + 0.96 * width, bottom + 0.09 * height),
                (left + 0.04 * width, bottom + 0.09 * height),
            ],
            None,
            (52, 52, 54),
        )
        scene.polygon(
            [
                (left, top + 0.45 * height),
                (left + 0.16 * width, top),
                (left + 0.84 * width, top),
                (left + width, top + 0.45 * height),
                (left + width, bottom),
                (left, bottom),
            ],
            CAR,
            color,
            40 * (0.4 - (rows - top) / height),
        )
        scene.polygon(
            [
                (left + 0.14 * width, top + 0.42 * height),
                (left + 0.23 * width, top + 0.1 * height),
                (left + 0.77 * width, top + 0.1 * height),
                (left + 0.86 * width, top + 0.42 * height),
            ],
            CAR,
            (54, 62, 70),
            0.5 * (left + width - columns),
        )
        for lamp in (0.04, 0.82):
            scene.polygon(
                [
                    (left + lamp * width, top + 0.52 * height),
                    (left + (lamp + 0.14) * width, top + 0.52 * height),
                    (left + (lamp + 0.14) * width, top + 0.66 * height),
                    (left + lamp * width, top + 0.66 * height),
                ],
                CAR,
                (170, 40, 36),
            )
        for wheel in (0.06, 0.78):
            scene.polygon(
                [
                    (left + wheel * width, bottom - 2),
                    (left + (wheel + 0.16) * width, bottom - 2),
                    (left + (wheel + 0.16) * width, bottom + 0.1 * height),
                    (left + wheel * width, bottom + 0.1 * height),
                ],
                CAR,
                (24, 24, 26),
            )

    car(268, 178, 30, 20, (150, 30, 32))
    car(296, 196, 62, 44, (66, 74, 92))
    car(118, 196, 52, 40, (176, 178, 182))

    def person(column, top, height, color):
        scene.paint(
            np.hypot(columns - column, rows - top - 0.08 * height) < 0.075 * height,
            PERSON,
            (150, 112, 96),
        )
        scene.polygon(
            [
                (column - 0.13 * height, top + 0.17 * height),
                (column + 0.13 * height, top + 0.17 * height),
                (column + 0.1 * height, top + 0.56 * height),
                (column - 0.1 * height, top + 0.56 * height),
            ],
            PERSON,
            color,
        )
        scene.polygon(
            [
                (column - 0.1 * height, top + 0.55 * height),
                (column + 0.1 * height, top + 0.55 * height),
                (column + 0.09 * height, top + height),
                (column - 0.09 * height, top + height),
            ],
            PERSON,
            (40, 42, 54),
        )

    person(424, 190, 74, (54, 60, 84))
    person(450, 196, 78, (120, 40, 40))
    person(62, 206, 66, (40, 44, 42))
    scene.paint((abs(columns - 352) < 3) & (rows > 60) & (rows < 238), POLE, (88, 90, 92))
    scene.paint((abs(columns - 100) < 3) & (rows > 40) & (rows < 250), POLE, (80, 82, 84))
    scene.paint(np.hypot(columns - 352, rows - 84) < 15, SIGN, (196, 52, 48))
    scene.paint(np.hypot(columns - 352, rows - 84) < 10, SIGN, (226, 226, 222))

    blurred = gaussian_filter(scene.image, (0.7, 0.7, 0)) + rng.normal(0, 1.2, (*SHAPE, 1))
    return np.clip(np.round(blurred), 0, 255).astype(np.uint8), scene.classes
