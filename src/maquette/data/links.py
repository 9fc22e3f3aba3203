"""Links of a graph as the items of a data set: some edges are held out, and as many pairs without an edge beside them.

    test         a share of all edges; validation: a share of all edges, of the others
    graph        what is left, which alone a network sees
    non-edges    pairs drawn evenly from all that no edge joins; every split has as many of them as edges, in turns

Which edges are held out depends on the graph and the seed alone, so that methods are scored on the same pairs.

Source: Kipf, Welling (2016), "Variational graph auto-encoders", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from maquette.data.dataset import Split
from maquette.data.graph import Graph
from maquette.data.nodes import GraphDataset
from maquette.errors import InputError


@dataclass(frozen=True, eq=False)
class Seen:
    """A graph that lacks some edges of `whole`."""

    graph: Graph
    whole: Graph

    @cached_property
    def keys(self) -> np.ndarray:
        """A number for each edge that is seen, ascending: int64 (m,)."""
        return np.sort(keys_of(self.graph.edges.T, self.graph.nodes))


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of nodes, indexed as an array is.

    Attributes:
        seen: the graph around them.
        ends: int32 (n, 2).
        free: (n,), which of them stand for non-edges, and may be drawn anew.
    """

    seen: Seen
    ends: np.ndarray
    free: np.ndarray

    dtype = np.dtype("int32")
    ndim = 2

    @property
    def graph(self) -> Graph:
        """What a network sees of the graph."""
        return self.seen.graph

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), 2

    @property
    def size(self) -> int:
        return 2 * len(self)

    def __getitem__(self, chosen: Any) -> Pairs:
        return Pairs(self.seen, self.ends[chosen], self.free[chosen])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.ends, dtype)

    def redrawn(self, random: np.random.Generator) -> Pairs:
        """The same edges beside other non-edges of the graph that is seen; one may come twice."""
        ends, places = np.array(self.ends), np.flatnonzero(self.free)
        while len(places):
            found = random.integers(0, self.graph.nodes, (len(places), 2), dtype=np.int32)
            ends[places] = found
            at = np.searchsorted(self.seen.keys, keys_of(found, self.graph.nodes))
            known = np.append(self.seen.keys, -1)[at] == keys_of(found, self.graph.nodes)
            places = places[known | (found[:, 0] == found[:, 1])]
        return replace(self, ends=ends)


@dataclass(frozen=True, eq=False)
class Links(GraphDataset):
    """Pairs of nodes, y 1 where an edge joins them and 0 where none does."""

    def with_validation(self, fraction: float, seed: int = 0) -> Links:
        """The data set itself; raises InputError for a fraction, since edges it took would still be seen."""
        if fraction:
            raise InputError(f"validation={fraction}: links are held out by inputs.validation_links; leave it at 0")
        return self


def keys_of(ends: np.ndarray, nodes: int) -> np.ndarray:
    """A number for each pair (n, 2) whatever its order: int64 (n,)."""
    low, high = np.sort(np.asarray(ends, np.int64), axis=1).T
    return low * nodes + high


def links_of(graph: Graph, test: float, validation: float, seed: int = 0) -> dict[str, Split]:
    """Splits of Pairs, by name, of an undirected graph without loops and duplicates; without `validation` if it is 0.

    Raises:
        InputError: for shares that leave a split or the graph without an edge, and for a graph with fewer non-edges
            than edges.
    """
    random, count = np.random.default_rng(seed), graph.edges.shape[1]
    sizes = {"test": round(test * count), "validation": round(validation * count)}
    sizes = {part: size for part, size in sizes.items() if size or part == "test" or validation}
    if min(sizes.values()) < 1 or sum(sizes.values()) >= count:
        raise InputError(
            f"inputs.test_links={test}, inputs.validation_links={validation}: of the {count} edges of {graph.name} "
            "each split needs one, and so does training: take other shares"
        )
    order, others = random.permutation(count), non_edges(graph, count, random)
    kept = np.sort(order[sum(sizes.values()) :])
    seen = Seen(graph.with_edges(kept), graph)
    splits, first = {"train": _split(seen, kept, others[: len(kept)])}, len(kept)
    for part, size in sizes.items():
        splits[part] = _split(seen, order[:size], others[first : first + size])
        order, first = order[size:], first + size
    return splits


def _split(seen: Seen, edges: np.ndarray, others: np.ndarray) -> Split:
    """Edges and non-edges in turns."""
    ends = np.stack([seen.whole.edges[:, edges].T, others], axis=1).reshape(-1, 2)
    y = np.tile(np.array([1, 0], np.float32), len(edges))
    return Split(Pairs(seen, ends.astype(np.int32), y == 0), y)


def non_edges(graph: Graph, count: int, random: np.random.Generator) -> np.ndarray:
    """So many different pairs of different nodes that no edge joins, drawn evenly: int32 (count, 2).

    Raises:
        InputError: for a graph that has fewer.
    """
    nodes, known = graph.nodes, keys_of(graph.edges.T, graph.nodes)
    if nodes * (nodes - 1) // 2 - len(known) < count:
        raise InputError(f"{graph.name} joins most of its {nodes} nodes: it has fewer than {count} pairs without edge")
    found = np.zeros(0, np.int64)
    while len(found) < count:
        ends = random.integers(0, nodes, (count + 16, 2))
        keys = keys_of(ends[ends[:, 0] != ends[:, 1]], nodes)
        found = np.union1d(found, keys[~np.isin(keys, known)])
    chosen = random.permutation(found)[:count]
    return np.stack([chosen // nodes, chosen % nodes], axis=1).astype(np.int32)
