"""Boltzmann distribution: how likely each state of a system is at a temperature, exactly, by enumeration.

    p_i = exp(-E_i / (k T)) / Z,   Z = sum_i g_i exp(-E_i / (k T)),   beta = 1 / (k T)
    log(p_i / p_j) = -(E_i - E_j) / (k T)                      populations of two states: N_i / N_j = p_i / p_j
    d log Z / d beta = -<E>,   d^2 log Z / d beta^2 = Var(E) = k T^2 C        C the heat capacity
    F = -k T log Z = <E> - T S                                 free energy and entropy

with g_i states at the energy E_i, 1 unless given; p_i is then that of each of them. A constant added to all energies
changes nothing but F. As T -> infinity all states become equally likely; as T -> 0 the lowest share everything.
Everything is computed from log Z by log-sum-exp. The number of states doubles with every binary unit: beyond some
25 of them the sum has to be estimated.

Source: Gibbs (1902), "Elementary principles in statistical mechanics", chapter 4.

Example:
    >>> from maquette.methods.sampling.boltzmann import boltzmann
    >>> at = boltzmann([0.0, 1.0, 1.0], temperature=1.0)
    >>> at.probabilities.round(3).tolist(), round(at.mean_energy, 3)
    ([0.576, 0.212, 0.212], 0.424)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from maquette.errors import InputError
from maquette.methods.signal.signals import count, number, numbers

MOST_STATES = 2**25


@dataclass(frozen=True)
class Boltzmann:
    """The distribution over the states whose energies are given.

    Attributes:
        energies: (states,), in the unit of k T.
        temperature: T.
        constant: k, 1 where the temperature is in the unit of the energies; 1.380649e-23 for joules and kelvin.
        log_partition: log Z.
        log_probabilities: (states,).
        degeneracy: g (states,).
    """

    energies: np.ndarray
    temperature: float
    constant: float
    log_partition: float
    log_probabilities: np.ndarray
    degeneracy: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        return np.exp(self.log_probabilities)

    @property
    def mean_energy(self) -> float:
        return self.mean(self.energies)

    @property
    def energy_variance(self) -> float:
        return self.mean((self.energies - self.mean_energy) ** 2)

    @property
    def heat_capacity(self) -> float:
        """C = d<E> / dT = Var(E) / (k T^2)."""
        return self.energy_variance / (self.constant * self.temperature**2)

    @property
    def free_energy(self) -> float:
        """F = -k T log Z."""
        return -self.constant * self.temperature * self.log_partition

    @property
    def entropy(self) -> float:
        """S / k = -sum p log p, in nats."""
        return -self.mean(self.log_probabilities)

    def mean(self, values: Any) -> float:
        """<f> of one value per state, (states,)."""
        return float(np.sum(self.degeneracy * self.probabilities * np.asarray(values)))

    def ratio(self, i: int, j: int) -> float:
        """N_i / N_j, of one state at each of the energies."""
        return float(np.exp(self.log_probabilities[i] - self.log_probabilities[j]))


def boltzmann(energies: Any, temperature: float = 1.0, constant: float = 1.0, degeneracy: Any = 1) -> Boltzmann:
    """The Boltzmann distribution over states of the given energies.

    Args:
        energies: (states,); any shape is flattened.
        temperature: T > 0.
        constant: k > 0.
        degeneracy: g, states per energy, a number or (states,).

    Raises:
        InputError: for energies that are no finite numbers, or a temperature that is not positive.
    """
    e = numbers(energies, "energies").astype(float).ravel()
    kt = number(temperature, "temperature", 0, above=True) * number(constant, "constant", 0, above=True)
    g = numbers(degeneracy, "degeneracy").astype(float)
    if g.min() <= 0 or g.shape not in ((), e.shape):
        raise InputError(f"degeneracy: give a positive number, or one per energy ({len(e)},)")
    g = np.broadcast_to(g, e.shape)
    lowest = e.min()  # kept apart, so that neither a large constant nor a small T costs digits
    relative = -(e - lowest) / kt
    log_z = float(logsumexp(relative, b=g))
    return Boltzmann(e, float(temperature), float(constant), float(log_z - lowest / kt), relative - log_z, g)


def states(units: int, values: Sequence[float] = (0, 1)) -> np.ndarray:
    """Every configuration of `units` units, each with one of `values`: (len(values)^units, units), the last fastest.

    Raises:
        InputError: if there are more than 2^25.
    """
    units, levels = count(units, "units"), numbers(values, "values", 1)
    if len(levels) ** units > MOST_STATES:
        raise InputError(f"units {units}: {len(levels)}^{units} states are too many to enumerate, sample them instead")
    return levels[np.indices((len(levels),) * units, "int8").reshape(units, -1).T]


def enumerated(
    energy: Callable[[np.ndarray], Any], units: int, values: Sequence[float] = (0, 1), temperature: float = 1.0
) -> tuple[np.ndarray, Boltzmann]:
    """All configurations (states, units) and their distribution, from energy: (states, units) -> (states,)."""
    every = states(units, values)
    return every, boltzmann(energy(every), temperature)


METHOD = boltzmann
