"""Local response normalisation: a feature map is damped where its neighbours answer strongly at the same place.

    b_c = a_c / (k + alpha sum_{|d| <= n / 2} a_{c + d}^2)^beta      over maps c + d that exist

PyTorch's LocalResponseNorm divides its alpha by n, so that its alpha is n times this one.

Source: Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural networks",
section 3.3, with the constants chosen there. Later networks leave it out: Simonyan and Zisserman (2015), section 4,
found no gain.

Example:
    >>> import numpy as np
    >>> layer = LocalResponseNormalization(n=3, k=1.0, alpha=1.0, beta=1.0)
    >>> np.asarray(layer(np.array([[[[1.0, 2.0, 0.0]]]], "float32"))).ravel().round(4).tolist()
    [0.1667, 0.3333, 0.0]
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.errors import InputError


@keras.saving.register_keras_serializable("maquette")
class LocalResponseNormalization(layers.Layer):
    """x: (..., maps) -> (..., maps), without weights.

    Args:
        n: number of neighbouring maps, itself included; odd.
        k: what the sum of squares is added to.
        alpha: weight of the sum of squares.
        beta: exponent.

    Raises:
        InputError: for an even or negative n.
    """

    def __init__(self, n: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if n < 1 or n % 2 == 0:
            raise InputError(f"n of local response normalisation is an odd number of maps, not {n}")
        self.n, self.k, self.alpha, self.beta = n, k, alpha, beta

    def call(self, x: Any) -> Any:
        maps, half = x.shape[-1], self.n // 2
        squares = ops.square(ops.cast(x, "float32"))
        padded = ops.pad(squares, [[0, 0]] * (len(x.shape) - 1) + [[half, half]])
        near = sum(padded[..., d : d + maps] for d in range(self.n))
        return x * ops.cast(ops.power(self.k + self.alpha * near, -self.beta), x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in ("n", "k", "alpha", "beta")}}
