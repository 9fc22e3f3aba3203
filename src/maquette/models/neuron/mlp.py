"""Multilayer perceptron: affine maps with a non-linearity between them.

Hidden   h_0 = x,  h_l = f(h_{l-1}.W_l + b_l),  dropped out with probability `dropout` while training
Output   with `classes`: logits z = h_L.W + b, probabilities softmax(z); two classes take one output unit,
         z = [0, h_L.w + b], whose softmax is the sigmoid. Without: one real number, a prediction.
Loss     cross-entropy of the true classes, or mean squared error of the true numbers
Rule     gradients by backpropagation; dropout is held at its expectation when the model is used

With a linear activation all layers collapse into one affine map and nothing but a hyperplane is learned.

Source: Rumelhart, Hinton, Williams (1986), "Learning representations by back-propagating errors"; Srivastava
et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting".

Example:
    >>> import numpy as np
    >>> from maquette.models.neuron.mlp import MLP
    >>> model = MLP(hidden_units=(2,), classes=2, activation="sigmoid")
    >>> model(np.zeros((4, 2), "float32")).shape == (4, 2), model.count_params()
    (True, 9)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.dropout import Dropout
from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="mnist-mlp",
    task="image-classification",
    data="mnist",
    model={"hidden_units": (512, 512), "dropout": 0.4},
    inputs={"standardise": False},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=32,
    epochs=15,
    minutes=1.0,
    expect={"test_error": Expect(0.017, "1.65 % in the LISA deep-learning tutorial, mlp")},
    tiny={"data": "digits", "model.hidden_units": (16, 8), "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class MLP(Model):
    """x: (batch, ...), flattened -> logits: (batch, classes), or without `classes` predictions: (batch, 1).

    Args:
        hidden_units: width of each hidden layer; () leaves a linear model.
        classes: number of classes, or None to predict a real number.
        activation: any Keras activation.
        dropout: share of each hidden layer's units that a training step leaves out, in [0, 1).
        initializer: any Keras initializer, of the hidden kernels; the output's is Glorot's.
    """

    tasks = ("image-classification", "tabular-classification", "tabular-regression")

    def __init__(
        self,
        hidden_units: Sequence[int] = (128,),
        classes: int | None = None,
        activation: str = "relu",
        dropout: float = 0.0,
        initializer: str = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden_units, self.classes, self.activation = tuple(hidden_units), classes, activation
        self.dropout, self.initializer = dropout, initializer
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = [
            layers.Dense(units, activation, kernel_initializer=initializer, name=f"hidden_{i}")
            for i, units in enumerate(hidden_units, 1)
        ]
        self.drop = [Dropout(dropout, name=f"dropout_{i}") for i, _ in enumerate(hidden_units, 1)]
        outputs = classes if classes and classes > 2 else 1
        self.head = layers.Dense(outputs, name="head", dtype="float32")

    def call(self, x: Any, training: bool = False) -> Any:
        h = self.flatten(x)
        for dense, drop in zip(self.hidden, self.drop, strict=True):
            h = drop(dense(h), training=training)
        z = self.head(h)
        return ops.concatenate([ops.zeros_like(z), z], axis=-1) if self.classes == 2 else z

    def serve(self, x: Any) -> Any:
        """Class probabilities: (batch, classes), or predictions: (batch, 1)."""
        z = self(x, training=False)
        return ops.softmax(z) if self.classes else z

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        if self.classes:
            loss = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)  # (batch,)
        else:
            loss = ops.square(ops.squeeze(y_pred, -1) - ops.cast(y, y_pred.dtype))  # (batch,)
        return ops.average(loss, weights=sample_weight)
