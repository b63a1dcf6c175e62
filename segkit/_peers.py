"""Other libraries as contenders: what one writes with them for the same task.

Each function is a recipe as the library's own guides have it, with a few
parameters to tune, and is searched and scored exactly as segkit's methods are.
Where a recipe leaves regions too small to look at, they go to the nearest other
(`_tidy`), as in segkit's pipelines.  A library that is not installed is left out,
with a note.

Images come as uint8; colors last.  Labels are numbered from 1.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ._contenders import Contender, contender

Image = np.ndarray
Labels = np.ndarray

_MODULE_OF = {
    "scikit-image": "skimage",
    "OpenCV": "cv2",
    "SimpleITK": "SimpleITK",
    "scikit-learn": "sklearn",
    "higra": "higra",
}


def installed(task: str) -> tuple[dict[str, Contender], list[str]]:
    """Return the peers that are there, and a note on each library that is not."""
    found, missing = {}, {}
    for name, library, run, tasks, fields in _PEERS:
        if importlib.util.find_spec(_MODULE_OF[library]) is None:
            if task in tasks:
                missing[library] = f"{library} is not installed and was left out."
            continue
        found[name] = contender(name, run, *tasks, library=_with_version(library), **fields)
    return found, list(missing.values())


def _with_version(library: str) -> str:
    module = importlib.import_module(_MODULE_OF[library])
    version = getattr(module, "__version__", None)
    return f"{library} {version or importlib.metadata.version(_MODULE_OF[library])}"


# Steps


def _grey(image: Image, channel_axis: int | None) -> Image:
    from skimage.color import rgb2gray

    return image if channel_axis is None else (255 * rgb2gray(image)).astype(np.uint8)


def _rgb(image: Image, channel_axis: int | None) -> Image:
    return np.ascontiguousarray(np.dstack([image] * 3) if channel_axis is None else image)


def _lab(image: Image, channel_axis: int | None) -> Image:
    from skimage.color import rgb2lab

    return rgb2lab(_rgb(image, channel_axis))


def _tidy(labels: Labels, min_size: int) -> Labels:
    """Give regions of less than `min_size` pixels to the nearest other."""
    from scipy.ndimage import distance_transform_edt

    sizes = np.bincount(labels.ravel())
    small = (sizes < min_size)[labels] | (labels == 0)
    if small.all() or not small.any():
        return labels
    nearest = distance_transform_edt(small, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def _components(values: Image) -> Labels:
    """Return the connected parts of equal value, numbered; none is background."""
    from skimage.measure import label

    return label(values, background=-1, connectivity=1).astype(np.int32)


def _without_small(labels: Labels, min_size: int) -> Labels:
    """Take the label from regions of less than `min_size` pixels."""
    sizes = np.bincount(labels.ravel())
    return np.where((sizes < min_size)[labels], 0, labels).astype(np.int32)


def _deep_minima(relief: Image, depth: float) -> Labels:
    """Return markers in the minima that are at least so deep.

    `h_minima` marks each lowest pixel of a valley, so that two of them part it; this
    marks what is one minimum after the shallow ones are filled.
    """
    from skimage.measure import label
    from skimage.morphology import diamond, local_minima, reconstruction

    filled = reconstruction(relief + depth, relief, method="erosion", footprint=diamond(1))
    return label(local_minima(filled, connectivity=1), connectivity=1)


# Photographs


def _felzenszwalb(
    image: Image,
    *,
    scale: float = 300,
    sigma: float = 0.8,
    min_size: int = 50,
    channel_axis: int | None = None,
) -> Labels:
    from skimage.segmentation import felzenszwalb

    parts = felzenszwalb(
        image, scale=scale, sigma=sigma, min_size=min_size, channel_axis=channel_axis
    )
    return parts.astype(np.int32) + 1


def _slic(image: Image, n_segments: int, compactness: float, channel_axis: int | None) -> Labels:
    from skimage.segmentation import slic

    return slic(
        image,
        n_segments=n_segments,
        compactness=compactness,
        start_label=1,
        channel_axis=channel_axis,
    ).astype(np.int32)


def _slic_cuts(
    image: Image,
    values: Sequence[float],
    *,
    n_segments: int = 400,
    compactness: float = 10.0,
    channel_axis: int | None = None,
) -> Iterator[Labels]:
    from skimage.graph import cut_threshold, rag_mean_color

    parts = _slic(image, n_segments, compactness, channel_axis)
    graph = rag_mean_color(_rgb(image, channel_axis), parts)
    for threshold in values:
        yield cut_threshold(parts, graph, threshold, in_place=False).astype(np.int32) + 1


def _slic_merges(
    image: Image,
    values: Sequence[float],
    *,
    n_segments: int = 400,
    compactness: float = 10.0,
    channel_axis: int | None = None,
) -> Iterator[Labels]:
    from skimage.graph import merge_hierarchical, rag_mean_color

    parts = _slic(image, n_segments, compactness, channel_axis)
    graph = rag_mean_color(_rgb(image, channel_axis), parts)
    for threshold in values:
        merged = merge_hierarchical(
            parts, graph, threshold, rag_copy=True, in_place_merge=False,
            merge_func=_add_colors, weight_func=_color_distance,
        )  # fmt: skip
        yield merged.astype(np.int32) + 1


def _add_colors(graph: Any, source: int, target: int) -> None:
    into, gone = graph.nodes[target], graph.nodes[source]
    into["total color"] = into["total color"] + gone["total color"]
    into["pixel count"] = into["pixel count"] + gone["pixel count"]
    into["mean color"] = into["total color"] / into["pixel count"]


def _color_distance(graph: Any, source: int, target: int, neighbor: int) -> dict[str, float]:
    difference = graph.nodes[target]["mean color"] - graph.nodes[neighbor]["mean color"]
    return {"weight": float(np.linalg.norm(difference))}


def _seeded_watershed(
    image: Image, *, n_markers: int = 40, sigma: float = 1.0, channel_axis: int | None = None
) -> Labels:
    from skimage.filters import gaussian, sobel
    from skimage.segmentation import watershed

    relief = sobel(gaussian(_grey(image, channel_axis), sigma))
    return watershed(relief, markers=n_markers).astype(np.int32)


def _lab_kmeans(
    image: Image, *, n_clusters: int = 4, min_size: int = 50, channel_axis: int | None = None
) -> Labels:
    from sklearn.cluster import KMeans

    colors = _lab(image, channel_axis).reshape(-1, 3)
    model = KMeans(n_clusters, n_init=1, max_iter=30, random_state=0).fit(colors[::16])
    classes = model.predict(colors).reshape(image.shape[:2])
    return _tidy(_components(classes), min_size)


def _mean_shift(
    image: Image,
    *,
    color_radius: float = 20,
    space_radius: float = 8,
    min_size: int = 50,
    channel_axis: int | None = None,
) -> Labels:
    import cv2

    smooth = cv2.pyrMeanShiftFiltering(_rgb(image, channel_axis), space_radius, color_radius)
    labels = np.zeros(smooth.shape[:2], dtype=np.int32)
    mask = np.zeros((labels.shape[0] + 2, labels.shape[1] + 2), dtype=np.uint8)
    count = 0
    for row, column in np.ndindex(labels.shape):
        if labels[row, column] == 0:
            count += 1
            mark = count % 255 + 1
            flags = 4 | cv2.FLOODFILL_MASK_ONLY | mark << 8
            seed = (int(column), int(row))
            box = cv2.floodFill(smooth, mask, seed, 0, (2, 2, 2), (2, 2, 2), flags)[3]
            c, r, width, height = box
            part = labels[r : r + height, c : c + width]
            inner = mask[r + 1 : r + 1 + height, c + 1 : c + 1 + width]
            part[(inner == mark) & (part == 0)] = count
    return _tidy(labels, min_size)


def _itk_watershed(
    image: Image, *, level: float = 4.0, sigma: float = 2.0, channel_axis: int | None = None
) -> Labels:
    import SimpleITK as sitk  # noqa: N813

    relief = sitk.GradientMagnitudeRecursiveGaussian(
        sitk.GetImageFromArray(_grey(image, channel_axis).astype(np.float32)), sigma
    )
    found = sitk.MorphologicalWatershed(relief, level, markWatershedLine=False)
    return sitk.GetArrayFromImage(found).astype(np.int32)


def _higra_watersheds(
    image: Image,
    values: Sequence[int],
    *,
    sigma: float = 1.0,
    channel_axis: int | None = None,
) -> Iterator[Labels]:
    import higra as hg
    from skimage.filters import gaussian

    lab = gaussian(_lab(image, channel_axis), sigma, channel_axis=-1).astype(np.float64)
    graph = hg.get_4_adjacency_graph(lab.shape[:2])
    weights = hg.weight_graph(graph, lab, hg.WeightFunction.L2)
    tree, altitudes = hg.watershed_hierarchy_by_area(graph, weights)
    cuts = hg.HorizontalCutExplorer(tree, altitudes)
    for n_regions in values:
        cut = cuts.horizontal_cut_from_num_regions(n_regions)
        yield np.asarray(cut.labelisation_leaves(tree)).astype(np.int32).reshape(lab.shape[:2]) + 1


# Nuclei


def _foreground(image: Image, sigma: float, channel_axis: int | None) -> Image:
    """Return what Otsu's threshold holds for objects: the side with fewer pixels."""
    from skimage.filters import gaussian, threshold_otsu

    grey = gaussian(_grey(image, channel_axis), sigma, preserve_range=True)
    bright = grey > threshold_otsu(grey)
    return bright if bright.mean() <= 0.5 else ~bright


