"""Depthwise separable convolutions: a kernel for each map, then mixtures of the maps; or standard ones, to compare.

Depthwise   d_c = D_c * x_c                       one kernel per map, m of them
Pointwise   y_o = sum_c P_co d_c + b_o            n mixtures
Together    a standard convolution whose kernel has rank one,  W(p, q, c, o) = D(p, q, c) P(c, o)
Weights     m k^2 + m n instead of m n k^2: the share 1 / n + 1 / k^2
Network     two convolutions "valid" with ReLU, each with 2 x 2 max pooling and dropout, a dense layer with ReLU, logits
Loss        cross-entropy of the true classes
Rule        gradients by backpropagation

On 28 x 28 pixels the network has 414,899 weights, 431,242 with standard convolutions: the convolutions shrink from
18,816 to 2,473, but the dense layer has 409,856 in either. On one grey channel the first separable convolution is
nearly degenerate, its 32 maps are multiples of one. MobileNet puts the saving to work.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, hidden_units); everything but `head` can be
frozen.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listings 3-9a to 3-9c; Chollet (2017), "Xception:
deep learning with depthwise separable convolutions", section 2.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.separable_cnn import SeparableCNN
    >>> model = SeparableCNN(classes=10)
    >>> model(np.zeros((1, 28, 28, 1), "float32")).shape == (1, 10), model.count_params()
    (True, 414899)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError

RECIPE = Recipe(
    name="mnist-separable",
    task="image-classification",
    data="mnist",
    inputs={"standardise": False},
    schedule="cosine",
    batch_size=128,
    epochs=10,
    minutes=4,
    expect={"test_accuracy": Expect(0.986, "0.9859 in Pattanayak (2023), Listing 3-9c, after 10 epochs", "at least")},
    tiny={"data": "digits", "inputs.size": 14, "model.filters": (4, 8), "model.hidden_units": 16, "epochs": 3},
)

KINDS = {"separable": layers.SeparableConv2D, "standard": layers.Conv2D}


@keras.saving.register_keras_serializable("maquette")
class SeparableCNN(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        convolution: "separable" or "standard".
        filters: feature maps of each convolution; every one is followed by 2 x 2 max pooling.
        hidden_units: width of the hidden layer.
        kernel_size: side of the square kernels.
        dropout: share of the outputs of each pooling that a training step leaves out.

    Raises:
        InputError: for an unknown convolution, or pictures of which the poolings leave nothing.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 10,
        convolution: str = "separable",
        filters: Sequence[int] = (32, 64),
        hidden_units: int = 256,
        kernel_size: int = 3,
        dropout: float = 0.25,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if convolution not in KINDS:
            raise InputError(f"SeparableCNN has the convolutions {' and '.join(KINDS)}, not {convolution!r}")
        self.classes, self.convolution, self.filters = classes, convolution, tuple(filters)
        self.hidden_units, self.kernel_size, self.dropout = hidden_units, kernel_size, dropout
        self.convolutions = [
            KINDS[convolution](maps, kernel_size, name=f"convolution_{i}") for i, maps in enumerate(filters, 1)
        ]
        self.pool = layers.MaxPooling2D(2, name="pool")
        self.drop = [Dropout(dropout, name=f"dropout_{i}") for i, _ in enumerate(filters, 1)]
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = layers.Dense(hidden_units, "relu", name="hidden")
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def build(self, input_shape: Any) -> None:
        least = 1
        for _ in self.filters:
            least = 2 * least + self.kernel_size - 1
        if min(input_shape[1:3]) < least:
            size = "x".join(str(side) for side in input_shape[1:3])
            raise InputError(f"SeparableCNN needs pictures of at least {least}x{least}, not {size}: set inputs.size")
        super().build(input_shape)

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, hidden_units)."""
        for convolution, drop in zip(self.convolutions, self.drop):
            # max and relu commute, and after pooling relu has a quarter of the work
            x = drop(ops.relu(self.pool(convolution(x))), training=training)
        return self.hidden(self.flatten(x))
