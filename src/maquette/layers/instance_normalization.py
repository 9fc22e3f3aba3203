"""Instance normalisation: every map of every picture gets the mean 0 and the variance 1, then a shift that is learnt.

    y = (x - m) / sqrt(v + epsilon) + shift      m, v: mean and variance of the map's own pixels; shift: one per map

No picture of a batch changes another one, in training as in use. A scale is left out: the convolution behind a ReLU can
make up for it. The shift takes the place of the bias of the convolution before, which the mean would take away.

Contrast and brightness of a map are lost, and a map of one pixel becomes its shift.

Source: Ulyanov, Vedaldi, Lempitsky (2016), "Instance normalization: the missing ingredient for fast stylization".

Example:
    >>> import numpy as np
    >>> row = np.array([1, 3, 5, 7], "float32").reshape(1, 1, 4, 1)
    >>> np.asarray(InstanceNormalization()(row)).ravel().round(2).tolist()
    [-1.34, -0.45, 0.45, 1.34]
"""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("maquette")
class InstanceNormalization(layers.Layer):
    """x: (batch, height, width, channels) -> y of that shape.

    Args:
        epsilon: added to the variance.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        self.shift = self.add_weight((input_shape[-1],), "zeros", name="shift")

    def call(self, x: Any) -> Any:
        x = ops.cast(x, "float32")  # squares of half precision would be too coarse
        centred = x - ops.mean(x, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(centred), axis=(1, 2), keepdims=True)
        y = centred * ops.rsqrt(variance + self.epsilon) + ops.cast(self.shift, "float32")
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}
