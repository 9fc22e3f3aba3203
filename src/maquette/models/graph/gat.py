"""Graph attention network: every node decides how much each of its neighbours counts.

Scores      e_ij = LeakyReLU(a.W x_i + b.W x_j), for edges from j to i and for j = i; or (W x_i).(W x_j)/sqrt(units)
Shares      alpha_ij = exp(e_ij) / sum_l exp(e_il), dropped out; they add up to 1 at every node
Layers      H_i = ELU(joined over heads of sum_j alpha_ij W x_j + c)             (nodes, heads units)
            Z_i = mean over last_heads of sum_j alpha'_ij W' H_j + c'            (nodes, classes), logits
Loss        cross-entropy of the nodes whose class is known, mean, + decay/2 (|W|^2 + |a|^2 + |b|^2) of both layers
Constant    the graph and X

This is self-attention, from the nodes of a graph to nodes of the same graph, with the edges for a mask; cross-attention
would look from one set to another. No eigenvector and no degree enters, so that it answers on other graphs. Which
neighbour counts most is the same for all who look at it (additive scores; see `layers/graph_attention`). Weights of
edges are not looked at.

Source: Velickovic et al. (2018), "Graph attention networks", sections 2 and 3.3.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.gat import GAT
    >>> model = GAT(node_features=2, classes=3)
    >>> model.place(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), np.eye(2, dtype="float32"))
    >>> model(np.array([[0], [1], [1]])).shape[1]
    3
"""

from typing import Any

import keras
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.layers.edges import Edges
from maquette.layers.graph_attention import GraphAttention
from maquette.methods.spectral.renormalization import with_loops
from maquette.models.graph._node_classifier import NodeClassifier

RECIPE = Recipe(
    name="cora-gat",
    task="node-classification",
    data="cora",
    model={"units": 8, "heads": 8, "dropout": 0.6, "attention_dropout": 0.6, "decay": 5e-4},
    optimizer={"adam": 0.005},
    batch_size=0,
    epochs=1000,
    shuffle=False,
    patience=100,
    seeds=100,
    minutes=0.5,
    expect={"test_accuracy": Expect(0.830, "Velickovic et al. (2018), table 2 (public split)", "near", 0.007)},
    tiny={"data": "communities", "model.units": 2, "model.heads": 2, "epochs": 3, "patience": 0},
)


@keras.saving.register_keras_serializable("maquette")
class GAT(NodeClassifier):
    """x: (batch, 1), numbers of nodes from 0 -> logits: (batch, classes).

    Args:
        node_features: features of a node.
        classes: number of classes.
        units: of a head of the first layer.
        heads: of the first layer, which stand side by side.
        last_heads: of the last layer, which are averaged.
        dot: whether scores are dot products.
        dropout: share of the inputs of both layers that is dropped in training.
        attention_dropout: share of alpha that is dropped in training.
        decay: weight of the squares of the weights / 2 in the loss.
        seed: of the weights and of dropout.
    """

    tasks = ("node-classification",)

    def __init__(
        self,
        node_features: int = 1,
        classes: int = 2,
        units: int = 8,
        heads: int = 8,
        last_heads: int = 1,
        dot: bool = False,
        dropout: float = 0.6,
        attention_dropout: float = 0.6,
        decay: float = 5e-4,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, classes, seed, **kwargs)
        self.units, self.heads, self.last_heads, self.dot = units, heads, last_heads, dot
        self.dropout, self.attention_dropout, self.decay = dropout, attention_dropout, decay
        own: dict[str, Any] = {"dot": dot, "dropout": dropout, "attention_dropout": attention_dropout, "decay": decay}
        self.first = GraphAttention(node_features, units, heads, seed=seed, name="first", **own)
        wide = units * heads
        self.head = GraphAttention(wide, classes, last_heads, joined=False, seed=seed + 5, name="head", **own)
        self.start_nowhere()

    def prepare(self, adjacency: Any) -> None:
        """Keep the edges into each node, and one from itself."""
        self.edges = Edges.of(with_loops(adjacency.T))

    def hidden(self, training: bool = False) -> Any:
        """H: (nodes, heads units)."""
        return ops.elu(self.first(self.node_values, edges=self.edges, entries=self.entries, training=training))

    def logits(self, training: bool) -> Any:
        """Z: (nodes, classes)."""
        return self.head(self.hidden(training), edges=self.edges, training=training)
