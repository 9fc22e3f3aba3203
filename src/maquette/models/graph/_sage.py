"""What GraphSAGE is with labels and without: hops over all neighbours of all nodes, or over some of a few nodes."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.noise import Noise
from maquette.layers.edges import Edges, edge_max, edge_sum
from maquette.layers.neighbours import Neighbours
from maquette.layers.node_dense import NodeDense
from maquette.methods.spectral.renormalization import averaging
from maquette.models.graph._placed import Placed


class Sage(Placed):
    """A model of nodes whose `hidden` and `sampled` are the last hop's h^K, rows of length one.

    A page keeps `hidden_units`, `aggregator`, `samples` and `dropout` as its arguments, and then calls `make_hops`.
    """

    hidden_units: list[int]
    aggregator: str
    samples: list[int]
    dropout: float

    def make_hops(self) -> None:
        """The layers of each hop; raises ValueError for arguments that do not go together."""
        self._check()
        widths, hops = [self.node_features, *self.hidden_units], range(len(self.hidden_units))
        self.own = [self._dense(widths, k, "own", True) for k in hops]
        self.around = [self._dense(widths, k, "around", self.aggregator == "max") for k in hops]
        recurrent = self.aggregator == "lstm"
        self.memory = [self._lstm(units, k) for k, units in enumerate(self.hidden_units)] if recurrent else []
        self.noise = Noise(self.seed, dtype="float32")

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

    def seen(self, ids: Any, training: bool) -> Any:
        """h^K of the nodes ids (batch,), in training from as many neighbours as `samples` says: (batch, units)."""
        if training and self.samples:
            return self.sampled(ids, training)
        return ops.take(self.hidden(training), ids, axis=0)

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
