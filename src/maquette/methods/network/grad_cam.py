"""Grad-CAM: where the feature maps of a layer speak for a class.

    alpha_k = mean_{ij} dz_c / dA_ijk           z_c: the model's output for class c before the softmax
    m(i, j) = max(0, sum_k alpha_k A_ijk)       A: the layer's feature maps

For a network that ends in global average pooling and one dense layer, m is its class activation map, up to a factor.
The map is as coarse as A, and averaging the slopes over all places can blur what the model looked at: see it beside
`occlusion`. Where a network applies its ReLU after the layer, so that negative entries of A are without effect, they
are cut here too.

Source: Selvaraju et al. (2017), "Grad-CAM: visual explanations from deep networks via gradient-based localization",
section 3; Zhou et al. (2016), "Learning deep features for discriminative localization", section 2.

Example:
    >>> import keras, numpy as np
    >>> from maquette.methods.network.grad_cam import grad_cam
    >>> layers = [keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    >>> grad_cam(keras.Sequential(layers), np.ones((2, 8, 8, 1), "float32"), [0, 2]).shape
    (2, 6, 6)
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.layer_outputs import layer_outputs, spatial, watched
from maquette.methods.signal.signals import numbers


def grad_cam(model: Any, x: Any, classes: Any, layer: str | None = None) -> np.ndarray:
    """Inputs and the class asked about in each -> maps (n, rows, columns), not negative, of the size of the layer's.

    Args:
        model: a Keras model, x -> one number per class, best before the softmax: (n, classes).
        x: pictures as the model takes them, (n, height, width, channels).
        classes: (n,), whole numbers.
        layer: its name; without it the last layer that has weights and feature maps.

    Raises:
        InputError: for a model or layer without feature maps, or other than one class per picture.
    """
    from keras import ops

    from maquette.core.gradient import input_gradient

    x, classes = np.asarray(numbers(x, "x", 4), "float32"), numbers(classes, "classes", 1).astype("int32")
    if len(classes) != len(x):
        raise InputError(f"classes has {len(classes)} entries: give one for each of {len(x)} pictures")
    call = spatial(layer_outputs(model, x), layer)
    maps = np.maximum(call.output, 0) if _cut_later(model, x, call) else call.output

    def score(a: Any) -> Any:
        with watched([call.layer], _put_in(call, a)):
            z = model(x, training=False)
        return ops.sum(ops.one_hot(classes, z.shape[-1], dtype=z.dtype) * z, axis=-1)

    slopes = ops.convert_to_numpy(input_gradient(score, maps))
    return np.asarray(np.maximum(np.einsum("nk,nijk->nij", slopes.mean(axis=(1, 2)), maps), 0))


def _put_in(call: Any, a: Any) -> Any:
    """A change of outputs that gives `a` in the place of the feature maps `call.output`."""

    def change(layer: Any, inputs: Any, output: Any) -> Any:
        from keras import ops

        # A layer that is called again for maps of another size keeps those.
        return ops.cast(a, output.dtype) if tuple(output.shape) == call.output.shape else output

    return change


def _cut_later(model: Any, x: Any, call: Any) -> bool:
    """Whether the model answers the same when the negative part of the maps is cut."""
    from keras import ops

    if call.output.min() >= 0:
        return False
    before = ops.convert_to_numpy(model(x, training=False))
    with watched([call.layer], _put_in(call, np.maximum(call.output, 0))):
        after = ops.convert_to_numpy(model(x, training=False))
    return bool(np.allclose(before, after, rtol=1e-5, atol=1e-6))


METHOD = grad_cam
