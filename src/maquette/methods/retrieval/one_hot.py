"""One-hot vectors: word i of V is the vector of length V that is 1 at place i and 0 elsewhere.

    e_i^T e_j = 1 if i = j else 0,    W e_i = column i of W

Any two different words are equally far apart, so the vectors say nothing about how words are related. To multiply a
matrix by one is to pick a column: look it up by its number instead.

Source: Bengio, Ducharme, Vincent, Jauvin (2003), "A neural probabilistic language model", section 2.

Example:
    >>> from maquette.methods.retrieval.one_hot import one_hot
    >>> one_hot(["b", "a"], ["a", "b", "c"]).toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError, near


def one_hot(words: Sequence[str], terms: Sequence[str]) -> Any:
    """Words -> unit vectors: CSR, (words, terms), float64; raises InputError for a word that is not in `terms`."""
    place = {term: i for i, term in enumerate(terms)}
    for word in words:
        if word not in place:
            raise InputError(f"{word!r} is not among the terms: {near(word, terms)}")
    rows, columns = np.arange(len(words)), np.array([place[word] for word in words], np.int32)
    return sparse.csr_array((np.ones(len(words)), (rows, columns)), (len(words), len(terms)))


METHOD = one_hot
