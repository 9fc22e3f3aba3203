"""Beta-Bernoulli inference: what tosses of a coin say about its chance of heads.

    likelihood   L(theta) = theta^s (1 - theta)^f               s heads, f tails;  theta_ML = s / (s + f)
    prior        Beta(a, b): theta^(a-1) (1-theta)^(b-1) / B(a, b)
    posterior    Beta(a + s, b + f)
    estimates    mode (a-1) / (a+b-2), the median, mean a / (a+b): they minimise the expected 0-1, absolute and
                 squared loss in turn
    prediction   P(k heads of n) = C(n, k) B(a + k, b + n - k) / B(a, b)

A flat prior, Beta(1, 1), makes the mode the maximum-likelihood estimate. With many tosses all estimates agree, and the
prior stops to matter. Tosses must be independent and of one coin.

Source: Bayes (1763), "An essay towards solving a problem in the doctrine of chances"; Gelman et al. (2013), "Bayesian
data analysis", sections 2.1 to 2.5.

Example:
    >>> from maquette.methods.sampling.beta_bernoulli import Beta, maximum_likelihood
    >>> after = Beta(2, 2).updated(heads=5, tails=1)
    >>> after, round(maximum_likelihood(5, 1), 4), after.mode, after.mean
    (Beta(a=7, b=3), 0.8333, 0.75, 0.7)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats
from scipy.special import betaln, gammaln

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers

LOSSES = ("squared", "absolute", "zero-one")


@dataclass(frozen=True)
class Beta:
    """The distribution Beta(a, b) of a chance theta; a and b are positive."""

    a: float
    b: float

    def __post_init__(self) -> None:
        number(self.a, "a", 0, above=True)
        number(self.b, "b", 0, above=True)

    def updated(self, heads: int, tails: int) -> "Beta":
        """The posterior after more tosses; one by one or all at once is the same."""
        return Beta(self.a + count(heads, "heads", 0), self.b + count(tails, "tails", 0))

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def variance(self) -> float:
        return self.mean * (1 - self.mean) / (self.a + self.b + 1)

    @property
    def median(self) -> float:
        return float(stats.beta.ppf(0.5, self.a, self.b))

    @property
    def mode(self) -> float:
        """Raises InputError where the density has no single highest point: a or b below 1, or both 1."""
        if min(self.a, self.b) < 1 or self.a == self.b == 1:
            raise InputError(f"Beta({self.a:g}, {self.b:g}) has no single mode: use its mean or its median")
        return (self.a - 1) / (self.a + self.b - 2)

    def estimate(self, loss: str = "squared") -> float:
        """The number that minimises the expected loss: "squared", "absolute" or "zero-one"."""
        kind = choice(loss, "loss", LOSSES)
        return {"squared": lambda: self.mean, "absolute": lambda: self.median, "zero-one": lambda: self.mode}[kind]()

    def density(self, theta: Any) -> np.ndarray:
        """p(theta), any shape; zero outside [0, 1]."""
        return np.asarray(stats.beta.pdf(theta, self.a, self.b))

    def interval(self, level: float = 0.95, kind: str = "equal-tailed") -> tuple[float, float]:
        """A credible interval: "equal-tailed", or "highest", the shortest one.

        Raises:
            InputError: for a level outside (0, 1), or a shortest one of a density that is highest at both ends.
        """
        outside = 1 - number(level, "level", 0, above=True, most=1)
        if choice(kind, "kind", ("equal-tailed", "highest")) == "equal-tailed":
            return self._between(outside / 2, outside)
        if min(self.a, self.b) < 1:
            raise InputError(f"kind 'highest': Beta({self.a:g}, {self.b:g}) has no single peak, use 'equal-tailed'")
        found = optimize.minimize_scalar(
            lambda below: np.diff(self._between(below, outside))[0], bounds=(0, outside), options={"xatol": 1e-10}
        )
        ends = (0.0, found.x, outside)  # a density that falls or rises everywhere has its interval at an end
        return min((self._between(below, outside) for below in ends), key=lambda pair: pair[1] - pair[0])

    def _between(self, below: float, outside: float) -> tuple[float, float]:
        low, high = stats.beta.ppf([below, below + 1 - outside], self.a, self.b)
        return float(low), float(high)

    def predicted(self, tosses: int) -> np.ndarray:
        """P(k heads of the next `tosses`), k = 0 .. tosses: (tosses + 1,)."""
        n = count(tosses, "tosses", 0)
        k = np.arange(n + 1)
        choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return np.exp(choose + betaln(self.a + k, self.b + n - k) - betaln(self.a, self.b))

    def log_evidence(self, heads: int, tails: int) -> float:
        """log of the chance of these tosses, in their order, before theta is known."""
        after = self.updated(heads, tails)
        return float(betaln(after.a, after.b) - betaln(self.a, self.b))

    def draws(self, n: int, seed: int = 0) -> np.ndarray:
        """n independent draws of theta: (n,)."""
        return np.random.default_rng(seed).beta(self.a, self.b, count(n, "n"))


def likelihood(theta: Any, heads: int, tails: int) -> np.ndarray:
    """L(theta), any shape, of tosses in one order."""
    theta = numbers(theta, "theta").astype(float)
    return theta ** count(heads, "heads", 0) * (1 - theta) ** count(tails, "tails", 0)


def maximum_likelihood(heads: int, tails: int) -> float:
    """s / (s + f); raises InputError without a toss."""
    tosses = count(heads, "heads", 0) + count(tails, "tails", 0)
    if not tosses:
        raise InputError("heads and tails are 0: give at least one toss")
    return heads / tosses


METHOD = Beta
