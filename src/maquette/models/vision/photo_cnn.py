"""Convolutional network for small photographs: three convolutions, three poolings, two wide hidden layers.

Feature maps  a_l = pool(relu(a_{l-1} * K_l + b_l)),  a_0 = x              * is cross-correlation, "same"
Hidden        h_1 = drop(relu(flatten(a_3).W_1 + c_1)),  h_2 = drop(relu(h_1.W_2 + c_2))
Output        logits z = h_2.W + b, probabilities softmax(z)
Loss          cross-entropy of the true classes, weighted by class where the recipe says so
Rule          gradients by backpropagation; the default sizes have 9,024,131 weights on 64 x 64 x 3 pixels and three
              classes, 8.4 million of them between the last maps and the first hidden layer

So many weights learn a few hundred pictures by heart: dropout, a small learning rate and random flips and shifts of
the training pictures hold it back, a network trained on other pictures first does better. With Adam at 0.01 its units
die, and it answers the shares of the classes whatever it sees: compare `test_log_loss` with `test_prior_log_loss`.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listing 3-7; Krizhevsky, Sutskever and Hinton
(2012), "ImageNet classification with deep convolutional neural networks", sections 3 and 4, for dropout and flips.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.photo_cnn import PhotoCNN
    >>> model = PhotoCNN(classes=3)
    >>> model(np.zeros((1, 64, 64, 3), "float32")).shape == (1, 3), model.count_params()
    (True, 9024131)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="flowers-cnn",
    task="image-classification",
    data="flowers5",
    inputs={"size": 64, "augment": {"flip": True, "shift": 6}},
    optimizer={"adam": 5e-4},
    schedule="cosine",
    batch_size=32,
    epochs=40,
    minutes=5,
    expect={
        "test_accuracy": Expect(0.55, "required", "at least"),
        "test_log_loss": Expect(1.6094, "entropy of five equal shares, which a collapsed network answers", "at most"),
    },
    tiny={
        **{"data": "digits", "inputs.size": None, "inputs.augment": {}, "model.filters": (4, 6, 8)},
        **{"model.hidden_units": (16, 16), "model.dropout": 0.1, "optimizer.adam": 3e-3, "epochs": 4},
    },
)


@keras.saving.register_keras_serializable("maquette")
class PhotoCNN(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        filters: feature maps of each convolution; every one is followed by 2 x 2 max pooling.
        hidden_units: widths of the hidden layers.
        kernel_size: side of the square kernels.
        dropout: share of each layer's hidden units that a training step leaves out.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 3,
        filters: Sequence[int] = (64, 128, 256),
        hidden_units: Sequence[int] = (512, 512),
        kernel_size: int = 3,
        dropout: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.filters, self.hidden_units = classes, tuple(filters), tuple(hidden_units)
        self.kernel_size, self.dropout = kernel_size, dropout
        self.convolutions = [
            layers.Conv2D(maps, kernel_size, padding="same", kernel_initializer="he_uniform", name=f"convolution_{i}")
            for i, maps in enumerate(self.filters, 1)
        ]
        self.pool = layers.MaxPooling2D(2, padding="same", name="pool")
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = [
            layers.Dense(units, "relu", kernel_initializer="he_uniform", name=f"hidden_{i}")
            for i, units in enumerate(self.hidden_units, 1)
        ]
        self.drops = [Dropout(dropout, name=f"dropout_{i}") for i in range(1, len(self.hidden) + 1)]
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, units)."""
        for convolution in self.convolutions:
            # max and relu commute, and after pooling relu has a quarter of the work
            x = ops.relu(self.pool(convolution(x)))  # (batch, height / 2, width / 2, maps)
        h = self.flatten(x)
        for hidden, drop in zip(self.hidden, self.drops):
            h = drop(hidden(h), training=training)  # (batch, units)
        return h
