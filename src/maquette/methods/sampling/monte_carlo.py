"""Monte Carlo estimation: integrals and expectations from random points, each with its standard error.

    integral      I = V mean f(x_i), x_i uniform in a box of volume V;       standard error V s / sqrt(n)
    antithetic    x and its mirror image in the box, as pairs: better for monotone f
    stratified    k^d equal cells, two points in each; the error is of order n^(-1/2 - 1/d) for smooth f
    sobol         a scrambled net (quasi-Monte Carlo), 16 times over; the error nears n^(-3/2) for smooth f
    importance    E_p[f] = sum w_i f(x_i) / sum w_i,  w_i = p(x_i) / q(x_i), x_i ~ q
    control       mean(f - c (g - E[g])),  c = Cov(f, g) / Var(g)

The plain error falls as n^(-1/2) in every dimension; what grows is s: in a box of d dimensions the ball inside holds
0.5 of the volume for d = 3 and 2.5e-8 for d = 20, so that nearly all points miss it. That is why high dimensions need
Markov chains. An importance weight without a bound makes the error itself unreliable: look at `effective`.

Source: Metropolis, Ulam (1949), "The Monte Carlo method"; Owen (2013), "Monte Carlo theory, methods and examples",
chapters 2, 8, 9 and 17.

Example:
    >>> from maquette.methods.sampling.monte_carlo import integrate
    >>> found = integrate(lambda x: 4.0 * ((x**2).sum(axis=1) < 1), [0, 0], [1, 1], points=100_000, seed=0)
    >>> round(found.error, 4), abs(found.value - 3.14159) < 3 * found.error
    (0.0052, True)
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers

NETS = 16  # of a Sobol estimate: their scatter is its error


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error.

    Attributes:
        value: the estimate.
        error: its standard error.
        effective: how many independent draws it is worth; the number of draws where all weigh the same.
    """

    value: float
    error: float
    effective: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """value -/+ z error, which covers the truth with about this probability."""
        z = NormalDist().inv_cdf(0.5 + number(level, "level", 0, above=True, most=1 - 1e-12) / 2)
        return self.value - z * self.error, self.value + z * self.error


def mean(values: Any) -> Estimate:
    """The mean of independent draws (n,), n at least 2; draws of a Markov chain go to `diagnostics`."""
    y = numbers(values, "values", 1).astype(float)
    if len(y) < 2:
        raise InputError("values holds one draw: an error needs two")
    return Estimate(float(y.mean()), float(y.std(ddof=1) / np.sqrt(len(y))), len(y))


def integrate(
    f: Callable[[np.ndarray], Any], low: Any, high: Any, points: int = 100_000, method: str = "plain", seed: int = 0
) -> Estimate:
    """The integral of f over the box from `low` to `high`.

    Args:
        f: x (n, d) -> (n,).
        low, high: corners of the box, (d,).
        points: evaluations of f, at most; the methods other than "plain" round down.
        method: "plain", "antithetic", "stratified" or "sobol".

    Raises:
        InputError: for an empty box, an unknown method, or fewer points than the method needs.
    """
    a, b = numbers(low, "low", 1).astype(float), numbers(high, "high", 1).astype(float)
    if a.shape != b.shape or np.any(a >= b):
        raise InputError("high: give one number above each of low")
    kinds = {"plain": _plain, "antithetic": _antithetic, "stratified": _stratified, "sobol": _sobol}
    draw = kinds[choice(method, "method", tuple(kinds))]
    u = draw(count(points, "points", 2), len(a), np.random.default_rng(seed))  # (groups, points of a group, d)
    y = np.asarray(f((a + (b - a) * u).reshape(-1, len(a))), dtype=float)
    if y.shape != (u.shape[0] * u.shape[1],):
        raise InputError(f"f gives the shape {y.shape}: one number per point would be ({u.shape[0] * u.shape[1]},)")
    volume, y = float(np.prod(b - a)), y.reshape(u.shape[:2])
    if method == "stratified":  # the cells do not scatter, the points within them do
        error = np.sqrt(y.var(axis=1, ddof=1).mean() / y.size)
    else:
        error = y.mean(axis=1).std(ddof=1) / np.sqrt(len(y))
    return Estimate(volume * float(y.mean()), volume * float(error), y.size)


def _plain(points: int, d: int, random: np.random.Generator) -> np.ndarray:
    return random.random((points, 1, d))


def _antithetic(points: int, d: int, random: np.random.Generator) -> np.ndarray:
    u = random.random((_at_least(points // 2, 2, "antithetic", 4), 1, d))
    return np.concatenate([u, 1 - u], axis=1)


def _stratified(points: int, d: int, random: np.random.Generator) -> np.ndarray:
    side = _at_least(int((points / 2) ** (1 / d) + 1e-9), 2, "stratified", 2 ** (d + 1))
    cells = np.indices((side,) * d).reshape(d, -1).T
    return (cells[:, np.newaxis] + random.random((len(cells), 2, d))) / side


def _sobol(points: int, d: int, random: np.random.Generator) -> np.ndarray:
    from scipy.stats import qmc

    power = int(np.log2(_at_least(points // NETS, 1, "sobol", NETS)))
    return np.stack([qmc.Sobol(d, rng=each).random_base2(power) for each in random.spawn(NETS)])


def _at_least(value: int, least: int, method: str, points: int) -> int:
    if value < least:
        raise InputError(f"points: the method {method!r} needs at least {points} here")
    return value


def importance(f: Any, log_target: Any, log_proposal: Any) -> Estimate:
    """E_p[f] from draws of q: f, log p and log q at the draws, (n,) each; p and q up to a factor."""
    y = numbers(f, "f", 1).astype(float)
    log_w = numbers(log_target, "log_target", 1).astype(float) - numbers(log_proposal, "log_proposal", 1)
    w = np.exp(log_w - log_w.max())
    w /= w.sum()
    value = float(np.sum(w * y))
    return Estimate(value, float(np.sqrt(np.sum((w * (y - value)) ** 2))), float(1 / np.sum(w**2)))


def controlled(values: Any, control: Any, expectation: float) -> Estimate:
    """The mean of draws (n,), with the help of a control variate (n,) whose expectation is known."""
    y, g = numbers(values, "values", 1).astype(float), numbers(control, "control", 1).astype(float)
    c = np.cov(y, g)[0, 1] / g.var(ddof=1)
    return mean(y - c * (g - expectation))


METHOD = integrate
