"""Polynomial filters on graphs: K hops, K products with a sparse matrix, and no eigenvector.

    y = sum_{k=0}^K theta_k L^k f              powers, by Horner's scheme
    y = sum_{k=0}^K theta_k T_k(M) f           Chebyshev, M = 2 L / lambda_max - I with its eigenvalues in [-1, 1]
    T_0 = 1, T_1 = x, T_k = 2 x T_{k-1} - T_{k-2}; T_k(cos a) = cos(k a), so that |T_k| <= 1 on [-1, 1]

In the transform the response is the same polynomial of lambda. (L^k)_ij is 0 where j is more than k hops from i, so
that a node answers to nothing beyond K hops. A product with L costs O(edges). Powers of L are nearly parallel for large
K, and their coefficients grow huge; Chebyshev's are almost orthogonal, and the coefficients of a smooth response fall
fast: `chebyshev_coefficients` fits one. GCN is K = 1 with lambda_max = 2 and theta_0 = -theta_1, renormalised.

Source: Hammond, Vandergheynst, Gribonval (2011), "Wavelets on graphs via spectral graph theory", section 6; Defferrard,
Bresson, Vandergheynst (2016), "Convolutional neural networks on graphs with fast localized spectral filtering",
section 2.

Example:
    >>> import numpy as np
    >>> path = np.array([[1.0, -1, 0], [-1, 2, -1], [0, -1, 1]])
    >>> polynomial_filter(path, [0, 1], [1.0, 0, 0]).tolist()
    [1.0, -1.0, 0.0]
    >>> chebyshev_filter(path, [0, 1], [1.0, 0, 0], 4.0).tolist()
    [-0.5, -0.5, 0.0]
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse

from maquette.errors import InputError


def polynomial_filter(laplacian: Any, theta: Sequence[float], f: Any) -> np.ndarray:
    """sum_k theta_k L^k f for a matrix (nodes, nodes), an array or SciPy sparse, and f (nodes,) or (nodes, signals)."""
    weights, f = _given(laplacian, theta, f)
    y = weights[-1] * f
    for weight in weights[-2::-1]:
        y = laplacian @ y + weight * f
    return np.asarray(y)


def chebyshev_filter(laplacian: Any, theta: Sequence[float], f: Any, greatest: float | None = None) -> np.ndarray:
    """sum_k theta_k T_k(2 L / greatest - I) f; `greatest` is lambda_max, computed if it is None.

    Evaluated by Clenshaw's recurrence b_k = theta_k f + 2 M b_{k+1} - b_{k+2}, y = b_0 - M b_1, which is stable.
    """
    weights, f = _given(laplacian, theta, f)
    scaled = scaled_laplacian(laplacian, greatest)
    after, later = np.zeros_like(f), np.zeros_like(f)
    for weight in weights[:0:-1]:
        after, later = weight * f + 2 * (scaled @ after) - later, after
    return np.asarray(weights[0] * f + scaled @ after - later)


def scaled_laplacian(laplacian: Any, greatest: float | None = None) -> sparse.csr_matrix:
    """2 L / lambda_max - I as a CSR matrix: its eigenvalues lie in [-1, 1]. Without an edge it is -I."""
    greatest = greatest_eigenvalue(laplacian) if greatest is None else greatest
    scale = 2 / greatest if greatest > 0 else 0.0
    matrix = sparse.csr_matrix(laplacian, dtype=np.float64)
    return sparse.csr_matrix(scale * matrix - sparse.eye(matrix.shape[0]))


def greatest_eigenvalue(laplacian: Any) -> float:
    """lambda_max of a symmetric positive semi-definite matrix, by Lanczos' method."""
    matrix = sparse.csr_matrix(laplacian, dtype=np.float64)
    if not matrix.count_nonzero():
        return 0.0
    if matrix.shape[0] < 3:
        return float(np.linalg.eigvalsh(matrix.toarray()).max(initial=0.0))
    from scipy.sparse.linalg import eigsh

    start = np.random.default_rng(0).normal(size=matrix.shape[0])
    return float(eigsh(matrix, 1, which="LA", return_eigenvectors=False, v0=start)[0])


def chebyshev_coefficients(response: Callable[[np.ndarray], Any], degree: int, greatest: float) -> np.ndarray:
    """theta (degree + 1,) whose Chebyshev filter comes near to a response on [0, greatest].

    The response is met exactly at degree + 1 points lambda_j = greatest (cos(pi (j + 1/2) / (degree + 1)) + 1) / 2.
    """
    if degree < 0:
        raise InputError(f"degree={degree}: give at least 0")
    angles = np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)
    values = np.asarray(response(greatest * (np.cos(angles) + 1) / 2), np.float64) * np.ones(degree + 1)
    theta = 2 / (degree + 1) * np.cos(np.outer(np.arange(degree + 1), angles)) @ values
    theta[0] /= 2
    return np.asarray(theta)


def _given(laplacian: Any, theta: Sequence[float], f: Any) -> tuple[np.ndarray, np.ndarray]:
    weights, signal = np.asarray(theta, np.float64), np.asarray(f, np.float64)
    if weights.ndim != 1 or not len(weights):
        raise InputError(f"theta of shape {weights.shape}: give at least one number")
    if signal.ndim == 0 or len(signal) != laplacian.shape[0]:
        raise InputError(f"a signal of shape {signal.shape}: give a number for each of {laplacian.shape[0]} nodes")
    return weights, signal


METHOD = chebyshev_filter
