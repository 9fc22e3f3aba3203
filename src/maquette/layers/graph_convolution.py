"""A graph convolution: every node sums what its neighbours and itself hold, weighed by a fixed matrix.

    Y = S (drop(X) W) + b        S: (nodes, nodes), sparse; W: (inputs, units), one for all nodes

With S = D^-1/2 (A + I) D^-1/2 it is the layer of GCN; which S it is, the caller says.

Source: Kipf, Welling (2017), "Semi-supervised classification with graph convolutional networks", equation 2.
"""

from typing import Any

import keras

from maquette.layers.edges import Edges, edge_sum
from maquette.layers.node_dense import NodeDense


@keras.saving.register_keras_serializable("maquette")
class GraphConvolution(NodeDense):
    """x: (nodes, inputs), or values of `entries`, as NodeDense takes them; `edges`: S -> (nodes, units)."""

    def call(  # type: ignore[override]
        self, x: Any, edges: Edges, entries: Edges | None = None, training: bool = False
    ) -> Any:
        return self.shifted(edge_sum(self.product(x, entries, training), edges))
