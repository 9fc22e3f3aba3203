"""Node classification: a graph in which some nodes' classes are known in, the classes of the others out.

Data     a built-in graph, a folder with edges.csv and nodes.csv, a .graphml file, or a folder of Planetoid files
Options  split: public, as the data mark it; random, `per_class` nodes of each class to train on, drawn by the seed; or
         fractions, `test` and `validation` of the labelled nodes. By default public where nodes are marked
         per_class, component (all, or the largest one), directed, hide_test (nodes to test are no part of the graph
         while it is trained on)
         scale: of features: rows, columns, none, or auto
         source_column, target_column, weight_column, id_column, label_column, split_column: what files call them
Metrics  accuracy and error with Wilson intervals, log loss, expected calibration error, precision, recall, F1
Answer   the three most probable classes of each node: of those that a table of ids names, or of a graph that the model
         has not seen, read from the same kinds of files as the training graph
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.graph import PARTS
from maquette.data.nodes import SCALES, GraphDataset, NodeEncoder, Nodes, dataset_of, random_marks, split_of, with_marks
from maquette.errors import InputError, near
from maquette.tasks import graph_figures
from maquette.tasks.classification import Classification
from maquette.tasks.figure import Figure
from maquette.tasks.task import Scored

KEYS = ("source", "target", "weight", "id", "label", "split")
CHOICES = {
    **{"split": (None, "public", "random", "fractions"), "component": ("all", "largest")},
    "scale": SCALES,
}


class NodeClassification(Classification):
    """Items are nodes, outputs class probabilities: (n, classes)."""

    name = "node-classification"
    reads_a_file = True
    most_answered = 10**9  # every batch computes the whole graph
    options = {
        **{f"{key}_column": key for key in KEYS},
        **{"split": None, "per_class": 20, "component": "all", "directed": False, "hide_test": False},
        "scale": "auto",
    }
    option_types = {
        **{f"{key}_column": str for key in KEYS},
        **{"split": str | None, "per_class": int, "component": str, "directed": bool, "hide_test": bool},
        "scale": str,
    }

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.graphs import read_graph

        graph = read_graph(path, _names(options), options["directed"])
        try:
            return dataset_of(graph, str(path))
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        if not isinstance(dataset, GraphDataset) or dataset.graph is None:
            raise InputError(
                f"{dataset.name} is no graph: give edges.csv and nodes.csv in a folder, or a .graphml file"
            )
        for option, known in CHOICES.items():
            if options[option] not in known:
                raise InputError(f"inputs.{option}={options[option]}: {near(options[option], filter(None, known))}")
        graph = dataset.graph
        if options["component"] == "largest" and len(np.unique(graph.components())) > 1:
            dataset = replace(dataset_of(graph.largest_component(), dataset.origin), name=dataset.name)
            graph = dataset.train.x.graph
        split = options["split"] or ("public" if graph.split is not None else "fractions")
        if split == "fractions" and options["hide_test"]:
            raise InputError("inputs.hide_test=true: nodes can be hidden of inputs.split=public or random alone")
        if split == "fractions":
            return dataset
        if split == "random":
            marks = random_marks(graph, options["per_class"], options["seed"])
        elif graph.split is None:
            raise InputError(f"inputs.split=public: {dataset.name} marks no nodes; take random or fractions")
        else:
            marks = graph.split
        return _checked(with_marks(dataset, marks, options["hide_test"]))

    def encoder(self, options: Mapping[str, Any]) -> NodeEncoder:
        return NodeEncoder(options["scale"], names=_names(options), directed=options["directed"])

    def restore(self, text: str) -> NodeEncoder:
        return NodeEncoder.from_json(text)

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        features = dataset.train.x.graph.features
        return {**super().model_arguments(dataset), "node_features": 1 if features is None else features.shape[1]}

    def placed(self, model: Any, split: Split, encoder: NodeEncoder) -> Any:
        """The model on the graph of the items: itself where it is there, or has no place yet; else a copy."""
        if not isinstance(split.x, Nodes) or model.place_name is split.x.graph:
            return model
        graph = split.x.graph
        return model.on(graph.adjacency(), encoder.features(graph), name=graph)

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        return graph_figures.draw(self.placed(model, scored.split, encoder), encoder, scored, dataset)

    def read_inputs(self, paths: Sequence[Path], encoder: NodeEncoder, shape: Sequence[int]) -> Split:
        from maquette.data.readers.graphs import read_graph
        from maquette.data.readers.tables import read_columns

        if len(paths) != 1:
            raise InputError(f"{paths[1]}: give one file or folder at a time, a table of ids or a graph")
        path, key = paths[0], encoder.names["id"]
        if path.is_file() and path.suffix.lower() != ".graphml":
            columns = read_columns(path, text=(key,))
            if encoder.names["source"] not in columns:
                return _named(path, columns, key, encoder)
        graph = read_graph(path, encoder.names, encoder.directed)
        return split_of(graph, np.arange(graph.nodes))


def _names(options: Mapping[str, Any]) -> dict[str, str]:
    return {key: options[f"{key}_column"] for key in KEYS}


def _checked(dataset: GraphDataset) -> GraphDataset:
    """The data set; raises InputError for a class that is to be found and has no node to train on."""
    for part in PARTS[1:]:
        split = getattr(dataset, part)
        lost = np.setdiff1d(() if split is None else split.y, np.asarray(dataset.train.y))
        if len(lost):
            raise InputError(
                f"{dataset.name}: class {dataset.classes[int(lost[0])]!r} is in the {part} split and has no node "
                "to train on: mark some of its nodes for training, or take their labels off"
            )
    return dataset


def _named(path: Path, columns: Mapping[str, np.ndarray], key: str, encoder: NodeEncoder) -> Split:
    """The nodes of the training graph that a table of ids names."""
    if key not in columns:
        raise InputError(f"{path} has no column '{key}' of nodes, and no '{encoder.names['source']}' of edges")
    names = columns[key].tolist()
    try:
        return Split(encoder.transform(encoder.numbers(names)), None, tuple(names))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


TASK = NodeClassification()
