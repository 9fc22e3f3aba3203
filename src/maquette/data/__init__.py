"""Data sets by name: `load` reads one, `card` describes one.

A data set is a page in this folder that assigns CARD and defines read(); it is found by being there. Importing this
package imports neither numpy nor a page, so that the command line starts at once.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from maquette import catalog
from maquette.errors import near

if TYPE_CHECKING:
    from maquette.data.dataset import Card, Dataset

__all__ = ["card", "load", "names", "near"]


def names() -> list[str]:
    """The names of the data sets, found by reading, not importing, the pages of this folder."""
    return sorted(catalog.pages("data"))


def load(name: str, size: int | None = None) -> Dataset:
    """Read the data set `name`; its `origin` says where the files were.

    Pictures of different sizes are resized to `size` by `size` pixels while they are read, where it is given.

    Raises:
        InputError: for an unknown name, and for a file that is missing or wrong.
    """
    read = catalog.find(name, "data").load().read
    return read(size) if "size" in inspect.signature(read).parameters else read()


def card(name: str) -> Card:
    """The Card of the data set `name`; raises InputError for an unknown name."""
    return catalog.find(name, "data").load().CARD
