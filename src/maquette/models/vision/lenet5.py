"""LeNet-5: convolution and subsampling in turn, then three dense layers; the network that read cheques.

C1  6 maps, 5 x 5                 28 x 28, zero-padded to 32 x 32 -> 28 x 28
S2  2 x 2 subsampling             -> 14 x 14
C3  16 maps, 5 x 5                -> 10 x 10
S4  2 x 2 subsampling             -> 5 x 5
C5  120 maps over all of S4,  F6  84 units,  output: one logit per class

style "1998"    squashing f(a) = 1.7159 tanh(2 a / 3); a subsampling unit is f(coefficient * (sum of 4) + bias) with
                one trainable coefficient and bias per map; C3 sees S2 through the paper's connection table
                (1,516 weights). C1 to F6 have 60,000 weights, as in the paper.
style "modern"  ReLU, max pooling, C3 sees every map of S2
Loss            cross-entropy of the true classes against targets smoothed by `label_smoothing`
rbf_output      logits are minus the squared distances y_i of F6 to a fixed code of +1 and -1 for each class, the
                paper's layer with drawn codes for its bitmaps; the loss is its y_d + log(e^-1 + sum_i e^(-y_i))
Rule            gradients by backpropagation

Made for small, centred, grey pictures; for photographs take a deeper network.

Source: LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition", section
II.B and table I.

Example:
    >>> import numpy as np
    >>> from maquette.models.vision.lenet5 import LeNet5
    >>> x = np.zeros((1, 28, 28, 1), "float32")
    >>> [LeNet5(style=style)(x).shape == (1, 10) for style in ("1998", "modern")]
    [True, True]
"""

from typing import Any

import keras
import numpy as np
from keras import initializers, layers, ops

from maquette.core.dropout import Dropout
from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.layers.rbf_output import RBFOutput, discriminating_loss

RECIPE = Recipe(
    name="mnist-lenet5",
    task="image-classification",
    data="mnist",
    model={"dropout": 0.3},
    inputs={"standardise": False},
    optimizer={"adam": 2e-3},
    schedule="cosine",
    batch_size=128,
    epochs=20,
    minutes=1.5,
    expect={"test_error": Expect(0.0095, "0.95 % in LeCun et al. (1998), figure 9, without distortions")},
    tiny={"data": "digits", "inputs.size": 28, "epochs": 3},
)

# Table I of the paper: which maps of S2 each map of C3 sees.
CONNECTIONS = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)


def squash(a: Any) -> Any:
    """1.7159 tanh(2 a / 3): has f(1) = 1, f(-1) = -1 and its greatest curvature there."""
    return 1.7159 * ops.tanh(a * (2.0 / 3.0))


@keras.saving.register_keras_serializable("maquette")
class Subsampling(layers.Layer):
    """x: (batch, 2 h, 2 w, maps) -> squash(coefficient * (sum of each 2 x 2) + bias): (batch, h, w, maps)."""

    def build(self, input_shape: Any) -> None:
        quarter = initializers.Constant(0.25)
        self.coefficient = self.add_weight(shape=(input_shape[-1],), initializer=quarter, name="coefficient")
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        total = 4.0 * ops.average_pool(x, 2, 2)
        return squash(total * self.coefficient + self.bias)


