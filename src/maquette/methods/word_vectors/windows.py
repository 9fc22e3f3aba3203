"""Windows of a text: each word with its neighbours on the line, the samples of CBOW and skip-gram.

    row of the word at place i    w_i, w_{i-c}, ..., w_{i-1}, w_{i+1}, ..., w_{i+c}          (1 + 2 c,)
    0                             where the line has ended, and in the whole row of a line's end

In CBOW a row is one sample, in skip-gram each neighbour is: a line of n words has
sum_i min(i + c, n - 1) - max(i - c, 0) pairs. `thinned` is what word2vec does to a batch: every word is kept with its
probability, and every window is cut to a reach drawn from 1, ..., c, so that near neighbours count more. Words that are
dropped leave gaps here; the compiled training closes them, so that its windows reach farther.

Source: Mikolov et al. (2013), "Efficient estimation of word representations in vector space", section 3; Levy,
Goldberg, Dagan (2015), "Improving distributional similarity with lessons learned from word embeddings", section 3.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.text_numbers import Vocabulary
    >>> from maquette.methods.word_vectors.windows import Windows
    >>> text = np.array([1, 3, 2, 0, 2, 1, 0], "int32")
    >>> Windows(text, Vocabulary(("a", "b", "c"), np.array([2, 2, 1])), reach=2).rows().tolist()[:3]
    [[1, 0, 0, 3, 2], [3, 0, 1, 2, 0], [2, 1, 3, 0, 0]]
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maquette.methods.signal.signals import count
from maquette.methods.word_vectors.text_numbers import Vocabulary


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows around all or some words of a text; rows are made when they are asked for.

    Attributes:
        tokens: int32 (tokens,), numbers of words from 1, 0 at the end of each line.
        vocabulary: the words.
        reach: c, how many neighbours on each side.
        places: of the words around which the windows lie, None for all of them.
    """

    tokens: Any
    vocabulary: Vocabulary
    reach: int = 5
    places: np.ndarray | None = None

    dtype = np.dtype("int32")
    ndim = 2

    def __post_init__(self) -> None:
        count(self.reach, "window")

    def __len__(self) -> int:
        return len(self.tokens if self.places is None else self.places)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), 1 + 2 * self.reach

    @property
    def size(self) -> int:
        return len(self) * (1 + 2 * self.reach)

    def __getitem__(self, chosen: Any) -> "Windows":
        """The windows of some of the places: a slice, indices or a mask."""
        places = np.arange(len(self.tokens)) if self.places is None else self.places
        return replace(self, places=places[chosen])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """The words in the middle, of which everything else follows: (windows,)."""
        return np.asarray(self.tokens if self.places is None else self.tokens[self.places])

    def rows(self) -> np.ndarray:
        """The windows as numbers: int32 (windows, 1 + 2 reach)."""
        places = np.arange(len(self.tokens)) if self.places is None else self.places
        middle = np.asarray(self.tokens[places])
        found = [middle]
        for side in (-1, 1):
            open_, column = middle > 0, []
            for step in range(1, self.reach + 1):
                at = places + side * step
                inside = open_ & (at >= 0) & (at < len(self.tokens))
                words = np.where(inside, self.tokens[np.clip(at, 0, len(self.tokens) - 1)], 0)
                open_ = inside & (words > 0)
                column.append(words)
            found += column[::side]
        return np.stack(found, axis=1)


def thinned(rows: np.ndarray, keep: np.ndarray, dynamic: bool, random: np.random.Generator) -> np.ndarray:
    """Rows (windows, 1 + 2 reach) with words dropped, each kept by `keep` (words,), and windows of random reach."""
    reach = rows.shape[1] // 2
    chance = np.concatenate([[0.0], keep])[rows]
    rows = np.where(random.random(rows.shape) < chance, rows, 0)
    rows[rows[:, 0] == 0] = 0
    if dynamic:
        distance = np.abs(np.concatenate([np.arange(-reach, 0), np.arange(1, reach + 1)]))
        rows[:, 1:][distance > random.integers(1, reach + 1, len(rows))[:, np.newaxis]] = 0
    return rows.astype("int32")


METHOD = Windows
