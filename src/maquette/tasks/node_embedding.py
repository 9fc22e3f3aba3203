"""Node embedding: a graph in, a vector for each of its nodes out, judged by what the vectors tell of labels.

Data     a built-in graph, a folder with edges.csv and maybe nodes.csv, a .graphml file, or a folder of Planetoid files
Options  walks (from each node), length (nodes in a walk), p, q; pairing: window, with dynamic (windows of random
         reach), or first (the first node of a walk with each later one); component (all, or the largest one), directed
         noise: nodes are drawn as noise by visits or by degree
         source_column, target_column, weight_column, id_column, label_column, split_column: what files call them
Metrics  the loss on walks that were not trained on; where classes are known, the accuracy of a linear probe, fitted on
         the nodes marked for training, its strength chosen on those to validate; without marks on half of the nodes
Answer   the nearest nodes to each id of a text file, an id a line
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.graph import PARTS, Graph
from maquette.data.readers.documents import lines
from maquette.errors import InputError, near
from maquette.methods.signal.signals import count
from maquette.methods.walks.linear_probe import linear_probe
from maquette.methods.walks.random_walks import Walker, as_text
from maquette.methods.walks.walk_pairs import WalkPairs
from maquette.methods.word_vectors.text_numbers import Vocabulary
from maquette.methods.word_vectors.windows import Windows
from maquette.tasks import graph_figures
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import mean_of, wilson
from maquette.tasks.task import Scored
from maquette.tasks.word_vectors import Encoder, Questions, Thinning, WordVectorsTask

KEYS = ("source", "target", "weight", "id", "label", "split")
TESTED = 1000  # nodes on the walks that are held out
BATCH = 100  # samples whose mean loss is one value
DRAWN = 1000  # nodes


@dataclass(frozen=True, eq=False)
class Walked(Dataset):
    """Walks on a graph as training items."""

    graph: Graph | None = None


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
    }
    option_types = {
        **{f"{key}_column": str for key in KEYS},
        **{"walks": int, "length": int, "p": float, "q": float, "pairing": Literal["window", "first"], "window": int},
        **{"dynamic": bool, "component": Literal["all", "largest"], "directed": bool, "subsample": float},
        "noise": Literal["visits", "degree"],
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
        )

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        return Thinning(options, seed) if options["pairing"] == "window" else None

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        own = Encoder(Vocabulary(tuple(model.words), np.asarray(model.counts)))
        rows = own.transform(split.x)
        parts = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        losses = [float(model.compute_loss(x, None, model(x), training=False)) for x in parts if x[:, 1:].any()]
        measures = {"loss": mean_of(losses)} if losses else {}
        graph = getattr(dataset, "graph", None)
        if graph is not None and graph.labels is not None and list(model.words) == _names(graph):
            train, validation, test = _marked(graph)
            found = linear_probe(model.vectors(), graph.labels, train, test, validation)
            right = int((found == graph.labels[test]).sum())
            measures = {"accuracy": wilson(right, len(test)), **measures}
        return Scored(split, outputs, measures)

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        graph = getattr(dataset, "graph", None)
        if graph is None or list(model.words) != _names(graph):
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


def _walks(graph: Graph, options: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The walks to train on, and some more."""
    walker, random = Walker(graph, options["p"], options["q"]), np.random.default_rng(options["seed"])
    starts = [random.permutation(graph.nodes) for _ in range(count(options["walks"], "inputs.walks") + 1)]
    length = count(options["length"], "inputs.length", 2)
    kept = walker.walk(np.concatenate(starts[:-1]), length, options["seed"])
    fresh = starts[-1][: max(1, TESTED // length)]
    return kept, walker.walk(fresh, length, options["seed"], first=len(kept))


def _names(graph: Graph) -> list[str]:
    return [graph.id_of(i) for i in range(graph.nodes)]


def _vocabulary(graph: Graph, walks: np.ndarray, noise: str) -> Vocabulary:
    """The nodes in their own order; those that were never met count once, so that each can be drawn as noise."""
    counts = np.bincount(walks[walks >= 0], minlength=graph.nodes) if noise == "visits" else graph.degrees()
    return Vocabulary(tuple(_names(graph)), np.maximum(np.rint(counts), 1).astype(np.int64))


def _samples(walks: np.ndarray, nodes: Vocabulary, options: Mapping[str, Any]) -> Any:
    if options["pairing"] == "first":
        return WalkPairs(walks, nodes)
    return Windows(as_text(walks), nodes, options["window"])


def _marked(graph: Graph) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """The nodes to fit a probe on, to choose its strength by, and to score it on."""
    assert graph.labels is not None
    known = np.flatnonzero(graph.labels >= 0)
    if graph.split is None or not (graph.split[known] == PARTS.index("test")).any():
        order = np.random.default_rng(0).permutation(known)
        return order[: len(order) // 2], None, order[len(order) // 2 :]
    train, validation, test = (known[graph.split[known] == i] for i in range(len(PARTS)))
    return train, validation if len(validation) else None, test


TASK = NodeEmbedding()
