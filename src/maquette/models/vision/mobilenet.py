"""MobileNet: depthwise separable convolutions all the way, with one factor for the number of maps.

Stem      3 x 3, 32 maps, stride 2
Block     3 x 3 depthwise with stride s, then 1 x 1 to c maps; after each a batch normalisation and
          relu6(a) = min(max(a, 0), 6)
Network   stem, 13 blocks to 64, 128, 128, 256, 256, 512 (6 times), 1024, 1024 maps, stride 2 at the first of each
          number from 128 on; average over the picture, dropout, one logit per class
Loss      cross-entropy of the true classes
Rule      gradients by backpropagation

A separable convolution has the share 1 / n + 1 / 9 of the weights and of the multiplications of a standard one with n
maps. 4,253,864 weights for 1000 classes, among them 21,888 running averages; accuracy falls smoothly with `width`.
Depthwise convolutions do little work for each number they fetch, so the time falls less than the multiplications.

The graph is that of keras.applications.MobileNet, whose weights `maquette.layers.keras_weights` copies, for pictures
with sides that are multiples of 32.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, maps); everything but `head` can be frozen.

Source: Howard et al. (2017), "MobileNets: efficient convolutional neural networks for mobile vision applications",
section 3, table 1.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.mobilenet import MobileNet
    >>> model = MobileNet(classes=10, blocks=((64, 1), (128, 2)))
    >>> model(np.zeros((1, 32, 32, 3), "float32")).shape == (1, 10), model.units[-1].count_params()
    (True, 8704)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Recipe
from maquette.layers.normed_convolution import NormedConvolution

# (maps, stride) of each block.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))

RECIPE = Recipe(
    name="cifar10-mobilenet",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    model={"width": 0.5, "stem_stride": 1},
    optimizer={"adam": 2e-3},
    schedule="cosine",
    epochs=15,
    minutes=45,
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.blocks": ((64, 1), (128, 2)),
        "model.width": 0.125,
        "model.dropout": 0.0,
        "optimizer": {"sgd": 0.05},
        "epochs": 3,
    },
)


@keras.saving.register_keras_serializable("maquette")
class MobileNet(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        width: factor of the number of maps everywhere, the paper's alpha.
        blocks: maps and stride of each block.
        stem_stride: stride of the first convolution; 1 suits small pictures.
        dropout: share of the averaged maps that a training step leaves out.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 1000,
        width: float = 1.0,
        blocks: Sequence[tuple[int, int]] = BLOCKS,
        stem_stride: int = 2,
        dropout: float = 0.001,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.width, self.stem_stride, self.dropout = classes, width, stem_stride, dropout
        self.blocks = tuple(tuple(block) for block in blocks)
        self.units = [NormedConvolution(int(32 * width), 3, stem_stride, "relu6", name="stem")]
        for i, (maps, stride) in enumerate(self.blocks, 1):
            self.units.append(NormedConvolution(None, 3, stride, "relu6", name=f"depthwise_{i}"))
            self.units.append(NormedConvolution(int(maps * width), 1, 1, "relu6", name=f"pointwise_{i}"))
        self.average = layers.GlobalAveragePooling2D(name="average")
        self.drop = Dropout(dropout, name="dropout")
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, maps)."""
        for unit in self.units:
            x = unit(x, training=training)
        return self.drop(self.average(x), training=training)
