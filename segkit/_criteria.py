"""What it costs to merge two regions, laid out for the kernels.

A criterion sees a region as a row of numbers (its size and sums, or its least
and largest values) and a border as another (contacts, strength, faces), and
knows how two rows become one.  Here they are taken from a region graph.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from segkit_ext.weigh import weigh

from . import _check, _dtypes

# In the order of the kernel's numbers.
NAMES = ("mean", "ward", "strength", "range", "student", "baatz_schape", "color_strength")
_OF_STRENGTH = ("strength", "color_strength")
_EXACT = 2**53  # up to here doubles hold all integers
_OPTIONS = 5  # of the kernel, before the weights of channels


class Criterion(NamedTuple):
    """A criterion and the numbers it needs, as the kernels take them."""

    number: int
    n_channels: int
    options: np.ndarray
    rows: np.ndarray  # one for each region
    borders: np.ndarray  # one for each edge


def checked_name(criterion: Any) -> str:
    """Return the name of a criterion that is no callable."""
    return _check.choice(criterion, "criterion", NAMES)


def fraction(value: Any, name: str) -> float:
    """Return a weight from 0 to 1."""
    weight = float(_check.number(value, name))
    if weight > 1:
        raise ValueError(f"`{name}` must be a number from 0 to 1, got {weight:g}")
    return weight


def prepare(
    graph: Any,  # a RegionGraph
    name: str,
    *,
    shape_weight: float,
    compactness_weight: float,
    channel_weights: ArrayLike | None,
    strength_weight: float,
) -> Criterion:
    """Return a criterion by name, with the rows and borders of a region graph."""
    shape_weight = fraction(shape_weight, "shape_weight")
    compactness_weight = fraction(compactness_weight, "compactness_weight")
    strength_weight = fraction(strength_weight, "strength_weight")
    n_channels = graph.sum.shape[1]
    weights = _channel_weights(channel_weights, name, n_channels)
    if name != "strength" and n_channels == 0:
        raise ValueError(f'`criterion` "{name}" needs the values of an image; the graph has none')
    if name in _OF_STRENGTH and graph.strength_sum is None:
        raise ValueError(f'`criterion` "{name}" needs `strength`; the graph has none')
    if name == "baatz_schape" and shape_weight > 0 and graph.bbox.shape[1] != 2:
        raise ValueError(
            f"`shape_weight` must be 0 unless the image has 2 dimensions, got {shape_weight:g} "
            f"for {graph.bbox.shape[1]}"
        )
    options = np.zeros(_OPTIONS + n_channels)
    options[1:3] = shape_weight, compactness_weight
    options[_OPTIONS:] = weights
    if name == "student":
        options[0] = _least_variance(graph)
    borders = np.empty((0, 3))
    if name in (*_OF_STRENGTH, "baatz_schape"):
        borders = np.zeros((graph.u.size, 3))
        borders[:, 0] = graph.contact
        borders[:, 2] = graph.faces
        if graph.strength_sum is not None:
            borders[:, 1] = graph.strength_sum
    rule = Criterion(NAMES.index(name), n_channels, options, _rows(graph, name), borders)
    if name == "color_strength":
        means = costs(rule._replace(number=NAMES.index("mean")), graph.u, graph.v)
        options[3] = (1 - strength_weight) / _typical(means)
        options[4] = strength_weight / _typical(graph.strength)
    return rule


def costs(criterion: Criterion, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the cost of each edge."""
    out = np.empty(u.size)
    number, n_channels, options, rows, borders = criterion
    weigh(number, n_channels, options, rows, u, v, borders, out)
    return out


def _channel_weights(value: ArrayLike | None, name: str, n_channels: int) -> np.ndarray:
    """Return one weight for each channel."""
    if value is None:
        return np.ones(n_channels)
    if name != "baatz_schape":
        raise ValueError(f'`channel_weights` are for criterion "baatz_schape", got "{name}"')
    weights = _check.as_array(value, "channel_weights").astype(np.float64)
    if weights.shape != (n_channels,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            f"`channel_weights` must hold {n_channels} finite number(s) >= 0, got {value!r:.60}"
        )
    return weights


