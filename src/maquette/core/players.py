"""Two or more networks that share one loss and keep an optimizer each."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from maquette.core.model import Model


def frozen(layer: keras.layers.Layer, x: Any, training: bool = False) -> Any:
    """Run `layer` with its weights held constant: gradients reach `x`, changes of the layer's state are dropped.

    Args:
        layer: a built layer or model with one positional input.
        x: its input.
        training: passed on to the layer.
    """
    weights = [ops.stop_gradient(v.value) for v in layer.trainable_variables]
    state = [v.value for v in layer.non_trainable_variables]
    return layer.stateless_call(weights, state, x, training=training)[0]


class Players(Model):
    """A model whose networks are trained by one optimizer each.

    `compile(optimizer={"generator": Adam(1e-3), "critic": Adam(4e-3)})` sends the trainable weights found under
    the attribute `generator` to the first and those under `critic` to the second. The weights are told apart by
    identity, since the path of a weight changes when a model is saved and loaded. All players step at once, at
    the same weights.

    A player whose name is in `every` moves in each n-th step only: its optimizer gathers n gradients and takes their
    mean. A loss that is n times itself in that step and 0 in the others makes it the gradient of that step.

    Attributes:
        every: player -> n; set before `compile`.

    Raises:
        ValueError: at the first step, if a trainable weight belongs to no player.
    """

    every: Mapping[str, int] = {}
    _players: dict[str, keras.optimizers.Optimizer] | None = None

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:
        self._players, self._compile_rest = None, kwargs
        if isinstance(optimizer, Mapping):
            self._players = {name: keras.optimizers.get(one) for name, one in optimizer.items()}
            for name, one in self._players.items():
                if self.every.get(name, 1) > 1:
                    one.gradient_accumulation_steps = self.every[name]
            optimizer = keras.optimizers.MultiOptimizer(self._optimizer_of)
        super().compile(optimizer=optimizer, **kwargs)

    def _optimizer_of(self, variable: Any) -> keras.optimizers.Optimizer:
        # On TensorFlow an optimizer is handed the raw variable; its own key maps both kinds to one identity.
        optimizer: Any = self.optimizer
        key = getattr(optimizer, "inner_optimizer", optimizer)._var_key
        assert self._players is not None
        for name, one in self._players.items():
            if any(key(variable) == key(own) for own in getattr(self, name).trainable_variables):
                return one
        raise ValueError(f"no player of {type(self).__name__} owns the weight {variable.path}")

    def get_compile_config(self) -> dict[str, Any] | None:
        if self._players is None:
            return super().get_compile_config()
        players = {name: keras.saving.serialize_keras_object(one) for name, one in self._players.items()}
        return {"optimizer": {"players": players}, **self._compile_rest}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        load = keras.saving.deserialize_keras_object
        optimizer = config.pop("optimizer")
        players = isinstance(optimizer, dict) and optimizer.get("players")
        self.compile({name: load(one) for name, one in players.items()} if players else load(optimizer), **config)
        if self.built:
            self.optimizer.build(self.trainable_variables)
