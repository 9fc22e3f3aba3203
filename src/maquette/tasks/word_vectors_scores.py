"""How good word vectors are: held-out loss, lists that people scored, and a picture of the most frequent words."""

from pathlib import Path
from typing import Any

import numpy as np

from maquette.data import word_eval
from maquette.methods.word_vectors.evaluation import evaluate_analogies, evaluate_pairs
from maquette.methods.word_vectors.vectors import WordVectors
from maquette.tasks.figure import WIDTH, Figure, canvas, finish, label
from maquette.tasks.intervals import Measure, mean_of, wilson

BATCH = 100  # windows or cells whose mean loss is one value
LEAST = 30  # known pairs or questions below which a list says nothing
DRAWN = 60  # words


def measure(
    model: Any, rows: np.ndarray, y: np.ndarray | None = None
) -> tuple[dict[str, Measure], list[dict[str, Any]]]:
    """The measures of a model, and a row per list: rows int32 (windows, 1 + 2 reach), or (cells, 2) and counts y."""
    parts = [slice(i, i + BATCH) for i in range(0, len(rows), BATCH)]
    samples = [(rows[part], None if y is None else y[part]) for part in parts if rows[part, 1:].any()]
    losses = [float(model.compute_loss(x, of, model(x), training=False)) for x, of in samples]
    measures = {"loss": mean_of(losses)} if losses else {}
    folder = word_eval.folder()
    table = lists(WordVectors(tuple(model.words), model.vectors()), folder) if folder else []
    for row in (row for row in table if row["known"] >= LEAST):
        right = row["score"] * row["known"]
        measures[row["list"]] = (
            wilson(round(right), row["known"]) if row["list"] == "analogy" else Measure(row["score"])
        )
    return measures, table


def lists(vectors: WordVectors, folder: Path) -> list[dict[str, Any]]:
    """Score and coverage of each list."""
    rows = []
    for name, pairs in word_eval.pairs(folder).items():
        rho, known, total = evaluate_pairs(vectors, pairs)
        rows.append({"list": name, "score": rho, "known": known, "of": total})
    right, known, total = evaluate_analogies(vectors, word_eval.analogies(folder))
    return [*rows, {"list": "analogy", "score": right / known if known else float("nan"), "known": known, "of": total}]


def picture(model: Any) -> Figure:
    """The most frequent words on the two main axes of their vectors."""
    from maquette.methods.word_vectors.projection import project

    words = model.words[:DRAWN]
    vectors = WordVectors(tuple(words), model.vectors()[:DRAWN])
    places = project(vectors.unit, "pca")
    drawing, axes = canvas(WIDTH, WIDTH)
    axes.plot(*places.T, ".", markersize=2, alpha=0.4)
    for word, (x, y) in zip(words, places, strict=True):
        axes.text(x, y, label(word), fontsize=8)
    axes.set(xticks=[], yticks=[])
    caption = f"The {len(words)} most frequent words on the two main axes of their vectors at length one."
    return finish(drawing, "words", "Words", caption)