def _otsu(
    image: Image, *, sigma: float = 1.0, min_size: int = 30, channel_axis: int | None = None
) -> Labels:
    from skimage.measure import label

    return _without_small(label(_foreground(image, sigma, channel_axis)), min_size)


def _otsu_peaks(
    image: Image,
    *,
    min_distance: int = 7,
    sigma: float = 1.0,
    min_size: int = 30,
    channel_axis: int | None = None,
) -> Labels:
    from scipy.ndimage import distance_transform_edt
    from skimage.feature import peak_local_max
    from skimage.measure import label
    from skimage.segmentation import watershed

    inside = _foreground(image, sigma, channel_axis)
    distance = distance_transform_edt(inside)
    peaks = peak_local_max(distance, min_distance=min_distance, labels=label(inside))
    markers = np.zeros(inside.shape, dtype=np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return _without_small(watershed(-distance, markers, mask=inside), min_size)


def _otsu_minima(
    image: Image,
    *,
    depth: float = 1.0,
    sigma: float = 1.0,
    min_size: int = 30,
    channel_axis: int | None = None,
) -> Labels:
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import watershed

    inside = _foreground(image, sigma, channel_axis)
    distance = -distance_transform_edt(inside)
    labels = watershed(distance, _deep_minima(distance, depth), mask=inside)
    return _without_small(labels, min_size)


def _cv_nuclei(
    image: Image,
    *,
    core: float = 0.5,
    sigma: float = 1.0,
    min_size: int = 30,
    channel_axis: int | None = None,
) -> Labels:
    import cv2

    grey = cv2.GaussianBlur(_grey(image, channel_axis), (0, 0), sigma)
    _, bright = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    inside = bright if bright.mean() <= 127 else 255 - bright
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    sure = (distance > core * distance.max()).astype(np.uint8)
    _, markers = cv2.connectedComponents(sure)
    markers = np.where((inside > 0) & (markers == 0), 0, markers + 1).astype(np.int32)
    labels = cv2.watershed(_rgb(image, channel_axis), markers)
    return _without_small(np.where((labels > 1) & (inside > 0), labels - 1, 0), min_size)


def _itk_nuclei(
    image: Image,
    *,
    level: float = 1.0,
    sigma: float = 1.0,
    min_size: int = 30,
    channel_axis: int | None = None,
) -> Labels:
    import SimpleITK as sitk  # noqa: N813

    grey = sitk.GetImageFromArray(_grey(image, channel_axis).astype(np.float32))
    bright = sitk.OtsuThreshold(sitk.SmoothingRecursiveGaussian(grey, sigma), 0, 1)
    if sitk.GetArrayViewFromImage(bright).mean() > 0.5:
        bright = sitk.BinaryNot(bright, 1, 0)
    distance = sitk.SignedMaurerDistanceMap(
        bright, insideIsPositive=False, squaredDistance=False, useImageSpacing=False
    )
    parts = sitk.MorphologicalWatershed(distance, level, markWatershedLine=False)
    parts = sitk.Mask(parts, bright)
    return _without_small(sitk.GetArrayFromImage(parts).astype(np.int32), min_size)


# Membranes


def _deep_valleys(
    image: Image, *, depth: float = 40, sigma: float = 3.0, channel_axis: int | None = None
) -> Labels:
    from skimage.filters import gaussian
    from skimage.segmentation import watershed

    relief = gaussian(255 - _grey(image, channel_axis), sigma, preserve_range=True)
    return watershed(relief, _deep_minima(relief, depth)).astype(np.int32)


def _itk_valleys(
    image: Image, *, level: float = 40, sigma: float = 3.0, channel_axis: int | None = None
) -> Labels:
    import SimpleITK as sitk  # noqa: N813

    dark = sitk.GetImageFromArray((255 - _grey(image, channel_axis)).astype(np.float32))
    smooth = sitk.SmoothingRecursiveGaussian(dark, sigma)
    found = sitk.MorphologicalWatershed(smooth, level, markWatershedLine=False)
    return sitk.GetArrayFromImage(found).astype(np.int32)


# Scribbles: 1 the object, 2 the background


def _grab_cut(
    image: Image, *, markers: Labels, rounds: int = 5, channel_axis: int | None = None
) -> Labels:
    import cv2

    cv2.setRNGSeed(0)
    mask = np.full(markers.shape, cv2.GC_PR_BGD, dtype=np.uint8)
    mask[markers == 1], mask[markers == 2] = cv2.GC_FGD, cv2.GC_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(_rgb(image, channel_axis)[..., ::-1])
    cv2.grabCut(bgr, mask, (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 1, 2).astype(np.int32)


def _cv_watershed(image: Image, *, markers: Labels, channel_axis: int | None = None) -> Labels:
    import cv2

    labels = cv2.watershed(_rgb(image, channel_axis), markers.astype(np.int32))
    return _tidy(np.maximum(labels, 0), 0)


def _sobel_watershed(
    image: Image, *, markers: Labels, sigma: float = 0.0, channel_axis: int | None = None
) -> Labels:
    from skimage.filters import gaussian, sobel
    from skimage.segmentation import watershed

    return watershed(sobel(gaussian(_grey(image, channel_axis), sigma)), markers).astype(np.int32)


def _walker(
    image: Image, *, markers: Labels, beta: float = 130, channel_axis: int | None = None
) -> Labels:
    from skimage.segmentation import random_walker

    return random_walker(
        image, markers, beta=beta, mode="cg_j", tol=1e-3, channel_axis=channel_axis
    ).astype(np.int32)


def _nearest_strokes(
    image: Image,
    *,
    markers: Labels,
    n_neighbors: int = 5,
    position: float = 0.2,
    channel_axis: int | None = None,
) -> Labels:
    from sklearn.neighbors import KNeighborsClassifier

    rows, columns = np.indices(markers.shape)
    features = np.dstack([_lab(image, channel_axis), position * rows, position * columns])
    model = KNeighborsClassifier(n_neighbors).fit(features[markers > 0], markers[markers > 0])
    return model.predict(features.reshape(-1, 5)).reshape(markers.shape).astype(np.int32)


def _confidence_connected(
    image: Image,
    *,
    markers: Labels,
    multiplier: float = 2.5,
    rounds: int = 2,
    channel_axis: int | None = None,
) -> Labels:
    import SimpleITK as sitk  # noqa: N813

    grey = sitk.GetImageFromArray(_grey(image, channel_axis).astype(np.float32))
    grown = sitk.ConfidenceConnected(grey, _seeds(markers), rounds, multiplier, 1, 1)
    return np.where(sitk.GetArrayFromImage(grown) == 1, 1, 2).astype(np.int32)


def _connected_threshold(
    image: Image, *, markers: Labels, tolerance: float = 0, channel_axis: int | None = None
) -> Labels:
    import SimpleITK as sitk  # noqa: N813

    grey = _grey(image, channel_axis).astype(np.float32)
    low, high = np.percentile(grey[markers == 1], (5, 95))
    grown = sitk.ConnectedThreshold(
        sitk.GetImageFromArray(grey), _seeds(markers), low - tolerance, high + tolerance
    )
    return np.where(sitk.GetArrayFromImage(grown) == 1, 1, 2).astype(np.int32)


def _seeds(markers: Labels) -> list[tuple[int, int]]:
    return [(int(column), int(row)) for row, column in np.argwhere(markers == 1)]


# Supervoxels


def _linkage(image: Image, *, supervoxels: Labels, threshold: float = 145) -> Labels:
    import higra as hg

    _, numbered = np.unique(supervoxels, return_inverse=True)
    numbered = numbered.reshape(image.shape)
    n = int(numbered.max()) + 1
    pairs, strengths = [], []
    dark = 255.0 - image
    for axis in range(image.ndim):
        a = np.moveaxis(numbered, axis, 0)
        d = np.moveaxis(dark, axis, 0)
        touching = a[:-1] != a[1:]
        pairs.append(np.stack([a[:-1][touching], a[1:][touching]]))
        strengths.append((d[:-1][touching] + d[1:][touching]) / 2)
    both = np.sort(np.concatenate(pairs, axis=1).astype(np.int64), axis=0)
    keys, where, counts = np.unique(both[0] * n + both[1], return_inverse=True, return_counts=True)
    means = np.bincount(where, np.concatenate(strengths)) / counts
    graph = hg.UndirectedGraph(n)
    graph.add_edges(*np.divmod(keys, n))
    tree, altitudes = hg.binary_partition_tree_average_linkage(
        graph, means, counts.astype(np.float64)
    )
    groups = hg.labelisation_horizontal_cut_from_threshold(tree, altitudes, threshold)
    return np.asarray(groups)[numbered].astype(np.int32) + 1


_THRESHOLDS = (5, 10, 15, 20, 25, 30, 40, 50, 60, 80)
_SLIC = {"threshold": _THRESHOLDS, "n_segments": (200, 400, 800), "compactness": (5.0, 10.0, 20.0)}
_SIGMAS = (0.5, 1.0, 2.0)

Fields = dict[str, Any]
_PEERS: tuple[tuple[str, str, Callable[..., Any], tuple[str, ...], Fields], ...] = (
    ("skimage felzenszwalb", "scikit-image", _felzenszwalb, ("photographs",), {"search": {
        "scale": (30, 60, 100, 200, 300, 500, 800, 1200, 2000, 4000),
        "sigma": (0.5, 0.8, 1.2), "min_size": (20, 50, 150, 400)}}),
    ("skimage slic + cut_threshold", "scikit-image", _slic_cuts, ("photographs",), {
        "search": _SLIC, "several": True}),
    ("skimage slic + merge_hierarchical", "scikit-image", _slic_merges, ("photographs",), {
        "search": _SLIC, "several": True}),
    ("skimage watershed", "scikit-image", _seeded_watershed, ("photographs",), {"search": {
        "n_markers": (4, 8, 16, 32, 64, 128, 256, 512), "sigma": (1.0, 2.0, 4.0, 6.0)}}),
    ("sklearn k-means on Lab", "scikit-learn", _lab_kmeans, ("photographs",), {"search": {
        "n_clusters": (2, 3, 4, 5, 6, 8, 12, 16), "min_size": (50, 200, 800, 2000)}}),
    ("cv2 mean shift", "OpenCV", _mean_shift, ("photographs",), {"search": {
        "color_radius": (8, 12, 16, 20, 28, 40, 56, 80), "space_radius": (4, 8, 16),
        "min_size": (50, 200, 800)}}),
    ("SimpleITK watershed", "SimpleITK", _itk_watershed, ("photographs",), {"search": {
        "level": (1, 2, 3, 4, 6, 8, 12, 16, 24), "sigma": (1.0, 2.0, 3.0, 4.0)}}),
    ("higra watershed by area", "higra", _higra_watersheds, ("photographs",), {
        "search": {"n_regions": (2, 4, 8, 12, 16, 24, 32, 64, 128), "sigma": (1.0, 2.0, 3.0, 4.0)},
        "several": True}),
    ("skimage Otsu", "scikit-image", _otsu, ("nuclei",), {"search": {"sigma": _SIGMAS}}),
    ("skimage Otsu, peaks, watershed", "scikit-image", _otsu_peaks, ("nuclei",), {"search": {
        "min_distance": (4, 7, 10, 14), "sigma": _SIGMAS}}),
    ("skimage Otsu, minima, watershed", "scikit-image", _otsu_minima, ("nuclei",), {"search": {
        "depth": (0.5, 1.0, 1.5, 2.0), "sigma": _SIGMAS}}),
    ("cv2 Otsu, watershed", "OpenCV", _cv_nuclei, ("nuclei",), {"search": {
        "core": (0.1, 0.2, 0.3, 0.5), "sigma": _SIGMAS}}),
    ("SimpleITK Otsu, watershed", "SimpleITK", _itk_nuclei, ("nuclei",), {"search": {
        "level": (0.5, 1.0, 1.5, 2.0), "sigma": _SIGMAS}}),
    ("skimage watershed, deep minima", "scikit-image", _deep_valleys, ("membranes",), {"search": {
        "depth": (20, 30, 40, 50, 60), "sigma": (2.0, 2.5, 3.0, 4.0)}}),
    ("SimpleITK watershed, deep minima", "SimpleITK", _itk_valleys, ("membranes",), {"search": {
        "level": (20, 30, 40, 50, 60), "sigma": (2.0, 2.5, 3.0, 4.0)}}),
    ("cv2 grabCut", "OpenCV", _grab_cut, ("scribbles",), {"search": {"rounds": (1, 2, 5, 10)}}),
    ("cv2 watershed", "OpenCV", _cv_watershed, ("scribbles",), {}),
    ("skimage watershed of Sobel", "scikit-image", _sobel_watershed, ("scribbles",), {"search": {
        "sigma": (0.0, 0.5, 1.0, 2.0)}}),
    ("skimage random_walker", "scikit-image", _walker, ("scribbles",), {"search": {
        "beta": (30, 130, 500, 2000, 8000)}}),
    ("sklearn kNN on Lab and position", "scikit-learn", _nearest_strokes, ("scribbles",), {
        "search": {"n_neighbors": (1, 5, 15), "position": (0.05, 0.1, 0.2, 0.4)}}),
    ("SimpleITK ConfidenceConnected", "SimpleITK", _confidence_connected, ("scribbles",), {
        "search": {"multiplier": (1.5, 2.0, 2.5, 3.0), "rounds": (0, 2, 4)}}),
    ("SimpleITK ConnectedThreshold", "SimpleITK", _connected_threshold, ("scribbles",), {
        "search": {"tolerance": (0, 10, 20, 40)}}),
    ("higra average linkage", "higra", _linkage, ("supervoxels",), {"search": {
        "threshold": (120, 130, 135, 140, 143, 145, 147, 150, 155)}}),
)  # fmt: skip
