"""SqueezeNet: AlexNet's accuracy with a fiftieth of its weights, by 1 x 1 convolutions that thin the maps first.

Fire      s = relu(1 x 1, q maps of x),  output: relu(1 x 1, 4 q maps of s) beside relu(3 x 3, 4 q maps of s)
Network   conv1 7 x 7 by 2, 96 maps, pool; fire2 to fire4, pool; fire5 to fire8, pool; fire9; dropout;
          conv_final 1 x 1 to one map per class, ReLU, average over the picture
Squeeze   q = 16 16 32 32 48 48 64 64 for fire2 to fire9
Pool      maximum of 3 x 3 by 2, the last column and row of places included where they are cut by the border
Loss      cross-entropy of the true classes, softmax(logits)
Rule      gradients by backpropagation; 26 convolutions with 1,248,424 weights for 1000 classes, no dense layer

This is version 1.0. As published, conv_final pads its input with a border of zeros, so that an averaged map holds its
bias all around. The maps are ReLU outputs, hence no logit is negative: a confident "no" is not to be had, and training
is slow to start.

As a backbone: `features` gives the average over the picture of the maps that `head`, conv_final, sees: (batch, 8 q).
Everything but `head` can be frozen; since a ReLU comes before its average, the logits are no function of `features`.

Source: Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer (2016), "SqueezeNet: AlexNet-level accuracy with 50x fewer
parameters and <0.5MB model size", section 3, table 1.

Example:
    >>> from maquette.models.vision.squeezenet import SqueezeNet
    >>> model = SqueezeNet(classes=1000)
    >>> model.build((None, 67, 67, 3))
    >>> model.count_params()
    1248424
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Recipe

RECIPE = Recipe(
    name="cifar10-squeezenet",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    model={"stem_kernel": 3},
    optimizer={"adam": 5e-4},
    schedule="cosine",
    epochs=15,
    minutes=45,
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.squeeze": (2, 3),
        "model.filters": 8,
        "model.dropout": 0.1,
        "epochs": 3,
    },
)


@keras.saving.register_keras_serializable("maquette")
class SqueezeNet(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        squeeze: q of each fire module, from fire2 on; poolings follow the third and the seventh.
        filters: maps of the first convolution.
        stem_kernel: side of the kernels of the first convolution; 3 suits small pictures.
        dropout: share of the outputs of the last fire module that a training step leaves out.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 1000,
        squeeze: Sequence[int] = (16, 16, 32, 32, 48, 48, 64, 64),
        filters: int = 96,
        stem_kernel: int = 7,
        dropout: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.squeeze, self.filters = classes, tuple(squeeze), filters
        self.stem_kernel, self.dropout = stem_kernel, dropout
        self.conv1 = layers.Conv2D(
            filters, stem_kernel, 2, activation="relu", kernel_initializer="he_normal", name="conv1"
        )
        self.fires: list[Any] = []  # three convolutions for each module
        for i, q in enumerate(squeeze, 2):
            for name, maps, side in (("squeeze", q, 1), ("expand1x1", 4 * q, 1), ("expand3x3", 4 * q, 3)):
                self.fires.append(self._convolution(maps, side, f"fire{i}_{name}"))
        self.pool = layers.MaxPooling2D(3, 2, name="pool")
        self.border = layers.ZeroPadding2D(1, name="border")
        self.drop = Dropout(dropout, name="dropout")
        self.head = layers.Conv2D(classes, 1, activation="relu", kernel_initializer="he_normal", name="conv_final")
        self.average = layers.GlobalAveragePooling2D(name="average", dtype="float32")

    @staticmethod
    def _convolution(maps: int, side: int, name: str) -> Any:
        options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
        return layers.Conv2D(maps, side, name=name, **options)

    def maps(self, x: Any, training: bool = False) -> Any:
        """The maps of the last fire module, dropout included: (batch, height', width', 8 q)."""
        x = self._pooled(self.conv1(x))
        for i, _ in enumerate(self.squeeze):
            thin, one, three = self.fires[3 * i : 3 * i + 3]
            x = thin(x)
            x = ops.concatenate([one(x), three(x)], axis=-1)
            x = self._pooled(x) if i in (2, 6) else x
        return self.drop(x, training=training)

    def _pooled(self, x: Any) -> Any:
        # Zeros below and to the right change no maximum, since x holds none but outputs of a ReLU.
        missing = [max(3 - side, (side - 3) % 2) for side in x.shape[1:3]]
        return self.pool(ops.pad(x, [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]]))

    def features(self, x: Any, training: bool = False) -> Any:
        """The last maps, averaged over the picture: (batch, 8 q)."""
        return ops.mean(self.maps(x, training), axis=(1, 2))

    def classify(self, maps: Any) -> Any:
        """The logits of what `maps` gives: (batch, classes)."""
        return self.average(self.head(self.border(maps)))

    def call(self, x: Any, training: bool = False) -> Any:
        return self.classify(self.maps(x, training))
