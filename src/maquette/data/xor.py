"""The four rows of the truth table of exclusive or, the smallest problem that no single neuron solves.

The test split is the training split: the table is the whole population, so nothing is left to hold out, and
the score says whether the table was learnt.

**Source:** M. Minsky, S. Papert, *Perceptrons*, 1969.
"""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Truth table of exclusive or (test is train: the table is the whole population)",
    task="tabular-classification",
    source="M. Minsky, S. Papert, 1969",
    licence="none needed",
    counts={"train": 4, "test": 4},
    shape=(2,),
)


def read() -> Dataset:
    """Return the Dataset: columns first and second of zeros and ones, y int32 (4,), the same rows in train and test.

    Raises nothing: the table is written here.
    """
    columns = {"first": np.array([0.0, 0.0, 1.0, 1.0]), "second": np.array([0.0, 1.0, 0.0, 1.0])}
    y = np.array([0, 1, 1, 0], np.int32)
    table = Split(columns, y, ("0 0", "0 1", "1 0", "1 1"))
    report = ("4 rows, the whole table, in train and test alike",)
    return Dataset(
        "xor",
        table,
        test=table,
        classes=("0", "1"),
        features=("first", "second"),
        target="exclusive or",
        origin="the truth table",
        report=report,
    )
