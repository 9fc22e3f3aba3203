"""Density: examples in, a model of their distribution out, judged by what it generates or reconstructs.

Data     pictures in shades of grey, or points; a built-in set, or a folder of pictures in a folder per class
Options  size, as for image classification; pixels are in [0, 1]. binary: "threshold" makes every pixel 0 or 1 at
         one half; "sample" draws it with its grey as probability, of training pictures anew in every epoch
Metrics  reconstruction error (mean square per pixel) of models that reconstruct; of Boltzmann machines the mean
         log-likelihood in nats, log Z, pseudo-likelihood and free-energy gap (maquette/tasks/density_likelihood.py);
         of variational autoencoders a bound of the log-likelihood in nats;
         for points whose labels are modes, the number of modes that samples reach and the share of samples within 3
         standard deviations of one
Answer   the reconstruction error of each picture
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError
from maquette.tasks import density_figures
from maquette.tasks.density_likelihood import bounds, drawn, likelihood, scaled
from maquette.tasks.figure import GREY, ORANGE, WIDTH, Figure, canvas, finish, pictures, pictures_height
from maquette.tasks.image_classification import ImageClassification
from maquette.tasks.intervals import Measure, mean_of, wilson
from maquette.tasks.task import Scored

SAMPLES = 2000
POINTS = 700  # of each kind that are drawn


class AsIs:
    """The encoder of points: float32, unchanged."""

    def fit(self, x: np.ndarray) -> "AsIs":
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x, "float32")

    def to_json(self) -> str:
        return "{}"


class Density(ImageClassification):
    """Outputs are what `model.serve` makes of an item, a reconstruction or a score."""

    name = "density"
    headline = "reconstruction_error"
    options = {"size": None, "binary": "no"}
    option_types = {"size": ImageClassification.option_types["size"], "binary": Literal["no", "threshold", "sample"]}

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        return {}

    def metrics(self) -> list[Any]:
        return []

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        if dataset.train.x.ndim != 4:
            return dataset
        dataset = super().adapt(dataset, options)
        parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
        if options["binary"] == "sample":  # the training pictures stay grey, and are drawn batch by batch
            del parts["train"]
        changed = {name: part and replace(part, x=_binary(part.x, options)) for name, part in parts.items()}
        return replace(dataset, **changed)

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        return partial(_drawn_batch, seed=seed) if options["binary"] == "sample" else None

    def encoder(self, options: Mapping[str, Any]) -> Any:
        return _Either()

    def restore(self, text: str) -> Any:
        return AsIs() if text == "{}" else super().restore(text)

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        measures: dict[str, Measure] = {}
        samples = None
        if hasattr(model, "machine"):
            measures |= likelihood(model, split, dataset)
        if outputs.shape == split.x.shape:
            measures["reconstruction_error"] = mean_of(_errors(split.x, outputs))
        if hasattr(model, "bound"):
            measures["log_likelihood_bound"] = mean_of(bounds(model, split.x))
        if hasattr(model, "generate"):
            samples = np.asarray(_generate(model, SAMPLES if split.x.ndim == 2 else 60))
        if samples is not None and split.x.ndim == 2 and split.y is not None:
            measures |= modes(samples, split.x, np.asarray(split.y))
        return Scored(split, outputs, measures, samples=samples)

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        x = np.asarray(scored.split.x)
        points = x.ndim == 2
        figures = [] if scored.samples is None else [_scatter(scored) if points else _gallery(scored.samples)]
        if not points and scored.outputs.shape == x.shape and len(scored.outputs):
            figures.append(_reconstructions(scored))
        return figures

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        return density_figures.draw(model, scored, dataset)

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        if len(shape) != 3:
            raise InputError(f"{paths[0]}: the run was trained on points and answers for no file; take one of pictures")
        return super().read_inputs(paths, encoder, shape)

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        if outputs.shape != split.x.shape:
            raise InputError(f"{split.names[0]}: the run's model reconstructs nothing, and so has no answer for a file")
        errors = _errors(split.x, outputs)
        return [{"input": n, "reconstruction_error": float(e)} for n, e in zip(split.names, errors, strict=True)]


class _Either:
    """Fits the encoder of pictures or of points, whichever the data are."""

    def fit(self, x: np.ndarray) -> Any:
        from maquette.data.pictures import PictureScaler

        return PictureScaler(standardise=False).fit(x) if x.dtype == np.uint8 else AsIs()


def _errors(x: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.square(scaled(x) - outputs).reshape(len(x), -1).mean(axis=1)


def _binary(x: np.ndarray, options: Mapping[str, Any]) -> np.ndarray:
    if options["binary"] == "sample":
        return drawn(x, np.random.default_rng(0))
    return np.where(x > 127, np.uint8(255), np.uint8(0)) if options["binary"] == "threshold" else x


def _drawn_batch(x: np.ndarray, epoch: int, index: int, seed: int) -> np.ndarray:
    return drawn(x, np.random.default_rng((seed, epoch, index)))


def _generate(model: Any, count: int) -> np.ndarray:
    from keras import ops

    return ops.convert_to_numpy(model.generate(count))


def modes(samples: np.ndarray, x: np.ndarray, y: np.ndarray) -> dict[str, Measure]:
    """Coverage of labelled modes by samples (n, dim), from the real points x (m, dim) and their modes y (m,).

    A sample belongs to the nearest mode if it lies within 3 standard deviations, per coordinate, of that mode's mean.
    """
    labels = np.unique(y)
    centres = np.stack([x[y == k].mean(axis=0) for k in labels])
    deviation = np.array([x[y == k].std(axis=0).mean() for k in labels])
    distance = np.linalg.norm(samples[:, None] - centres, axis=-1)  # (n, modes)
    nearest = distance.argmin(axis=1)
    inside = distance.min(axis=1) < 3 * deviation[nearest]
    counts = np.bincount(nearest[inside], minlength=len(labels))
    reached = int((counts >= len(samples) / len(labels) / 4).sum())
    return {"modes": Measure(float(reached)), "in_modes": wilson(int(inside.sum()), len(samples))}


def _scatter(scored: Scored) -> Figure:
    assert scored.samples is not None
    picture, axes = canvas(WIDTH, WIDTH)
    axes.scatter(*np.asarray(scored.split.x)[:POINTS, :2].T, s=14, color=GREY, alpha=0.45, linewidths=0, label="data")
    axes.scatter(*scored.samples[:POINTS, :2].T, s=9, color=ORANGE, alpha=0.7, linewidths=0, label="generated")
    axes.set_aspect("equal", adjustable="datalim")
    picture.legend(loc="outside upper center", ncols=2, handletextpad=0.1, markerscale=1.6)
    caption = f"Generated points over points of the data, at most {POINTS} of each."
    if "modes" in scored.measures and scored.split.y is not None:
        reached, inside = scored.measures["modes"].value, scored.measures["in_modes"].value
        caption += (
            f" {reached:.0f} of {len(np.unique(scored.split.y))} modes are reached; {inside:.1%} of the points lie"
        )
        caption += " in one."
    return finish(picture, "samples", "Samples", caption)


def _gallery(samples: np.ndarray) -> Figure:
    columns = 10
    picture, axes = canvas(WIDTH, pictures_height(samples, columns))
    pictures(axes, samples, columns)
    return finish(picture, "samples", "Samples", "Pictures that the model generated, not chosen.")


def _reconstructions(scored: Scored) -> Figure:
    """Rows of originals, each over the row of their reconstructions."""
    columns = min(10, len(scored.outputs))
    count = min(3, len(scored.outputs) // columns) * columns
    x = scaled(np.asarray(scored.split.x)[:count])
    pairs = [part.reshape(-1, columns, *x.shape[1:]) for part in (x, scored.outputs[:count])]
    shown = np.stack(pairs, axis=1).reshape(-1, *x.shape[1:])  # row of originals, row of reconstructions, and so on
    picture, axes = canvas(WIDTH, pictures_height(shown, columns))
    pictures(axes, shown, columns)
    caption = "The first pictures of the split, each row over the row of its reconstructions."
    return finish(picture, "reconstructions", "Reconstructions", caption)


TASK = Density()
