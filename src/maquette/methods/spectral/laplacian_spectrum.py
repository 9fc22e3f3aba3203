"""The lowest eigenvalues and eigenvectors of a Laplacian: a graph's slowest modes, its Fourier basis.

    L u_k = lambda_k u_k,   0 = lambda_0 <= lambda_1 <= ...       u_k'u_l = 1 for k = l, else 0
    random-walk   y_k = D^(-1/2) u_k of the symmetric L:  (D - A) y = lambda D y,  y_k'D y_l = 1 for k = l, else 0
    ring          2 - 2 cos(2 pi k / n), sines and cosines;     path  2 - 2 cos(pi k / n)

The spectrum of a graph is that of its components together, so each is solved on its own and its null vector is
written down: values that are equal because parts do not touch are never missed. A component of up to 600 nodes is
solved densely. In a larger one Lanczos iterates on c I - L with the null vector taken out, c a bound of the spectrum;
this needs products with L alone and is fast where lambda_1 is not tiny. Long thin graphs converge too slowly, and L is
factorised instead, cheap for them. Either is run once more with the modes found taken out, to catch the twins of equal
values. Vectors are unique up to their sign, and within equal values up to a rotation; here
the first large component of each is positive.

Source: Chung (1997), "Spectral graph theory", chapter 1; Lehoucq, Sorensen, Yang (1998), "ARPACK users' guide", 3.

Example:
    >>> from maquette.methods.spectral.laplacian_spectrum import spectrum
    >>> ring = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    >>> spectrum(ring, 4).values.round(6).tolist()
    [0.0, 2.0, 2.0, 4.0]
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count
from maquette.methods.spectral.adjacency import adjacency, degrees, inverse
from maquette.methods.spectral.laplacian import KINDS, laplacian

SOLVERS = ("auto", "dense", "lanczos", "factorised")
DENSE = 600  # nodes of a component that is solved densely
RESTARTS = 60  # of Lanczos before L is factorised instead
FACTORISED = 100_000  # nodes of a component above which it is not: the factors of a random graph would fill the memory


@dataclass(frozen=True)
class Spectrum:
    """The lowest part of a spectrum.

    Attributes:
        values: rising: (count,).
        vectors: a column each: (n, count).
    """

    values: np.ndarray
    vectors: np.ndarray


def spectrum(graph: Any, modes: int = 6, kind: str = "combinatorial", solver: str = "auto", seed: int = 0) -> Spectrum:
    """The lowest modes of an undirected graph; null vectors come first, that of the largest component foremost.

    Args:
        graph: weights (n, n), or a graph.
        modes: how many; at most n.
        kind: combinatorial, symmetric or random-walk.
        solver: auto, as above, or dense, lanczos or factorised for every component.
        seed: of the vector that Lanczos starts from.

    Raises:
        InputError: for an unknown word, more modes than nodes, an unfit graph, or if Lanczos does not converge.
    """
    choice(kind, "kind", KINDS), choice(solver, "solver", SOLVERS)
    weights = adjacency(graph)
    if count(modes, "modes") > weights.shape[0]:
        raise InputError(f"modes {modes}: the graph has {weights.shape[0]} nodes; take at most as many")
    d = degrees(weights)
    matrix = laplacian(weights, "combinatorial" if kind == "combinatorial" else "symmetric")
    root = np.ones(len(d)) if kind == "combinatorial" else np.where(d > 0, np.sqrt(d), 1.0)
    found = _merged(matrix, root, modes, solver, seed)
    vectors = found.vectors if kind != "random-walk" else (found.vectors.T * inverse(root)).T
    return Spectrum(found.values, turned(vectors))


def turned(vectors: np.ndarray) -> np.ndarray:
    """Columns (n, k) with the sign that makes the first large component of each positive."""
    # Not the largest: it often has a twin of the other sign, and rounding would choose between them.
    large = np.abs(vectors) >= 0.6 * np.abs(vectors).max(axis=0)
    first = vectors[large.argmax(axis=0), np.arange(vectors.shape[1])]
    return np.asarray(vectors * np.where(first < 0, -1.0, 1.0))


def _merged(matrix: sparse.csr_array, root: np.ndarray, modes: int, solver: str, seed: int) -> Spectrum:
    """The lowest modes of all components together."""
    total, of = connected_components(matrix, directed=False)
    ends = np.cumsum(np.bincount(of, minlength=total))
    members = sorted(np.split(np.argsort(of, kind="stable"), ends[:-1]), key=len, reverse=True)
    null = [(0.0, nodes, root[nodes] / np.linalg.norm(root[nodes])) for nodes in members[:modes]]
    others = []
    for nodes in members if total < modes else ():
        part, own = matrix[nodes][:, nodes], root[nodes] / np.linalg.norm(root[nodes])
        values, vectors = _beyond(part, own, min(modes - total, len(nodes) - 1), solver, seed)
        others += [(max(float(value), 0.0), nodes, vector) for value, vector in zip(values, vectors.T, strict=True)]
    chosen = [*null, *sorted(others, key=lambda mode: mode[0])][:modes]
    vectors = np.zeros((len(root), modes))
    for k, (_, nodes, vector) in enumerate(chosen):
        vectors[nodes, k] = vector
    return Spectrum(np.array([value for value, _, _ in chosen]), vectors)


def _beyond(part: sparse.csr_array, null: np.ndarray, modes: int, solver: str, seed: int) -> tuple[Any, Any]:
    """The lowest modes of a connected graph after its null vector: (modes,), (n, modes)."""
    n = len(null)
    if modes < 1:
        return np.zeros(0), np.zeros((n, 0))
    # ARPACK needs room for its basis, and gains nothing where most of the spectrum is asked for.
    if solver == "dense" or n < 20 or 3 * modes > n or (solver == "auto" and n <= DENSE):
        values, vectors = linalg.eigh(part.toarray(), subset_by_index=[0, modes])
        return values[1:], vectors[:, 1:]
    start = np.random.default_rng(seed).normal(size=n)
    if solver == "factorised":
        return _factorised(part, null, modes, start)
    patient = solver == "lanczos" or n > FACTORISED
    try:
        return _lanczos(part, null, modes, start, 40 * RESTARTS if patient else RESTARTS)
    except ArpackNoConvergence:
        if not patient:
            return _factorised(part, null, modes, start)
        raise InputError(
            f"solver: Lanczos did not converge on a component of {n} nodes; take solver='factorised', which needs more "
            "memory, or fewer modes"
        ) from None


def _lanczos(part: sparse.csr_array, null: np.ndarray, modes: int, start: np.ndarray, restarts: int) -> tuple[Any, Any]:
    bound = 2 * part.diagonal().max()  # Gershgorin: no eigenvalue is larger
    values, vectors = _largest(lambda x: bound * x - part @ x, null, modes, start, restarts)
    return bound - values, vectors


def _factorised(part: sparse.csr_array, null: np.ndarray, modes: int, start: np.ndarray) -> tuple[Any, Any]:
    """By powers of the inverse of L + s I, with a small s that makes it definite."""
    shift = 1e-6 * part.diagonal().mean()
    solve = splu(sparse.csc_array(part + shift * sparse.eye_array(len(null)))).solve
    values, vectors = _largest(solve, null, modes, start, 100 * RESTARTS)
    return 1 / values - shift, vectors


def _largest(apply: Any, null: np.ndarray, modes: int, start: np.ndarray, restarts: int) -> tuple[Any, Any]:
    """The largest modes of a positive operator x -> apply(x) across the direction `null`, the largest first."""

    def found(known: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        def product(x: np.ndarray) -> np.ndarray:
            x = x.ravel()
            y = apply(x - known @ (known.T @ x))
            return np.asarray(y - known @ (known.T @ y))

        across = LinearOperator((len(null),) * 2, product, dtype=np.float64)
        basis = min(len(null), max(2 * count + 1, 24))
        return eigsh(across, count, which="LA", v0=start, ncv=basis, maxiter=restarts)

    values, vectors = found(null[:, np.newaxis], modes)
    while True:
        order = np.argsort(-values)
        values, vectors = values[order], vectors[:, order]
        # One vector's Lanczos can miss the twin of a mode: look once more with those found taken out.
        value, vector = found(np.column_stack([null, vectors]), 1)
        if value[0] <= values[-1] * (1 + 1e-10):
            return values, vectors
        values, vectors = np.append(values[:-1], value), np.column_stack([vectors[:, :-1], vector])


METHOD = spectrum
