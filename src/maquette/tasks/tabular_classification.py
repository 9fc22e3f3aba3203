"""Tabular classification: a row of numbers and categories in, one of several classes out.

Data     a built-in set, or a CSV or Parquet table with the class in a named column
Options  target: the column with the class
Metrics  accuracy and error with Wilson intervals, log loss, expected calibration error, precision, recall, F1
Answer   the three most probable classes of each row
"""

from maquette.tasks.classification import Classification
from maquette.tasks.tabular import Tabular


class TabularClassification(Tabular, Classification):
    """Items are rows of a table, targets are classes."""

    name = "tabular-classification"


TASK = TabularClassification()
