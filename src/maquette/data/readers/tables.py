"""Reads a table, CSV or Parquet, as columns of numbers and text.

A column is numeric where every cell that is not missing is a number; '', NA, NaN and null are missing. Rows
are counted from 1 below the header.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from maquette.data import near
from maquette.data.dataset import Card, Columns, Dataset, Split, sorted_labels
from maquette.data.tables import is_number, parse_number, to_text
from maquette.errors import InputError

TASKS = ("tabular-classification", "tabular-regression")
MOST_CLASSES = 50
_DELIMITERS = (",", ";", "\t")
_SNIFFED_ROWS = 20
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_table(path: str | Path, target: str, task: str) -> Dataset:
    """Read the CSV or Parquet file `path` as a Dataset with a training split only.

    x is a dict of columns (n,), float64 or text; y is int32 indices into `classes` for
    'tabular-classification' and float32 for 'tabular-regression'; names are 'row 1', 'row 2', ...
    Raises InputError naming the file and the line, row or column for whatever is wrong in it: see
    `read_columns`, and besides an unknown target or task, a missing or wrong target, a single class, no
    feature, and an infinite number.
    """
    if task not in TASKS:
        raise InputError(f"task '{task}' does not read a table: {near(task, TASKS)}")
    columns = read_columns(path, text=(target,))
    if target not in columns:
        raise InputError(f"{path}: there is no column '{target}': {near(target, columns)}")
    labels = columns.pop(target)
    if not columns:
        raise InputError(f"{path}: '{target}' is the only column: add a column to predict it from")
    y, classes = _read_target(f"{path}: target '{target}'", labels, task)
    split = Split(columns, y, tuple(f"row {row}" for row in range(1, len(y) + 1)))
    report = tuple(_report(columns, len(y), classes, y))
    named = {"classes": classes, "features": tuple(columns), "target": target}
    return Dataset(Path(path).stem, split, **named, origin=str(path), report=report)


def read_columns(path: str | Path, text: Collection[str] = ()) -> Columns:
    """Read the CSV or Parquet file `path` as a dict of columns (n,): float64 with NaN, or text with ''.

    The columns named in `text` stay text whatever they hold. CSV is UTF-8 with commas, semicolons or tabs.
    Raises InputError naming the file, and the line or column, if the file is missing, empty, binary, not
    UTF-8, without rows, has a line of another length, a column without a name or twice, or infinity.
    """
    path = Path(path)
    if not path.is_file():
        reason = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path}: {reason}; give a CSV or Parquet file")
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _read_parquet(path, set(text))
    header, rows = _read_rows(path)
    return {name: _column(path, name, [row[i] for row in rows], name in text) for i, name in enumerate(header)}


def read_set(name: str, card: Card, target: str) -> Dataset:
    """Find the one file of a built-in set by its `card`, read it as the Dataset `name`: see `read_table`."""
    from maquette.data.source import describe, locate

    paths = locate(name, card.files)
    dataset = read_table(paths[card.files[0].name], target, card.task)
    return replace(dataset, name=name, origin=describe(paths))


def _read_rows(path):
    text = _decode(path)
    header, rows = None, []
    reader = csv.reader(io.StringIO(text, newline=""), **_dialect(text))
    try:
        for row in reader:
            if header is None:
                header = _check_header(path, row)
                continue
            rows.append(_check_width(f"{path}: line {reader.line_num}", row, len(header)))
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}; correct the line") from error
    if not rows:
        raise InputError(f"{path}: there is a header but no row; add the data below it")
    return header, rows


def _check_width(where, row, width):
    # A blank line is an empty cell where there is one column, and a fault elsewhere.
    row = row or [""] * (width == 1)
    if len(row) != width:
        raise InputError(f"{where} has another number of fields ({len(row)}) than the header ({width}); correct it")
    return row


def _decode(path):
    content = path.read_bytes()
    if content.startswith(_BYTE_ORDER_MARKS):
        raise InputError(f"{path}: the encoding is UTF-16; save the file as UTF-8")
    if b"\0" in content:
        raise InputError(f"{path}: a binary file; give a text file with commas, or Parquet named .parquet")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from error
    if not text.strip():
        raise InputError(f"{path}: the file is empty; give a header and rows")
    # Only line ends are dropped: a last cell may be empty, and then the line ends in a delimiter.
    return text.strip("\r\n")


def _dialect(text):
    """Return the options of csv.reader, with the delimiter that divides the first rows alike and finely."""
    head = io.StringIO(text, newline="")
    sample = [line for line, _ in zip(head, range(_SNIFFED_ROWS), strict=False)]
    score = {delimiter: _fineness(sample, delimiter) for delimiter in _DELIMITERS}
    return {"delimiter": max(_DELIMITERS, key=score.__getitem__), "skipinitialspace": True, "strict": True}


def _fineness(sample, delimiter):
    try:
        widths = [len(row) for row in csv.reader(sample, delimiter=delimiter, skipinitialspace=True)]
    except csv.Error:
        return (False, 0, 0)
    return (widths[0] > 1, widths.count(widths[0]), widths[0])


def _check_header(path, names):
    names = [name.strip() for name in names]
    if "" in names:
        raise InputError(f"{path}: column {names.index('') + 1} has no name; name it in the header or remove it")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{path}: column '{twice[0]}' is there twice; rename one of them")
    return names


def _column(path, name, cells, keep):
    numbers = None if keep else [parse_number(cell) for cell in cells]
    if numbers is None or None in numbers:
        return to_text(cells)
    return _finite(path, name, np.array(numbers, np.float64))


def _finite(path, name, numbers):
    if np.isinf(numbers).any():
        row = int(np.argmax(np.isinf(numbers))) + 1
        raise InputError(f"{path}: row {row}, column '{name}': infinity; write a number or leave it empty")
    return numbers


def _read_parquet(path, text):
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InputError(f"{path}: Parquet needs pyarrow: pip install 'maquette[tables]'") from error
    try:
        with parquet.ParquetFile(path) as file:
            table = file.read()
    except (ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a readable Parquet file ({reason}); write it again") from error
    names = _check_header(path, table.column_names)
    if not table.num_rows:
        raise InputError(f"{path}: there is a header but no row; add the data below it")
    return {
        name: _arrow_column(path, name, column, name in text) for name, column in zip(names, table.columns, strict=True)
    }


def _arrow_column(path, name, column, keep):
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if str(column.type) in {"string", "large_string", "string_view"}:
        return to_text(column.to_pylist())
    numeric = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    if not any(test(column.type) for test in numeric):
        raise InputError(f"{path}: column '{name}' holds {column.type}; store it as numbers or text")
    if keep:
        return to_text([_plain(cell) for cell in column.to_pylist()])
    return _finite(path, name, np.array(column.cast("float64", safe=False).to_numpy()))


def _plain(cell):
    """Write a whole number without a decimal point, so that a label reads '1' whatever type stored it."""
    return str(int(cell)) if cell is not None and cell == cell // 1 else cell


def _read_target(where, labels, task):
    lacking = labels == ""
    if lacking.any():
        row = int(np.argmax(lacking)) + 1
        raise InputError(f"{where} is missing in row {row} ({lacking.sum()} in all); fill in or remove the row")
    if task == "tabular-regression":
        return _target_numbers(where, labels), ()
    classes = sorted_labels(labels.tolist())
    _check_classes(where, classes, len(labels))
    index = {label: i for i, label in enumerate(classes)}
    return np.array([index[label] for label in labels.tolist()], np.int32), classes


def _target_numbers(where, labels):
    numbers = [parse_number(cell) for cell in labels.tolist()]
    for row, number in enumerate(numbers):
        if number is None or not np.isfinite(np.float32(number)):
            fault = f"in row {row + 1} is '{labels[row]}', not a finite number"
            raise InputError(f"{where} {fault}; correct it, or use the task tabular-classification")
    return np.array(numbers, np.float32)


def _check_classes(where, classes, rows):
    if len(classes) == 1:
        raise InputError(f"{where} holds a single class, '{classes[0]}'; give rows of at least two classes")
    if len(classes) <= MOST_CLASSES or any(parse_number(label) is None for label in classes):
        return
    fractions = any(not label.lstrip("+-").isdigit() for label in classes)
    if fractions or len(classes) > rows / 2:
        raise InputError(f"{where} holds {len(classes)} different numbers; use the task tabular-regression")


def _report(columns, rows, classes, y):
    numeric = sum(is_number(values) for values in columns.values())
    yield f"{rows} rows, {numeric} columns of numbers, {len(columns) - numeric} of text"
    for index, label in enumerate(classes):
        yield f"rows of class {label}: {(y == index).sum()}"
    for name, values in columns.items():
        lacking = np.isnan(values).sum() if is_number(values) else (values == "").sum()
        if lacking:
            yield f"cells missing in column {name}: {lacking}"
