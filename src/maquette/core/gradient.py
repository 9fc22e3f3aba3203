"""The gradient of a function with respect to its input, a word that Keras does not have."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def input_gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """d(sum of function(x)) / dx, differentiable again where the backend is compiled or eager.

    Summing over the batch gives each row its own gradient as long as `function` treats rows apart, so a layer
    that mixes them or changes its state (batch normalisation) has no place in `function`.

    Args:
        function: x -> array of any shape, made of `keras.ops` and layers whose weights are built.
        x: (batch, ...), floating point.

    Returns:
        The gradient, of the shape and dtype of `x`.

    Source: Gulrajani et al. (2017), "Improved training of Wasserstein GANs", section 4, needs it inside a loss.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.grad(lambda a: ops.sum(function(a)))(ops.convert_to_tensor(x))
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            x = tf.convert_to_tensor(x)
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)
    import torch

    with torch.enable_grad():
        x = ops.convert_to_tensor(x)
        x = x if x.requires_grad else x.detach().requires_grad_(True)
        return torch.autograd.grad(ops.sum(function(x)), x, create_graph=True)[0]
