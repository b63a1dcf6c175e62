"""Region graphs as networkx graphs with scikit-image's attributes, and back.

scikit-image's region adjacency graph (RAG) is a networkx graph whose nodes hold
``labels`` (a list), ``pixel count``, ``total color`` and ``mean color``, and whose
edges hold ``weight``; boundary graphs also ``count``.  All else that a
`RegionGraph` knows goes into attributes of the same kind, with plain names.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

# attribute of a node -> field; `labels`, `pixel count`, the colors come beside
_NODE_FIELDS = {
    "sum of squares": "sum_squares",
    "scatter": "scatter",
    "min": "min",
    "max": "max",
    "bbox": "bbox",
    "position sum": "position_sum",
    "perimeter": "perimeter",
}


def to_networkx(graph: Any, weights: np.ndarray) -> Any:
    """Return a ``skimage.graph.RAG`` of a region graph."""
    from skimage.graph import RAG

    out = RAG()
    size, label = graph.size.tolist(), graph.label.tolist()
    total, mean = graph.sum.astype(np.float64), graph.mean
    fields = {name: getattr(graph, field) for name, field in _NODE_FIELDS.items()}
    for k, name in enumerate(label):
        attributes = {key: _own(values[k]) for key, values in fields.items()}
        attributes |= {"labels": [name], "pixel count": size[k]}
        attributes |= {"total color": total[k].copy(), "mean color": mean[k].copy()}
        out.add_node(name, **attributes)
    columns = {"weight": weights, "count": graph.contact, "faces": graph.faces}
    if graph.strength is not None:
        columns["strength"] = graph.strength
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    for u, v, row in zip(graph.u.tolist(), graph.v.tolist(), values, strict=True):
        out.add_edge(label[u], label[v], **dict(zip(columns, row, strict=True)))
    return out


def from_networkx(g: Any) -> dict[str, np.ndarray]:
    """Return the fields of a region graph; edges in any order, both ways round."""
    if not hasattr(g, "nodes") or not hasattr(g, "edges") or not hasattr(g, "is_directed"):
        raise TypeError(f"`g` must be a networkx graph, got {type(g).__name__}")
    if g.is_directed() or g.is_multigraph():
        raise TypeError("`g` must be an undirected graph without parallel edges")
    nodes = [(_label(key, data), key, data) for key, data in g.nodes(data=True)]
    nodes = sorted((node for node in nodes if node[0] != 0), key=lambda node: node[0])
    label = np.array([node[0] for node in nodes], dtype=np.int64)
    if np.unique(label).size != label.size:
        raise ValueError("`g` must have a lowest label of its own for each node, got one twice")
    place = {key: k for k, (_, key, _) in enumerate(nodes)}
    data = [node[2] for node in nodes]
    size = _column(data, "pixel count", 1).astype(np.int64)
    if (size < 1).any():
        raise ValueError("`g` must have a `pixel count` >= 1 at every node")
    n = len(nodes)
    fields: dict[str, np.ndarray] = {"label": label, "size": size}
    total = _column(data, "total color", np.zeros(0))
    fields["sum"] = total = total.reshape(n, total.size // max(n, 1))
    mean = total / size[:, np.newaxis]
    missing = {
        "sum of squares": mean * total,
        "scatter": np.zeros(total.shape),
        "min": mean,
        "max": mean,
        "bbox": np.zeros((n, 0, 2), dtype=np.int64),
        "position sum": np.zeros((n, 0), dtype=np.int64),
        "perimeter": np.zeros(n, dtype=np.int64),
    }
    for name, field in _NODE_FIELDS.items():
        known = bool(data) and all(name in node for node in data)
        fields[field] = _column(data, name, 0) if known else missing[name]

    edges = [
        (place[u], place[v], row) for u, v, row in g.edges(data=True) if u in place and v in place
    ]
    rows = [row for _, _, row in edges]
    fields["u"] = np.array([u for u, _, _ in edges], dtype=np.intp)
    fields["v"] = np.array([v for _, v, _ in edges], dtype=np.intp)
    fields["contact"] = contact = _column(rows, "count", 1).astype(np.int64)
    if (contact < 1).any():
        raise ValueError("`g` must have a `count` >= 1 at every edge")
    fields["faces"] = (
        _column(rows, "faces", 0).astype(np.int64)
        if all("faces" in row for row in rows)
        else contact
    )
    for name in ("strength", "weight"):
        if all(name in row for row in rows):  # no edges: none without
            fields["strength_sum"] = _column(rows, name, 0).astype(np.float64) * contact
            break
    return fields


def _label(key: Any, data: dict[str, Any]) -> int:
    """Return the lowest label of a node."""
    found = data.get("labels", [key])
    if not hasattr(found, "__len__"):
        raise TypeError(f"`g` must have lists as `labels`, got {type(found).__name__}")
    found = found if len(found) else [key]
    if not all(isinstance(label, numbers.Integral) for label in found):
        raise TypeError(
            f"`g` must have integers for nodes, or lists of them as `labels`, got {key!r}"
        )
    lowest = int(min(found))
    if not 0 <= lowest < 2**63:
        raise ValueError(f"`g` must have labels from 0 to 2**63 - 1, got {lowest}")
    return lowest


def _column(rows: list[dict[str, Any]], name: str, default: Any) -> np.ndarray:
    """Return one attribute of all nodes or edges as an array of numbers."""
    try:
        column = np.array([row.get(name, default) for row in rows])
    except ValueError:
        raise ValueError(f"`g` must have a `{name}` of one shape everywhere") from None
    if column.dtype.kind not in "biuf":
        raise TypeError(f"`g` must have numbers for `{name}`, got dtype {column.dtype}")
    if np.isnan(column).any():
        raise ValueError(f"`g` must not hold NaN for `{name}`")
    return column


def _own(value: Any) -> Any:
    """Return a value that can be changed in place without a change to the graph."""
    return value.copy() if isinstance(value, np.ndarray) else value.item()
