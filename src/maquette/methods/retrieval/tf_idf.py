"""TF-IDF: counts of words, weighted down where most documents hold the word.

    w[d, t] = tf(n) idf(N)        term t stands n times in document d, and in N of M documents
    tf      raw: n                               log: 1 + log n
    idf     book:             log(M / N)         0 where every document holds t, falls with N
            smoothed:         log(M / (N + 1))   finite at N = 0; 0 at N = M - 1 and below 0 at N = M
            scikit-learn:     log((1 + M) / (1 + N)) + 1
            scikit-learn-raw: log(M / N) + 1     its smooth_idf=False
            probabilistic:    max(0, log((M - N) / N))
    norm    none; l1: a document's weights sum to 1; l2: their squares do

Logarithms are natural. A word of no document has no weight where its idf would be infinite.

Source: Spärck Jones (1972), "A statistical interpretation of term specificity and its application in retrieval";
probabilistic: Croft, Harper (1979), "Using probabilistic models of document retrieval without relevance information".

Example:
    >>> from maquette.methods.retrieval.counts import count_terms
    >>> from maquette.methods.retrieval.tf_idf import tf_idf
    >>> counts = count_terms(["the dog", "the cat", "the cat chased the dog"])
    >>> counts.terms
    ('cat', 'chased', 'dog', 'the')
    >>> tf_idf(counts.matrix, idf="book", norm=None).toarray().round(3)[2].tolist()
    [0.405, 1.099, 0.405, 0.0]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count

IDFS = ("book", "smoothed", "scikit-learn", "scikit-learn-raw", "probabilistic")
NORMS = ("l2", "l1", "none")


def inverse_document_frequency(held: Any, total: int, kind: str = "scikit-learn") -> np.ndarray:
    """How much a term tells, by how many of `total` documents hold it: (terms,) -> (terms,).

    Raises:
        InputError: for an unknown kind, no document, and a count outside 0 to `total`.
    """
    choice(kind, "idf", IDFS)
    held = np.asarray(held, float)
    if count(total, "total") < held.max(initial=0) or held.min(initial=0) < 0:
        raise InputError(f"held: give counts of documents from 0 to {total}")
    if kind == "smoothed":
        return np.log(total / (held + 1))
    if kind == "scikit-learn":
        return np.log((1 + total) / (1 + held)) + 1
    some = np.maximum(held, 1)
    if kind == "probabilistic":
        return np.where(held > 0, np.log(np.maximum(total - some, some) / some), 0.0)
    return np.where(held > 0, np.log(total / some) + (kind == "scikit-learn-raw"), 0.0)


def frequency(n: Any, kind: str = "raw") -> np.ndarray:
    """tf of counts n above 0, any shape: as floats, or 1 + log n."""
    choice(kind, "tf", ("raw", "log"))
    n = np.asarray(n, float)
    return 1 + np.log(n) if kind == "log" else n


def tf_idf(counts: Any, idf: Any = "scikit-learn", tf: str = "raw", norm: str | None = "l2") -> Any:
    """Counts -> weights, CSR, (documents, terms), float64; a cell that was 0 stays 0.

    Args:
        counts: (documents, terms), sparse or dense.
        idf: a word above, to be measured on these documents; or the weights (terms,) that others gave.
        tf: raw or log.
        norm: l2, l1, or none; a document without words stays 0.

    Raises:
        InputError: for an unknown word, negative counts, or weights of another length than there are terms.
    """
    norm = choice(norm or "none", "norm", NORMS)
    matrix = sparse.csr_array(filled_cells(counts))
    if isinstance(idf, str):
        idf = inverse_document_frequency(matrix.count_nonzero(axis=0), matrix.shape[0], idf)
    if np.shape(idf) != (matrix.shape[1],):
        raise InputError(f"idf has the shape {np.shape(idf)}: give a weight for each of {matrix.shape[1]} terms")
    weights = frequency(matrix.data, tf) * np.asarray(idf, float)[matrix.indices]
    result = sparse.csr_array((weights, matrix.indices, matrix.indptr), shape=matrix.shape)
    if norm != "none":
        lengths = row_norms(result, norm)
        result.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(result.indptr))
    return result


def filled_cells(counts: Any) -> Any:
    """Counts as a sparse matrix that stores no 0; raises InputError for negative ones, and NaN."""
    matrix = counts if sparse.issparse(counts) else sparse.csr_array(counts)
    if not (matrix.data >= 0).all():
        raise InputError("counts: give numbers of at least 0")
    if not matrix.data.all():
        matrix = matrix.copy()
        matrix.eliminate_zeros()
    return matrix


def row_norms(matrix: Any, norm: str = "l2") -> np.ndarray:
    """The length of each row of a sparse matrix: (rows,); l2, or l1."""
    if norm == "l1":
        return np.asarray(abs(matrix).sum(axis=1))
    return np.sqrt(np.asarray(matrix.power(2).sum(axis=1)))


def top_terms(weights: Any, terms: Sequence[str], top: int = 5) -> list[list[tuple[str, float]]]:
    """What each document is about: its terms of the largest weight, the largest first.

    >>> top_terms([[0, 2.0, 1.0], [0, 0, 0]], ["a", "b", "c"])
    [[('b', 2.0), ('c', 1.0)], []]
    """
    matrix = sparse.csr_array(weights)
    found = []
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        order = start + np.argsort(-matrix.data[start:end], kind="stable")[: count(top, "top")]
        found.append([(terms[matrix.indices[i]], float(matrix.data[i])) for i in order])
    return found


METHOD = tf_idf
