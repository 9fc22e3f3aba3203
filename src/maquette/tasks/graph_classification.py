"""Graph classification: a whole graph in, one of several classes out.

Data     a built-in set, or a set of the TU Dortmund collection, a .zip file or its folder
Options  fold: of the ten stratified ones, counted from 1; by default a run of seed s takes fold 1 + s mod 10, so that
         ten seeds are the ten-fold cross-validation. `validation` is a share of the other nine
Metrics  accuracy and error with Wilson intervals, log loss, expected calibration error, precision, recall, F1
Answer   the three most probable classes of each graph of another file
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maquette.core.graph_blocks import EDGES, NODES
from maquette.data.dataset import Dataset, Split
from maquette.data.graph_set import GraphSet, GraphSetDataset, features_of, hops
from maquette.errors import InputError
from maquette.tasks.classification import Classification


@dataclass(frozen=True)
class GraphSetEncoder:
    """Graphs -> their numbers: float32 (n, 1)."""

    def fit(self, x: GraphSet) -> "GraphSetEncoder":
        return self

    def transform(self, x: Any) -> np.ndarray:
        return x if isinstance(x, np.ndarray) else np.asarray(x, np.float32).reshape(-1, 1)

    def to_json(self) -> str:
        return "{}"


def with_room(x: GraphSet, epoch: int = 0, index: int = 0) -> np.ndarray:
    """Numbers of graphs, and a column more for each block of nodes or edges that they need: float32 (n, 1 + blocks).

    The blocks are few different numbers, at most a quarter more than needed, or one. Those of an epoch's first two
    batches differ: Keras on TensorFlow measures these two, and allows a size to vary that differs between them.
    """
    sizes = x.sizes()
    need = max(sizes.sum() / NODES, (hops(x).sum() + sizes.sum()) / EDGES, 1)
    step = 2.0 ** max(0, np.floor(np.log2(need)) - 2)
    blocks = int(np.ceil(need / step) * step)
    if index < 2 and blocks % 2 != index:
        blocks += 1
    found = np.zeros((len(x), 1 + blocks), np.float32)
    found[:, 0] = x.places
    return found


class GraphClassification(Classification):
    """Items are graphs, outputs class probabilities: (n, classes)."""

    name = "graph-classification"
    reads_a_file = True
    most_answered = 10**9  # every batch computes all graphs
    options = {"fold": None}
    option_types = {"fold": int | None}

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.tu_graphs import read_tu

        return read_tu(path)

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        if not isinstance(dataset, GraphSetDataset):
            raise InputError(f"{dataset.name} is no set of graphs: give one of the TU Dortmund collection")
        if dataset.folds is None:
            return dataset
        return dataset.with_fold(options["fold"] or 1 + options["seed"] % int(dataset.folds.max()))

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        """A training batch says how much room its graphs need, so that no others are computed."""
        return with_room

    def encoder(self, options: Mapping[str, Any]) -> GraphSetEncoder:
        return GraphSetEncoder()

    def restore(self, text: str) -> GraphSetEncoder:
        return GraphSetEncoder()

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        return {**super().model_arguments(dataset), "node_features": features_of(dataset.train.x.union).shape[1]}

    def placed(self, model: Any, split: Split, encoder: Any) -> Any:
        """The model on the graphs of the items: itself where it is there, or has no place yet; else a copy."""
        if not isinstance(split.x, GraphSet) or model.place_name is split.x.union:
            return model
        union = split.x.union
        return model.on(union.adjacency(), features_of(union), split.x.starts, union)

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        if len(paths) != 1:
            raise InputError(f"{paths[1]}: give one set of graphs at a time")
        train = self.read(paths[0], {}).train
        return Split(train.x, None, train.names)


TASK = GraphClassification()
