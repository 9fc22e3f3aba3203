"""A dense layer on the features of nodes, which multiplies only what is not zero where features are sparse.

    y = drop(x) W + b        x: (nodes, inputs), W: (inputs, units) -> y: (nodes, units)

Of sparse features `entries` says in which column (source) and row (target) each value stands. Dropout draws a mask for
these entries alone: zeros stay zeros, so that the result has the distribution that dropout of the whole matrix gives.
For the words of Cora, of which 1.3 % are not zero, that is a seventieth of the work.

Source: Kipf, Welling (2017), "Semi-supervised classification with graph convolutional networks", section 3.2.
"""

import math
from typing import Any

import keras
from keras import initializers, layers, ops, regularizers

from maquette.core.dropout import Dropout
from maquette.layers.edges import Edges, edge_sum


@keras.saving.register_keras_serializable("maquette")
class NodeDense(layers.Layer):
    """x: (..., inputs), or the values (m,) of the `entries` that are not zero -> (..., units).

    Of single nodes the values may come as rows (..., p), and `columns` (..., p) says where they stand.

    Args:
        inputs: features of a node.
        units: of the result.
        dropout: share of the features that is dropped in training.
        bias: whether b is added.
        decay: c, adds c/2 times the sum of the squares of W to the loss.
        blocks: W is that many matrices side by side, each drawn as if it were alone.
        seed: of W and of dropout.
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        dropout: float = 0.0,
        bias: bool = False,
        decay: float = 0.0,
        blocks: int = 1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.inputs, self.units, self.dropout = inputs, units, dropout
        self.bias, self.decay, self.blocks, self.seed = bias, decay, blocks, seed
        limit = math.sqrt(6 / (inputs + units / blocks))  # of Glorot's uniform draws
        self.drop = Dropout(dropout, seed=seed + 1, name="drop", dtype=self.dtype_policy)
        self.kernel = self.add_weight(
            shape=(inputs, units),
            initializer=initializers.RandomUniform(-limit, limit, seed=seed),
            regularizer=regularizers.L2(decay / 2) if decay else None,
            name="kernel",
        )
        self.offset = self.add_weight(shape=(units,), initializer="zeros", name="bias") if bias else None
        self.built = True

    def product(self, x: Any, entries: Edges | None, training: bool, columns: Any = None) -> Any:
        """drop(x) W: (..., units)."""
        x = self.drop(x, training=training)
        kernel = ops.convert_to_tensor(self.kernel)
        if columns is not None:
            return ops.sum(ops.take(kernel, columns, axis=0) * ops.expand_dims(x, -1), axis=-2)
        return ops.matmul(x, kernel) if entries is None else edge_sum(kernel, entries, x)

    def shifted(self, y: Any) -> Any:
        """y + b, where there is a bias."""
        return y if self.offset is None else y + self.offset

    def call(self, x: Any, entries: Edges | None = None, columns: Any = None, training: bool = False) -> Any:
        return self.shifted(self.product(x, entries, training, columns))

    def get_config(self) -> dict[str, Any]:
        names = ("inputs", "units", "dropout", "bias", "decay", "blocks", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
