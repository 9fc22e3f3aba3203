"""Graph Fourier transform: a signal on nodes as a sum of the graph's own waves, and filters that weigh these.

    L = U diag(lambda) U^T       the eigenvectors of a symmetric Laplacian, lambda_0 <= lambda_1 <= ...
    f^ = U^T f, f = U f^         transform and inverse; |f| = |f^|                      f: (nodes,) or (nodes, signals)
    f * g = U (g^ f^)            convolution is a product in the transform
    y = U g(diag(lambda)) U^T f  a filter with the response g: 1 leaves f, lambda gives L f, exp(-t lambda) is heat

lambda is a squared frequency: u_k^T L u_k = lambda_k is how much wave k differs along edges. U is orthogonal because L
is symmetric, which normalising it does not bring about. Waves of equal lambda, and all signs, are free: a filter does
not depend on that choice as long as g is a function of lambda alone; one number for each wave (the spectral CNN) does,
which ties it to one graph. On a ring the waves are sines and cosines, those of the discrete Fourier transform; on a
path they are those of the cosine transform. All eigenvectors cost O(nodes^3): for more than some thousand nodes filter
by polynomials.

Source: Shuman et al. (2013), "The emerging field of signal processing on graphs", sections II and III.

Example:
    >>> import numpy as np
    >>> waves = fourier_basis(np.array([[1.0, -1], [-1, 1]]))
    >>> waves.values.round(9).tolist(), waves.filtered([3.0, 1], lambda value: value).round(9).tolist()
    ([0.0, 2.0], [2.0, -2.0])
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from maquette.errors import InputError

MOST_NODES = 5000


@dataclass(frozen=True)
class FourierBasis:
    """The waves of a graph.

    Attributes:
        values: lambda (nodes,), ascending.
        vectors: U (nodes, nodes), a wave in each column.
    """

    values: np.ndarray
    vectors: np.ndarray

    def transform(self, f: Any) -> np.ndarray:
        """f^ = U^T f."""
        return np.asarray(self.vectors.T @ self._signal(f))

    def inverse(self, spectrum: Any) -> np.ndarray:
        """U f^."""
        return np.asarray(self.vectors @ self._signal(spectrum))

    def convolved(self, f: Any, g: Any) -> np.ndarray:
        """f * g = U (U^T f U^T g), of two signals of one shape."""
        return self.inverse(self.transform(f) * self.transform(g))

    def filtered(self, f: Any, response: Callable[[np.ndarray], Any] | Any) -> np.ndarray:
        """U diag(response) U^T f; `response` is a function of lambda, or a number for each wave (nodes,)."""
        weights = np.asarray(response(self.values) if callable(response) else response, np.float64)
        if weights.shape != self.values.shape:
            raise InputError(f"a response of shape {weights.shape}: give a number for each of {len(self.values)} waves")
        spectrum = self.transform(f)
        return self.inverse(weights.reshape(-1, *(1,) * (spectrum.ndim - 1)) * spectrum)

    def _signal(self, f: Any) -> np.ndarray:
        values = np.asarray(f, np.float64)
        if values.ndim == 0 or len(values) != len(self.values):
            raise InputError(f"a signal of shape {values.shape}: give a number for each of {len(self.values)} nodes")
        return values


def fourier_basis(laplacian: Any) -> FourierBasis:
    """The waves of a symmetric matrix (nodes, nodes), an array or SciPy sparse: a Laplacian, or an adjacency matrix.

    Raises:
        InputError: for a matrix that is not symmetric, or one of more than 5,000 nodes.
    """
    matrix = np.asarray(laplacian.toarray() if sparse.issparse(laplacian) else laplacian, np.float64)
    if matrix.ndim != 2 or not np.allclose(matrix, matrix.T, atol=1e-10):
        raise InputError("the waves of a graph are those of a symmetric matrix: drop the directions of its edges")
    if len(matrix) > MOST_NODES:
        raise InputError(
            f"{len(matrix)} nodes are too many for all waves ({MOST_NODES}): filter by polynomials instead"
        )
    return FourierBasis(*np.linalg.eigh(matrix))


METHOD = fourier_basis
