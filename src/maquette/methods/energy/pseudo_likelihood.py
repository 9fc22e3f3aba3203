"""Pseudo-likelihood of a binary restricted Boltzmann machine: each pixel's probability given all others, without Z.

    log PL(v) = sum_i log p(v_i | v without i) = -sum_i softplus(F(v) - F(v with bit i flipped))
    estimate  = visible times the mean over some bits, drawn anew for each example

A flip changes the inputs of the hidden units by a row of W alone. The pseudo-likelihood is largest at the truth, as the
likelihood is, but looks at single pixels: a machine may have a good one and draw bad pictures.

Source: Besag (1975), "Statistical analysis of non-lattice data"; Marlin, Swersky, Chen, de Freitas (2010), "Inductive
principles for restricted Boltzmann machine learning".

Example:
    >>> import numpy as np
    >>> from maquette.methods.energy.machine import Machine
    >>> from maquette.methods.energy.pseudo_likelihood import pseudo_likelihood
    >>> pseudo_likelihood(Machine(np.zeros((3, 2)), np.zeros(3), np.zeros(2)), np.zeros((1, 3))).round(4).tolist()
    [-2.0794]
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.energy.machine import Machine, softplus
from maquette.methods.signal.signals import count, numbers

ROWS = 1000  # of the data at a time


def pseudo_likelihood(machine: Machine, v: Any, bits: int | None = None, seed: int = 0) -> np.ndarray:
    """log PL of binary data v (n, visible): (n,), in nats.

    Args:
        bits: how many bits are drawn per example, without repeating one; None takes all, exactly.

    Raises:
        InputError: for Gaussian visible units, data that are not 0 or 1, or more bits than there are.
    """
    v = numbers(v, "v", 2).astype(float)
    visible = v.shape[1]
    if machine.variance is not None or not np.isin(v, (0, 1)).all():
        raise InputError("v: the pseudo-likelihood flips bits, so all units have to be 0 or 1")
    if count(visible if bits is None else bits, "bits") > visible:
        raise InputError(f"bits {bits}: there are {visible} visible units")
    random = np.random.default_rng(count(seed, "seed", 0))
    parts = [v[i : i + ROWS] for i in range(0, len(v), ROWS)]
    return np.concatenate([_of(machine, part, _places(part, bits, random)) for part in parts])


def _places(v: np.ndarray, bits: int | None, random: np.random.Generator) -> np.ndarray:
    """Which bits of each example are flipped: (n, bits)."""
    every = np.tile(np.arange(v.shape[1]), (len(v), 1))
    return every if bits is None else random.permuted(every, axis=1)[:, :bits]


def _of(machine: Machine, v: np.ndarray, places: np.ndarray) -> np.ndarray:
    inputs, rows = machine.hidden_input(v), np.arange(len(v))
    before, total = softplus(inputs).sum(axis=1), np.zeros(len(v))
    for i in places.T:
        change = 1 - 2 * v[rows, i]
        after = softplus(inputs + change[:, None] * machine.W[i]).sum(axis=1)
        total -= softplus(change * machine.b[i] + after - before)  # F(v) - F(flipped)
    return total * v.shape[1] / places.shape[1]


METHOD = pseudo_likelihood
