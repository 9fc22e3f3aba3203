"""Turns the columns of a table into one matrix; fitted on the training split and saved with the model."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from maquette.data import near
from maquette.data.dataset import Columns
from maquette.errors import InputError

MISSING = frozenset({"", "NA", "NaN", "nan", "null"})
MOST_CATEGORIES = 100


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers: (x - mean) / std, a missing one being the median; `gaps` adds an indicator."""

    name: str
    mean: float
    std: float
    median: float
    gaps: bool

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features that the column gives."""
        return (self.name, f"{self.name} missing") if self.gaps else (self.name,)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return float64 (n, 1 or 2) for the cells `values`; raises InputError for text and infinity."""
        numbers = to_numbers(self.name, values)
        lacking = np.isnan(numbers)
        scaled = (np.where(lacking, self.median, numbers) - self.mean) / self.std
        return np.stack([scaled, lacking], axis=1) if self.gaps else scaled[:, None]


@dataclass(frozen=True)
class TextColumn:
    """A column of text: one feature per category seen in training, where '' stands for a missing cell."""

    name: str
    categories: tuple[str, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features that the column gives."""
        return tuple(f"{self.name}={item}" if item else f"{self.name} missing" for item in self.categories)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return float64 (n, categories), a row of zeros where the cell was not seen in training."""
        return (to_text(values)[:, None] == np.array(self.categories)[None, :]).astype(np.float64)

    def count_unknown(self, values: np.ndarray) -> int:
        """Return how many cells hold a text that was not seen in training; a missing cell does not count."""
        text = to_text(values)
        return int(((text != "") & ~np.isin(text, self.categories)).sum())


class TableEncoder:
    """Numbers are standardised, text becomes one column per category; all is learnt from the training split.

    x' = (x - mean) / std with the population standard deviation; a constant column keeps std 1. A missing
    number becomes the median, and a column that lacks some in training gets an indicator besides.
    `unknown` maps each text column to the cells of the latest `transform` that training never showed.
    """

    def __init__(self) -> None:
        self.columns: tuple[NumberColumn | TextColumn, ...] = ()
        self.unknown: dict[str, int] = {}

    def fit(self, columns: Columns) -> TableEncoder:
        """Learn from `columns`, a dict of arrays (n,) of numbers or text; return self.

        Raises InputError naming a column that is empty, infinite, has more than 100 categories, or whose
        texts are all different.
        """
        if not columns or not len(next(iter(columns.values()))):
            raise InputError("no row to fit the table's encoder on: give at least one column and one row")
        fit = {True: _fit_number, False: _fit_text}
        self.columns = tuple(fit[is_number(values)](name, values) for name, values in columns.items())
        return self

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features (features,), in the order of the matrix."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The names of the columns read as text: hand them to `read_columns` when predicting."""
        return tuple(column.name for column in self.columns if isinstance(column, TextColumn))

    def transform(self, columns: Columns) -> np.ndarray:
        """Return float32 (n, features) for `columns`; columns that training did not have are left alone.

        Raises InputError naming a column that is missing, or the row of a text or infinity among numbers.
        """
        if not self.columns:
            raise InputError("the table's encoder is not fitted: call fit on the training columns first")
        for column in self.columns:
            if column.name not in columns:
                raise InputError(f"column '{column.name}' is missing: {near(column.name, columns)}")
        if len({len(columns[column.name]) for column in self.columns}) > 1:
            raise InputError("the columns of the table differ in length: give one value per row in each")
        texts = (column for column in self.columns if isinstance(column, TextColumn))
        self.unknown = {column.name: column.count_unknown(columns[column.name]) for column in texts}
        parts = [column.encode(columns[column.name]) for column in self.columns]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def to_json(self) -> str:
        """Return the encoder as JSON text; floats are written so that they read back exactly."""
        kinds = {NumberColumn: "number", TextColumn: "text"}
        return json.dumps([{"kind": kinds[type(column)], **asdict(column)} for column in self.columns])

    @classmethod
    def from_json(cls, text: str) -> TableEncoder:
        """Return the TableEncoder that `to_json` wrote; raises InputError for other text."""
        encoder = cls()
        try:
            encoder.columns = tuple(_restore(dict(state)) for state in json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"not a saved table encoder ({error}): use the run's own file") from error
        return encoder


def parse_number(cell: str) -> float | None:
    """Return the number that the text `cell` writes, NaN if it is missing, None if it is no number."""
    cell = cell.strip()
    if cell in MISSING:
        return math.nan
    try:
        # Python reads 1_000 as a number; in a table that is a code.
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def is_number(values: np.ndarray | list[Any]) -> bool:
    """Return whether an array holds numbers (or truth values) and not text."""
    return np.asarray(values).dtype.kind in "iufb"


def to_numbers(name: str, values: np.ndarray) -> np.ndarray:
    """Return float64 (n,), NaN for missing cells; raises InputError naming the row of text or infinity."""
    if is_number(values):
        numbers = np.asarray(values, np.float64)
    else:
        cells = ["" if cell is None else str(cell) for cell in values]
        parsed = [parse_number(cell) for cell in cells]
        if None in parsed:
            row = parsed.index(None)
            raise InputError(f"column '{name}', row {row + 1}: '{cells[row]}' is not a number; correct the cell")
        numbers = np.array(parsed, np.float64)
    if np.isinf(numbers).any():
        row = int(np.argmax(np.isinf(numbers))) + 1
        raise InputError(f"column '{name}', row {row}: infinity; write a number or leave the cell empty")
    return numbers


def to_text(values: np.ndarray | list[Any]) -> np.ndarray:
    """Return text (n,) with '' for missing cells; whole numbers are written without a decimal point."""
    if is_number(values):
        return np.array([_write(value) for value in np.asarray(values).tolist()], np.str_)
    cells = ("" if cell is None else str(cell).strip() for cell in values)
    return np.array(["" if cell in MISSING else cell for cell in cells], np.str_)


def _write(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "" if math.isnan(value) else repr(value)
    return repr(int(value)) if value == int(value) else repr(value)


def _fit_number(name, values):
    numbers = to_numbers(name, values)
    lacking = np.isnan(numbers)
    if lacking.all():
        raise InputError(f"column '{name}' holds no value in the training rows: leave it out")
    median = float(np.median(numbers[~lacking]))
    filled = np.where(lacking, median, numbers)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(filled.mean()), float(filled.std())
    if filled.min() == filled.max():
        # The mean of equal numbers may be off by a rounding, which a tiny std would blow up.
        mean, std = median, 1.0
    if not (math.isfinite(mean) and math.isfinite(std) and std > 0):
        raise InputError(f"column '{name}': its numbers are too large or too close to scale; rescale the column")
    return NumberColumn(name, mean, std, median, bool(lacking.any()))


def _fit_text(name, values):
    text = to_text(values)
    categories = tuple(sorted(set(text.tolist())))
    if categories == ("",):
        raise InputError(f"column '{name}' holds no value in the training rows: leave it out")
    if len(categories) > MOST_CATEGORIES:
        fault = f"{len(categories)} different texts, more than {MOST_CATEGORIES}"
        raise InputError(f"column '{name}' holds {fault} (row 1: '{text[0]}'): leave it out or group them")
    if len(categories) == len(text) > 2:
        raise InputError(f"column '{name}' holds another text in every row, like a name: leave it out")
    return TextColumn(name, categories)


def _restore(state):
    kind = {"number": NumberColumn, "text": TextColumn}[state.pop("kind")]
    if kind is TextColumn:
        state["categories"] = tuple(state["categories"])
    return kind(**state)
