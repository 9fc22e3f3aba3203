"""Dense and convolutional layers whose weights are divided by their largest singular value.

    W (inputs, outputs), the kernel with all axes but the last in one
    v = W u / |W u|,  u' = W^T v / |W^T v|,  sigma = v.W.u',  the layer's kernel is W / sigma

u, kept from step to step, is the power method's: one turn per training step follows the weights as they change. The
layer then stretches no input by more than 1, which bounds the slope of a critic. Gradients hold u and v constant. Of a
convolution it is the matrix above that is bounded, not the operator on whole pictures.

Source: Miyato, Kataoka, Koyama, Yoshida (2018), "Spectral normalization for generative adversarial networks".

Example:
    >>> import numpy as np
    >>> layer = SpectralDense(2, use_bias=False)
    >>> layer.build((None, 2))
    >>> layer.set_weights([np.diag([4.0, 1.0]), np.array([1.0, 0.0])])
    >>> np.asarray(layer(np.ones((1, 2), "float32"))).tolist()
    [[1.0, 0.25]]
"""

from typing import Any

import keras
from keras import layers, ops

# mypy knows no common base of Dense and Conv2D that has a kernel.
_Base: Any = object


class _Spectral(_Base):
    """Beside a layer with a kernel: the kernel over its largest singular value."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        start = keras.initializers.RandomNormal(seed=0)
        self.u = self.add_weight(shape=(self._kernel.shape[-1],), initializer=start, trainable=False, name="u")

    def save_own_variables(self, store: Any) -> None:
        """W, the bias and u; Keras's layers would leave u out."""
        for name, variable in self._own().items():
            store[name] = variable

    def load_own_variables(self, store: Any) -> None:
        for name, variable in self._own().items():
            variable.assign(store[name])

    def _own(self) -> dict[str, Any]:
        own = {"kernel": self._kernel, "bias": self.bias, "u": self.u}
        return {name: variable for name, variable in own.items() if variable is not None}

    @property
    def kernel(self) -> Any:
        """W / sigma, in the layer's compute dtype."""
        kernel = super().kernel
        if not hasattr(self, "u"):  # while the layer is being built
            return kernel
        u, v = self._vectors()
        sigma = ops.sum(ops.matmul(v, self._matrix()) * u)
        return ops.cast(ops.cast(kernel, "float32") / sigma, self.compute_dtype)

    def _matrix(self) -> Any:
        kernel = ops.cast(super().kernel, "float32")
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def _vectors(self) -> tuple[Any, Any]:
        """u' and v, one turn of the power method from u."""
        matrix = ops.stop_gradient(self._matrix())
        v = _unit(ops.matmul(matrix, ops.cast(self.u, "float32")))
        return ops.stop_gradient(_unit(ops.matmul(v, matrix))), ops.stop_gradient(v)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            self.u.assign(self._vectors()[0])
        return super().call(inputs)


def _unit(x: Any) -> Any:
    return x / (ops.norm(x) + 1e-12)


@keras.saving.register_keras_serializable("maquette")
class SpectralDense(_Spectral, layers.Dense):
    """x: (..., inputs) -> (..., units); the arguments are those of Keras's layer."""


@keras.saving.register_keras_serializable("maquette")
class SpectralConv2D(_Spectral, layers.Conv2D):
    """x: (batch, height, width, channels) -> maps; the arguments are those of Keras's layer."""
