"""A Chebyshev graph convolution: a polynomial of the Laplacian for each pair of input and output channels.

    Y = sum_{k=0}^K T_k(M) drop(X) W_k + b     M = 2 L / lambda_max - I, sparse; W_k: (inputs, units)

The channels are mapped first, Z_k = X W_k, so that the matrix meets the narrow side; the sum is then Clenshaw's
recurrence b_k = Z_k + 2 M b_{k+1} - b_{k+2}, Y = Z_0 + M b_1 - b_2: K products with M.

Source: Defferrard, Bresson, Vandergheynst (2016), "Convolutional neural networks on graphs with fast localized
spectral filtering", section 2.1.
"""

from typing import Any

import keras
from keras import ops

from maquette.layers.edges import Edges, edge_sum
from maquette.layers.node_dense import NodeDense


@keras.saving.register_keras_serializable("maquette")
class ChebyshevConvolution(NodeDense):
    """x: (nodes, inputs), or values of `entries`, as NodeDense takes them; `edges`: M -> (nodes, units).

    Args:
        inputs: features of a node.
        units: of the result.
        degree: K, how many hops the layer reaches.
    """

    def __init__(self, inputs: int, units: int, degree: int = 2, **kwargs: Any) -> None:
        if degree < 0:
            raise ValueError(f"degree={degree}: give at least 0")
        kwargs.pop("blocks", None)
        # The bias is of the sum, not of the terms, and is therefore this layer's own.
        super().__init__(inputs, units * (degree + 1), blocks=degree + 1, **{**kwargs, "bias": False})
        self.channels, self.degree, self.bias = units, degree, kwargs.get("bias", False)
        self.offset = self.add_weight(shape=(units,), initializer="zeros", name="bias") if self.bias else None

    def call(  # type: ignore[override]
        self, x: Any, edges: Edges, entries: Edges | None = None, training: bool = False
    ) -> Any:
        terms = ops.split(self.product(x, entries, training), self.degree + 1, axis=-1)
        after = later = ops.zeros_like(terms[0])
        for term in terms[:0:-1]:
            after, later = term + 2 * edge_sum(after, edges) - later, after
        return self.shifted(terms[0] + edge_sum(after, edges) - later if self.degree else terms[0])

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "units": self.channels, "degree": self.degree}
        del config["blocks"]
        return config
