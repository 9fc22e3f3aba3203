"""Word vectors: a text in, a vector for each of its words out, judged by what people say about words.

Data     a text file, plain or .gz, or a folder of text files, in UTF-8; a line is a sentence; or a built-in text
Options  min_count, window, subsample, dynamic (windows of random reach)
Metrics  the loss on windows that were held out; where the lists of scored pairs and analogies are at hand and know the
         words, the rank correlation with people's scores and the share of right answers, with their coverage
Answer   the nearest words to each line of a text, such as "king" or "king - man + woman"
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.readers.documents import lines
from maquette.data.readers.text import map_text
from maquette.errors import InputError, near
from maquette.methods.word_vectors.questions import parse_question
from maquette.methods.word_vectors.text_numbers import Vocabulary, number_text
from maquette.methods.word_vectors.windows import Windows, thinned
from maquette.tasks.figure import Figure
from maquette.tasks.task import Scored, Task
from maquette.tasks.word_vectors_scores import measure, picture

HELD_OUT, STRETCH = 1000, 100  # tokens that are held out, at most and in one place
NEAREST = 10


@dataclass(frozen=True)
class Encoder:
    """Windows of any text, or questions -> numbers of the words of the training text, 0 for those it lacks."""

    vocabulary: Vocabulary | None = None

    def fit(self, x: Windows) -> "Encoder":
        return Encoder(x.vocabulary)

    def transform(self, x: Any) -> np.ndarray:
        assert self.vocabulary
        if not isinstance(x, Windows):
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
    options = {"min_count": 5, "window": 5, "subsample": 1e-3, "dynamic": True}
    option_types = {"min_count": int, "window": int, "subsample": float, "dynamic": bool}

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        return Dataset(name=path.stem, train=Split(map_text(path)), origin=str(path))

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        try:
            tokens, vocabulary = number_text(dataset.train.x, options["min_count"])
        except InputError as error:
            raise InputError(f"{dataset.origin}: {error}") from None
        size = len(tokens)
        report = f"{np.count_nonzero(tokens):,} words, {len(vocabulary.words):,} different ones, kept of the text"
        held = _hold_out(tokens)
        windows, test = (Windows(part, vocabulary, options["window"]) for part in (tokens, held))
        stretches = np.arange(size, dtype="int32") // max(1, min(STRETCH, size // 50))
        return Dataset(
            name=dataset.name,
            train=Split(windows),
            test=Split(test) if len(held) else None,
            origin=dataset.origin,
            report=(*dataset.report, report, f"test: {len(held):,} windows from all parts of the text, held out"),
            groups=stretches,
        )

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        return Thinning(options, seed)

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
        measures, table = measure(model, own.transform(split.x))
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
