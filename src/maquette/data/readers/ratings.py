"""Reads ratings, CSV or Parquet: a row per rating with the columns user, item, rating and, if there is one, time.

Ids are kept as text, whether they are numbers or names. Rows are counted from 1 below the header.
"""

from pathlib import Path
from typing import Any

import numpy as np

from maquette.data import near
from maquette.data.dataset import Columns, Split
from maquette.data.ratings import Ratings
from maquette.data.readers.tables import read_columns
from maquette.data.tables import is_number, parse_number
from maquette.errors import InputError

KEYS = ("user", "item", "rating", "time")
MOST_LEVELS = 10  # that are counted one by one


def read_ratings(path: str | Path, names: dict[str, Any] | None = None, low: Any = None, high: Any = None) -> Ratings:
    """Read the file `path` as Ratings with a training split only.

    Args:
        path: a CSV or Parquet file.
        names: what the file calls the columns user, item, rating and time, where it is not that. Without a rating, '',
            every row is a 1 on a scale from 0 to 1: who has taken what.
        low, high: the ends of the scale; by default the lowest and the highest rating of the file.

    Raises:
        InputError: naming the file and the row or column, for a column or id that is missing, a rating or time that is
            none, a rating outside of the scale, a pair of user and item that is rated twice, and ratings that are all
            alike.
    """
    names = {key: key for key in KEYS} | (names or {})
    columns = read_columns(path, text=(names["user"], names["item"]))
    x = _pairs(path, names, columns)
    if names["rating"]:
        y = _numbers(path, names["rating"], columns[_present(path, names, "rating", columns)])
        scale = (float(y.min()) if low is None else low, float(y.max()) if high is None else high)
    else:
        y, scale = np.ones(len(x["user"])), (0.0, 1.0)
    _check_scale(path, names["rating"], y, *scale)
    _check_pairs(path, x)
    x["rating"] = y = y.astype(np.float32)
    if names["time"] in columns or names["time"] not in ("time", ""):
        x["time"] = _times(path, names["time"], columns[_present(path, names, "time", columns)])
    split = Split(x, y, tuple(f"row {row}" for row in range(1, len(y) + 1)))
    users, items = (tuple(dict.fromkeys(x[key].tolist())) for key in ("user", "item"))
    report = tuple(_report(y, users, items))
    own: dict[str, Any] = {"users": users, "items": items, "scale": scale}
    return Ratings(Path(path).stem, split, target="rating", origin=str(path), report=report, **own)


def read_pairs(path: str | Path, names: dict[str, str]) -> Columns:
    """Read who and what of every row of `path`, as the columns user and item; raises InputError as `read_ratings`."""
    return _pairs(path, names, read_columns(path, text=(names["user"], names["item"])))


def _pairs(path: Any, names: dict[str, Any], columns: Columns) -> Columns:
    found = {key: columns[_present(path, names, key, columns)] for key in ("user", "item")}
    for key, values in found.items():
        lacking = values == ""
        if lacking.any():
            row = int(np.argmax(lacking)) + 1
            raise InputError(f"{path}: row {row} has no {names[key]} ({lacking.sum()} in all); fill in or remove it")
    return found


def _present(path: Any, names: dict[str, Any], key: str, columns: Columns) -> str:
    if names[key] not in columns:
        remedy = near(names[key], columns)
        raise InputError(
            f"{path}: there is no column '{names[key]}' for the {key}: --set inputs.{key}=COLUMN, {remedy}"
        )
    return str(names[key])


def _numbers(path: Any, name: str, values: np.ndarray) -> np.ndarray:
    if not is_number(values):
        wrong = next(row for row, cell in enumerate(values.tolist()) if parse_number(cell) is None)
        raise InputError(f"{path}: row {wrong + 1}, column '{name}': '{values[wrong]}' is not a number; correct it")
    lacking = np.isnan(values)
    if lacking.any():
        row = int(np.argmax(lacking)) + 1
        raise InputError(f"{path}: row {row} has no {name} ({lacking.sum()} in all); fill in or remove the row")
    return values


def _times(path: Any, name: str, values: np.ndarray) -> np.ndarray:
    if is_number(values):
        return _numbers(path, name, values)
    try:
        return np.array(values, "datetime64[s]").astype("float64")
    except ValueError:
        reason = "write seconds, or dates such as 2024-05-31 12:00:00"
        raise InputError(f"{path}: column '{name}' holds neither numbers nor dates; {reason}") from None


def _check_scale(path: Any, name: str, rating: np.ndarray, low: float, high: float) -> None:
    wrong = (rating < low) | (rating > high)
    if wrong.any():
        row = int(np.argmax(wrong))
        ends = f"outside of the scale from {low:g} to {high:g}"
        raise InputError(f"{path}: row {row + 1}, column '{name}': {rating[row]:g} is {ends}; correct it or the scale")
    if low >= high:
        remedy = "give both ends, --set inputs.low=... inputs.high=..., or --set inputs.rating='' for who took what"
        raise InputError(f"{path}: every {name} is {low:g}, so that the scale is unknown: {remedy}")


def _check_pairs(path: Any, columns: Columns) -> None:
    first: dict[tuple[str, str], int] = {}
    for row, pair in enumerate(zip(columns["user"].tolist(), columns["item"].tolist()), 1):
        if first.setdefault(pair, row) != row:
            fault = f"row {row} rates item '{pair[1]}' by user '{pair[0]}' again after row {first[pair]}"
            raise InputError(f"{path}: {fault}; keep one of them")


def _report(y: np.ndarray, users: tuple[str, ...], items: tuple[str, ...]) -> Any:
    yield f"{len(y)} ratings by {len(users)} users of {len(items)} items"
    levels, counts = np.unique(y, return_counts=True)
    if len(levels) <= MOST_LEVELS:
        yield "ratings of " + ", ".join(f"{level:g}: {count}" for level, count in zip(levels, counts))
    yield f"{len(y) / len(users) / len(items):.2%} of all pairs are rated"
