"""Texts as rows of word numbers, by a vocabulary of the training texts and, if given, of a file of word vectors."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from maquette import catalog, files
from maquette.data.readers.word_vectors import load_vectors
from maquette.errors import InputError
from maquette.methods.retrieval.tokenizer import Tokenizer, Vocabulary

RUN = "recipe.json"  # which makes a folder a run's


@dataclass(frozen=True)
class TextEncoder:
    """Texts (n,) -> int32 (n, length): numbers of words from 1, then zeros; a word without a number is left out.

    Words are found by the default rules of maquette.methods.retrieval.tokenizer: lower case, runs of letters and
    digits. The vocabulary are the words that occur `min_count` times or more in the training texts, the most frequent
    first, and after them the words of `vectors` that the texts lack, in the file's order, `most` words in all: what
    stands in no training text can be known from elsewhere.

    Attributes:
        words: the vocabulary.
        length: of a row, at most: that of the longest training text if it is shorter. What comes later is left out.
        min_count: see above.
        most: see above.
        vectors: a file of word vectors, or the folder of a run of word-vectors; "" for none.
        column: of tables, the one that holds the texts.
        report: lines on the vocabulary, and how much of it has a vector.
        rows: once fitted, the vectors of the words, float32 (words, dim), zeros for words without; None otherwise.
    """

    words: tuple[str, ...] = ()
    length: int = 500
    min_count: int = 2
    most: int = 50_000
    vectors: str = ""
    column: str = "text"
    report: tuple[str, ...] = ()
    rows: np.ndarray | None = field(default=None, compare=False)

    def fit(self, x: Sequence[str]) -> "TextEncoder":
        """The encoder for these training texts; raises InputError where no word is left, or the vectors are none."""
        growing = Vocabulary(Tokenizer())
        found, lengths = growing.tokenizer.numbers(list(x), growing)
        counts = np.bincount(found, minlength=len(growing.terms))
        kept = [i for i in np.argsort(-counts, kind="stable") if counts[i] >= self.min_count][: self.most]
        if not kept:
            raise InputError(
                f"no word of the training texts occurs {self.min_count} times: give more text, or a smaller "
                "inputs.min_count"
            )
        words = tuple(growing.terms[i] for i in kept)
        share = counts[kept].sum() / max(1, len(found))
        line = f"vocabulary: {len(words):,} of {len(counts):,} words, {share:.1%} of the {len(found):,} in the texts"
        length = min(self.length, int(max(lengths)))
        fitted = replace(self, words=words, length=max(1, length), report=(line,))
        return fitted._with_vectors(counts[kept]) if self.vectors else fitted

    def _with_vectors(self, counts: np.ndarray) -> "TextEncoder":
        known, matrix = load_words(self.vectors)
        place = {word: i for i, word in enumerate(known)}
        had = np.array([word in place for word in self.words])
        if not had.any():
            raise InputError(f"inputs.vectors={self.vectors}: it has none of the {len(had)} words of the texts")
        own = frozenset(self.words)
        words = (*self.words, *[word for word in known if word not in own][: self.most - len(self.words)])
        rows = np.zeros((len(words), matrix.shape[1]), "float32")
        for i, word in enumerate(words):
            if word in place:
                rows[i] = matrix[place[word]]
        share = counts[had].sum() / counts.sum()
        line = (
            f"vectors: {self.vectors} has {had.mean():.1%} of these words and {share:.1%} of their occurrences, the "
            f"others begin at zero; {len(words) - len(had):,} of its words are not in the texts"
        )
        return replace(self, words=words, rows=rows, report=(*self.report, line))

    @property
    def model_arguments(self) -> dict[str, int]:
        """The size of the vocabulary, and that of a vector where it is given."""
        return {"words": len(self.words)} | ({} if self.rows is None else {"dim": self.rows.shape[1]})

    def transform(self, x: Sequence[str]) -> np.ndarray:
        found, lengths = Tokenizer().numbers(list(x), Vocabulary(Tokenizer(), self.words, grows=False))
        row = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(found)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        fits = place < self.length
        rows = np.zeros((len(lengths), self.length), np.int32)
        rows[row[fits], place[fits]] = found[fits] + 1
        return rows

    def to_json(self) -> str:
        return json.dumps({"words": self.words, "length": self.length, "column": self.column, "report": self.report})

    @classmethod
    def from_json(cls, text: str) -> "TextEncoder":
        stored: dict[str, Any] = json.loads(text)
        return cls(tuple(stored["words"]), stored["length"], column=stored["column"], report=tuple(stored["report"]))


def load_words(source: str) -> tuple[tuple[str, ...], np.ndarray]:
    """The words and vectors of a file, of one below $MAQUETTE_DATA, or of a run; raises InputError naming it."""
    path = Path(source)
    if not path.exists() and os.environ.get("MAQUETTE_DATA"):
        path = Path(os.environ["MAQUETTE_DATA"]) / source
    if not path.exists():
        raise InputError(
            f"inputs.vectors={source}: does not exist; give a file of word vectors, or a run of word-vectors"
        )
    if not path.is_dir():
        return load_vectors(path)
    if not (path / RUN).is_file():
        raise InputError(f"inputs.vectors={source}: is no run; give a file of word vectors, or a run of word-vectors")
    return _of_run(path)


def _of_run(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    import keras

    recipe = files.read_json(path / RUN, "run folder")
    if recipe["task"] != "word-vectors":
        raise InputError(f"inputs.vectors={path}: is a run of {recipe['task']}; give one of word-vectors")
    catalog.find(recipe["page"], "models").load()
    if not (path / "model.keras").is_file():
        raise InputError(f"inputs.vectors={path}: the run has not finished; `maquette resume {path}` continues it")
    model: Any = keras.saving.load_model(path / "model.keras", safe_mode=True)
    return tuple(model.words), model.vectors()
