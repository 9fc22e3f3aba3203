"""Spectral clustering: k-means on the lowest modes of a graph, which finds groups of any shape.

    unnormalised     rows of the k lowest modes of L = D - A            relaxes the ratio cut
    shi-malik        of the random-walk Laplacian                       relaxes the normalised cut
    ng-jordan-weiss  of the symmetric one, each row made length one     as shi-malik; degrees taken out of the rows

    cut(S) = sum of A_ij from S to outside     ratio cut = sum over the groups of cut(S) / |S|
    normalised cut = sum over the groups of cut(S) / vol(S),  vol(S) = sum of the degrees in S
    bound            the sum of the k lowest eigenvalues is at most the best cut, ratio for L and normalised else

With k clear groups k eigenvalues are near 0, and the gap after them tells k (`eigengap`). The unnormalised one tends to
cut off single nodes where degrees differ; on very sparse graphs all three follow dangling ends: see
bethe_hessian.

Source: von Luxburg (2007), "A tutorial on spectral clustering", sections 4 and 5; Shi, Malik (2000), "Normalized cuts
and image segmentation"; Ng, Jordan, Weiss (2002), "On spectral clustering", section 2.

Example:
    >>> import numpy as np
    >>> from maquette.methods.spectral.spectral_clustering import spectral_clustering
    >>> two = np.kron(np.eye(2), np.ones((3, 3)))
    >>> two[2, 3] = two[3, 2] = 0.1
    >>> spectral_clustering(two, 2).tolist()
    [0, 0, 0, 1, 1, 1]
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count
from maquette.methods.spectral.adjacency import adjacency, degrees
from maquette.methods.spectral.laplacian_spectrum import spectrum

LAPLACIANS = {"ng-jordan-weiss": "symmetric", "shi-malik": "random-walk", "unnormalised": "combinatorial"}


def spectral_clustering(
    graph: Any, clusters: int, kind: str = "ng-jordan-weiss", solver: str = "auto", seed: int = 0
) -> np.ndarray:
    """The group of each node: int64 (n,), numbered in the order of their first nodes.

    Args:
        graph: weights (n, n), or a graph, such as `affinity` of points.
        clusters: k.
        kind: a name above.
        solver: as for `spectrum`.
        seed: of k-means, which starts ten times.

    Raises:
        InputError: for more groups than nodes, and whatever `spectrum` refuses.
    """
    choice(kind, "kind", tuple(LAPLACIANS))
    rows = spectrum(graph, count(clusters, "clusters"), LAPLACIANS[kind], solver, seed).vectors
    if kind == "ng-jordan-weiss":
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = rows / np.where(lengths > 0, lengths, 1)
    return grouped(rows, clusters, seed)


def grouped(rows: np.ndarray, clusters: int, seed: int = 0) -> np.ndarray:
    """k-means of rows (n, dim), the best of ten starts: int64 (n,), numbered in the order of their first members."""
    from sklearn.cluster import KMeans

    labels = KMeans(clusters, n_init=10, random_state=seed).fit_predict(rows)
    _, first, own = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[own]


def eigengap(values: np.ndarray, least: int = 1) -> int:
    """How many groups rising eigenvalues (modes,) speak for: the place of the widest gap, from `least` on.

    >>> eigengap(np.array([0.0, 0.01, 0.02, 0.5, 0.6]))
    3
    """
    gaps = np.diff(np.asarray(values)[count(least, "least") - 1 :])
    if not len(gaps):
        raise InputError(f"values: {len(values)} of them show no gap after the first {least}; give more")
    return int(np.argmax(gaps)) + least


def cut_values(graph: Any, labels: Any) -> dict[str, float]:
    """What separating the groups costs: {"cut", "ratio_cut", "normalised_cut"}; an edge between groups counts once
    in the cut, and for both its sides in the other two. Labels: int (n,)."""
    weights = adjacency(graph)
    _, of = np.unique(np.asarray(labels), return_inverse=True)
    if len(of) != weights.shape[0]:
        raise InputError(f"labels: {len(of)} for a graph of {weights.shape[0]} nodes; give one for each")
    d = degrees(weights)
    rows = np.repeat(np.arange(len(of)), np.diff(weights.indptr))
    across = of[rows] != of[weights.indices]
    out = np.bincount(of[rows[across]], weights.data[across], of.max() + 1)
    volume = np.bincount(of, d)
    normalised = float((out / np.where(volume > 0, volume, 1)).sum())
    return {
        "cut": float(out.sum() / 2),
        "ratio_cut": float((out / np.bincount(of)).sum()),
        "normalised_cut": normalised,
    }


METHOD = spectral_clustering
