"""A fixed linear filter as a layer: every channel convolved with one known kernel, ahead of what is learned.

    y(i, j, c) = sum_{k, l} h(k, l) x(i - k, j - l, c)     x (batch, height, width, channels), h (odd, odd)

It is `maquette.methods.image.linear_filter` inside a network, on every backend, and passes gradients to its input.
Several kernels give several maps: maps c m ... c m + m - 1 are channel c under each of the m kernels.

Example:
    >>> import numpy as np
    >>> layer = FixedFilter([[0, 0, 0], [1, 0, -1], [0, 0, 0]], border="nearest")
    >>> ramp = np.tile(np.arange(4.0), (3, 1)).reshape(1, 3, 4, 1)
    >>> np.asarray(layer(ramp))[0, 1, :, 0].tolist()
    [1.0, 2.0, 2.0, 1.0]
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.errors import InputError, near

# Border -> (x, width) -> the rows (batch, width, ...) that stand before x and after it. Rows are cut and joined, not
# padded: `ops.pad` has no periodic mode, and its symmetric one is wrong on PyTorch.
SIDES: dict[str, Callable[[Any, int], tuple[Any, Any]]] = {
    "reflect": lambda x, width: (ops.flip(x[:, :width], axis=1), ops.flip(x[:, -width:], axis=1)),
    "mirror": lambda x, width: (ops.flip(x[:, 1 : width + 1], axis=1), ops.flip(x[:, -width - 1 : -1], axis=1)),
    "nearest": lambda x, width: (ops.repeat(x[:, :1], width, axis=1), ops.repeat(x[:, -1:], width, axis=1)),
    "wrap": lambda x, width: (x[:, -width:], x[:, :width]),
}
BORDERS = (*SIDES, "constant", "valid")


@keras.saving.register_keras_serializable("maquette")
class FixedFilter(layers.Layer):
    """x: (batch, height, width, channels) -> (batch, height, width, channels * kernels), smaller for "valid".

    Args:
        kernel: (height, width) with odd sides, or several as (kernels, height, width), such as
            `linear_filter.KERNELS["mean"]` or `np.outer(h, h)` with `h = gaussian_kernel(1.5)`.
        border: what lies beyond the picture: reflect (the border pixel twice), mirror (once), nearest, wrap,
            constant (`value`), or valid, which leaves out the outputs that need it.
        value: of the pixels beyond a constant border.

    Raises:
        InputError: for an even side, an unknown border, or at the first call pictures smaller than the kernel.
    """

    def __init__(self, kernel: Any, border: str = "reflect", value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        weights = np.asarray(kernel, "float64")
        if weights.ndim not in (2, 3) or weights.shape[-1] % 2 == 0 or weights.shape[-2] % 2 == 0:
            raise InputError(
                f"kernel has the shape {weights.shape}: give (height, width), both odd, or several of these"
            )
        if not np.isfinite(weights).all() or not np.isfinite(value):
            raise InputError("kernel or value holds NaN or infinity: give finite numbers")
        if border not in BORDERS:
            raise InputError(f"border {border!r} is not known: {near(border, BORDERS)}")
        self.kernel, self.border, self.value = weights, border, float(value)

    def build(self, input_shape: Any) -> None:
        height, width = self.kernel.shape[-2:]
        for side, most in ((height, input_shape[1]), (width, input_shape[2])):
            if most is not None and side > most:
                size = "x".join(map(str, input_shape[1:3]))
                raise InputError(f"the kernel of {height}x{width} exceeds pictures of {size}: take a smaller one")
        several = self.kernel.reshape(-1, height, width)[:, ::-1, ::-1]  # `conv` does not turn its kernel
        # (height, width, channels, kernels), the same for every channel
        self.stencil = np.repeat(np.moveaxis(several, 0, -1)[:, :, np.newaxis], input_shape[-1], axis=2)

    def call(self, x: Any) -> Any:
        x = ops.cast(x, self.compute_dtype)
        if self.border != "valid":
            for axis in (1, 2):
                x = self._extended(x, axis, self.kernel.shape[axis - 3] // 2)
        return ops.depthwise_conv(x, ops.convert_to_tensor(self.stencil, x.dtype), padding="valid")

    def _extended(self, x: Any, axis: int, width: int) -> Any:
        if width == 0:
            return x
        if self.border == "constant":
            pads = [[0, 0] for _ in range(4)]
            pads[axis] = [width, width]
            return ops.pad(x, pads, constant_values=self.value)
        x = ops.swapaxes(x, 1, axis)
        before, after = SIDES[self.border](x, width)
        return ops.swapaxes(ops.concatenate([before, x, after], axis=1), 1, axis)

    def get_config(self) -> dict[str, Any]:
        own = {"kernel": self.kernel.tolist(), "border": self.border, "value": self.value}
        config = {**super().get_config(), **own}
        config.pop("trainable", None)  # always false
        return config
