"""Diabetes: ten measurements of 442 patients and the progression of the disease a year later; bundled, no network.

**Source:** B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, *Least angle regression*, 2004; the copy in scikit-learn.
"""

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Diabetes progression",
    task="tabular-regression",
    source="Efron, Hastie, Johnstone, Tibshirani (2004); the copy in scikit-learn",
    licence="public, as stated by its authors",
    counts={"train": 442},
    shape=(10,),
)


def read() -> Dataset:
    """Columns in their original units, target `progression` float32 (442,); no test split of its own."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    columns = {name: table.data[:, i].astype("float64") for i, name in enumerate(table.feature_names)}
    train = Split(columns, table.target.astype("float32"))
    origin = "scikit-learn"
    return Dataset("diabetes", train, features=tuple(columns), target="progression", origin=origin)
