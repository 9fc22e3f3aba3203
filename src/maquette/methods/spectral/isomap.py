"""Isomap: multidimensional scaling of distances along a manifold instead of through space.

    graph       each point joined to its nearest ones, an edge as long as the distance
    geodesic    d_ij = length of the shortest way from i to j: Dijkstra from every point
    places      classical scaling of d: Z = V sqrt(Lambda) of -1/2 J d^2 J;  with all points joined it is that of space
    residual    1 - R^2 between the d_ij and the distances of the places: falls until dim is the manifold's

Global distances are kept, where the manifold is a piece of a plane that was bent and has no holes; one edge that jumps
between two sheets makes all ways short. Memory n^2, time n (edges + n log n) for the ways.

Source: Tenenbaum, de Silva, Langford (2000), "A global geometric framework for nonlinear dimensionality reduction".

Example:
    >>> import numpy as np
    >>> from maquette.methods.spectral.isomap import isomap
    >>> turn = np.linspace(0, 3, 60)
    >>> arc = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    >>> places = isomap(arc, dim=1, neighbours=2).places[:, 0]
    >>> round(float(abs(places[-1] - places[0])), 2)
    3.0
"""

from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial.distance import pdist, squareform

from maquette.errors import InputError
from maquette.methods.signal.signals import numbers
from maquette.methods.spectral.affinity import affinity
from maquette.methods.spectral.multidimensional_scaling import Scaled, scaling


def isomap(x: Any, dim: int = 2, neighbours: int = 10) -> Scaled:
    """Points (n, features) -> places (n, dim), with stress and energy as `scaling` gives them.

    Raises:
        InputError: if the graph of neighbours falls into parts, between which there is no way.
    """
    return scaling(geodesic_distances(x, neighbours), dim)


def geodesic_distances(x: Any, neighbours: int = 10) -> np.ndarray:
    """Points (n, features) -> lengths of the shortest ways along the graph of nearest neighbours: (n, n)."""
    graph = affinity(numbers(x, "x", 2), "knn", neighbours, weights="distance")
    parts = connected_components(graph, directed=False)[0]
    if parts > 1:
        raise InputError(f"neighbours {neighbours}: the graph falls into {parts} parts; take more neighbours")
    found = shortest_path(graph, method="D", directed=False)
    return np.asarray((found + found.T) / 2)


def residual_variance(distances: Any, places: np.ndarray) -> float:
    """1 - R^2 of distances (n, n) and those of places (n, dim)."""
    r = np.corrcoef(squareform(np.asarray(distances), checks=False), pdist(places))[0, 1]
    return float(1 - r**2)


METHOD = isomap
