"""Inception-v3: modules of parallel convolutions of different sizes, whose maps are put side by side.

Module A     1 x 1 | 1 x 1, 5 x 5 | 1 x 1, 3 x 3, 3 x 3 | average pooling, 1 x 1
Reduction B  3 x 3 by 2 | 1 x 1, 3 x 3, 3 x 3 by 2 | max pooling by 2
Module C     1 x 1 | 1 x 1, 1 x 7, 7 x 1 | 1 x 1, 7 x 1, 1 x 7, 7 x 1, 1 x 7 | average pooling, 1 x 1
Reduction D  1 x 1, 3 x 3 by 2 | 1 x 1, 1 x 7, 7 x 1, 3 x 3 by 2 | max pooling by 2
Module E     1 x 1 | 1 x 1, (1 x 3 and 3 x 1) | 1 x 1, 3 x 3, (1 x 3 and 3 x 1) | average pooling, 1 x 1
Network      3 convolutions, pooling, 2 convolutions, pooling, A A A B C C C C D E E, average, one logit per class
Loss         cross-entropy of the true classes
Rule         gradients by backpropagation

The depth of a module is the sum of its branches' maps. A leading 1 x 1 convolution thins the maps before a costly
one, and 1 x 7 after 7 x 1 sees 7 x 7 pixels with 14 weights for 49. Every convolution is followed by a batch
normalisation without gamma, and ReLU. For 299 x 299 pixels and 1000 classes 23,851,784 weights, 21,802,784 of them
before the last layer. The paper's auxiliary classifier, which it found to act as a regulariser, is left out.

The graph is that of keras.applications.InceptionV3, whose weights `maquette.layers.keras_weights` copies. Pictures
below 75 x 75 need padding="same", and are better served by a ResNet.

As a backbone: `features` gives what the last layer, `head`, sees, (batch, maps); everything but `head` can be frozen.

Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna (2016), "Rethinking the Inception architecture for computer vision",
sections 3 and 6, figures 5 to 7 and 10.

Example:
    >>> from maquette.models.vision.inception_v3 import InceptionV3
    >>> model = InceptionV3(classes=5, width=0.125, modules=(1, 0, 0))
    >>> model.build((None, 75, 75, 3))
    >>> model.head.count_params() == (8 + 8 + 12 + 4 + 1) * 5
    True
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.layers.normed_convolution import NormedConvolution

RECIPE = Recipe(
    name="cifar10-inception-v3",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    model={"padding": "same", "width": 0.25, "modules": (2, 2, 1)},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    epochs=15,
    minutes=60,
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.width": 0.0625,
        "model.modules": (1, 0, 0),
        "optimizer": {"sgd": 0.05},
        "epochs": 3,
    },
)

# A branch: (maps, height and width of the kernel[, stride]) one after the other.
Step = tuple[int, ...]


@keras.saving.register_keras_serializable("maquette")
class Branches(layers.Layer):
    """x: (batch, h, w, channels) -> what every branch makes of x, side by side: (batch, h', w', sum of their maps)."""

    def __init__(self, branches: Sequence[Sequence[Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lengths = [len(branch) for branch in branches]
        self.parts = [part for branch in branches for part in branch]

    def call(self, x: Any, training: bool = False) -> Any:
        parts, ends = iter(self.parts), []
        for length in self.lengths:
            end = x
            for _ in range(length):
                part = next(parts)
                pooling = isinstance(part, (layers.AveragePooling2D, layers.MaxPooling2D))
                end = part(end) if pooling else part(end, training=training)
            ends.append(end)
        return ops.concatenate(ends, axis=-1)


@keras.saving.register_keras_serializable("maquette")
class InceptionV3(Classifier):
    """x: (batch, height, width, channels) -> logits: (batch, classes).

    Args:
        classes: number of classes.
        width: factor of the number of maps of every convolution.
        modules: how many of the modules A, C and E; a reduction stands before C and E where there are any.
        padding: of the first convolutions and the reductions: "valid" as in the paper, "same" for small pictures.

    Raises:
        InputError: for pictures too small for "valid".
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 1000,
        width: float = 1.0,
        modules: Sequence[int] = (3, 4, 2),
        padding: str = "valid",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes, self.width, self.modules, self.padding = classes, width, tuple(modules), padding
        a, c, e = self.modules
        steps: list[Step] = [(32, 3, 3, 2), (32, 3, 3), (64, 3, 3), (80, 1, 1), (192, 3, 3)]
        self.stem = [self._convolution(step, f"stem_{i}", same=i == 3) for i, step in enumerate(steps, 1)]
        self.pools = [self._max_pool(f"pool_{i}") for i in (1, 2)]
        self.mixed = [self._module_a(i, 32 if i == 0 else 64) for i in range(a)]
        if c:
            thin = [128, *[160] * (c - 2), 192][:c]
            self.mixed += [self._reduction_b(), *(self._module_c(i, maps) for i, maps in enumerate(thin))]
        if e:
            self.mixed += [self._reduction_d(), *(self._module_e(i) for i in range(e))]
        self.average = layers.GlobalAveragePooling2D(name="average")
        self.head = layers.Dense(classes, name="logits", dtype="float32")

    def _convolution(self, step: Step, name: str, same: bool = True) -> Any:
        maps, height, width, stride = (*step, 1)[:4]
        padding = "same" if same and stride == 1 else self.padding
        maps = max(1, round(maps * self.width))
        return NormedConvolution(maps, (height, width), stride, padding=padding, scale=False, name=name)

    def _branch(self, name: str, *steps: Step) -> list[Any]:
        return [self._convolution(step, f"{name}_{i}") for i, step in enumerate(steps, 1)]

    def _pooled(self, maps: int) -> list[Any]:
        return [layers.AveragePooling2D(3, 1, padding="same", name="average"), *self._branch("pool", (maps, 1, 1))]

    def _max_pool(self, name: str) -> Any:
        return layers.MaxPooling2D(3, 2, padding=self.padding, name=name)

    def _module_a(self, i: int, pooled: int) -> Branches:
        one = self._branch("one", (64, 1, 1))
        five = self._branch("five", (48, 1, 1), (64, 5, 5))
        three = self._branch("three", (64, 1, 1), (96, 3, 3), (96, 3, 3))
        return Branches([one, five, three, self._pooled(pooled)], name=f"module_a_{i + 1}")

    def _reduction_b(self) -> Branches:
        three = self._branch("three", (384, 3, 3, 2))
        double = self._branch("double", (64, 1, 1), (96, 3, 3), (96, 3, 3, 2))
        return Branches([three, double, [self._max_pool("pool")]], name="reduction_b")

    def _module_c(self, i: int, thin: int) -> Branches:
        one = self._branch("one", (192, 1, 1))
        seven = self._branch("seven", (thin, 1, 1), (thin, 1, 7), (192, 7, 1))
        steps = ((thin, 1, 1), (thin, 7, 1), (thin, 1, 7), (thin, 7, 1), (192, 1, 7))
        double = self._branch("double", *steps)
        return Branches([one, seven, double, self._pooled(192)], name=f"module_c_{i + 1}")

    def _reduction_d(self) -> Branches:
        three = self._branch("three", (192, 1, 1), (320, 3, 3, 2))
        seven = self._branch("seven", (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2))
        return Branches([three, seven, [self._max_pool("pool")]], name="reduction_d")

    def _module_e(self, i: int) -> Branches:
        one = self._branch("one", (320, 1, 1))
        three = [*self._branch("three", (384, 1, 1)), self._split("three_split")]
        double = [*self._branch("double", (448, 1, 1), (384, 3, 3)), self._split("double_split")]
        return Branches([one, three, double, self._pooled(192)], name=f"module_e_{i + 1}")

    def _split(self, name: str) -> Branches:
        return Branches([self._branch("wide", (384, 1, 3)), self._branch("high", (384, 3, 1))], name=name)

    def build(self, input_shape: Any) -> None:
        if self.padding == "valid" and min(input_shape[1:3]) < 75:
            size = "x".join(str(side) for side in input_shape[1:3])
            raise InputError(f"InceptionV3 needs pictures of at least 75x75, not {size}: set model.padding=same")
        super().build(input_shape)

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, maps)."""
        for i, unit in enumerate(self.stem, 1):
            x = unit(x, training=training)
            x = self.pools[i // 4](x) if i in (3, 5) else x
        for module in self.mixed:
            x = module(x, training=training)
        return self.average(x)
