"""Co-occurrence matrix: how often each word stands near each other word.

    X[a, b] = sum over the pairs (a at i, b at j) on a line, 0 < |i - j| <= c, of weight(|i - j|)

    weight    uniform 1; harmonic 1 / d, as in GloVe; linear (c + 1 - d) / c

Counted on both sides the matrix is symmetric; on the `right` alone its row a holds what follows a, on the `left` what
comes before. With weights of 1 its sum is twice the number of pairs. Only cells that are not 0 are stored: a text is
counted in parts, which are merged when `held` cells wait: memory holds the distinct cells, and as many more.

Source: Lund, Burgess (1996), "Producing high-dimensional semantic spaces from lexical co-occurrence"; Pennington,
Socher, Manning (2014), "GloVe", section 4.2.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.cooccurrence import cooccurrence
    >>> cooccurrence(np.array([1, 2, 1, 3, 0, 3, 2], "int32"), words=3, reach=1).toarray().astype(int).tolist()
    [[0, 2, 1], [2, 0, 1], [1, 1, 0]]
"""

from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count

PART = 1 << 20  # tokens that are counted at a time


def cooccurrence(
    tokens: Any, words: int, reach: int = 5, weight: str = "uniform", side: str = "both", held: int = 1 << 26
) -> sparse.csr_array:
    """The matrix: CSR, float64 (words, words).

    Args:
        tokens: numbers of words from 1, 0 at the end of each line: (tokens,).
        words: how many different ones there are.
        reach: c.
        weight: "uniform", "harmonic" or "linear".
        side: "both", "left" or "right".
        held: cells that may wait to be merged.

    Raises:
        InputError: for an unknown word, a reach below 1, and a number outside 0 to `words`.
    """
    choice(weight, "weight", ("uniform", "harmonic", "linear")), choice(side, "side", ("both", "left", "right"))
    count(reach, "reach"), count(words, "words")
    total = sparse.csr_array((words, words), dtype=np.float64)
    waiting: list[sparse.csr_array] = []
    for start in range(0, len(tokens), PART):
        part = np.asarray(tokens[start : start + PART + reach])  # pairs that reach into the next part belong here
        if part.size and (part.min() < 0 or part.max() > words):
            raise InputError(f"tokens hold {part.max()}: give numbers from 0 to {words}")
        waiting.append(_followers(part, words, reach, weight, PART))
        if sum(one.nnz for one in waiting) > held:
            total, waiting = sum(waiting, total), []
    right = sum(waiting, total)
    return {"right": right, "left": right.T.tocsr(), "both": (right + right.T).tocsr()}[side]


def _followers(part: np.ndarray, words: int, reach: int, weight: str, stop: int) -> sparse.csr_array:
    """What stands after each word that begins before `stop`."""
    line = np.cumsum(part == 0)
    rows, columns, values = [], [], []
    for d in range(1, reach + 1):
        first, second = part[:-d][:stop], part[d:][:stop]
        pair = (first > 0) & (second > 0) & (line[:-d][:stop] == line[d:][:stop])
        rows.append(first[pair] - 1)
        columns.append(second[pair] - 1)
        one = {"uniform": 1.0, "harmonic": 1 / d, "linear": (reach + 1 - d) / reach}[weight]
        values.append(np.full(int(pair.sum()), one))
    places = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_array((np.concatenate(values), places), shape=(words, words))


METHOD = cooccurrence
