"""GCN for whole graphs: two graph convolutions, the mean over the nodes, and a small dense network.

Matrix      S = D^-1/2 (A + I) D^-1/2, D the degrees of A + I                   (nodes, nodes), sparse
Layers      H_1 = ReLU(S drop(X) W_1), H_2 = ReLU(S drop(H_1) W_2)              (nodes, hidden_units)
Graph       g = mean over the nodes of H_2                                      (batch, hidden_units)
Answer      logits = V_3 ReLU(V_2 ReLU(V_1 g + v_1) + v_2) + v_3                (batch, classes)
Loss        cross-entropy, mean
Constant    the graphs

Graphs of all sizes are on one scale, since nodes are averaged; how many nodes or edges of a kind there are is lost with
it (GIN keeps it).

Source: Kipf, Welling (2017), "Semi-supervised classification with graph convolutional networks", equation 2; the
network: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", listing 6-9.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.gcn_graph import GCNGraph
    >>> model = GCNGraph(node_features=1, classes=2)
    >>> model.place(sparse.csr_matrix(np.ones((3, 3))), np.ones((3, 1), "float32"), starts=[0, 1])
    >>> model(np.array([[0], [1]])).shape[1]
    2
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.recipe import Expect, Recipe
from maquette.layers.graph_convolution import GraphConvolution
from maquette.methods.spectral.renormalization import renormalized
from maquette.models.graph._graph_classifier import GraphClassifier, Together

RECIPE = Recipe(
    name="mutag-gcn",
    task="graph-classification",
    data="mutag",
    optimizer={"adam": 0.005},
    batch_size=8,
    epochs=60,
    seeds=10,
    minutes=0.3,
    expect={"test_accuracy": Expect(0.70, "required: ten folds; the greater class is 0.665", "at least")},
    tiny={"data": "rings_and_stars", "model.hidden_units": 8, "model.dense_units": 8, "epochs": 3, "batch_size": 16},
)


@keras.saving.register_keras_serializable("maquette")
class GCNGraph(GraphClassifier):
    """x: (batch, 1 + blocks), in the first column numbers of graphs from 0 -> logits: (batch, classes).

    Args:
        node_features: features of a node.
        classes: number of classes.
        hidden_units: of each convolution.
        dense_units: of the layers on g.
        dropout: share of the inputs of both convolutions that is dropped in training.
        seed: of the weights and of dropout.
    """

    tasks = ("graph-classification",)

    def __init__(
        self,
        node_features: int = 1,
        classes: int = 2,
        hidden_units: int = 64,
        dense_units: Sequence[int] = (32, 16),
        dropout: float = 0.5,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, classes, seed, **kwargs)
        self.hidden_units, self.dense_units, self.dropout = hidden_units, list(dense_units), dropout
        own: dict[str, Any] = {"dropout": dropout, "bias": True}
        self.first = GraphConvolution(node_features, hidden_units, seed=seed, name="first", **own)
        self.second = GraphConvolution(hidden_units, hidden_units, seed=seed + 2, name="second", **own)
        self.dense = [self._dense(units, k, "relu") for k, units in enumerate(self.dense_units)]
        self.head = self._dense(classes, len(self.dense_units), None)
        self.start_nowhere()

    def _dense(self, units: int, k: int, activation: str | None) -> Any:
        start = keras.initializers.GlorotUniform(seed=self.seed + 4 + k)
        name = f"dense_{k}" if activation else "head"
        return layers.Dense(units, activation, kernel_initializer=start, dtype="float32", name=name)

    def matrix(self, adjacency: Any) -> Any:
        """S; graphs side by side have no edge between them, so that it is S of each."""
        return renormalized(adjacency)

    def pooled(self, graphs: Together, training: bool) -> Any:
        """What the last layer sees: (graphs, dense_units)."""
        h = graphs.x
        for layer in (self.first, self.second):
            h = ops.relu(layer(h, edges=graphs.edges, training=training))
        g = graphs.averaged(ops.cast(h, "float32"))
        for dense in self.dense:
            g = dense(g)
        return g
