"""Radial basis functions as an output layer: every class has a prototype, and the nearest one wins.

Distance   y_i = |x - w_i|^2                            w_i fixed, or trained from the same start
Logits     z_i = -y_i, so that softmax(z) is the softmin of the distances
Loss       of distances y and the true class d:  y_d + log(e^(-j) + sum_i e^(-y_i))

The softmin is a linear classifier with weights 2 w_i and biases -|w_i|^2, since |x|^2 is common to all classes. The
distance y_d alone is a loss only while the prototypes are fixed: trained, it pulls all of them and x together. The
second term pushes wrong classes away; e^(-j) is the weight of "none of these", and keeps classes that are farther
than j from being pushed on. A large distance to the nearest prototype tells a picture of no class at all.

The prototypes are rows of +1 and -1 drawn by a seed. The paper drew its own as small pictures of the characters and
names random and error-correcting codes as alternatives.

Source: LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition", equations
7 to 9.

Example:
    >>> import numpy as np
    >>> layer = RBFOutput(classes=3)
    >>> layer.build((None, 84))
    >>> distances = -np.asarray(layer(np.asarray(layer.prototypes)))
    >>> distances.diagonal().tolist(), bool((distances + 300 * np.eye(3) > 80).all())
    ([0.0, 0.0, 0.0], True)
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable("maquette")
class RBFOutput(layers.Layer):
    """x: (batch, units) -> logits: (batch, classes), minus the squared distances.

    Args:
        classes: number of classes.
        learned: whether training moves the prototypes.
        seed: fixes the signs of the prototypes.
    """

    def __init__(self, classes: int, learned: bool = False, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes, self.learned, self.seed = classes, learned, seed

    def build(self, input_shape: Any) -> None:
        shape = (self.classes, input_shape[-1])
        signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], shape).astype("float32")
        start = keras.initializers.Constant(signs)
        self.prototypes = self.add_weight(shape=shape, initializer=start, trainable=self.learned, name="prototypes")

    def call(self, x: Any) -> Any:
        difference = ops.expand_dims(x, -2) - self.prototypes  # (batch, classes, units)
        return -ops.sum(ops.square(difference), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in ("classes", "learned", "seed")}}


def discriminating_loss(logits: Any, y: Any, j: float) -> Any:
    """The loss above for logits (batch, classes) and classes y (batch,): (batch,). An infinite j is cross-entropy."""
    right = ops.squeeze(ops.take_along_axis(logits, ops.expand_dims(ops.cast(y, "int32"), -1), axis=-1), -1)
    return ops.logaddexp(ops.logsumexp(logits, axis=-1), -j) - right
