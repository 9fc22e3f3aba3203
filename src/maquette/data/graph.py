"""A graph: nodes, edges between them, and what is known of both, in NumPy arrays that nobody changes.

    edges     int32 (2, m), the source and the target of each edge, numbers of nodes from 0
    A_ij      sum of the weights of the edges from i to j; in an undirected graph each edge is listed once, in either
              direction, and counts in A_ij and A_ji. A loop counts once, in A_ii
    degree    d_i = sum_j A_ij, out of i; into i it is sum_j A_ji

What is listed twice stays listed twice, and its weights add up, until `simple` is asked to merge it. Nodes without an
edge are nodes: nothing is dropped.

Example:
    >>> from maquette.data.graph import Graph
    >>> graph = Graph([[0, 2, 1, 3], [1, 1, 3, 4]], nodes=5)
    >>> graph.degrees().tolist()
    [1.0, 3.0, 1.0, 2.0, 1.0]
    >>> graph.largest_component().nodes
    5
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import scipy.sparse as sparse

from maquette.data.graph_checks import check_distinct, check_ends, checked, kept
from maquette.errors import InputError, near

UNKNOWN = -1  # the label of a node whose class is not known
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Graph:
    """An immutable graph.

    Args:
        edges: integers (2, m), sources and targets.
        nodes: how many nodes there are; None takes as many as features, labels or ids tell of, or edges join.
        weights: float64 (m,), None where every edge weighs 1.
        features: float32 (nodes, f), an array or a SciPy sparse matrix, which is kept as CSR.
        edge_features: float32 (m, g).
        labels: int32 (nodes,), the number of each node's class, -1 where it is not known.
        classes: the name of each class.
        split: int32 (nodes,), 0 for a node to train on, 1 to validate, 2 to test, -1 for none of these.
        ids: the name of each node, its number if there is none.
        directed: whether an edge leads from its source to its target alone.
        name: of the graph.
        notes: what its reader has merged or dropped, line by line.

    Raises:
        InputError: naming the edge, node or array that is wrong: an edge to no node, numbers that are not finite,
            arrays of other lengths than there are nodes or edges, a label without a class, two nodes of one id.
    """

    edges: Any
    nodes: Any = None
    weights: Any = None
    features: Any = None
    edge_features: Any = None
    labels: Any = None
    classes: tuple[str, ...] = ()
    split: Any = None
    ids: Any = None
    directed: bool = False
    name: str = "graph"
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        edges = np.asarray(self.edges)
        edges = edges.reshape(2, 0) if edges.size == 0 else edges
        if edges.ndim != 2 or len(edges) != 2 or edges.dtype.kind not in "iuf":
            raise InputError(f"edges of shape {edges.shape}: give integers (2, m), a row of sources and one of targets")
        set_(self, "nodes", self._count(edges))
        check_ends(edges, self.nodes)
        set_(self, "edges", kept(edges, np.int32))
        for key, kind, length in self._arrays():
            if getattr(self, key) is not None:
                set_(self, key, checked(key, getattr(self, key), kind, length))
        if self.ids is not None:
            set_(self, "ids", tuple(str(i) for i in self.ids))
        set_(self, "classes", tuple(str(c) for c in self.classes))
        self._check_names()

    def _count(self, edges: np.ndarray) -> int:
        if self.nodes is not None:
            return int(self.nodes)
        known = [v for v in (self.ids, self.labels) if v is not None]
        sizes = [len(v) for v in known] + ([self.features.shape[0]] if hasattr(self.features, "shape") else [])
        return sizes[0] if sizes else int(edges.max(initial=-1)) + 1

    def _arrays(self) -> Any:
        m, n = self.edges.shape[1], self.nodes
        yield from (("weights", np.float64, (m,)), ("features", np.float32, (n, None)))
        yield from (("edge_features", np.float32, (m, None)), ("labels", np.int32, (n,)), ("split", np.int32, (n,)))

    def _check_names(self) -> None:
        if self.ids is not None:
            if len(self.ids) != self.nodes:
                raise InputError(f"ids has {len(self.ids)} names for {self.nodes} nodes: give one per node")
            check_distinct(self.ids)
        if self.labels is not None and self.classes and self.labels.max(initial=-1) >= len(self.classes):
            node = int(self.labels.argmax())
            raise InputError(
                f"node {self.id_of(node)!r} has label {self.labels[node]}, and there are {len(self.classes)} classes"
            )

    # --- what it is ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self.nodes)

    def id_of(self, node: int) -> str:
        """The name of a node."""
        return str(node) if self.ids is None else str(self.ids[node])

    def numbers(self, names: Any) -> np.ndarray:
        """The numbers (k,) of the nodes with these ids; raises InputError naming one that is none."""
        known = {self.id_of(i): i for i in range(self.nodes)}
        asked = [str(name) for name in names]
        wrong = [name for name in asked if name not in known]
        if wrong:
            raise InputError(f"{wrong[0]!r} is no node of {self.name}: {near(wrong[0], list(known)[:2000])}")
        return np.array([known[name] for name in asked], np.int32)

    def adjacency(self) -> sparse.csr_matrix:
        """A (nodes, nodes), float64; symmetric where the graph is undirected."""
        source, target = self.arcs()
        return sparse.csr_matrix((self.arc_weights(), (source, target)), (self.nodes, self.nodes))

    def arcs(self) -> np.ndarray:
        """Every edge in each direction that it can be passed: int32 (2, arcs); loops once."""
        if self.directed:
            return np.asarray(self.edges)
        return np.concatenate([self.edges, self.edges[::-1, self._proper()]], axis=1)

    def arc_weights(self) -> np.ndarray:
        """The weights of `arcs`: float64 (arcs,)."""
        weights = np.ones(self.edges.shape[1]) if self.weights is None else self.weights
        return weights if self.directed else np.concatenate([weights, weights[self._proper()]])

    def arc_features(self) -> np.ndarray:
        """The features of `arcs`: float32 (arcs, g)."""
        found = np.zeros((self.edges.shape[1], 0), np.float32) if self.edge_features is None else self.edge_features
        return found if self.directed else np.concatenate([found, found[self._proper()]])

    def _proper(self) -> np.ndarray:
        """Which edges are no loops: (m,)."""
        return np.asarray(self.edges[0] != self.edges[1])

    def degrees(self, into: bool = False) -> np.ndarray:
        """The weight of the edges out of each node, or into it: float64 (nodes,)."""
        return np.bincount(self.arcs()[int(into)], self.arc_weights(), self.nodes)

    def isolated(self) -> np.ndarray:
        """The nodes that no edge joins to another: int (k,)."""
        return np.setdiff1d(np.arange(self.nodes), self.edges[:, self._proper()])

    def duplicates(self) -> int:
        """How many edges join what another one listed before joins already."""
        return self.edges.shape[1] - len(np.unique(self._keys()))

    def components(self, strong: bool = False) -> np.ndarray:
        """The component of each node, counted from 0: int32 (nodes,); `strong` obeys the directions of edges."""
        from scipy.sparse.csgraph import connected_components

        way = "strong" if strong else "weak"
        return np.asarray(connected_components(self._pattern(), directed=self.directed, connection=way)[1])

    def distances(self, node: int) -> np.ndarray:
        """Hops from a node to every other one, infinity where there is no way: float64 (nodes,)."""
        from scipy.sparse.csgraph import shortest_path

        return np.asarray(shortest_path(self._pattern(), directed=self.directed, unweighted=True, indices=node))

    def _pattern(self) -> sparse.csr_matrix:
        source, target = self.arcs()
        return sparse.csr_matrix((np.ones(len(source)), (source, target)), (self.nodes, self.nodes))

    def statistics(self) -> dict[str, Any]:
        """Counts that describe the graph, by name; those of features, labels and weights where there are any."""
        from maquette.data.graph_statistics import statistics

        return statistics(self)

    def summary(self) -> str:
        """The statistics in words, a line each, with what the reader has noted."""
        from maquette.data.graph_statistics import words

        return words(self)

    # --- other graphs made of it -----------------------------------------------------------------------------

    def subgraph(self, nodes: Any) -> Graph:
        """The nodes given, by number (k,) or mask (nodes,), in that order, and the edges between them."""
        nodes = np.asarray(nodes)
        nodes = np.flatnonzero(nodes) if nodes.dtype == bool else nodes.astype(np.int64)
        place = np.full(self.nodes, -1)
        place[nodes] = np.arange(len(nodes))
        edges = place[self.edges]
        return replace(self._with_edges((edges >= 0).all(axis=0), edges), **self._of_nodes(nodes))

    def _of_nodes(self, nodes: np.ndarray) -> dict[str, Any]:
        ids = tuple(self.id_of(i) for i in nodes)
        parts = {key: getattr(self, key) for key in ("features", "labels", "split")}
        return {"nodes": len(nodes), "ids": ids} | {k: None if v is None else v[nodes] for k, v in parts.items()}

    def with_edges(self, chosen: Any) -> Graph:
        """All nodes, and of the edges those given, by number (k,) or mask (m,)."""
        found: Graph = self._with_edges(chosen)
        return found

    def _with_edges(self, chosen: Any, edges: Any = None) -> Any:
        """The graph with some of its edges; their ends in another numbering if given."""
        edges = self.edges if edges is None else edges
        parts = {key: getattr(self, key) for key in ("weights", "edge_features")}
        kept: dict[str, Any] = {key: None if value is None else value[chosen] for key, value in parts.items()}
        blank: dict[str, Any] = dict.fromkeys(("features", "labels", "split", "ids"))
        blank["nodes"] = int(edges.max(initial=0)) + 1
        return replace(self, edges=edges[:, chosen], **kept, **(blank if edges is not self.edges else {}))

    def largest_component(self) -> Graph:
        """The largest component, edges of either direction joining; the first of equals."""
        component = self.components()
        return self.subgraph(component == np.bincount(component).argmax()) if self.nodes else self

    def with_loops(self, weight: float = 1.0) -> Graph:
        """The graph with one loop of `weight` at each node, in place of its own; their edge features are 0."""
        bare = self.without_loops()
        loops = np.tile(np.arange(self.nodes, dtype=np.int32), (2, 1))
        weights = np.ones(bare.edges.shape[1]) if bare.weights is None else bare.weights
        weighted = bare.weights is not None or weight != 1
        features = bare.edge_features
        if features is not None:
            features = np.concatenate([features, np.zeros((self.nodes, features.shape[1]), np.float32)])
        edges = np.concatenate([bare.edges, loops], axis=1)
        weights = np.concatenate([weights, np.full(self.nodes, weight)]) if weighted else None
        return replace(bare, edges=edges, weights=weights, edge_features=features)

    def without_loops(self) -> Graph:
        """The graph without edges from a node to itself."""
        return self._with_edges(self._proper()) if not self._proper().all() else self

    def undirected(self) -> Graph:
        """The graph without directions; an edge and its reverse are merged, as `simple` does."""
        return replace(self, directed=False).simple()

    def simple(
        self,
        duplicates: Literal["merge", "refuse"] = "merge",
        loops: Literal["keep", "drop", "refuse"] = "keep",
    ) -> Graph:
        """The graph with every edge once.

        Weights of edges that are merged add up; without weights the edge is there once. Of edge features the first
        ones stay. Loops are kept unless asked otherwise. What was done is added to `notes`.

        Raises:
            InputError: naming the first duplicate or loop, where they are to be refused.
        """
        twice = self._first_duplicate() if duplicates == "refuse" else None
        looped = np.flatnonzero(~self._proper())
        if twice is not None or (loops == "refuse" and len(looped)):
            what, edge = ("listed twice", twice) if twice is not None else ("a loop", looped[0])
            a, b = (self.id_of(node) for node in self.edges[:, edge])
            raise InputError(f"the edge from {a!r} to {b!r} is {what}: remove it, or let it be merged or dropped")
        bare = self.without_loops() if loops == "drop" else self
        dropped = [f"{len(looped)} loops dropped"] if len(looped) and loops == "drop" else []
        return bare._merged(dropped)

    def _keys(self) -> np.ndarray:
        """A number (m,) that two edges share if they join the same nodes, in an undirected graph in any direction."""
        ends = np.asarray(self.edges, np.int64) if self.directed else np.sort(self.edges, axis=0).astype(np.int64)
        return ends[0] * self.nodes + ends[1]

    def _first_duplicate(self) -> int | None:
        keys = self._keys()
        again = np.setdiff1d(np.arange(len(keys)), np.unique(keys, return_index=True)[1])
        return int(again[0]) if len(again) else None

    def _merged(self, done: list[str]) -> Graph:
        keys = self._keys()
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        order = np.argsort(first)
        merged = self if len(first) == len(keys) else self._with_edges(first[order])
        if merged is not self:
            weights = None if self.weights is None else np.bincount(group.reshape(-1), self.weights)[order]
            done = [*done, f"{len(keys) - len(first)} duplicate edges merged"]
            merged = replace(merged, weights=weights)
        return replace(merged, notes=(*self.notes, *done))
