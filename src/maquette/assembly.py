"""From a recipe to data, encoder and compiled model: what training, tests and benchmarks start from."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from maquette import catalog, data, pretrained, settings
from maquette.core.adam import Adam
from maquette.core.model import precision
from maquette.core.recipe import Recipe
from maquette.data.batches import Batches
from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError, near
from maquette.schedule import LateLinearDecay

ENCODED_AT_ONCE = 2**28  # bytes of float32: larger sets of pictures stay bytes and are encoded batch by batch

ANSWERED_AT_ONCE = 2**22  # numbers in a batch of inputs that a trained model answers; see also Task.most_answered


@dataclass(frozen=True)
class Pipeline:
    """Data read and encoded as a recipe says; everything fitted saw the training split only.

    Attributes:
        recipe: the resolved recipe.
        task: its task.
        dataset: the splits.
        encoder: fitted inputs -> float32 arrays.
        target: what the task needs to encode targets.
        shape: the shape of one encoded input.
    """

    recipe: Recipe
    task: Any
    dataset: Dataset
    encoder: Any
    target: dict[str, float]
    shape: tuple[int, ...]

    def training(self, epoch: int = 0) -> Batches:
        """The training split's batches from `epoch` on, in the recipe's order, with its random changes."""
        options, train = input_options(self.recipe), self.dataset.train
        change = self.task.change(options, self.recipe.seed)
        batches = self.batches(train, self.recipe.shuffle, epoch, change)
        batches.weights = None if train.y is None else self.task.weights(train.y, options)
        return batches

    def batches(self, split: Split, shuffle: bool = False, epoch: int = 0, change: Any = None) -> Batches:
        """The split's encoded batches: in the order of the split, or shuffled by (seed, epoch); `change` see `Task`."""
        y = self.task.encode_target(split.y, self.target)
        size, seed = self.recipe.batch_size, self.recipe.seed if shuffle else None
        encoded = 4 * len(split) * math.prod(self.shape)
        if not change and (isinstance(split.x, Mapping) or encoded <= ENCODED_AT_ONCE):
            return Batches(self.encoder.transform(split.x), y, size, seed, epoch)
        return Batches(split.x, y, size, seed, epoch, self.encoder.transform, change)

    def outputs(self, model: Any, split: Split) -> np.ndarray:
        """What the model serves for every item, in the units of the data: (n, ...)."""
        model = self.task.placed(model, split, self.encoder)
        return self.task.decode_outputs(self.answers(Served(model), split), self.target)

    def answers(self, model: Any, split: Split) -> np.ndarray:
        """What a model on encoded inputs gives for every item: (n, ...)."""
        size = min(len(split), self.task.most_answered, ANSWERED_AT_ONCE // math.prod(self.shape)) or 1
        # The last batch is filled up, so that the model is compiled for one shape alone.
        whole = split.take(np.arange(-(-len(split) // size) * size) % len(split)) if len(split) % size else split
        batches = self.batches(Split(whole.x))
        batches.batch_size = size
        answers: np.ndarray = model.predict(batches, verbose=0)
        return answers[: len(split)]

    def to_json(self) -> dict[str, Any]:
        """What prediction needs of the pipeline, to be saved beside the model."""
        d = self.dataset
        return {
            **{"task": self.task.name, "data": d.name, "origin": d.origin, "report": d.report},
            "counts": {name: len(getattr(d, name)) for name in ("train", "validation", "test") if getattr(d, name)},
            **{"classes": d.classes, "features": d.features, "target": d.target},
            **{"shape": self.shape, "target_scale": self.target, "encoder": self.encoder.to_json()},
            "fingerprint": d.fingerprint(),
        }


class Served(keras.Model):
    """x -> model.serve(x): what prediction and export run."""

    def __init__(self, model: Any, **kwargs: Any) -> None:
        super().__init__(name="served", **kwargs)
        self.inner = model
        self.built = True

    def call(self, x: Any) -> Any:
        return self.inner.serve(x)


def read_data(recipe: Recipe) -> Dataset:
    """The recipe's data set with its test and validation splits.

    Splits that have to be made are made by seed 0 whatever the recipe's seed, so that runs of several seeds and
    models are scored on the same items; of a set with published folds each seed has one of them.

    Raises:
        InputError: for an unknown name or missing path, or whatever the reader refuses.
    """
    task, options = catalog.task(recipe.task), input_options(recipe)
    if recipe.data.replace("-", "_") in catalog.pages("data"):
        dataset = data.load(recipe.data.replace("-", "_"), options.get("size"))
    elif Path(recipe.data).exists():
        dataset = task.read(Path(recipe.data), options)
    else:
        known = near(recipe.data, catalog.pages("data"))
        raise InputError(f"{recipe.data} is neither a file or folder nor a built-in data set: {known}")
    _refuse_damaged(dataset)
    dataset = task.adapt(dataset, options)
    if dataset.test is None:
        dataset = dataset.with_test(recipe.test, seed=0)
    if dataset.validation is None:
        dataset = dataset.with_validation(recipe.validation, seed=0)
    return dataset


def _refuse_damaged(dataset: Dataset) -> None:
    """Raise InputError for an empty training split, a number that is none, or a label without a class."""
    if not len(dataset.train):
        raise InputError(f"{dataset.name}: the train split has no items: give at least one")
    for part in ("train", "validation", "test"):
        split = getattr(dataset, part)
        for what, values in {"x": split.x, "y": split.y}.items() if split else ():
            if not isinstance(values, np.ndarray) or values.dtype.kind not in "fi":
                continue  # a table's columns have their gaps filled by its encoder
            wrong = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
            if what == "y" and values.dtype.kind == "i" and dataset.classes:
                wrong = (values < 0) | (values >= len(dataset.classes))
            if wrong.any():
                item, value = int(np.argwhere(wrong)[0][0]), values[wrong][0]
                raise InputError(
                    f"{dataset.name}: {what} of item {item} of the {part} split is {value}: mend or drop it"
                )


def input_options(recipe: Recipe) -> dict[str, Any]:
    """The task's options, the recipe's `inputs` over the defaults, and its seed; raises InputError for unknown ones."""
    known = catalog.task(recipe.task).options
    for key in recipe.inputs:
        if key not in known:
            raise InputError(f"inputs.{key}: {recipe.task} has no such option; {near(key, known)}")
    return {**known, **pretrained.options(recipe), **recipe.inputs, "seed": recipe.seed}


def prepare(recipe: Recipe) -> Pipeline:
    """Read the recipe's data and fit its encoder; raises InputError for data that the recipe cannot be trained on."""
    task = catalog.task(recipe.task)
    task.change(input_options(recipe), recipe.seed)  # refuses a wrong one before anything is read
    pretrained.check(recipe)
    dataset = read_data(recipe)
    if recipe.patience and dataset.validation is None:
        raise InputError(f"patience={recipe.patience} watches the validation loss: set validation=0.1 as well")
    own = task.encoder(input_options(recipe))
    encoder = pretrained.encoder(recipe) if recipe.pretrained else own.fit(dataset.train.x)
    dataset = replace(dataset, report=(*dataset.report, *getattr(encoder, "report", ())))
    first = encoder.transform(dataset.train.take([0]).x)
    return Pipeline(recipe, task, dataset, encoder, task.fit_target(dataset), tuple(first.shape[1:]))


def build(pipeline: Pipeline) -> Any:
    """A new compiled model for the pipeline, its weights fixed by the recipe's seed."""
    recipe = pipeline.recipe
    known = settings.arguments(recipe.page)
    said = {**pipeline.task.model_arguments(pipeline.dataset), **getattr(pipeline.encoder, "model_arguments", {})}
    given = {k: v for k, v in said.items() if k in known}
    for key, value in given.items():
        if recipe.model.get(key, value) != value:
            raise InputError(f"model.{key}={recipe.model[key]}: {recipe.data} has {value}; leave the setting out")
    seed = {"seed": recipe.seed} if "seed" in known else {}
    # Keras draws every seed that a layer or initializer is not given from Python's own generator.
    random.seed(recipe.seed)
    np.random.seed(recipe.seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.random.set_seed(recipe.seed)  # deterministic TensorFlow refuses random operations without a seed
    with _precision(recipe.precision):
        try:
            model = catalog.model_class(recipe.page)(**{**given, **seed, **recipe.model})
        except (TypeError, ValueError) as error:
            raise InputError(f"{recipe.page} refuses its arguments: {str(error).splitlines()[0]}") from error
        model.build((None, *pipeline.shape))
    model = pipeline.task.placed(model, pipeline.dataset.train, pipeline.encoder)
    return compiled(model, pipeline, recipe.epochs)


def compiled(model: Any, pipeline: Pipeline, epochs: int, factor: float = 1.0) -> Any:
    """The built model with the recipe's optimizer for so many epochs, its learning rate multiplied by `factor`."""
    recipe, examples = pipeline.recipe, len(pipeline.dataset.train)
    steps = -(-examples // (recipe.batch_size or examples)) * epochs
    with _precision(recipe.precision):
        model.compile(optimizer=optimizers(recipe, steps, factor), metrics=pipeline.task.metrics())
        model.optimizer.build(model.trainable_variables)
    return model


def _precision(policy: str) -> Any:
    if policy not in ("float32", "mixed_bfloat16", "mixed_float16"):
        raise InputError(f"precision={policy}: take float32, mixed_bfloat16 or mixed_float16")
    return precision(policy)


def optimizers(recipe: Recipe, steps: int, factor: float = 1.0) -> Any:
    """The recipe's optimizer, or a dictionary of them by player, with `factor` times its rate, over `steps` steps."""
    known = {name.lower() for name, item in vars(keras.optimizers).items() if isinstance(item, type)}
    if all(isinstance(one, Mapping) and name.lower() not in known for name, one in recipe.optimizer.items()):
        return {player: _optimizer(one, recipe, steps, factor, known) for player, one in recipe.optimizer.items()}
    return _optimizer(recipe.optimizer, recipe, steps, factor, known)


def _optimizer(entry: Mapping[str, Any], recipe: Recipe, steps: int, factor: float, known: set[str]) -> Any:
    if len(entry) != 1:
        raise InputError(
            f"optimizer={dict(entry)}: give one name with its learning rate, for example optimizer.adam=0.001"
        )
    ((name, value),) = entry.items()
    if name.lower() not in known:
        raise InputError(f"optimizer.{name}: Keras has no such optimizer; {near(name, known)}")
    config = {**value} if isinstance(value, Mapping) else {"learning_rate": value}
    if factor != 1:
        config["learning_rate"] = factor * config.get("learning_rate", 1e-3)
    if recipe.schedule != "constant":
        decay = {"cosine": keras.optimizers.schedules.CosineDecay, "linear": LateLinearDecay}[recipe.schedule]
        config["learning_rate"] = decay(config["learning_rate"], steps)
    try:
        own = {n.lower(): item for n, item in vars(keras.optimizers).items()} | {"adam": Adam}
        return own[name.lower()](name=name, **config)
    except (TypeError, ValueError) as error:
        raise InputError(f"optimizer.{name}: {str(error).splitlines()[0]}") from error
