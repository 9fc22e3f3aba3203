"""Fiedler cut: a graph in two by the sign, or the best threshold, of its second eigenvector.

    lambda_1, phi_1   the second lowest mode of L; lambda_1 is the algebraic connectivity, above 0 if connected
    cut(S)            sum of A_ij over i in S, j outside
    ratio cut         cut(S) (1 / |S| + 1 / |rest|)                 relaxed by L = D - A:  lambda_1 <= its minimum
    normalised cut    cut(S) (1 / vol(S) + 1 / vol(rest))           relaxed by I - D^(-1/2) A D^(-1/2)
    conductance       cut(S) / min(vol(S), vol(rest))
    Cheeger           lambda_1 / 2 <= least conductance <= sqrt(2 lambda_1), and the best threshold keeps the right

With `sweep` nodes are ordered by phi_1 and every one of the n - 1 thresholds is tried, in time that follows the edges.
A graph in several components is cut between them, at no cost.

Source: Fiedler (1973), "Algebraic connectivity of graphs"; Shi, Malik (2000), "Normalized cuts and image
segmentation"; the bounds: Chung (1997), "Spectral graph theory", chapter 2.

Example:
    >>> from maquette.methods.spectral.fiedler_cut import fiedler_cut
    >>> found = fiedler_cut([[0, 5, 0, 0], [5, 0, 1, 0], [0, 1, 0, 5], [0, 0, 5, 0]])
    >>> found.side.tolist(), found.cut, round(found.ratio_cut, 3)
    ([False, False, True, True], 1.0, 1.0)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import choice
from maquette.methods.spectral.adjacency import adjacency, degrees, inverse
from maquette.methods.spectral.laplacian_spectrum import spectrum

OBJECTIVES, THRESHOLDS = ("ratio", "normalised"), ("sweep", "sign")


@dataclass(frozen=True)
class Cut:
    """A graph in two parts.

    Attributes:
        side: whether a node is in S, in which node 0 is not: (n,).
        connectivity: lambda_1.
        vector: phi_1, of the random-walk Laplacian for the normalised cut: (n,).
        cut: the weight between the parts.
        ratio_cut: as above.
        normalised_cut: as above.
        conductance: as above.
    """

    side: np.ndarray
    connectivity: float
    vector: np.ndarray
    cut: float
    ratio_cut: float
    normalised_cut: float
    conductance: float


def fiedler_cut(
    graph: Any, objective: str = "ratio", threshold: str = "sweep", solver: str = "auto", seed: int = 0
) -> Cut:
    """Cut an undirected graph in two.

    Args:
        graph: weights (n, n), or a graph.
        objective: "ratio" or "normalised": which cut to make small.
        threshold: "sweep" tries all of phi_1's values, "sign" cuts at 0.
        solver: as for `spectrum`.
        seed: of the solver's start.

    Raises:
        InputError: for an unknown word, fewer than two nodes, and whatever `spectrum` refuses.
    """
    choice(objective, "objective", OBJECTIVES), choice(threshold, "threshold", THRESHOLDS)
    weights = adjacency(graph)
    n, d = weights.shape[0], degrees(weights)
    if n < 2:
        raise InputError("graph: one node cannot be cut in two; give at least two")
    found = spectrum(weights, 2, "combinatorial" if objective == "ratio" else "random-walk", solver, seed)
    vector = found.vectors[:, 1]
    order = np.argsort(vector, kind="stable")
    cuts, sizes, volumes = _swept(weights, d, order)
    costs = (cuts * (1 / sizes + 1 / (n - sizes)), cuts * (inverse(volumes) + inverse(d.sum() - volumes)))
    if threshold == "sign":
        at = min(max(int((vector < 0).sum()), 1), n - 1) - 1
    else:
        at = int(np.argmin(costs[OBJECTIVES.index(objective)]))
    side = np.zeros(n, bool)
    side[order[at + 1 :]] = True
    least = min(volumes[at], d.sum() - volumes[at])
    conductance = float(cuts[at] / least) if least > 0 else 0.0
    values = (float(found.values[1]), vector, float(cuts[at]), float(costs[0][at]), float(costs[1][at]), conductance)
    return Cut(side ^ side[0], *values)


def _swept(weights: sparse.csr_array, d: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut, size and volume of the first 1, ..., n - 1 nodes of an order: (n - 1,) each."""
    rank = np.argsort(order)
    rows = np.repeat(np.arange(len(d)), np.diff(weights.indptr))
    # An edge is cut from where its first end is in until its second one is.
    first = np.minimum(rank[rows], rank[weights.indices])
    last = np.maximum(rank[rows], rank[weights.indices])
    change = np.bincount(first, weights.data / 2, len(d)) - np.bincount(last, weights.data / 2, len(d))
    cuts = np.maximum(np.cumsum(change)[:-1], 0.0)
    return cuts, np.arange(1.0, len(d)), np.cumsum(d[order])[:-1]


METHOD = fiedler_cut
