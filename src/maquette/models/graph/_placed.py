"""What networks on graphs share: the graph that a model is placed on, which is no input and no weight."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sparse

from maquette.core.model import Model, precision
from maquette.errors import InputError
from maquette.layers.edges import Edges

MATRICES = ("adjacency", "features", "starts")


class Placed(Model):
    """A model of nodes, pairs of them or whole graphs, that `place` gives an adjacency matrix and its nodes' features.

    A file of the model keeps them, and no optimizer touches them. The same weights answer on another graph: `on` makes
    the model for it. A page defines `prepare`, what it makes of the graph once.

    Attributes:
        row: how many numbers of nodes, or of graphs, an item is.
    """

    row: ClassVar[int] = 1

    def __init__(self, node_features: int = 1, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would take one node for another
        self.node_features, self.seed = node_features, seed

    def start_nowhere(self) -> None:
        """Place the model on two nodes, so that it can be built, on PyTorch from an item of ones; called at the end."""
        self.place(
            sparse.csr_matrix((2, 2)), np.zeros((2, self.node_features), np.float32), np.arange(2, dtype=np.int32)
        )
        self.nowhere = True

    def place(self, adjacency: Any, features: Any, starts: Any = None, name: Any = None) -> None:
        """Put the model on a graph.

        Args:
            adjacency: SciPy CSR matrix (nodes, nodes), A_ij the weight of the edge from i to j.
            features: (nodes, node_features), an array or a CSR matrix.
            starts: int (graphs,), the first node of each graph, where there are several side by side.
            name: whatever tells the graph from others.

        Raises:
            InputError: for another number of features than the model has.
        """
        if features.shape[1] != self.node_features:
            wrong = f"nodes have {features.shape[1]} features, and the model takes {self.node_features}"
            raise InputError(f"{wrong}: give the features that it was trained on")
        self.place_name, self.nowhere = name, False
        starts = np.zeros(1, np.int32) if starts is None else np.asarray(starts, np.int32)
        self.matrices = Matrices(adjacency, features, starts)
        self.nodes = adjacency.shape[0]
        self.entries = Edges.of(features) if sparse.issparse(features) else None
        self.node_values = np.asarray(features.data if sparse.issparse(features) else features, np.float32)
        self.prepare(adjacency)

    def prepare(self, adjacency: Any) -> None:
        """Keep what the network needs of the graph."""
        raise NotImplementedError

    def on(self, adjacency: Any, features: Any, starts: Any = None, name: Any = None) -> "Placed":
        """The model with the same weights on another graph, see `place`; itself as long as it has no place."""
        if self.nowhere:
            self.place(adjacency, features, starts, name)
            return self
        with precision(self.dtype_policy):
            other = type(self).from_config(self.get_config())
        other.place(adjacency, features, starts, name)
        other.build((None, self.row))
        other.set_weights(self.get_weights())
        return other

    def save_own_variables(self, store: Any) -> None:
        """Store the graph beside the weights."""
        super().save_own_variables(store)
        for key, value in self.matrices.arrays().items():
            store[f"graph_{key}"] = value

    def load_own_variables(self, store: Any) -> None:
        """Inverse of `save_own_variables`."""
        stored = {key: np.asarray(store[key]) for key in store.keys()}  # noqa: SIM118  an .h5 file is no dictionary
        graph = {key: stored.pop(key) for key in list(stored) if key.startswith("graph_")}
        self.place(*Matrices.of({key.removeprefix("graph_"): value for key, value in graph.items()}))
        super().load_own_variables(stored)


class Matrices:
    """The graph as arrays, for files; an object that Keras does not look into."""

    def __init__(self, adjacency: Any, features: Any, starts: np.ndarray) -> None:
        self.adjacency, self.features, self.starts = adjacency, features, starts

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name."""
        found = {}
        for name in MATRICES:
            matrix = getattr(self, name)
            if not sparse.issparse(matrix):
                found[name] = np.asarray(matrix)
                continue
            parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
            found |= {f"{name}_{part}": values for part, values in parts.items()}
            found[f"{name}_shape"] = np.array(matrix.shape)
        return found

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
        """Adjacency, features and starts of what `arrays` gave."""
        return tuple(arrays[name] if name in arrays else _csr(arrays, name) for name in MATRICES)


def _csr(arrays: Mapping[str, np.ndarray], name: str) -> Any:
    data, indices, indptr, shape = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr", "shape"))
    return sparse.csr_matrix((data, indices, indptr), tuple(int(size) for size in shape))
