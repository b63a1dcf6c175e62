"""Running the greedy merge: the kernel for criteria by name, Python for a callable.

Both follow one rule: the cheapest edge first, ties to the lowest numbers, where
a merged region gets the next number behind all others.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from segkit_ext.merge import merge, n_columns

from . import _criteria


class Merges(NamedTuple):
    """What was merged: the k-th merge made node n + k."""

    n_merged: int
    parent: np.ndarray  # (2n - 1,); a node that was not merged is its own
    level: np.ndarray  # (2n - 1,), not below the level of any merge before


def run(
    graph: Any,  # a RegionGraph
    criterion: Any,
    parameters: dict[str, Any],
    *,
    limit: float = np.inf,
    most: int | None = None,
    min_size: int = 1,
) -> Merges:
    """Merge at most `most` pairs that cost at most `limit`, then small regions."""
    n = graph.n_regions
    most = n if most is None else most
    parent = np.arange(max(2 * n - 1, 0), dtype=np.intp)
    level = np.zeros(parent.size)
    if callable(criterion):
        pairs = _merge_called(graph, criterion, limit, most, min_size, level)
        for k, pair in enumerate(pairs):
            parent[list(pair)] = n + k
        return Merges(len(pairs), parent, level)
    rule = _criteria.prepare(graph, _criteria.checked_name(criterion), **parameters)
    costs = _criteria.costs(rule, graph.u, graph.v)
    m = graph.n_edges
    n_merged = merge(
        limit, most, min_size, rule.number, rule.n_channels, rule.options,
        np.ascontiguousarray(rule.rows), rule.borders, graph.size.copy(),
        graph.u, graph.v, costs,
        np.empty(m, np.int32), np.empty(n + 1, np.intp), np.empty(2 * m, np.int32),
        np.empty((n, n_columns()), np.int32), np.empty(n, np.int32), np.empty(n, np.int32),
        parent, level,
    )  # fmt: skip
    return Merges(n_merged, parent, level)


def _merge_called(
    graph: Any,
    criterion: Callable[..., Any],
    limit: float,
    most: int,
    min_size: int,
    level: np.ndarray,
) -> list[tuple[int, int]]:
    """Merge by a callable; return the pairs of numbers, and write levels."""
    state = _Regions(graph, criterion)
    n = graph.n_regions
    pairs: list[tuple[int, int]] = []
    highest = 0.0
    heap = [(cost, one, two) for (one, two), cost in state.all_costs().items()]
    heapq.heapify(heap)
    while heap and len(pairs) < most:
        cost, one, two = heapq.heappop(heap)
        if one not in state.slot or two not in state.slot:
            continue
        if cost > limit:
            break
        highest = max(highest, cost)
        number = n + len(pairs)
        level[number] = highest
        pairs.append((one, two))
        for other, new in state.join(one, two, number).items():
            heapq.heappush(heap, (new, other, number))
    small = [(int(state.size[slot]), k) for k, slot in state.slot.items()]
    small = [entry for entry in small if entry[0] < min_size]
    heapq.heapify(small)
    while small:
        _, one = heapq.heappop(small)
        around = [(cost, other) for other, cost in state.costs.get(one, {}).items()]
        if not around:
            continue
        two = min(around)[1]
        number = n + len(pairs)
        pairs.append((one, two))
        state.join(one, two, number)
        if (size := int(state.size[state.slot[number]])) < min_size:
            heapq.heappush(small, (size, number))
    return pairs


class _Regions:
    """The regions as they are during merging by a callable, by number."""

    def __init__(self, graph: Any, criterion: Callable[..., Any]) -> None:
        self.criterion = criterion
        # The rows of regions; that of a merged region is the row of one of its parts.
        self.graph = replace(
            graph,
            **{
                name: value.copy()
                for name, value in vars(graph).items()
                if value is not None and name not in ("u", "v")
            },
        )
        self.shown = _criteria.read_only(self.graph)  # what the callable gets
        self.size = self.graph.size
        self.slot = {k: k for k in range(graph.n_regions)}
        self.edges: dict[int, dict[int, int]] = {k: {} for k in self.slot}
        self.costs: dict[int, dict[int, float]] = {k: {} for k in self.slot}
        given = _criteria.read_only(graph)
        values = _criteria.called(criterion, given, given.u, given.v).tolist()
        ends = zip(graph.u.tolist(), graph.v.tolist(), values, strict=True)
        for e, (u, v, cost) in enumerate(ends):
            self.edges[u][v] = self.edges[v][u] = e
            self.costs[u][v] = self.costs[v][u] = cost

    def all_costs(self) -> dict[tuple[int, int], float]:
        """Return the cost of each pair."""
        return {(u, v): c for u, row in self.costs.items() for v, c in row.items() if u < v}

    def join(self, one: int, two: int, number: int) -> dict[int, float]:
        """Merge two regions; return what each neighbor of the new one costs."""
        graph, a, b = self.graph, self.slot.pop(one), self.slot.pop(two)
        edges, added = self.edges.pop(one), self.edges.pop(two)
        faces = int(graph.faces[edges.pop(two)])
        del added[one], self.costs[one], self.costs[two]
        borders = [graph.contact, graph.faces]
        if graph.strength_sum is not None:
            borders.append(graph.strength_sum)
        for other, e in added.items():
            if other in edges:
                for column in borders:
                    column[edges[other]] += column[e]
            else:
                edges[other] = e
        self._add_row(a, b, faces)
        self.slot[number] = a
        for other in edges:
            for gone in (one, two):
                self.edges[other].pop(gone, None)
                self.costs[other].pop(gone, None)
            self.edges[other][number] = edges[other]
        self.edges[number] = edges
        around = self._called(a, edges)
        self.costs[number] = around
        for other, cost in around.items():
            self.costs[other][number] = cost
        return around

    def _called(self, a: int, edges: dict[int, int]) -> dict[int, float]:
        """Return what the callable asks for the edges of the region in row `a`."""
        if not edges:
            return {}
        graph = self.graph
        rows = np.array([self.slot[other] for other in edges], dtype=np.intp)
        e = np.fromiter(edges.values(), dtype=np.intp, count=len(edges))
        sum_ = graph.strength_sum
        asked = replace(
            self.shown,
            u=np.minimum(rows, a),
            v=np.maximum(rows, a),
            contact=graph.contact[e],
            faces=graph.faces[e],
            strength_sum=None if sum_ is None else sum_[e],
        )
        costs = _criteria.called(self.criterion, asked, asked.u, asked.v)
        return dict(zip(edges, costs.tolist(), strict=True))

    def _add_row(self, a: int, b: int, faces: int) -> None:
        """Add the row of one region to that of another."""
        g = self.graph
        apart = g.sum[a] / g.size[a] - g.sum[b] / g.size[b]
        g.scatter[a] += g.scatter[b] + g.size[a] * g.size[b] / (g.size[a] + g.size[b]) * apart**2
        g.perimeter[a] += g.perimeter[b] - 2 * faces
        for column in (g.size, g.sum, g.sum_squares, g.position_sum):
            column[a] += column[b]
        for column in (g.label, g.min):
            column[a] = np.minimum(column[a], column[b])
        g.max[a] = np.maximum(g.max[a], g.max[b])
        g.bbox[a, :, 0] = np.minimum(g.bbox[a, :, 0], g.bbox[b, :, 0])
        g.bbox[a, :, 1] = np.maximum(g.bbox[a, :, 1], g.bbox[b, :, 1])
