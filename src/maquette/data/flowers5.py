"""Photographs of five kinds of flowers, 150 of each, 227 by 227 pixels.

Daisy, dandelion, rose, sunflower and tulip. The test split is a stratified 30 %, fixed by seed 0: there is no standard
one.

**Source:** A. Mamaev, *Flowers Recognition*, Kaggle, 2018; an even selection of 750 of 4,064 pictures, resized by
J. Oscarsson, exact copies removed.

**Weakness:** small, collected by search words, and some labels are wrong.
"""

from maquette.data.dataset import Card, Dataset, File

CARD = Card(
    title="Flowers of five classes (750 photographs)",
    task="image-classification",
    source="A. Mamaev, Kaggle, 2018, from Flickr and other sites",
    licence="none stated; the photographs belong to their authors (mixed Creative Commons)",
    counts={"train": 525, "test": 225},
    shape=(227, 227, 3),
    files=(File("flowers_227_subset.zip", "cdb7dd6d6e9187a37954c86ef99dcacaed7713d2cde0ce53e6ff5c135575e8dd"),),
)


def read(size: int | None = None) -> Dataset:
    """Return the Dataset: x uint8 (n, 227, 227, 3) or (n, size, size, 3), y int32 (n,), a fixed test split.

    Raises InputError naming a file that is missing, altered or damaged.
    """
    from maquette.data.readers.images import read_archive

    return read_archive("flowers5", CARD, size).with_test(0.3, seed=0)
