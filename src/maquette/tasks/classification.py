"""What image and tabular classification share: metrics and answers of a model that gives class probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.tasks import classification_figures
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import Measure, bootstrap, mean_of, wilson
from maquette.tasks.task import Scored, Task

TINY = 1e-12  # the smallest probability that the log loss counts


class Classification(Task):
    """Outputs are class probabilities: (n, classes)."""

    headline = "error"

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        return {"classes": len(dataset.classes)}

    def metrics(self) -> list[Any]:
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        truth, answer = np.asarray(split.y), outputs.argmax(axis=1)
        correct = answer == truth
        right, n = int(correct.sum()), len(truth)
        confidence = outputs.max(axis=1)
        measures = {
            "accuracy": wilson(right, n),
            "error": wilson(n - right, n),
            "log_loss": mean_of(-np.log(np.maximum(outputs[np.arange(n), truth], TINY))),
            "calibration_error": bootstrap(lambda rows: calibration_error(confidence[rows], correct[rows]), n, 100),
            "macro_f1": Measure(float(np.mean([row["f1"] for row in per_class(truth, answer, dataset.classes)]))),
        }
        return Scored(split, outputs, measures, {"classes": per_class(truth, answer, dataset.classes)})

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        return classification_figures.draw(scored, dataset)

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        rows = []
        for name, p in zip(split.names, outputs, strict=True):
            top = np.argsort(-p, kind="stable")[:3]
            rows.append(
                {
                    "input": name,
                    "class": dataset.classes[top[0]],
                    "probability": float(p[top[0]]),
                    "next": {dataset.classes[k]: float(p[k]) for k in top[1:]},
                }
            )
        return rows


def per_class(truth: np.ndarray, answer: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall and F1 of each class; a class that is never answered has precision 0."""
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(truth, answer, labels=range(len(classes)), zero_division=0)
    rows = zip(classes, *columns, strict=True)
    return [
        {"class": name, "precision": float(p), "recall": float(r), "f1": float(f), "items": int(n)}
        for name, p, r, f, n in rows
    ]


def calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: sum_b (n_b / n) |accuracy_b - confidence_b| over bins of equal width.

    Source: Guo et al. (2017), "On calibration of modern neural networks", equation 3.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(place, weights=correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))
