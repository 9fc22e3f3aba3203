"""Inverted index: for each word the documents that hold it and how often, to be searched without reading the texts.

    postings of t = (d_1, n_1), (d_2, n_2), ...          d_1 < d_2 < ...

which is the matrix of counts (documents, terms), stored by columns. The texts are read once, a part at a time, and not
kept: memory holds the postings, at about ten bytes each while they are turned from rows into columns. Words are
numbered as they come. A saved index is one .npz file of plain arrays; `ranking` searches it.

Source: Manning, Raghavan, Schütze (2008), "Introduction to Information Retrieval", chapters 1 and 4.

Example:
    >>> from maquette.methods.retrieval.inverted_index import InvertedIndex
    >>> index = InvertedIndex.build(["the dog", "the cat", "the cat chased the dog"])
    >>> index.terms
    ['the', 'dog', 'cat', 'chased']
    >>> documents, counts = index.postings("the")
    >>> documents.tolist(), counts.tolist()
    ([0, 1, 2], [1, 1, 2])
"""

import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from maquette import files
from maquette.errors import InputError
from maquette.methods.retrieval.counts import count_batches
from maquette.methods.retrieval.tokenizer import Tokenizer, Vocabulary

VERSION = 1


@dataclass(frozen=True)
class InvertedIndex:
    """Documents by their words.

    Attributes:
        counts: CSC, (documents, terms), whole numbers above 0.
        terms: the words, in the order in which they came.
        tokenizer: what divides documents and queries into words.
        about: what the owner wants to keep with it, as JSON has it.
    """

    counts: Any
    terms: list[str]
    tokenizer: Tokenizer
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def build(
        cls, documents: Iterable[str], tokenizer: Tokenizer | None = None, about: dict[str, Any] | None = None
    ) -> "InvertedIndex":
        """Read documents, such as the lines of a file, once.

        Raises:
            InputError: for an entry that is no text, and where there is no document or no word in any.
        """
        tokenizer = tokenizer or Tokenizer()
        vocabulary = Vocabulary(tokenizer)
        parts: list[list[np.ndarray]] = [[], [], []]
        for batch in count_batches(documents, tokenizer, vocabulary):
            small = np.min_scalar_type(batch.data.max(initial=1))
            for kept, array in zip(parts, (batch.data.astype(small), batch.indices, np.diff(batch.indptr))):
                kept.append(array)
        if not vocabulary.terms:
            raise InputError("no document holds a word: there is nothing to index")
        data, terms = (np.concatenate(parts.pop(0)) for _ in range(2))  # popped, so that each is held once
        ends = np.concatenate([[0], *parts.pop()]).cumsum()
        rows = sparse.csr_array((data, terms, ends), shape=(len(ends) - 1, len(vocabulary.terms)))
        return cls(rows.tocsc(), vocabulary.terms, tokenizer, about or {})

    def postings(self, term: str) -> tuple[np.ndarray, np.ndarray]:
        """The documents that hold a word, in their order, and how often; both empty for an unknown word."""
        number = self._numbers[term]
        part = slice(*self.counts.indptr[number : number + 2]) if number >= 0 else slice(0)
        return self.counts.indices[part], self.counts.data[part]

    def vectors(self, texts: Sequence[str]) -> Any:
        """Queries as counts of the index's words: CSR, (texts, terms); others are left out."""
        batches = list(count_batches(texts, self.tokenizer, self._numbers))
        return sparse.vstack(batches, format="csr") if batches else sparse.csr_array((0, len(self.terms)))

    def unknown(self, text: str) -> list[str]:
        """The words of a query that no document holds, each once."""
        return [word for word in dict.fromkeys(self.tokenizer(text)) if self._numbers[word] < 0]

    @cached_property
    def held(self) -> np.ndarray:
        """By how many documents each term is held: (terms,)."""
        return np.diff(self.counts.indptr)

    @cached_property
    def lengths(self) -> np.ndarray:
        """The words of each document: (documents,)."""
        return np.bincount(self.counts.indices, self.counts.data, self.counts.shape[0]).astype(np.int64)

    @cached_property
    def _numbers(self) -> Vocabulary:
        return Vocabulary(self.tokenizer, self.terms, grows=False)

    def save(self, path: str | Path) -> None:
        """Write the index into one .npz file, whole or not at all."""
        head = {"version": VERSION, "documents": self.counts.shape[0], "tokenizer": asdict(self.tokenizer)}
        texts = {"head": {**head, "about": self.about}, "terms": self.terms}
        arrays: dict[str, Any] = {
            name: np.frombuffer(json.dumps(text).encode(), np.uint8) for name, text in texts.items()
        }
        arrays |= {name: getattr(self.counts, name) for name in ("data", "indices", "indptr")}
        with files.replacing(Path(path)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "InvertedIndex":
        """Read an index.

        Raises:
            InputError: if the file is missing, damaged, no index, or of another version.
        """
        try:
            with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                head, terms = (json.loads(arrays[name].tobytes()) for name in ("head", "terms"))
                if head["version"] != VERSION:
                    raise InputError(f"{path} is an index of version {head['version']}, not {VERSION}: build it anew")
                settings: dict[str, Any] = head["tokenizer"]
                settings |= {name: tuple(settings[name]) for name in ("stop_words", "ngrams")}
                shape = head["documents"], len(terms)
                counts = sparse.csc_array(tuple(arrays[k] for k in ("data", "indices", "indptr")), shape=shape)
                counts.check_format(full_check=True)
                return cls(counts, terms, Tokenizer(**settings), head["about"])
        except FileNotFoundError:
            raise InputError(f"{path}: does not exist; build an index first") from None
        except (OSError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error, ValueError) as error:
            if isinstance(error, InputError):
                raise
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"{path} is damaged or no index ({reason}): remove it and build it anew") from None


METHOD = InvertedIndex
