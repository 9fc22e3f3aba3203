"""Positive pointwise mutual information: how much more often two words meet than they would by chance.

    pmi(a, b)  = log p(a, b) / (p(a) p'(b))            p(a, b) = X[a, b] / N, p(a) its sum over b, N the sum of X
    ppmi(a, b) = max(0, pmi(a, b) - log k)              k = `shift`; 1 shifts nothing
    p'(b)      = c(b)^alpha / sum c^alpha               alpha = `smoothing`; 0.75 keeps rare words from large values

With k negative samples and alpha = 0.75 the shifted table is what skip-gram factors. Pairs that never meet have pmi
minus infinity and are 0 here, like pairs that meet less often than by chance.

Source: Church, Hanks (1990), "Word association norms, mutual information, and lexicography"; Levy, Goldberg, Dagan
(2015), "Improving distributional similarity with lessons learned from word embeddings", section 3.

Example:
    >>> from maquette.methods.word_vectors.mutual_information import ppmi
    >>> ppmi([[0, 2, 0], [2, 0, 1], [0, 1, 0]]).toarray().round(3).tolist()
    [[0.0, 0.693, 0.0], [0.693, 0.0, 0.693], [0.0, 0.693, 0.0]]
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import number


def ppmi(counts: Any, shift: float = 1.0, smoothing: float = 1.0) -> sparse.csr_array:
    """Counts (words, words), sparse or dense, not negative -> CSR of the same shape.

    Raises:
        InputError: for counts that are negative or all 0, and a shift or smoothing that is not positive.
    """
    number(shift, "shift", 0, above=True), number(smoothing, "smoothing", 0, above=True)
    x = sparse.coo_array(counts, dtype=np.float64)
    if not x.nnz or x.data.min() < 0 or not x.data.max() > 0:
        raise InputError("counts are negative or all 0: give how often words meet")
    x.eliminate_zeros()
    total, rows = x.data.sum(), np.bincount(x.row, x.data, x.shape[0])
    columns = np.bincount(x.col, x.data, x.shape[1]) ** smoothing
    expected = rows[x.row] / total * (columns / columns.sum())[x.col]
    values = np.log(x.data / total / expected) - np.log(shift)
    found = sparse.csr_array((np.maximum(values, 0), (x.row, x.col)), shape=x.shape)
    found.eliminate_zeros()
    return found


METHOD = ppmi
