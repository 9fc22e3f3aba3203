"""What tabular classification and regression share: a table of columns with a named target."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.tables import TableEncoder
from maquette.errors import InputError


class Tabular:
    """Items are rows of a table. Mixed into a task."""

    name = ""
    options: Mapping[str, Any] = {"target": None}
    option_types: Mapping[str, Any] = {"target": str | None}
    reads_a_file = True

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.tables import read_columns, read_table

        if not options["target"]:
            columns = ", ".join(read_columns(path))
            raise InputError(f"{path}: name the column to predict, --set inputs.target=COLUMN, one of {columns}")
        return read_table(path, options["target"], self.name)

    def encoder(self, options: Mapping[str, Any]) -> TableEncoder:
        return TableEncoder()

    def restore(self, text: str) -> TableEncoder:
        return TableEncoder.from_json(text)

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        from maquette.data.readers.tables import read_columns

        tables = [read_columns(path, text=encoder.text_columns) for path in paths]
        for path, table in zip(paths, tables):
            named(path, encoder.transform, table)
        names = tuple(f"{path}:{row}" for path, table in zip(paths, tables) for row in range(1, _rows(table) + 1))
        merged = {key: np.concatenate([_column(t, key, p) for t, p in zip(tables, paths)]) for key in tables[0]}
        return Split(merged, None, names)


def named(path: Path, function: Callable[[Any], Any], value: Any) -> Any:
    """function(value), an InputError of which names the file that `value` was read from."""
    try:
        return function(value)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _rows(table: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(table.values())))


def _column(table: Mapping[str, np.ndarray], key: str, path: Path) -> np.ndarray:
    if key not in table:
        raise InputError(f"{path} has no column {key!r}, which the first table has: give tables of equal columns")
    return table[key]
