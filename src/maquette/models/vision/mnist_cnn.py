"""Small convolutional network for digits: two convolutions, two poolings, one wide hidden layer.

Feature maps  a_1 = pool(relu(x * K_1 + b_1)),  a_2 = pool(relu(a_1 * K_2 + b_2))     * is cross-correlation, "same"
Hidden        h = relu(flatten(a_2).W_3 + b_3)
Output        logits z = h.W + b, probabilities softmax(z)
Loss          cross-entropy of the true classes
Rule          gradients by backpropagation; the default sizes have 6,508,298 weights on 28 x 28 pixels, 6.4
              million of them in the hidden layer

Most of the weights sit in one dense layer, so it is large for what it does: LeNet-5 comes close with a
hundredth of them.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listing 3-6; LeCun et al. (1998),
"Gradient-based learning applied to document recognition", section II.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.mnist_cnn import MnistCNN
    >>> model = MnistCNN(classes=10)
    >>> model(np.zeros((1, 28, 28, 1), "float32")).shape == (1, 10), model.count_params()
    (True, 6508298)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="mnist-cnn",
    task="image-classification",
    data="mnist",
    inputs={"standardise": False},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=128,
    epochs=2,
    minutes=1.6,
    expect={"test_accuracy": Expect(0.9867, "Pattanayak (2023), Listing 3-6, after 20 epochs", "at least")},
    tiny={"data": "digits", "model.filters": (4, 8), "model.hidden_units": 16, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class MnistCNN(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        filters: feature maps of each convolution; every one is followed by 2 x 2 max pooling.
        hidden_units: width of the hidden layer.
        kernel_size: side of the square kernels.
        dropout: share of hidden units that a training step leaves out.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 10,
        filters: Sequence[int] = (64, 128),
        hidden_units: int = 1024,
        kernel_size: int = 3,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.filters, self.hidden_units = classes, tuple(filters), hidden_units
        self.kernel_size, self.dropout = kernel_size, dropout
        self.convolutions = [
            layers.Conv2D(maps, kernel_size, padding="same", name=f"convolution_{i}")
            for i, maps in enumerate(filters, 1)
        ]
        self.pool = layers.MaxPooling2D(2, padding="same", name="pool")
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = layers.Dense(hidden_units, "relu", name="hidden")
        self.drop = Dropout(dropout, name="dropout")
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, hidden_units)."""
        for convolution in self.convolutions:
            # max and relu commute, and after pooling relu has a quarter of the work
            x = ops.relu(self.pool(convolution(x)))  # (batch, height / 2, width / 2, maps)
        h = self.drop(self.hidden(self.flatten(x)), training=training)
        return h
