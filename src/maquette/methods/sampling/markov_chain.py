"""Markov chains on finitely many states: where they settle, how fast, and whether time can run backwards.

    P_ij = P(next = j | now = i),   distribution after n steps: p P^n
    stationary         pi P = pi
    detailed balance   pi_i P_ij = pi_j P_ji                 sufficient for pi to be stationary, not necessary
    irreducible        every state is reached from every state
    period             the greatest common divisor of the lengths of all ways back; 1 is aperiodic
    mixing time        the least n with max_i 1/2 sum_j |(P^n)_ij - pi_j| <= eps
    spectral gap       1 - |lambda_2|, the second largest modulus among the eigenvalues of P

An irreducible aperiodic chain forgets its start; a reducible one may never visit some states, and a periodic one goes
in circles.

Source: Levin, Peres, Wilmer (2009), "Markov chains and mixing times", chapters 1, 3, 4 and 12.

Example:
    >>> from maquette.methods.sampling.markov_chain import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 0.5, 0.5]])
    >>> chain.stationary.round(3).tolist(), chain.reversible, chain.mixing_time()
    ([0.25, 0.5, 0.25], True, 2)
"""

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse.csgraph import breadth_first_order, connected_components

from maquette.errors import InputError
from maquette.methods.signal.signals import count, number, numbers


class MarkovChain:
    """The chain with the transition matrix P (states, states), whose rows sum to 1.

    Raises:
        InputError: for a matrix that is none, naming the row.
    """

    def __init__(self, transition: Any) -> None:
        p = numbers(transition, "transition", 2).astype(float)
        if p.shape[0] != p.shape[1]:
            raise InputError(f"transition has the shape {p.shape}: give a square matrix")
        wrong = np.flatnonzero((p < 0).any(axis=1) | (np.abs(p.sum(axis=1) - 1) > 1e-9))
        if len(wrong):
            raise InputError(f"transition: row {wrong[0]} is no distribution, its entries have to be >= 0 and sum to 1")
        self.transition = p

    @cached_property
    def closed_classes(self) -> list[np.ndarray]:
        """The sets of states that are never left once entered, each irreducible."""
        found, of = connected_components(self.transition > 0, connection="strong")
        classes = [np.flatnonzero(of == k) for k in range(found)]
        return [c for c in classes if not np.delete(self.transition[c], c, axis=1).any()]

    @property
    def irreducible(self) -> bool:
        return len(self.closed_classes[0]) == len(self.transition)

    @property
    def period(self) -> int:
        """Of the first closed class: the greatest common divisor of the lengths of its cycles."""
        inside = np.ix_(self.closed_classes[0], self.closed_classes[0])
        steps = self.transition[inside] > 0
        order, parent = breadth_first_order(steps.astype(int), 0)
        level = np.zeros(len(steps), int)
        for state in order[1:]:
            level[state] = level[parent[state]] + 1
        i, j = np.nonzero(steps)
        return int(np.gcd.reduce(level[i] + 1 - level[j]))

    @property
    def ergodic(self) -> bool:
        """Irreducible and aperiodic."""
        return self.irreducible and self.period == 1

    @cached_property
    def stationary(self) -> np.ndarray:
        """pi (states,); raises InputError if there are several because the chain has several closed classes."""
        if len(self.closed_classes) > 1:
            first, second = (int(c[0]) for c in self.closed_classes[:2])
            raise InputError(
                f"transition: states {first} and {second} never meet, so there is no single stationary distribution"
            )
        n = len(self.transition)
        equations = np.vstack([self.transition.T - np.eye(n), np.ones(n)])
        pi = np.linalg.lstsq(equations, np.append(np.zeros(n), 1.0), rcond=None)[0].clip(0)
        return pi / pi.sum()

    @property
    def flow(self) -> np.ndarray:
        """pi_i P_ij, how often a step from i to j is seen: (states, states); symmetric under detailed balance."""
        return self.stationary[:, np.newaxis] * self.transition

    @property
    def reversible(self) -> bool:
        """Whether detailed balance holds, to 1e-12."""
        return bool(np.abs(self.flow - self.flow.T).max() < 1e-12)

    @property
    def spectral_gap(self) -> float:
        return float(1 - np.sort(np.abs(np.linalg.eigvals(self.transition)))[-2]) if len(self.transition) > 1 else 1.0

    def after(self, start: Any, steps: int) -> np.ndarray:
        """The distribution (states,) after some steps from `start`: a state, or a distribution (states,)."""
        first = np.eye(len(self.transition))[start] if np.ndim(start) == 0 else numbers(start, "start", 1)
        power = np.linalg.matrix_power(self.transition, count(steps, "steps", 0))
        return np.einsum("i,ij->j", first, power)

    def distance(self, steps: int) -> float:
        """Total variation between pi and the distribution after some steps, from the worst start."""
        power = np.linalg.matrix_power(self.transition, count(steps, "steps", 0))
        return float(0.5 * np.abs(power - self.stationary).sum(axis=1).max())

    def mixing_time(self, eps: float = 0.25) -> int:
        """The least number of steps after which `distance` is at most eps; raises InputError if it never is."""
        number(eps, "eps", 0, above=True)
        if not self.irreducible or self.period > 1:
            raise InputError(f"transition: a chain of period {self.period} with closed classes never mixes")
        high = 1
        while self.distance(high) > eps:
            high *= 2
        low = high // 2 if high > 1 else -1  # the distance never grows, so that halving finds the least
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.distance(middle) <= eps else (middle, high)
        return high

    def simulated(self, steps: int, chains: int = 1, start: int = 0, seed: int = 0) -> np.ndarray:
        """Walks from the state `start`: (chains, steps + 1)."""
        edges = np.cumsum(self.transition, axis=1)
        edges[:, -1] = 1.0
        u = np.random.default_rng(seed).random((count(steps, "steps", 0), count(chains, "chains")))
        walk = [np.full(chains, start)]
        for row in u:
            walk.append((row[:, np.newaxis] >= edges[walk[-1]]).sum(axis=1))
        return np.stack(walk, axis=1)

    def jumps(self) -> "MarkovChain":
        """The chain seen only when it moves; its stationary distribution is proportional to pi_i (1 - P_ii)."""
        moving = self.transition - np.diag(np.diag(self.transition))
        if not moving.any(axis=1).all():
            raise InputError("transition: a state that is never left has no jumps")
        return MarkovChain(moving / moving.sum(axis=1, keepdims=True))


METHOD = MarkovChain
