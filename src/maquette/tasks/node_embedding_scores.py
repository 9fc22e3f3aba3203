"""What vectors of nodes tell of labels and of links that they were learned without."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maquette.data.dataset import Split
from maquette.data.graph import PARTS, Graph
from maquette.methods.walks.linear_probe import linear_probe
from maquette.methods.walks.link_probe import link_probe
from maquette.tasks.intervals import Measure, wilson
from maquette.tasks.link_scores import link_scores

FITTED = 50_000  # pairs, at most, that a probe of links is fitted on


def names_of(graph: Graph) -> list[str]:
    """The names of all nodes, in their order."""
    return [graph.id_of(i) for i in range(graph.nodes)]


def knows(model: Any, graph: Graph) -> bool:
    """Whether a model of its own table of nodes has just those of the graph."""
    return not hasattr(model, "words") or list(model.words) == names_of(graph)


def of_labels(vectors: np.ndarray, graph: Graph) -> dict[str, Measure]:
    """What a linear probe gets right of the nodes' classes."""
    if graph.labels is None:
        return {}
    train, validation, test = marked(graph)
    found = linear_probe(vectors, graph.labels, train, test, validation)
    return {"accuracy": wilson(int((found == graph.labels[test]).sum()), len(test))}


def of_links(vectors: np.ndarray, links: Mapping[str, Split]) -> dict[str, Measure]:
    """How well products of vectors tell the edges to test from other pairs."""
    if not links:
        return {}
    edges = np.random.default_rng(0).permutation(len(links["train"]) // 2)[: FITTED // 2]
    train = links["train"].take(np.concatenate([2 * edges, 2 * edges + 1]))
    validation = (links["validation"].x.ends, links["validation"].y) if "validation" in links else None
    test = links["test"]
    return link_scores(np.asarray(test.y), link_probe(vectors, train.x.ends, train.y, test.x.ends, validation))


def marked(graph: Graph) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """The nodes to fit a probe on, to choose its strength by, and to score it on."""
    assert graph.labels is not None
    known = np.flatnonzero(graph.labels >= 0)
    if graph.split is None or not (graph.split[known] == PARTS.index("test")).any():
        order = np.random.default_rng(0).permutation(known)
        return order[: len(order) // 2], None, order[len(order) // 2 :]
    train, validation, test = (known[graph.split[known] == i] for i in range(len(PARTS)))
    return train, validation if len(validation) else None, test
