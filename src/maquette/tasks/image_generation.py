"""Image generation: examples in, a generator of more of their kind out; points of a plane serve as its smallest case.

Data     pictures: a built-in set, or a folder of pictures in a folder per class; points whose labels are modes
Options  size, as for image classification; pixels are in [0, 1]
Metrics  of pictures, over features that their names state (maquette/tasks/generation_features.py): frechet_distance,
         kernel_distance, precision and recall; where there are classes, classes (how many get at least a quarter of
         their fair share of the samples) and class_gap (the largest distance of a share from 1 / classes)
         of points: modes, how many get at least a quarter of their fair share, and in_modes, the share of points
         within 3 standard deviations of the nearest one
         the table `scores` has the same for training items, as good as a generator can become
Figures  samples, samples of the same noise by epoch, ways from sample to sample, and the training pictures nearest to
         samples; the metrics by epoch, where a collapse shows
Answer   none: a generator answers for no file
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError
from maquette.methods.generative.sample_quality import frechet_distance, kernel_distance, precision_recall
from maquette.tasks import generation_figures
from maquette.tasks.density import Density, modes
from maquette.tasks.figure import Figure
from maquette.tasks.generation_features import Features, features
from maquette.tasks.intervals import Measure, wilson
from maquette.tasks.task import Scored

SAMPLES = 5000  # at most, and of real items as many
POINTS = 2500
MOST_LISTED = 100  # classes, for a table of their shares
SEED = 1  # of the samples that are scored: the same noise for every model


class ImageGeneration(Density):
    """Outputs are what the critic says; nothing is made of them."""

    name = "image-generation"
    headline = "frechet_distance_mlp64"
    options = {"size": None}
    option_types = {"size": Density.option_types["size"]}

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        return {"classes": len(dataset.classes)} if dataset.classes else {}

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        return super().adapt(dataset, {**options, "binary": "no"})

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        return None

    def callbacks(self, folder: Path, pipeline: Any) -> list[Any]:
        from maquette.tasks.generation_progress import Progress

        return [Progress(folder, pipeline.dataset, pipeline.recipe.epochs)]

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        x = np.asarray(split.x)
        samples = drawn(model, POINTS if x.ndim == 2 else max(500, min(SAMPLES, len(x))))
        # Some sets are sorted, such as MNIST's test split, whose second half is harder.
        real = split if x.ndim == 2 else _some(split, len(samples))
        train = _some(dataset.train, len(samples)).x
        found = {"generated": scores(samples, real, dataset), "training": scores(train, real, dataset)}
        rows = [{"items": kind, **{k: m.value for k, m in measures.items()}} for kind, measures in found.items()]
        tables = {"scores": rows, **({"classes": _shares(samples, real.x, dataset)} if x.ndim == 4 else {})}
        return Scored(split, outputs, found["generated"], tables, samples)

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        assert scored.samples is not None
        if scored.samples.ndim == 2:
            return super().figures(scored, dataset)
        return [
            generation_figures.gallery(scored.samples),
            generation_figures.nearest(scored.samples, np.asarray(dataset.train.x)),
        ]

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        return [generation_figures.ways(model)] if np.ndim(scored.split.x) == 4 else []

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        raise InputError(f"{paths[0]}: the run's model generates, and has no answer for a file")


def _some(split: Split, count: int) -> Split:
    """At most `count` items of a split, always the same ones."""
    return split.take(np.random.default_rng(0).permutation(len(split))[:count])


def drawn(model: Any, count: int, seed: int = SEED) -> np.ndarray:
    """`count` samples of fixed noise."""
    from keras import ops

    parts = [model.generate(min(500, count - i), seed=(seed, i)) for i in range(0, count, 500)]
    return np.concatenate([ops.convert_to_numpy(part) for part in parts]).astype("float32")


def scores(samples: np.ndarray, split: Split, dataset: Dataset) -> dict[str, Measure]:
    """The task's metrics of samples (n, ...) against a split."""
    if samples.ndim == 2:
        return modes(samples, np.asarray(split.x), np.asarray(split.y)) if split.y is not None else {}
    known = features(dataset)
    real, made = known.of(np.asarray(split.x)), known.of(samples)
    covered = precision_recall(real, made)
    return {
        f"frechet_distance_{known.name}": Measure(frechet_distance(real, made)),
        f"kernel_distance_{known.name}": Measure(kernel_distance(real, made)),
        f"precision_{known.name}": wilson(round(covered.precision * len(made)), len(made)),
        f"recall_{known.name}": wilson(round(covered.recall * len(real)), len(real)),
        **spread(samples, known, len(dataset.classes)),
    }


def spread(samples: np.ndarray, known: Features, classes: int) -> dict[str, Measure]:
    """How samples (n, ...) spread over the classes; nothing where there are none."""
    if known.classes_of is None:
        return {}
    shares = np.bincount(known.classes_of(samples), minlength=classes) / len(samples)
    return {
        "classes": Measure(float((shares >= 1 / classes / 4).sum())),
        "class_gap": Measure(float(np.abs(shares - 1 / classes).max())),
    }


def _shares(samples: np.ndarray, x: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
    """What share of generated and of real pictures the features' perceptron takes for each class."""
    known = features(dataset)
    if known.classes_of is None or len(dataset.classes) > MOST_LISTED:
        return []
    parts = {"generated": samples, "real": x}
    counts = {k: np.bincount(known.classes_of(part), minlength=len(dataset.classes)) for k, part in parts.items()}
    return [
        {"class": name, **{k: float(found[i] / len(parts[k])) for k, found in counts.items()}}
        for i, name in enumerate(dataset.classes)
    ]


TASK = ImageGeneration()
