"""Node embedding: a graph in, a vector for each of its nodes out, judged by what the vectors tell of labels.

Data     a built-in graph, a folder with edges.csv and maybe nodes.csv, a .graphml file, or a folder of Planetoid files
Options  walks (from each node), length (nodes in a walk), p, q; pairing: window, with dynamic (windows of random
         reach), or first (the first node of a walk with each later one); component (all, or the largest one), directed
         noise: nodes are drawn as noise by visits or by degree, where the model leaves that open
         scale: of features, where the model looks at them: rows, columns, none, or auto
         test_links, validation_links: shares of the edges that the walks and the network never see
         source_column, target_column, weight_column, id_column, label_column, split_column: what files call them
Metrics  the loss on walks that were not trained on; where classes are known, the accuracy of a linear probe, fitted on
         the nodes marked for training, its strength chosen on those to validate; without marks on half of the nodes;
         where links are held out, the area under the ROC curve and the average precision of logistic regression on the
         products of two nodes' vectors, for the pairs that `link-prediction` is scored on
Answer   the nearest nodes to each id of a text file, an id a line; or to each node of another graph, in a folder or
         .graphml file, where the model makes vectors of features and neighbours
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.graph import Graph
from maquette.data.links import links_of
from maquette.data.nodes import NodeEncoder, Nodes, with_digest
from maquette.data.readers.documents import lines
from maquette.errors import InputError, near
from maquette.methods.signal.signals import count
from maquette.methods.walks.random_walks import Walker, as_text
from maquette.methods.walks.walk_pairs import WalkPairs
from maquette.methods.word_vectors.text_numbers import Vocabulary
from maquette.methods.word_vectors.windows import Windows
from maquette.tasks import graph_figures
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import mean_of
from maquette.tasks.node_embedding_scores import knows, names_of, of_labels, of_links
from maquette.tasks.task import Scored
from maquette.tasks.word_vectors import Encoder, Questions, Thinning, WordVectorsTask

KEYS = ("source", "target", "weight", "id", "label", "split")
TESTED = 1000  # nodes on the walks that are held out
BATCH = 100  # samples whose mean loss is one value
DRAWN = 1000  # nodes


@dataclass(frozen=True)
class NodeVocabulary(Vocabulary):
    """The nodes of a graph, in their own order."""

    graph: Graph | None = None


@dataclass(frozen=True)
class NodeWords(Encoder):
    """Walks on any graph -> numbers of the nodes of the training graph, as Encoder; and how features are scaled."""

    nodes: NodeEncoder = field(default_factory=NodeEncoder)

    def fit(self, x: Any) -> "NodeWords":
        graph = x.vocabulary.graph
        return NodeWords(x.vocabulary, replace(self.nodes).fit(Nodes(graph, np.arange(graph.nodes))))

    def to_json(self) -> str:
        return json.dumps({**json.loads(super().to_json()), "features": replace(self.nodes, ids=()).to_json()})


@dataclass(frozen=True, eq=False)
class Walked(Dataset):
    """Walks on a graph as training items, and the links that they lack, if any, by split."""

    graph: Graph | None = None
    links: Mapping[str, Split] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """A digest of the walks and of the graph, in hex."""
        items = super().fingerprint()
        return items if self.graph is None else with_digest(items, self.graph)


class NodeEmbedding(WordVectorsTask):
    """Outputs are cosines with the first 30,000 nodes: (n, nodes)."""

    name = "node-embedding"
    headline = "accuracy"
    takes_data_of = ("node-classification",)
    higher_is_better = True
    options = {
        **{f"{key}_column": key for key in KEYS},
        **{"walks": 10, "length": 80, "p": 1.0, "q": 1.0, "pairing": "window", "window": 10, "dynamic": True},
        **{"component": "all", "directed": False, "noise": "visits", "subsample": 0.0},
        **{"test_links": 0.0, "validation_links": 0.0, "scale": "auto"},
    }
    option_types = {
        **{f"{key}_column": str for key in KEYS},
        **{"walks": int, "length": int, "p": float, "q": float, "pairing": Literal["window", "first"], "window": int},
        **{"dynamic": bool, "component": Literal["all", "largest"], "directed": bool, "subsample": float},
        **{"noise": Literal["visits", "degree"], "test_links": float, "validation_links": float},
        "scale": Literal["auto", "rows", "columns", "none"],
    }

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.graphs import read_graph

        names = {key: options[f"{key}_column"] for key in KEYS}
        graph = read_graph(path, names, options["directed"])
        own: dict[str, Any] = {"origin": str(path), "classes": graph.classes, "graph": graph}
        return Walked(graph.name, Split(np.arange(graph.nodes)), report=tuple(graph.summary().splitlines()), **own)

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        graph = getattr(dataset, "graph", None)
        if graph is None:
            raise InputError(f"{dataset.name} is no graph: give edges.csv in a folder, or a .graphml file")
        if options["component"] == "largest":
            graph = graph.largest_component()
        if len(graph.isolated()) == graph.nodes:
            raise InputError(f"{dataset.origin}: the graph has {graph.nodes} nodes and no edge to walk on; give some")
        links = _links(graph, options)
        graph = links["train"].x.graph if links else graph
        walks, fresh = _walks(graph, options)
        nodes = _vocabulary(graph, walks, options["noise"])
        train, test = (_samples(part, nodes, options) for part in (walks, fresh))
        report = f"{len(walks):,} walks of {options['length']} nodes, p={options['p']:g}, q={options['q']:g}"
        return Walked(
            **{"name": dataset.name, "origin": dataset.origin, "classes": dataset.classes, "graph": graph},
            train=Split(train),
            test=Split(test),
            report=(*dataset.report, report, f"test: {len(fresh):,} walks more"),
            groups=np.arange(len(train), dtype="int32") // max(1, len(train) // len(walks)),
            links=links,
        )

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        return Thinning(options, seed) if options["pairing"] == "window" else None

    def encoder(self, options: Mapping[str, Any]) -> NodeWords:
        names = {key: options[f"{key}_column"] for key in KEYS}
        return NodeWords(nodes=NodeEncoder(options["scale"], names=names, directed=options["directed"]))

    def restore(self, text: str) -> NodeWords:
        own = super().restore(text)
        return NodeWords(own.vocabulary, NodeEncoder.from_json(json.loads(text)["features"]))

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        features = dataset.train.x.vocabulary.graph.features
        width = 1 if features is None else features.shape[1]
        return {**super().model_arguments(dataset), "node_features": width}

    def placed(self, model: Any, split: Split, encoder: NodeWords) -> Any:
        """A model of features and neighbours on the graph of the items; a table of vectors as it is."""
        vocabulary = split.vocabulary if isinstance(split, Questions) else getattr(split.x, "vocabulary", None)
        graph = getattr(vocabulary, "graph", None)
        if hasattr(model, "place") and graph is not None and model.place_name is not graph:
            return model.on(graph.adjacency(), encoder.nodes.features(graph), name=graph)
        if isinstance(split, Questions) and graph is not None and not hasattr(model, "place"):
            raise InputError(
                f"{graph.name}: {model.name} has vectors of its training graph's nodes alone: give a file of their ids"
            )
        return model

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        rows = split.x.rows()
        if hasattr(model, "words"):
            rows = Encoder(Vocabulary(tuple(model.words), np.asarray(model.counts))).transform(split.x)
        parts = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        losses = [float(model.compute_loss(x, None, model(x), training=False)) for x in parts if x[:, 1:].any()]
        measures = {"loss": mean_of(losses)} if losses else {}
        graph = getattr(dataset, "graph", None)
        if graph is not None and knows(model, graph):
            vectors = model.vectors()
            measures = {**of_labels(vectors, graph), **measures, **of_links(vectors, getattr(dataset, "links", {}))}
        return Scored(split, outputs, measures)

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        graph = getattr(dataset, "graph", None)
        if graph is None or not knows(model, graph):
            return []
        labels = np.zeros(graph.nodes, int) if graph.labels is None else graph.labels
        known = np.flatnonzero(labels >= 0)
        drawn = known[np.linspace(0, len(known) - 1, min(DRAWN, len(known))).astype(int)]
        vectors = model.vectors()[drawn]
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        picture = graph_figures.embedding(vectors, labels[drawn], graph.classes or ("nodes",), tsne=True)
        return [replace(picture, title="Nodes", caption=f"{len(drawn)} nodes by their vectors' directions, by t-SNE.")]

    def read_inputs(self, paths: Sequence[Path], encoder: Encoder, shape: Sequence[int]) -> Split:
        assert encoder.vocabulary
        if paths[0].is_dir() or paths[0].suffix.lower() == ".graphml":
            return _all_nodes(paths, encoder)
        asked = [(path, line.strip()) for path in paths for _, line in lines(path) if line.strip()]
        numbers = encoder.vocabulary.numbers
        for path, name in asked:
            if name not in numbers:
                raise InputError(f"{path}: {name!r} is no node: {near(name, encoder.vocabulary.words[:2000])}")
        if not asked:
            raise InputError(f"{paths[0]}: holds no node; write ids, one a line")
        names = tuple(name for _, name in asked)
        x = np.array([[numbers[name]] for name in names], "int32")
        return Questions(x, names=names, vocabulary=encoder.vocabulary, unknown=((),) * len(names))


def _all_nodes(paths: Sequence[Path], encoder: Any) -> Questions:
    """Questions for the nearest nodes to each node of a graph in a file or folder."""
    from maquette.data.readers.graphs import read_graph

    if len(paths) != 1:
        raise InputError(f"{paths[1]}: give one graph at a time")
    graph = read_graph(paths[0], encoder.nodes.names, encoder.nodes.directed)
    names = tuple(names_of(graph))
    own = NodeVocabulary(names, np.ones(len(names), np.int64), graph)
    return Questions(
        np.arange(1, len(names) + 1, dtype="int32")[:, np.newaxis],
        names=names,
        vocabulary=own,
        unknown=((),) * len(names),
    )


def _links(graph: Graph, options: Mapping[str, Any]) -> dict[str, Split]:
    """The links that are held out, by split; none where none are asked for."""
    if not options["test_links"] and not options["validation_links"]:
        return {}
    return links_of(graph.without_loops().undirected(), options["test_links"], options["validation_links"])


def _walks(graph: Graph, options: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The walks to train on, and some more."""
    walker, random = Walker(graph, options["p"], options["q"]), np.random.default_rng(options["seed"])
    starts = [random.permutation(graph.nodes) for _ in range(count(options["walks"], "inputs.walks") + 1)]
    length = count(options["length"], "inputs.length", 2)
    kept = walker.walk(np.concatenate(starts[:-1]), length, options["seed"])
    fresh = starts[-1][: max(1, TESTED // length)]
    return kept, walker.walk(fresh, length, options["seed"], first=len(kept))


def _vocabulary(graph: Graph, walks: np.ndarray, noise: str) -> Vocabulary:
    """The nodes in their own order; those that were never met count once, so that each can be drawn as noise."""
    counts = np.bincount(walks[walks >= 0], minlength=graph.nodes) if noise == "visits" else graph.degrees()
    return NodeVocabulary(tuple(names_of(graph)), np.maximum(np.rint(counts), 1).astype(np.int64), graph)


def _samples(walks: np.ndarray, nodes: Vocabulary, options: Mapping[str, Any]) -> Any:
    if options["pairing"] == "first":
        return WalkPairs(walks, nodes)
    return Windows(as_text(walks), nodes, options["window"])


TASK = NodeEmbedding()
