"""Adam in one pass over the weights on every backend."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("maquette")
class Adam(keras.optimizers.Adam):
    """w <- w - a m / (sqrt(v) + epsilon), with running means m of the gradient and v of its square, and
    a = rate sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t.

    The numbers are those of `keras.optimizers.Adam`. That one takes a dozen operations, which JAX fuses into one
    pass over the memory and TensorFlow does not: for wide dense layers they cost as much time as the convolutions
    before them. TensorFlow has a fused operation for the same formula, and this class calls it.

    Source: Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1 with the reordering at
    the end of section 2.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        index, dtype = self._get_variable_index(variable), variable.dtype
        step = ops.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = (ops.cast(beta, dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=ops.power(beta_1, step),
            beta2_power=ops.power(beta_2, step),
            lr=ops.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=ops.cast(self.epsilon, dtype),
            grad=ops.cast(gradient, dtype),
        )


def _handle(variable: Any) -> Any:
    """The resource behind a weight, which Keras hands over as its own variable or as TensorFlow's."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
