"""What every task offers to the verbs."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.tasks.figure import Figure
from maquette.tasks.intervals import Measure


@dataclass(frozen=True)
class Scored:
    """One split of a data set, what the model answered, and how good that was.

    Attributes:
        split: the items as they were read.
        outputs: what `model.serve` answers for each of them: (n, ...).
        measures: metric name -> value and interval, without the prefix "test_".
        tables: name -> rows of a table, such as precision and recall per class.
        samples: what a generative model generated: (count, ...).
    """

    split: Split
    outputs: np.ndarray
    measures: dict[str, Measure]
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    samples: np.ndarray | None = None


class Task:
    """Base of the tasks. A task's file ends in `TASK = ItsClass()`.

    Attributes:
        name: as recipes give it.
        headline: the metric by which models are ranked, without the prefix "test_".
        higher_is_better: whether a larger headline is the better one.
        options: option name -> default, given as `inputs` of a recipe.
        option_types: option name -> what `--set` checks its value against.
        answer_types: what a prediction can be asked by `--set`, name -> type.
        reads_a_file: whether the user's own data are a single file.
        most_answered: how many items a trained model answers in one batch.
        makes_pictures: whether its answers are pictures, which go into a folder.
        takes_data_of: names of other tasks whose built-in data it takes as well.
    """

    name = ""
    headline = ""
    higher_is_better = False
    options: Mapping[str, Any] = {}
    option_types: Mapping[str, Any] = {}
    answer_types: Mapping[str, Any] = {}
    reads_a_file = False
    most_answered = 1000
    makes_pictures = False
    takes_data_of: tuple[str, ...] = ()

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        """The user's own data; raises InputError naming the file at fault."""
        raise NotImplementedError

    def like(self, shape: Sequence[int]) -> dict[str, Any]:
        """Options that read other data into the shape of the run's own."""
        return {}

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        """A data set made fit for the task, by the recipe's options."""
        return dataset

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        """A random change of training batches before they are encoded, (x, epoch, index) -> x; or None."""
        return None

    def weights(self, y: np.ndarray, options: Mapping[str, Any]) -> np.ndarray | None:
        """How much each training item counts in the loss, (n,); None where all count alike."""
        return None

    def encoder(self, options: Mapping[str, Any]) -> Any:
        """A new encoder, to be fitted on the training split: `fit(x)`, `transform(x)`, `to_json()`.

        It may have a `report`, lines on what it was fitted to, and `model_arguments`, as those of the task.
        """
        raise NotImplementedError

    def restore(self, text: str) -> Any:
        """The encoder that `to_json` wrote."""
        raise NotImplementedError

    def start(self, model: Any, pipeline: Any) -> None:
        """Give a new model what it starts from besides its random weights; raises InputError where it cannot."""

    def placed(self, model: Any, split: Split, encoder: Any) -> Any:
        """The model as it answers for the items of `split`: another one where that depends on what surrounds them."""
        return model

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        """Constructor arguments that follow from the data, such as the number of classes."""
        return {}

    def metrics(self) -> list[Any]:
        """Keras metrics shown while training."""
        return []

    def encode_target(self, y: np.ndarray | None, target: Mapping[str, float]) -> np.ndarray | None:
        """The target as the model is trained on it."""
        return y

    def fit_target(self, dataset: Dataset) -> dict[str, float]:
        """What `encode_target` needs, from the training split alone."""
        return {}

    def decode_outputs(self, outputs: np.ndarray, target: Mapping[str, float]) -> np.ndarray:
        """The model's answers in the units of the data."""
        return outputs

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        """The task's metrics on one split."""
        raise NotImplementedError

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        """The task's pictures of one scored split."""
        return []

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        """The task's pictures of the trained model itself."""
        return []

    def callbacks(self, folder: Path, pipeline: Any) -> list[Any]:
        """Keras callbacks that watch a training; what they add to an epoch's logs stands in metrics.jsonl."""
        return []

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        """Items to predict, from files or folders; raises InputError naming the file at fault."""
        raise NotImplementedError

    def asked(self, settings: Mapping[str, Any]) -> Self:
        """The task as one prediction asks for it: settings, of `answer_types`, as attributes."""
        task = copy.copy(self)
        vars(task).update(settings)
        return task

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        """One row per item, in words of the user's data."""
        raise NotImplementedError

    def answer_pictures(self, split: Split, outputs: np.ndarray, paths: Sequence[Path]) -> dict[str, np.ndarray]:
        """Of a task that `makes_pictures`, file name -> picture, bytes (height, width, channels)."""
        raise NotImplementedError

    def answer_figures(self, split: Split, outputs: np.ndarray) -> list[Figure]:
        """What the page beside the pictures shows."""
        return []

    def table(self, split: Split, outputs: np.ndarray, dataset: Dataset, paths: Sequence[Path]) -> list[dict[str, Any]]:
        """The rows of a .csv file of answers for the items read from `paths`."""
        return self.answers(split, outputs, dataset)
