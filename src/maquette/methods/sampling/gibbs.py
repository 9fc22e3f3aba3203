"""Gibbs sampling: each part of the state in turn from its distribution given all others, thousands of chains at once.

    systematic   for j = 1 .. k:  x_j' ~ p(x_j | x_1', .., x_{j-1}', x_{j+1}, .., x_k)     one sweep is one step
    random       one j at random per step and chain:  x_j' ~ p(x_j | the rest)

A part is one coordinate or a block of them. Each update is a Metropolis-Hastings step that accepts always, so p is
stationary. The order of a systematic sweep breaks detailed balance, which the random scan keeps. Consecutive states
are correlated: for two normals of correlation rho the lag-1 autocorrelation is rho^2, and a sweep is worth
(1 - rho^2) / (1 + rho^2) independent draws. Where the parts determine each other nearly, the chain gets stuck.

    normal       x_j | rest ~ N(mu_j - sum_{k != j} Q_jk (x_k - mu_k) / Q_jj, 1 / Q_jj),   Q the inverse covariance

Source: Geman, Geman (1984), "Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of images";
Gelfand, Smith (1990), "Sampling-based approaches to calculating marginal densities".

Example:
    >>> import numpy as np
    >>> from maquette.methods.sampling.gibbs import Gibbs, normal_conditionals
    >>> sampler = Gibbs(normal_conditionals([0, 0], [[1, 0.7], [0.7, 1]]))
    >>> chains = sampler(np.zeros((1000, 2)), draws=500, burn_in=20, seed=0)
    >>> np.cov(chains.flat.T).round(2).tolist()
    [[1.0, 0.7], [0.7, 1.0]]
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.sampling.chains import Chains, Draw, Loop, State, gathered, module, starts
from maquette.methods.signal.signals import choice, numbers

Conditional = Callable[[Sequence[Any], Any], Any]

NOISES = ("normal", "uniform", "logistic")


class Gibbs:
    """A sampler of the joint distribution that has the given conditionals; compiled once for every shape.

    Args:
        conditionals: one per part: f(parts, noise) -> the part's new value (chains, size), where parts is the list of
            all parts now, and noise (chains, size) is fresh. Of keras.ops, or of NumPy arrays.
        noise: of every conditional: "normal" for N(0, 1), "uniform" for [0, 1), "logistic" for log(u / (1 - u)); one
            word for all, or one each. A unit that is on with probability sigmoid(a) is on where a > logistic noise.
        sizes: of the parts, in the order of the columns of the state; 1 each unless given.
        scan: "systematic" or "random".
        library: "keras", or "numpy" for a plain loop in double precision.

    Raises:
        InputError: for unknown words, or sizes and noises that do not match the conditionals.
    """

    def __init__(
        self,
        conditionals: Sequence[Conditional],
        noise: str | Sequence[str] = "normal",
        sizes: Sequence[int] | None = None,
        scan: str = "systematic",
        library: str = "keras",
    ) -> None:
        self.conditionals, self.library, self.where = list(conditionals), library, module(library).where
        self.noise = [noise] * len(self.conditionals) if isinstance(noise, str) else list(noise)
        self.sizes = [1] * len(self.conditionals) if sizes is None else list(sizes)
        if not len(self.conditionals) == len(self.noise) == len(self.sizes) > 0:
            raise InputError(
                f"{len(self.conditionals)} conditionals, {len(self.noise)} noises, {len(self.sizes)} sizes: match them"
            )
        for kind in self.noise:
            choice(kind, "noise", NOISES)
        self.random = choice(scan, "scan", ("systematic", "random")) == "random"
        self.loop = Loop(self._step, self.conditionals, library)

    def _step(self, state: State, noise: tuple[Any, ...]) -> State:
        parts = list(state)
        for j, draw in enumerate(self.conditionals):
            if self.random:  # the last kind of noise says whose turn it is in each chain: (chains, 1)
                parts[j] = self.where(noise[-1] == j, draw(state, noise[j]), state[j])
            else:
                parts[j] = draw(parts, noise[j])
        return tuple(parts)

    def __call__(self, start: Any, draws: int, burn_in: int = 0, thin: int = 1, seed: int = 0) -> Chains:
        """Run all chains; `burn_in` steps are dropped, then every `thin`-th of draws * thin steps is kept.

        Args:
            start: (chains, d), the parts side by side.

        Raises:
            InputError: for a start whose columns are not the parts, or counts that make no sense.
        """
        x = starts(start, self.library)
        if x.shape[1] != sum(self.sizes):
            raise InputError(f"start has {x.shape[1]} columns: the parts have {sum(self.sizes)} together")
        parts = tuple(np.split(x, np.cumsum(self.sizes)[:-1], axis=1))
        noise = [_noise(kind, len(x), size) for kind, size in zip(self.noise, self.sizes, strict=True)]
        if self.random:
            noise.append(lambda random, steps: random.integers(len(parts), size=(steps, len(x), 1)))
        blocks = [np.concatenate(state, axis=2) for state in self.loop.run(parts, noise, draws, burn_in, thin, seed)]
        return Chains(gathered(blocks), np.ones(len(x)))


def _noise(kind: str, chains: int, size: int) -> Draw:
    if kind == "normal":
        return lambda random, steps: random.standard_normal((steps, chains, size))
    if kind == "uniform":
        return lambda random, steps: random.random((steps, chains, size), "float32")  # stays below 1 in every type
    return lambda random, steps: random.logistic(size=(steps, chains, size))


def normal_conditionals(mean: Any, covariance: Any) -> list[Conditional]:
    """The conditionals of N(mean, covariance), d parts of size 1, for normal noise in either library.

    Raises:
        InputError: if the covariance is not symmetric and positive definite, or does not fit the mean.
    """
    mu, sigma = numbers(mean, "mean", 1).astype(float), numbers(covariance, "covariance", 2).astype(float)
    if sigma.shape != (len(mu), len(mu)) or not np.allclose(sigma, sigma.T) or np.linalg.eigvalsh(sigma)[0] <= 0:
        raise InputError(f"covariance: give a symmetric, positive definite matrix ({len(mu)}, {len(mu)})")
    q = np.linalg.inv(sigma)

    def conditional(j: int) -> Conditional:
        others = [(k, float(q[j, k] / q[j, j])) for k in range(len(mu)) if k != j]
        constant = float(mu[j] + sum(weight * mu[k] for k, weight in others))
        spread = float(q[j, j] ** -0.5)
        return lambda parts, z: constant - sum(weight * parts[k] for k, weight in others) + spread * z

    return [conditional(j) for j in range(len(mu))]


METHOD = Gibbs
