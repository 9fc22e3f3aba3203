"""The matrix of GCN: the neighbours of a node and the node itself, scaled so that no repetition explodes.

    S = D^-1/2 (A + I) D^-1/2     D_ii = 1 + sum_j A_ij, the degrees of A + I

Where it comes from: a Chebyshev filter of degree 1 with lambda_max = 2 and opposite weights is
theta (I + N), N = D^-1/2 A D^-1/2. The eigenvalues of I + N lie in [0, 2], so that layer upon layer of it explodes or
vanishes; those of S lie in (-1, 1], and sqrt(D_ii) is an eigenvector of 1. That is the renormalisation. An isolated
node keeps itself: S_ii = 1. Directions of edges are dropped first: A_ij is the greater of both.

Source: Kipf, Welling (2017), "Semi-supervised classification with graph convolutional networks", section 2.2.

Example:
    >>> import numpy as np
    >>> import scipy.sparse as sparse
    >>> renormalized(sparse.csr_matrix(np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]]))).toarray().round(9).tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
"""

from typing import Any

import numpy as np
import scipy.sparse as sparse


def renormalized(adjacency: Any) -> sparse.csr_matrix:
    """S of a SciPy sparse adjacency matrix (nodes, nodes), float64; weights are 0 or more."""
    return normalized(undirected(adjacency) + sparse.eye(adjacency.shape[0], format="csr"))


def normalized(adjacency: Any) -> sparse.csr_matrix:
    """D^-1/2 A D^-1/2 of a symmetric matrix, float64; rows and columns of isolated nodes are 0."""
    degrees = np.asarray(adjacency.sum(axis=1), np.float64).reshape(-1)
    scale = np.divide(1, np.sqrt(degrees), out=np.zeros_like(degrees), where=degrees > 0)
    return sparse.csr_matrix(sparse.diags(scale) @ adjacency @ sparse.diags(scale))


def undirected(adjacency: Any) -> sparse.csr_matrix:
    """The greater one of A and its transpose: both directions of every edge."""
    matrix = sparse.csr_matrix(adjacency, dtype=np.float64)
    return sparse.csr_matrix(matrix.maximum(matrix.T))


def with_loops(adjacency: Any) -> sparse.csr_matrix:
    """The entries of A that are not 0 and the whole diagonal, all 1: (nodes, nodes), float64."""
    matrix = sparse.csr_matrix(adjacency, dtype=np.float64) + sparse.eye(adjacency.shape[0], format="csr")
    matrix.data[:] = 1
    return sparse.csr_matrix(matrix)


def averaging(adjacency: Any) -> sparse.csr_matrix:
    """D^-1 A: every row divided by its sum, float64; rows of nodes without neighbours stay 0."""
    matrix = sparse.csr_matrix(adjacency, dtype=np.float64)
    degrees = np.asarray(matrix.sum(axis=1)).reshape(-1)
    scale = np.divide(1, degrees, out=np.zeros_like(degrees), where=degrees > 0)
    return sparse.csr_matrix(sparse.diags(scale) @ matrix)


METHOD = renormalized
