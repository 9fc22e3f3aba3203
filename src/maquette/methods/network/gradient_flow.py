"""The way of a gradient back through dense layers: where it vanishes, and which units let it through.

    forward   a_l = h_l-1.W_l + c_l,  h_l = f(a_l)
    back      d_l = dL/da_l = dL/dh_l f'(a_l),   dL/dh_l-1 = d_l.W_l^T,   dL/dW_l = h_l-1^T.d_l
    bound     |dL/dh_l-1| <= max f' |W_l| |dL/dh_l|,   |W_l| the largest singular value; max f' = 1/4 for the sigmoid

So a stack of L sigmoid layers keeps at most (1/4)^L prod |W_l| of a gradient, and less where its units are saturated.
A ReLU has the slope 1 wherever it is active, and started by He's rule it keeps the size of gradients on average.

Source: Hochreiter (1991), "Untersuchungen zu dynamischen neuronalen Netzen"; Glorot, Bengio (2010), "Understanding the
difficulty of training deep feedforward neural networks", section 4; He et al. (2015), "Delving deep into rectifiers".

Example:
    >>> import numpy as np
    >>> from maquette.methods.network.gradient_flow import gradient_flow
    >>> layers = gradient_flow([np.eye(2)] * 3, [np.zeros(2)] * 3, np.ones((1, 2)), np.ones((1, 2)), "sigmoid")
    >>> [round(layer.gain, 3) for layer in layers], round(layers[0].bound, 3)
    ([0.197, 0.219, 0.224], 0.25)
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.saturation import Working, saturation
from maquette.methods.signal.signals import choice, numbers

# Each function, its slope from its value, and the greatest slope.
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], float]] = {
    "sigmoid": (lambda a: 0.5 * (1 + np.tanh(0.5 * a)), lambda h: h * (1 - h), 0.25),
    "tanh": (np.tanh, lambda h: 1 - h * h, 1.0),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0) * 1.0, 1.0),
}


class Layer(NamedTuple):
    """What is measured of a layer.

    Attributes:
        norm: of the gradient dL/dW_l, Frobenius.
        gain: |dL/dh_l-1| / |dL/dh_l| over all examples: what is left of a gradient that comes back through the layer.
        bound: max f' |W_l|, which `gain` cannot exceed.
        working: how its units work.
        values: h_l (n, units).
    """

    norm: float
    gain: float
    bound: float
    working: Working
    values: np.ndarray


def gradient_flow(
    weights: Sequence[Any], biases: Sequence[Any], x: Any, slope: Any, function: str = "sigmoid"
) -> list[Layer]:
    """The layers from the first to the last.

    Args:
        weights: W_l (units below, units) of each layer.
        biases: c_l (units,).
        x: (n, inputs).
        slope: dL/dh of the last layer, (n, units).
        function: sigmoid, tanh or relu, of every layer.

    Raises:
        InputError: for an unknown function, or arrays that do not fit.
    """
    f, derivative, steepest = FUNCTIONS[choice(function, "function", list(FUNCTIONS))]
    h = [numbers(x, "x", 2).astype(float)]
    for i, (w, c) in enumerate(zip(weights, biases, strict=True)):
        if np.shape(w)[0] != h[-1].shape[1] or np.shape(w)[1:] != np.shape(c):
            raise InputError(f"weights[{i}] has the shape {np.shape(w)}: {h[-1].shape[1]} units are below it")
        h.append(f(h[-1] @ np.asarray(w, float) + np.asarray(c, float)))
    back, found = numbers(slope, "slope", 2).astype(float), []
    if back.shape != h[-1].shape:
        raise InputError(f"slope has the shape {back.shape}: the last layer has {h[-1].shape}")
    for w, below, value in zip(reversed(weights), reversed(h[:-1]), reversed(h[1:])):
        d = back * derivative(value)
        before, back = back, d @ np.asarray(w, float).T
        gain = np.linalg.norm(back) / max(float(np.linalg.norm(before)), 1e-300)
        bound = steepest * np.linalg.norm(w, 2)
        norm = np.linalg.norm(below.T @ d)
        found.append(Layer(float(norm), float(gain), float(bound), saturation(value, function), value))
    return found[::-1]


METHOD = gradient_flow
