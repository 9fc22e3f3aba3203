"""Tabular classification: a row of numbers and categories in, one of several classes out.

Data     a built-in set, or a CSV or Parquet table with the class in a named column
Options  target: the column with the class
Metrics  accuracy and error with Wilson intervals, log loss, expected calibration error, precision, recall, F1
         solved: 1 if every row is answered right, for truth tables
Answer   the three most probable classes of each row
"""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.tasks.classification import Classification
from maquette.tasks.intervals import Measure
from maquette.tasks.tabular import Tabular
from maquette.tasks.task import Scored


class TabularClassification(Tabular, Classification):
    """Items are rows of a table, targets are classes."""

    name = "tabular-classification"

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        scored = super().score(model, split, outputs, dataset)
        scored.measures["solved"] = Measure(float(scored.measures["error"].value == 0))
        return scored


TASK = TabularClassification()
