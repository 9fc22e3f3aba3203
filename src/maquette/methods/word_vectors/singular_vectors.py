"""Word vectors by singular value decomposition of a table of words by contexts.

    X = U S V^T                  U^T U = I, V^T V = I, S diagonal, not negative and falling
    word vectors   U_k S_k^p     p = `power`: 0 takes the directions alone, 0.5 shares S with the contexts, 1 all of it
    error          |X - U_k S_k V_k^T|^2 = sum of s_i^2 over i > k, the least of all tables of rank k

Raw counts make frequency the first axis: take `ppmi` of them first. Only the k largest singular values are computed.
The sign of a column is arbitrary; here its largest component is positive.

Source: Eckart, Young (1936), "The approximation of one matrix by another of lower rank"; Deerwester et al. (1990),
"Indexing by latent semantic analysis"; the power: Caron (2001), "Experiments with LSA scoring".

Example:
    >>> from maquette.methods.word_vectors.singular_vectors import singular_vectors
    >>> found = singular_vectors([[0, 2, 0], [2, 0, 1], [0, 1, 0]], dim=2, power=0)
    >>> found.values.round(4).tolist()
    [2.2361, 2.2361]
    >>> round(found.energy, 6)
    1.0
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from maquette.errors import InputError
from maquette.methods.signal.signals import count, number

DENSE = 500  # rows or columns up to which all values are computed at once


@dataclass(frozen=True)
class Singular:
    """The leading part of a decomposition.

    Attributes:
        vectors: of the words, U_k S_k^p: (words, k).
        contexts: V_k: (contexts, k).
        values: singular values, falling: (k,).
        energy: the share of the table's sum of squares that they carry.
    """

    vectors: np.ndarray
    contexts: np.ndarray
    values: np.ndarray
    energy: float


def singular_vectors(x: Any, dim: int = 100, power: float = 0.5, seed: int = 0) -> Singular:
    """A table (words, contexts), sparse or dense -> its leading singular vectors.

    Raises:
        InputError: for a `dim` of more than the shorter side, or a table of zeros.
    """
    count(dim, "dim"), number(power, "power", 0)
    table = sparse.csr_array(x, dtype=np.float64)
    squares = float((table.data**2).sum())
    least = min(table.shape)
    if dim > least or not squares:
        raise InputError(
            f"dim={dim}: the table has {least} rows or columns, and must not be zero; take fewer dimensions"
        )
    if least <= DENSE or dim == least:
        u, s, vt = np.linalg.svd(table.toarray(), full_matrices=False)
    else:
        u, s, vt = svds(table, k=dim, random_state=seed)
    order = np.argsort(-s, kind="stable")[:dim]
    u, s, v = u[:, order], s[order], vt[order].T
    signs = np.sign(u[np.abs(u).argmax(axis=0), np.arange(dim)])
    return Singular(u * signs * s**power, v * signs, s, float((s**2).sum() / squares))


METHOD = singular_vectors
