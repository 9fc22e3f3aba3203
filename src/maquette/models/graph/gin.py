"""Graph isomorphism network: what a whole graph is, from sums over neighbours that tell as much as sums can.

Hop k       h_v^k = f_k((1 + e_k) h_v^{k-1} + sum over u in N(v) of h_u^{k-1})   (nodes, units)
            f = ReLU(norm(B ReLU(norm(A x)))), norm over the nodes of the batch, with a shift of its own
Graph       g = (sum_v h_v^0, ..., sum_v h_v^K)                                  (batch, features + K units)
Answer      logits = Q drop(g) + q                                               (batch, classes)
Loss        cross-entropy, mean
Constant    the graphs; e_k is learned

A sum of neighbours keeps how many of each kind there are, which a mean or a maximum loses: two graphs that the
Weisfeiler-Lehman test of K rounds tells apart can be told apart by K hops, and no others. Sums grow with the size of
the graph. The paper sums one linear map of each hop's pooled nodes, which is the map of all side by side here.

Source: Xu, Hu, Leskovec, Jegelka (2019), "How powerful are graph neural networks?", equations 4.1 and 4.2, section 7.

Example:
    >>> import keras, numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.gin import GIN
    >>> model = GIN(node_features=1, classes=2, hops=1, units=2)
    >>> path = sparse.csr_matrix(np.array([[0, 1.0, 0], [1, 0, 1], [0, 1, 0]]))
    >>> model.place(sparse.block_diag([path, path[:2, :2]], "csr"), np.ones((5, 1), "float32"), starts=[0, 3])
    >>> keras.ops.convert_to_numpy(model.features(np.array([[0], [1]])))[:, 0].tolist()
    [3.0, 2.0]
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.core.dropout import Dropout
from maquette.core.recipe import Expect, Recipe
from maquette.layers.edges import edge_sum
from maquette.models.graph._graph_classifier import GraphClassifier, Together

RECIPE = Recipe(
    name="mutag-gin",
    task="graph-classification",
    data="mutag",
    model={"hops": 4, "units": 32, "dropout": 0.5},
    optimizer={"adam": 0.01},
    schedule="cosine",
    batch_size=32,
    epochs=100,
    seeds=10,
    minutes=0.3,
    expect={
        "test_accuracy": Expect(
            0.84, "required: ten folds; 0.89 in Xu et al. (2019) is the best epoch of all", "at least"
        )
    },
    tiny={
        "data": "rings_and_stars",
        "model.hops": 1,
        "model.units": 4,
        "epochs": 3,
        "batch_size": 16,
        "optimizer.sgd": 0.05,
    },
)


@keras.saving.register_keras_serializable("maquette")
class GIN(GraphClassifier):
    """x: (batch, 1 + blocks), in the first column numbers of graphs from 0 -> logits: (batch, classes).

    Args:
        node_features: features of a node.
        classes: number of classes.
        hops: K.
        units: of each hop, inside and outside of f.
        dropout: share of g that is dropped in training.
        seed: of the weights and of dropout.
    """

    tasks = ("graph-classification",)

    def __init__(
        self,
        node_features: int = 1,
        classes: int = 2,
        hops: int = 4,
        units: int = 32,
        dropout: float = 0.5,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, classes, seed, **kwargs)
        self.hops, self.units, self.dropout = hops, units, dropout
        start = [keras.initializers.GlorotUniform(seed=seed + k) for k in range(2 * hops + 1)]
        self.inner = [self._dense(units, start[2 * k], f"inner_{k}") for k in range(hops)]
        self.outer = [self._dense(units, start[2 * k + 1], f"outer_{k}") for k in range(hops)]
        self.inner_norm = [layers.BatchNormalization(momentum=0.9, name=f"inner_norm_{k}") for k in range(hops)]
        self.outer_norm = [layers.BatchNormalization(momentum=0.9, name=f"outer_norm_{k}") for k in range(hops)]
        self.drop = Dropout(dropout, seed=seed, name="drop")
        self.head = layers.Dense(classes, kernel_initializer=start[-1], dtype="float32", name="head")
        self.e = self.add_weight(shape=(hops,), initializer="zeros", name="e")
        self.start_nowhere()

    def _dense(self, units: int, start: Any, name: str) -> Any:
        return layers.Dense(units, use_bias=False, kernel_initializer=start, name=name)

    def matrix(self, adjacency: Any) -> Any:
        """Edges into each node, each of its weight."""
        return adjacency.T.tocsr()

    def pooled(self, graphs: Together, training: bool) -> Any:
        """g: (graphs, features + hops units)."""
        h, mask = graphs.x, ops.cast(graphs.present, "bool")
        found = [graphs.pooled(h)]
        for k in range(self.hops):
            h = ops.cast(1 + self.e[k], h.dtype) * h + edge_sum(h, graphs.edges)
            h = ops.relu(self.inner_norm[k](self.inner[k](h), training=training, mask=mask))
            h = ops.relu(self.outer_norm[k](self.outer[k](h), training=training, mask=mask))
            found.append(graphs.pooled(ops.cast(h, "float32")))
        return self.drop(ops.concatenate(found, axis=-1), training=training)
