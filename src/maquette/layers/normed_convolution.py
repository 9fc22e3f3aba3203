"""A convolution, batch normalisation and an activation: the unit that residual, inception and mobile networks repeat.

    y = f(gamma (a - mean) / sqrt(variance + epsilon) + beta),   a = K * x (+ b)

Mean and variance are those of the batch while training, over rows, columns and pictures, and running averages
afterwards. The convolution needs no bias: the mean would take it away again, and beta stands in its place.

Source: Ioffe and Szegedy (2015), "Batch normalization: accelerating deep network training by reducing internal
covariate shift", section 3.2.

Example:
    >>> import numpy as np
    >>> unit = NormedConvolution(4, 3, strides=2)
    >>> unit(np.zeros((1, 8, 8, 3), "float32")).shape == (1, 4, 4, 4), unit.count_params()
    (True, 124)
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.layers.batch_normalization import BatchNormalization

ACTIVATIONS = {"relu": ops.relu, "relu6": ops.relu6, "linear": lambda x: x}


@keras.saving.register_keras_serializable("maquette")
class NormedConvolution(layers.Layer):
    """x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).

    Args:
        filters: feature maps; None convolves every channel with a kernel of its own, the depthwise convolution.
        kernel_size: side of the kernels, or (height, width).
        strides: step from one place of the kernel to the next.
        activation: "relu", "relu6" or "linear".
        padding: "same" or "valid".
        bias: whether the convolution has a bias as well, which some published weights have.
        scale: whether there is a gamma.
        momentum: of the running averages.
        epsilon: added to the variance.
    """

    def __init__(
        self,
        filters: int | None,
        kernel_size: Any = 1,
        strides: int = 1,
        activation: str = "relu",
        padding: str = "same",
        bias: bool = False,
        scale: bool = True,
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = ACTIVATIONS[activation]
        options = {"strides": strides, "padding": padding, "use_bias": bias, "name": "convolution"}
        if filters is None:
            self.convolution = layers.DepthwiseConv2D(kernel_size, depthwise_initializer="he_normal", **options)
        else:
            self.convolution = layers.Conv2D(filters, kernel_size, kernel_initializer="he_normal", **options)
        self.normalisation = BatchNormalization(momentum=momentum, epsilon=epsilon, scale=scale, name="normalisation")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.activation(self.normalisation(self.convolution(x), training=training))
