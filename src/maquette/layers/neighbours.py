"""Draws of neighbours: for each of many nodes a fixed number of others that an edge leads from, none of them twice.

Of d neighbours and `count` wanted ones, all are taken where d <= count, and the rest of the places stay empty. Else one
number u in [0, 1) a node chooses places floor(u d + j d / count) modulo d of its list, j = 0, ..., count - 1. Since
d / count >= 1 they differ, and each neighbour has the chance count / d: the mean over those drawn is right on average.

Source: Madow, Madow (1944), "On the theory of systematic sampling, I"; neighbours of a fixed number: Hamilton, Ying,
Leskovec (2017), "Inductive representation learning on large graphs", section 3.1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Lists of neighbours.

    Attributes:
        start: int32 (nodes,), where each node's list begins.
        degree: int32 (nodes,), how long it is.
        nodes: int32 (m + 1,), the lists one after the other, and one number more, so that no list begins outside.
    """

    start: Any
    degree: Any
    nodes: Any

    @classmethod
    def of(cls, matrix: Any) -> "Neighbours":
        """The columns of the entries of each row of a SciPy CSR matrix."""
        start, degree = matrix.indptr[:-1].astype(np.int32), np.diff(matrix.indptr).astype(np.int32)
        return cls(start, degree, np.append(matrix.indices, 0).astype(np.int32))

    def drawn(self, ids: Any, count: int, chance: Any) -> tuple[Any, Any]:
        """Neighbours of the nodes `ids` (...,) by draws `chance` (...,) from [0, 1).

        Returns:
            int32 (..., count), neighbours, where there are none the node itself; and whether there are: bool.
        """
        degree = ops.expand_dims(ops.take(self.degree, ids, axis=0), -1)
        real, place = ops.cast(degree, "float32"), ops.arange(count, dtype="int32")
        at = ops.expand_dims(chance, -1) * real + ops.cast(place, "float32") * real / count
        at = ops.cast(ops.floor(at), "int32")
        at = ops.where(at >= degree, at - degree, at)
        at = ops.where(degree <= count, place, ops.clip(at, 0, ops.maximum(degree - 1, 0)))
        present = place < degree
        start = ops.expand_dims(ops.take(self.start, ids, axis=0), -1)
        found = ops.take(self.nodes, start + ops.where(present, at, 0), axis=0)
        return ops.where(present, found, ops.expand_dims(ids, -1)), present
