"""Receptive field: which pixels of the input a unit of a deep layer can see, from the sizes of the layers alone.

    r_l = r_(l-1) + (K_eff - 1) j_(l-1)             field: pixels from the first seen to the last, r_0 = 1
    j_l = j_(l-1) S                                 jump: pixels between the fields of neighbours, j_0 = 1
    c_l = c_(l-1) + ((K_eff - 1) / 2 - P) j_(l-1)   centre of the first unit's field, c_0 = 0; P zeros before

Two 3 x 3 layers see as much as one of 5 x 5, with 18 C^2 weights in place of 25 C^2. Doubling dilations 1, 2, 4, ...
in n layers of 3 give 2^(n+1) - 1. A pooling window is a kernel here. The field is the most that can matter: in a
trained network the pixels near its middle weigh more than those at its rim; `measured_field` finds the ones that do.

Source: Araujo, Norris, Sim (2019), "Computing receptive fields of convolutional neural networks", section 2.

Example:
    >>> from maquette.methods.network.receptive_field import Step, receptive_field
    >>> [row.field for row in receptive_field([Step(3), Step(3), Step(3)])]
    [3, 5, 7]
    >>> lenet = [Step(5, padding=2), Step(2, 2), Step(5), Step(2, 2)]
    >>> [(row.length, row.field, row.jump) for row in receptive_field(lenet, 28)]
    [(28, 5, 1), (14, 6, 2), (10, 14, 2), (5, 16, 4)]
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.convolution_arithmetic import effective_kernel, output_length, padding_of

MIXING = ("Dense", "GlobalAverage", "GlobalMax", "Flatten", "Reshape")  # end what can be told of places


@dataclass(frozen=True)
class Step:
    """One layer along one axis: kernel or pooling window, stride, padding as in `output_length`, dilation."""

    kernel: int
    stride: int = 1
    padding: Any = "valid"
    dilation: int = 1
    name: str = ""


@dataclass(frozen=True)
class Seen:
    """What a unit after a step sees: `field` and `jump` in pixels, `centre` of the first unit, `length` of the axis."""

    name: str
    length: int | None
    field: int
    jump: int
    centre: float


def receptive_field(steps: Sequence[Step], length: int | None = None) -> list[Seen]:
    """Steps in order -> what a unit after each of them sees along that axis.

    Args:
        steps: layers, from the input on.
        length: of the input; without it the lengths are None, and "same" is read as (K_eff - 1) // 2 zeros before.

    Raises:
        InputError: for no step, or a layer that has nothing left to look at.
    """
    if not steps:
        raise InputError("steps is empty: give at least one layer")
    field, jump, centre, rows = 1, 1, 0.0, []
    for step in steps:
        wide = effective_kernel(step.kernel, step.dilation)
        sizes = (step.kernel, step.stride, step.padding, step.dilation)
        guessed = length is None and step.padding == "same"
        before = (wide - 1) // 2 if guessed else padding_of(length or 1, *sizes)[0]
        centre += ((wide - 1) / 2 - before) * jump
        field, jump = field + (wide - 1) * jump, jump * step.stride
        length = None if length is None else output_length(length, *sizes)
        rows.append(Seen(step.name, length, field, jump, centre))
    return rows


def steps_of(model: Any, shape: Sequence[int], axis: int = 0) -> list[Step]:
    """The convolutions and poolings of a Keras model, in the order of computation, up to the first that ends space.

    Args:
        model: a built model of one path: layers that add or join several inputs are refused.
        shape: of one input, (height, width, channels).
        axis: 0 for the height, 1 for the width.

    Raises:
        InputError: for a layer with several inputs, or one whose window Keras does not tell.
    """
    from maquette.methods.network.layer_outputs import layer_outputs

    steps: list[Step] = []
    ahead, size = (0, 0), tuple(shape[:2])  # zeros of a layer of their own, which the next kernel sees
    for call in layer_outputs(model, np.zeros((1, *shape), "float32")):
        kind, layer = type(call.layer).__name__, call.layer
        if kind.startswith(MIXING):
            break
        if call.inputs > 1:
            raise InputError(f"{call.name} joins {call.inputs} inputs: read each branch of the model on its own")
        if kind.startswith("ZeroPadding"):
            ahead = tuple(a + b for a, b in zip(ahead, layer.padding[axis]))
        elif hasattr(layer, "strides") and "Transpose" not in kind:
            steps.append(_step(call, axis, ahead))
            ahead = (0, 0)
        elif call.output.shape[1:3] != size or (layer.weights and not type(layer).__module__.startswith("keras.")):
            raise InputError(f"{call.name}: the window of a {kind} is not known; give the steps of this model")
        size = call.output.shape[1:3]
    return steps


def _step(call: Any, axis: int, ahead: tuple[int, ...]) -> Step:
    layer = call.layer
    kernel = getattr(layer, "kernel_size", None) or layer.pool_size
    dilation = getattr(layer, "dilation_rate", (1,) * len(kernel))[axis]
    if any(ahead) and layer.padding != "valid":
        raise InputError(f"{call.name} pads after a layer of zeros: give its steps")
    return Step(kernel[axis], layer.strides[axis], ahead if any(ahead) else layer.padding, dilation, call.name)


def measured_field(function: Callable[[Any], Any], x: Any) -> np.ndarray:
    """The pixels on which one output depends, bool (height, width): where its gradient is not zero.

    Args:
        function: x -> one number per picture, (n,), of `keras.ops` or layers: a unit in the middle of a feature map.
        x: pictures (n, height, width, channels); max pooling and ReLU pass what they chose, so take many.
    """
    from maquette.core.gradient import input_gradient

    slopes = input_gradient(function, np.asarray(x, "float32"))
    from keras import ops

    return np.any(ops.convert_to_numpy(slopes) != 0, axis=(0, -1))


METHOD = receptive_field
