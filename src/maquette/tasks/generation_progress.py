"""Watches a generator while it learns: its metrics by epoch, and what it makes of the same noise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from maquette import files
from maquette.data.dataset import Dataset, Split
from maquette.methods.generative.sample_quality import frechet_distance
from maquette.tasks import generation_figures, image_generation
from maquette.tasks.generation_features import features
from maquette.tasks.intervals import Measure

MEASURED, SHOWN = 20, 8  # epochs of a run, at most
ITEMS = {2: 1000, 4: 1000}  # that are scored, of points and of pictures
KEPT = {2: 400, 4: 10}  # that are kept to be shown


class Progress(keras.callbacks.Callback):
    """Adds the metrics to the logs of some epochs, keeps samples of these in samples/, and draws them at the end.

    Nothing of it touches the training: the noise is fixed, and evaluation's counters stay where they are.
    """

    def __init__(self, folder: Path, dataset: Dataset, epochs: int) -> None:
        super().__init__()
        self.folder, self.dataset, self.epochs = folder / "samples", dataset, epochs
        self.every = -(-epochs // MEASURED)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self.every and epoch + 1 < self.epochs:
            return
        axes = np.ndim(self.dataset.train.x)
        samples = image_generation.drawn(self.model, ITEMS[axes], seed=2)
        logs.update({key: measure.value for key, measure in self._measured(samples).items()})
        kept = samples[: KEPT[axes]]
        with files.replacing(self.folder / f"{epoch + 1:05}.npz") as temporary:
            np.savez(temporary, kept=kept if axes == 2 else (kept.clip(0, 1) * 255 + 0.5).astype("uint8"))

    def _measured(self, samples: np.ndarray) -> Mapping[str, Measure]:
        if not np.isfinite(samples).all():
            return {}  # the loss says so as well, and ends the run
        train = self.dataset.train
        if samples.ndim == 2:
            return image_generation.scores(samples, Split(np.asarray(train.x), train.y), self.dataset)
        known = features(self.dataset)
        real = known.of(np.asarray(train.take(np.random.default_rng(0).permutation(len(train))[: len(samples)]).x))
        distance = Measure(frechet_distance(real, known.of(samples)))
        spread = image_generation.spread(samples, known, len(self.dataset.classes))
        return {f"frechet_distance_{known.name}": distance, **spread}

    def on_train_end(self, logs: Any = None) -> None:
        found = sorted(self.folder.glob("[0-9]*.npz"))
        places = np.unique(np.linspace(0, len(found) - 1, min(len(found), SHOWN)).round().astype(int))
        shown = {int(found[i].stem): _kept(found[i]) for i in places}
        if not shown:
            return
        figure = generation_figures.epochs(shown, np.asarray(self.dataset.train.x))
        path = self.folder.parent / "figures" / figure.name
        files.write_text(path.with_suffix(".svg"), figure.svg)
        files.write_json(path.with_suffix(".json"), {"title": figure.title, "caption": figure.caption})


def _kept(path: Path) -> np.ndarray:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return np.asarray(stored["kept"])
