"""The pictures of translations: input, translation, the way back and the truth in rows; the same by epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maquette.data.dataset import Split
from maquette.tasks.figure import WIDTH, Figure, canvas, finish, pictures, pictures_height
from maquette.tasks.translation_metrics import paired

COLUMNS = 8


def galleries(split: Split, outputs: np.ndarray) -> list[Figure]:
    """One figure for each direction that the model translates in, of the first items of a split."""
    found = []
    for i in range(min(outputs.shape[1], 2)):
        truth = split.x[:, 1 - i] if paired(split) else None
        back = outputs[:, 2 + i] if outputs.shape[1] == 4 else None
        found.append(gallery(split.x[:, i], outputs[:, i], back, truth, ("a-to-b", "b-to-a")[i]))
    return found


def gallery(x: np.ndarray, there: np.ndarray, back: Any, truth: Any, direction: str, most: int = COLUMNS) -> Figure:
    """Rows of pictures, their translations, and where they are known the truth and the way back."""
    count = min(most, len(x))
    known = {"pictures": _real(x), "translations": there, "true pictures": truth, "ways back": back}
    rows = {name: _real(part[:count]) for name, part in known.items() if part is not None}
    first, last = direction.split("-to-")
    caption = f"{', '.join(rows).capitalize()} from {first} to {last}, row by row; not chosen."
    return _rows(list(rows.values()), f"translations-{direction}", f"From {first} to {last}", caption)


def epochs(kept: Mapping[int, np.ndarray], x: np.ndarray) -> Figure:
    """Epoch -> translations of the same pictures x (n, height, width, channels)."""
    caption = f"The same pictures, and what became of them after epochs {', '.join(map(str, kept))}."
    return _rows([_real(x), *map(_real, kept.values())], "epochs", "Translations by epoch", caption)


def _real(x: np.ndarray) -> np.ndarray:
    return x / np.float32(255) if x.dtype == np.uint8 else np.asarray(x, "float32")


def _rows(rows: list[np.ndarray], name: str, title: str, caption: str) -> Figure:
    """Rows of equally many pictures; more than COLUMNS of them go on below, each under the row that it belongs to."""
    starts = range(0, len(rows[0]), COLUMNS)
    columns = min(COLUMNS, len(rows[0]))
    blank = np.zeros((len(starts) * columns - len(rows[0]), *rows[0].shape[1:]), "float32")
    filled = [np.concatenate([row, blank]) for row in rows]
    shown = np.concatenate([row[start : start + columns] for start in starts for row in filled])
    picture, axes = canvas(WIDTH, pictures_height(shown, columns))
    pictures(axes, shown, columns)
    return finish(picture, name, title, caption)
