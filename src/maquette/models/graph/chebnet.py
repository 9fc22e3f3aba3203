"""ChebNet: graph convolutions that are Chebyshev polynomials of the Laplacian, K hops wide.

Matrix      M = 2 L / lambda_max - I, L = I - D^-1/2 A D^-1/2                    (nodes, nodes), sparse
Polynomials T_0 = 1, T_1 = M, T_k = 2 M T_{k-1} - T_{k-2}
Layers      H_1 = ReLU(sum_k T_k(M) drop(X) V_k)                                 (nodes, hidden_units), k = 0..K
            Z = sum_k T_k(M) drop(H_1) W_k                                       (nodes, classes), logits
Loss        cross-entropy of the nodes whose class is known, mean, + decay/2 sum_k |V_k|^2
Constant    M and X: the loss moves V and W alone

A layer is a spectral filter for each pair of channels, without an eigenvector: K products with a sparse matrix. With
K = 1, lambda_max = 2 and W_0 = -W_1 it is GCN before its renormalisation. K + 1 times GCN's weights overfit where few
classes are known: on Cora K = 3 is worse than K = 2.

Source: Defferrard, Bresson, Vandergheynst (2016), "Convolutional neural networks on graphs with fast localized
spectral filtering", section 2; the network: Kipf, Welling (2017), "Semi-supervised classification with graph
convolutional networks", table 3.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.chebnet import ChebNet
    >>> model = ChebNet(node_features=2, classes=3, degree=2)
    >>> model.place(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), np.eye(2, dtype="float32"))
    >>> model(np.array([[0], [1], [1]])).shape[1]
    3
"""

from typing import Any

import keras
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.layers.chebyshev_convolution import ChebyshevConvolution
from maquette.layers.edges import Edges
from maquette.methods.spectral.laplacian import laplacian
from maquette.methods.spectral.polynomial_filter import scaled_laplacian
from maquette.methods.spectral.renormalization import undirected
from maquette.models.graph._node_classifier import NodeClassifier

RECIPE = Recipe(
    name="cora-cheb",
    task="node-classification",
    data="cora",
    model={"degree": 2, "hidden_units": 16, "dropout": 0.5, "decay": 5e-4},
    optimizer={"adam": 0.01},
    batch_size=0,
    epochs=200,
    shuffle=False,
    patience=10,
    seeds=100,
    minutes=0.2,
    expect={"test_accuracy": Expect(0.812, "Kipf, Welling (2017), table 3, K = 2", "near", 0.01)},
    tiny={"data": "communities", "model.hidden_units": 4, "epochs": 3, "patience": 0},
)


@keras.saving.register_keras_serializable("maquette")
class ChebNet(NodeClassifier):
    """x: (batch, 1), numbers of nodes from 0 -> logits: (batch, classes).

    Args:
        node_features: features of a node.
        classes: number of classes.
        degree: K, how many hops each layer reaches.
        hidden_units: of the first layer.
        dropout: share of the inputs of both layers that is dropped in training.
        decay: weight of the squares of V / 2 in the loss.
        greatest: lambda_max; 0 computes it, 2 is its upper bound.
        seed: of the weights and of dropout.
    """

    tasks = ("node-classification",)

    def __init__(
        self,
        node_features: int = 1,
        classes: int = 2,
        degree: int = 2,
        hidden_units: int = 16,
        dropout: float = 0.5,
        decay: float = 5e-4,
        greatest: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, classes, seed, **kwargs)
        self.degree, self.hidden_units, self.dropout = degree, hidden_units, dropout
        self.decay, self.greatest = decay, greatest
        own: dict[str, Any] = {"degree": degree, "dropout": dropout}
        self.first = ChebyshevConvolution(node_features, hidden_units, decay=decay, seed=seed, name="first", **own)
        self.head = ChebyshevConvolution(hidden_units, classes, seed=seed + 2, name="head", **own)
        self.start_nowhere()

    def prepare(self, adjacency: Any) -> None:
        """Keep M."""
        matrix = laplacian(undirected(adjacency), "symmetric")
        self.edges = Edges.of(scaled_laplacian(matrix, self.greatest or None))

    def hidden(self, training: bool = False) -> Any:
        """H_1: (nodes, hidden_units)."""
        return ops.relu(self.first(self.node_values, edges=self.edges, entries=self.entries, training=training))

    def logits(self, training: bool) -> Any:
        """Z: (nodes, classes)."""
        return self.head(self.hidden(training), edges=self.edges, training=training)
