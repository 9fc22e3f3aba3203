"""Movie reviews: 1,000 in favour of a film and 1,000 against it, in the ten folds of their authors.

The classes come from the stars that the writers gave, which were taken out of the texts. These are in lower case, with
blanks around each mark. Fold k holds the hundred files of each class numbered from 100 (k - 1) on. Without
`inputs.fold` a run of seed s is scored on fold 1 + s mod 10, so that ten seeds are the ten-fold cross-validation of the
paper.
"""

import zipfile

import numpy as np

from maquette.data.dataset import Card, Dataset, File, Split
from maquette.data.source import describe, locate
from maquette.errors import InputError

_NLTK = "https://raw.githubusercontent.com/nltk/nltk_data/5db857e6f7df11eabb5e5665836db9ec8df07e28/packages/corpora/"

CARD = Card(
    title="Movie reviews (polarity, version 2.0)",
    task="text-classification",
    source="Pang, Lee (2004), as packed for NLTK",
    licence="CC BY 4.0",
    counts={"train": 2000},
    shape=(),
    files=(
        File(
            "movie_reviews.zip",
            "a41211ae685019137410268134db6a1a14428c89b671eb83056151a878539008",
            _NLTK + "movie_reviews.zip",
        ),
    ),
)


def read() -> Dataset:
    """Texts x of Python strings (n,), y the class: neg or pos, with the folds; a file's name as the name of each."""
    paths = locate("nltk_corpora", CARD.files)
    (path,) = paths.values()
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".txt"))
            texts = [archive.read(name).decode("latin-1") for name in names]
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{path}: damaged ({error}); replace it") from error
    parts = [name.split("/")[-2:] for name in names]  # such as neg, cv114_19501.txt
    folds = np.array([int(file[2]) + 1 for _, file in parts], np.int32)
    y = np.array([folder == "pos" for folder, _ in parts], np.int32)
    train = Split(np.array(texts, object), y, tuple("/".join(part) for part in parts))
    return Dataset("movie_reviews", train, classes=("neg", "pos"), origin=describe(paths), folds=folds)
