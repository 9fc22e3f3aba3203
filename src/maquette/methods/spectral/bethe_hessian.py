"""Bethe Hessian: communities of a sparse graph, down to the limit at which any method can see them.

    H(r) = (r^2 - 1) I - r A + D,   r = sqrt(sum_i d_i^2 / sum_i d_i - 1)
    groups     the number of eigenvalues of H(r) below 0; k-means on their eigenvectors tells the nodes apart
    seen       two equal groups with a / n and b / n chances of an edge within and between can be told apart at all
               if and only if (a - b)^2 > 2 (a + b): the Kesten-Stigum threshold; k groups: (a - b)^2 > k (a + k b - b)
    exact      with chances a log(n) / n and b log(n) / n every node is placed rightly, for large n, if and only if
               sqrt(a) - sqrt(b) > sqrt(2)

Where nodes have few edges, modes of the Laplacians sit on dangling ends and hubs, and near the limit these hide the
groups. Those of H(r) do not; it is a symmetric sparse matrix of the size of A, and tells the number of groups. It takes
edges as present or absent (weights are ignored) and groups of like density.

Source: Saade, Krzakala, Zdeborova (2014), "Spectral clustering of graphs with the Bethe Hessian", section 3; the
limits: Mossel, Neeman, Sly (2015), "Reconstruction and estimation in the planted partition model"; Abbe, Bandeira,
Hall (2016), "Exact recovery in the stochastic block model".

Example:
    >>> from maquette.methods.spectral.bethe_hessian import bethe_clustering
    >>> from maquette.methods.spectral.block_model import block_model
    >>> graph, truth = block_model([500, 500], within=20 / 1000, between=2 / 1000, seed=0)
    >>> labels = bethe_clustering(graph)
    >>> len(set(labels)), bool(max((labels == truth).mean(), (labels != truth).mean()) > 0.97)
    (2, True)
"""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import eigsh

from maquette.methods.signal.signals import count, number
from maquette.methods.spectral.adjacency import adjacency, degrees
from maquette.methods.spectral.spectral_clustering import grouped

DENSE = 300  # nodes of a graph that is solved densely
MOST = 30  # groups that are looked for


def bethe_hessian(graph: Any, r: float | None = None) -> sparse.csr_array:
    """H(r) of an undirected graph: CSR (n, n); r follows from the degrees if None."""
    edges = adjacency(graph)
    edges.data[:] = 1.0
    d = degrees(edges)
    if r is None:
        r = float(np.sqrt(max((d**2).sum() / max(d.sum(), 1.0) - 1, 1.0)))
    number(r, "r", 0, above=True)
    return sparse.csr_array(sparse.diags_array(r**2 - 1 + d) - r * edges)


def bethe_clustering(graph: Any, clusters: int = 0, seed: int = 0) -> np.ndarray:
    """The group of each node: int64 (n,).

    Args:
        graph: weights (n, n), or a graph.
        clusters: how many; 0 takes as many as there are eigenvalues below 0, up to 30.
        seed: of k-means and of the solver's start.

    Raises:
        InputError: for an unfit graph.
    """
    matrix, n = bethe_hessian(graph), count(clusters, "clusters", 0)
    size, wanted = matrix.shape[0], n or MOST
    if size <= max(DENSE, 3 * wanted):
        values, vectors = np.linalg.eigh(matrix.toarray())
    else:
        values, vectors = _lowest(matrix, wanted, n == 0, np.random.default_rng(seed).normal(size=size))
    groups = n or max(1, int((values < 0).sum()))
    order = np.argsort(values)[: min(groups, MOST if not n else groups)]
    return grouped(vectors[:, order], len(order), seed)


def _lowest(matrix: sparse.csr_array, wanted: int, counting: bool, start: np.ndarray) -> tuple[Any, Any]:
    """Lowest modes: `wanted` of them, or when counting, more until one is at 0 or above."""
    modes = min(4, wanted) if counting else wanted
    while True:
        values, vectors = eigsh(matrix, modes, which="SA", v0=start, ncv=max(2 * modes + 1, 24), tol=1e-8)
        if not counting or values.max() >= 0 or modes >= wanted:
            return values, vectors
        modes = min(2 * modes, wanted)


METHOD = bethe_clustering
