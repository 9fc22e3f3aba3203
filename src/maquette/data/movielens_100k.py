"""100,000 ratings, 1 to 5, of 1,682 films by 943 people, in the five published folds u1 to u5.

An item is named by its title, and by its number as well where two items have one title. Every rating is in the test
part of one fold: without `inputs.fold` a run of seed s is scored on fold 1 + s mod 5, so that five seeds are the
five-fold cross-validation. Folds 1 and 2 hold out many ratings of few users and are harder than the others.

**Source:** F. M. Harper, J. A. Konstan, *The MovieLens datasets: history and context*, 2015.

**Weakness:** for research only, not to be passed on; films of 1998 and before; everyone has rated 20 films or more.
"""

import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Card, File, Split
from maquette.data.ratings import Ratings
from maquette.errors import InputError

FOLDS = (1, 2, 3, 4, 5)
_PACKED = File("ml-100k.zip", "d24d01ba94a2865142a8a79b978e8d385bf69122bb884b4f0264b275ca796406")
_PUBLISHED = File(
    "ml-100k.zip",
    "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
)

CARD = Card(
    title="MovieLens 100k",
    task="recommendation",
    source="GroupLens Research, University of Minnesota, 1998",
    licence="research only, no redistribution, no commercial use without permission: see the README in the archive",
    counts={"train": 100_000},
    shape=(2,),
    files=(_PACKED,),
)


def read() -> Ratings:
    """Return the Ratings: the columns user, item (titles), rating and time of 100,000 rows, and their folds.

    The archive is the one that GroupLens publishes, which is downloaded if it is absent, or one packed anew from it.
    Raises InputError naming a file that is missing, altered or damaged.
    """
    from maquette.data.source import describe, locate

    try:
        paths = locate("movielens_100k", (_PACKED,))
    except InputError:
        paths = locate("movielens_100k", (_PUBLISHED,))
    table, folds, titles = _read_archive(paths["ml-100k.zip"])
    y = table[:, 2].astype(np.float32)
    x = {"user": table[:, 0].astype(str), "item": titles[table[:, 1] - 1], "rating": y}
    x["time"] = table[:, 3].astype(np.float64)
    users = tuple(str(number) for number in range(1, int(table[:, 0].max()) + 1))
    own: dict[str, Any] = {"users": users, "items": tuple(titles.tolist()), "folds": folds}
    report = (f"{len(y)} ratings by {len(users)} users of {len(titles)} items",)
    return Ratings("movielens_100k", Split(x, y), target="rating", origin=describe(paths), report=report, **own)


def _read_archive(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratings (n, 4) of user, item, rating and time; the fold of each (n,); the titles (items,)."""
    try:
        with zipfile.ZipFile(path) as archive:
            table = _table(archive, "u.data")
            parts = [_table(archive, f"u{fold}.test") for fold in FOLDS]
            lines = archive.read("ml-100k/u.item").decode("latin-1").splitlines()
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); replace it") from error
    fold_of = {(row[0], row[1]): fold for fold, part in zip(FOLDS, parts) for row in part.tolist()}
    folds = np.array([fold_of[user, item] for user, item, *_ in table.tolist()], np.int32)
    return table, folds, _titles([line.split("|")[1] for line in lines])


def _table(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    return np.loadtxt(io.BytesIO(archive.read(f"ml-100k/{name}")), np.int64, delimiter="\t")


def _titles(titles: list[str]) -> np.ndarray:
    often = Counter(titles)
    return np.array([f"{title} #{i}" if often[title] > 1 else title for i, title in enumerate(titles, 1)])
