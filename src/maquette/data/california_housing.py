"""Median house values of 20,640 Californian districts in 1990, with 8 numeric columns and one of text.

The target median_house_value is in US dollars and is capped at 500,001. 207 rows lack total_bedrooms, and
ocean_proximity holds one of five texts. There is no standard test split.

**Source:** R. K. Pace, R. Barry, *Sparse spatial autoregressions*, 1997; the missing values and the text
column were added by A. Geron for his book *Hands-on machine learning*.

**Weakness:** neighbouring districts resemble each other, so a random split flatters every model.
"""

from maquette.data.dataset import Card, Dataset, File

CARD = Card(
    title="California housing, 1990 census (target in US dollars)",
    task="tabular-regression",
    source="R. K. Pace, R. Barry, 1997; changed by A. Geron",
    licence="Apache-2.0 (the repository handson-ml2); the original states none",
    counts={"train": 20_640},
    shape=(9,),
    files=(
        File(
            "housing.csv",
            "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e",
            "https://raw.githubusercontent.com/ageron/handson-ml2/"
            "1e2115277b50f6c584cd668fa30e3af309a5b136/datasets/housing/housing.csv",
        ),
    ),
)


def read() -> Dataset:
    """Return the Dataset: 8 float64 columns, one of text, 20,640 rows, y float32 in US dollars, train only.

    Raises InputError naming a file that is missing or altered.
    """
    from maquette.data.readers.tables import read_set

    return read_set("california_housing", CARD, "median_house_value")
