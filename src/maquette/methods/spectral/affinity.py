"""Affinity graphs: points in space become nodes, and near ones are joined.

    epsilon        i and j are joined if |x_i - x_j| <= radius
    knn            if j is among the k nearest of i, or i among those of j
    mutual-knn     if both are

    weights  one           1
             heat          exp(-|x_i - x_j|^2 / (2 sigma^2))
             self-tuning   exp(-|x_i - x_j|^2 / (s_i s_j)),  s_i the distance from i to its `scale`th neighbour
             distance      |x_i - x_j|, for ways along the graph, not for its Laplacian

Being among the nearest is not mutual, and the graph of it is directed: `knn` takes the union of both directions. A
radius leaves lonely points alone and joins dense ones with all others; a k joins everything to something, noise too,
and the mutual one cuts dense parts from thin ones. Neighbours come from a search tree: memory follows the edges.

Source: von Luxburg (2007), "A tutorial on spectral clustering", section 2.2; heat: Belkin, Niyogi (2003), "Laplacian
eigenmaps", section 2; self-tuning: Zelnik-Manor, Perona (2004), "Self-tuning spectral clustering", section 2.

Example:
    >>> from maquette.methods.spectral.affinity import affinity
    >>> x = [[0.0], [1.0], [3.0], [3.5]]
    >>> affinity(x, "knn", neighbours=1, weights="one").toarray().astype(int).tolist()
    [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers
from maquette.methods.spectral.adjacency import small_indices, symmetrised

KINDS, WEIGHTS = ("knn", "mutual-knn", "epsilon"), ("heat", "one", "self-tuning", "distance")


def affinity(
    x: Any,
    kind: str = "knn",
    neighbours: int = 10,
    radius: float = 1.0,
    weights: str = "heat",
    sigma: float | None = None,
    scale: int = 7,
) -> sparse.csr_array:
    """Points (n, features) -> weights: CSR, symmetric (n, n), nothing on the diagonal.

    Args:
        x: the points.
        kind: knn, mutual-knn or epsilon.
        neighbours: k, for the first two.
        radius: for epsilon, in the units of x.
        weights: a name above; points at the same place have the distance 1e-300, not 0, which would be no edge.
        sigma: of heat, in the units of x; the median length of the edges if None.
        scale: which neighbour sets the local scale of self-tuning.

    Raises:
        InputError: for an unknown word, numbers out of range, and points that are none.
    """
    choice(kind, "kind", KINDS), choice(weights, "weights", WEIGHTS)
    points = numbers(x, "x", 2).astype(float)
    how = "minimum" if kind == "mutual-knn" else "maximum"
    distances = small_indices(symmetrised(_distances(points, kind, neighbours, radius), how))
    lengths = distances.data
    if weights == "one":
        lengths = np.ones(len(lengths))
    elif weights == "heat":
        width = np.median(lengths) if sigma is None and len(lengths) else number(sigma or 1, "sigma", 0, above=True)
        lengths = np.exp(-(lengths**2) / (2 * width**2))
    elif weights == "self-tuning":
        local = nearest(points, min(count(scale, "scale"), len(points) - 1))[0][:, -1]
        rows = np.repeat(np.arange(len(points)), np.diff(distances.indptr))
        lengths = np.exp(-(lengths**2) / np.maximum(local[rows] * local[distances.indices], 1e-300))
    # A weight that underflows stays an edge: dropping it could cut a component off.
    values = np.maximum(lengths, 1e-300)
    return sparse.csr_array((values, distances.indices, distances.indptr), shape=distances.shape)


def nearest(x: np.ndarray, neighbours: int, of: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Distances and places in x (n, features) of the k nearest: of each point but itself, or of other points `of`."""
    from sklearn.neighbors import NearestNeighbors

    if count(neighbours, "neighbours") > len(x) - (of is None):
        raise InputError(f"neighbours {neighbours}: there are {len(x)} points; take fewer")
    # What scikit-learn leaves out of a point's own neighbours is the point itself, even among equal ones.
    distances, places = NearestNeighbors(n_neighbors=neighbours).fit(x).kneighbors(of)
    return distances, places


def _distances(x: np.ndarray, kind: str, neighbours: int, radius: float) -> sparse.csr_array:
    """Directed for nearest neighbours: the distance from i to each j that it is joined to."""
    if kind == "epsilon":
        from scipy.spatial import cKDTree

        pairs = cKDTree(x).query_pairs(number(radius, "radius", 0, above=True), output_type="ndarray")
        lengths = np.linalg.norm(x[pairs[:, 0]] - x[pairs[:, 1]], axis=1)
        rows, columns = pairs.T
    else:
        found, places = nearest(x, neighbours)
        rows, columns, lengths = np.repeat(np.arange(len(x)), neighbours), places.ravel(), found.ravel()
    return sparse.csr_array((np.maximum(lengths, 1e-300), (rows, columns)), shape=(len(x), len(x)))


METHOD = affinity
