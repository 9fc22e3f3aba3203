"""What all pages on graphs ask of their argument: a matrix of weights, or a graph that has one.

A (n, n)         A_ij is the weight of the edge from i to j, 0 where there is none; undirected: A = A^T
degree           d_i = sum_j |A_ij|, loops left out
loops            A_ii, taken out: x'Lx does not see them
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import choice

HOWS = ("mean", "maximum", "minimum")


def adjacency(graph: Any, signed: bool = False, directed: bool = False, loops: bool = False) -> sparse.csr_array:
    """The weights of a graph: CSR, float64 (n, n), columns in order, without stored zeros.

    Args:
        graph: weights (n, n), as a SciPy sparse matrix or an array, or anything whose method `adjacency()` gives them.
        signed: whether weights may be below 0.
        directed: whether A may differ from its transpose.
        loops: whether edges from a node to itself stay.

    Raises:
        InputError: for a matrix that is not square, is empty, or holds NaN, infinity or what is not allowed.
    """
    given = graph.adjacency() if hasattr(graph, "adjacency") else graph
    weights = _csr(given)
    if not np.isfinite(weights.data).all():
        raise InputError("graph: a weight is NaN or infinite; replace it, or leave the edge out")
    if not signed and (weights.data < 0).any():
        raise InputError(f"graph: the edge {_named(weights, weights.data < 0)} has a weight below 0; use signed=True")
    if not directed:
        _check_symmetric(weights)
    if not loops:
        weights = weights - sparse.diags_array(weights.diagonal())
    weights = sparse.csr_array(weights)
    weights.eliminate_zeros()
    weights.sort_indices()
    return small_indices(weights)


def small_indices(weights: sparse.csr_array) -> sparse.csr_array:
    """The same with indices of 32 bits where they suffice: half the memory, and all that some solvers take."""
    if max(weights.nnz, *weights.shape) > np.iinfo(np.int32).max:
        return weights
    parts = (weights.data, weights.indices.astype(np.int32), weights.indptr.astype(np.int32))
    return sparse.csr_array(parts, shape=weights.shape)


def _csr(given: Any) -> sparse.csr_array:
    try:
        weights = sparse.csr_array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("graph: give weights (n, n), sparse or dense, or a graph that has them") from None
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not weights.shape[0]:
        raise InputError(f"graph: weights of the shape {weights.shape}; give a square matrix, a row per node")
    weights.sum_duplicates()
    return weights


def _named(weights: sparse.csr_array, mask: np.ndarray) -> str:
    """The first marked edge, as "i -> j"."""
    at = int(np.argmax(mask))
    return f"{int(np.searchsorted(weights.indptr, at, 'right')) - 1} -> {int(weights.indices[at])}"


def _check_symmetric(weights: sparse.csr_array) -> None:
    gap = sparse.csr_array(abs(weights - weights.T))
    wrong = gap.data > 1e-9 * max(abs(weights.data).max(initial=0.0), 1e-300)
    if wrong.any():
        raise InputError(
            f"graph: the edge {_named(gap, wrong)} has no equal way back; make it symmetric by symmetrised()"
        )


def symmetrised(graph: Any, how: str = "mean") -> sparse.csr_array:
    """A directed graph made undirected: the mean, the maximum or the minimum of A_ij and A_ji.

    >>> symmetrised([[0, 1], [0, 0]], "maximum").toarray().tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    choice(how, "how", HOWS)
    a = adjacency(graph, signed=True, directed=True, loops=True)
    found = sparse.csr_array(
        {"mean": lambda: (a + a.T) / 2, "maximum": lambda: a.maximum(a.T)}.get(how, lambda: a.minimum(a.T))()
    )
    found.eliminate_zeros()
    return found


def joined(edges: Any, nodes: int, weights: Any = None) -> sparse.csr_array:
    """The symmetric weights of edges (m, 2), each listed once; 1 where there are no `weights` (m,).

    >>> joined([[0, 1], [2, 1]], nodes=3).toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    ends = np.asarray(edges, np.int64).reshape(-1, 2).T
    values = np.ones(ends.shape[1]) if weights is None else np.asarray(weights, float)
    half = sparse.csr_array((values, tuple(ends)), shape=(nodes, nodes))
    return small_indices(sparse.csr_array(half + half.T))


def degrees(weights: sparse.csr_array) -> np.ndarray:
    """d_i = sum_j |A_ij|: (n,)."""
    return np.asarray(abs(weights).sum(axis=1)).ravel()


def inverse(values: np.ndarray, power: float = 1.0) -> np.ndarray:
    """values^-power, and 0 where a value is 0: an isolated node has no neighbours to share with."""
    safe = np.where(values > 0, values, 1.0)
    return np.asarray(np.where(values > 0, safe**-power, 0.0))
