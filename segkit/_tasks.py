"""Pipelines for one kind of thing each: nuclei, membranes, pieces of cells, what scribbles mark.

Where the pipelines for photographs divide a picture into like regions, these
know what they look for.  Their defaults
were chosen on one half of the images of a data set each, and measured on the
other: nuclei on dsb2018, membranes on isbi2012, scribbles on seeds50; pieces of
cells on the first third of the planes of fib25.

Nuclei are the smaller part of their image: where they cover most of it, light
and dark are taken the wrong way round.  Those inside gray cells are not told
from the cells.  Membranes are dark, and lines in the plane of the last two axes,
some 7 pixels wide; a smaller `sigma` suits thinner ones.
"""

from __future__ import annotations

import math

import numpy as np

from . import _check
from ._recipes import contact_share, dark_lines, dark_walls, lightness, smooth
from .flooding import watershed
from .graphs import RegionGraph, region_graph
from .labels import connected_components, join, remove_small
from .merging import merge_regions
from .outlining import boundaries
from .relief import gradient

# The first line of each docstring is what the page says of it.


def nuclei(
    image: np.ndarray,
    *,
    radius: float | None = None,
    level: float = 0.8,
    height: float = 0.5,
    depth: float = 0.1,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Find round things on a ground, dark or bright; part those that touch, by shape and light."""
    from scipy.ndimage import distance_transform_edt

    grey = _bright_on_dark(lightness(image, channel_axis))
    if radius is None:
        radius = _typical_radius(grey)
    radius = min(_check.number(radius, "radius", above=True), max(grey.shape))
    level, height = _check.number(level, "level"), _check.number(height, "height")
    depth = max(0.75, _check.number(depth, "depth") * radius)
    smallest = max(20, round(_ball(0.25 * radius, grey.ndim)))

    light = smooth(grey, max(0.5, 0.04 * radius))
    ground, threshold = _ground_and_threshold(light, level)
    blobs = (light > threshold) & (np.ptp(light) >= 1)  # of a grey level, or it is even ground
    blobs = remove_small(connected_components(blobs), smallest) > 0
    if not blobs.any():
        return np.zeros(grey.shape, dtype=np.int32)
    # Middles are far from the ground, and bright
    soft = np.sqrt(smooth(grey, 0.16 * radius))
    relief = distance_transform_edt(blobs) + 1.5 * soft / max(float(soft[blobs].std()), 1e-9)
    labels = watershed(-relief, depth=depth, mask=blobs)
    labels = _cut_each(labels, light, ground, height)
    # Of some, only now that they are cut higher, does the waist show
    inside = (labels > 0) & ~boundaries(labels, mode="inner")
    parts = watershed(-distance_transform_edt(inside), depth=depth, mask=labels > 0)
    return remove_small(join(labels, parts), smallest)


def _bright_on_dark(grey: np.ndarray) -> np.ndarray:
    """Return light whose larger part is dark."""
    from skimage.filters import threshold_otsu

    light = smooth(grey, 1.0)
    turned = np.mean(light > threshold_otsu(light.ravel())) > 0.5
    return 255.0 - grey if turned else grey


def _ground_and_threshold(light: np.ndarray, level: float = 1.0) -> tuple[float, float]:
    """Return the ground's light, and a threshold: at level 1 Otsu's, at 0 the ground.

    Of square roots, which bring the dim closer to the bright.
    """
    from skimage.filters import threshold_otsu

    root = np.sqrt(np.maximum(light, 0))
    threshold = float(threshold_otsu(root.ravel()))
    ground = float(np.median(root[root <= threshold]))
    cut = ground + level * (threshold - ground)
    return ground * ground, cut * cut


def _typical_radius(grey: np.ndarray) -> float:
    """Return the radius of a ball as large as the blob in which the median pixel lies."""
    from scipy.ndimage import distance_transform_edt

    light = smooth(grey, 1.0)
    blobs = light > _ground_and_threshold(light)[1]
    labels = watershed(-distance_transform_edt(blobs), depth=1, mask=blobs)
    sizes = np.sort(np.bincount(labels.ravel())[1:])
    if sizes.size == 0:
        return 1.0
    size = sizes[np.searchsorted(np.cumsum(sizes), sizes.sum() / 2)]
    return float((size / _ball(1.0, grey.ndim)) ** (1 / grey.ndim))


def _ball(radius: float, ndim: int) -> float:
    """Return how many pixels a ball has."""
    return float(np.pi ** (ndim / 2) / math.gamma(ndim / 2 + 1) * radius**ndim)


def _cut_each(labels: np.ndarray, light: np.ndarray, ground: float, height: float) -> np.ndarray:
    """Keep of each region the largest piece above `height`: 0 is the ground, 1 its upper quartile.

    A bright one has a wide fringe above a threshold that suits a dim one.
    """
    order = np.lexsort((light.ravel(), labels.ravel()))
    sizes = np.bincount(labels.ravel())
    top = light.ravel()[order[np.cumsum(sizes) - sizes + 3 * sizes // 4]]
    least = ground + height * (top.astype(np.float64) - ground)
    cut = np.where(light >= least[labels], labels, 0)
    pieces = connected_components(cut)
    sizes = np.bincount(pieces.ravel())
    owner = np.zeros(sizes.size, dtype=np.intp)
    owner[pieces.ravel()] = cut.ravel()
    largest = np.zeros(sizes.size, dtype=bool)
    by_size = np.argsort(sizes, kind="stable")
    last = np.zeros(int(owner.max(initial=0)) + 1, dtype=np.intp)
    last[owner[by_size]] = by_size
    largest[last[1:]] = True
    return np.where(largest[pieces], cut, 0)


def membranes(
    image: np.ndarray,
    *,
    sigma: float = 2.5,
    length: float = 10.0,
    depth: float = 70.0,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Find the cells between dark membranes: valleys between walls, deep enough to be one each."""
    grey = lightness(image, channel_axis)
    bright = smooth(grey, sigma)
    sigma = _check.between(sigma, "sigma", 0.1, 100)
    length = _check.between(length, "length", 0.1, 100)
    return watershed(dark_lines(grey, 1.4 * sigma, length) - bright, depth=depth)


def joined_supervoxels(
    image: np.ndarray,
    *,
    supervoxels: np.ndarray,
    threshold: float = 12.0,
    sigma: float = 1.5,
    share_weight: float = 0.25,
) -> np.ndarray:
    """Join pieces of cells: across the faintest walls first, and along the largest shares.

    Membranes are dark, but so is much inside cells; only membranes are dark and thin,
    and that is what a contact is asked for.  The two halves of a cell that was cut
    touch along much of the smaller one's surface, two cells along little of it: the
    mean wall over a contact is divided by this share, to the power `share_weight`.
    """
    sigma = _check.between(sigma, "sigma", 0.1, 100)
    share_weight = _check.number(share_weight, "share_weight")

    def cost(graph: RegionGraph, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.asarray(graph.strength) / contact_share(graph, u, v) ** share_weight

    walls = dark_walls(image, sigma, boundaries(supervoxels, mode="thick"))
    return merge_regions(supervoxels, criterion=cost, strength=walls, threshold=threshold)


def scribbles(
    image: np.ndarray,
    *,
    markers: np.ndarray | None = None,
    sigma: float = 1.0,
    depth: float = 1.0,
    contrast: float = 3.0,
    likeness: float = 2.0,
    evidence: float = 0.003,
    sure: float = 0.7,
    channel_axis: int | None = None,
) -> np.ndarray:
    """Give each stroke what walks over weak edges and like colors lead to; flood what is left.

    Without strokes the usual framing is taken: what lies in the middle of the image
    is one thing, what lies along its rim is the ground.
    """
    contrast = _check.between(contrast, "contrast", 1e-2, 1e4)
    likeness = _check.between(likeness, "likeness", 1e-2, 1e4)
    evidence = _check.between(evidence, "evidence", 1e-9, 1e3)
    sure = _check.between(sure, "sure", 0, 1)
    depth = _check.number(depth, "depth")
    colors = lab(image, channel_axis)
    if markers is None:
        markers = _framing(colors.shape[:-1])
    relief = gradient(colors, sigma=sigma, channel_axis=-1)
    ids = np.unique(markers[markers > 0])
    # Coarse basins bridge gaps, fine ones keep to the edges: the mean is better than any
    layers = [watershed(relief, depth=each) for each in (depth / 2, depth, 2 * depth)]
    parts = join(layers[0], join(layers[1], layers[2]))
    first = np.unique(parts, return_index=True)[1]
    chances = np.zeros((first.size, ids.size))
    for basins in layers:
        graph = region_graph(basins, colors, strength=relief, channel_axis=-1)
        apart = _distances_to_strokes(graph, colors, markers, ids)
        like = np.exp((apart.min(axis=1, keepdims=True) - apart) / likeness)
        prior = evidence * graph.size[:, np.newaxis] * like / like.sum(axis=1, keepdims=True)
        conductance = graph.contact * (np.exp(-graph.weights("strength") / contrast) + _LEAST)
        known = prior + _HELD * _pixels_of_strokes(graph, basins, markers, ids)
        chances += _walk(graph, conductance, known)[basins.flat[first] - 1] / len(layers)
    winner = np.where(chances.max(axis=1) > sure, ids[chances.argmax(axis=1)], 0)
    sources = np.where(markers > 0, markers, winner[parts - 1])
    return watershed(gradient(colors, sigma=2 * sigma, channel_axis=-1), sources)


def _framing(shape: tuple[int, ...]) -> np.ndarray:
    """Return 1 in the middle quarter along each axis, 2 along the rim, a twentieth wide."""
    markers = np.zeros(shape, dtype=np.int32)
    for axis, side in enumerate(shape):
        if side >= 3:  # else there is no rim beside the middle
            lines = np.moveaxis(markers, axis, 0)
            rim = max(1, side // 20)
            lines[:rim] = lines[-rim:] = 2
    markers[tuple(slice(3 * side // 8, side - 3 * side // 8) for side in shape)] = 1
    return markers


_HELD = 1e4  # how strongly a pixel of a stroke holds its basin, against conductances of about 1
_LEAST = 1e-3  # conductance of the strongest edge: what a wall encloses still belongs somewhere


def _walk(graph: RegionGraph, conductance: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the chance of each (region, stroke) that a random walk from there ends at it.

    A walk takes an edge in proportion to its `conductance`, or ends at a stroke in
    proportion to what is `known` (Grady, "Random walks for image segmentation", 2006,
    doi:10.1109/TPAMI.2006.233), here from region to region instead of pixel to pixel.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import splu

    weights = graph.to_sparse(conductance)
    system = diags(weights.sum(axis=1) + known.sum(axis=1)) - weights
    return splu(system.tocsc()).solve(known)


def lab(image: np.ndarray, channel_axis: int | None) -> np.ndarray:
    """Return L*a*b* of three channels, others as they are on the scale of L*; channels last."""
    from skimage.color import rgb2lab

    if channel_axis is None:
        image = image[..., np.newaxis]
    if image.shape[-1] == 3:
        return rgb2lab(image).astype(np.float32)
    return image * np.float32(100 / 255)


def _pixels_of_strokes(
    graph: RegionGraph, basins: np.ndarray, markers: np.ndarray, ids: np.ndarray
) -> np.ndarray:
    """Return how many pixels of each (basin, stroke) coincide."""
    strokes = markers > 0
    pairs = (basins[strokes] - 1) * ids.size + np.searchsorted(ids, markers[strokes])
    return np.bincount(pairs, minlength=graph.n_regions * ids.size).reshape(-1, ids.size)


def _distances_to_strokes(
    graph: RegionGraph, colors: np.ndarray, markers: np.ndarray, ids: np.ndarray
) -> np.ndarray:
    """Return how far each (basin, stroke) are apart in color, and a little in place."""
    from scipy.spatial import KDTree

    scale = 10 / math.hypot(*markers.shape)  # across the image is as far as 10 in lightness
    basins = np.hstack([graph.mean, scale * graph.centroid])
    columns = []
    for label in ids:
        place = np.nonzero(markers == label)
        stroke = np.hstack([colors[place], scale * np.stack(place, axis=-1)])
        found, _ = KDTree(stroke).query(basins, k=min(3, len(stroke)))
        columns.append(found.reshape(len(basins), -1).mean(axis=1))
    return np.stack(columns, axis=-1)
