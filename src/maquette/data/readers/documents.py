"""Reads documents to be searched, one after the other: a folder of text files, a line each, or a column of a table.

All text is UTF-8. Documents can be read as often as wanted, and are never held together.
"""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maquette.errors import InputError, near

SUFFIXES = (".txt", ".text", ".md", ".rst")
TABLES = (".csv", ".tsv", ".parquet", ".pq")
_DELIMITERS = (",", ";", "\t")
_WIDE = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Documents:
    """Documents of one folder or file.

    Attributes:
        path: the folder or file.
        files: the text files of a folder, in the order of their names; of a file, itself.
        column: the column of a table that holds the texts, else None.
        left_out: how many files of a folder are of other kinds, which are not read.
    """

    path: Path
    files: tuple[Path, ...]
    column: str | None = None
    left_out: int = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """The name of each document, such as "line 3", and its text; raises InputError naming what cannot be read."""
        if self.path.is_dir():
            return ((file.relative_to(self.path).as_posix(), whole(file)) for file in self.files)
        if self.column is None:
            return ((f"line {i}", line.strip()) for i, line in lines(self.path) if line.strip())
        read = _parquet if self.path.suffix.lower() in (".parquet", ".pq") else _csv
        return ((f"row {i}", text) for i, text in enumerate(read(self.path, self.column), 1))

    def pick(self, numbers: Collection[int]) -> dict[int, tuple[str, str]]:
        """The documents of these numbers, counted from 0."""
        if self.path.is_dir():
            files = {i: self.files[i] for i in numbers}
            return {i: (file.relative_to(self.path).as_posix(), whole(file)) for i, file in files.items()}
        wanted, found = set(numbers), {}
        for i, document in enumerate(self):
            if i in wanted:
                found[i] = document
                if len(found) == len(wanted):
                    break
        return found

    def stamp(self) -> dict[str, Any]:
        """What is another if the documents are."""
        states = [file.stat() for file in self.files]
        size, changed = sum(s.st_size for s in states), max(s.st_mtime_ns for s in states)
        facts = {"files": len(states), "bytes": size, "changed": changed}
        return {"source": str(self.path.resolve()), "column": self.column, **facts}


def find_documents(path: str | Path, column: str | None = None) -> Documents:
    """Look where documents are, without reading more than a table's header.

    Args:
        path: a folder, whose text files are a document each, with those of its folders, hidden ones apart; a .csv,
            .tsv or .parquet file, whose rows are; or another file, whose lines are, where they are not blank.
        column: of a table, the one that holds the texts; need not be given if there is one alone.

    Raises:
        InputError: if there is nothing, no text file, no such column, or a column without a table.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: does not exist; give a folder of text files, a text file or a table")
    table = path.is_file() and path.suffix.lower() in TABLES
    if column is not None and not table:
        raise InputError(f"{path}: there is no column {column!r}, for it is no table; leave --text out")
    if path.is_dir():
        shown = (p for p in path.rglob("*") if not any(part.startswith(".") for part in p.relative_to(path).parts))
        every = sorted(p for p in shown if p.is_file())
        files = tuple(p for p in every if p.suffix.lower() in SUFFIXES)
        if not files:
            raise InputError(f"{path}: the folder holds no text file; name them {', '.join(SUFFIXES)}")
        return Documents(path, files, None, len(every) - len(files))
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; write a document a line")
    return Documents(path, (path,), _chosen(path, column) if table else None)


def _chosen(path: Path, column: str | None) -> str:
    if path.suffix.lower() in (".parquet", ".pq"):
        with _open_parquet(path) as file:
            names = list(file.schema_arrow.names)
    else:
        names = next(_rows(path), (1, []))[1]
    if column is None and len(names) == 1:
        return names[0]
    if column is None:
        raise InputError(f"{path}: several columns; say by --text which holds the texts: {near('', names)}")
    if column not in names:
        raise InputError(f"{path}: there is no column {column!r}: {near(column, names)}")
    return column


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers from 1; raises InputError naming the line that is none."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if number == 1:
                    if line.startswith(_WIDE):
                        raise InputError(f"{path}: the encoding is UTF-16; save the file as UTF-8")
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if b"\0" in line:
                    raise InputError(f"{path}: line {number} holds a zero byte: a binary file; give a text file")
                try:
                    yield number, line.decode()
                except UnicodeDecodeError:
                    raise InputError(f"{path}: line {number} is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the file") from None


def whole(path: Path) -> str:
    """The text of a UTF-8 file."""
    return "".join(line for _, line in lines(path))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)  # a cell may hold a whole book
    first = next(lines(path), (1, ""))[1]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader((line for _, line in lines(path)), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}; correct the line") from None


def _csv(path: Path, column: str) -> Iterator[str]:
    rows = _rows(path)
    header = next(rows)[1]
    place = header.index(column)
    for number, row in rows:
        if len(row) != len(header):
            fault = f"has another number of fields ({len(row)}) than the header ({len(header)})"
            raise InputError(f"{path}: line {number} {fault}; correct it")
        yield row[place]


def _open_parquet(path: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise InputError(f"{path}: Parquet needs pyarrow: pip install 'maquette[tables]'") from None
    try:
        return parquet.ParquetFile(path)
    except (ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a readable Parquet file ({reason}); write it again") from None


def _parquet(path: Path, column: str) -> Iterator[str]:
    with _open_parquet(path) as file:
        kind = str(file.schema_arrow.field(column).type)
        if kind not in ("string", "large_string", "string_view"):
            raise InputError(f"{path}: column {column!r} holds {kind}, not text; choose another by --text")
        for batch in file.iter_batches(columns=[column]):
            yield from (text or "" for text in batch.column(0).to_pylist())
