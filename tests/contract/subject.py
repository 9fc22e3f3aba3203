"""One page as the contract sees it: its tiny recipe on few rows, and the models made from it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from maquette import assembly, catalog, settings, state
from maquette.data.dataset import Dataset, Split

ROWS, BATCH = 150, 32  # 150 = 4 * 32 + 22: the last batch is a partial one
Values = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Subject:
    """A page under test."""

    page: catalog.Page

    @property
    def name(self) -> str:
        return self.page.name

    @cached_property
    def model_class(self) -> Any:
        return catalog.model_class(self.name)

    @cached_property
    def recipe(self) -> Any:
        recipe = settings.tiny(catalog.recipe(self.name))
        dropout = {key: recipe.model.get(key) or 0.2 for key in self.dropout}
        model = {**recipe.model, **dropout}  # dropped units are noise as well: none of the rules is to forget them
        return replace(recipe, page=self.name, model=model, validation=0.0, patience=0, epochs=3)

    @property
    def dropout(self) -> list[str]:
        """The constructor's arguments that are some kind of dropout."""
        return [key for key in settings.arguments(self.name) if key.endswith("dropout")]

    @cached_property
    def whole(self) -> assembly.Pipeline:
        """The tiny recipe's pipeline on all its rows."""
        return assembly.prepare(self.recipe)

    @cached_property
    def pipeline(self) -> assembly.Pipeline:
        """The same on few rows; a recipe whose batch is the whole training set keeps it whole."""
        if not self.recipe.batch_size:
            return self.whole
        train = first(self.whole.dataset.train, ROWS)
        size = BATCH if len(train) > BATCH else max(1, len(train) * 2 // 3)
        assert len(train) == 1 or len(train) % size, "the training rows fill their batches: no tail is tested"
        return with_data(self.whole, train=train, batch_size=size)

    @property
    def validated(self) -> assembly.Pipeline:
        """The pipeline with a validation split."""
        return with_data(self.pipeline, validation=first(self.pipeline.dataset.train, 40))

    @property
    def batch(self) -> tuple[Any, ...]:
        """The first batch, as `fit` would be given it."""
        return self.pipeline.batches(self.pipeline.dataset.train)[0]

    @property
    def x(self) -> Any:
        """The first eight encoded inputs."""
        return self.batch[0][:8]

    def build(self, initialize: bool = True, **recipe: Any) -> Any:
        """A new compiled model, started from the data where the page says how; `recipe` changes the recipe."""
        pipeline = with_data(self.pipeline, **recipe)
        model = assembly.build(pipeline)
        if initialize and hasattr(model, "initialize"):
            train = pipeline.dataset.train
            model.initialize(pipeline.encoder.transform(train.x), train.y)
        return model

    def train(self, model: Any, epochs: int = 1, shuffle: bool = True) -> Any:
        """Train on the few rows, in the order of the recipe's seed; returns Keras's history."""
        batches = self.pipeline.batches(self.pipeline.dataset.train, shuffle=shuffle)
        # Keras would shuffle the order of the batches as well, by Python's own generator.
        return model.fit(batches, epochs=epochs, shuffle=False, verbose=0).history

    def evaluate(self, model: Any) -> dict[str, float]:
        batches = self.pipeline.batches(self.pipeline.dataset.train)
        return {k: float(v) for k, v in model.evaluate(batches, verbose=0, return_dict=True).items()}

    def trained(self, epochs: int = 1, **recipe: Any) -> Any:
        """A new model after a short training."""
        model = self.build(**recipe)
        self.train(model, epochs)
        return model

    @cached_property
    def finished(self) -> Any:
        """A model after a short training, shared by the checks that change nothing of it but evaluation's counters."""
        return self.trained()

    def without_dropout(self) -> dict[str, Any]:
        """Recipe changes that switch off every dropout, whose draws no table stands in for."""
        return {"model": {**self.recipe.model, **dict.fromkeys(self.dropout, 0.0)}}


def first(split: Split, rows: int) -> Split:
    return split.take(np.arange(min(rows, len(split))))


def with_data(pipeline: assembly.Pipeline, **changes: Any) -> assembly.Pipeline:
    """The pipeline with other splits (train=, validation=) or other entries of its recipe."""
    splits = {key: changes.pop(key) for key in ("train", "validation", "test") if key in changes}
    dataset: Dataset = replace(pipeline.dataset, **splits, groups=None)
    return replace(pipeline, dataset=dataset, recipe=replace(pipeline.recipe, **changes))


def array(value: Any) -> np.ndarray:
    """A tensor as a NumPy array of its own."""
    return np.array(ops.convert_to_numpy(ops.stop_gradient(value) if ops.is_tensor(value) else value))


def values(model: Any) -> Values:
    """All that training may change, by place and path: weights, seed counters, the optimizer's variables."""
    return {f"{key} {v.path}": array(v) for key, v in state.variables(model).items()}


def trainable(model: Any) -> Values:
    return {f"{i} {v.path}": array(v) for i, v in enumerate(model.trainable_variables)}


def served(model: Any, x: Any) -> np.ndarray:
    """What the model serves for a batch of encoded inputs, computed eagerly."""
    return array(model.serve(ops.convert_to_tensor(x)))


def changed(before: Values, after: Values) -> list[str]:
    """The names whose arrays are not equal bit for bit; names are compared by place, since paths may differ."""
    assert len(before) == len(after), f"{len(before)} variables became {len(after)}"
    pairs = zip(before.items(), after.items(), strict=True)
    return [name for (name, old), (_, new) in pairs if not same(old, new)]


def same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def training_only(names: Iterable[str]) -> list[str]:
    """The names without the counters of evaluation's own noise."""
    return [name for name in names if "evaluation/seed_generator_state" not in name]


def sgd(model: Any, rate: float) -> None:
    """Compile the model anew with plain gradient descent, one optimizer per player where there are players."""
    players = getattr(model, "_players", None)
    one = keras.optimizers.SGD
    model.compile(optimizer={name: one(rate) for name in players} if players else one(rate))
    model.optimizer.build(model.trainable_variables)
