"""What every data set and every reader returns: splits, a card, and seeded ways to take a part off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from maquette.errors import InputError

Columns = dict[str, np.ndarray]
PARTS = ("validation", "test")


@dataclass(frozen=True)
class File:
    """One original file: its name in the set's folder, sha256 in hex, and public address ('' if unknown)."""

    name: str
    sha256: str
    url: str = ""


@dataclass(frozen=True)
class Card:
    """What a reader must know before using a set.

    `task` is a task name, `counts` the items per split, `shape` the shape of one item (a number of columns
    for a table), `files` the originals that `maquette.data.source.locate` finds or downloads.
    """

    title: str
    task: str
    source: str
    licence: str
    counts: dict[str, int]
    shape: tuple[int, ...]
    files: tuple[File, ...] = ()


@dataclass(frozen=True, eq=False)
class Split:
    """Items and their targets.

    `x` is an array (n, ...) or, for a table, a dict of columns of equal length: float64 with NaN for a
    missing number, or text with '' for a missing cell. `y` is int32 class indices (n,), float32 targets (n,)
    or None. `names` holds a file name or row label per item, or nothing.
    Raises InputError if the lengths disagree.
    """

    x: Any
    y: np.ndarray | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {f"column '{name}'": len(column) for name, column in self._columns().items()}
        lengths |= {} if self.y is None else {"y": len(self.y)}
        lengths |= {"names": len(self.names)} if len(self.names) else {}
        for part, length in lengths.items():
            if length != len(self):
                raise InputError(f"{part} has {length} items where x has {len(self)}: give one per item")

    def _columns(self):
        return self.x if isinstance(self.x, dict) else {}

    def __len__(self) -> int:
        if isinstance(self.x, dict):
            return len(next(iter(self.x.values()), ()))
        return len(self.x)

    def take(self, indices: Any) -> Split:
        """Return the Split of the items at `indices`, ints (m,) in that order or a boolean mask (n,)."""
        indices = np.asarray(indices)
        indices = np.flatnonzero(indices) if indices.dtype == bool else indices.astype(np.intp)
        x = {k: v[indices] for k, v in self.x.items()} if isinstance(self.x, dict) else self.x[indices]
        names = tuple(self.names[i] for i in indices) if len(self.names) else ()
        return Split(x, None if self.y is None else self.y[indices], names)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named set of splits with what is needed to read them.

    `classes` names the class of each index in y, `features` the columns of a table, `target` its target.
    `origin` says where the set was read from, `report` counts what was read, line by line. `groups`, an
    array (n,) over the training split, marks items that must stay together when a part is taken off;
    `folds` (n,) says in which published test part, counted from 1, an item of the training split is.
    """

    name: str
    train: Split
    validation: Split | None = None
    test: Split | None = None
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    target: str = ""
    origin: str = ""
    report: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    folds: np.ndarray | None = None

    def fingerprint(self) -> str:
        """Return a digest of the training and validation items, in hex: equal data in equal order have equal ones."""
        digest = hashlib.sha256()
        for split in filter(None, (self.train, self.validation)):
            parts = split.x if isinstance(split.x, dict) else {"": split.x}
            for name, values in (*parts.items(), ("", split.y)):
                digest.update(f"{name} {getattr(values, 'dtype', '')} {np.shape(values)}".encode())
                digest.update(b"" if values is None else _bytes(values))
        return digest.hexdigest()

    def with_fold(self, fold: int) -> Self:
        """Return the data set whose test split is a published fold, counted from 1; raises InputError for no such."""
        assert self.folds is not None
        count = int(self.folds.max())
        if not 1 <= fold <= count:
            raise InputError(f"inputs.fold={fold}: {self.name} has the folds 1 to {count}")
        taken = self.folds == fold
        line = f"test: {taken.sum()} of {len(taken)} items, fold {fold} of {count}"
        splits: dict[str, Any] = {"train": self.train.take(~taken), "test": self.train.take(taken)}
        return replace(self, **splits, folds=None, report=(*self.report, line))

    def with_test(self, fraction: float, seed: int = 0) -> Dataset:
        """Return a Dataset whose test split is `fraction` of the training items; see `split`."""
        return self.split(fraction, "test", seed)

    def with_validation(self, fraction: float, seed: int = 0) -> Dataset:
        """Return a Dataset whose validation split is `fraction` of the training items; see `split`."""
        return self.split(fraction, "validation", seed)

    def split(self, fraction: float, part: str, seed: int = 0, stratify: bool = True) -> Dataset:
        """Return a Dataset where `part` ('test' or 'validation') has been taken off the training split.

        The choice depends on `seed` and the training split alone; both keep the order of the items. With
        `stratify`, each class gives its share; items of one group stay on one side. A fraction of 0 returns
        the data set unchanged. Raises InputError for a fraction outside [0, 1), a part that exists already,
        a part that would be empty, and a class that would be left without training items.
        """
        self._check_part(fraction, part)
        if fraction == 0:
            return self
        taken = _choose(self.train.y if stratify else None, self.groups, len(self.train), fraction, seed)
        self._check_choice(taken, part, fraction)
        line = f"{part}: {taken.sum()} of {len(taken)} training items, taken off by seed {seed}"
        groups = None if self.groups is None else np.asarray(self.groups)[~taken]
        splits: dict[str, Any] = {"train": self.train.take(~taken), part: self.train.take(taken)}
        return replace(self, **splits, groups=groups, report=(*self.report, line))

    def _check_part(self, fraction, part):
        if part not in PARTS:
            raise InputError(f"part '{part}' of {self.name}: use one of {', '.join(PARTS)}")
        if not 0 <= fraction < 1:
            raise InputError(f"{part} fraction {fraction} of {self.name}: use a number from 0 to below 1")
        if fraction and getattr(self, part) is not None:
            raise InputError(f"{self.name} already has a {part} split: use a {part} fraction of 0")

    def _check_choice(self, taken, part, fraction):
        if not taken.any() or taken.all():
            empty, way = (part, "larger") if not taken.any() else ("train", "smaller")
            raise InputError(
                f"{part} fraction {fraction} of the {len(taken)} items of {self.name} leaves {empty} empty:"
                f" use a {way} fraction or more data"
            )
        if _is_class(self.train.y):
            y: Any = self.train.y
            lost = np.setdiff1d(y, y[~taken])
            if len(lost):
                label = self.classes[lost[0]] if lost[0] < len(self.classes) else lost[0]
                raise InputError(
                    f"{part} fraction {fraction} of {self.name} leaves class '{label}' without training"
                    f" items: use a smaller fraction, another seed or more items of that class"
                )


def _bytes(values: Any) -> Any:
    """What an array holds, not copied; of an array of texts not where they are in memory, but their letters."""
    values = np.ascontiguousarray(values)
    return "\0".join(values).encode() if values.dtype == object else values.reshape(-1).view(np.uint8)


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct labels as a tuple of text, in numeric order where all are numbers."""
    labels = {str(label) for label in labels}
    try:
        return tuple(sorted(labels, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(labels))


def _is_class(y):
    return y is not None and np.issubdtype(np.asarray(y).dtype, np.integer)


def _choose(y, groups, count, fraction, seed):
    """Return a mask (count,) of the items to take: whole groups, class by class."""
    unit_of = np.arange(count) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    unit_of = unit_of.reshape(-1)
    if len(unit_of) != count:
        raise InputError(f"groups has {len(unit_of)} items where train has {count}: give one per item")
    sizes = np.bincount(unit_of)
    strata = _strata(y, unit_of, len(sizes))
    generator = np.random.default_rng(seed)
    chosen = np.zeros(len(sizes), bool)
    for stratum, quota in enumerate(_quotas(np.bincount(strata, sizes), fraction)):
        units = generator.permutation(np.flatnonzero(strata == stratum))
        # A unit is taken if more than half of it fits; the last one always stays for training.
        fits = np.cumsum(sizes[units]) - sizes[units] / 2 < quota
        chosen[units[:-1]] = fits[:-1]
    return chosen[unit_of]


def _strata(y, unit_of, units):
    """Return the stratum (units,) of each unit: its most frequent class, or 0 where y holds no classes."""
    if not _is_class(y):
        return np.zeros(units, int)
    classes, index = np.unique(y, return_inverse=True)
    table = np.bincount(unit_of * len(classes) + index.reshape(-1), minlength=units * len(classes))
    return table.reshape(units, len(classes)).argmax(axis=1)


def _quotas(counts, fraction):
    """Share out round(fraction of all) over the strata by largest remainder, so that the total is exact."""
    exact = counts * fraction
    quotas = np.floor(exact)
    extra = int(np.rint(counts.sum() * fraction) - quotas.sum())
    quotas[np.argsort(quotas - exact, kind="stable")[: max(extra, 0)]] += 1
    return quotas
