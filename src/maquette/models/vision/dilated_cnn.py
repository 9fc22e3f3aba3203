"""Dilated convolutions: kernels with gaps, which double what a layer sees at the same number of weights.

Layer i   y(p) = relu(sum_k w_i(k) x(p + d k) + b),  d = 2^(i - 1),  k in {-1, 0, 1}^2     zeros beyond the picture
Extent    a kernel of side K covers K + (K - 1)(d - 1) pixels; n layers of 3 x 3 see 2^(n + 1) - 1
Head      average over the picture, one logit per class
Loss      cross-entropy of the true classes
Rule      gradients by backpropagation

A dilated convolution is an ordinary one whose kernel has d - 1 zeros between its taps. The maps keep the size of the
picture, which is what labelling every pixel needs; here they are averaged, and what a pooling network of the same
depth does for less work is the thing to compare with. Layers of one dilation alone leave a grid of pixels unseen.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, maps); everything but `head` can be frozen.

Source: Yu and Koltun (2016), "Multi-scale context aggregation by dilated convolutions", section 3; the algorithm is
Holschneider et al. (1989), "A real-time algorithm for signal analysis with the help of the wavelet transform".

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.dilated_cnn import DilatedCNN
    >>> model = DilatedCNN(classes=10, filters=(8, 8, 8, 8))
    >>> model(np.zeros((1, 28, 28, 1), "float32")).shape == (1, 10), model.receptive_field
    (True, 31)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from maquette.core.classifier import Classifier
from maquette.core.recipe import Recipe

RECIPE = Recipe(
    name="mnist-dilated",
    task="image-classification",
    data="mnist",
    inputs={"standardise": False},
    optimizer={"adam": 2e-3},
    schedule="cosine",
    epochs=4,
    minutes=8,
    tiny={"data": "digits", "model.filters": (6, 6), "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class DilatedCNN(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        filters: feature maps of each layer; layer i, from 1, has the dilation growth^(i - 1).
        kernel_size: side of the square kernels.
        growth: factor from one dilation to the next; 1 gives ordinary convolutions.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 10,
        filters: Sequence[int] = (16, 16, 32, 32),
        kernel_size: int = 3,
        growth: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.filters, self.kernel_size, self.growth = classes, tuple(filters), kernel_size, growth
        self.convolutions = [
            layers.Conv2D(
                maps,
                kernel_size,
                dilation_rate=growth**i,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"convolution_{i + 1}",
            )
            for i, maps in enumerate(filters)
        ]
        self.average = layers.GlobalAveragePooling2D(name="average")
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    @property
    def receptive_field(self) -> int:
        """Side of the square of input pixels on which one place of the last maps depends."""
        return 1 + (self.kernel_size - 1) * sum(self.growth**i for i, _ in enumerate(self.filters))

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, maps)."""
        for convolution in self.convolutions:
            x = convolution(x)  # (batch, height, width, maps)
        return self.average(x)
