"""Pictures of label images.

A label keeps its color wherever it appears: color depends on the label alone.
Hues follow each other by the golden angle, so that labels close in number,
which are often close in the image, look unlike; lightness is even to the eye
(OKLab), so that no region shouts.  Label 0 stays clear.

`overlay` gives a plain RGB array.  `show` gives a matplotlib Figure of its
own, which nothing else can draw into: no pyplot, no global state.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _check
from .graphs import RegionGraph
from .merging import MergeTree
from .outlining import boundaries as _boundaries
from .quadtrees import Quadtree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ._fitting import Trained

N_COLORS = 120
_LONG_SIDE = 640  # of an enlarged picture, at least
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def colors(labels: Any) -> np.ndarray:
    """Return the color of each label, an array of the same shape with 3 channels.

    Parameters
    ----------
    labels : array of integers >= 0
        Labels; 0 becomes black.

    Returns
    -------
    colors : uint8 array, ``labels.shape + (3,)``

    Notes
    -----
    There are 120 colors; label k + 120 looks like label k.

    Examples
    --------
    >>> from segkit import plot
    >>> plot.colors([0, 1, 2])
    array([[  0,   0,   0],
           [  0, 149, 227],
           [255, 156, 159]], dtype=uint8)
    """
    return _palette()[color_index(_check.labels(labels))]


def color_index(labels: np.ndarray) -> np.ndarray:
    """Return the row of the palette for each label: 0 for 0, else 1 to 120."""
    index = (labels.astype(np.uint64) + np.uint64(N_COLORS - 1)) % np.uint64(N_COLORS)
    return np.where(labels == 0, 0, index + np.uint64(1)).astype(np.uint8)


@cache
def _palette() -> np.ndarray:
    """Return black, then the colors, (121, 3) uint8."""
    k = np.arange(1, N_COLORS + 1)
    hue = k * _GOLDEN_ANGLE + 1.8
    lightness = np.array([0.72, 0.64, 0.80])[k % 3]
    chroma = np.array([0.145, 0.16, 0.125])[k % 3]
    rows = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
    return np.concatenate([np.zeros((1, 3), np.uint8), _srgb_of_oklab(rows).T])


def _srgb_of_oklab(lab: np.ndarray) -> np.ndarray:
    """Return 8-bit sRGB, (3, n), of OKLab colors (Ottosson 2020, public domain)."""
    to_cones = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(to_linear @ (to_cones @ lab) ** 3, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * srgb).astype(np.uint8)


def as_rgb(image: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an image as 8-bit RGB, to look at.

    Parameters
    ----------
    image : array, ``shape`` or ``shape + (3,)``
        uint8 stays as it is; other types are stretched from their 0.1 to their
        99.9 percentile.
    shape : tuple of int, optional
        The spatial shape.  Without it an image of two dimensions is grey, one
        of three is color.

    Returns
    -------
    rgb : uint8 array, ``shape + (3,)``

    Examples
    --------
    >>> from segkit import plot
    >>> plot.as_rgb([[0.0, 1.0]]).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    array = _check.as_array(image, "image")
    if shape is None:
        shape = array.shape[:2]
    if array.shape not in (shape, (*shape, 3)):
        raise ValueError(
            f"`image` has shape {array.shape}; accepted: {shape} for grey, {(*shape, 3)} for color"
        )
    grey = stretch(array)
    return grey if array.shape != shape else np.repeat(grey[..., np.newaxis], 3, axis=-1)


def stretch(image: np.ndarray) -> np.ndarray:
    """Return an image as uint8: bool as 0 and 255, other types between their percentiles."""
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.bool_:
        return image.astype(np.uint8) * np.uint8(255)
    finite = image[np.isfinite(image)] if image.dtype.kind == "f" else image
    if finite.size == 0:
        return np.zeros(image.shape, np.uint8)
    if finite.dtype.itemsize == 8:
        # Halved, so that no difference leaves the range of doubles.
        finite, image = finite * 0.5, image * 0.5
    low, high = np.percentile(finite, (0.1, 99.9)).astype(np.float64)
    if high <= low:
        return np.zeros(image.shape, np.uint8)
    values = np.nan_to_num(image.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.round(255 * np.clip((values - low) / (high - low), 0, 1)).astype(np.uint8)


def overlay(
    image: Any,
    labels: Any,
    *,
    alpha: float = 0.4,
    boundaries: str = "inner",
) -> np.ndarray:
    """Return an image with its regions tinted and their boundaries drawn.

    Parameters
    ----------
    image : array, ``labels.shape`` for grey or ``labels.shape + (3,)`` for color
        Any number of dimensions.  uint8 stays as it is, other types are
        stretched for the eye.
    labels : array of integers >= 0
        The label image; where it is 0 the image shows through.
    alpha : float, default 0.4
        How strong the tint is, 0 to 1.
    boundaries : {"inner", "none"}, default "inner"
        Whether the inner boundary of each region gets its full color.

    Returns
    -------
    picture : uint8 array, ``labels.shape + (3,)``

    Raises
    ------
    ValueError
        The shapes do not fit, or `alpha` is not between 0 and 1.

    Examples
    --------
    >>> from segkit import plot
    >>> plot.overlay([[100, 100, 200]], [[0, 1, 1]], boundaries="none").shape
    (1, 3, 3)
    """
    regions = _check.labels(labels)
    alpha = _check.number(alpha, "alpha")
    if alpha > 1:
        raise ValueError(f"`alpha` must be a number from 0 to 1, got {alpha}")
    _check.choice(boundaries, "boundaries", ("inner", "none"))
    picture = as_rgb(image, regions.shape).astype(np.float32)
    tint = colors(regions)
    strength = np.where(regions == 0, np.float32(0), np.float32(alpha))
    if boundaries == "inner" and regions.size:
        strength[_boundaries(regions, mode="inner") & (regions != 0)] = 1
    picture += strength[..., np.newaxis] * (tint - picture)
    return np.round(picture).astype(np.uint8)


def quadtree(
    image: Any,
    tree: Quadtree,
    *,
    scale: int | None = None,
    alpha: float = 0.8,
    color: tuple[int, int, int] = (255, 205, 40),
) -> np.ndarray:
    """Return an image with the blocks of a quadtree drawn over it.

    Parameters
    ----------
    image : array, ``tree.shape`` for grey or ``tree.shape + (3,)`` for color
        uint8 stays as it is, other types are stretched for the eye.  Of a volume the
        middle plane is shown, of a signal one row.
    tree : Quadtree
        What `segkit.quadtree` gives; ``tree.level(d)`` for the state after d rounds.
    scale : int >= 1, optional
        The side of a pixel in the picture, so that lines lie between pixels.  None: so
        that the longer side has at least 640.
    alpha : float, default 0.8
        How strong the lines are, 0 to 1.
    color : three ints, default (255, 205, 40)
        The color of the lines, 8-bit RGB.

    Returns
    -------
    picture : uint8 array, (rows, columns, 3)

    Raises
    ------
    TypeError
        If `tree` is no Quadtree.
    ValueError
        The shapes do not fit, or `alpha` is not between 0 and 1.

    Examples
    --------
    >>> import segkit
    >>> from segkit import plot
    >>> image = [[0, 0, 7, 7], [0, 0, 7, 9]]
    >>> plot.quadtree(image, segkit.quadtree(image, threshold=1), scale=10).shape
    (21, 41, 3)
    """
    if not isinstance(tree, Quadtree):
        raise TypeError(f"`tree` must be a Quadtree, got {type(tree).__name__}")
    alpha = _check.number(alpha, "alpha")
    if alpha > 1:
        raise ValueError(f"`alpha` must be a number from 0 to 1, got {alpha}")
    ndim = len(tree.shape)
    picture = middle_plane(as_rgb(image, tree.shape), ndim)
    labels = middle_plane(tree.labels(), ndim)
    if ndim == 1:
        picture, labels = picture[np.newaxis], labels[np.newaxis]
    if scale is None:
        scale = -(-_LONG_SIDE // max(*labels.shape, 1))
    scale = _check.integer(scale, "scale", low=1)
    padded = np.pad(labels, 1)
    lines = np.zeros((scale * labels.shape[0] + 1, scale * labels.shape[1] + 1), dtype=bool)
    across = padded[1:, 1:-1] != padded[:-1, 1:-1]
    down = padded[1:-1, 1:] != padded[1:-1, :-1]
    lines[::scale, :-1] |= np.repeat(across, scale, axis=1)
    lines[:-1, ::scale] |= np.repeat(down, scale, axis=0)
    large = np.repeat(np.repeat(picture, scale, axis=0), scale, axis=1)
    large = np.pad(large, ((0, 1), (0, 1), (0, 0)), mode="edge" if large.size else "constant")
    tint = np.asarray(color, dtype=np.float32)
    large[lines] = np.round(large[lines] + np.float32(alpha) * (tint - large[lines]))
    return large


def graph(
    image: Any,
    regions: RegionGraph,
    *,
    weights: Any = None,
    scale: int | None = None,
) -> np.ndarray:
    """Return an image with a region graph drawn over it.

    Parameters
    ----------
    image : array, grey or with 3 channels behind
        What the graph was made of.  uint8 stays as it is, other types are stretched for
        the eye.  Of a volume the middle plane is shown, all regions projected onto it.
    regions : RegionGraph
        A disc for each region, at its centroid, larger for large regions, in the color
        of its label; a line for each edge.
    weights : (m,) array of float, optional
        Of the edges, such as ``regions.weights("mean")``: the lower, the brighter and
        thicker a line.  None: all lines alike.
    scale : int >= 1, optional
        The side of a pixel in the picture.  None: so that the longer side has at least
        640.

    Returns
    -------
    picture : uint8 array, (rows, columns, 3)

    Raises
    ------
    TypeError
        If `regions` is no RegionGraph.
    ValueError
        The shape of `image` or of `weights` does not fit.

    Examples
    --------
    >>> import segkit
    >>> from segkit import plot
    >>> image = [[0, 0, 7, 7], [0, 0, 7, 9]]
    >>> parts = segkit.region_graph(segkit.relabel(image) + 1, image)
    >>> plot.graph(image, parts, scale=10).shape
    (20, 40, 3)
    """
    import cv2

    if not isinstance(regions, RegionGraph):
        raise TypeError(f"`regions` must be a RegionGraph, got {type(regions).__name__}")
    ndim = regions.bbox.shape[1]
    array = _check.as_array(image, "image")
    if array.ndim < ndim:
        raise ValueError(
            f"`image` must have the {ndim} dimensions of `regions`, and at most one of "
            f"channels, got shape {array.shape}"
        )
    picture = middle_plane(as_rgb(array, array.shape[:ndim]), ndim)
    place = regions.centroid[:, -2:]
    if ndim == 1:
        picture, place = picture[np.newaxis], np.pad(place, ((0, 0), (1, 0)))
    if scale is None:
        scale = -(-_LONG_SIDE // max(*picture.shape[:2], 1))
    scale = _check.integer(scale, "scale", low=1)
    lightness = np.ones(regions.n_edges)
    if weights is not None:
        array = _check.image(weights, "weights", nan=False, inf=True)
        _check.same_shape(array, "weights", (regions.n_edges,), "regions.u", hint=False)
        order = np.argsort(np.argsort(array, kind="stable"))  # ranks: robust to one dear edge
        lightness = 1 - order / max(len(order) - 1, 1)
    large = np.repeat(np.repeat(picture, scale, axis=0), scale, axis=1)
    large = np.round(large * 0.55).astype(np.uint8)
    # Fixed point with four bits below the pixel, columns before rows, as OpenCV has it.
    points = np.round(16 * (scale * (place[:, ::-1] + 0.5) - 0.5)).astype(int).tolist()
    for e in np.argsort(lightness, kind="stable").tolist():
        shade = tuple(round(70 + (top - 70) * lightness[e]) for top in (255, 230, 120))
        ends = (points[regions.u[e]], points[regions.v[e]])
        thickness = 2 if weights is not None and lightness[e] > 0.5 else 1
        cv2.line(large, *ends, shade, thickness, cv2.LINE_AA, 4)
    tints = colors(regions.label).tolist()
    radii = np.clip(1.5 + 0.12 * scale * np.sqrt(regions.size), 2, 9)
    for point, tint, radius in zip(points, tints, radii, strict=True):
        cv2.circle(large, point, round(16 * (radius + 1)), (20, 20, 20), -1, cv2.LINE_AA, 4)
        cv2.circle(large, point, round(16 * radius), tint, -1, cv2.LINE_AA, 4)
    return large


def middle_plane(image: np.ndarray, ndim: int) -> np.ndarray:
    """Return the middle plane of the last two of `ndim` spatial axes."""
    for _ in range(ndim - 2):
        image = image[image.shape[0] // 2]
    return image


def show(image: Any, labels: Any = None, *, alpha: float = 0.4, title: str = "") -> Figure:
    """Return a figure of an image, and of its regions beside it.

    Parameters
    ----------
    image : array, grey or color
        Of a volume the middle plane is shown.
    labels : array of integers >= 0, optional
        The label image.  Without it only the image is shown.
    alpha : float, default 0.4
        How strong the regions are tinted.
    title : str, optional
        Written above.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Save it with ``figure.savefig("picture.png")``; a notebook shows it.

    Examples
    --------
    >>> from segkit import plot
    >>> figure = plot.show([[10, 20], [30, 40]], [[1, 1], [2, 2]])
    >>> [axes.get_title() for axes in figure.axes]
    ['image', '2 regions']
    """
    from matplotlib.figure import Figure

    array = _check.as_array(image, "image")
    if labels is None:
        panels = [("image", as_rgb(array))]
    else:
        regions = _check.labels(labels)
        picture = middle_plane(overlay(array, regions, alpha=alpha), regions.ndim)
        plain = middle_plane(as_rgb(array, regions.shape), regions.ndim)
        n_regions = len(np.unique(regions[regions > 0]))
        noun = "region" if n_regions == 1 else "regions"
        panels = [("image", plain), (f"{n_regions} {noun}", picture)]
    rows, columns = panels[0][1].shape[:2]
    width = 4.2 * len(panels)
    figure = Figure(figsize=(width, 4.2 * rows / columns + 0.6), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for place, (name, picture) in zip(axes, panels, strict=True):
        place.imshow(picture, interpolation="nearest")
        place.set_title(name, fontsize=10)
        place.set_axis_off()
    if title:
        figure.suptitle(title)
    return figure


def tree(
    tree: MergeTree,
    *,
    level: float | None = None,
    n_regions: int | None = None,
    scale: str = "linear",
    axes: Any = None,
) -> Figure:
    """Return a figure of a merge tree as a dendrogram: regions below, merges at their levels.

    Parameters
    ----------
    tree : MergeTree
    level, n_regions : optional
        A cut, at most one of the two: a dashed line is drawn there, and what is
        merged below it gets the color of its group, the one that
        ``plot.overlay(image, tree.labels(labels, ...))`` shows if labels are
        numbered as regions come in raster order.
    scale : {"linear", "log"}
        Of the levels; "log" is linear below the lowest level that is not 0.
    axes : matplotlib axes, optional
        Where to draw, without a title; None makes a figure.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    TypeError
        Something that is no MergeTree.
    ValueError
        An unknown `scale`, both `level` and `n_regions`.

    Notes
    -----
    Levels that are infinite (parts that do not touch) are drawn above all others,
    dotted.

    Examples
    --------
    >>> import segkit
    >>> from segkit import plot
    >>> made = segkit.merge_tree(segkit.region_graph([1, 2, 3], [1, 2, 9]))
    >>> figure = plot.tree(made, n_regions=2)
    >>> figure.axes[0].get_title()
    '3 regions, cut into 2'
    """
    from matplotlib.collections import LineCollection

    if not isinstance(tree, MergeTree):
        raise TypeError(f"`tree` must be a MergeTree, got {type(tree).__name__}")
    _check.choice(scale, "scale", ("linear", "log"))
    n = tree.n_regions
    title = f"{n} region{'s' * (n != 1)}"
    groups, n_merged = None, 0
    if level is not None or n_regions is not None:
        groups = tree.cut(level=level, n_regions=n_regions)
        n_groups = int(groups.max(initial=-1)) + 1
        n_merged = n - n_groups
        title += f", cut into {n_groups}"
    place = axes
    if place is None:
        place = _figure(7.0, 4.0).subplots()
    children, across, heights = _dendrogram(tree)
    finite = np.isfinite(tree.level)
    top = float(heights.max(initial=0.0)) or 1.0
    if n > 1:
        left, right = children.T
        lines = np.stack(
            [
                np.stack([across[left], heights[left]], axis=-1),
                np.stack([across[left], heights[n:]], axis=-1),
                np.stack([across[right], heights[n:]], axis=-1),
                np.stack([across[right], heights[right]], axis=-1),
            ],
            axis=1,
        )
        tints = np.full((n - 1, 3), 0.45)
        if groups is not None and n_merged > 0:
            leaf = _first_leaves(children, n)
            tints[:n_merged] = colors(groups[leaf[n : n + n_merged]] + 1) / 255
        for drawn, style in ((finite[n:], "solid"), (~finite[n:], "dotted")):
            place.add_collection(
                LineCollection(list(lines[drawn]), colors=tints[drawn], lw=0.9, linestyles=style)
            )
    if groups is not None:
        line = level
        if line is None:
            below = heights[n + n_merged - 1] if n_merged else 0.0
            above = heights[n + n_merged] if n_merged < n - 1 else top
            line = (below + above) / 2
        place.axhline(line, color="black", lw=0.8, ls="--")
    place.set_xlim(-0.5, max(n - 0.5, 0.5))
    if scale == "log":
        positive = heights[(heights > 0) & np.isfinite(heights)]
        place.set_yscale("symlog", linthresh=float(positive.min()) if positive.size else 1.0)
    place.set_ylim(0, 1.05 * top)
    place.set_xticks([])
    place.set_ylabel(f"level ({tree.criterion})")
    if axes is None:
        place.set_title(title, fontsize=10)
    return place.figure


def learning_curve(trained: Trained) -> Figure:
    """Return a figure of how a training went, epoch by epoch.

    Parameters
    ----------
    trained : segkit.training.Trained
        What `training.fit` or `training.fine_tune` gave.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Above the loss on training and validation images, below accuracy and mean IoU on the
        validation images, each over the epochs, from 1. A dashed line stands at the epoch whose
        weights were kept.

    Raises
    ------
    TypeError
        `trained` is something else.
    """
    from matplotlib.ticker import MaxNLocator

    history = getattr(trained, "history", None)
    if not isinstance(history, dict):
        raise TypeError(f"`trained` must be what fit gave, got {type(trained).__name__}")
    figure = _figure(6.4, 5.2)
    above, below = figure.subplots(2, 1, sharex=True)
    epochs = np.arange(1, len(history["loss"]) + 1)
    style = {"lw": 1.4, "marker": "." if len(epochs) < 40 else ""}
    above.plot(epochs, history["loss"], color="0.55", label="training", **style)
    above.plot(epochs, history["validation_loss"], color="C0", label="validation", **style)
    above.set_ylabel("loss (nats per pixel)")
    above.set_ylim(bottom=0)
    below.plot(epochs, history["validation_accuracy"], color="C0", label="accuracy", **style)
    below.plot(epochs, history["validation_mean_iou"], color="C1", label="mean IoU", **style)
    below.set_ylabel("validation")
    below.set_ylim(0, 1)
    below.set_xlabel("epoch")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (above, below):
        axes.axvline(trained.best_epoch + 1, color="black", lw=0.8, ls="--", label="the best epoch")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=9)
    return figure


def _figure(width: float, height: float) -> Figure:
    """Return a figure of its own, in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _dendrogram(tree: MergeTree) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the children of each merge, where nodes stand across, and their heights."""
    n = tree.n_regions
    children = np.argsort(tree.parent[:-1], kind="stable").reshape(-1, 2)
    first, count = tree.spans()
    across = first + (count - 1) / 2
    order = np.argsort(across[children], axis=1)
    children = np.take_along_axis(children, order, axis=1)
    heights = tree.level.copy()
    infinite = ~np.isfinite(heights)
    if infinite.any():
        top = heights[~infinite].max(initial=0.0) or 1.0
        heights[infinite] = top * np.linspace(1.1, 1.25, int(infinite.sum()))
    return children, across, heights[: max(2 * n - 1, 0)]


def _first_leaves(children: np.ndarray, n: int) -> np.ndarray:
    """Return a leaf below each node."""
    leaf = np.concatenate([np.arange(n), children[:, 0]])
    while (leaf >= n).any():
        leaf = leaf[leaf]
    return leaf
