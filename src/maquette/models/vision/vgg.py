"""VGG: stacks of 3 x 3 convolutions between poolings, and three dense layers; depth 11, 13, 16 or 19.

Depth  maps of each stack, 2 x 2 max pooling after it; every convolution is 3 x 3, "same", with ReLU
  11   64    | 128     | 256 256         | 512 512         | 512 512
  13   64 64 | 128 128 | 256 256         | 512 512         | 512 512
  16   64 64 | 128 128 | 256 256 256     | 512 512 512     | 512 512 512
  19   64 64 | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512
Head   flatten, dense 4096, dense 4096, one logit per class; dropout of one half after the hidden ones
Loss   cross-entropy of the true classes
Rule   gradients by backpropagation

Two 3 x 3 convolutions see 5 x 5 pixels with 18 C^2 weights where one of 5 x 5 has 25 C^2; three see 7 x 7 with 27 C^2
against 49 C^2; and each brings a ReLU. Depth 16 has 138,357,544 weights for 1000 classes at 224 x 224 pixels and
14,714,688 before the dense layers. A large model for what it does, slow, and hard to start without normalisation:
`batch_norm` adds it after every convolution.

The graph of depth 16 and 19 is that of keras.applications, whose weights `maquette.layers.keras_weights` copies.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, units); everything but `head` can be frozen.
With hidden_units=() these are the flattened maps of the last pooling, 7 x 7 x 512 for 224 x 224 pixels.

Source: Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image recognition", table 1,
configurations A, B, D and E.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.vgg import VGG
    >>> model = VGG(classes=2, width=8, hidden_units=())
    >>> model(np.zeros((1, 64, 64, 3), "float32")).shape == (1, 2), model.head.count_params()
    (True, 514)
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.layers.batch_normalization import BatchNormalization

RECIPE = Recipe(
    name="cifar10-vgg",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    model={"depth": 11, "width": 32, "hidden_units": (256,), "batch_norm": True},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    epochs=15,
    minutes=60,
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.width": 4,
        "model.hidden_units": (16,),
        "model.batch_norm": False,
        "model.dropout": 0.1,
        "epochs": 3,
    },
)

# Depth -> number of convolutions in each stack.
STACKS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


@keras.saving.register_keras_serializable("maquette")
class VGG(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        depth: number of layers with weights when there are three dense ones: 11, 13, 16 or 19.
        width: maps of the first stack; the later ones have 2, 4, 8 and 8 times as many.
        hidden_units: widths of the hidden dense layers.
        batch_norm: whether a batch normalisation follows every convolution; not in the paper.
        dropout: share of hidden units that a training step leaves out.

    Raises:
        InputError: for a depth that there is not.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 1000,
        depth: int = 16,
        width: int = 64,
        hidden_units: Sequence[int] = (4096, 4096),
        batch_norm: bool = False,
        dropout: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if depth not in STACKS:
            raise InputError(f"VGG has the depths {', '.join(map(str, STACKS))}, not {depth}")
        self.classes, self.depth, self.width, self.hidden_units = classes, depth, width, tuple(hidden_units)
        self.batch_norm, self.dropout = batch_norm, dropout
        self.ends = tuple(accumulate(STACKS[depth]))  # a pooling follows these convolutions, counted from 1
        self.convolutions: list[Any] = []
        self.norms: list[Any] = []
        for stack, (count, factor) in enumerate(zip(STACKS[depth], (1, 2, 4, 8, 8)), 1):
            for i in range(1, count + 1):
                self._add(factor * width, f"{stack}_{i}")
        self.pool = layers.MaxPooling2D(2, padding="same", name="pool")
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = [layers.Dense(units, "relu", name=f"hidden_{i}") for i, units in enumerate(hidden_units, 1)]
        self.drop = [Dropout(dropout, name=f"dropout_{i}") for i, _ in enumerate(hidden_units, 1)]
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def _add(self, maps: int, place: str) -> None:
        convolution = layers.Conv2D(
            maps, 3, padding="same", kernel_initializer="he_normal", use_bias=not self.batch_norm, name=f"conv_{place}"
        )
        self.convolutions.append(convolution)
        if self.batch_norm:
            self.norms.append(BatchNormalization(momentum=0.9, name=f"normalisation_{place}"))

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, units)."""
        for i, convolution in enumerate(self.convolutions):
            x = convolution(x)
            x = ops.relu(self.norms[i](x, training=training) if self.batch_norm else x)
            x = self.pool(x) if i + 1 in self.ends else x
        x = self.flatten(x)
        for hidden, drop in zip(self.hidden, self.drop):
            x = drop(hidden(x), training=training)
        return x
