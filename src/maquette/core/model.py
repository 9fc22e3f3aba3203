"""What every page's model inherits: a fixed name, a loss per replica, saved seed counters, a served function."""

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    # With it a compiled step on the CPU now and then reads a weight after its update where the old value is due, as
    # in a player's loss that holds the other player constant (TensorFlow 2.21).
    tf.config.optimizer.set_experimental_options({"dependency_optimization": False})


def learning_rule(compute_loss: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a page's `compute_loss` as its whole learning rule: mean loss -> what Keras has to minimise.

    Adds the penalties of layers with a regularizer, which a `compute_loss` of one's own leaves out, and divides
    by the number of replicas under `tf.distribute`, where Keras scales its own losses but nobody else's and
    gradients are summed. Everywhere else the loss is returned as it is.
    """

    @functools.wraps(compute_loss)
    def per_replica(
        self: Any, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        loss = compute_loss(self, x, y, y_pred, sample_weight, training)
        for penalty in self.losses:
            loss = loss + ops.cast(penalty, loss.dtype)
        replicas = _replicas()
        return loss if replicas == 1 else loss / replicas

    per_replica.is_learning_rule = True  # type: ignore[attr-defined]
    return per_replica


def _replicas() -> int:
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


@contextmanager
def precision(policy: Any) -> Iterator[None]:
    """Make the layers of a block under a Keras dtype policy, by name or object; ValueError for an unknown one."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class Model(keras.Model):
    """Base of every page that learns.

    A page defines `call` and a `compute_loss` marked with `@learning_rule`, and the abilities that it has.

    Attributes:
        tasks: names of the tasks that the model can be trained for.
        tracked: names of running means, beside the loss, that `compute_loss` reports by `self.track`.
        monitor: the logged quantity that falls as the model learns; None in a game, where none has to.
    """

    tasks: ClassVar[tuple[str, ...]] = ()
    tracked: ClassVar[tuple[str, ...]] = ()
    monitor: ClassVar[str | None] = "loss"

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        # A name counted up by Keras would differ from one process to the next.
        own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()
        super().__init__(name=name or own, **kwargs)
        self.running = [keras.metrics.Mean(name=key) for key in self.tracked]

    def build(self, input_shape: Any) -> None:
        """Make every weight by running `call` once on a symbolic input: (batch or None, ...)."""
        self.compute_output_spec(keras.KerasTensor((None, *input_shape[1:]), dtype=self.compute_dtype))

    def serve(self, x: Any) -> Any:
        """The function that `predict` and `export` run: the network's input -> what a user asks for."""
        return self(x, training=False)

    def track(self, batch: Any, **values: Any) -> None:
        """Add one batch's mean of each tracked quantity; `batch` is an array whose first axis is the batch."""
        means = {mean.name: mean for mean in self.running}
        weight = ops.cast(ops.shape(batch)[0], "float32")
        for key, value in values.items():
            means[key].update_state(value, sample_weight=weight)

    def _seed_states(self) -> list[Any]:
        weights = {id(v) for v in self.weights}
        return [v for v in self.variables if id(v) not in weights]

    def save_own_variables(self, store: Any) -> None:
        """Store the model's own weights and, which Keras leaves out, every seed counter below it."""
        super().save_own_variables(store)
        for i, state in enumerate(self._seed_states()):
            store[f"seed_{i}"] = np.asarray(ops.convert_to_numpy(state.value))

    def load_own_variables(self, store: Any) -> None:
        """Inverse of `save_own_variables`; raises ValueError if the number of seed counters differs."""
        stored = {key: store[key] for key in store.keys()}  # noqa: SIM118  an entry of an .h5 file is no dictionary
        seeds = [stored.pop(key) for key in sorted(stored, key=len) if key.startswith("seed_")]
        states = self._seed_states()
        if len(seeds) != len(states):
            raise ValueError(f"{self.name}: the file holds {len(seeds)} seed counters, the model has {len(states)}")
        for state, value in zip(states, seeds, strict=True):
            state.assign(value)
        super().load_own_variables(stored)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, each of which a page keeps as an attribute of the same name."""
        arguments = inspect.signature(type(self).__init__).parameters.values()
        own = [a.name for a in arguments if a.kind is a.POSITIONAL_OR_KEYWORD and a.name not in ("self", "name")]
        policy = keras.saving.serialize_keras_object(self.dtype_policy)
        return {"name": self.name, "dtype": policy, **{name: getattr(self, name) for name in own}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Model":
        """The model of a configuration, its layers under the dtype policy that they were made under."""
        policy = keras.saving.deserialize_keras_object(config["dtype"])
        with precision(policy):
            return cls(**{**config, "dtype": policy})
