"""Laplacian eigenmaps, or spectral embedding: nodes placed so that what is joined strongly lies close together.

    minimise    sum over the edges of A_ij |y_i - y_j|^2      subject to Y'D Y = I, Y'D 1 = 0
    solution    (D - A) y = lambda D y: the modes of the random-walk Laplacian after the constant one
    kinds       random-walk, as above; symmetric, u = D^(1/2) y; combinatorial, Y'Y = I instead of Y'D Y = I
    diffusion   with a time t, mode k is scaled by (1 - lambda_k)^t: distances are then those between where random
                walks of t steps from two nodes are, weighted by 1 / d
    new points  y(x) = sum_j p_j y_j / (1 - lambda), p_j the weight of x to j as a share: Nystrom's formula, which
                gives a point of the graph its own place again

Local distances are kept and lengths far apart are not: the axes have one scale, a long strip becomes a horseshoe, and
a graph in several parts collapses, each into a point, since each has a constant mode of its own.

Source: Belkin, Niyogi (2003), "Laplacian eigenmaps for dimensionality reduction and data representation", sections 2
and 3; diffusion: Coifman, Lafon (2006), "Diffusion maps"; new points: Bengio et al. (2003), "Out-of-sample extensions".

Example:
    >>> from maquette.methods.spectral.laplacian_eigenmaps import laplacian_eigenmaps
    >>> path = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> laplacian_eigenmaps(path, dim=1).vectors.round(3).ravel() + 0
    array([ 0.707,  0.   , -0.707])
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import count, number
from maquette.methods.spectral.laplacian_spectrum import Spectrum, spectrum


def laplacian_eigenmaps(
    graph: Any, dim: int = 2, kind: str = "random-walk", time: float = 0.0, solver: str = "auto", seed: int = 0
) -> Spectrum:
    """The places of the nodes, `vectors` (n, dim), and the eigenvalue of each axis, `values` (dim,).

    Args:
        graph: weights (n, n), or a graph, such as `affinity` of points.
        dim: how many axes.
        kind: of the Laplacian.
        time: t of a diffusion map; 0 keeps the modes as they are.
        solver: as for `spectrum`.
        seed: of the solver's start.

    Raises:
        InputError: for as many axes as nodes or more, and whatever `spectrum` refuses.
    """
    count(dim, "dim"), number(time, "time", 0)
    found = spectrum(graph, dim + 1, kind, solver, seed)
    values, vectors = found.values[1:], found.vectors[:, 1:]
    return Spectrum(values, vectors * (1 - values) ** time if time else vectors)


def place(found: Spectrum, weights: Any) -> np.ndarray:
    """New points among embedded ones: weights (m, n) of each to the n nodes -> places (m, dim).

    Args:
        found: random-walk eigenmaps.
        weights: sparse or dense, each row with at least one weight above 0.

    Raises:
        InputError: for a row without a neighbour, or an axis with the eigenvalue 1, which averages lose.
    """
    rows = sparse.csr_array(weights, dtype=np.float64)
    sums = np.asarray(rows.sum(axis=1)).ravel()
    if (sums <= 0).any():
        raise InputError(
            f"weights: row {int(np.argmax(sums <= 0))} has no neighbour; use a larger radius or more of them"
        )
    if (np.abs(1 - found.values) < 1e-9).any():
        raise InputError("found: an axis has the eigenvalue 1 and cannot be extended; take fewer axes")
    return np.asarray((rows @ found.vectors) / sums[:, np.newaxis] / (1 - found.values))


METHOD = laplacian_eigenmaps
