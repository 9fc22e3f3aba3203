"""Saturation and covariate shift: where the units of a layer work, and how their inputs drift while it learns.

    sigmoid   s'(a) = s (1 - s) <= 1/4      tanh'(a) = 1 - h^2 <= 1      relu' = 1[a > 0]

A unit is saturated for an example if its slope is below a share of the greatest one, a tenth by default: |h| > 0.949
for tanh, h < 0.026 or h > 0.974 for the sigmoid. Gradients through such units are lost, and in deep networks their
product is. For a ReLU the same number is the share of zeros; units that are 0 for every example are dead.

    shift     mean over units of |mu_now - mu_before| / sd_before,   of the same inputs at two times

Batch normalisation keeps mean and deviation of each unit's input where they were, and so the shares low.

Source: Glorot, Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks", section 3;
Ioffe, Szegedy (2015), "Batch normalization", section 4.1 (drift of the inputs of a sigmoid).

Example:
    >>> import numpy as np
    >>> from maquette.methods.network.saturation import saturation
    >>> saturation(np.tanh([[0.0, 3.0], [0.1, -4.0]]), "tanh").share
    0.5
"""

from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, number, numbers

# Each function's slope, as a share of its greatest one, from its value.
SLOPES = {"tanh": lambda h: 1 - h * h, "sigmoid": lambda h: 4 * h * (1 - h), "relu": lambda h: (h > 0) * 1.0}


class Working(NamedTuple):
    """What is measured of a layer.

    Attributes:
        share: of all values, those that are saturated.
        stuck: share of the units that are saturated for every example; dead ones for a ReLU.
        slope: mean of f'(a) as a share of the greatest slope.
        mean, deviation: of all values.
    """

    share: float
    stuck: float
    slope: float
    mean: float
    deviation: float


def saturation(values: Any, function: str = "tanh", below: float = 0.1) -> Working:
    """Values h = f(a) of a layer, (n, ..., units), examples first -> how its units work.

    Args:
        values: of tanh or the sigmoid without a factor, or of a ReLU.
        function: tanh, sigmoid or relu.
        below: share of the greatest slope under which a unit counts as saturated.

    Raises:
        InputError: for an unknown function, NaN, or values that it does not take.
    """
    h = numbers(values, "values").astype(float)
    slope = SLOPES[choice(function, "function", list(SLOPES))](h)
    if (function == "relu" and h.min() < 0) or (slope < -1e-6).any():
        raise InputError(f"values from {h.min():g} to {h.max():g}: they are none of {function}")
    flat = slope < number(below, "below", 0, most=1)
    stuck = flat.reshape(-1, h.shape[-1]).all(axis=0)
    return Working(float(flat.mean()), float(stuck.mean()), float(slope.mean()), float(h.mean()), float(h.std()))


def covariate_shift(before: Any, now: Any) -> float:
    """Mean over units of |mu_now - mu_before| / sd_before; both (n, ..., units), of the same inputs.

    Units that were constant before are left out; raises InputError if all were.

    >>> covariate_shift([[0.0], [2.0]], [[3.0], [3.0]])
    2.0
    """
    first, second = numbers(before, "before").astype(float), numbers(now, "now").astype(float)
    if first.shape[-1] != second.shape[-1]:
        raise InputError(f"now has {second.shape[-1]} units, before {first.shape[-1]}: give the same layer twice")
    over = tuple(range(first.ndim - 1))
    spread = first.std(axis=over)
    moving = spread > 0
    if not moving.any():
        raise InputError("before: all units are constant, so no shift can be measured against their deviation")
    moved = np.abs(second.mean(axis=tuple(range(second.ndim - 1))) - first.mean(axis=over))
    return float(np.mean(moved[moving] / spread[moving]))


METHOD = saturation
