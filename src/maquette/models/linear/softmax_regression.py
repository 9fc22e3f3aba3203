"""Softmax regression: a linear classifier that answers with class probabilities.

Logits         z = x.W + b                                (batch, features) -> (batch, classes)
Probabilities  p_k = exp(z_k) / sum_j exp(z_j)
Loss           L = -(1/m) sum_i log p_{i, t_i}            cross-entropy of the true classes t
Rule           dL/dW = (1/m) X^T (P - T), T the one-hot labels: convex, so one minimum

Blind to everything that no hyperplane can separate (see the recipe xor-linear); keep it as the baseline that a
deeper model has to beat.

Source: Cox (1958), "The regression analysis of binary sequences"; McFadden (1974), "Conditional logit analysis
of qualitative choice behavior".

Example:
    >>> import numpy as np
    >>> from maquette.models.linear.softmax_regression import SoftmaxRegression
    >>> model = SoftmaxRegression(classes=10)
    >>> model(np.zeros((2, 28, 28, 1), "float32")).shape == (2, 10), model.count_params()
    (True, 7850)
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="mnist-softmax",
    task="image-classification",
    data="mnist",
    inputs={"standardise": False},
    optimizer={"adam": 2e-3},
    schedule="cosine",
    batch_size=128,
    epochs=20,
    minutes=0.5,
    expect={"test_error": Expect(0.076, "7.49 % in the LISA deep-learning tutorial, logreg")},
    tiny={"data": "digits", "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class SoftmaxRegression(Model):
    """x: (batch, ...), flattened, best standardised or in [0, 1] -> logits: (batch, classes).

    Args:
        classes: number of classes.
    """

    tasks = ("image-classification", "tabular-classification")

    def __init__(self, classes: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.flatten = layers.Flatten(name="flatten")
        self.logits = layers.Dense(classes, name="logits", dtype="float32")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.logits(self.flatten(x))

    def serve(self, x: Any) -> Any:
        """Class probabilities: (batch, classes)."""
        return ops.softmax(self(x, training=False))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        surprise = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)  # (batch,)
        return ops.average(surprise, weights=sample_weight)
