"""A text as numbers: words get numbers by how often they occur, lines end in 0, and windows are cut from the rest.

    vocabulary   the words that occur at least `min_count` times, the most frequent first, equal ones by the alphabet;
                 the first has the number 1
    tokens       the numbers of a text's words in its order, 0 at the end of each line; rare words are left out
    keep(w)      min(1, sqrt(t / f(w)) + t / f(w)): with which probability an occurrence is kept in training, f(w) the
                 word's share of the text, t = `subsample`; 1 for all with t = 0

A text is an array of the bytes of its UTF-8 form, which may be a file mapped into memory: it is read a few megabytes
at a time, and its numbers go through a temporary file, so that neither has to fit into memory.

Source: Mikolov et al. (2013), "Distributed representations of words and phrases", section 2.3; `keep` has the form of
the program published with it.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.text_numbers import number_text
    >>> text = np.frombuffer(b"the cat sees the dog.\\nthe dog sleeps", "uint8")
    >>> tokens, vocabulary = number_text(text)
    >>> vocabulary.words
    ('the', 'dog', 'cat', 'sees', 'sleeps')
    >>> tokens.tolist()
    [1, 3, 4, 1, 2, 0, 1, 2, 5, 0]
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.retrieval.tokenizer import Tokenizer
from maquette.methods.retrieval.tokenizer import Vocabulary as Growing
from maquette.methods.signal.signals import count, number
from maquette.methods.word_vectors.spill import spill

BLOCK = 1 << 22  # bytes of text that are held at a time


@dataclass(frozen=True)
class Vocabulary:
    """Words and how often each occurs; the number of a word is its place, counted from 1.

    Attributes:
        words: the most frequent first.
        counts: of each word, int64 (words,).
    """

    words: tuple[str, ...]
    counts: np.ndarray

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """word -> its number."""
        return {word: i for i, word in enumerate(self.words, 1)}

    def keep(self, subsample: float) -> np.ndarray:
        """The probability that an occurrence is kept: float32 (words,)."""
        number(subsample, "subsample", 0)
        ratio = subsample * self.counts.sum() / self.counts if subsample else np.ones(len(self.counts))
        return np.minimum(1, np.sqrt(ratio) + ratio).astype("float32")


def number_text(text: np.ndarray, min_count: int = 1, tokenizer: Tokenizer | None = None) -> tuple[Any, Vocabulary]:
    """The tokens of a text, int32 (tokens,), and its vocabulary.

    Args:
        text: uint8 (bytes,), UTF-8.
        min_count: words that occur less often are left out.
        tokenizer: what a word is; the default rules if None.

    Raises:
        InputError: naming the byte where the text is no UTF-8 text, and where fewer than two words are left.
    """
    count(min_count, "min_count")
    growing = Growing(tokenizer or Tokenizer())
    raw = spill(_found(text, growing), np.int32)
    if not len(raw):
        raise InputError("the text is empty: give one with words")
    return frequent(raw, growing.terms, min_count)


def frequent(tokens: Any, words: Sequence[str], min_count: int = 1) -> tuple[Any, Vocabulary]:
    """The same text in the numbers of those of its words that occur often enough, by frequency, then by alphabet.

    Args:
        tokens: int32 (tokens,), places in `words` from 1, 0 at the end of each line.
        words: each once.
        min_count: words that occur less often are left out, which closes the gap.

    Raises:
        InputError: where fewer than two words are left.
    """
    count(min_count, "min_count")
    counts = np.zeros(len(words) + 1, np.int64)
    for part in parts_of(tokens):
        counts += np.bincount(part, minlength=len(counts))
    kept = [i for i, n in enumerate(counts[1:]) if n >= min_count]
    kept.sort(key=lambda i: (-counts[i + 1], words[i]))
    if len(kept) < 2:
        held = f"{len(kept)} word{'s' * (len(kept) != 1)}"
        raise InputError(f"the text holds {held} that occur {min_count} times or more: give more text, or a min_count")
    table = np.full(len(counts), -1, np.int32)
    table[0], table[np.array(kept) + 1] = 0, np.arange(1, len(kept) + 1)
    found = spill((numbers[numbers >= 0] for numbers in (table[part] for part in parts_of(tokens))), np.int32)
    return found, Vocabulary(tuple(words[i] for i in kept), counts[np.array(kept) + 1])


def lines_of(text: np.ndarray) -> Iterator[list[str]]:
    """Some lines after the other; raises InputError naming the byte that is no text."""
    start = 0
    while start < len(text):
        block = bytes(text[start : start + BLOCK])
        if start == 0 and block.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputError("the encoding is UTF-16: save the text as UTF-8")
        if start + len(block) < len(text):
            block = block[: (block.rfind(b"\n") + 1) or (block.rfind(b" ") + 1) or len(block)]
        if b"\0" in block:
            raise InputError(f"byte {start + block.index(0)} is zero, as in a binary file: give a text")
        try:
            yield block.decode().removeprefix("\ufeff").split("\n")
        except UnicodeDecodeError as error:
            raise InputError(f"byte {start + error.start} is not UTF-8: save the text as UTF-8") from None
        start += len(block)


def _found(text: np.ndarray, growing: Growing) -> Iterator[np.ndarray]:
    """Numbers by first occurrence, from 1, with 0 at the ends of lines."""
    for lines in lines_of(text):
        found, lengths = growing.tokenizer.numbers([line for line in lines if line.strip()], growing)
        yield np.insert(found + np.int32(1), np.cumsum(lengths), np.int32(0))


def parts_of(tokens: Any) -> Iterator[np.ndarray]:
    """The numbers of a text, some after the other."""
    return (np.asarray(tokens[i : i + BLOCK]) for i in range(0, len(tokens), BLOCK))


METHOD = number_text
