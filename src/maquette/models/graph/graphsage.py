"""GraphSAGE: what a node is, from itself and a mean over some of its neighbours, hop by hop; for graphs of any size.

Start       h_v^0 = x_v
Hop k       h_v^k = f_k(W_k drop(h_v^{k-1}) + V_k mean over u in N(v) of drop(h_u^{k-1}) + b_k), divided by its length
            f = ReLU, none in the last hop; W and V stand side by side in the paper as one matrix for both
Maximum     aggregator="max": max over u in N(v) of ReLU(V_k drop(h_u^{k-1}) + c_k) in place of the mean
Recurrent   aggregator="lstm": the last state of an LSTM over V_k drop(h_u^{k-1}), u the neighbours drawn, also when it
            answers, then from a fixed start. Unlike the others it depends on the order of the neighbours
Answer      logits = Q drop(h_v^K) + q                                           (batch, classes)
Loss        cross-entropy of the nodes of the batch, mean
Constant    the graph and X; which neighbours are seen is drawn in each step

In training a batch sees `samples` neighbours of each node and as many of theirs, so that a step costs the same whatever
the size of the graph. Neighbours are drawn without repetition, all of them where there are no more: from a random start
evenly through their list, so that each is as likely as any other, and the mean is right on average. Without `samples`,
and whenever it answers, every neighbour counts. The weights belong to no node: they answer on graphs not seen.

Source: Hamilton, Ying, Leskovec (2017), "Inductive representation learning on large graphs", algorithms 1 and 2 and
section 3.3.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> from maquette.models.graph.graphsage import GraphSAGE
    >>> model = GraphSAGE(node_features=2, classes=3, hidden_units=(4, 4))
    >>> model.place(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), np.eye(2, dtype="float32"))
    >>> round(float(np.linalg.norm(model.features(np.array([[1]])))), 5)
    1.0
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import layers, ops

from maquette.core.noise import Noise
from maquette.core.recipe import Expect, Recipe
from maquette.layers.edges import Edges, edge_max, edge_sum
from maquette.layers.neighbours import Neighbours
from maquette.layers.node_dense import NodeDense
from maquette.methods.spectral.renormalization import averaging
from maquette.models.graph._node_classifier import NodeClassifier

RECIPE = Recipe(
    name="cora-sage",
    task="node-classification",
    data="cora",
    model={"hidden_units": (32, 32), "samples": (10, 5), "dropout": 0.5},
    inputs={"component": "largest", "split": "fractions"},
    optimizer={"adam": 0.005},
    batch_size=32,
    epochs=20,
    test=0.9,
    seeds=10,
    minutes=0.3,
    expect={
        "test_accuracy": Expect(0.8185, "Pattanayak (2023), listing 6-10: 10 % of the largest component", "at least")
    },
    tiny={
        "data": "communities",
        "inputs": {},
        "model.hidden_units": (4,),
        "model.samples": (3,),
        "epochs": 3,
        "test": 0.5,
    },
)


@keras.saving.register_keras_serializable("maquette")
class GraphSAGE(NodeClassifier):
    """x: (batch, 1), numbers of nodes from 0 -> logits: (batch, classes).

    Args:
        node_features: features of a node.
        classes: number of classes.
        hidden_units: of each hop.
        aggregator: what becomes of the neighbours: mean, max, which pools them channel by channel, or lstm, which
            needs `samples`.
        samples: neighbours of each node that a step of training sees, a number for each hop; () for all.
        dropout: share of the inputs of each hop and of the last layer that is dropped in training.
        seed: of the weights, of dropout and of the neighbours.
    """

    tasks = ("node-classification",)

    def __init__(
        self,
        node_features: int = 1,
        classes: int = 2,
        hidden_units: Sequence[int] = (32, 32),
        aggregator: Literal["mean", "max", "lstm"] = "mean",
        samples: Sequence[int] = (),
        dropout: float = 0.5,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_features, classes, seed, **kwargs)
        self.hidden_units, self.aggregator, self.samples = list(hidden_units), aggregator, list(samples)
        self.dropout = dropout
        self._check()
        widths = [node_features, *self.hidden_units]
        self.own = [self._dense(widths, k, "own", True) for k in range(len(self.hidden_units))]
        self.around = [self._dense(widths, k, "around", aggregator == "max") for k in range(len(self.hidden_units))]
        self.memory = (
            [self._lstm(units, k) for k, units in enumerate(self.hidden_units)] if aggregator == "lstm" else []
        )
        self.head = NodeDense(widths[-1], classes, dropout, bias=True, seed=seed + 1000, name="head")
        self.noise = Noise(seed, dtype="float32")
        self.start_nowhere()

    def _check(self) -> None:
        if not self.hidden_units or (self.samples and len(self.samples) != len(self.hidden_units)):
            raise ValueError("samples: give a number for each hop of hidden_units, or none")
        if self.aggregator == "lstm" and not self.samples:
            raise ValueError("aggregator=lstm: give the number of samples of each hop")
        if self.aggregator not in ("mean", "max", "lstm") or min(self.samples, default=1) < 1:
            raise ValueError(f"aggregator={self.aggregator}: take mean, max or lstm; samples are at least 1")

    def _dense(self, widths: Sequence[int], k: int, name: str, bias: bool) -> NodeDense:
        seed = self.seed + 10 * k + (name == "around")
        return NodeDense(widths[k], widths[k + 1], self.dropout, bias=bias, seed=2 * seed, name=f"{name}_{k}")

    def _lstm(self, units: int, k: int) -> Any:
        own = {"kernel_initializer": keras.initializers.GlorotUniform(seed=self.seed + 500 + k)}
        own["recurrent_initializer"] = keras.initializers.Orthogonal(seed=self.seed + 600 + k)
        return layers.LSTM(units, name=f"memory_{k}", **own)

    def prepare(self, adjacency: Any) -> None:
        """Keep the edges into each node, the lists of neighbours, and features of single nodes."""
        into = adjacency.T.tocsr()
        self.edges = Edges.of(averaging(into))
        self.neighbours = Neighbours.of(into) if self.samples else None
        self.columns = self.row_values = None
        if self.samples and self.entries is not None:
            self.columns, self.row_values = self.entries.padded(self.node_values)

    def hop(self, k: int, own: Any, around: Any) -> Any:
        """h^k of what W makes of a node and what the neighbours come to: (..., units)."""
        h = own + around
        h = ops.relu(h) if k + 1 < len(self.hidden_units) else h
        return h / ops.maximum(ops.norm(h, axis=-1, keepdims=True), 1e-6)

    def hidden(self, training: bool = False) -> Any:
        """h^K from all neighbours: (nodes, units)."""
        if self.aggregator == "lstm":
            return self.sampled(ops.arange(self.nodes, dtype="int32"), training)
        h, entries = ops.convert_to_tensor(self.node_values), self.entries
        for k in range(len(self.hidden_units)):
            around = self.around[k](h, entries=entries, training=training)
            pooled = (
                edge_max(ops.relu(around), self.edges) if self.aggregator == "max" else edge_sum(around, self.edges)
            )
            h, entries = self.hop(k, self.own[k](h, entries=entries, training=training), pooled), None
        return h

    def sampled(self, ids: Any, training: bool) -> Any:
        """h^K of the nodes ids (batch,) from neighbours that are drawn: (batch, units)."""
        assert self.neighbours is not None
        nodes, present = [ids], []
        for count in self.samples:
            shape = ops.shape(nodes[-1])
            chance = self.noise.uniform(shape) if training else ops.full(shape, 0.5)
            found, there = self.neighbours.drawn(nodes[-1], count, chance)
            nodes.append(found)
            present.append(there)
        levels = [self._looked_up(some) for some in nodes]
        for k in range(len(self.hidden_units)):
            levels = [
                self.hop(k, self.own[k](*h, training=training), self._pooled(k, levels[i + 1], present[i], training))
                for i, h in enumerate(levels[:-1])
            ]
            levels = [(h,) for h in levels]
        return levels[0][0]

    def _looked_up(self, nodes: Any) -> tuple[Any, ...]:
        """The features of nodes (...,), as NodeDense takes them."""
        if self.columns is None:
            return (ops.take(self.node_values, nodes, axis=0),)
        return ops.take(self.row_values, nodes, axis=0), None, ops.take(self.columns, nodes, axis=0)

    def _pooled(self, k: int, h: tuple[Any, ...], present: Any, training: bool) -> Any:
        """What the neighbours come to: h (..., count, inputs), present (..., count) -> (..., units)."""
        values = self.around[k](*h, training=training)
        if self.aggregator == "lstm":
            shape = ops.shape(values)
            last = self.memory[k](ops.reshape(values, (-1, *shape[-2:])), mask=ops.reshape(present, (-1, shape[-2])))
            return ops.reshape(last, (*shape[:-2], shape[-1]))
        values = ops.relu(values) if self.aggregator == "max" else values
        there = ops.expand_dims(ops.cast(present, values.dtype), -1)
        if self.aggregator == "max":
            return ops.max(values * there, axis=-2)
        return ops.sum(values * there, axis=-2) / ops.maximum(ops.sum(there, axis=-2), 1)

    def logits(self, training: bool) -> Any:
        """Q drop(h^K) + q of all nodes: (nodes, classes)."""
        return self.head(self.hidden(training), training=training)

    def call(self, x: Any, training: bool = False) -> Any:
        if not (training and self.samples):
            return super().call(x, training)
        logits = self.head(self.sampled(ops.cast(x[:, 0], "int32"), training), training=training)
        return ops.cast(logits, "float32")
