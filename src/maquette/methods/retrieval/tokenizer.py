r"""Tokenizer: a text becomes a list of words by rules that are stated, the same for documents and queries.

In this order:

    1. normal form    a text with letters beyond ASCII is put into Unicode's form NFC, so that an accented letter is
                      one letter however it was typed
    2. case           lower case, by Unicode's rules, unless `lower` is off
    3. accents        with `fold_accents` the marks are taken off: é becomes e
    4. words          every match of `pattern`; by default runs of letters, digits and underscores (\w+), so that
                      punctuation divides and is dropped: "don't" is don and t
    5. dropped        words shorter than `shortest` characters, and `stop_words`; there are none by default
    6. n-grams        with `ngrams` = (a, b) all runs of a to b neighbouring words of what is left, joined by a space

There is no stemming. `shortest` = 2 gives the tokens that scikit-learn has by default.

Source: Manning, Raghavan, Schütze (2008), "Introduction to Information Retrieval", section 2.2.

Example:
    >>> from maquette.methods.retrieval.tokenizer import Tokenizer
    >>> Tokenizer()("The dog chased the cat, didn't it?")
    ['the', 'dog', 'chased', 'the', 'cat', 'didn', 't', 'it']
    >>> Tokenizer(shortest=2, stop_words=("the",), ngrams=(1, 2))("The dog chased a cat")
    ['dog', 'chased', 'cat', 'dog chased', 'chased cat']
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import count

WORD = r"\w+"
_BORDER = b"\xff"  # stands in no UTF-8 text


@dataclass(frozen=True)
class Tokenizer:
    r"""Text -> words, by the rules above.

    Raises:
        InputError: naming the argument, for a pattern that is no regular expression or has several groups, a
            `shortest` below 1, and n-grams that are not (a, b) with 1 <= a <= b.
    """

    lower: bool = True
    fold_accents: bool = False
    pattern: str = WORD
    shortest: int = 1
    stop_words: tuple[str, ...] = ()
    ngrams: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        count(self.shortest, "shortest")
        try:
            groups = re.compile(self.pattern).groups
        except (re.error, TypeError) as error:
            raise InputError(f"pattern {self.pattern!r} is no regular expression: {error}") from None
        if groups > 1:
            raise InputError(f"pattern {self.pattern!r} has {groups} groups: write all but one as (?:...)")
        ends = self.ngrams
        if len(ends) != 2 or not 1 <= count(ends[0], "ngrams") <= count(ends[1], "ngrams"):
            raise InputError(f"ngrams {self.ngrams!r}: give (a, b) with 1 <= a <= b")

    def __call__(self, text: str) -> list[str]:
        """The words of one text, in its order; n-grams after them, the shorter first."""
        words = [w for w in self._find(self._normal(text)) if len(w) >= self.shortest and w not in self._stops]
        first, last = self.ngrams
        if last == 1:
            return words
        return [" ".join(words[i : i + n]) for n in range(first, last + 1) for i in range(len(words) - n + 1)]

    def numbers(self, texts: Sequence[str], vocabulary: "Vocabulary") -> tuple[np.ndarray, np.ndarray]:
        """The words of many texts as numbers: int32 (words,), one text after the other, and words per text (n,).

        Words without a number are left out. Single words of the default pattern are found in all texts in one go.
        """
        if self.pattern == WORD and tuple(self.ngrams) == (1, 1):
            words, lengths = self._divide(texts)
        else:
            lists = [self(text) for text in texts]
            words, lengths = list(chain.from_iterable(lists)), np.array([len(one) for one in lists], np.int64)
        found = np.fromiter(map(vocabulary.__getitem__, words), np.int32, len(words))
        kept = found >= 0
        if not kept.all():
            before = np.concatenate([[0], np.cumsum(kept)])
            found, lengths = found[kept], np.diff(before[np.cumsum(lengths)], prepend=0)
        return found, lengths

    def _divide(self, texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
        # In ASCII a table of 256 bytes does what the expression does; other texts are brought into its form first.
        plain = [t if t.isascii() else " ".join(self._find(self._normal(t))) for t in texts]
        flat = _BORDER.join(map(str.encode, plain)).translate(self._table)
        letters = np.frombuffer(flat, np.uint8)
        inside = letters > ord(" ")
        starts = inside.copy()
        starts[1:] &= ~inside[:-1]
        ends = np.append(np.flatnonzero(letters == ord("\n")), len(letters))
        before = np.concatenate([[0], np.cumsum(starts)])
        return flat.decode().split(), np.diff(before[ends], prepend=0)

    def _normal(self, text: str) -> str:
        text = text if text.isascii() else unicodedata.normalize("NFC", text)
        text = text.lower() if self.lower else text
        if self.fold_accents and not text.isascii():
            text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        return text

    @cached_property
    def _find(self) -> Any:
        return re.compile(self.pattern).findall

    @cached_property
    def _stops(self) -> frozenset[str]:
        return frozenset(self.stop_words)

    @cached_property
    def _table(self) -> bytes:
        ascii = "".join(c if c.isalnum() or c == "_" else " " for c in map(chr, range(128)))
        return (ascii.lower() if self.lower else ascii).encode() + bytes(range(128, 255)) + b"\n"


class Vocabulary(dict[str, int]):
    """word -> its number, in the order of `terms`; -1 for a word that has none.

    A word that is looked up for the first time gets the next number if `grows`, unless the tokenizer drops it.
    """

    def __init__(self, tokenizer: Tokenizer, terms: Sequence[str] = (), grows: bool = True):
        super().__init__((term, i) for i, term in enumerate(terms))
        self.tokenizer, self.terms, self.grows = tokenizer, list(terms), grows

    def __missing__(self, word: str) -> int:
        if not self.grows:
            return -1
        number = -1
        if len(word) >= self.tokenizer.shortest and word not in self.tokenizer._stops:
            number = len(self.terms)
            self.terms.append(word)
        self[word] = number
        return number


METHOD = Tokenizer
