"""Sums over the neighbours of every node, which is all that convolutions on graphs are made of.

    edge_sum      y_i = sum_e over edges e into i of w_e h_{source(e)}       h: (sources, f) -> y: (nodes, f)
    edge_softmax  a_e = exp(s_e - m_i) / sum_{e' into i} exp(s_{e'} - m_i)   s: (m, heads) -> a: (m, heads)

Edges are listed by their targets in ascending order. A node without an edge into it gets zeros. Every shape is fixed,
so that a compiled step works for one graph, and costs are linear in the number of edges.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> edges = Edges.of(sparse.csr_matrix(np.array([[0, 2.0], [0, 0]])))
    >>> np.asarray(edge_sum(np.array([[1.0], [10.0]], "float32"), edges)).tolist()
    [[20.0], [0.0]]
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

# On TensorFlow Keras takes a number of segments only for indices in any order.
SORTED = keras.backend.backend() != "tensorflow"


@dataclass(frozen=True, eq=False)
class Edges:
    """The entries of a matrix whose row i lists what node i sums over.

    Attributes:
        source: int32 (m,), columns of the entries.
        target: int32 (m,), their rows, ascending.
        weight: float32 (m,), the entries.
        nodes: the number of rows.
    """

    source: Any
    target: Any
    weight: Any
    nodes: int

    @classmethod
    def of(cls, matrix: Any) -> "Edges":
        """The entries of a SciPy CSR matrix."""
        target = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
        return cls(matrix.indices.astype(np.int32), target, matrix.data.astype(np.float32), matrix.shape[0])

    def padded(self, values: Any) -> tuple[np.ndarray, np.ndarray]:
        """The entries of each row side by side: columns int32 (nodes, p) and values (nodes, p), 0 in the rest."""
        count = np.bincount(self.target, minlength=self.nodes)
        place = np.arange(len(self.target)) - np.repeat(np.cumsum(count) - count, count)
        columns = np.zeros((self.nodes, max(1, int(count.max(initial=0)))), np.int32)
        found = np.zeros(columns.shape, np.float32)
        columns[self.target, place], found[self.target, place] = self.source, values
        return columns, found


def edge_sum(h: Any, edges: Edges, weight: Any = None) -> Any:
    """Weighted sums over the edges into every node; `weight` (m,) or (m, f) stands in for that of the edges."""
    weight = ops.cast(edges.weight, h.dtype) if weight is None else weight
    weight = ops.expand_dims(weight, -1) if len(weight.shape) < len(h.shape) else weight
    return total(ops.take(h, edges.source, axis=0) * weight, edges)


def total(values: Any, edges: Edges) -> Any:
    """The sum of what the edges into every node carry: values (m, ...) -> (nodes, ...)."""
    return ops.segment_sum(values, edges.target, num_segments=edges.nodes, sorted=SORTED)


def edge_max(values: Any, edges: Edges) -> Any:
    """The greatest, and at least 0, of what the sources of edges into every node hold: (sources, f) -> (nodes, f)."""
    found = ops.segment_max(
        ops.take(values, edges.source, axis=0), edges.target, num_segments=edges.nodes, sorted=SORTED
    )
    return ops.maximum(found, 0)  # backends differ in what they give a node without an edge


def edge_softmax(scores: Any, edges: Edges) -> Any:
    """Scores of edges -> shares that add up to 1 over the edges into each node: (m, ...)."""
    greatest = ops.segment_max(ops.stop_gradient(scores), edges.target, num_segments=edges.nodes, sorted=SORTED)
    raised = ops.exp(scores - ops.take(greatest, edges.target, axis=0))
    return raised / ops.take(total(raised, edges), edges.target, axis=0)
