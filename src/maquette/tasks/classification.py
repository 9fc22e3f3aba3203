"""What image and tabular classification share: metrics and answers of a model that gives class probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.tasks import classification_figures
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import Measure, bootstrap, mean_of, wilson
from maquette.tasks.task import Scored, Task

TINY = 1e-15  # the log loss counts no probability below it, nor one above 1 - TINY


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
            "log_loss": mean_of(-np.log(counted(outputs)[np.arange(n), truth])),
            "calibration_error": bootstrap(lambda rows: calibration_error(confidence[rows], correct[rows]), n, 100),
            "macro_f1": Measure(float(np.mean([row["f1"] for row in per_class(truth, answer, dataset.classes)]))),
            **prior_predictor(truth),
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


def counted(p: np.ndarray) -> np.ndarray:
    """p (n, classes) as the log loss counts it: rows divided by their sums, then kept within 1e-15 of 0 and 1.

    Source: Kaggle, metric "Multi Class Log Loss", -1/N sum_i sum_c y_ic log p_ic.
    """
    p = np.asarray(p, "float64")
    return np.clip(p / np.maximum(p.sum(axis=1, keepdims=True), TINY), TINY, 1 - TINY)


def prior_predictor(truth: np.ndarray) -> dict[str, Measure]:
    """What the best constant answer, the shares p_c of the classes, would score on these items.

    accuracy max_c p_c, log loss -sum_c p_c log p_c. A model that is no better than this has learnt nothing.
    """
    shares = np.unique(truth, return_counts=True)[1] / max(len(truth), 1)
    return {
        "prior_accuracy": Measure(float(shares.max(initial=0.0))),
        "prior_log_loss": Measure(float(-np.sum(shares * np.log(shares)))),
    }


def balanced(y: np.ndarray) -> np.ndarray:
    """Weights of items by which every class counts alike, with mean 1: n / (classes n_c), float32 (n,).

    Source: King, Zeng (2001), "Logistic regression in rare events data", section 4.2.
    """
    classes, index, counts = np.unique(y, return_inverse=True, return_counts=True)
    return (len(y) / (len(classes) * counts))[index].astype("float32")


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
