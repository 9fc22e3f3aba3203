"""Bag of words: a document as the counts of its words, and a word as the documents that hold it.

    X[d, t] = how often term t stands in document d            sparse, (documents, terms)

A row of X is a document's vector, a column a word's. With `binary` the cells are 0 and 1. The order of the words is
lost, and the vectors grow with the vocabulary: cells that are 0 are not stored.

Source: Salton, Wong, Yang (1975), "A vector space model for automatic indexing", sections 1 and 2.

Example:
    >>> from maquette.methods.retrieval.counts import count_terms
    >>> counts = count_terms(["The dog chased the cat", "The cat was chased down by the dog"])
    >>> counts.terms
    ('by', 'cat', 'chased', 'dog', 'down', 'the', 'was')
    >>> counts.matrix.toarray().tolist()
    [[0, 1, 1, 1, 0, 2, 0], [1, 1, 1, 1, 1, 2, 1]]
    >>> counts.word("the").tolist()
    [2, 2]
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError, near
from maquette.methods.retrieval.tokenizer import Tokenizer, Vocabulary
from maquette.methods.signal.signals import count, number

CHARACTERS = 1 << 20  # of text that are held at a time


@dataclass(frozen=True)
class TermCounts:
    """Counts of terms in documents.

    Attributes:
        matrix: CSR, (documents, terms), int32; entries in a row are sorted by term.
        terms: the words of the columns.
        tokenizer: what made them.
        binary: whether cells are 0 and 1.
    """

    matrix: Any
    terms: tuple[str, ...]
    tokenizer: Tokenizer
    binary: bool = False

    def transform(self, documents: Iterable[str]) -> "TermCounts":
        """Other documents in the same columns; words that have none are left out."""
        vocabulary = Vocabulary(self.tokenizer, self.terms, grows=False)
        matrix = _stack(list(count_batches(documents, self.tokenizer, vocabulary)), len(self.terms))
        return replace(self, matrix=matrix.sign() if self.binary else matrix)

    def word(self, term: str) -> np.ndarray:
        """A word's vector: its count in each document, (documents,); raises InputError for an unknown word."""
        if term not in self.terms:
            raise InputError(f"no document holds {term!r}: {near(term, self.terms)}")
        return self.matrix[:, [self.terms.index(term)]].toarray()[:, 0]


def count_terms(
    documents: Iterable[str],
    tokenizer: Tokenizer | None = None,
    vocabulary: Sequence[str] | None = None,
    min_documents: int = 1,
    max_share: float = 1.0,
    binary: bool = False,
) -> TermCounts:
    """Count the words of documents.

    Args:
        documents: texts; read once, a part at a time, so that they may come from a stream.
        tokenizer: the rules; the default ones if None.
        vocabulary: the columns, in this order; by default all words, in the order of the alphabet.
        min_documents: words that fewer documents hold are left out.
        max_share: words that a larger share of the documents hold are left out.
        binary: whether a cell says 1 for any count above 0.

    Raises:
        InputError: for an entry that is no text, a vocabulary that names a word twice, limits out of range, and
            where no word is left.
    """
    count(min_documents, "min_documents"), number(max_share, "max_share", 0, above=True, most=1)
    tokenizer = tokenizer or Tokenizer()
    if vocabulary is not None:
        if len(set(vocabulary)) < len(vocabulary) or isinstance(vocabulary, str):
            raise InputError("vocabulary: give a list that names every word once")
        empty = TermCounts(sparse.csr_array((0, len(vocabulary)), dtype=np.int32), tuple(vocabulary), tokenizer, binary)
        return empty.transform(documents)
    grown = Vocabulary(tokenizer)
    matrix = _stack(list(count_batches(documents, tokenizer, grown)), len(grown.terms))
    held = matrix.count_nonzero(axis=0)
    limit = max_share * matrix.shape[0]
    order = sorted(range(len(grown.terms)), key=grown.terms.__getitem__)
    kept = [t for t in order if min_documents <= held[t] <= limit]
    if not kept:
        raise InputError("no document holds a word that is counted: give other documents or wider limits")
    chosen = matrix[:, kept]
    chosen.sort_indices()
    return TermCounts(chosen.sign() if binary else chosen, tuple(grown.terms[t] for t in kept), tokenizer, binary)


def count_batches(documents: Iterable[str], tokenizer: Tokenizer, vocabulary: Vocabulary) -> Iterator[Any]:
    """Counts of some documents after the other: CSR, (some, terms so far); `vocabulary` grows with them."""
    if isinstance(documents, str):
        raise InputError("documents: give a list of texts, not one text")
    for texts in _parts(documents):
        found, lengths = tokenizer.numbers(texts, vocabulary)
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        shape = len(texts), len(vocabulary.terms)
        counts = sparse.csr_array((np.ones(len(found), np.int32), found, ends), shape=shape)
        counts.sum_duplicates()
        yield counts


def _parts(documents: Iterable[str]) -> Iterator[list[str]]:
    part, size = [], 0
    for i, text in enumerate(documents, 1):
        if not isinstance(text, str):
            raise InputError(f"document {i} is of the type {type(text).__name__}: give texts")
        part.append(text)
        size += len(text) + 64
        if size > CHARACTERS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _stack(batches: list[Any], terms: int) -> Any:
    for batch in batches:
        batch.resize(batch.shape[0], terms)  # earlier ones had not seen every word
    return sparse.vstack(batches, format="csr") if batches else sparse.csr_array((0, terms), dtype=np.int32)


METHOD = count_terms
