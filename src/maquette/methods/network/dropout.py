"""Dropout: a unit is left out at random in training, and the whole network stands for the average of what is left.

    training       r_j ~ Bernoulli(p),  x'_j = r_j x_j       p: probability that a unit is kept
    inference      x' = p x                                  classic: the weights behind the units times p
    inverted       x'_j = r_j x_j / p in training, x' = x at inference, as in Keras; the mean of x' is x in both

N units have 2^N subnetworks, mask r with probability P(r) = p^|r| (1 - p)^(N - |r|). Their averages are

    arithmetic     sum_r P(r) q(y | r)          geometric     prod_r q(y | r)^P(r), divided by its sum over y

For one linear layer with a softmax the scaled network is the geometric mean exactly, since the mean of the logits is
linear in r. With a hidden ReLU between, it is neither of the two, only close; `subnetwork_average` says how close.

Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov (2014), "Dropout: a simple way to prevent neural
networks from overfitting", sections 4 and 10; Baldi, Sadowski (2013), "Understanding dropout", section 3; Tompson et
al. (2015), "Efficient object localization using convolutional networks", section 3.3 (whole maps).

Example:
    >>> import numpy as np
    >>> from maquette.methods.network.dropout import dropout, subnetwork_average
    >>> from maquette.methods.network.model_averaging import softmax
    >>> x, w = np.array([1.0, -2.0, 3.0]), np.array([[1.0, 0.0], [0.5, -1.0], [0.0, 0.4]])
    >>> subnetwork_average(lambda inputs: softmax(inputs.dot(w)), x, keep=0.5, mean="geometric").round(6).tolist()
    [0.167982, 0.832018]
    >>> softmax((0.5 * x).dot(w)).round(6).tolist()
    [0.167982, 0.832018]
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.model_averaging import average
from maquette.methods.signal.signals import count, number, numbers

MOST_UNITS = 20  # of which all masks are made


def dropout(x: Any, keep: float = 0.5, seed: int = 0, inverted: bool = True, whole_maps: bool = False) -> np.ndarray:
    """x: (n, ..., units) -> x with entries left out as in a training step.

    Args:
        x: activations.
        keep: p, above 0 and at most 1; 1 changes nothing.
        seed: of the mask.
        inverted: whether what is kept is divided by p.
        whole_maps: whether a feature map is kept or left out as a whole: one r for each (n, units).

    Raises:
        InputError: for p outside (0, 1], or NaN.
    """
    x, keep = numbers(x, "x").astype(float), number(keep, "keep", 0, above=True, most=1)
    shape = (len(x), *(1,) * (x.ndim - 2), x.shape[-1]) if whole_maps and x.ndim > 2 else x.shape
    mask = np.random.default_rng(seed).random(shape) < keep
    return np.asarray(x * mask / (keep if inverted else 1.0))


def masks(units: int) -> np.ndarray:
    """All 2^units masks, (2^units, units) of 0 and 1; raises InputError above 20 units.

    >>> masks(2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if count(units, "units") > MOST_UNITS:
        raise InputError(f"units {units}: {2**units:,} masks are too many; give at most {MOST_UNITS}")
    return np.arange(2**units)[:, np.newaxis] >> np.arange(units)[::-1] & 1


def mask_chances(units: int, keep: float = 0.5) -> np.ndarray:
    """P(r) of each of `masks(units)`: (2^units,), with the sum 1."""
    keep, kept = number(keep, "keep", 0, above=True, most=1), masks(units).sum(axis=1)
    return keep**kept * (1 - keep) ** (units - kept)


def subnetwork_average(
    network: Callable[[np.ndarray], Any], x: Any, keep: float = 0.5, mean: str = "arithmetic"
) -> np.ndarray:
    """The exact average of all 2^N subnetworks: class probabilities (classes,).

    Args:
        network: masked activations (2^N, N), not divided by p -> class probabilities (2^N, classes).
        x: the activations of one example, (N,).
        keep: p.
        mean: arithmetic or geometric.

    Raises:
        InputError: for more than 20 units.
    """
    x = numbers(x, "x", 1)
    answers = np.asarray(network(masks(len(x)) * x))
    return average(answers[:, np.newaxis], mask_chances(len(x), keep), mean)[0]


METHOD = dropout
