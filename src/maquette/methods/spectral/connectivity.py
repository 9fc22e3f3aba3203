"""Connectivity from the spectrum: components, trees and how hard a graph is to break, counted by eigenvalues.

    components         how often 0 is an eigenvalue of L = D - A; the null space holds a constant per component, so that
                       nodes of one component have equal rows in any basis of it
    connectivity       lambda_1, the algebraic connectivity; at most n / (n - 1) of the smallest degree
    spanning trees     lambda_1 ... lambda_(n-1) / n, weighted by the product of their edges: Kirchhoff's theorem
    interlacing        an edge that is added lowers no eigenvalue

An eigenvalue counts as 0 below n times the precision times the largest one. A search over the edges finds components
faster and without a tolerance (`scipy.sparse.csgraph.connected_components`); this is for graphs of up to some thousand
nodes whose whole spectrum is wanted.

Source: Fiedler (1973), "Algebraic connectivity of graphs"; Chung (1997), "Spectral graph theory", chapter 1; trees:
Kirchhoff (1847), in Biggs (1993), "Algebraic graph theory", section 6.

Example:
    >>> from maquette.methods.spectral.connectivity import connectivity
    >>> found = connectivity([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    >>> found.components, found.labels.tolist(), found.spectrum.round(6).tolist()
    (2, [0, 0, 0, 1], [0.0, 0.0, 3.0, 3.0])
    >>> round(connectivity([[0, 1, 1], [1, 0, 1], [1, 1, 0]]).spanning_trees, 6)
    3.0
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.spectral.laplacian import laplacian

MOST = 5000  # nodes


@dataclass(frozen=True)
class Connectivity:
    """What the whole spectrum says.

    Attributes:
        components: how many.
        labels: the component of each node, in the order of their first nodes: int64 (n,).
        spectrum: all eigenvalues of L, rising: (n,).
    """

    components: int
    labels: np.ndarray
    spectrum: np.ndarray

    @property
    def algebraic_connectivity(self) -> float:
        """lambda_1; 0 for a graph in parts, and for a single node."""
        return float(self.spectrum[1]) if self.components == 1 and len(self.spectrum) > 1 else 0.0

    @property
    def log_spanning_trees(self) -> float:
        """The logarithm of the number of spanning trees, minus infinity where there is none."""
        n = len(self.spectrum)
        return float(np.log(self.spectrum[1:]).sum() - np.log(n)) if self.components == 1 else -np.inf

    @property
    def spanning_trees(self) -> float:
        """The number of spanning trees; infinite where it is beyond a float."""
        with np.errstate(over="ignore"):
            return float(np.exp(self.log_spanning_trees))


def connectivity(graph: Any) -> Connectivity:
    """Solve for the whole spectrum of an undirected graph with weights (n, n).

    Raises:
        InputError: for more than 5,000 nodes, and an unfit graph.
    """
    matrix = laplacian(graph)
    n = matrix.shape[0]
    if n > MOST:
        raise InputError(f"graph: {n} nodes are too many for a whole spectrum; take spectrum() for its lowest part")
    values, vectors = np.linalg.eigh(matrix.toarray())
    zero = values <= n * np.finfo(float).eps * max(values[-1], 1.0)
    values = np.where(zero, 0.0, values)
    # The projection on the null space is 1 / size within a component and 0 elsewhere.
    projection = vectors[:, zero] @ vectors[:, zero].T
    _, labels = np.unique((projection > 0.5 * np.diag(projection)[:, np.newaxis]).argmax(axis=1), return_inverse=True)
    return Connectivity(int(zero.sum()), labels.astype(np.int64), values)


METHOD = connectivity
