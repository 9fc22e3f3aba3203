"""Median home values of 506 census tracts near Boston, with 13 numeric columns.

The target MEDV is in units of 1,000 US dollars and is capped at 50, which 16 tracts reach. The file calls
RN what the paper calls RM, the mean number of rooms. There is no standard test split.

**Source:** D. Harrison, D. Rubinfeld, *Hedonic housing prices and the demand for clean air*, 1978.

**Weakness:** column B encodes the share of Black residents by a formula of the authors, for which
scikit-learn removed the set. Use it to repeat published numbers, never as a model of good practice.
"""

from maquette.data.dataset import Card, Dataset, File

CARD = Card(
    title="Boston housing (column B encodes race: not a model of good practice)",
    task="tabular-regression",
    source="D. Harrison, D. Rubinfeld, 1978; StatLib",
    licence="none stated; distributed freely since 1978",
    counts={"train": 506},
    shape=(13,),
    files=(
        File(
            "BostonHousing.csv",
            "d75e8d53930d5d82ab5e51f8277bec624bfe936e1969239c76de0bb284ad0bfd",
            "https://raw.githubusercontent.com/eclairsameal/learn_ml_use_boston_data/"
            "8edc11d4f62f70c3ccb92fcd892542794faa1d94/BostonHousing.csv",
        ),
    ),
)


def read() -> Dataset:
    """Return the Dataset: 13 float64 columns of 506 rows, y float32 (506,) in 1,000 US dollars, train only.

    Raises InputError naming a file that is missing or altered.
    """
    from maquette.data.readers.tables import read_set

    return read_set("boston_housing", CARD, "MEDV")
