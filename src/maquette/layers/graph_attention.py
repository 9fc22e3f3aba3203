"""Graph attention: every node sums what its neighbours hold, with shares that it works out from what they hold.

    z_i = drop(x_i) W                          heads side by side, of `units` each
    e_ij = LeakyReLU_0.2(a.z_i + b.z_j)        additive; or z_i.z_j / sqrt(units), dot
    alpha_ij = exp(e_ij) / sum_{l into i} exp(e_il), drop(alpha)
    y_i = sum_{j into i} alpha_ij z_j + c      heads joined one after the other, or averaged

In the additive form which neighbour counts most is the same for every node that looks at it, since a.z_i shifts all of
i's scores alike. With a = b = 0 every neighbour counts alike: the mean.

Source: Velickovic et al. (2018), "Graph attention networks", section 2.1; the remark: Brody, Alon, Yahav (2022), "How
attentive are graph attention networks?", section 3.
"""

from typing import Any

import keras
from keras import initializers, ops, regularizers

from maquette.core.dropout import Dropout
from maquette.layers.edges import Edges, edge_softmax, edge_sum
from maquette.layers.node_dense import NodeDense


@keras.saving.register_keras_serializable("maquette")
class GraphAttention(NodeDense):
    """x: (nodes, inputs), or values of `entries`, as NodeDense takes them; `edges` -> (nodes, heads units or units).

    Args:
        inputs: features of a node.
        units: of a head.
        heads: how many.
        joined: whether heads stand side by side, or are averaged.
        dot: whether e is a dot product; it has no weights.
        attention_dropout: share of alpha that is dropped in training.
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        heads: int = 1,
        joined: bool = True,
        dot: bool = False,
        attention_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("blocks", None)
        bias = kwargs.pop("bias", True)
        super().__init__(inputs, units * heads, blocks=heads, **kwargs)
        self.channels, self.heads, self.joined, self.dot = units, heads, joined, dot
        self.attention_dropout, self.bias = attention_dropout, bias
        self.thin = Dropout(attention_dropout, seed=self.seed + 2, name="thin", dtype=self.dtype_policy)
        penalty = regularizers.L2(self.decay / 2) if self.decay else None
        self.looks = [] if dot else [self._look(name, penalty, i) for i, name in enumerate(("target", "source"))]
        shape = (units * heads if joined else units,)
        self.offset = self.add_weight(shape=shape, initializer="zeros", name="bias") if bias else None

    def _look(self, name: str, penalty: Any, place: int) -> Any:
        start = initializers.GlorotUniform(seed=self.seed + 3 + place)
        return self.add_weight(shape=(self.channels, self.heads), initializer=start, regularizer=penalty, name=name)

    def shares(self, z: Any, edges: Edges) -> Any:
        """alpha of every edge: z (nodes, heads, units) -> (m, heads)."""
        if self.dot:
            pairs = ops.take(z, edges.target, axis=0) * ops.take(z, edges.source, axis=0)
            scores = ops.sum(pairs, axis=-1) / self.channels**0.5
        else:
            own, other = (ops.sum(z * ops.transpose(ops.convert_to_tensor(look)), axis=-1) for look in self.looks)
            scores = ops.take(own, edges.target, axis=0) + ops.take(other, edges.source, axis=0)
            scores = ops.leaky_relu(scores, 0.2)
        return edge_softmax(scores, edges)

    def call(  # type: ignore[override]
        self, x: Any, edges: Edges, entries: Edges | None = None, training: bool = False
    ) -> Any:
        z = self.product(x, entries, training)
        z = ops.reshape(z, (edges.nodes, self.heads, self.channels))
        y = edge_sum(z, edges, self.thin(self.shares(z, edges), training=training))
        return self.shifted(ops.reshape(y, (edges.nodes, -1)) if self.joined else ops.mean(y, axis=1))

    def get_config(self) -> dict[str, Any]:
        names = ("heads", "joined", "dot", "attention_dropout")
        config = {**super().get_config(), **{name: getattr(self, name) for name in names}, "units": self.channels}
        del config["blocks"]
        return config
