"""Spectral CNN: convolutions that weigh the waves of one graph, which it has to know all of.

Waves       L = I - D^-1/2 A D^-1/2 = U diag(lambda) U^T                         U: (nodes, nodes), orthogonal
Layer       Y = U sum_q diag(r_q(lambda)) U^T drop(X) W_q                        W_q: (inputs, units), q = 1..knots
            r_q: a hat, 1 at the q-th of as many points from 0 to 2 and 0 at the others, so that the response of a pair
            of channels is a piecewise linear function of lambda
Network     H = ReLU(layer of X), Z = layer of H                                 (nodes, classes), logits
Loss        cross-entropy of the nodes whose class is known, mean, + decay/2 sum_q |W_q|^2 of the first layer
Constant    U, lambda and X

With `free` waves each of the lowest so many has weights of its own, as many as channels in times channels out, and the
others are left out: the first form of the paper. An impulse then answers everywhere, and the weights mean nothing on
another graph. A smooth response, which hats give, dies away from the impulse and goes with lambda to other graphs. All
waves cost O(nodes^3) once and O(nodes^2) in each step: take ChebNet or GCN for more than some thousand nodes.

Source: Bruna, Zaremba, Szlam, LeCun (2014), "Spectral networks and locally connected networks on graphs", section 3.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.spectral_cnn import SpectralCNN
    >>> model = SpectralCNN(node_features=2, classes=3)
    >>> model.place(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), np.eye(2, dtype="float32"))
    >>> model(np.array([[0], [1], [1]])).shape[1]
    3
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.layers.spectral_convolution import SpectralConvolution, Waves
from maquette.methods.spectral.graph_fourier import fourier_basis
from maquette.methods.spectral.laplacian import laplacian
from maquette.methods.spectral.renormalization import undirected
from maquette.models.graph._node_classifier import NodeClassifier

RECIPE = Recipe(
    name="cora-spectral",
    task="node-classification",
    data="cora",
    model={"knots": 4, "hidden_units": 16, "dropout": 0.5, "decay": 5e-4},
    optimizer={"adam": 0.01},
    batch_size=0,
    epochs=200,
    shuffle=False,
    patience=10,
    seeds=5,
    minutes=0.5,
    expect={"test_accuracy": Expect(0.70, "required: above the 0.55 of a network that sees no edge", "at least")},
    tiny={"data": "communities", "model.hidden_units": 4, "epochs": 3, "patience": 0},
)


@keras.saving.register_keras_serializable("maquette")
class SpectralCNN(NodeClassifier):
    """x: (batch, 1), numbers of nodes from 0 -> logits: (batch, classes).

    Args:
        node_features: features of a node.
        classes: number of classes.
        knots: points between which the response of the waves is linear.
        free: 0, or how many of the lowest waves have weights of their own, in place of knots.
        hidden_units: of the first layer.
        dropout: share of the inputs of both layers that is dropped in training.
        decay: weight of the squares of the first layer's W / 2 in the loss.
        seed: of the weights and of dropout.
    """

    tasks = ("node-classification",)

    def __init__(
        self,
        node_features: int = 1,
        classes: int = 2,
        knots: int = 4,
        free: int = 0,
        hidden_units: int = 16,
        dropout: float = 0.5,
        decay: float = 5e-4,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, classes, seed, **kwargs)
        self.knots, self.free, self.hidden_units = knots, free, hidden_units
        self.dropout, self.decay = dropout, decay
        own: dict[str, Any] = {"knots": free or knots, "dropout": dropout}
        self.first = SpectralConvolution(node_features, hidden_units, decay=decay, seed=seed, name="first", **own)
        self.head = SpectralConvolution(hidden_units, classes, seed=seed + 2, name="head", **own)
        self.start_nowhere()

    def prepare(self, adjacency: Any) -> None:
        """Keep U and the response of each knot at each lambda."""
        basis = fourier_basis(laplacian(undirected(adjacency), "symmetric"))
        count = min(self.free or self.nodes, self.nodes)
        if self.free:
            response = np.eye(count, self.free)
        else:
            place = np.clip(basis.values, 0, 2) / 2 * max(self.knots - 1, 1)
            response = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(self.knots)))
            response = response if self.knots > 1 else np.ones_like(response)
        self.waves = Waves(basis.vectors[:, :count].astype(np.float32), response.astype(np.float32))

    def hidden(self, training: bool = False) -> Any:
        """H: (nodes, hidden_units)."""
        return ops.relu(self.first(self.node_values, waves=self.waves, entries=self.entries, training=training))

    def logits(self, training: bool) -> Any:
        """Z: (nodes, classes)."""
        return self.head(self.hidden(training), waves=self.waves, training=training)
