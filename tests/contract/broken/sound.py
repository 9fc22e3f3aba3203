"""A small classifier that breaks no rule, from which the broken pages are made.

Hidden   h = tanh(x.U) + s n, n ~ N(0, I) while training       (batch, features) -> (batch, width)
Output   logits z = h.V
Loss     cross-entropy of the true classes
Rule     gradients by backpropagation; `seen` counts the items that training has shown

Source: Rumelhart, Hinton, Williams (1986), "Learning representations by back-propagating errors".

Example:
    >>> from tests.contract.broken.sound import Sound
    >>> Sound(classes=3).classes
    3
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.core.dropout import Dropout
from maquette.core.model import Model, learning_rule
from maquette.core.noise import Noise
from maquette.core.recipe import Recipe

RECIPE = Recipe(
    name="sound", task="tabular-classification", data="wine", model={"width": 5}, optimizer={"sgd": 0.1}, epochs=3
)


@keras.saving.register_keras_serializable("broken")
class Sound(Model):
    """x: (batch, features) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        width: hidden units.
        dropout: share of hidden units left out.
        seed: of the noise.
    """

    tasks = ("tabular-classification",)
    tracked = ("spread",)

    def __init__(self, classes: int = 3, width: int = 4, dropout: float = 0.1, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes, self.width, self.dropout, self.seed = classes, width, dropout, seed
        self.hidden = layers.Dense(width, "tanh", name="hidden")
        self.drop = Dropout(dropout, name="drop")
        self.head = layers.Dense(classes, name="head", dtype="float32")
        self.noise = Noise(seed)

    def build(self, input_shape: Any) -> None:
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")
        super().build(input_shape)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.head(self.drop(self.hidden(x), training=training))

    def serve(self, x: Any) -> Any:
        """Class probabilities: (batch, classes)."""
        z = self(x, training=False)
        return ops.softmax(z)

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        """Cross-entropy of logits with a little noise on them: (batch,)."""
        noisy = y_pred + 0.01 * ops.cast(self.noise.normal(ops.shape(y_pred), training), y_pred.dtype)
        return keras.losses.sparse_categorical_crossentropy(y, noisy, from_logits=True)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        if training:
            self.seen.assign(self.seen + ops.cast(ops.shape(x)[0], "float32"))
        self.track(x, spread=ops.std(y_pred))
        return ops.average(self.surprise(y, y_pred, training), weights=sample_weight)

    def get_config(self) -> dict[str, Any]:
        names = ("classes", "width", "dropout", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
