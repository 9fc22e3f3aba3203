"""What is watched of a generator while it learns: which epochs, what is kept, and that a resumed run goes on."""

from types import SimpleNamespace

import numpy as np
import pytest

from maquette.data.dataset import Dataset, Split
from maquette.tasks.generation_progress import Progress


class Fading:
    """A generator whose pictures get darker with every epoch; the noise is that of the seed."""

    def __init__(self, shape):
        self.shape, self.epoch = shape, 0

    def generate(self, count, seed=None):
        return np.random.default_rng(seed).random((count, *self.shape)) / (1 + self.epoch)


@pytest.fixture
def watched(tmp_path, random):
    """watched(shape, epochs, first) -> a function that runs the epochs from `first` on and gives the rows of logs."""

    def run(shape, epochs, first=0, last=None):
        x = (
            random.integers(0, 256, (60, *shape)).astype("uint8")
            if len(shape) == 3
            else random.normal(size=(60, *shape))
        )
        y = (np.arange(60) % 3).astype("int32")
        data = Dataset("made", Split(x, y), classes=("a", "b", "c"))
        watcher, model = Progress(tmp_path, data, epochs), Fading(shape)
        watcher.set_model(model)
        rows = []
        for epoch in range(first, last or epochs):
            model.epoch, logs = epoch, {"loss": 1.0}
            watcher.on_epoch_end(epoch, logs)
            rows.append(logs)
        watcher.on_train_end()
        return SimpleNamespace(
            rows=rows, kept=sorted(p.name for p in (tmp_path / "samples").glob("*")), folder=tmp_path
        )

    return run


def test_pictures_are_kept_and_measured_every_few_epochs(watched):
    found = watched((4, 4, 1), 45)
    measured = [i + 1 for i, row in enumerate(found.rows) if "frechet_distance_mlp64" in row]
    assert measured == [*range(3, 46, 3)] == [int(name.removesuffix(".npz")) for name in found.kept]
    assert {"class_gap", "classes"} <= set(found.rows[2]) and set(found.rows[0]) == {"loss"}
    first, last = (np.load(found.folder / "samples" / found.kept[i])["kept"] for i in (0, -1))
    assert first.shape == (10, 4, 4, 1) and first.dtype == np.uint8
    np.testing.assert_allclose(first / 15, last, atol=1.1)  # the same noise: 1/3 and 1/45 of it
    assert (found.folder / "figures" / "epochs.svg").read_text().startswith("<svg")


def test_a_resumed_run_draws_the_epochs_before_it_too(watched):
    watched((2,), 4, last=2)
    found = watched((2,), 4, first=2)
    assert found.kept == ["00001.npz", "00002.npz", "00003.npz", "00004.npz"]
    assert "1, 2, 3, 4" in (found.folder / "figures" / "epochs.json").read_text()
    assert {"modes", "in_modes"} <= set(found.rows[0])
