"""The images that are measured: the same bytes on every machine.

`mosaic` is the main one: tiles cut at native resolution from the photographs
that scikit-image carries, because texture, noise and edges of real pictures
decide how long queues and runs get.  `volume` is a crop of a real volume where
SEGKIT_DATA has one, else smoothed noise.  Constant, noise, blobs and spiral are
the extremes.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np

PHOTOS = (
    *("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png"),
    *("coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png"),
    *("retina.jpg", "rocket.jpg"),
)
TILE = 256
SIDES = {"tiny": (64, 12), "quick": (1024, 64), "full": (2048, 128)}  # 2-D, 3-D
ROOT = Path(__file__).resolve().parent.parent


def side_2d(size):
    """Return the side of the images of a size."""
    return SIDES[size][0]


def side_3d(size):
    """Return the side of the volumes of a size."""
    return SIDES[size][1]


@cache
def photographs():
    """Return all photographs, grey ones and colored ones."""
    import imageio.v3 as iio
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    return [iio.imread(folder / name) for name in PHOTOS]


def cut(photo):
    """Return the tiles of a photograph in raster order."""
    rows, cols = (side // TILE for side in photo.shape[:2])
    return [
        photo[r * TILE : (r + 1) * TILE, c * TILE : (c + 1) * TILE]
        for r in range(rows)
        for c in range(cols)
    ]


@cache
def tiles():
    """Return all tiles of all photographs in grey, (n, TILE, TILE)."""
    found = []
    for photo in photographs():
        if photo.ndim == 3:
            weights = np.array([299, 587, 114])
            photo = ((photo[..., :3] @ weights + 500) // 1000).astype(np.uint8)
        found += cut(photo)
    return np.stack(found)


def patchwork(stack, side):
    """Return a square image of tiles, neighbors from different photographs, repeated in order."""
    n = -(-side // TILE)
    picked = stack[np.arange(n * n) * 7 % len(stack)]
    whole = picked.reshape(n, n, *stack.shape[1:]).swapaxes(1, 2)
    return np.ascontiguousarray(whole.reshape(n * TILE, n * TILE, *stack.shape[3:])[:side, :side])


@cache
def mosaic(side=2048):
    """Return a square grey uint8 image made of the photographs."""
    return patchwork(tiles(), side)


@cache
def colors(side=2048):
    """Return a square RGB uint8 image made of the colored photographs."""
    found = [tile for photo in photographs() if photo.ndim == 3 for tile in cut(photo[..., :3])]
    return patchwork(np.stack(found), side)


@cache
def volume(side=128):
    """Return a cubic grey uint8 volume: electron microscopy, or smoothed noise without it."""
    folder = Path(os.environ.get("SEGKIT_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "fib25_em" / "z000-149.npz"
    if path.is_file():
        with np.load(path) as data:
            real = data["image"]
        repeats = [-(-side // have) for have in real.shape]
        return np.ascontiguousarray(np.tile(real, repeats)[:side, :side, :side])
    return blobs((side,) * 3)


def volume_name():
    """Return what `volume` holds."""
    folder = Path(os.environ.get("SEGKIT_DATA", ROOT.parent / "shared" / "data"))
    return "EM" if (folder / "fib25_em" / "z000-149.npz").is_file() else "smoothed noise"


def noise(shape, seed=0):
    """Return uniform uint8 noise."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def blobs(shape, sigma=3.0, seed=0):
    """Return smooth uint8 blobs."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.random.default_rng(seed).random(shape, dtype=np.float32), sigma)
    field -= field.min()
    return (field * (255 / field.max())).astype(np.uint8)


def spiral(side):
    """Return a one-pixel wide spiral of ones on zeros, the longest way a front can go."""
    image = np.zeros((side, side), dtype=np.uint8)
    row, col, down, right = 0, 0, 0, 1
    image[0, 0] = 1
    legs = [side - 1] + [length for length in range(side - 1, 0, -2) for _ in range(2)]
    for length in legs:
        end_row, end_col = row + down * length, col + right * length
        top, left = min(row, end_row), min(col, end_col)
        image[top : max(row, end_row) + 1, left : max(col, end_col) + 1] = 1
        row, col, down, right = end_row, end_col, right, -down
        if length == 1:  # one more turn would touch the leg before
            break
    return image


def slope(image, dtype):
    """Return the magnitude of the central differences, a relief for the watershed."""
    from scipy.ndimage import gaussian_gradient_magnitude

    relief = gaussian_gradient_magnitude(image.astype(np.float32), 1.0, truncate=3.0)
    if np.dtype(dtype).kind == "f":
        return np.ascontiguousarray(relief, dtype=dtype)
    return np.minimum(relief * 4, np.iinfo(dtype).max).astype(dtype)


def scattered_markers(shape, per_marker=1000, seed=0):
    """Return int32 markers: one pixel in each cell of a grid, about one in `per_marker`."""
    step = max(2, round(per_marker ** (1 / len(shape))))
    rng = np.random.default_rng(seed)
    corners = np.stack(
        np.meshgrid(*(np.arange(0, side - step + 1, step) for side in shape), indexing="ij"), -1
    ).reshape(-1, len(shape))
    places = corners + rng.integers(0, step, corners.shape)
    markers = np.zeros(shape, dtype=np.int32)
    markers[tuple(places.T)] = np.arange(1, len(places) + 1)
    return markers


def patches(shape, n_labels, seed=0):
    """Return about `n_labels` connected regions with ragged borders that fill the image, int32."""
    step = max(2, round((np.prod(shape) / n_labels) ** (1 / len(shape))))
    grid = np.indices(shape, dtype=np.int32)
    wobble = blobs(shape, sigma=4.0, seed=seed).astype(np.int32) // 24
    cells = tuple(-(-(side + 16) // step) for side in shape)
    index = np.zeros(shape, dtype=np.int64)
    for axis in range(len(shape)):
        index = index * cells[axis] + (grid[axis] + wobble) // step
    _, labels = np.unique(index, return_inverse=True)
    return labels.reshape(shape).astype(np.int32) + 1


def sparse_ids(labels, dtype, seed=0):
    """Return the same partition under random ids of the whole positive range."""
    high = min(np.iinfo(dtype).max, 2**40)
    ids = np.random.default_rng(seed).choice(high, int(labels.max()), replace=False) + 1
    return np.concatenate([[0], ids]).astype(dtype)[labels]
