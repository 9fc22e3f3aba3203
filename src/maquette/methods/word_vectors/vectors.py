"""Questions to word vectors: how near two words are, which are nearest, and what is to a as b is to c.

    similarity(a, b)   cos(a, b) = a.b / (|a| |b|)
    nearest(a)         the words w with the largest cos(w, a), a itself left out
    3CosAdd            argmax over w of cos(w, b) - cos(w, a) + cos(w, c)        "a is to b as c is to w"
    3CosMul            argmax over w of s(w, b) s(w, c) / (s(w, a) + 0.001),     s = (cos + 1) / 2

All vectors are taken at length one. The words of a question are never its answer: the nearest word to the sum is most
often one of them, which says little about analogies and much about how near they were before.

A word that has no vector is refused by name; `known` says which words have one.

Source: Mikolov, Yih, Zweig (2013), "Linguistic regularities in continuous space word representations", section 5; Levy,
Goldberg (2014), "Linguistic regularities in sparse and explicit word representations", section 6.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.vectors import WordVectors
    >>> places = [[1, 0.1, 1], [1, 1, 0.1], [-1, 0.1, 1], [-1, 1, 0.1], [0.2, -1, -1]]
    >>> words = WordVectors(("king", "queen", "man", "woman", "tree"), np.array(places, "float32"))
    >>> words.analogy("man", "king", "woman", top=1)[0][0]
    'queen'
    >>> round(words.similarity("king", "queen"), 3)
    0.597
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maquette.errors import InputError, near
from maquette.methods.signal.signals import choice, count, numbers

Found = list[tuple[str, float]]


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: each once, the most frequent first where that is known.
        matrix: float32 (words, dim).

    Raises:
        InputError: if there are not as many rows as words, a word comes twice, or a number is none.
    """

    words: tuple[str, ...]
    matrix: np.ndarray

    def __post_init__(self) -> None:
        numbers(self.matrix, "matrix", 2)
        if len(self.words) != len(self.matrix):
            raise InputError(f"matrix has {len(self.matrix)} rows for {len(self.words)} words: give one for each")
        if len(self.numbers) < len(self.words):
            twice = next(word for i, word in enumerate(self.words) if self.numbers[word] != i)
            raise InputError(f"the word {twice!r} comes twice: leave one out")

    @cached_property
    def numbers(self) -> dict[str, int]:
        """word -> its row."""
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def unit(self) -> np.ndarray:
        """The vectors at length one: (words, dim); zeros stay zeros."""
        length = np.linalg.norm(self.matrix, axis=1, keepdims=True)
        return self.matrix / np.where(length > 0, length, 1)

    def known(self, words: Sequence[str]) -> list[bool]:
        """Whether each word has a vector."""
        return [word in self.numbers for word in words]

    def row(self, word: str) -> int:
        """The word's row; raises InputError naming the near ones if it has none."""
        if word not in self.numbers:
            raise InputError(f"there is no vector for {word!r}: {near(word, self.words)}")
        return self.numbers[word]

    def similarity(self, a: str, b: str) -> float:
        """The cosine of two words."""
        return float(self.unit[self.row(a)] @ self.unit[self.row(b)])

    def nearest(self, plus: Sequence[str], minus: Sequence[str] = (), top: int = 10) -> Found:
        """The words nearest to the sum of some vectors at length one less that of others, with their cosines."""
        total = self.unit[[self.row(w) for w in plus]].sum(axis=0)
        if minus:
            total = total - self.unit[[self.row(w) for w in minus]].sum(axis=0)
        length = np.linalg.norm(total)
        return self._best(self.unit @ (total / (length or 1)), (*plus, *minus), top)

    def analogy(self, a: str, b: str, c: str, top: int = 10, method: str = "3cosadd") -> Found:
        """The words that are to c as b is to a, with their scores."""
        choice(method, "method", ("3cosadd", "3cosmul"))
        cosines = self.unit @ self.unit[[self.row(word) for word in (a, b, c)]].T
        return self._best(score(cosines, method), (a, b, c), top)

    def _best(self, scores: np.ndarray, asked: Sequence[str], top: int) -> Found:
        count(top, "top")
        scores = scores.copy()
        scores[[self.row(word) for word in asked]] = -np.inf
        best = np.argsort(-scores, kind="stable")[: min(top, len(scores) - len(set(asked)))]
        return [(self.words[i], float(scores[i])) for i in best]


def score(cosines: np.ndarray, method: str) -> np.ndarray:
    """The score of every word, from its cosines with a, b and c: (..., 3) -> (...,)."""
    a, b, c = np.moveaxis(cosines, -1, 0)
    if method == "3cosadd":
        return b - a + c
    return (b + 1) * (c + 1) / (2 * (a + 1) + 0.004)  # s with its halves cleared


METHOD = WordVectors
