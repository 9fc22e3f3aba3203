"""Gradient play: two players who follow their own slopes at once, in turns, with a look ahead or a look back.

    U(x, y)         x descends, y ascends:  F(z) = (dU/dx, -dU/dy) at z = (x, y),  a the rate
    simultaneous    z' = z - a F(z)
    alternating     x' = x - a F_x(x, y),  y' = y - a F_y(x', y)
    extragradient   h = z - a F(z),  z' = z - a F(h)
    optimistic      z' = z - 2 a F(z) + a F(z_before)

On U = x y the players chase each other round the equilibrium at 0. Per step their distance from it is multiplied by
sqrt(1 + a^2) in simultaneous steps, which diverge at every rate, by 1 in alternating ones, by sqrt(1 - a^2 + a^4)
with extragradients. On U = x^2 - y^2 simultaneous steps contract by 1 - 2 a. In general it is the largest modulus
among the eigenvalues of the linearised step, `spectral_radius`, below which a step contracts in the long run.

Source: Korpelevich (1976), "The extragradient method for finding saddle points"; Daskalakis, Ilyas, Syrgkanis, Zeng
(2018), "Training GANs with optimism"; Mescheder, Geiger, Nowozin (2018), "Which training methods for GANs do actually
converge?", section 2.

Example:
    >>> import numpy as np
    >>> from maquette.methods.games.gradient_play import gradient_play, spectral_radius
    >>> circle = lambda z: np.array([z[1], -z[0]])  # U = x y
    >>> path = gradient_play(circle, [1.0, 1.0], rate=0.1, steps=200)
    >>> round(float(np.linalg.norm(path[-1])), 3), round(spectral_radius([[0, 1], [-1, 0]], 0.1), 6)
    (3.825, 1.004988)
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers

Field = Callable[[np.ndarray], np.ndarray]
RULES = ("simultaneous", "alternating", "extragradient", "optimistic")


def gradient_play(
    field: Field, start: Any, rate: float, steps: int, rule: str = "simultaneous", first: int = 1
) -> np.ndarray:
    """The players' path (steps + 1, n) from `start` (n,).

    Args:
        field: z (n,) -> F(z) (n,).
        rate: a.
        rule: one of RULES.
        first: how many coordinates belong to x, who moves first where they take turns.
    """
    z = before = numbers(start, "start", 1).astype(float)
    number(rate, "rate", 0, above=True)
    choice(rule, "rule", RULES)
    path = [z]
    for _ in range(count(steps, "steps", 0)):
        z, before = _step(field, z, before, rate, rule, first), z
        path.append(z)
    return np.stack(path)


def _step(field: Field, z: np.ndarray, before: np.ndarray, rate: float, rule: str, first: int) -> np.ndarray:
    if rule == "alternating":
        z = np.append(z[:first] - rate * field(z)[:first], z[first:])
        return np.append(z[:first], z[first:] - rate * field(z)[first:])
    if rule == "extragradient":
        return z - rate * field(z - rate * field(z))
    if rule == "optimistic":
        return z - 2 * rate * field(z) + rate * field(before)
    return z - rate * field(z)


def update_map(jacobian: Any, rate: float, rule: str = "simultaneous", first: int = 1) -> np.ndarray:
    """The matrix of one step near an equilibrium where F has the Jacobian J (n, n); (2n, 2n) for optimistic steps,
    which act on (z, z_before)."""
    j = numbers(jacobian, "jacobian", 2).astype(float)
    if j.shape[0] != j.shape[1]:
        raise InputError(f"jacobian has the shape {j.shape}: give a square matrix")

    def linear(z: np.ndarray) -> np.ndarray:
        return np.einsum("ij,j->i", j, z)

    n, choice_of = len(j), choice(rule, "rule", RULES)
    if choice_of != "optimistic":
        return np.stack([_step(linear, e, e, rate, rule, first) for e in np.eye(n)], axis=1)
    pairs = [(e[:n], e[n:]) for e in np.eye(2 * n)]
    return np.stack([np.append(_step(linear, z, before, rate, rule, first), z) for z, before in pairs], axis=1)


def spectral_radius(jacobian: Any, rate: float, rule: str = "simultaneous", first: int = 1) -> float:
    """By how much a step multiplies distances in the long run: below 1 the players meet, above 1 they part."""
    return float(np.abs(np.linalg.eigvals(update_map(jacobian, rate, rule, first))).max())


METHOD = gradient_play
