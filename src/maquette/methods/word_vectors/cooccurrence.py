"""Co-occurrence matrix: how often each word stands near each other word.

    X[a, b] = sum over the pairs (a at i, b at j) on a line, 0 < |i - j| <= c, of weight(|i - j|)

    weight    uniform 1; harmonic 1 / d, as in GloVe; linear (c + 1 - d) / c

Counted on both sides the matrix is symmetric; on the `right` alone its row a holds what follows a, on the `left` what
comes before. With weights of 1 its sum is twice the number of pairs. Only cells that are not 0 are stored.

A text is counted in parts, whose cells are added up in memory until they fill it. What fills it is written to a
temporary file as a run, row after row; in the end all runs are added up some rows at a time, and the result is mapped
from a file as well. So neither the text nor the matrix has to fit into memory: `memory` bounds what is held, though no
less than 64 bytes per word are, and 4 bytes per word and run. A text whose cells fit is counted without a file.

Source: Lund, Burgess (1996), "Producing high-dimensional semantic spaces from lexical co-occurrence"; Pennington,
Socher, Manning (2014), "GloVe", section 4.2; runs that are merged: Knuth (1998), "Sorting and searching", 5.4.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.cooccurrence import cooccurrence
    >>> cooccurrence(np.array([1, 2, 1, 3, 0, 3, 2], "int32"), words=3, reach=1).toarray().astype(int).tolist()
    [[0, 2, 1], [2, 0, 1], [1, 1, 0]]
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count
from maquette.methods.word_vectors.spill import spill, spill_columns

WEIGHTS = ("uniform", "harmonic", "linear")
LEAST, PART = 1 << 10, 1 << 20  # tokens that are counted at a time
PAIR, CELL = 128, 64  # bytes that a pair takes while it is counted, and a cell while it is added to others


def cooccurrence(
    tokens: Any, words: int, reach: int = 5, weight: str = "uniform", side: str = "both", memory: int = 1 << 31
) -> sparse.csr_array:
    """The matrix: CSR, float64 (words, words).

    Args:
        tokens: numbers of words from 1, 0 at the end of each line: (tokens,).
        words: how many different ones there are.
        reach: c.
        weight: "uniform", "harmonic" or "linear".
        side: "both", "left" or "right".
        memory: bytes that cells may take in memory; with more of them temporary files are used.

    Raises:
        InputError: for an unknown word, a reach below 1, and a number outside 0 to `words`.
    """
    choice(weight, "weight", WEIGHTS), choice(side, "side", ("both", "left", "right"))
    count(reach, "reach"), count(words, "words"), count(memory, "memory")
    held = max(words, memory // CELL)
    waiting: list[sparse.csr_array] = []  # each at least twice as large as the next, so that few additions are made
    runs: list[sparse.csr_array] = []
    for part in _parts(tokens, words, reach, weight, min(PART, max(LEAST, memory // (PAIR * reach)))):
        waiting.append({"right": lambda x: x, "left": lambda x: x.T.tocsr(), "both": _both}[side](part))
        while len(waiting) > 1 and waiting[-2].nnz < 2 * waiting[-1].nnz:
            waiting.append(waiting.pop() + waiting.pop())
        if sum(one.nnz for one in waiting) > held:
            waiting = [sum(waiting)]
            if waiting[0].nnz > held // 2:
                runs.append(_on_disk(waiting))
                waiting = []
    left = sum(waiting, sparse.csr_array((words, words), dtype=np.float64))
    return _merged([*runs, left], held) if runs else left


def _both(right: sparse.csr_array) -> sparse.csr_array:
    return (right + right.T).tocsr()


def _parts(tokens: Any, words: int, reach: int, weight: str, size: int) -> Iterator[sparse.csr_array]:
    """What stands after each word, for so many tokens at a time."""
    for start in range(0, len(tokens), size):
        part = np.asarray(tokens[start : start + size + reach])  # pairs that reach into the next part belong here
        if part.size and (part.min() < 0 or part.max() > words):
            raise InputError(f"tokens hold {part.max()}: give numbers from 0 to {words}")
        yield _followers(part, words, reach, weight, size)


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


def _on_disk(blocks: Iterable[sparse.csr_array]) -> sparse.csr_array:
    """Blocks of rows, one below the other, as one matrix whose arrays are mapped from files."""
    lengths, words = [], 0

    def arrays() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal words
        for block in blocks:
            lengths.append(np.diff(block.indptr))
            words = block.shape[1]
            yield block.indices, block.data

    columns, values = spill_columns(arrays(), np.int32, np.float64)
    ends = np.concatenate([[0], np.cumsum(np.concatenate(lengths), dtype=np.int64)])
    if ends[-1] < 2**31:  # columns and ends are of one type, or the columns would be copied
        ends = ends.astype(np.int32)
    else:
        columns = spill((columns[i : i + PART] for i in range(0, len(columns), PART)), np.int64)
    return sparse.csr_array((values, columns, ends), shape=(len(ends) - 1, words))


def _merged(runs: list[sparse.csr_array], held: int) -> sparse.csr_array:
    """The sum of the runs, so many rows at a time that about `held` cells are in memory."""
    ends = np.sum([run.indptr.astype(np.int64) for run in runs], axis=0)
    cuts = np.unique(np.append(np.searchsorted(ends, np.arange(0, ends[-1], held)), len(ends) - 1))
    return _on_disk(sum(run[a:b] for run in runs) for a, b in pairwise(cuts))


METHOD = cooccurrence
