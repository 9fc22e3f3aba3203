"""Graph convolutional network: what a node is, from the words of its neighbours' neighbours.

Matrix      S = D^-1/2 (A + I) D^-1/2, D the degrees of A + I                   (nodes, nodes), sparse
Layers      H_1 = ReLU(S drop(X) W_1)                                           (nodes, hidden_units)
            Z = S drop(H_1) W_2                                                 (nodes, classes), logits
Loss        cross-entropy of the nodes whose class is known, mean, + decay/2 |W_1|^2
Constant    S and X: the loss moves W alone. All nodes are computed in every step, those of unknown class as neighbours

X is row-normalised, and where most of it is zero only the rest is multiplied and dropped out. One weight matrix serves
every node, so that the network answers on a graph it has not seen. Each layer reaches one hop farther; many layers make
all nodes alike, since powers of S tend to sqrt(D_ii D_jj). It holds the whole graph at once: for one too large for
memory, sample neighbours (GraphSAGE).

Source: Kipf, Welling (2017), "Semi-supervised classification with graph convolutional networks", sections 2 and 3.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.gcn import GCN
    >>> model = GCN(node_features=2, classes=3)
    >>> model.place(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), np.eye(2, dtype="float32"))
    >>> model(np.array([[0], [1], [1]])).shape[1]
    3
"""

from typing import Any

import keras
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.layers.edges import Edges
from maquette.layers.graph_convolution import GraphConvolution
from maquette.methods.spectral.renormalization import renormalized
from maquette.models.graph._node_classifier import NodeClassifier

RECIPE = Recipe(
    name="cora-gcn",
    task="node-classification",
    data="cora",
    model={"hidden_units": 16, "dropout": 0.5, "decay": 5e-4},
    optimizer={"adam": 0.01},
    batch_size=0,
    epochs=200,
    shuffle=False,
    patience=10,
    seeds=100,
    minutes=0.2,
    expect={"test_accuracy": Expect(0.815, "Kipf, Welling (2017), table 2 (public split)", "near", 0.006)},
    tiny={"data": "communities", "model.hidden_units": 4, "epochs": 3, "patience": 0},
)


@keras.saving.register_keras_serializable("maquette")
class GCN(NodeClassifier):
    """x: (batch, 1), numbers of nodes from 0 -> logits: (batch, classes).

    Args:
        node_features: features of a node.
        classes: number of classes.
        hidden_units: of the first layer.
        dropout: share of the inputs of both layers that is dropped in training.
        decay: weight of |W_1|^2 / 2 in the loss.
        seed: of the weights and of dropout.
    """

    tasks = ("node-classification",)

    def __init__(
        self,
        node_features: int = 1,
        classes: int = 2,
        hidden_units: int = 16,
        dropout: float = 0.5,
        decay: float = 5e-4,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, classes, seed, **kwargs)
        self.hidden_units, self.dropout, self.decay = hidden_units, dropout, decay
        self.first = GraphConvolution(node_features, hidden_units, dropout, decay=decay, seed=seed, name="first")
        self.head = GraphConvolution(hidden_units, classes, dropout, seed=seed + 2, name="head")
        self.start_nowhere()

    def prepare(self, adjacency: Any) -> None:
        """Keep S."""
        self.edges = Edges.of(renormalized(adjacency))

    def hidden(self, training: bool = False) -> Any:
        """H_1: (nodes, hidden_units)."""
        return ops.relu(self.first(self.node_values, edges=self.edges, entries=self.entries, training=training))

    def logits(self, training: bool) -> Any:
        """Z: (nodes, classes)."""
        return self.head(self.hidden(training), edges=self.edges, training=training)