def _rows(graph: Any, name: str) -> np.ndarray:
    """Return the columns that a criterion needs of each region."""
    if name == "strength":
        return np.empty((graph.size.size, 1))
    if name == "range":
        return np.ascontiguousarray(np.hstack(_differences(graph.min, graph.max)))
    columns = [graph.size[:, np.newaxis], _sums(graph)]
    if name in ("student", "baatz_schape"):
        columns.append(graph.scatter)
    if name == "baatz_schape":
        columns.append(graph.perimeter[:, np.newaxis])
        if graph.bbox.shape[1] == 2:
            columns += [graph.bbox[:, :, 0], graph.bbox[:, :, 1]]
        else:
            columns.append(np.zeros((graph.size.size, 4)))
    return np.ascontiguousarray(np.hstack([column.astype(np.float64) for column in columns]))


def _sums(graph: Any) -> np.ndarray:
    """Return the sums of values, up to a constant for each pixel.

    64-bit integers whose sums doubles round count from the least of all where that helps:
    then the sum of a region of equal values is exact, and others lie between such sums.
    """
    low, high, total = graph.min, graph.max, graph.sum
    if low.dtype.kind not in "iu" or low.dtype.itemsize < 8 or low.size == 0:
        return total
    span = max(int(high[:, c].max()) - int(low[:, c].min()) for c in range(low.shape[1]))
    if span >= _EXACT or np.abs(total).max() <= _EXACT:
        return total
    size = graph.size[:, np.newaxis]
    base = low.min(axis=0).astype(np.float64)
    low, high = _differences(low, high)
    return np.clip(total - base * size, low * size, high * size)


def _differences(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return least and largest values as doubles; 64-bit integers count from the least of all."""
    if low.dtype.kind in "iu" and low.dtype.itemsize == 8 and low.size:
        low, high = _dtypes.kernel_values(low), _dtypes.kernel_values(high)
        base = low.min(axis=0).view(np.uint64)
        low, high = low.view(np.uint64) - base, high.view(np.uint64) - base
    return low.astype(np.float64), high.astype(np.float64)


def _least_variance(graph: Any) -> float:
    """Return the floor of the pooled variance: of rounding to integers, or next to nothing."""
    if graph.min.dtype.kind in "biu":
        return graph.sum.shape[1] / 12
    total = graph.size.sum()
    if total == 0:
        return 0.0
    middle = graph.sum.sum(axis=0) / total
    with np.errstate(over="ignore"):
        between = (graph.size[:, np.newaxis] * (graph.mean - middle) ** 2).sum()
        return 1e-12 * float(graph.scatter.sum() + between) / float(total)


def _typical(values: np.ndarray) -> float:
    """Return the median; where that is 0 the mean; where that is 0 too, 1."""
    if values.size == 0:
        return 1.0
    with np.errstate(over="ignore"):
        return float(np.median(values)) or float(np.mean(values)) or 1.0


def read_only(graph: Any) -> Any:
    """Return a region graph on the same arrays, which a callable can look at but not change."""

    def locked(array: np.ndarray) -> np.ndarray:
        view = array.view()
        view.flags.writeable = False
        return view

    columns = {name: locked(value) for name, value in vars(graph).items() if value is not None}
    return replace(graph, **columns)


def called(criterion: Any, graph: Any, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the costs that a callable gives for pairs of nodes, checked."""
    result = np.asarray(criterion(graph, u, v))
    if result.dtype.kind not in "biuf" or result.shape != u.shape:
        raise ValueError(
            f"`criterion` must return {u.size} real number(s), got an array of shape "
            f"{result.shape}, dtype {result.dtype}"
        )
    result = result.astype(np.float64)
    if np.isnan(result).any():
        raise ValueError("`criterion` must not return NaN")
    return result
