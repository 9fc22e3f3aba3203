"""GraphSAGE without labels: nodes that random walks meet near each other get vectors of one direction.

Vector      z_v = h_v^K, by the hops of GraphSAGE from the features of v and its neighbours, of length one (nodes, dim)
Loss        -log sigmoid(z_u.z_v) - sum_q log sigmoid(-z_u.z_q), mean over all nodes v near all nodes u on the walks
Noise       Q = `negatives` nodes q, drawn by degree^0.75 and shared by a batch
Rule        gradient descent on the weights of the hops; which neighbours are seen and which nodes are noise is drawn in
            each step

The vectors are a function of features and neighbours, not a table: a node or a whole graph that was not there gets its
own without training, where node2vec has none. Since rows have length one, the loss stays above
log(1 + 1/e) + Q log(1 + 1/e). Nodes without features are told apart by nothing. Two roles with the same surroundings
get the same vector, however far apart they are.

Source: Hamilton, Ying, Leskovec (2017), "Inductive representation learning on large graphs", section 3.2, equation 1.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.graphsage_unsupervised import GraphSAGEUnsupervised
    >>> model = GraphSAGEUnsupervised(node_features=2, hidden_units=(4, 4))
    >>> model.place(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), np.eye(2, dtype="float32"))
    >>> np.linalg.norm(model.vectors(), axis=1).round(5).tolist()
    [1.0, 1.0]
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from maquette.core.model import learning_rule
from maquette.core.recipe import Expect, Recipe
from maquette.models.graph._sage import Sage
from maquette.models.text._word_model import WordTable

RECIPE = Recipe(
    name="cora-sage-unsupervised",
    task="node-embedding",
    data="cora",
    model={"hidden_units": (128, 128), "negatives": 20, "dropout": 0.0},
    inputs={"walks": 10, "length": 5, "pairing": "first", "scale": "none"},
    optimizer={"adam": 1e-3},
    batch_size=4096,
    epochs=20,
    minutes=1,
    expect={
        "test_accuracy": Expect(
            0.707, "required: DeepWalk beside the features themselves has it in Velickovic et al. (2019)", "at least"
        )
    },
    tiny={
        **{"data": "communities", "model.hidden_units": (4,), "model.samples": (3,), "model.negatives": 4},
        **{"epochs": 3, "inputs.walks": 2, "inputs.length": 3, "optimizer.adam": 0.03},
        "inputs.scale": "auto",
    },
)


@keras.saving.register_keras_serializable("maquette")
class GraphSAGEUnsupervised(Sage, WordTable):
    """x: (batch, 1 + 2 reach), a node and those near it, numbers from 1, 0 for none -> its vector: (batch, dim).

    Args:
        node_features: features of a node.
        hidden_units: of each hop; the last number is dim.
        aggregator: what becomes of the neighbours: mean, max or lstm, which needs `samples`.
        samples: neighbours of each node that a step of training sees, a number for each hop; () for all.
        negatives: Q.
        dropout: share of the inputs of each hop that is dropped in training.
        seed: of the weights, of dropout, of the neighbours and of the noise.
    """

    tasks = ("node-embedding",)

    def __init__(
        self,
        node_features: int = 1,
        hidden_units: Sequence[int] = (128, 128),
        aggregator: Literal["mean", "max", "lstm"] = "mean",
        samples: Sequence[int] = (),
        negatives: int = 20,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, seed, **kwargs)
        self.hidden_units, self.aggregator, self.samples = list(hidden_units), aggregator, list(samples)
        self.negatives, self.dropout = negatives, dropout
        if negatives < 1:
            raise ValueError(f"negatives={negatives}: take 1 or more")
        self.make_hops()
        self.start_nowhere()

    def prepare(self, adjacency: Any) -> None:
        """Keep what the hops need, and how often each node is noise."""
        super().prepare(adjacency)
        share = np.maximum(np.asarray(adjacency.sum(axis=1)).reshape(-1), 1) ** 0.75
        self.noise_share = np.cumsum(share / share.sum()).astype("float32")

    def call(self, x: Any, training: bool = False) -> Any:
        return ops.cast(self.seen(ops.maximum(ops.cast(x[:, 0], "int32") - 1, 0), training), "float32")

    def table(self) -> Any:
        """z of all nodes: (nodes, dim)."""
        return self.hidden()

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        near = ops.cast(x, "int32")[:, 1:]
        present = ops.cast(near > 0, "float32")  # (batch, n)
        drawn = ops.searchsorted(self.noise_share, self.noise.uniform((self.negatives,), training))
        drawn = ops.cast(ops.minimum(drawn, self.nodes - 1), "int32")
        others = ops.concatenate([drawn, ops.reshape(ops.maximum(near - 1, 0), (-1,))], axis=0)
        z = ops.cast(self.seen(others, training), "float32")
        noise, close = z[: self.negatives], ops.reshape(z[self.negatives :], (*ops.shape(near), z.shape[-1]))
        score = ops.sum(ops.expand_dims(y_pred, 1) * close, axis=-1)  # (batch, n)
        against = ops.sum(ops.softplus(ops.matmul(y_pred, ops.transpose(noise))), axis=-1, keepdims=True)  # (batch, 1)
        return ops.sum(present * (ops.softplus(-score) + against)) / ops.maximum(ops.sum(present), 1.0)
