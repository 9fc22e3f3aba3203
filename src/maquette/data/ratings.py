"""Ratings of items by users: the splits that suit them, and ids as numbers."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from maquette.data import near
from maquette.data.dataset import Columns, Dataset
from maquette.errors import InputError

HOLDOUTS = ("random", "time", "leave-one-out")


@dataclass(frozen=True, eq=False)
class Ratings(Dataset):
    """A data set of ratings: x holds the columns user and item (text), rating and maybe time, y the rating.

    `users` and `items` name all there are, `scale` is the lowest and the highest rating. `holdout` says what `split`
    takes off: ratings at random, the latest ones, or each user's latest one. An item rated `relevant` or more counts as
    liked, and lists of `top` items are recommended.
    """

    users: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    scale: tuple[float, float] = (1.0, 5.0)
    holdout: Literal["random", "time", "leave-one-out"] = "random"
    relevant: float = 4.0
    top: int = 10

    def split(self, fraction: float, part: str, seed: int = 0, stratify: bool = True) -> Dataset:
        """Return the data set with a part taken off as `holdout` says; see `Dataset.split`.

        Leaving one out takes the latest rating of every user that has two or more, whatever the fraction, unless it
        is 0; without times it takes one by `seed`. Raises InputError besides for a split by time without times.
        """
        if self.holdout == "random":
            return super().split(fraction, part, seed, stratify)
        self._check_part(fraction, part)
        if fraction == 0:
            return self
        taken = self._latest(fraction) if self.holdout == "time" else self._last_of_each(seed)
        self._check_choice(taken, part, fraction)
        line = f"{part}: {taken.sum()} of {len(taken)} training ratings, taken off by {self.holdout}"
        splits: dict[str, Any] = {"train": self.train.take(~taken), part: self.train.take(taken)}
        return replace(self, **splits, report=(*self.report, line))

    def _latest(self, fraction: float) -> np.ndarray:
        if "time" not in self.train.x:
            raise InputError(f"inputs.split=time: {self.name} has no time; name its column, or split at random")
        taken = np.zeros(len(self.train), bool)
        taken[np.argsort(self.train.x["time"], kind="stable")[len(taken) - round(fraction * len(taken)) :]] = True
        return taken

    def _last_of_each(self, seed: int) -> np.ndarray:
        count = len(self.train)
        time = self.train.x.get("time", np.random.default_rng(seed).permutation(count))
        user = np.unique(self.train.x["user"], return_inverse=True)[1]
        order = np.lexsort((time, user))
        last = np.append(np.diff(user[order]) > 0, True)
        taken = np.zeros(count, bool)
        taken[order[last]] = True
        return taken & (np.bincount(user)[user] > 1)


class RatingEncoder:
    """The user's and the item's number, counted from 1 in the order of `users` and `items`; 0 for one not seen."""

    def __init__(self, user: str = "user", item: str = "item") -> None:
        self.names = (user, item)  # of the columns in the user's own files
        self.users: tuple[str, ...] = ()
        self.items: tuple[str, ...] = ()
        self.rated = np.zeros((0, 2), np.int32)  # numbers of user and item of every training rating
        self.ratings = np.zeros(0, np.float32)

    def fit(self, columns: Columns) -> RatingEncoder:
        """Learn the ids, and keep who has rated what; returns self."""
        self.users, self.items = (tuple(dict.fromkeys(columns[name].tolist())) for name in ("user", "item"))
        self._number()
        self.rated = self.transform(columns).astype(np.int32)
        self.ratings = np.asarray(columns["rating"], np.float32)
        return self

    def _number(self) -> None:
        self.numbers = [{name: i for i, name in enumerate(known, 1)} for known in (self.users, self.items)]

    def transform(self, columns: Columns) -> np.ndarray:
        """Return float32 (n, 2), numbers of user and item; raises InputError naming a missing column."""
        for name, own in zip(("user", "item"), self.names):
            if name not in columns:
                raise InputError(f"column '{own}' is missing: {near(own, columns)}")
        pairs = [
            [number.get(name, 0) for name in columns[key].tolist()]
            for key, number in zip(("user", "item"), self.numbers)
        ]
        return np.array(pairs, np.float32).reshape(2, -1).T

    def history(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        """The items (n,) that a user has rated in training, and the ratings (n,)."""
        own = self.rated[:, 0] == user
        return self.rated[own, 1], self.ratings[own]

    def to_json(self) -> str:
        """Return the ids and the training ratings as JSON text."""
        parts = {"users": self.users, "items": self.items, "names": self.names}
        return json.dumps({**parts, "rated": _packed(self.rated), "ratings": _packed(self.ratings)})

    @classmethod
    def from_json(cls, text: str) -> RatingEncoder:
        """Return the RatingEncoder that `to_json` wrote; raises InputError for other text."""
        try:
            state = json.loads(text)
            encoder = cls(*state["names"])
            encoder.users, encoder.items = tuple(state["users"]), tuple(state["items"])
            encoder.rated = _unpacked(state["rated"], np.int32).reshape(-1, 2)
            encoder.ratings = _unpacked(state["ratings"], np.float32)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise InputError(f"not a saved encoder of ratings ({error}): use the run's own file") from error
        encoder._number()
        return encoder


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes())).decode()


def _unpacked(text: str, kind: Any) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind)
