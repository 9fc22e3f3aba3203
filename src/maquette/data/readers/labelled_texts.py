"""Reads texts with a class each: a table with a column of texts and one of labels, or a folder of text files per class.

All text is UTF-8. Nothing is left out silently: the report counts the files that are of other kinds.
"""

from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split, sorted_labels
from maquette.data.readers.documents import SUFFIXES, TABLES, find_documents
from maquette.errors import InputError

PARTS = {"train": "train", "test": "test", "validation": "validation", "val": "validation"}
Found = list[tuple[str, str, str]]  # name, text, label


def read_labelled(path: Path, text: str = "text", label: str = "label") -> Dataset:
    """The texts of a table or folder: x of Python strings (n,), y their classes.

    Args:
        path: a .csv, .tsv or .parquet table; or a folder with a folder of text files for each class, alone or under
            train/ and test/, with validation/ if wanted.
        text: of a table, the column of texts.
        label: of a table, the column of labels.

    Raises:
        InputError: naming what is missing, empty, of one class alone, or no text.
    """
    if not path.exists():
        raise InputError(f"{path}: does not exist; give a table of texts, or a folder with a folder for each class")
    found, report = ({"train": _rows(path, text, label)}, []) if path.is_file() else _parts(path)
    classes = sorted_labels(label for _, _, label in found["train"])
    if len(classes) < 2:
        raise InputError(f"{path}: all texts are of the class {classes[0]!r}; give texts of two classes or more")
    splits: dict[str, Any] = {part: _split(path, part, items, classes) for part, items in found.items()}
    report += [f"{part}: {len(items)} texts of {len(classes)} classes" for part, items in found.items()]
    target = label if path.is_file() else ""
    return Dataset(path.stem, **splits, classes=classes, target=target, origin=str(path), report=tuple(report))


def _rows(path: Path, text: str, label: str) -> Found:
    if path.suffix.lower() not in TABLES:
        wanted = f"a table ({', '.join(TABLES)}), or a folder with a folder of text files for each class"
        raise InputError(f"{path}: has no labels; give {wanted}")
    rows: Found = []
    for (name, words), (_, wanted) in zip(find_documents(path, text), find_documents(path, label), strict=True):
        if not wanted.strip():
            raise InputError(f"{path}: {name} has no {label}; fill it in, or leave the row out")
        rows.append((name, words, wanted.strip()))
    if not rows:
        raise InputError(f"{path}: the table has no row; write a text and its {label} a row")
    return rows


def _parts(path: Path) -> tuple[dict[str, Found], list[str]]:
    names = {folder.name for folder in _folders(path)}
    if {"train", "test"} <= names:
        places = {PARTS[name]: path / name for name in sorted(names & set(PARTS))}
        report = [f"beside the splits, not read: {name}/" for name in sorted(names - set(PARTS))]
    else:
        places, report = {"train": path}, []
    return {part: _texts(folder, report) for part, folder in places.items()}, report


def _texts(path: Path, report: list[str]) -> Found:
    found: Found = []
    for folder in _folders(path):
        documents = find_documents(folder)
        found += [(f"{folder.name}/{name}", text, folder.name) for name, text in documents]
        if documents.left_out:
            report.append(f"{folder}: {documents.left_out} files that do not end in {', '.join(SUFFIXES)}, not read")
    if not found:
        raise InputError(f"{path}: holds no folder; put the text files of each class into a folder of its name")
    return found


def _folders(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def _split(path: Path, part: str, items: Found, classes: tuple[str, ...]) -> Split:
    number = {label: i for i, label in enumerate(classes)}
    odd = sorted({label for _, _, label in items} - set(classes))
    if odd:
        raise InputError(f"{path}: the class {odd[0]!r} of {part} is not in train; give training texts of it")
    names, texts, labels = zip(*items, strict=True)
    return Split(np.array(texts, object), np.array([number[label] for label in labels], np.int32), names)
