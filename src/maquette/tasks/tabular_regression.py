"""Tabular regression: a row of numbers and categories in, a number out.

The model is trained on the target minus its training mean, divided by its training deviation; every metric and
answer is in the target's own unit.

Data     a built-in set, or a CSV or Parquet table with the number in a named column
Options  target: the column with the number
Metrics  MSE, RMSE, MAE and R2 with bootstrap intervals
Answer   the predicted number of each row
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.tasks import regression_figures
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import bootstrap
from maquette.tasks.tabular import Tabular
from maquette.tasks.task import Scored, Task


class TabularRegression(Tabular, Task):
    """Outputs are predictions: (n,)."""

    name = "tabular-regression"
    headline = "rmse"

    def fit_target(self, dataset: Dataset) -> dict[str, float]:
        y = np.asarray(dataset.train.y, "float64")
        return {"mean": float(y.mean()), "deviation": float(y.std()) or 1.0}

    def encode_target(self, y: np.ndarray | None, target: Mapping[str, float]) -> np.ndarray | None:
        return None if y is None else ((y - target["mean"]) / target["deviation"]).astype("float32")

    def decode_outputs(self, outputs: np.ndarray, target: Mapping[str, float]) -> np.ndarray:
        return outputs.reshape(len(outputs)).astype("float64") * target["deviation"] + target["mean"]

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        truth = np.asarray(split.y, "float64")
        square, distance, n = np.square(truth - outputs), np.abs(truth - outputs), len(truth)
        measures = {
            "rmse": bootstrap(lambda rows: float(np.sqrt(square[rows].mean())), n),
            "mse": bootstrap(lambda rows: float(square[rows].mean()), n),
            "mae": bootstrap(lambda rows: float(distance[rows].mean()), n),
            "r2": bootstrap(lambda rows: _explained(square[rows], truth[rows]), n),
        }
        return Scored(split, outputs, measures)

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        return regression_figures.draw(scored, dataset)

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        key = dataset.target or "prediction"
        return [{"input": name, key: float(value)} for name, value in zip(split.names, outputs, strict=True)]


def _explained(square: np.ndarray, truth: np.ndarray) -> float:
    variance = truth.var()
    return float(1 - square.mean() / variance) if variance > 0 else float("nan")


TASK = TabularRegression()
