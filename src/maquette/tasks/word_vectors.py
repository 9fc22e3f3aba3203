"""Word vectors: a text in, a vector for each of its words out, judged by what people say about words.

Data     a text file, plain or .gz, or a folder of text files, in UTF-8; a line is a sentence; or a built-in text
Options  min_count, window, phrases (passes that join words), phrase_threshold; samples: windows or cells
           windows  each word with its neighbours; subsample, dynamic (windows of random reach)
           cells    each pair of words that meet, with how often they do; weight of a pair by its distance
Metrics  the loss on windows that were held out; where the lists of scored pairs and analogies are at hand and know the
         words, the rank correlation with people's scores and the share of right answers, with their coverage
Answer   the nearest words to each line of a text, such as "king" or "king - man + woman"
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.readers.documents import lines
from maquette.data.readers.text import map_text
from maquette.errors import InputError, near
from maquette.methods.word_vectors.cells import Cells
from maquette.methods.word_vectors.cooccurrence import cooccurrence
from maquette.methods.word_vectors.phrases import number_phrases
from maquette.methods.word_vectors.questions import parse_question
from maquette.methods.word_vectors.text_numbers import Vocabulary
from maquette.methods.word_vectors.windows import Windows, thinned
from maquette.tasks.figure import Figure
from maquette.tasks.task import Scored, Task
from maquette.tasks.word_vectors_scores import measure, picture

HELD_OUT, STRETCH = 1000, 100  # tokens or cells that are held out, at most, and tokens in one place
NEAREST = 10


@dataclass(frozen=True)
class Encoder:
    """Windows or cells of any text, or questions -> numbers of the words of the training text, 0 for those it lacks."""

    vocabulary: Vocabulary | None = None

    def fit(self, x: Windows | Cells) -> "Encoder":
        return Encoder(x.vocabulary)

    def transform(self, x: Any) -> np.ndarray:
        assert self.vocabulary
        if not isinstance(x, Windows | Cells):
            return np.asarray(x, "int32")
        if x.vocabulary.words == self.vocabulary.words:
            return x.rows()
        numbers = self.vocabulary.numbers
        return np.array([0, *(numbers.get(word, 0) for word in x.vocabulary.words)], "int32")[x.rows()]

    def to_json(self) -> str:
        assert self.vocabulary
        return json.dumps({"words": self.vocabulary.words, "counts": self.vocabulary.counts.tolist()})


@dataclass(frozen=True)
class Thinning:
    """The random change of a batch of windows: words dropped, windows cut."""

    options: Mapping[str, Any]
    seed: int

    def __call__(self, x: Windows, epoch: int, index: int) -> np.ndarray:
        random = np.random.default_rng((self.seed, epoch, index))
        return thinned(x.rows(), x.vocabulary.keep(self.options["subsample"]), self.options["dynamic"], random)


@dataclass(frozen=True)
class Questions(Split):
    """Questions as rows of word numbers, those taken off negative, with the vocabulary and the words it lacks."""

    vocabulary: Vocabulary | None = None
    unknown: tuple[tuple[str, ...], ...] = ()


class WordVectorsTask(Task):
    """Outputs are cosines with the most frequent words: (n, words)."""

    name = "word-vectors"
    reads_a_file = True
    headline = "loss"
    options = {
        **{"min_count": 5, "window": 5, "phrases": 0, "phrase_threshold": 100.0, "samples": "windows"},
        **{"subsample": 1e-3, "dynamic": True, "weight": "harmonic"},
    }
    option_types = {
        **{"min_count": int, "window": int, "phrases": int, "phrase_threshold": float, "subsample": float},
        **{"dynamic": bool, "samples": Literal["windows", "cells"], "weight": Literal["uniform", "harmonic", "linear"]},
    }

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        return Dataset(name=path.stem, train=Split(map_text(path)), origin=str(path))

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        try:
            tokens, vocabulary = number_phrases(
                dataset.train.x, options["phrases"], options["min_count"], options["phrase_threshold"]
            )
            split = _cells if options["samples"] == "cells" else _windows
            adapted = split(dataset, tokens, vocabulary, options)
        except InputError as error:
            raise InputError(f"{dataset.origin}: {error}") from None
        report = f"{np.count_nonzero(tokens):,} words, {len(vocabulary.words):,} different ones, kept of the text"
        return replace(adapted, report=(*dataset.report, report, *adapted.report))

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        if options["samples"] == "windows":
            return Thinning(options, seed)
        for key in ("subsample", "dynamic"):
            if options[key]:
                wanted = "inputs.weight says how distance counts" if key == "dynamic" else "cells count every word"
                raise InputError(f"inputs.{key}={options[key]}: {wanted}; set it to {type(options[key])()}")
        return None

    def encoder(self, options: Mapping[str, Any]) -> Encoder:
        return Encoder()

    def restore(self, text: str) -> Encoder:
        stored = json.loads(text)
        return Encoder(Vocabulary(tuple(stored["words"]), np.array(stored["counts"])))

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        vocabulary = dataset.train.x.vocabulary
        return {"words": list(vocabulary.words), "counts": vocabulary.counts.tolist()}

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        own = Encoder(Vocabulary(tuple(model.words), np.asarray(model.counts)))
        measures, table = measure(model, own.transform(split.x), split.y)
        return Scored(split, outputs, measures, {"lists": table} if table else {})

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        return [picture(model)]

    def read_inputs(self, paths: Sequence[Path], encoder: Encoder, shape: Sequence[int]) -> Split:
        assert encoder.vocabulary
        asked = [line.strip() for path in paths for _, line in lines(path) if line.strip()]
        if not asked:
            raise InputError(
                f"{paths[0]}: holds no question; write words, such as king - man + woman, a question a line"
            )
        parsed = [parse_question(line) for line in asked]
        numbers = encoder.vocabulary.numbers
        x = np.zeros((len(asked), max(len(plus) + len(minus) for plus, minus in parsed)), "int32")
        unknown = []
        for row, (plus, minus) in zip(x, parsed, strict=True):
            row[: len(plus)] = [numbers.get(word, 0) for word in plus]
            row[len(plus) : len(plus) + len(minus)] = [-numbers.get(word, 0) for word in minus]
            unknown.append(tuple(word for word in (*plus, *minus) if word not in numbers))
        return Questions(x, names=tuple(asked), vocabulary=encoder.vocabulary, unknown=tuple(unknown))

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        assert isinstance(split, Questions) and split.vocabulary
        rows: list[dict[str, Any]] = []
        for name, ids, unknown, cosines in zip(split.names, split.x, split.unknown, outputs, strict=True):
            if unknown:
                rows.append({"input": name, "nearest": _lacking(unknown[0], split.vocabulary)})
                continue
            own = [abs(i) - 1 for i in ids if i and abs(i) <= len(cosines)]
            scores = cosines.copy()
            scores[own] = -np.inf
            best = np.argsort(-scores, kind="stable")[: min(NEAREST, len(scores) - len(set(own)))]
            nearest = {split.vocabulary.words[i]: float(scores[i]) for i in best}
            rows.append({"input": name, "nearest": nearest})
        return rows


@dataclass(frozen=True)
class Groups:
    """What marks the items that belong together, computed only if a part is taken off: int (n,)."""

    numbers: Callable[[], np.ndarray]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numbers()


def _windows(dataset: Dataset, tokens: Any, vocabulary: Vocabulary, options: Mapping[str, Any]) -> Dataset:
    """The windows of a text; windows of one stretch stay together."""
    size, held = len(tokens), _hold_out(tokens)
    windows, test = (Windows(part, vocabulary, options["window"]) for part in (tokens, held))
    stretch = max(1, min(STRETCH, size // 50))
    groups: Any = Groups(lambda: np.arange(size, dtype="int32") // stretch)
    return replace(
        dataset,
        train=Split(windows),
        test=Split(test) if len(held) else None,
        report=(f"test: {len(held):,} windows from all parts of the text, held out",),
        groups=groups,
    )


def _cells(dataset: Dataset, tokens: Any, vocabulary: Vocabulary, options: Mapping[str, Any]) -> Dataset:
    """The cells of a text's co-occurrence matrix; a cell and its mirror image stay together."""
    counts = cooccurrence(tokens, len(vocabulary.words), options["window"], options["weight"])
    y = np.array(counts.data, "float32")
    cells = Cells(counts, vocabulary)
    held = _mirrored(counts, np.linspace(0, counts.nnz - 1, min(HELD_OUT, counts.nnz // 100) // 2 + 2)[1:-1])
    test = Split(cells[held], y[held]) if len(held) else None
    y[held] = 0  # a cell without a count counts for nothing
    report = f"{counts.nnz:,} pairs of words meet", f"test: {len(held):,} of these cells, held out"
    groups: Any = Groups(cells.fold)
    return replace(dataset, train=Split(cells, y), test=test, report=report, groups=groups)


def _mirrored(counts: Any, places: np.ndarray) -> np.ndarray:
    """Places of cells of a symmetric matrix and of their mirror images, each once."""
    ends, columns = counts.indptr, counts.indices
    found: set[int] = set()
    for place in places.astype(np.int64):
        row, column = np.searchsorted(ends, place, "right") - 1, columns[place]
        found |= {int(place), int(ends[column] + np.searchsorted(columns[ends[column] : ends[column + 1]], row))}
    return np.array(sorted(found), np.int64)


def _hold_out(tokens: Any) -> np.ndarray:
    """Take stretches from all parts of the text, at most a hundredth of it: they become line ends in `tokens`."""
    stretches = min(HELD_OUT, len(tokens) // 100) // STRETCH
    held = []
    for start in np.linspace(0, len(tokens) - STRETCH, stretches + 2)[1:-1].astype(int):
        held += [np.array(tokens[start : start + STRETCH]), np.zeros(1, "int32")]
        tokens[start : start + STRETCH] = 0
    return np.concatenate(held) if held else np.zeros(0, "int32")


def _lacking(word: str, vocabulary: Vocabulary) -> str:
    return f"the training text lacks {word!r}: {near(word, vocabulary.words)}"


TASK = WordVectorsTask()
