"""Text classification: a text in, one of several classes out.

Data     a built-in set; a CSV, TSV or Parquet table with a column of texts and one of labels; or a folder of text files
         (.txt, .text, .md, .rst) for each class, alone or under train/ and test/
Options  text, target: of a table, the columns of texts and of labels; length: words of a text that are read, at most;
         min_count: training words that occur less often are left out; vocabulary: words, at most; fold: of a set with
         published folds, counted from 1; by default a run of seed s takes fold 1 + s mod folds
         vectors: word vectors that the model starts from, a file of GloVe's or word2vec's forms, here or below
         $MAQUETTE_DATA, or a run of word-vectors; needed when training starts, and no more afterwards
Metrics  accuracy and error with Wilson intervals, log loss, expected calibration error, precision, recall, F1
         prior_accuracy and prior_log_loss, what answering the shares of the classes alone would reach
Answer   the three most probable classes of each text: a text file is one text, a row of a table another
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from maquette.data.dataset import Dataset, Split
from maquette.data.readers.documents import TABLES, find_documents, whole
from maquette.data.readers.labelled_texts import read_labelled
from maquette.errors import InputError
from maquette.tasks.classification import Classification
from maquette.tasks.task import Scored
from maquette.tasks.text_encoder import TextEncoder

Count = Annotated[int, Field(ge=1)]
SHOWN, WORST = 80, 10  # letters of a text in a table, and texts


class TextClassification(Classification):
    """Items are texts: Python strings (n,)."""

    name = "text-classification"
    reads_a_file = True
    options = {
        **{"text": "text", "target": "label", "length": 500, "min_count": 2, "vocabulary": 50_000},
        **{"fold": None, "vectors": ""},
    }
    option_types = {
        **{"text": str, "target": str, "length": Count, "min_count": Count, "vocabulary": Count},
        **{"fold": int | None, "vectors": str},
    }

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        return read_labelled(path, options["text"], options["target"] or "label")

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        if dataset.folds is not None:
            return dataset.with_fold(options["fold"] or 1 + options["seed"] % int(dataset.folds.max()))
        if options["fold"] is not None:
            raise InputError(f"inputs.fold={options['fold']}: {dataset.name} has no folds; leave it out")
        return dataset

    def encoder(self, options: Mapping[str, Any]) -> TextEncoder:
        given = {name: options[name] for name in ("length", "min_count", "vectors")}
        return TextEncoder(**given, most=options["vocabulary"], column=options["text"])

    def restore(self, text: str) -> TextEncoder:
        return TextEncoder.from_json(text)

    def start(self, model: Any, pipeline: Any) -> None:
        epochs, frozen = pipeline.recipe.epochs, getattr(model, "frozen", False)
        if not isinstance(frozen, bool) and frozen and not 0 < frozen < epochs:
            raise InputError(f"model.frozen={frozen}: the run has {epochs} epochs; give fewer, or true for all of them")
        rows = pipeline.encoder.rows
        if rows is None:
            return
        if not hasattr(model, "start_from"):
            raise InputError(f"inputs.vectors: {pipeline.recipe.page} starts from no word vectors; leave it out")
        model.start_from(rows, pipeline.encoder.transform(pipeline.dataset.train.x))

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        scored = super().score(model, split, outputs, dataset)
        scored.tables["most_wrong"] = wrongest(split, outputs, dataset.classes)
        return scored

    def read_inputs(self, paths: Sequence[Path], encoder: TextEncoder, shape: Sequence[int]) -> Split:
        found = [item for path in paths for item in _texts(path, encoder.column)]
        names, texts = zip(*found, strict=True)
        return Split(np.array(texts, object), None, names)


def wrongest(split: Split, outputs: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    """The texts whose true class was given the least probability, where another was answered."""
    truth, rows = np.asarray(split.y), np.arange(len(split))
    own = outputs[rows, truth]
    order = [i for i in np.argsort(own, kind="stable") if outputs[i].argmax() != truth[i]][:WORST]
    names = split.names or tuple(f"text {i}" for i in rows + 1)
    return [
        {"text": names[i], "class": classes[truth[i]], "probability": float(own[i])}
        | {"answer": classes[outputs[i].argmax()], "begins": " ".join(split.x[i][: 4 * SHOWN].split())[:SHOWN]}
        for i in order
    ]


def _texts(path: Path, column: str) -> list[tuple[str, str]]:
    if path.is_dir():
        return [(str(path / name), text) for name, text in find_documents(path)]
    if path.suffix.lower() in TABLES:
        return [(f"{path}: {name}", text) for name, text in find_documents(path, column)]
    return [(str(path), whole(path))]


TASK = TextClassification()
