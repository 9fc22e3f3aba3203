"""AlexNet: five convolutions and three dense layers, the network that won ImageNet 2012 by a wide margin.

227 x 227   conv1  96 maps, 11 x 11, stride 4   -> 55 x 55     n: local response normalisation over 5 maps,
            n, p                                -> 27 x 27        b_c = a_c / (2 + 1e-4 sum a_{c+d}^2)^0.75
            conv2  256, 5 x 5, two groups       -> 27 x 27     p: max pooling of 3 x 3 by 2, overlapping
            n, p                                -> 13 x 13     two groups: each half of the maps sees one half of
            conv3  384, 3 x 3                   -> 13 x 13        the maps below, as on the paper's two GPUs
            conv4  384, conv5 256, two groups, p ->  6 x 6
            dense 4096, dense 4096, one logit per class; dropout of one half before the first two
Loss        cross-entropy of the true classes
Rule        gradients by backpropagation; 60,965,224 weights for 1000 classes, 58.6 million of them in dense layers

The paper says 224 x 224 pixels, of which an 11 x 11 kernel with stride 4 does not make 55 x 55: 227 x 227 do. Small
pictures need a gentler start: stem_kernel=5, stem_stride=1, padding="same". VGG and ResNet are better at less.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, hidden_units); everything but `head` can be
frozen.

Source: Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural networks",
section 3 and figure 2.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.alexnet import AlexNet
    >>> model = AlexNet(classes=4, width=0.125, hidden_units=16)
    >>> model(np.zeros((1, 227, 227, 3), "float32")).shape == (1, 4), model.conv1.count_params()
    (True, 4368)
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.layers.grouped_convolution import GroupedConvolution
from maquette.layers.local_response_normalization import LocalResponseNormalization

RECIPE = Recipe(
    name="cifar10-alexnet",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    model={"width": 0.5, "hidden_units": 512, "stem_kernel": 5, "stem_stride": 1, "padding": "same"},
    optimizer={"adam": 5e-4},
    schedule="cosine",
    epochs=15,
    minutes=60,
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.width": 0.0625,
        "model.hidden_units": 16,
        "model.dropout": 0.1,
        "epochs": 3,
    },
)

# Maps of conv2 to conv5, side of their kernels, and whether they are in groups.
PLAN = ((256, 5, True), (384, 3, False), (384, 3, True), (256, 3, True))


@keras.saving.register_keras_serializable("maquette")
class AlexNet(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        width: factor of the number of maps of every convolution.
        hidden_units: width of the two dense layers.
        groups: 2 as in the paper; 1 lets every map see every map, with 62,378,344 weights.
        stem_kernel: side of the kernels of the first convolution.
        stem_stride: its stride.
        padding: "valid" as in the paper, or "same", which pads the first convolution and the poolings.
        normalise: whether there is local response normalisation.
        dropout: share of the inputs of the two hidden dense layers that a training step leaves out.

    Raises:
        InputError: for pictures of which the poolings leave nothing.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 1000,
        width: float = 1.0,
        hidden_units: int = 4096,
        groups: int = 2,
        stem_kernel: int = 11,
        stem_stride: int = 4,
        padding: str = "valid",
        normalise: bool = True,
        dropout: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.width, self.hidden_units, self.groups = classes, width, hidden_units, groups
        self.stem_kernel, self.stem_stride, self.padding = stem_kernel, stem_stride, padding
        self.normalise, self.dropout = normalise, dropout
        options = {"activation": "relu", "kernel_initializer": "he_normal"}
        maps = [groups * max(1, round(m * width / groups)) for m in (96, *(m for m, _, _ in PLAN))]
        self.conv1 = layers.Conv2D(maps[0], stem_kernel, stem_stride, padding=padding, name="conv1", **options)
        self.convolutions = [
            GroupedConvolution(m, side, groups=groups if apart else 1, padding="same", name=f"conv{i}", **options)
            for i, m, (_, side, apart) in zip((2, 3, 4, 5), maps[1:], PLAN)
        ]
        self.norm = LocalResponseNormalization(name="normalisation") if normalise else ops.relu
        self.pool = layers.MaxPooling2D(3, 2, padding=padding, name="pool")
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = [layers.Dense(hidden_units, "relu", name=f"hidden_{i}") for i in (1, 2)]
        self.drop = [Dropout(dropout, name=f"dropout_{i}") for i in (1, 2)]
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def build(self, input_shape: Any) -> None:
        least = self.stem_kernel + 14 * self.stem_stride if self.padding == "valid" else 1
        if min(input_shape[1:3]) < least:
            size = "x".join(str(side) for side in input_shape[1:3])
            raise InputError(f"AlexNet needs pictures of at least {least}x{least}, not {size}: set model.padding=same")
        super().build(input_shape)

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, hidden_units)."""
        conv2, conv3, conv4, conv5 = self.convolutions
        x = self.pool(self.norm(self.conv1(x)))
        x = self.pool(self.norm(conv2(x)))
        x = self.flatten(self.pool(conv5(conv4(conv3(x)))))
        for drop, hidden in zip(self.drop, self.hidden):
            x = hidden(drop(x, training=training))
        return x
