"""Similarity of vectors: the cosine and its relatives, each by a name that says which it is.

    dot               x^T y                                   grows with both lengths
    cosine            x^T y / (|x| |y|)                       from -1 to 1, blind to length
    one-minus-cosine  1 - cosine                              from 0 to 2; what most libraries call cosine distance
    squared-chord     |x/|x| - y/|y||^2 = 2 (1 - cosine)      from 0 to 4; called cosine distance as well
    euclidean         |x - y|

The first two are similarities, larger for nearer; the last three are distances. cosine(a x, b y) = cosine(x, y) for
a, b > 0: word counts (1, 2) and (50, 100) have the cosine 1, though the second is much better evidence, which only the
dot product shows. A vector of zeros has no direction: its cosine is taken as 0, or refused with `zeros`="refuse".

Source: Salton, McGill (1983), "Introduction to modern information retrieval", section 4.

Example:
    >>> from maquette.methods.retrieval.similarity import similarity
    >>> x, y = [[1, 1, 1, 1, 1, 0, 0, 0]], [[1, 1, 1, 1, 1, 1, 1, 1]]
    >>> float(similarity(x, y)[0, 0].round(6)), float(similarity(x, y, "squared-chord")[0, 0].round(6))
    (0.790569, 0.418861)
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.retrieval.tf_idf import row_norms
from maquette.methods.signal.signals import choice, count, numbers

KINDS = ("cosine", "dot", "one-minus-cosine", "squared-chord", "euclidean")
_CELLS = 1 << 22  # of the table of all pairs that are held at a time


def similarity(x: Any, y: Any = None, kind: str = "cosine", zeros: str = "zero") -> np.ndarray:
    """All pairs of rows: (n, features), (m, features) -> (n, m), dense float64.

    Args:
        x: sparse or dense; for word-word similarities hand over the transposed matrix.
        y: as `x`; x itself if None.
        kind: a name above.
        zeros: "zero": the cosine with a vector of zeros is 0; "refuse": it is an error.

    Raises:
        InputError: for an unknown word, rows of unequal lengths, NaN, and where `zeros` says so.
    """
    choice(kind, "kind", KINDS), choice(zeros, "zeros", ("zero", "refuse"))
    a = _rows(x, "x")
    b = a if y is None else _rows(y, "y")
    if a.shape[1] != b.shape[1]:
        raise InputError(f"x has {a.shape[1]} columns and y has {b.shape[1]}: give rows of one length")
    if kind in ("dot", "euclidean"):
        products = (a @ b.T).toarray()
        if kind == "dot":
            return products
        squares = row_norms(a)[:, np.newaxis] ** 2 + row_norms(b) ** 2 - 2 * products
        return np.sqrt(np.maximum(squares, 0))
    cosines = np.clip((_unit(a, "x", zeros) @ _unit(b, "y", zeros).T).toarray(), -1, 1)
    return {"cosine": cosines, "one-minus-cosine": 1 - cosines, "squared-chord": 2 * (1 - cosines)}[kind]


def _rows(x: Any, name: str) -> Any:
    if sparse.issparse(x):
        if x.nnz:
            numbers(x.data, name)
        return sparse.csr_array(x).astype(float)
    return sparse.csr_array(numbers(x, name, 2).astype(float))


def _unit(x: Any, name: str, zeros: str) -> Any:
    lengths = row_norms(x)
    if zeros == "refuse" and (lengths == 0).any():
        raise InputError(f"{name}: row {int(np.argmin(lengths)) + 1} holds zeros alone and has no cosine; leave it out")
    scale = np.repeat(1 / np.where(lengths > 0, lengths, 1), np.diff(x.indptr))
    return sparse.csr_array((x.data * scale, x.indices, x.indptr), shape=x.shape)


def nearest(x: Any, y: Any, top: int = 10, kind: str = "cosine") -> tuple[np.ndarray, np.ndarray]:
    """For each row of x the nearest rows of y: their places (n, top) and values (n, top), the nearest first.

    Exact: every pair is looked at, a part of x at a time. Of equal values the earlier row comes first.

    >>> places, values = nearest([[1, 0]], [[0, 1], [5, 1], [3, 0]], top=2)
    >>> places.tolist(), values.round(3).tolist()
    ([[2, 1]], [[1.0, 0.981]])
    """
    sign = -1 if kind in ("cosine", "dot") else 1
    a, b = _rows(x, "x"), _rows(y, "y")
    top = min(count(top, "top"), b.shape[0])
    step = max(1, _CELLS // max(b.shape[0], 1))
    places, values = np.empty((a.shape[0], top), np.int64), np.empty((a.shape[0], top))
    for i in range(0, a.shape[0], step):
        table = similarity(a[i : i + step], b, kind)
        places[i : i + step] = np.argsort(sign * table, axis=1, kind="stable")[:, :top]
        values[i : i + step] = np.take_along_axis(table, places[i : i + step], axis=1)
    return places, values


METHOD = similarity
