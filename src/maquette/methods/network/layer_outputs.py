"""Layer outputs: what every layer of a trained Keras model answers to given inputs, such as its feature maps.

    a_l = f_l(a_(l-1)),  a_0 = x       each a_l that passes a layer, in the order of computation

Layers that hold others are left out, and operations that are no layers, such as a ReLU written in `call`, are not
seen. A layer that is called twice comes twice. Nothing of the model changes. First convolutions of trained networks
often look like detectors of edges and blobs; the pictures of the report let you see whether yours do.

Source: Zeiler, Fergus (2014), "Visualizing and understanding convolutional networks", section 4.

Example:
    >>> import keras, numpy as np
    >>> from maquette.methods.network.layer_outputs import layer_outputs
    >>> model = keras.Sequential([keras.layers.Conv2D(4, 3, name="c"), keras.layers.MaxPooling2D(name="p")])
    >>> [(call.name, call.output.shape) for call in layer_outputs(model, np.zeros((2, 8, 8, 1), "float32"))]
    [('c', (2, 6, 6, 4)), ('p', (2, 3, 3, 4))]
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from maquette.errors import InputError, near


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        name: of the layer.
        layer: the layer itself.
        inputs: how many arrays went in.
        output: what came out, the first of several: float32 (n, ...).
    """

    name: str
    layer: Any
    inputs: int
    output: np.ndarray


def layer_outputs(model: Any, x: Any) -> list[Call]:
    """The calls of all innermost layers of a model on the inputs x: (n, ...), in inference mode."""
    import keras

    calls: list[Call] = []

    def note(layer: Any, inputs: Any, output: Any) -> Any:
        first = keras.ops.cast(keras.tree.flatten(output)[0], "float32")
        calls.append(Call(layer.name, layer, len(keras.tree.flatten(inputs)), keras.ops.convert_to_numpy(first)))
        return output

    if not model.built:
        model.build((None, *x.shape[1:]))
    with watched(leaves(model), note):
        model(x, training=False)
    return calls


def leaves(model: Any) -> list[Any]:
    """The innermost layers of a model, each once; Keras's own layers, such as an LSTM with its cell, count as one."""
    import keras

    found = []
    for layer in model._flatten_layers(include_self=False, recursive=False):
        whole = type(layer).__module__.startswith("keras.") and not isinstance(layer, keras.Model)
        inner = [] if whole else leaves(layer)
        found += inner or ([] if isinstance(layer, (keras.layers.InputLayer, keras.metrics.Metric)) else [layer])
    return list(dict.fromkeys(found))


@contextmanager
def watched(layers: list[Any], change: Callable[[Any, Any, Any], Any]) -> Iterator[None]:
    """In the block every call of the layers gives what `change(layer, inputs, output)` makes of its output."""
    before = {layer: vars(layer).get("call") for layer in layers}

    def changed(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*inputs: Any, **options: Any) -> Any:
            return change(layer, inputs, call(*inputs, **options))

        return called

    try:
        for layer in layers:
            vars(layer)["call"] = changed(layer, layer.call)
        yield
    finally:
        for layer, own in before.items():
            vars(layer).pop("call", None)
            if own is not None:
                vars(layer)["call"] = own


def spatial(calls: list[Call], layer: str | None = None) -> Call:
    """The call of the layer of that name, or of the last one that has weights and feature maps.

    Raises:
        InputError: if there is no such layer, or its output has no height and width.
    """
    maps = [call for call in calls if call.output.ndim == 4]
    if layer is None:
        maps = [call for call in maps if call.layer.weights]
        if not maps:
            raise InputError("the model has no layer with feature maps: give one that has a convolution")
        return maps[-1]
    named = [call for call in maps if call.name == layer]
    if not named:
        raise InputError(f"layer {layer!r} has no feature maps: {near(layer, [call.name for call in maps])}")
    return named[-1]


METHOD = layer_outputs
