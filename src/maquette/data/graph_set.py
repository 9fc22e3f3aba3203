"""Many graphs as the items of a data set: they stand side by side in one graph without edges between them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sparse

from maquette.data.dataset import Dataset, Split
from maquette.data.graph import Graph
from maquette.errors import InputError

FOLDS = 10


@dataclass(frozen=True, eq=False)
class GraphSet:
    """Some graphs of a union, in order; indexed as an array is.

    Attributes:
        union: all graphs side by side, the nodes of each one after the other.
        starts: int (graphs,), the first node of each graph.
        places: int (n,), the graphs of the set.
    """

    union: Graph
    starts: np.ndarray
    places: np.ndarray

    dtype = np.dtype("int64")
    ndim = 1

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int]:
        return (len(self.places),)

    @property
    def size(self) -> int:
        return len(self.places)

    def __getitem__(self, chosen: Any) -> GraphSet:
        return replace(self, places=self.places[chosen])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """The numbers of the graphs: (n,)."""
        return np.asarray(self.places, dtype)

    def sizes(self) -> np.ndarray:
        """The nodes of each graph of the set: (n,)."""
        return np.asarray(np.diff(np.append(self.starts, self.union.nodes))[self.places])

    def graph(self, item: int) -> Graph:
        """One graph of the set."""
        start = self.starts[self.places[item]]
        return self.union.subgraph(np.arange(start, start + self.sizes()[item]))


@dataclass(frozen=True, eq=False)
class GraphSetDataset(Dataset):
    """A data set whose items are graphs; x of every split is a GraphSet, y the classes."""

    def fingerprint(self) -> str:
        """A digest of the items and of their graphs, in hex."""
        digest = hashlib.sha256(super().fingerprint().encode())
        for values in (self.train.x.union.edges, self.train.x.union.features, self.train.x.starts):
            digest.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


def graph_set(
    name: str, union: Graph, owner: np.ndarray, y: np.ndarray, classes: tuple[str, ...], origin: str = ""
) -> GraphSetDataset:
    """A data set of graphs with ten stratified folds, drawn by seed 0.

    Args:
        union: all graphs side by side.
        owner: int (nodes,), the number of each node's graph, ascending.
        y: (graphs,), classes.

    Raises:
        InputError: for a graph without a node, or an edge from one graph to another.
    """
    empty = np.flatnonzero(np.bincount(owner, minlength=len(y)) == 0)
    if len(empty):
        raise InputError(f"{name}: graph {empty[0] + 1} has no node: remove it, and its label")
    crossing = np.flatnonzero(owner[union.edges[0]] != owner[union.edges[1]])
    if len(crossing):
        a, b = union.edges[:, crossing[0]] + 1
        raise InputError(f"{name}: the edge from node {a} to node {b} joins two graphs: remove it")
    starts = np.searchsorted(owner, np.arange(len(y)))
    split = Split(GraphSet(union, starts, np.arange(len(y))), y.astype(np.int32), tuple(map(str, range(1, len(y) + 1))))
    counts = ", ".join(f"{label}: {(y == i).sum()}" for i, label in enumerate(classes))
    sizes = split.x.sizes()
    report = (f"{len(y)} graphs ({counts}), {sizes.min()} to {sizes.max()} nodes", *union.summary().splitlines()[:2])
    folds = _folds(y)
    return GraphSetDataset(name, split, classes=classes, origin=origin, report=report, folds=folds)


def _folds(y: np.ndarray) -> np.ndarray | None:
    """The fold of each item, from 1; None where a class has too few items for ten."""
    from sklearn.model_selection import StratifiedKFold

    if np.bincount(y).min() < FOLDS:
        return None
    folds = np.zeros(len(y), np.int32)
    for number, (_, taken) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(y, y), 1):
        folds[taken] = number
    return folds


def hops(x: GraphSet) -> np.ndarray:
    """The edges of each graph of a set, in each direction that they can be passed: (n,)."""
    begun = np.append(0, np.cumsum(np.bincount(x.union.arcs()[0], minlength=x.union.nodes)))
    ends = np.append(x.starts, x.union.nodes)
    return np.asarray((begun[ends[1:]] - begun[ends[:-1]])[x.places])


def features_of(union: Graph) -> np.ndarray:
    """Features of all nodes as an array; a 1 for each node where there are none."""
    if union.features is None:
        return np.ones((union.nodes, 1), np.float32)
    return np.asarray(union.features.toarray() if sparse.issparse(union.features) else union.features)
