"""Locally linear embedding: each point is a mixture of its neighbours, and stays the same mixture in fewer dimensions.

    weights     w_i = argmin |x_i - sum_j w_ij x_j|^2,  sum_j w_ij = 1, over the k nearest x_j
                = C^-1 1 / (1' C^-1 1),  C_jl = (x_i - x_j)'(x_i - x_l) + regularisation tr(C) [j = l]
    places      argmin sum_i |y_i - sum_j w_ij y_j|^2,  sum_i y_i = 0,  Y'Y / n = I
                = sqrt(n) times the modes 1, ..., dim of M = (I - W)'(I - W), M 1 = 0
    variants    modified and hessian use more of each neighbourhood, ltsa aligns its tangent planes (scikit-learn's)
    new points  weights over their neighbours in space, applied to the neighbours' places

W does not change when the points are turned, shifted or scaled. With k above the number of features C is singular, and
the regularisation decides. The axes have one scale, and a thinly sampled fold may be torn or folded on itself.

Source: Roweis, Saul (2000), "Nonlinear dimensionality reduction by locally linear embedding"; Zhang, Wang (2006),
"MLLE"; Donoho, Grimes (2003), "Hessian eigenmaps"; Zhang, Zha (2004), on tangent space alignment.

Example:
    >>> import numpy as np
    >>> from maquette.methods.spectral.locally_linear_embedding import locally_linear_embedding
    >>> x = np.random.default_rng(0).normal(size=(50, 2)) * [3, 1]
    >>> y = locally_linear_embedding(np.hstack([x, x]), dim=2, neighbours=8)
    >>> (np.cov(y.T, bias=True).round(6) + 0).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
"""

from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers
from maquette.methods.spectral.affinity import nearest
from maquette.methods.spectral.laplacian_spectrum import turned

VARIANTS = ("standard", "modified", "hessian", "ltsa")
DENSE = 600  # points up to which M is solved densely


def locally_linear_embedding(
    x: Any, dim: int = 2, neighbours: int = 10, variant: str = "standard", regularisation: float = 1e-3, seed: int = 0
) -> np.ndarray:
    """Points (n, features) -> places (n, dim), of mean 0 and covariance I.

    Args:
        x: the points.
        dim: axes.
        neighbours: k; above `dim` for modified and ltsa, above dim (dim + 3) / 2 for hessian.
        variant: a name above.
        regularisation: added to the diagonal of C, as a share of its trace.
        seed: of the solver's start.

    Raises:
        InputError: for an unknown word, or too few points or neighbours.
    """
    choice(variant, "variant", VARIANTS), count(dim, "dim"), number(regularisation, "regularisation", 0, above=True)
    points = numbers(x, "x", 2).astype(float)
    if count(neighbours, "neighbours") >= len(points) or dim >= len(points):
        raise InputError(f"neighbours {neighbours}, dim {dim}: there are {len(points)} points; take fewer of both")
    least = {"hessian": dim * (dim + 3) // 2 + 1, "modified": dim + 1, "ltsa": dim + 1}.get(variant, 1)
    if neighbours < least:
        raise InputError(f"neighbours {neighbours}: the variant {variant} takes at least {least} for {dim} axes")
    if variant == "standard":
        places = _lowest(reconstruction_weights(points, neighbours, regularisation), dim, seed)
    else:
        places = _of_sklearn(points, dim, neighbours, variant, regularisation, seed)
    return np.sqrt(len(points)) * turned(places)


def reconstruction_weights(
    x: Any, neighbours: int = 10, regularisation: float = 1e-3, of: Any = None
) -> sparse.csr_array:
    """W: CSR (n, n), each row a mixture that sums to 1; or (m, n), of other points `of` (m, features) by those of x."""
    points = numbers(x, "x", 2).astype(float)
    targets = points if of is None else numbers(of, "of", 2).astype(float)
    _, places = nearest(points, neighbours, None if of is None else targets)
    apart = targets[:, np.newaxis] - points[places]  # (m, k, features)
    gram = np.einsum("ikf,ilf->ikl", apart, apart)
    trace = np.trace(gram, axis1=1, axis2=2)
    gram += (regularisation * np.where(trace > 0, trace, 1))[:, np.newaxis, np.newaxis] * np.eye(neighbours)
    weights = np.linalg.solve(gram, np.ones((len(targets), neighbours, 1)))[:, :, 0]
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(targets)), neighbours)
    return sparse.csr_array((weights.ravel(), (rows, places.ravel())), shape=(len(targets), len(points)))


def _lowest(weights: sparse.csr_array, dim: int, seed: int) -> np.ndarray:
    """Modes 1, ..., dim of M, of length one: (n, dim)."""
    n = weights.shape[0]
    residual = sparse.csr_array(sparse.eye_array(n) - weights)
    m = sparse.csc_array(residual.T @ residual)
    if n <= DENSE or 3 * dim > n:
        return np.asarray(linalg.eigh(m.toarray(), subset_by_index=[1, dim])[1])
    start = np.random.default_rng(seed).normal(size=n)
    values, vectors = eigsh(m, dim + 1, sigma=-1e-12 * m.diagonal().mean(), which="LM", v0=start)
    return np.asarray(vectors[:, np.argsort(values)[1:]])


def _of_sklearn(x: np.ndarray, dim: int, neighbours: int, variant: str, regularisation: float, seed: int) -> np.ndarray:
    from sklearn.manifold import LocallyLinearEmbedding

    solver = "dense" if len(x) <= DENSE else "arpack"
    fitted = LocallyLinearEmbedding(
        **{"n_neighbors": neighbours, "n_components": dim, "method": variant, "reg": regularisation},
        **{"eigen_solver": solver, "random_state": seed},
    )
    return np.asarray(fitted.fit_transform(x))


METHOD = locally_linear_embedding
