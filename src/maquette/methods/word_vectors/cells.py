"""Cells of a co-occurrence matrix as samples: each pair of words that meet, with how often they do.

    row of a cell    the number of its word and that of its neighbour, from 1            (2,)
    count            X[a, b], which goes with it as the target

All cells are held as the matrix is, in CSR form, which may be mapped from files; pairs are made when asked for. A
symmetric matrix has every cell twice: `fold` is a number that a cell and its mirror image share, so that they stay on
one side where some are held out.

Source: Pennington, Socher, Manning (2014), "GloVe: global vectors for word representation", section 3.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.cells import Cells
    >>> from maquette.methods.word_vectors.cooccurrence import cooccurrence
    >>> from maquette.methods.word_vectors.text_numbers import Vocabulary
    >>> counts = cooccurrence(np.array([1, 2, 1, 3], "int32"), words=3, reach=1)
    >>> cells = Cells(counts, Vocabulary(("a", "b", "c"), np.array([2, 1, 1])))
    >>> cells.rows().tolist(), counts.data.tolist()
    ([[1, 2], [1, 3], [2, 1], [3, 1]], [2.0, 1.0, 2.0, 1.0])
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maquette.methods.word_vectors.text_numbers import Vocabulary


@dataclass(frozen=True, eq=False)
class Cells:
    """All or some cells of a matrix that are not 0.

    Attributes:
        counts: CSR (words, words).
        vocabulary: the words.
        places: of the cells, in the order of the matrix; None for all of them.
    """

    counts: Any
    vocabulary: Vocabulary
    places: np.ndarray | None = None

    dtype = np.dtype("int32")
    ndim = 2

    def __len__(self) -> int:
        return int(self.counts.nnz) if self.places is None else len(self.places)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), 2

    @property
    def size(self) -> int:
        return 2 * len(self)

    def __getitem__(self, chosen: Any) -> "Cells":
        """Some of the cells: a slice, indices or a mask."""
        places = np.arange(len(self)) if self.places is None else self.places
        return replace(self, places=places[chosen])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.rows()

    def rows(self) -> np.ndarray:
        """The pairs as numbers: int32 (cells, 2)."""
        ends, columns = self.counts.indptr, self.counts.indices
        if self.places is None:
            words = np.repeat(np.arange(1, len(ends), dtype=np.int32), np.diff(ends))
        else:
            words, columns = np.searchsorted(ends, self.places, "right").astype(np.int32), columns[self.places]
        return np.stack([words, np.asarray(columns, np.int32) + np.int32(1)], axis=1)

    def fold(self) -> np.ndarray:
        """The same number for a cell and its mirror image, another for every other pair: int64 (cells,)."""
        pairs = self.rows().astype(np.int64)
        return pairs.min(axis=1) * (len(self.vocabulary.words) + 1) + pairs.max(axis=1)


METHOD = Cells
