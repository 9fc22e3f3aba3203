"""BM25: a word's count saturates, long documents are held back, and rare words count more.

    S(n)        = (k1 + 1) n / (k1 + n)                         saturation: S(0) = 0, S(1) = 1, S -> k1 + 1
    score(d, q) = sum over t in q of  idf(t) (k1 + 1) n / (n + k1 B),    B = 1 - b + b |d| / avgdl

Term t stands n times in document d of |d| words, avgdl is their mean; a word twice in the query counts twice. b = 0
leaves S(n); k1 = 0 asks only whether the word is there; k1 = infinity with b = 0 gives raw counts n.

    idf    lucene:    log(1 + (M - N + 1/2) / (N + 1/2))        never negative
           robertson: log((M - N + 1/2) / (N + 1/2))            negative for words of more than half the documents
    plus   idf (delta + the fraction)                           a long document never falls to what it lacks the word
    l      idf (k1 + 1) (c + delta) / (k1 + c + delta),  c = n / B

k1 and b want to be chosen on queries with known answers; 1.2 and 0.75 are the usual start.

Source: Robertson, Walker, Jones, Hancock-Beaulieu, Gatford (1995), "Okapi at TREC-3"; Robertson, Zaragoza (2009), "The
probabilistic relevance framework: BM25 and beyond", section 3; plus, l: Lv, Zhai (2011), "Lower-bounding term
frequency normalization" and "When documents are very long, BM25 fails!".

Example:
    >>> from maquette.methods.retrieval.bm25 import bm25, saturation
    >>> saturation([0, 1, 2, 5, 10, 100], k1=1.2).round(4).tolist()
    [0.0, 1.0, 1.375, 1.7742, 1.9643, 2.1739]
    >>> bm25([[1, 0], [1, 3]], b=0).toarray().round(4).tolist()
    [[0.1823, 0.0], [0.1823, 1.0892]]
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.retrieval.tf_idf import filled_cells
from maquette.methods.signal.signals import choice, number

IDFS = ("lucene", "robertson")
VARIANTS = {"okapi": 0.0, "plus": 1.0, "l": 0.5}  # with their usual delta
_PART = 1 << 20  # postings at a time


def saturation(n: Any, k1: float = 1.2) -> np.ndarray:
    """S(n) of counts, any shape; raises InputError for a negative k1 or count, k1 may be infinite."""
    n = np.asarray(n, float)
    if not k1 >= 0 or (n < 0).any():
        raise InputError(f"k1 {k1}: give a number of at least 0, and counts of at least 0")
    return n if k1 == np.inf else (k1 + 1) * n / np.where(n > 0, k1 + n, 1)


def bm25_idf(held: Any, total: int, kind: str = "lucene") -> np.ndarray:
    """How much a term tells, by how many of `total` documents hold it: (terms,) -> (terms,)."""
    held = np.asarray(held, float)
    odds = (total - held + 0.5) / (held + 0.5)
    return np.log1p(odds) if choice(kind, "idf", IDFS) == "lucene" else np.log(odds)


def term_weight(n: Any, length: Any, k1: float = 1.2, variant: str = "okapi", delta: float | None = None) -> Any:
    """What counts n above 0 give in documents of length factor B, without the idf; of the shape of both."""
    delta = VARIANTS[variant] if delta is None else delta
    if variant == "l":
        c = n / length + delta
        return (k1 + 1) * c / (k1 + c)
    return (k1 + 1) * n / (n + k1 * length) + (delta if variant == "plus" else 0.0)


def length_factors(lengths: Any, b: float = 0.75) -> np.ndarray:
    """B of documents of these many words: (documents,); 1 for the mean length."""
    lengths = np.asarray(lengths, float)
    mean = lengths.mean() if lengths.sum() else 1.0
    return 1 - b + b * lengths / mean


def bm25(
    counts: Any,
    k1: float = 1.2,
    b: float = 0.75,
    idf: str = "lucene",
    variant: str = "okapi",
    delta: float | None = None,
) -> Any:
    """Counts -> what each term adds to each document's score: CSC, (documents, terms), float64.

    The scores of a query are the sum of its terms' columns.

    Args:
        counts: (documents, terms), sparse or dense.
        k1: how late counts saturate, at least 0.
        b: how strongly length counts, from 0 to 1; at 1 with "l" and "okapi" a document holds shares, not counts.
        idf: lucene or robertson.
        variant: okapi, plus or l.
        delta: of the last two; 1 and 0.5 if None.

    Raises:
        InputError: naming the argument that is out of range or unknown, and for negative counts.
    """
    k1, b = number(k1, "k1", 0), number(b, "b", 0, most=1)
    choice(variant, "variant", tuple(VARIANTS))
    delta = VARIANTS[variant] if delta is None else number(delta, "delta", 0)
    matrix = sparse.csc_array(filled_cells(counts))
    lengths = np.bincount(matrix.indices, matrix.data, matrix.shape[0])
    factors = length_factors(lengths, b)
    gains = bm25_idf(matrix.count_nonzero(axis=0), matrix.shape[0], idf)
    weights = np.repeat(gains, np.diff(matrix.indptr))
    for i in range(0, len(weights), _PART):  # in parts, so that no second array of this size is needed
        part = slice(i, i + _PART)
        weights[part] *= term_weight(matrix.data[part].astype(float), factors[matrix.indices[part]], k1, variant, delta)
    return sparse.csc_array((weights, matrix.indices, matrix.indptr), shape=matrix.shape)


METHOD = bm25
