"""Pictures continued by their mirror image, so that a convolution sees no border of zeros.

    d c b | a b c d | c b a      three pixels on each side; the border itself stands once

Source: Johnson, Alahi, Fei-Fei (2016), "Perceptual losses for real-time style transfer and super-resolution".

Example:
    >>> import numpy as np
    >>> row = np.arange(3, dtype="float32").reshape(1, 1, 3, 1)
    >>> np.asarray(ReflectionPadding((0, 2))(row)).ravel().tolist()
    [2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0]
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("maquette")
class ReflectionPadding(layers.Layer):
    """x: (batch, height, width, channels) -> with `padding` more pixels on every side, fewer than the side has.

    Args:
        padding: rows and columns, or one number for both.
    """

    def __init__(self, padding: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = (padding, padding) if isinstance(padding, int) else tuple(padding)
        self.built = True

    def call(self, x: Any) -> Any:
        rows, columns = self.padding
        return ops.pad(x, ((0, 0), (rows, rows), (columns, columns), (0, 0)), mode="reflect")

    def compute_output_spec(self, x: Any) -> Any:
        # JAX cannot reflect a side of unknown length.
        batch, *sides, channels = x.shape
        sides = [side and side + 2 * more for side, more in zip(sides, self.padding, strict=True)]
        return keras.KerasTensor((batch, *sides, channels), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}
