"""Link prediction: a graph that lacks some of its edges in, how probable an edge between two nodes is out.

Data     a built-in graph, a folder with edges.csv and maybe nodes.csv, a .graphml file, or a folder of Planetoid files
Options  test_links, validation_links: shares of the edges that are held out, with as many pairs that no edge joins; a
         network sees neither. Which they are depends on the graph alone, not on the run's seed
         component (all, or the largest one); scale: of features: rows, columns, none, or auto
         source_column, target_column, weight_column, id_column, label_column, split_column: what files call them
Metrics  area under the ROC curve and average precision on the held-out pairs, with bootstrap intervals; log loss
Answer   for a table of pairs, the probability of each; for a table of ids, the most probable new neighbours of each
         node; for a graph, in a folder or .graphml file, its most probable missing links

Directions of edges are dropped, and edges from a node to itself. In training the pairs without an edge are drawn anew
in every epoch. A probability is that of a draw in which edges are as frequent as other pairs: it ranks, and is no share
of all pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.graph import Graph
from maquette.data.links import Links, Pairs, Seen, keys_of, links_of
from maquette.data.nodes import GraphDataset, NodeEncoder, Nodes
from maquette.errors import InputError
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import mean_of
from maquette.tasks.link_scores import link_scores, roc
from maquette.tasks.task import Scored, Task

KEYS = ("source", "target", "weight", "id", "label", "split")
NEAREST, MOST_LINKS = 10, 100  # new neighbours of a node, and links of a graph, that are answered
MOST_PAIRS = 2**22  # of a graph that has more those with a common neighbour alone are looked at
TINY = 1e-7


@dataclass
class PairEncoder(NodeEncoder):
    """Pairs -> their nodes' numbers; features as of the training graph; see NodeEncoder.

    Attributes:
        edges: what is known of the training graph, held-out edges included: two rows of nodes.
    """

    edges: list[list[int]] = field(default_factory=list)

    def fit(self, x: Pairs) -> "PairEncoder":  # type: ignore[override]
        super().fit(Nodes(x.graph, np.arange(x.graph.nodes)))
        self.edges = x.seen.whole.edges.tolist()
        return self

    def transform(self, x: Any) -> np.ndarray:
        """The numbers of the nodes: float32 (n, 2)."""
        return np.asarray(x).astype(np.float32).reshape(-1, 2)


@dataclass(frozen=True)
class Redraw:
    """The random change of a training batch: other non-edges."""

    seed: int

    def __call__(self, x: Pairs, epoch: int, index: int) -> Pairs:
        return x.redrawn(np.random.default_rng((self.seed, epoch, index)))


@dataclass(frozen=True)
class Asked(Split):
    """Pairs to answer for.

    Attributes:
        ids: names of all nodes.
        most: how many of the most probable pairs are answered; 0 for all of them, in their order.
        of: int (n,), the node that is asked about; without it all pairs are one question.
    """

    ids: Sequence[str] = ()
    most: int = 0
    of: np.ndarray | None = None


class LinkPrediction(Task):
    """Outputs are probabilities of an edge: (n,)."""

    name = "link-prediction"
    headline = "roc_auc"
    higher_is_better = True
    reads_a_file = True
    most_answered = 10**9  # every batch computes the whole graph
    takes_data_of = ("node-classification",)
    options = {
        **{f"{key}_column": key for key in KEYS},
        **{"test_links": 0.1, "validation_links": 0.05, "component": "all", "scale": "auto"},
    }
    option_types = {
        **{f"{key}_column": str for key in KEYS},
        **{"test_links": float, "validation_links": float, "component": Literal["all", "largest"]},
        "scale": Literal["auto", "rows", "columns", "none"],
    }

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.graphs import read_graph

        graph = read_graph(path, {key: options[f"{key}_column"] for key in KEYS})
        own: dict[str, Any] = {"origin": str(path), "graph": graph}
        return GraphDataset(
            graph.name, Split(Nodes(graph, np.arange(graph.nodes))), report=tuple(graph.summary().splitlines()), **own
        )

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        graph = getattr(dataset, "graph", None)
        if graph is None:
            raise InputError(f"{dataset.name} is no graph: give edges.csv in a folder, or a .graphml file")
        graph = (graph.largest_component() if options["component"] == "largest" else graph).without_loops().undirected()
        try:
            splits = links_of(graph, options["test_links"], options["validation_links"])
        except InputError as error:
            raise InputError(f"{dataset.name}: {error}") from None
        line = ", ".join(f"{part}: {len(split) // 2} edges" for part, split in splits.items())
        own: dict[str, Any] = {"origin": dataset.origin, "graph": graph, **splits}
        return Links(dataset.name, report=(*dataset.report, f"{line}, as many non-edges"), **own)

    def change(self, options: Mapping[str, Any], seed: int) -> Redraw:
        return Redraw(seed)

    def encoder(self, options: Mapping[str, Any]) -> PairEncoder:
        return PairEncoder(options["scale"], names={key: options[f"{key}_column"] for key in KEYS})

    def restore(self, text: str) -> NodeEncoder:
        return PairEncoder.from_json(text)

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        features = dataset.train.x.graph.features
        return {"node_features": 1 if features is None else features.shape[1]}

    def placed(self, model: Any, split: Split, encoder: PairEncoder) -> Any:
        """The model on what is seen of the graph around the pairs: itself where it is there; else a copy."""
        if not isinstance(split.x, Pairs) or model.place_name is split.x.graph:
            return model
        graph = split.x.graph
        return model.on(graph.adjacency(), encoder.features(graph), name=graph)

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        y = np.asarray(split.y)
        chance = np.clip(np.where(y == 1, outputs, 1 - np.asarray(outputs, np.float64)), TINY, 1)
        return Scored(split, outputs, {**link_scores(y, outputs), "log_loss": mean_of(-np.log(chance))})

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        if not len(scored.outputs):
            return []
        return [roc(np.asarray(scored.split.y), scored.outputs, scored.measures["roc_auc"])]

    def read_inputs(self, paths: Sequence[Path], encoder: PairEncoder, shape: Sequence[int]) -> Split:
        from maquette.data.readers.graphs import read_graph
        from maquette.data.readers.tables import read_columns

        if len(paths) != 1:
            raise InputError(f"{paths[1]}: give one file or folder at a time, a table of pairs or ids, or a graph")
        path, names = paths[0], encoder.names
        if path.is_dir() or path.suffix.lower() == ".graphml":
            graph = read_graph(path, names).without_loops().undirected()
            seen, ends = Seen(graph, graph), _missing(graph, path)
            ids = tuple(graph.id_of(i) for i in range(graph.nodes))
            return Asked(Pairs(seen, ends, np.zeros(len(ends), bool)), ids=ids, most=MOST_LINKS)
        columns = read_columns(path, text=(names["id"], names["source"], names["target"]))
        ids = encoder.ids or tuple(map(str, range(encoder.nodes)))
        try:
            if {names["source"], names["target"]} <= set(columns):
                pairs = [encoder.numbers(columns[names[key]].tolist()) for key in ("source", "target")]
                return Asked(np.stack(pairs, axis=1), ids=ids)
            if names["id"] in columns:
                return _of_nodes(encoder, encoder.numbers(columns[names["id"]].tolist()), ids)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        wanted = f"'{names['source']}' and '{names['target']}' of pairs, or '{names['id']}' of nodes"
        raise InputError(f"{path} has no columns {wanted}: name them so")

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        assert isinstance(split, Asked)
        ends = np.asarray(split.x)
        if split.of is None:
            order = np.argsort(-outputs, kind="stable")[: split.most] if split.most else np.arange(len(ends))
            names = (("source", "target", "probability"), split.ids)
            return [dict(zip(names[0], (*(names[1][i] for i in ends[k]), float(outputs[k])))) for k in order]
        rows = []
        for node in dict.fromkeys(split.of.tolist()):
            own = np.flatnonzero(split.of == node)
            best = own[np.argsort(-outputs[own], kind="stable")[: split.most]]
            rows.append({"input": split.ids[node], "links": {split.ids[ends[k, 1]]: float(outputs[k]) for k in best}})
        return rows


def _missing(graph: Graph, path: Path) -> np.ndarray:
    """Pairs that no edge joins, all of them or those with a common neighbour: int32 (n, 2)."""
    if graph.nodes * (graph.nodes - 1) // 2 <= MOST_PAIRS:
        ends = np.stack(np.triu_indices(graph.nodes, 1), axis=1)
    else:
        joined = graph.adjacency()
        if (degrees := np.diff(joined.indptr).astype(np.int64)) @ degrees > 20 * MOST_PAIRS:
            raise InputError(f"{path}: too many pairs have a common neighbour: ask by a table of ids for some nodes")
        common = (joined @ joined).tocoo()
        ends = np.stack([common.row, common.col], axis=1)[common.row < common.col]
    return ends[~np.isin(keys_of(ends, graph.nodes), keys_of(graph.edges.T, graph.nodes))].astype(np.int32)


def _of_nodes(encoder: PairEncoder, asked: np.ndarray, ids: Sequence[str]) -> Asked:
    """Each node that is asked about with all that it is not joined to."""
    known, every = keys_of(np.array(encoder.edges).T, encoder.nodes), np.arange(encoder.nodes)
    ends = np.concatenate([np.stack([np.full_like(every, node), every], axis=1) for node in asked])
    free = ~np.isin(keys_of(ends, encoder.nodes), known) & (ends[:, 0] != ends[:, 1])
    return Asked(ends[free].astype(np.int32), ids=ids, most=NEAREST, of=ends[free, 0])


TASK = LinkPrediction()
