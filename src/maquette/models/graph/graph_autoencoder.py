"""Graph auto-encoder: two layers of a GCN give each node a code, and the product of two codes tells of an edge.

Matrix      S = D^-1/2 (A + I) D^-1/2, A the edges that are seen                 (nodes, nodes), sparse
Encoder     Z = S ReLU(S X W_1) W_2                                             (nodes, latent_dim)
Decoder     p(edge | u, v) = sigmoid(z_u.z_v)                                   (batch,)
Loss        -mean of log p(edge) over the pairs that are joined and of log(1 - p) over those that are not
Variational z_v = m_v + exp(s_v) * noise in training, m = Z and s = S ReLU(S X W_1) W_3; when it answers z = m
            loss + (1/nodes) mean over v of KL(N(m_v, exp(2 s_v)) | N(0, 1))
Constant    S and X

The loss weighs edges and non-edges alike: the paper reweighs the few edges of a sparse graph, or draws as many
non-edges, which is what comes in here. Products of codes cannot say that an edge leads one way, and a code close to
another's is close to itself: a triangle is probable, a bipartite graph badly described.

Source: Kipf, Welling (2016), "Variational graph auto-encoders", sections 1 and 2.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.graph_autoencoder import GraphAutoencoder
    >>> model = GraphAutoencoder(node_features=2)
    >>> model.place(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), np.eye(2, dtype="float32"))
    >>> bool(model.serve(np.array([[0, 1]]))[0] == model.serve(np.array([[1, 0]]))[0])
    True
"""

from typing import Any, ClassVar

import keras
from keras import ops

from maquette.core.model import learning_rule
from maquette.core.noise import Noise
from maquette.core.recipe import Expect, Recipe
from maquette.layers.edges import Edges
from maquette.layers.graph_convolution import GraphConvolution
from maquette.methods.spectral.renormalization import renormalized
from maquette.models.graph._placed import Placed

RECIPE = Recipe(
    name="cora-links",
    task="link-prediction",
    data="cora",
    model={"hidden_units": 32, "latent_dim": 16},
    inputs={"scale": "none"},
    optimizer={"adam": 0.01},
    batch_size=0,
    epochs=100,
    shuffle=False,
    seeds=10,
    minutes=0.1,
    expect={
        "test_roc_auc": Expect(0.91, "Kipf, Welling (2016), table 1: GAE on Cora", "near", 0.015),
        "test_average_precision": Expect(0.92, "Kipf, Welling (2016), table 1: GAE on Cora", "near", 0.015),
    },
    tiny={"data": "communities", "inputs": {}, "model.hidden_units": 4, "model.latent_dim": 3, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class GraphAutoencoder(Placed):
    """x: (batch, 2), numbers of nodes from 0 -> logits of an edge between them: (batch,).

    Args:
        node_features: features of a node.
        hidden_units: of the first layer.
        latent_dim: numbers in a code.
        variational: whether codes are drawn, and held to N(0, 1).
        seed: of the weights and of the noise.
    """

    tasks = ("link-prediction",)
    row: ClassVar[int] = 2

    def __init__(
        self,
        node_features: int = 1,
        hidden_units: int = 32,
        latent_dim: int = 16,
        variational: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, seed, **kwargs)
        self.hidden_units, self.latent_dim, self.variational = hidden_units, latent_dim, variational
        self.first = GraphConvolution(node_features, hidden_units, seed=seed, name="first")
        self.mean = GraphConvolution(hidden_units, latent_dim, seed=seed + 2, name="mean")
        if variational:
            self.log_deviation = GraphConvolution(hidden_units, latent_dim, seed=seed + 4, name="log_deviation")
            self.noise = Noise(seed)
        self.start_nowhere()

    def prepare(self, adjacency: Any) -> None:
        """Keep S."""
        self.edges = Edges.of(renormalized(adjacency))

    def hidden(self) -> Any:
        """ReLU(S X W_1): (nodes, hidden_units)."""
        return ops.relu(self.first(self.node_values, edges=self.edges, entries=self.entries))

    def codes(self, training: bool = False) -> Any:
        """Z, or in the training of the variational form draws around it: (nodes, latent_dim)."""
        h = self.hidden()
        m = self.mean(h, edges=self.edges)
        if not (training and self.variational):
            return m
        return m + ops.exp(self.log_deviation(h, edges=self.edges)) * self.noise.normal(ops.shape(m))

    def call(self, x: Any, training: bool = False) -> Any:
        z, ends = ops.cast(self.codes(training), "float32"), ops.cast(x, "int32")
        return ops.sum(ops.take(z, ends[:, 0], axis=0) * ops.take(z, ends[:, 1], axis=0), axis=-1)

    def serve(self, x: Any) -> Any:
        """The probability of an edge: (batch,)."""
        return ops.sigmoid(self(x, training=False))

    def divergence(self) -> Any:
        """The mean over the nodes of KL(N(m, exp(2 s)) | N(0, 1)) = sum (m^2 + exp(2 s) - 1) / 2 - s."""
        h = self.hidden()
        m, s = (ops.cast(layer(h, edges=self.edges), "float32") for layer in (self.mean, self.log_deviation))
        return ops.mean(ops.sum((ops.square(m) + ops.exp(2 * s) - 1) / 2 - s, axis=-1))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        surprise = ops.softplus(y_pred) - ops.cast(y, y_pred.dtype) * y_pred  # (batch,)
        loss = ops.average(surprise, weights=sample_weight)
        return loss + self.divergence() / self.nodes if self.variational and training else loss
