"""Data sets by name: `load` reads one, `names` lists them, `card` describes one.

A data set is a page in this folder that assigns CARD and defines read(); it is found by being there.
Importing this package imports neither numpy nor a page, so that the command line starts at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maquette.data.dataset import Card, Dataset


def names() -> list[str]:
    """Return the sorted names of the data sets, found by reading (not importing) this folder's pages."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if _has_card(path))


def load(name: str) -> Dataset:
    """Read the data set `name` and return its Dataset; `origin` says where the files were.

    Raises InputError for an unknown name (with the near ones) and for a file that is missing or wrong.
    """
    return _page(name).read()


def card(name: str) -> Card:
    """Return the Card of the data set `name`; raises InputError for an unknown name."""
    return _page(name).CARD


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a message: the known names near to `name`, or all of them where none is near."""
    import difflib

    known = [str(item) for item in known]
    lower = {item.lower(): item for item in known}
    close = [lower[item] for item in difflib.get_close_matches(str(name).lower(), lower, n=3)]
    if close:
        return f"did you mean {' or '.join(repr(item) for item in close)}?"
    return f"use one of {', '.join(repr(item) for item in known[:20])}" + (" ..." if len(known) > 20 else "")


def _page(name):
    import importlib

    from maquette.errors import InputError

    if name not in names():
        raise InputError(f"no data set is called '{name}': {near(name, names())}")
    return importlib.import_module(f"{__name__}.{name}")


def _has_card(path):
    import ast

    text = path.read_text(encoding="utf-8")
    if "CARD" not in text:
        return False
    targets = [t for node in ast.parse(text).body for t in _targets(node)]
    return any(isinstance(t, ast.Name) and t.id == "CARD" for t in targets)


def _targets(node):
    return getattr(node, "targets", None) or [getattr(node, "target", None)]
