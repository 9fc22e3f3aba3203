"""Nodes of a graph as the items of a data set: which are trained on, and their features as a network takes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
import scipy.sparse as sparse

from maquette.data.dataset import Dataset, Split
from maquette.data.graph import PARTS, Graph
from maquette.errors import InputError, near

SCALES = ("auto", "rows", "columns", "none")


@dataclass(frozen=True, eq=False)
class Nodes:
    """Some of the nodes of a graph, in order; indexed as an array is."""

    graph: Graph
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

    def __getitem__(self, chosen: Any) -> Nodes:
        return Nodes(self.graph, self.places[chosen])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """The numbers of the nodes: (n,)."""
        return np.asarray(self.places, dtype)


@dataclass(frozen=True, eq=False)
class GraphDataset(Dataset):
    """A data set whose items are nodes of a graph; x of every split are Nodes, y their classes."""

    graph: Graph | None = None

    def fingerprint(self) -> str:
        """A digest of the items and of their graph, in hex."""
        return with_digest(super().fingerprint(), self.train.x.graph)


def with_digest(items: str, graph: Graph) -> str:
    """A digest of a digest of items and of their graph, in hex."""
    digest = hashlib.sha256(items.encode())
    features = graph.features.indices if sparse.issparse(graph.features) else graph.features
    for values in (graph.edges, graph.weights, features, getattr(graph.features, "data", None)):
        digest.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def dataset_of(graph: Graph, origin: str = "") -> GraphDataset:
    """All labelled nodes of a graph as training items; raises InputError for a graph without labels."""
    if graph.labels is None or not (graph.labels >= 0).any():
        raise InputError(f"{graph.name} has no node whose class is known: give its nodes a column label")
    places = np.flatnonzero(graph.labels >= 0)
    report = tuple(graph.summary().splitlines())
    own: dict[str, Any] = {"classes": graph.classes, "origin": origin, "report": report, "graph": graph}
    return GraphDataset(graph.name, split_of(graph, places), **own)


def split_of(graph: Graph, places: np.ndarray) -> Split:
    """A Split of some nodes of a graph, with their ids as names."""
    y = None if graph.labels is None else graph.labels[places]
    return Split(Nodes(graph, places), y, tuple(graph.id_of(i) for i in places))


def with_marks(dataset: GraphDataset, marks: np.ndarray, hide_test: bool = False) -> GraphDataset:
    """The data set split as `marks` (nodes,) say: 0 to train on, 1 to validate, 2 to test, -1 for none.

    With `hide_test` the nodes to test and their edges are not in the graph that is trained on. Raises InputError where
    no node is left to train on.
    """
    graph = dataset.graph
    assert graph is not None and graph.labels is not None
    known = graph.labels >= 0
    places = [np.flatnonzero(known & (marks == i)) for i in range(len(PARTS))]
    if not len(places[0]):
        raise InputError(f"{dataset.name}: no node of a known class is marked for training: mark some with split=train")
    seen, moved = graph, np.arange(graph.nodes)
    if hide_test:
        seen = graph.subgraph(marks != PARTS.index("test"))
        moved = np.cumsum(marks != PARTS.index("test")) - 1
    parts: dict[str, Any] = {part: split_of(graph, own) for part, own in zip(PARTS, places) if len(own)}
    for part in set(PARTS[:2]) & set(parts):
        parts[part] = split_of(seen, moved[places[PARTS.index(part)]])
    line = ", ".join(f"{part}: {len(split)} nodes" for part, split in parts.items())
    hidden = ("nodes to test are hidden in training",) if hide_test else ()
    return replace(dataset, **parts, report=(*dataset.report, line, *hidden))


def random_marks(graph: Graph, per_class: int, seed: int, validation: int = 500, test: int = 1000) -> np.ndarray:
    """A split drawn by `seed` in the sizes of the public ones: `per_class` nodes of each class to train on.

    Of small graphs a third of the rest validates and the others test. Raises InputError for a class with too few nodes.

    Source: Shchur et al. (2018), "Pitfalls of graph neural network evaluation", section 3.
    """
    assert graph.labels is not None
    random, marks = np.random.default_rng(seed), np.full(graph.nodes, -1)
    for number in range(len(graph.classes)):
        own = random.permutation(np.flatnonzero(graph.labels == number))
        if len(own) < per_class:
            name = graph.classes[number]
            raise InputError(f"inputs.per_class={per_class}: class {name!r} has {len(own)} nodes; take fewer")
        marks[own[:per_class]] = 0
    rest = random.permutation(np.flatnonzero((graph.labels >= 0) & (marks < 0)))
    held = min(validation, len(rest) // 3)
    marks[rest[:held]] = 1
    marks[rest[held : held + test]] = 2
    return marks


@dataclass
class NodeEncoder:
    """Nodes -> their numbers; and the features of a graph, scaled as those of the training graph were.

    Attributes:
        scale: "rows" divides the features of a node by their sum, "columns" takes the mean of a feature off and divides
            by its deviation, both over the nodes to train on; "none" leaves them; "auto" is rows for sparse features,
            and columns for others.
        ids, nodes: of the training graph, the names of its nodes if they have any, and how many there are.
        names, directed: how the user's own files are read.
    """

    scale: Literal["auto", "rows", "columns", "none"] = "auto"
    mean: list[float] = field(default_factory=list)
    deviation: list[float] = field(default_factory=list)
    ids: tuple[str, ...] = ()
    nodes: int = 0
    names: dict[str, str] = field(default_factory=dict)
    directed: bool = False

    def fit(self, x: Nodes) -> NodeEncoder:
        """Learn the names of the nodes, and the scale from x alone; returns self."""
        found = x.graph.features
        if self.scale == "auto":
            self.scale = "rows" if sparse.issparse(found) else "columns"
        if self.scale == "columns" and found is not None:
            own = dense(found[x.places])
            spread = own.std(axis=0)
            self.mean, self.deviation = own.mean(axis=0).tolist(), np.where(spread > 1e-6, spread, 1).tolist()
        self.ids, self.nodes = () if x.graph.ids is None else x.graph.ids, x.graph.nodes
        return self

    def transform(self, x: Any) -> np.ndarray:
        """The numbers of nodes: float32 (n, 1)."""
        return np.asarray(x, np.float32).reshape(-1, 1)

    def features(self, graph: Graph) -> Any:
        """The scaled features of all nodes (nodes, f), an array or CSR; without any, a 1 for each node."""
        found = graph.features
        if found is None:
            return np.ones((graph.nodes, 1), np.float32)
        if self.scale == "rows":
            total = np.asarray(abs(found).sum(axis=1), np.float64).reshape(-1)
            share = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
            return (sparse.diags(share) @ found).tocsr() if sparse.issparse(found) else found * share[:, None]
        if self.scale == "columns":
            if found.shape[1] != len(self.mean):
                raise InputError(
                    f"{graph.name}: nodes have {found.shape[1]} features, and those trained on {len(self.mean)}"
                )
            return ((dense(found) - self.mean) / self.deviation).astype(np.float32)
        return found

    def numbers(self, names: Any) -> np.ndarray:
        """The numbers (n,) of nodes of the training graph by their ids; raises InputError naming one that is none."""
        known = {name: i for i, name in enumerate(self.ids or map(str, range(self.nodes)))}
        wrong = [name for name in names if name not in known]
        if wrong:
            raise InputError(
                f"{str(wrong[0])!r} is no node of the training graph: {near(wrong[0], list(known)[:2000])}"
            )
        return np.array([known[name] for name in names], np.int64)

    def to_json(self) -> str:
        """Everything as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> NodeEncoder:
        """The NodeEncoder that `to_json` wrote; raises InputError for other text."""
        try:
            state = json.loads(text)
            return cls(**{**state, "ids": tuple(state["ids"])})
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"not a saved encoder of nodes ({error}): use the run's own file") from error


def dense(features: Any) -> np.ndarray:
    """Features as an array."""
    return np.asarray(features.toarray() if sparse.issparse(features) else features)
