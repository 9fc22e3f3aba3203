"""Metropolis and Metropolis-Hastings sampling: any density known up to a factor, thousands of chains at once.

    proposal     y ~ T(y | x), by default a random walk, y = x + L z, z ~ N(0, I)
    acceptance   A(y | x) = min(1, p(y) T(x | y) / (p(x) T(y | x)));   T cancels where it is symmetric
    step         x' = y with probability A(y | x), else x' = x

so that p(x) T(y|x) A(y|x) = p(y) T(x|y) A(x|y): p is in detailed balance with the step and stationary under it. A
rejected proposal repeats the state. The accepted states alone are draws from p(x) E[A(y | x)], another distribution:
for the two normals of the test, by 3 % in variance.

A random walk of covariance 2.38^2 / d times that of p is near the best for smooth densities of one mode; far more is
rejected, far less hardly moves; `step_size` finds the scale. Both cross between modes rarely: start the chains far
apart and look at R-hat. The number of steps per independent draw grows as d, so that gradients (Langevin, Hamiltonian)
win beyond some ten.

Source: Metropolis et al. (1953), "Equation of state calculations by fast computing machines"; Hastings (1970),
"Monte Carlo sampling methods using Markov chains and their applications"; Roberts, Gelman, Gilks (1997), "Weak
convergence and optimal scaling of random walk Metropolis algorithms".

Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from maquette.methods.sampling.metropolis import Metropolis
    >>> sampler = Metropolis(lambda x: -0.5 * ops.sum(x * x, axis=-1), proposal=2.4)
    >>> chains = sampler(np.zeros((100, 1)), draws=500, burn_in=50, seed=0)
    >>> chains.samples.shape, f"{chains.acceptance.mean():.2f}", f"{chains.samples.var():.1f}"
    ((100, 500, 1), '0.44', '1.0')
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.sampling.chains import Chains, Loop, State, dtype, gathered, module, starts
from maquette.methods.signal.signals import numbers

LogDensity = Callable[[Any], Any]


class Metropolis:
    """A sampler of the density p with log p = `log_density` + a constant; compiled once for every shape.

    Args:
        log_density: x (chains, d) -> (chains,), in keras.ops; minus infinity where p is zero. A Keras layer may be
            given as well.
        proposal: of the random walk: its standard deviation, one per coordinate (d,), or its covariance (d, d). Or a
            function of x and standard normal z, both (chains, d), to the proposals (chains, d).
        log_proposal: log T(to | of) up to a constant, as function of to and of (chains, d) -> (chains,). Needed where
            a proposal function is not symmetric; without it this is the Metropolis algorithm.
        library: "keras", or "numpy" for functions of NumPy arrays, in a plain loop and double precision.
    """

    def __init__(
        self,
        log_density: LogDensity,
        proposal: Any = 1.0,
        log_proposal: Callable[[Any, Any], Any] | None = None,
        library: str = "keras",
    ) -> None:
        self.log_density, self.log_proposal, self.library = log_density, log_proposal, library
        self.factor = None if callable(proposal) else _factor(numbers(proposal, "proposal"), library)
        self.propose = proposal if callable(proposal) else self._walk
        self.of, self.scale = module(library), 1.0  # of the noise; `step_size` changes it
        self.loop = Loop(self._step, [log_density], library)

    def _step(self, state: State, noise: tuple[Any, ...]) -> State:
        x, log_p, _ = state  # (chains, d), (chains,)
        z, log_u = noise
        y = self.propose(x, z)
        log_q = self.log_density(y)
        ratio = log_q - log_p
        if self.log_proposal is not None:
            ratio = ratio + self.log_proposal(x, y) - self.log_proposal(y, x)
        accept = log_u < ratio  # never where the density of y is NaN
        one = self.of.ones_like(log_p)
        where = self.of.where
        return where(accept[:, None], y, x), where(accept, log_q, log_p), where(accept, one, one - one)

    def _walk(self, x: Any, z: Any) -> Any:
        """The random walk, x + L z."""
        assert self.factor is not None
        return x + (self.of.matmul if self.factor.ndim == 2 else self.of.multiply)(z, self.factor)

    def __call__(self, start: Any, draws: int, burn_in: int = 0, thin: int = 1, seed: int = 0) -> Chains:
        """Run all chains; `burn_in` steps are dropped, then every `thin`-th of draws * thin steps is kept.

        Args:
            start: (chains, d), where each chain begins; the density must not be zero there.

        Raises:
            InputError: for a start outside the density, or arguments whose shapes do not fit.
        """
        x = starts(start, self.library)
        chains, d = x.shape
        if self.factor is not None and self.factor.shape not in ((), (d,), (d, d)):
            raise InputError(f"proposal is for {len(self.factor)} coordinates: start has {d}")
        states = self.loop.run(
            (x, self._log_density_of(x), np.ones(chains, x.dtype)),
            [
                lambda random, steps: self.scale * random.standard_normal((steps, chains, d), dtype=x.dtype),
                lambda random, steps: -random.standard_exponential((steps, chains), dtype=x.dtype),  # log u
            ],
            *(draws, burn_in, thin, seed),
        )
        samples, log_p, accepted = zip(*states, strict=True)
        share = np.concatenate(accepted).mean(axis=0)
        return Chains(gathered(samples), share, gathered(log_p))

    def _log_density_of(self, x: np.ndarray) -> np.ndarray:
        """log p at the start."""
        if self.of is np:
            log_p = np.asarray(self.log_density(x))
        else:
            log_p = self.of.convert_to_numpy(self.log_density(self.of.convert_to_tensor(x)))
        if log_p.shape != (len(x),):
            raise InputError(f"log_density gives the shape {log_p.shape}: one number per chain would be ({len(x)},)")
        if not np.isfinite(log_p).all():
            chain = int(np.flatnonzero(~np.isfinite(log_p))[0])
            raise InputError(f"start: the log density of chain {chain} is {log_p[chain]}: begin where p is positive")
        return log_p.astype(x.dtype)


def _factor(walk: np.ndarray, library: str) -> np.ndarray:
    """L of the random walk: a number, (d,), or L^T (d, d) with L L^T the covariance."""
    if walk.ndim == 2:
        if walk.shape[0] != walk.shape[1] or not np.allclose(walk, walk.T):
            raise InputError(f"proposal has the shape {walk.shape}: give a number, (d,), or a symmetric (d, d)")
        try:
            walk = np.linalg.cholesky(walk).T
        except np.linalg.LinAlgError:
            raise InputError("proposal is no covariance: its eigenvalues have to be positive") from None
    return walk.astype(dtype(library))


METHOD = Metropolis
