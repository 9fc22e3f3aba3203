"""The Laplacians of a graph: how far a value at a node is from the values around it.

    combinatorial   L = D - A                       (L x)_i = d_i x_i - sum_j A_ij x_j
    symmetric       L = I - D^(-1/2) A D^(-1/2)     spectrum in [0, 2]; 2 belongs to a bipartite component alone
    random-walk     L = I - D^-1 A                  not symmetric; the eigenvalues of the symmetric one

    energy          x'L x = sum over the edges {i, j} of A_ij (x_i - x_j)^2  >= 0
    incidence       L = B'B, the row of an edge {i, j} holds sqrt(A_ij) at i and -sqrt(A_ij) at j
    signed          d_i = sum_j |A_ij|, x'L x = sum of |A_ij| (x_i - sign(A_ij) x_j)^2; 0 is an eigenvalue where a
                    component falls in two sides with weights above 0 within and below 0 between them

The eigenvalue 0 occurs once per component. Each L is only semi-definite: its null vectors are the components' own, 1
for the combinatorial and the random-walk one and D^(1/2) 1 for the symmetric one. The row of an isolated node is 0;
an edge from a node to itself changes nothing and is left out.

Source: Chung (1997), "Spectral graph theory", chapter 1; von Luxburg (2007), "A tutorial on spectral clustering",
section 3; signed: Kunegis et al. (2010), "Spectral analysis of signed graphs", section 3.

Example:
    >>> from maquette.methods.spectral.laplacian import dirichlet_energy, laplacian
    >>> path = [[0, 1, 0], [1, 0, 2], [0, 2, 0]]
    >>> laplacian(path).toarray().tolist()
    [[1.0, -1.0, 0.0], [-1.0, 3.0, -2.0], [0.0, -2.0, 2.0]]
    >>> float(dirichlet_energy(path, [0, 1, 4]))
    19.0
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, numbers
from maquette.methods.spectral.adjacency import adjacency, degrees, inverse

KINDS = ("combinatorial", "symmetric", "random-walk")


def laplacian(graph: Any, kind: str = "combinatorial", signed: bool = False) -> sparse.csr_array:
    """The Laplacian of an undirected graph: CSR, float64 (n, n).

    Args:
        graph: weights (n, n), or a graph.
        kind: a name above.
        signed: whether weights may be below 0; degrees are then sums of their absolute values.

    Raises:
        InputError: for an unknown kind, and for a directed or otherwise unfit graph.
    """
    choice(kind, "kind", KINDS)
    weights = adjacency(graph, signed)
    d = degrees(weights)
    if kind == "combinatorial":
        return sparse.csr_array(sparse.diags_array(d) - weights)
    left, right = (inverse(d, 0.5),) * 2 if kind == "symmetric" else (inverse(d), np.ones(len(d)))
    scaled = sparse.diags_array(left) @ weights @ sparse.diags_array(right)
    return sparse.csr_array(sparse.diags_array((d > 0).astype(float)) - scaled)


def incidence(graph: Any, signed: bool = False) -> sparse.csr_array:
    """B (edges, n), a row per edge {i, j}, i < j, in the order of (i, j).

    >>> incidence([[0, 4], [4, 0]]).toarray().tolist()
    [[2.0, -2.0]]
    """
    edges = sparse.coo_array(sparse.triu(adjacency(graph, signed), 1))
    rows = np.tile(np.arange(edges.nnz), 2)
    root = np.sqrt(np.abs(edges.data))
    values = np.concatenate([root, -np.sign(edges.data) * root])
    return sparse.csr_array((values, (rows, np.concatenate(edges.coords))), shape=(edges.nnz, edges.shape[0]))


def dirichlet_energy(graph: Any, x: Any, kind: str = "combinatorial", signed: bool = False) -> np.ndarray:
    """x'L x: x (n,) -> (), or a value for each column of x (n, m) -> (m,); small where x is smooth on the graph."""
    matrix = laplacian(graph, kind, signed)
    values = numbers(x, "x").astype(float)
    if len(values) != matrix.shape[0]:
        raise InputError(f"x has {len(values)} rows and the graph {matrix.shape[0]} nodes: give a value for each node")
    return np.asarray((values * (matrix @ values)).sum(axis=0))


METHOD = laplacian
