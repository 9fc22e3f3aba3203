"""How good a division of nodes into communities is: by the graph alone, and against known groups.

    modularity    Q = 1/(2m) sum_ij (A_ij - g d_i d_j / (2m)) [c_i = c_j],  2m = sum_ij A_ij; a directed graph:
                  Q = 1/m sum_ij (A_ij - g dout_i din_j / m) [c_i = c_j],   m = sum_ij A_ij; g = `resolution`
    conductance   of a community S: cut(S) / min(vol(S), vol(rest))
    coverage      the share of the weight that lies within communities
    nmi, ari      normalised mutual information, adjusted Rand index with known groups: 1 for the same division
                  whatever its names, about 0 for a chance one (ari; nmi is above 0 for many small groups)

All nodes in one community have Q = 0, each in its own a Q below 0. The best Q of a large graph merges small communities
(the resolution limit), and random graphs have divisions of high Q too: it compares divisions, it does not prove one.

Source: Newman, Girvan (2004), "Finding and evaluating community structure in networks"; directed: Leicht, Newman
(2008); resolution: Reichardt, Bornholdt (2006); ari: Hubert, Arabie (1985), "Comparing partitions".

Example:
    >>> import numpy as np
    >>> from maquette.methods.spectral.communities import modularity, score
    >>> two = np.kron(np.eye(2), 1 - np.eye(3))
    >>> modularity(two, [0, 0, 0, 1, 1, 1])
    0.5
    >>> score(two, [0, 0, 0, 1, 1, 1], truth=[5, 5, 5, 3, 3, 3])["ari"]
    1.0
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import number
from maquette.methods.spectral.adjacency import adjacency


def modularity(graph: Any, labels: Any, resolution: float = 1.0, directed: bool = False) -> float:
    """Q of a division: labels (n,), any values; an edge from a node to itself counts.

    Raises:
        InputError: for another number of labels than nodes, a graph without edges, and an unfit graph.
    """
    number(resolution, "resolution", 0)
    weights = adjacency(graph, directed=directed, loops=True)
    of, total = _numbered(labels, weights.shape[0]), weights.sum()
    if not total:
        raise InputError("graph: it has no edge, and so no modularity")
    out = np.bincount(of, np.asarray(weights.sum(axis=1)).ravel())
    into = np.bincount(of, np.asarray(weights.sum(axis=0)).ravel())
    return float(coverage(weights, of) - resolution * (out * into).sum() / total**2)


def coverage(weights: Any, of: np.ndarray) -> float:
    """The share of the weight of CSR weights (n, n) that lies within the communities of (n,)."""
    rows = np.repeat(np.arange(len(of)), np.diff(weights.indptr))
    return float(weights.data[of[rows] == of[weights.indices]].sum() / weights.sum())


def conductance(graph: Any, labels: Any) -> np.ndarray:
    """Of each community, in the order of their sorted labels: (communities,); 0 for one without weight.

    >>> conductance([[0, 1, 0], [1, 0, 1], [0, 1, 0]], [0, 0, 1]).round(3).tolist()
    [1.0, 1.0]
    """
    weights = adjacency(graph)
    of = _numbered(labels, weights.shape[0])
    rows = np.repeat(np.arange(len(of)), np.diff(weights.indptr))
    across = of[rows] != of[weights.indices]
    out = np.bincount(of[rows[across]], weights.data[across], of.max() + 1)
    volume = np.bincount(of[rows], weights.data, of.max() + 1)
    least = np.minimum(volume, volume.sum() - volume)
    return np.asarray(out / np.where(least > 0, least, 1))


def score(graph: Any, labels: Any, truth: Any = None) -> dict[str, float]:
    """Modularity, largest conductance and number of communities of an undirected graph; with `truth`, nmi and ari."""
    found = {
        "modularity": modularity(graph, labels),
        "conductance": float(conductance(graph, labels).max()),
        "communities": float(len(np.unique(labels))),
    }
    if truth is None:
        return found
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    known, own = _numbered(truth, len(np.asarray(labels))), _numbered(labels, len(np.asarray(labels)))
    nmi, ari = normalized_mutual_info_score(known, own), adjusted_rand_score(known, own)
    return {**found, "nmi": float(nmi), "ari": float(ari)}


def _numbered(labels: Any, nodes: int) -> np.ndarray:
    of = np.unique(np.asarray(labels), return_inverse=True)[1].reshape(-1)
    if len(of) != nodes:
        raise InputError(f"labels: {len(of)} for a graph of {nodes} nodes; give one for each")
    return of


METHOD = modularity
