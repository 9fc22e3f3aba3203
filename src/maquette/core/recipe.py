"""What to train, on what, how, and what to expect: plain data, no code runs when a recipe is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Expect:
    """A published or required value of one metric, and how a measured one is compared with it.

    Args:
        value: the value, in the metric's own unit (fractions, not percent).
        source: where the value comes from: author, year, table, or "required".
        sense: the measured value has to be "at most", "at least" or "near" `value`.
        tolerance: absolute slack; the half width of the band for "near".
    """

    value: float
    source: str
    sense: Literal["at most", "at least", "near"] = "at most"
    tolerance: float = 0.0

    def met(self, measured: float) -> bool:
        """Whether `measured` satisfies the expectation."""
        gap = measured - self.value
        return {"at most": gap <= self.tolerance, "at least": -gap <= self.tolerance}.get(
            self.sense, abs(gap) <= self.tolerance
        )

    def __str__(self) -> str:
        slack = f" ± {self.tolerance:g}" if self.sense == "near" and self.tolerance else ""
        return f"{self.sense} {self.value:g}{slack}"


@dataclass(frozen=True)
class Recipe:
    """One way to train one model on one data set.

    Args:
        name: the recipe's name, as given to `train` and `reproduce`.
        task: the task, named as its file in `maquette/tasks` with hyphens.
        data: a built-in data set's name, or the path of the user's own data.
        page: the model page; empty on a page, where it is that page.
        model: arguments of the model's constructor.
        inputs: options of the task's reader and encoder, such as `size` of pictures or the `target` column.
        optimizer: one entry, Keras's optimizer name -> learning rate or dictionary of arguments; or one such
            entry per player of a model with several networks.
        schedule: the learning rate over the run: "constant", "cosine" from its value down to 0, or "linear", its value
            for half of the run and then straight down to 0.
        batch_size: examples per step; 0 takes the whole training set as one batch.
        epochs: passes over the training set.
        shuffle: whether each epoch draws a new order from (seed, epoch).
        seed: fixes initial weights, order, noise and splits.
        validation: fraction of the training split held out and scored after every epoch.
        test: fraction held out for the test where the data set has no test split of its own.
        patience: with validation, stop after this many epochs without a better validation loss and keep the
            best weights; 0 never stops early.
        pretrained: where the weights of all layers but the last come from at the start: "imagenet", or the folder of a
            run of the same model; '' starts from random ones. They stay as they are while the head is trained.
        finetune_epochs: with pretrained weights, how many of the epochs, the last ones, train more than the head.
        finetune_layers: how many of the last layers with weights below the head learn then; 0 all of them.
        finetune_rate: the factor of the learning rate in these epochs.
        precision: a Keras dtype policy: float32, mixed_bfloat16 or mixed_float16.
        expect: metric name -> Expect.
        seeds: over how many seeds `reproduce` runs the recipe.
        minutes: rough time of one seed on two CPU cores.
        tiny: overrides, written as for `--set`, that shrink the run to seconds for tests.
    """

    name: str
    task: str
    data: str
    page: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    optimizer: Mapping[str, Any] = field(default_factory=lambda: {"adam": 1e-3})
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    batch_size: int = 128
    epochs: int = 10
    shuffle: bool = True
    seed: int = 0
    validation: float = 0.0
    test: float = 0.2
    patience: int = 0
    pretrained: str = ""
    finetune_epochs: int = 0
    finetune_layers: int = 0
    finetune_rate: float = 0.1
    precision: str = "float32"
    expect: Mapping[str, Expect] = field(default_factory=dict)
    seeds: int = 3
    minutes: float = 1.0
    tiny: Mapping[str, Any] = field(default_factory=dict)
