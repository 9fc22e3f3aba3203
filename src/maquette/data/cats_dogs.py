"""Photographs of 300 cats and 300 dogs, from 75 to 500 pixels a side.

They come out resized to the size that is asked for, or to the median size. The test split is a stratified 30 %,
fixed by seed 0: there is no standard one.

**Source:** J. Elson et al., *Asirra: a CAPTCHA that exploits interest-aligned manual image categorization*, 2007; the
training pictures of Kaggle's "Dogs vs. Cats", numbers 4001 to 4499.

**Weakness:** 180 test pictures, so that an accuracy of 95 % has an interval of 6 points.
"""

from maquette.data.dataset import Card, Dataset, File

CARD = Card(
    title="Cats and dogs (600 photographs of different sizes)",
    task="image-classification",
    source="Asirra (Microsoft Research, Petfinder), 2007, by way of Kaggle",
    licence="none stated; Asirra allowed research use",
    counts={"train": 420, "test": 180},
    shape=(374, 452, 3),
    files=(File("cats_dogs.zip", "8aaa834449d740fc531e3c8d17040abf902d4c2ebd8a1909ba58f0be1cc4d0e6"),),
)


def read(size: int | None = None) -> Dataset:
    """Return the Dataset: x uint8 (n, size, size, 3) or of the median size, y int32 (n,), a fixed test split.

    Raises InputError naming a file that is missing, altered or damaged.
    """
    from maquette.data.readers.images import read_archive

    return read_archive("cats_dogs", CARD, size).with_test(0.3, seed=0)
