"""A spectral graph convolution: the transform of the nodes' channels, weights for its waves, and back.

    Y = U sum_q diag(r_q) U^T drop(X) W_q + b     U: (nodes, waves), waves of the graph; W_q: (inputs, units), q = 1..Q

Column q of r (waves, Q) says how much knot q counts at each wave. Hats over lambda make the response a piecewise linear
function of it; with r the unit matrix there are free weights for each wave, inputs x units of them.

Source: Bruna, Zaremba, Szlam, LeCun (2014), "Spectral networks and locally connected networks on graphs", equation 3.2
and section 3.2.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from maquette.layers.edges import Edges
from maquette.layers.node_dense import NodeDense


@dataclass(frozen=True, eq=False)
class Waves:
    """The waves of a graph, and what knots make of them.

    Attributes:
        vectors: U, float32 (nodes, waves).
        response: r, float32 (waves, knots).
    """

    vectors: Any
    response: Any


@keras.saving.register_keras_serializable("maquette")
class SpectralConvolution(NodeDense):
    """x: (nodes, inputs), or values of `entries`, as NodeDense takes them; `waves` -> (nodes, units).

    Args:
        inputs: features of a node.
        units: of the result.
        knots: Q.
    """

    def __init__(self, inputs: int, units: int, knots: int = 8, **kwargs: Any) -> None:
        if knots < 1:
            raise ValueError(f"knots={knots}: give at least 1")
        kwargs.pop("blocks", None)
        # The bias is of the sum, not of the terms, and is therefore this layer's own.
        super().__init__(inputs, units * knots, blocks=knots, **{**kwargs, "bias": False})
        self.channels, self.knots, self.bias = units, knots, kwargs.get("bias", False)
        self.offset = self.add_weight(shape=(units,), initializer="zeros", name="bias") if self.bias else None

    def call(  # type: ignore[override]
        self, x: Any, waves: Waves, entries: Edges | None = None, training: bool = False
    ) -> Any:
        mapped = self.product(x, entries, training)  # (nodes, knots units)
        vectors = ops.cast(waves.vectors, mapped.dtype)
        spectrum = ops.matmul(ops.transpose(vectors), mapped)
        spectrum = ops.reshape(spectrum, (vectors.shape[1], self.knots, self.channels))
        weighed = ops.sum(spectrum * ops.expand_dims(ops.cast(waves.response, mapped.dtype), -1), axis=1)
        return self.shifted(ops.matmul(vectors, weighed))

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "units": self.channels, "knots": self.knots}
        del config["blocks"]
        return config
