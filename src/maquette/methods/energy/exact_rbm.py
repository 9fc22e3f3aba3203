"""Partition function, likelihood and its gradient of a small restricted Boltzmann machine, by enumeration.

    Z         = sum_h exp(-G(h)) = sum_v exp(-F(v))       over the 2^n states of the smaller layer alone
    log p(v)  = -F(v) - log Z
    gradient  = <v h^T>_data - <v h^T>_model, and the same of v and h,   of the mean log-likelihood
    CD-k      <.>_model is replaced by the mean after k Gibbs sweeps from the data: here its exact expectation,
              by the matrix T(v -> v') = sum_h p(h|v) p(v'|h) of all visible states

At finite k contrastive divergence is biased, and follows the gradient of no function; as k grows the bias dies with the
second eigenvalue of T. Gaussian visible units are integrated out; there CD-k has no matrix. The cost doubles with every
unit of the smaller layer, of which 20 are taken at most.

Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence"; Carreira-Perpinan, Hinton
(2005), "On contrastive divergence learning" (its bias).

Example:
    >>> import numpy as np
    >>> from maquette.methods.energy.exact_rbm import ExactRBM
    >>> from maquette.methods.energy.machine import Machine
    >>> exact = ExactRBM(Machine(np.zeros((3, 2)), np.zeros(3), np.zeros(2)))
    >>> round(exact.log_partition, 4), exact.log_likelihood(np.zeros((1, 3))).round(4).tolist()
    (3.4657, [-2.0794])
"""

from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from maquette.errors import InputError
from maquette.methods.energy.machine import Machine
from maquette.methods.sampling.boltzmann import states
from maquette.methods.signal.signals import count

MOST_UNITS = 20  # of the layer that is enumerated
MOST_MATRIX = 12  # visible units of the matrix of all transitions


class ExactRBM:
    """All that a small machine says of itself, without sampling.

    Attributes:
        machine: the machine.
        log_partition: log Z.

    Raises:
        InputError: if both layers are too large.
    """

    def __init__(self, machine: Machine) -> None:
        visible, hidden = machine.W.shape
        self.machine = machine
        self.by_hidden = machine.variance is not None or hidden <= visible
        units = hidden if self.by_hidden else visible
        if units > MOST_UNITS:
            raise InputError(
                f"{visible} visible and {hidden} hidden units are too many to enumerate: "
                f"{MOST_UNITS} of one kind at most; estimate log Z by annealed_importance_sampling"
            )
        self.every = states(units).astype(float)  # (2^units, units)
        energy = machine.hidden_free_energy if self.by_hidden else machine.free_energy
        self._log_weights = -np.concatenate([energy(part) for part in _parts(self.every)])
        self.log_partition = float(logsumexp(self._log_weights))

    @property
    def probabilities(self) -> np.ndarray:
        """Of the enumerated states: (2^units,)."""
        return np.exp(self._log_weights - self.log_partition)

    def log_likelihood(self, v: np.ndarray) -> np.ndarray:
        """log p(v): (n, visible) -> (n,)."""
        return -self.machine.free_energy(v) - self.log_partition

    @cached_property
    def moments(self) -> dict[str, np.ndarray]:
        """The model's own means of v h^T (visible, hidden), v (visible,) and h (hidden,)."""
        machine = self.machine
        total = {"W": np.zeros_like(machine.W), "b": np.zeros_like(machine.b), "c": np.zeros_like(machine.c)}
        for part, p in zip(_parts(self.every), _parts(self.probabilities), strict=True):
            v, h = (machine.visible_mean(part), part) if self.by_hidden else (part, machine.hidden_mean(part))
            for name, value in {"W": (p[:, None] * v).T @ h, "b": p @ v, "c": p @ h}.items():
                total[name] += value
        return total

    def gradient(self, v: np.ndarray) -> dict[str, np.ndarray]:
        """The slopes of the mean log-likelihood of v (n, visible) in W, b and c; of Gaussian units in units of s."""
        return _difference(self.machine.statistics(v), self.moments)

    def divergence_gradient(self, v: np.ndarray, steps: int = 1) -> dict[str, np.ndarray]:
        """What CD-k follows on average from the binary data v (n, visible), k = `steps`: as `gradient`."""
        machine, visible = self.machine, len(self.machine.b)
        if machine.variance is not None or visible > MOST_MATRIX:
            raise InputError(f"the matrix of all transitions is for at most {MOST_MATRIX} binary visible units")
        every = states(visible).astype(float)
        place = (v @ 2 ** np.arange(visible)[::-1]).astype(int)
        p = np.bincount(place, minlength=len(every)) / len(v)
        kernel = self.transitions()
        for _ in range(count(steps, "steps")):
            p = p @ kernel
        return _difference(machine.statistics(v), machine.statistics(every, p))

    def transitions(self) -> np.ndarray:
        """T(v -> v') of one Gibbs sweep between all visible states, in the order of `states`: (2^m, 2^m)."""
        machine = self.machine
        v, h = (states(units).astype(float) for units in machine.W.shape)
        return _product(machine.hidden_mean(v), h) @ _product(machine.visible_mean(h), v)


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, -(-len(rows) // 4096))


def _product(mean: np.ndarray, every: np.ndarray) -> np.ndarray:
    """p of each state of binary units (states, units) under each row of means (n, units): (n, states)."""
    tiny = 1e-300
    return np.exp(np.log(mean + tiny) @ every.T + np.log(1 - mean + tiny) @ (1 - every).T)


def _difference(data: dict[str, np.ndarray], model: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: data[name] - model[name] for name in data}


METHOD = ExactRBM
