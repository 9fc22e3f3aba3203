"""MobileNet v2: residual blocks that are wide inside and narrow between, the reverse of a ResNet's bottleneck.

Block     1 x 1 to t times the maps, 3 x 3 depthwise with stride s, 1 x 1 to c maps; batch normalisation after each,
          relu6 after the first two; the input is added where s = 1 and it has c maps already
Network   3 x 3 to 32 maps with stride 2; the 17 blocks of the table; 1 x 1 to 1280 maps; average over the picture,
          one logit per class
Table     t   c  n  s       n blocks, the first of them with stride s; t = 1 has no widening convolution
          1  16  1  1
          6  24  2  2
          6  32  3  2
          6  64  4  2
          6  96  3  1
          6 160  3  2
          6 320  1  1
Loss      cross-entropy of the true classes
Rule      gradients by backpropagation

No ReLU follows the last convolution of a block: in few maps it would lose what it cuts off. 3,538,984 weights for 1000
classes, among them 34,112 running averages. `units` lists the 52 convolutions in the order of the graph, each with its
normalisation, so that folded weights can be put into them one after the other.

The graph is that of keras.applications.MobileNetV2, whose weights `maquette.layers.keras_weights` copies.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, maps); everything but `head` can be frozen.

Source: Sandler, Howard, Zhu, Zhmoginov, Chen (2018), "MobileNetV2: inverted residuals and linear bottlenecks",
section 4, table 2.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.mobilenet_v2 import MobileNetV2
    >>> model = MobileNetV2(classes=10, table=((1, 16, 1, 1), (6, 24, 2, 2)))
    >>> model(np.zeros((1, 32, 32, 3), "float32")).shape == (1, 10), len(MobileNetV2().units)
    (True, 52)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Recipe
from maquette.layers.normed_convolution import NormedConvolution

TABLE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

RECIPE = Recipe(
    name="cifar10-mobilenet-v2",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    model={"width": 0.5, "stem_stride": 1},
    optimizer={"adam": 2e-3},
    schedule="cosine",
    epochs=15,
    minutes=60,
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.table": ((1, 8, 1, 1), (2, 8, 2, 2)),
        "model.width": 0.5,
        "model.last_maps": 16,
        "optimizer": {"sgd": 0.05},
        "epochs": 3,
    },
)


def divisible(maps: float) -> int:
    """The multiple of 8 nearest to `maps`, at least 8 and at least nine tenths of it: the rule of published weights."""
    rounded = max(8, int(maps + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * maps else rounded + 8


@keras.saving.register_keras_serializable("maquette")
class MobileNetV2(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        width: factor of the number of maps everywhere; the last convolution only grows with it.
        table: rows t, c, n, s of the docstring.
        last_maps: maps of the last convolution.
        stem_stride: stride of the first convolution; 1 suits small pictures.
        dropout: share of the averaged maps that a training step leaves out.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 1000,
        width: float = 1.0,
        table: Sequence[tuple[int, int, int, int]] = TABLE,
        last_maps: int = 1280,
        stem_stride: int = 2,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.width, self.last_maps = classes, width, last_maps
        self.table = tuple(tuple(row) for row in table)
        self.stem_stride, self.dropout = stem_stride, dropout
        maps = divisible(32 * width)
        self.units = [NormedConvolution(maps, 3, stem_stride, "relu6", name="stem")]
        self.spans: list[tuple[int, int, bool]] = []  # first and last unit of each block, and whether it adds its input
        for widening, to, count, stride in self.table:
            for i in range(count):
                maps = self._block(maps, widening, divisible(to * width), stride if i == 0 else 1)
        last = divisible(last_maps * width) if width > 1 else last_maps
        self.units.append(NormedConvolution(last, 1, 1, "relu6", name="last"))
        self.average = layers.GlobalAveragePooling2D(name="average")
        self.drop = Dropout(dropout, name="dropout")
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def _block(self, maps: int, widening: int, to: int, stride: int) -> int:
        first, name = len(self.units), f"block_{len(self.spans) + 1}"
        if widening > 1:
            self.units.append(NormedConvolution(widening * maps, 1, 1, "relu6", name=f"{name}_expand"))
        self.units.append(NormedConvolution(None, 3, stride, "relu6", name=f"{name}_depthwise"))
        self.units.append(NormedConvolution(to, 1, 1, "linear", name=f"{name}_project"))
        self.spans.append((first, len(self.units), stride == 1 and maps == to))
        return to

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, maps)."""
        x = self.units[0](x, training=training)
        for first, end, adds in self.spans:
            f = x
            for unit in self.units[first:end]:
                f = unit(f, training=training)
            x = x + f if adds else f
        x = self.units[-1](x, training=training)
        return self.drop(self.average(x), training=training)
