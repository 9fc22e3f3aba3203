"""What classifiers of whole graphs share: a batch of graphs of any sizes as one graph of fixed size.

The model is placed on all graphs side by side. A batch names some of them, and is put together inside the step: slot s
of the nodes belongs to the graph whose nodes begin before s and end after it, and so for the edges. Slots that are left
over are empty: their weight is 0. Behind the numbers of the graphs x has as many columns as blocks of nodes, or edges,
they need, so that steps of a few sizes are compiled. Without such columns all graphs are computed and rows are taken.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from maquette.core.classifier import Classifier
from maquette.core.graph_blocks import EDGES, NODES
from maquette.layers.edges import SORTED, Edges
from maquette.models.graph._placed import Placed


class Together(NamedTuple):
    """Some graphs side by side.

    Attributes:
        x: (slots, node_features).
        edges: between slots.
        graph: int32 (slots,), which of the graphs a slot belongs to.
        present: (slots,), 1 for a node, 0 for an empty slot.
        graphs: how many there are.
    """

    x: Any
    edges: Edges
    graph: Any
    present: Any
    graphs: int

    def pooled(self, h: Any) -> Any:
        """The sum over the nodes of each graph: h (slots, units) -> (graphs, units)."""
        h = h * ops.expand_dims(ops.cast(self.present, h.dtype), -1)
        return ops.segment_sum(h, self.graph, num_segments=self.graphs, sorted=SORTED)

    def averaged(self, h: Any) -> Any:
        """The mean over the nodes of each graph; of a graph without nodes 0."""
        sizes = self.pooled(ops.ones_like(h[:, :1]))
        return self.pooled(h) / ops.maximum(sizes, 1)


class GraphClassifier(Placed, Classifier):
    """x: (batch, 1 + blocks), in the first column numbers of graphs from 0 -> logits: (batch, classes).

    A page defines `matrix`, what its sums over neighbours are weighed by, `pooled`, what it knows of each graph, and
    `head`.
    """

    def __init__(self, node_features: int = 1, classes: int = 2, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(node_features, seed, **kwargs)
        self.classes = classes

    def matrix(self, adjacency: Any) -> Any:
        """CSR matrix whose row i lists what node i sums over."""
        raise NotImplementedError

    def pooled(self, graphs: Together, training: bool) -> Any:
        """What the head sees of each graph: (graphs, units)."""
        raise NotImplementedError

    def prepare(self, adjacency: Any) -> None:
        """Keep the edges, and where each graph's nodes and edges begin and how many there are."""
        matrix, starts = self.matrix(adjacency), self.matrices.starts
        self.edges = Edges.of(matrix)
        places = [starts, matrix.indptr[starts].astype(np.int32)]
        ends = [self.nodes, matrix.nnz]
        self.places = [(at, np.diff(np.append(at, end)).astype(np.int32)) for at, end in zip(places, ends)]

    def everything(self) -> Together:
        """All graphs, without an empty slot."""
        starts, sizes = self.places[0]
        graph = np.repeat(np.arange(len(starts), dtype=np.int32), sizes)
        x = ops.convert_to_tensor(self.node_values)
        return Together(x, self.edges, graph, np.ones(self.nodes, np.float32), len(starts))

    def together(self, ids: Any, blocks: Any) -> Together:
        """The graphs ids (batch,) in so many blocks of slots."""
        count = ops.shape(ids)[0]
        graph, node, present, first = self._slots(ids, count, 0, blocks * NODES)
        owner, edge, there, _ = self._slots(ids, count, 1, blocks * EDGES)
        shift = ops.take(first - ops.take(self.places[0][0], ids, axis=0), owner, axis=0)
        last = blocks * NODES - 1  # where what is empty goes, with weight 0
        source, target = (
            ops.where(there, ops.take(ends, edge, axis=0) + shift, last)
            for ends in (self.edges.source, self.edges.target)
        )
        weight = ops.take(self.edges.weight, edge, axis=0) * ops.cast(there, "float32")
        edges = Edges(source, target, weight, blocks * NODES)
        x = ops.take(self.node_values, node, axis=0) * ops.expand_dims(ops.cast(present, "float32"), -1)
        return Together(x, edges, graph, ops.cast(present, "float32"), count)

    def _slots(self, ids: Any, count: int, kind: int, slots: Any) -> tuple[Any, Any, Any, Any]:
        """Of each slot its graph, its node or edge, and whether it has one; of each graph its first slot."""
        starts, sizes = (ops.take(part, ids, axis=0) for part in self.places[kind])
        ends = ops.cast(ops.cumsum(sizes), "int32")
        slot = ops.arange(slots, dtype="int32")
        graph = ops.minimum(ops.cast(ops.searchsorted(ends, slot, side="right"), "int32"), count - 1)
        first = ends - sizes
        present = slot < ends[-1]
        found = ops.take(starts, graph, axis=0) + slot - ops.take(first, graph, axis=0)
        return graph, ops.where(present, found, 0), present, first

    def features(self, x: Any, training: bool = False) -> Any:
        """What the head sees of the graphs x (batch, 1 + blocks): (batch, units)."""
        ids, width = ops.cast(x[:, 0], "int32"), x.shape[1]
        if width is None or width > 1:  # TensorFlow compiles once for all widths after the first
            blocks = (ops.shape(x)[1] if width is None else width) - 1
            return self.pooled(self.together(ids, blocks), training)
        return ops.take(self.pooled(self.everything(), training), ids, axis=0)
