"""Clustering: items in, the number of a group for each; labels, where the data has them, only score the result.

Data     a built-in set, or a folder of pictures in a folder per class (the classes are not shown to the model)
Options  size and standardise, as for image classification
Metrics  normalised mutual information and adjusted Rand index against the labels, inertia per item
Answer   the group of each picture
"""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.tasks.classification_figures import MOST_CLASSES, shaded_counts
from maquette.tasks.figure import WIDTH, Figure, canvas, finish, label, pictures, pictures_height
from maquette.tasks.image_classification import ImageClassification
from maquette.tasks.intervals import bootstrap
from maquette.tasks.task import Scored


class Clustering(ImageClassification):
    """Outputs are group numbers: (n,)."""

    name = "clustering"
    headline = "nmi"
    higher_is_better = True

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        return {}

    def metrics(self) -> list[Any]:
        return []

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

        truth, n = np.asarray(split.y), len(outputs)
        measures = {
            "nmi": bootstrap(lambda rows: float(normalized_mutual_info_score(truth[rows], outputs[rows])), n, 100),
            "adjusted_rand": bootstrap(lambda rows: float(adjusted_rand_score(truth[rows], outputs[rows])), n, 100),
        }
        return Scored(split, outputs, measures)

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        if not len(scored.outputs):
            return []
        table = contingency(scored, len(dataset.classes))
        figures = [_groups(scored, dataset, table)] if np.asarray(scored.split.x).ndim == 4 else []
        return [*figures, _table(scored, dataset, table)] if max(table.shape) <= MOST_CLASSES else figures

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        return [{"input": name, "group": int(group)} for name, group in zip(split.names, outputs, strict=True)]


def contingency(scored: Scored, classes: int) -> np.ndarray:
    """Items of each class (rows) by the group they are in (columns), groups without items left out."""
    truth = np.asarray(scored.split.y)
    return np.stack([np.bincount(truth[scored.outputs == g], minlength=classes) for g in np.unique(scored.outputs)], 1)


def _groups(scored: Scored, dataset: Dataset, table: np.ndarray) -> Figure:
    columns, x = 5, np.asarray(scored.split.x)
    groups = np.unique(scored.outputs)
    means = np.stack([x[scored.outputs == group].mean(axis=0) / 255 for group in groups])
    most, share = table.argmax(axis=0), table.max(axis=0) / table.sum(axis=0)
    sizes = table.sum(axis=0)
    texts = [
        f"{group}: {n} items\n{100 * p:.0f} % {label(dataset.classes[k], 9)}"
        for group, n, k, p in zip(groups, sizes, most, share)
    ]
    picture, axes = canvas(WIDTH, pictures_height(means, columns, 2))
    pictures(axes, means, columns, texts, lines=2)
    caption = "Mean picture of each group, its number, the count of its members, and the class that most of them have."
    return finish(picture, "groups", "Groups", caption)


def _table(scored: Scored, dataset: Dataset, table: np.ndarray) -> Figure:
    # Groups have no order of their own: each comes beside the class that most of its members have.
    order = np.lexsort((-table.max(axis=0), table.argmax(axis=0)))
    picture, axes = shaded_counts(table[:, order], dataset.classes, [str(g) for g in np.unique(scored.outputs)[order]])
    axes.set(xlabel="group", ylabel="class")
    caption = f"Items of each class in each group: {table.shape[1]} groups, ordered by the class that prevails in them."
    return finish(picture, "classes-in-groups", "Classes in groups", caption)


TASK = Clustering()