@keras.saving.register_keras_serializable("maquette")
class ConnectedConvolution(layers.Layer):
    """x: (batch, h, w, 6) -> (batch, h - 4, w - 4, 16), 5 x 5 kernels where `CONNECTIONS` has them, none elsewhere."""

    def build(self, input_shape: Any) -> None:
        connected = np.zeros((5, 5, 6, len(CONNECTIONS)), bool)
        for target, sources in enumerate(CONNECTIONS):
            connected[:, :, list(sources), target] = True
        weights = int(connected.sum())
        # Absent connections point behind the last weight, at a zero.
        self.position = np.full(connected.shape, weights, "int32")
        self.position[connected] = np.arange(weights)
        spread = initializers.RandomUniform(-2.4 / 100, 2.4 / 100)  # 2.4 / fan-in, as the paper's appendix A
        self.kernel = self.add_weight(shape=(weights,), initializer=spread, name="kernel")
        self.bias = self.add_weight(shape=(len(CONNECTIONS),), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        weights = ops.cast(ops.pad(self.kernel, [[0, 1]]), x.dtype)
        return ops.conv(x, ops.take(weights, self.position), padding="valid") + ops.cast(self.bias, x.dtype)


@keras.saving.register_keras_serializable("maquette")
class LeNet5(Model):
    """x: (batch, height, width, channels), at least 28 x 28 -> logits: (batch, classes).

    Args:
        classes: number of classes.
        style: "modern" or "1998".
        dropout: share of the outputs of S4 and of C5 that a training step leaves out.
        label_smoothing: share of the target spread evenly over the classes; not with distances.
        rbf_output: whether the last layer is the paper's, of radial basis functions.

    Raises:
        InputError: for pictures below 28 x 28, or an unknown style.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        classes: int = 10,
        style: str = "modern",
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
        rbf_output: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if style not in ("modern", "1998"):
            raise InputError(f"LeNet5 has the styles 'modern' and '1998', not {style!r}")
        self.classes, self.style, self.rbf_output = classes, style, rbf_output
        self.dropout, self.label_smoothing = dropout, label_smoothing
        old = style == "1998"
        f = squash if old else ops.relu
        self.activation = f
        self.pad = layers.ZeroPadding2D(2, name="pad")
        self.c1 = layers.Conv2D(6, 5, name="c1")
        self.s2 = Subsampling(name="s2") if old else layers.MaxPooling2D(2, name="s2")
        self.c3 = ConnectedConvolution(name="c3") if old else layers.Conv2D(16, 5, name="c3")
        self.s4 = Subsampling(name="s4") if old else layers.MaxPooling2D(2, name="s4")
        self.flatten = layers.Flatten(name="flatten")
        self.c5 = layers.Dense(120, name="c5")
        self.f6 = layers.Dense(84, name="f6")
        self.drop = [Dropout(dropout, name=f"dropout_{i}") for i in (4, 5)]
        head: dict[str, Any] = {"name": "logits", "dtype": "float32"}
        self.head = RBFOutput(classes, **head) if self.rbf_output else layers.Dense(classes, **head)

    def build(self, input_shape: Any) -> None:
        if min(input_shape[1:3]) < 28:
            size = "x".join(str(side) for side in input_shape[1:3])
            raise InputError(f"LeNet5 needs pictures of at least 28x28, not {size}: set inputs.size=28")
        super().build(input_shape)

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer, `head`, sees: (batch, 84)."""
        f = self.activation
        x = self.pad(x) if x.shape[1] < 32 else x
        x = self.s2(f(self.c1(x)))  # (batch, 14, 14, 6) for 28 x 28 pixels
        x = self.s4(f(self.c3(x)))  # (batch, 5, 5, 16)
        h = self.drop[0](self.flatten(x), training=training)
        h = self.drop[1](f(self.c5(h)), training=training)
        return f(self.f6(h))

    def call(self, x: Any, training: bool = False) -> Any:
        return self.head(self.features(x, training))

    def serve(self, x: Any) -> Any:
        """Class probabilities: (batch, classes)."""
        return ops.softmax(self(x, training=False))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        if self.rbf_output:
            return ops.average(discriminating_loss(y_pred, y, j=1.0), weights=sample_weight)
        log_p = ops.log_softmax(y_pred)
        hit = ops.squeeze(ops.take_along_axis(log_p, ops.expand_dims(ops.cast(y, "int32"), -1), axis=-1), -1)
        smooth = self.label_smoothing if training else 0.0
        surprise = -(1 - smooth) * hit - smooth * ops.mean(log_p, axis=-1)  # (batch,)
        return ops.average(surprise, weights=sample_weight)
