"""Residual network: every block adds to what it is given, so that depth costs no accuracy; 8 to 152 layers.

Block       y = relu(x' + F(x)),  x' = x, or where the shape changes, a shortcut of that shape
basic       F = norm(3 x 3, maps) of relu(norm(3 x 3, maps, stride))
bottleneck  F = norm(1 x 1, 4 maps) of relu(norm(3 x 3, maps)) of relu(norm(1 x 1, maps, stride))
Gradient    dL/dx = dL/dy (I + dF/dx) where relu passes: the identity carries it through any number of blocks
Head        average over the picture, one logit per class
Loss        cross-entropy of the true classes
Rule        gradients by backpropagation

style "cifar"     depth 6 n + 2: 3 x 3 convolution, then three stages of n basic blocks with width, 2 width and
                  4 width maps; the shortcut takes every other pixel and appends maps of zeros (option A). Depth 20
                  has 269,722 trained weights (and 1,376 running averages), 0.27 million in table 6.
style "imagenet"  7 x 7 convolution with stride 2 and 3 x 3 max pooling, then four stages of width, 2, 4 and 8 width
                  maps; the shortcut is a normed 1 x 1 convolution (option B). Depth 18 and 34 have basic blocks,
                  50, 101 and 152 bottlenecks.

With bias=True and classes=1000, depth 50 has 25,636,712 weights and is the graph of keras.applications.ResNet50, whose
weights `maquette.layers.keras_weights` copies. `residual=False` is the plain network, which trains worse the deeper it
is. Needs batches of more than a few pictures, for the sake of its normalisations.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, maps); everything but `head` can be frozen.

Source: He, Zhang, Ren, Sun (2016), "Deep residual learning for image recognition", sections 3 and 4.2, table 1.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.resnet import ResNet
    >>> model = ResNet(classes=10, depth=20)
    >>> model.build((None, 32, 32, 3))
    >>> sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    269722
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.layers.normed_convolution import NormedConvolution

RECIPE = Recipe(
    name="cifar10-resnet20",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    # Keras takes decay out of the weights beside the momentum: 5e-3 does what 5e-4 in the gradient would.
    optimizer={"sgd": {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-3}},
    schedule="cosine",
    epochs=12,
    seeds=1,
    minutes=18,
    expect={
        "test_accuracy": Expect(0.85, "required; 0.9125 in He et al. (2016), table 6, after 164 epochs", "at least")
    },
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.depth": 8,
        "model.width": 4,
        "optimizer": {"sgd": 0.05},
        "epochs": 3,
    },
)

# Depth for large pictures -> blocks in each stage, and whether they are bottlenecks.
STAGES = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}


@keras.saving.register_keras_serializable("maquette")
class Residual(layers.Layer):
    """x: (batch, h, w, channels) -> relu(shortcut(x) + F(x)): (batch, h / stride, w / stride, maps or 4 maps)."""

    def __init__(
        self, maps: int, stride: int, bottleneck: bool, shortcut: str, residual: bool, bias: bool, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.stride, self.shortcut, self.residual = stride, shortcut, residual
        options: dict[str, Any] = {"bias": bias, "epsilon": 1.001e-5}
        if bottleneck:
            self.units = [
                NormedConvolution(maps, 1, stride, name="reduce", **options),
                NormedConvolution(maps, 3, name="middle", **options),
            ]
        else:
            first = NormedConvolution(
                maps, 3, stride, padding="same" if stride == 1 else "valid", name="first", **options
            )
            # Padded on both sides, kernels of stride 2 are centred on the pixels that the shortcut takes.
            self.units = [first] if stride == 1 else [layers.ZeroPadding2D(1, name="pad"), first]
        out = 4 * maps if bottleneck else maps
        if shortcut == "convolution" and residual:
            self.projection = NormedConvolution(out, 1, stride, "linear", name="shortcut", **options)
        self.last = NormedConvolution(out, 1 if bottleneck else 3, activation="linear", name="last", **options)

    def call(self, x: Any, training: bool = False) -> Any:
        f = x
        for unit in self.units:
            f = unit(f, training=training) if isinstance(unit, NormedConvolution) else unit(f)
        f = self.last(f, training=training)
        return ops.relu(f + self._carried(x, f, training) if self.residual else f)

    def _carried(self, x: Any, f: Any, training: bool) -> Any:
        if self.shortcut == "convolution":
            return self.projection(x, training=training)
        x = x[:, :: self.stride, :: self.stride] if self.stride > 1 else x
        more = f.shape[-1] - x.shape[-1]
        return ops.pad(x, [[0, 0], [0, 0], [0, 0], [0, more]]) if more else x


@keras.saving.register_keras_serializable("maquette")
class ResNet(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        depth: number of convolutions and dense layers on the longest way: 6 n + 2, or 18, 34, 50, 101, 152.
        style: "cifar" for small pictures, "imagenet" for large ones.
        width: maps of the first stage; 0 stands for the paper's 16 and 64.
        residual: whether blocks add their input; False is the plain network.
        bias: whether convolutions have biases beside their normalisation, as in keras.applications.

    Raises:
        InputError: for an unknown style, or a depth that it does not have.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 10,
        depth: int = 20,
        style: str = "cifar",
        width: int = 0,
        residual: bool = True,
        bias: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.depth, self.style, self.width = classes, depth, style, width
        self.residual, self.bias = residual, bias
        large = style == "imagenet"
        maps = width or (64 if large else 16)
        self.pad = layers.ZeroPadding2D(3, name="pad")
        self.pool_pad = layers.ZeroPadding2D(1, name="pool_pad")
        self.pool = layers.MaxPooling2D(3, 2, name="pool")
        start = (7, 2, "relu", "valid") if large else (3, 1, "relu", "same")
        self.stem = NormedConvolution(maps, *start, bias=bias, epsilon=1.001e-5, name="stem")
        self.blocks = self._stages(maps, *_plan(style, depth))
        self.average = layers.GlobalAveragePooling2D(name="average")
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def _stages(self, maps: int, stages: tuple[int, ...], bottleneck: bool) -> list[Any]:
        blocks = []
        for stage, count in enumerate(stages):
            for i in range(count):
                stride = 2 if stage and i == 0 else 1
                changes = stride == 2 or (bottleneck and i == 0)
                kind = "convolution" if self.style == "imagenet" and changes else "identity"
                name = f"stage_{stage + 1}_block_{i + 1}"
                blocks.append(Residual(maps << stage, stride, bottleneck, kind, self.residual, self.bias, name=name))
        return blocks

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, maps)."""
        if self.style == "imagenet":
            x = self.pool(self.pool_pad(self.stem(self.pad(x), training=training)))
        else:
            x = self.stem(x, training=training)
        for block in self.blocks:
            x = block(x, training=training)
        return self.average(x)


def _plan(style: str, depth: int) -> tuple[tuple[int, ...], bool]:
    """Blocks in each stage, and whether they are bottlenecks."""
    if style == "imagenet" and depth in STAGES:
        return STAGES[depth]
    if style == "cifar" and depth > 2 and depth % 6 == 2:
        return (depth // 6,) * 3, False
    if style in ("cifar", "imagenet"):
        known = "6 n + 2, such as 20" if style == "cifar" else ", ".join(map(str, STAGES))
        raise InputError(f"ResNet of style {style} has the depths {known}, not {depth}: set model.depth or model.style")
    raise InputError(f"ResNet has the styles 'cifar' and 'imagenet', not {style!r}")
