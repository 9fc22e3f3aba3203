"""Watches a translator while it learns: what it makes of the same pictures after some epochs."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from maquette import files
from maquette.data.dataset import Dataset
from maquette.tasks import translation_figures

KEPT = 20  # epochs of a run, at most
SHOWN = 6  # of them
ITEMS = 4  # of each direction


class Progress(keras.callbacks.Callback):
    """Keeps translations of the first items in samples/, and draws them at the end; the training goes on untouched."""

    def __init__(self, folder: Path, dataset: Dataset, epochs: int) -> None:
        super().__init__()
        split = dataset.test if dataset.test is not None else dataset.train
        self.folder, self.x, self.epochs = folder / "samples", split.x[:ITEMS], epochs
        self.every = -(-epochs // KEPT)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self.every and epoch + 1 < self.epochs:
            return
        made = np.asarray(self.model.predict_on_batch(self.x / np.float32(255)), "float32")  # (items, directions, ...)
        with files.replacing(self.folder / f"{epoch + 1:05}.npz") as temporary:
            np.savez(temporary, kept=(np.nan_to_num(_in_a_row(made)).clip(0, 1) * 255 + 0.5).astype("uint8"))

    def on_train_end(self, logs: Any = None) -> None:
        found = sorted(self.folder.glob("[0-9]*.npz"))
        places = np.unique(np.linspace(0, len(found) - 1, min(len(found), SHOWN)).round().astype(int))
        kept = {int(found[i].stem): _read(found[i]) for i in places}
        if not kept:
            return
        count = len(next(iter(kept.values()))) // len(self.x)  # directions
        figure = translation_figures.epochs(kept, _in_a_row(self.x[:, :count]))
        path = self.folder.parent / "figures" / figure.name
        files.write_text(path.with_suffix(".svg"), figure.svg)
        files.write_json(path.with_suffix(".json"), {"title": figure.title, "caption": figure.caption})


def _in_a_row(x: np.ndarray) -> np.ndarray:
    """(items, directions, ...) -> (directions * items, ...), one direction after the other."""
    return x.swapaxes(0, 1).reshape(-1, *x.shape[2:])


def _read(path: Path) -> np.ndarray:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return np.asarray(stored["kept"])
