"""How good translations are: against the truth where it is known, there and back, and as a whole heap."""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.methods.generative.sample_quality import kernel_distance
from maquette.methods.image.quality import psnr, ssim
from maquette.tasks.generation_features import Features, components, flat
from maquette.tasks.intervals import Measure, bootstrap, mean_of

SMALLEST = 11  # pixels a side, for which the structural similarity has a window


def paired(split: Split) -> bool:
    """Whether every item shows the same thing twice."""
    return split.y is not None and len(split) > 0 and bool(np.all(split.y == 1))


def measures(split: Split, outputs: np.ndarray) -> dict[str, Measure]:
    """Item by item: errors against the truth, if it is known, and of the way back, if the model has one."""
    x = split.x / np.float32(255)
    found: dict[str, Measure] = {}
    if paired(split):
        sides = range(min(outputs.shape[1], 2))
        errors = np.stack([_apart(outputs[:, i], x[:, 1 - i]) for i in sides])  # (directions, n)
        same = _apart(x[:, 0], x[:, 1])
        for i, name in zip(sides, "ba"):
            found |= {f"error_{name}": mean_of(errors[i]), **_quality(outputs[:, i], x[:, 1 - i], name)}
        found["identity_error"] = mean_of(same)
        if same.any():
            found["remaining_error"] = bootstrap(lambda rows: _share(errors[:, rows], same[rows]), len(x))
    if outputs.shape[1] == 4:
        found |= {f"cycle_error_{name}": mean_of(_apart(outputs[:, 2 + i], x[:, i])) for i, name in enumerate("ab")}
    return found


def _apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(x - y).mean(axis=(1, 2, 3))


def _share(errors: np.ndarray, same: np.ndarray) -> float:
    return float(errors.mean() / max(same.mean(), 1e-12))


def _quality(made: np.ndarray, true: np.ndarray, name: str) -> dict[str, Measure]:
    ratio = np.minimum(psnr(made, true, peak=1.0, batch=True), 100.0)  # equal pictures would make the mean infinite
    found = {f"psnr_{name}": mean_of(ratio)}
    if min(made.shape[1:3]) >= SMALLEST:
        found[f"ssim_{name}"] = mean_of(np.asarray(ssim(made, true, peak=1.0, batch=True)))
    return found


def distances(split: Split, outputs: np.ndarray, dataset: Dataset) -> tuple[dict[str, Measure], list[dict[str, Any]]]:
    """Kernel distances of each heap of translations from the pictures that it should look like, and of no translation.

    Training and test pictures of a kind are as far apart as two heaps of real ones.
    """
    found, rows = {}, []
    for i, name in zip(range(min(outputs.shape[1], 2)), "ba"):
        train, real, before = dataset.train.x[:, 1 - i], split.x[:, 1 - i], split.x[:, i]
        train, real, own = train[firsts(train)], real[firsts(real)], firsts(before)
        if min(len(train), len(real), len(own)) < 3:
            continue
        known: Features = components(flat(train))
        there = known.of(real)
        row = {
            "translated": kernel_distance(there, known.of(outputs[own, i])),
            "as they are": kernel_distance(there, known.of(before[own])),
            "real": kernel_distance(there, known.of(train)),
        }
        found[f"kernel_distance_{known.name}_{name}"] = Measure(row["translated"])
        rows.append({"kind": name, **row})
    return found, rows


def firsts(x: np.ndarray) -> np.ndarray:
    """Where each of the pictures (n, ...) first stands: of two kinds of unequal numbers one is in several items."""
    return np.array(sorted({picture.tobytes(): i for i, picture in reversed(list(enumerate(x)))}.values()))
