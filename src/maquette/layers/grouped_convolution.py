"""A convolution in groups: the maps are dealt into parts, and each part sees its own part of the maps below.

The kernel amounts to a block-diagonal one, with in * out / groups in place of in * out weights for every place. Keras
has `groups` as well, but on TensorFlow a form of it that no ONNX file can hold; here each part is a convolution.

Source: Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural networks",
section 3.5.

Example:
    >>> import numpy as np
    >>> layer = GroupedConvolution(6, 3, groups=2)
    >>> layer(np.zeros((1, 5, 5, 4), "float32")).shape == (1, 3, 3, 6), layer.count_params()
    (True, 114)
"""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("maquette")
class GroupedConvolution(layers.Conv2D):
    """x: (batch, height, width, channels) -> (batch, height', width', filters); the arguments are those of Conv2D."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Each part of the maps under its part of the kernels, side by side."""
        parts = zip(ops.split(inputs, self.groups, axis=-1), ops.split(kernel, self.groups, axis=-1))
        options = {"strides": self.strides, "padding": self.padding, "dilation_rate": self.dilation_rate}
        return ops.concatenate([ops.conv(x, k, **options) for x, k in parts], axis=-1)
