"""Phrases: two words that follow each other far more often than by chance become one, such as new_york.

    score(a, b) = (n(a b) - delta) / (n(a) n(b)) * N        n counts, N the number of words in the text
    joined      where score > threshold, from left to right: a word belongs to one pair alone

`delta` keeps pairs of rare words from becoming phrases. A pass joins two words; another pass over the result joins
phrases to longer ones. Of several passes the last one has the threshold, and each that comes before twice that of the
next. The text is read a part at a time, and the pairs are counted as the co-occurrence matrix of reach 1 is: neither
has to fit into memory.

Source: Mikolov et al. (2013), "Distributed representations of words and phrases", section 4; the factor N and the two
thresholds are those of the program published with it.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.phrases import join_phrases
    >>> from maquette.methods.word_vectors.text_numbers import number_text
    >>> text = np.frombuffer(b"new york is big\\nshe left new york\\nbig new york", "uint8")
    >>> join_phrases(*number_text(text), delta=1, threshold=2)[1].words
    ('new_york', 'big', 'is', 'left', 'she')
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from maquette.methods.signal.signals import count, number
from maquette.methods.word_vectors.cooccurrence import cooccurrence
from maquette.methods.word_vectors.spill import spill
from maquette.methods.word_vectors.text_numbers import BLOCK, Vocabulary, frequent, number_text


def join_phrases(
    tokens: Any, vocabulary: Vocabulary, delta: float = 5.0, threshold: float = 100.0
) -> tuple[Any, Vocabulary]:
    """One pass over a text.

    Args:
        tokens: numbers of words from 1, 0 at the end of each line: (tokens,).
        vocabulary: all words of the text.
        delta: how often a pair has to occur, and more, to be joined.
        threshold: the score above which it is.

    Returns:
        The text with its phrases, written with an underscore, and their vocabulary.
    """
    number(delta, "delta", 0), number(threshold, "threshold", 0)
    keys = _pairs(tokens, vocabulary, delta, threshold)
    if not len(keys):
        return tokens, vocabulary
    words = list(vocabulary.words)
    known = dict(vocabulary.numbers)
    numbers = np.zeros(len(keys), np.int32)
    for i, (a, b) in enumerate(zip(*np.divmod(keys, len(words) + 1), strict=True)):
        phrase = f"{words[a - 1]}_{words[b - 1]}"  # which may be a word already, or come of another pair
        numbers[i] = known.setdefault(phrase, len(known) + 1)
    return frequent(spill(_joined(tokens, keys, numbers, len(words) + 1), np.int32), list(known))


def number_phrases(text: np.ndarray, passes: int, min_count: int = 1, threshold: float = 100.0) -> tuple[Any, Any]:
    """What `number_text` gives, after so many passes with delta = min_count; 0 joins nothing."""
    count(passes, "passes", 0)
    tokens, vocabulary = number_text(text, 1 if passes else min_count)
    for left in reversed(range(passes)):
        tokens, vocabulary = join_phrases(tokens, vocabulary, min_count, threshold * 2**left)
    return frequent(tokens, vocabulary.words, min_count) if passes else (tokens, vocabulary)


def _pairs(tokens: Any, vocabulary: Vocabulary, delta: float, threshold: float) -> np.ndarray:
    """The pairs that are joined, as a (words + 1) + b: int64, in rising order."""
    found, words = cooccurrence(tokens, len(vocabulary.words), reach=1, side="right"), vocabulary.counts
    keys = []
    for start in range(0, found.nnz, BLOCK):
        often = start + np.flatnonzero(found.data[start : start + BLOCK] > delta)
        a, b = np.searchsorted(found.indptr, often, "right") - 1, found.indices[often]
        score = (found.data[often] - delta) / words[a] / words[b] * words.sum()
        keys.append(((a + 1) * (len(words) + 1) + b + 1)[score > threshold])
    return np.concatenate([np.zeros(0, np.int64), *keys])


def _joined(tokens: Any, keys: np.ndarray, numbers: np.ndarray, base: int) -> Iterator[np.ndarray]:
    """The text with each pair replaced by its number, part by part."""
    chain, taken = 0, False  # overlapping pairs up to the part's start; whether the word before it took the first one
    for start in range(0, len(tokens), BLOCK):
        both = np.append(np.asarray(tokens[start : start + BLOCK + 1], np.int64), 0)
        here, after = both[: min(BLOCK, len(both) - 1)], both[1 : BLOCK + 1]
        key = here * base + after[: len(here)]
        place = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        pair = keys[place] == key
        # Of a run of overlapping pairs every other one is joined, from the first.
        at = np.arange(len(here))
        order = at - np.maximum.accumulate(np.where(pair, -1 - chain, at)) - 1
        join = pair & (order % 2 == 0)
        yield np.where(join, numbers[place], here)[~np.append(taken, join[:-1])]
        chain, taken = (int(order[-1]) + 1 if pair[-1] else 0), bool(join[-1])


METHOD = join_phrases
