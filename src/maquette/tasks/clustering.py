"""Clustering: items in, the number of a group for each; labels, where the data has them, only score the result.

Data     a built-in set, or a folder of pictures in a folder per class (the classes are not shown to the model)
Options  size and standardise, as for image classification
Metrics  normalised mutual information and adjusted Rand index against the labels, inertia per item
Answer   the group of each picture
"""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.tasks.figure import Figure, canvas, finish
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
        x, groups = scored.split.x, np.unique(scored.outputs)
        picture, axes = canvas(8, 1.4 * -(-len(groups) // 10), nrows=-(-len(groups) // 10), ncols=10, squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        for axis, group in zip(axes.flat, groups, strict=False):
            axis.imshow(x[scored.outputs == group].mean(axis=0).squeeze(), interpolation="nearest")
            axis.set_title(f"{int((scored.outputs == group).sum())}")
        return [finish(picture, "groups", "Groups", "Mean picture of each group, with the number of its members.")]

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        return [{"input": name, "group": int(group)} for name, group in zip(split.names, outputs, strict=True)]


TASK = Clustering()
