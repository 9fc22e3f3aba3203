"""Wine: thirteen chemical measurements of 178 wines from three growers; bundled, no network.

**Source:** M. Forina et al., *PARVUS*, 1988; UCI repository, 1991; the copy in scikit-learn.
"""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Wine recognition",
    task="tabular-classification",
    source="Forina et al. (1988), UCI repository; the copy in scikit-learn",
    licence="CC BY 4.0 (UCI repository)",
    counts={"train": 178},
    shape=(13,),
)


def read() -> Dataset:
    """Columns in their original units, the grower y int32 (178,); no test split of its own."""
    from sklearn.datasets import load_wine

    table = load_wine()
    columns = {name: table.data[:, i].astype("float64") for i, name in enumerate(table.feature_names)}
    train = Split(columns, table.target.astype(np.int32))
    classes = tuple(f"grower {k}" for k in range(3))
    return Dataset("wine", train, classes=classes, features=tuple(columns), target="grower", origin="scikit-learn")
