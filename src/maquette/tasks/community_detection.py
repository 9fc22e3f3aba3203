"""Community detection: a graph in, the community of each node out; labels, where there are any, only score the result.

Data     a built-in graph, a folder with edges.csv and maybe nodes.csv, a .graphml file, or a folder of Planetoid files
Options  component (all, or the largest one)
         source_column, target_column, weight_column, id_column, label_column, split_column: what files call them
Metrics  modularity, the number of communities and the largest conductance, of the whole graph; where classes are known,
         normalised mutual information and adjusted Rand index against them
Answer   the communities of each id of a text file, an id a line

Directions of edges are dropped, and edges from a node to itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.graph import Graph
from maquette.data.readers.documents import lines
from maquette.errors import InputError, near
from maquette.methods.spectral.communities import score as scored_by
from maquette.tasks import graph_figures
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import Measure, bootstrap
from maquette.tasks.task import Scored, Task

KEYS = ("source", "target", "weight", "id", "label", "split")


@dataclass(frozen=True, eq=False)
class Ends:
    """Some of the edges of a graph, as rows of two nodes."""

    graph: Graph
    places: np.ndarray

    dtype = np.dtype("int32")
    ndim = 2

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), 2

    @property
    def size(self) -> int:
        return 2 * len(self)

    def __getitem__(self, chosen: Any) -> "Ends":
        return Ends(self.graph, self.places[chosen])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.graph.edges[:, self.places].T)


@dataclass(frozen=True)
class Encoder:
    """Rows of nodes as they are; nodes by name."""

    ids: tuple[str, ...] = ()

    def fit(self, x: Ends) -> "Encoder":
        return Encoder(tuple(x.graph.id_of(i) for i in range(x.graph.nodes)))

    def transform(self, x: Any) -> np.ndarray:
        return np.asarray(x).astype("int32")

    def to_json(self) -> str:
        return json.dumps({"ids": self.ids})


@dataclass(frozen=True, eq=False)
class Edges(Dataset):
    """Edges of a graph as training items."""

    graph: Graph | None = None


class CommunityDetection(Task):
    """Outputs are shares of communities: (n, communities)."""

    name = "community-detection"
    headline = "modularity"
    higher_is_better = True
    reads_a_file = True
    takes_data_of = ("node-classification",)
    options = {**{f"{key}_column": key for key in KEYS}, "component": "all"}
    option_types = {**{f"{key}_column": str for key in KEYS}, "component": Literal["all", "largest"]}

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.graphs import read_graph

        graph = read_graph(path, {key: options[f"{key}_column"] for key in KEYS})
        own: dict[str, Any] = {"origin": str(path), "graph": graph}
        return Edges(graph.name, Split(np.arange(graph.nodes)), report=tuple(graph.summary().splitlines()), **own)

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        graph = getattr(dataset, "graph", None)
        if graph is None:
            raise InputError(f"{dataset.name} is no graph: give edges.csv in a folder, or a .graphml file")
        graph = (graph.largest_component() if options["component"] == "largest" else graph).without_loops().undirected()
        count = graph.edges.shape[1]
        if not count:
            raise InputError(f"{dataset.origin}: the graph has no edge between two nodes; give some")
        weights = np.ones(count) if graph.weights is None else graph.weights
        whole = Split(Ends(graph, np.arange(count)), np.asarray(weights, np.float32))
        own: dict[str, Any] = {"train": whole, "test": whole, "graph": graph}
        return Edges(dataset.name, origin=dataset.origin, report=(*dataset.report, "scored on the whole graph"), **own)

    def encoder(self, options: Mapping[str, Any]) -> Encoder:
        return Encoder()

    def restore(self, text: str) -> Encoder:
        return Encoder(tuple(json.loads(text)["ids"]))

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        return {"degrees": dataset.train.x.graph.degrees().tolist()}

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        graph = split.x.graph
        found = communities(model)
        values = scored_by(graph, found)
        measures = {key: Measure(values[key]) for key in ("modularity", "communities", "conductance")}
        known = np.flatnonzero(graph.labels >= 0) if graph.labels is not None else np.zeros(0, int)
        if len(known):
            from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

            truth, own = graph.labels[known], found[known]
            for key, of in (("nmi", normalized_mutual_info_score), ("adjusted_rand", adjusted_rand_score)):
                measures[key] = _agreement(of, truth, own)
        return Scored(split, outputs, measures)

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        graph, found = scored.split.x.graph, communities(model)
        return [replace(graph_figures.drawing(graph, found), title="Communities")]

    def read_inputs(self, paths: Sequence[Path], encoder: Encoder, shape: Sequence[int]) -> Split:
        asked = [(path, line.strip()) for path in paths for _, line in lines(path) if line.strip()]
        numbers = {name: i for i, name in enumerate(encoder.ids)}
        for path, name in asked:
            if name not in numbers:
                raise InputError(f"{path}: {name!r} is no node: {near(name, encoder.ids[:2000])}")
        if not asked:
            raise InputError(f"{paths[0]}: holds no node; write ids, one a line")
        x = np.array([[numbers[name]] * 2 for _, name in asked], "int32")
        return Split(x, names=tuple(name for _, name in asked))

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        rows = []
        for name, shares in zip(split.names, outputs, strict=True):
            best = np.argsort(-shares, kind="stable")[:3]
            rows.append({"input": name, "community": int(best[0]), "shares": {str(k): float(shares[k]) for k in best}})
        return rows


def _agreement(of: Any, truth: np.ndarray, found: np.ndarray) -> Measure:
    return bootstrap(lambda rows: float(of(truth[rows], found[rows])), len(truth), 100)


def communities(model: Any) -> np.ndarray:
    """The community of each node by its largest share: int64 (nodes,)."""
    nodes = np.arange(len(model.degrees))[:, np.newaxis]
    return np.asarray(model.predict(nodes, batch_size=len(nodes), verbose=0)).argmax(axis=1)


TASK = CommunityDetection()
