"""What the arrays of a graph have to keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sparse

from maquette.errors import InputError


def check_ends(edges: np.ndarray, nodes: int) -> None:
    """Raise InputError for an edge (2, m) that ends at no node."""
    wrong = (edges < 0) | (edges >= nodes) | (edges != np.floor(edges))
    if wrong.any():
        end, edge = (int(i) for i in np.argwhere(wrong)[0])
        side = ("comes from", "goes to")[end]
        raise InputError(f"edge {edge} {side} node {edges[end, edge]}, and the nodes are 0 to {nodes - 1}")


def checked(key: str, values: Any, kind: Any, shape: tuple[Any, ...]) -> Any:
    """An array or CSR matrix of the graph, of the kind and shape; raises InputError naming what does not fit."""
    values = sparse.csr_matrix(values, dtype=kind) if sparse.issparse(values) else kept(np.asarray(values), kind)
    wanted = "node" if key in ("features", "labels", "split") else "edge"
    if values.ndim != len(shape) or values.shape[0] != shape[0]:
        raise InputError(
            f"{key} has shape {values.shape} where there are {shape[0]} {wanted}s: give a row per {wanted}"
        )
    numbers = values.data if sparse.issparse(values) else values
    if not np.isfinite(numbers).all():
        rows = values.tocoo().row if sparse.issparse(values) else np.indices(values.shape)[0]
        row = int(rows[~np.isfinite(numbers)][0])
        raise InputError(f"{key} of {wanted} {row} hold a number that is none (NaN or infinity): fill it in or drop it")
    return values


def check_distinct(ids: tuple[str, ...]) -> None:
    """Raise InputError for an id that two nodes share."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InputError(f"two nodes have the id {name!r}: rename or remove one of them")
        seen.add(name)


def kept(values: np.ndarray, kind: Any) -> np.ndarray:
    """The values as an array that cannot be written to."""
    kept = np.ascontiguousarray(values, kind).view()  # of the caller's array, which stays writeable
    kept.flags.writeable = False
    return kept
