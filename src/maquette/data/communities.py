"""A made-up graph of two communities: 120 nodes, joined more often within their own, with features that say little.

A pair within a community is joined with probability 0.12, across with 0.02. Each node has 8 features, normal around
+0.7 or -0.7 in the first two and around 0 in the others: their sum alone tells the community in five of six cases,
neighbours tell the rest.

**Weakness:** made up; it shows that a model works, not how well.
"""

import numpy as np

from maquette.data.dataset import Card
from maquette.data.graph import Graph
from maquette.data.nodes import GraphDataset, dataset_of

NODES, FEATURES = 120, 8
WITHIN, ACROSS = 0.12, 0.02

CARD = Card(
    title="Two communities",
    task="node-classification",
    source="made on the spot",
    licence="none needed",
    counts={"train": NODES},
    shape=(FEATURES,),
)


def read() -> GraphDataset:
    """Return the GraphDataset of all nodes, without splits."""
    random = np.random.default_rng(0)
    labels = random.permutation(np.arange(NODES) % 2)
    chance = np.where(labels[:, None] == labels, WITHIN, ACROSS)
    edges = np.argwhere(np.triu(random.random((NODES, NODES)) < chance, 1)).T
    features = random.normal(size=(NODES, FEATURES))
    features[:, :2] += np.where(labels, 0.7, -0.7)[:, None]
    graph = Graph(edges, NODES, features=features, labels=labels, classes=("left", "right"), name="communities")
    return dataset_of(graph, "generated")
