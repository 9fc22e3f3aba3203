"""Annealed importance sampling: log Z of a restricted Boltzmann machine that is too large to enumerate, with its error.

    path      p*_k(v) = exp(-F_k(v)) prop. to the visible units alone at beta_0 = 0, the machine at beta_K = 1:
              W and c times beta_k, the visible biases (1 - beta_k) base + beta_k b;  Z_0 is known
    chain     v_0 ~ p_0,  v_k by one Gibbs sweep that leaves p_k as it is
    weight    log w = sum_k log p*_{k+1}(v_k) - log p*_k(v_k),   E(w) = Z / Z_0
    estimate  log Z = log Z_0 + log(mean w),   error = deviation(w) / (mean w sqrt(chains))

The mean of w is unbiased; its logarithm is too low on average, and far too low with a small error where the path is
walked too fast for the chains to find the modes. A log-likelihood that rests on it is then too high: raise `steps`
until nothing moves. The base should be near the data: the log-odds of their means. Two thirds of the steps lie above
beta = 0.9, where log p* changes most.

Source: Neal (2001), "Annealed importance sampling"; Salakhutdinov, Murray (2008), "On the quantitative analysis of deep
belief networks", section 4 (500 steps up to 0.5, 4,000 up to 0.9, 10,000 up to 1, 100 chains).

Example:
    >>> import numpy as np
    >>> from maquette.methods.energy.annealed_importance_sampling import annealed_importance_sampling
    >>> from maquette.methods.energy.machine import Machine
    >>> machine = Machine(np.full((3, 2), 2.0), np.zeros(3), np.zeros(2))
    >>> found = annealed_importance_sampling(machine, steps=100, chains=400, library="numpy")
    >>> exact = np.log(1 + 2 * (1 + np.exp(2)) ** 3 / 8 + (1 + np.exp(4)) ** 3 / 8) + 3 * np.log(2)
    >>> bool(abs(found.log_partition - exact) < 3 * found.error), found.error < 0.05
    (True, True)
"""

from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError
from maquette.methods.energy.machine import Machine, softplus
from maquette.methods.sampling.chains import Loop, State, module
from maquette.methods.signal.signals import count, numbers


class Estimate(NamedTuple):
    """What annealed importance sampling found.

    Attributes:
        log_partition: log Z.
        error: standard error of log Z, from the spread of the weights.
        log_weights: log w of each chain: (chains,).
    """

    log_partition: float
    error: float
    log_weights: np.ndarray

    @property
    def effective_size(self) -> float:
        """(sum w)^2 / sum w^2: how many chains count; a few of hundreds mean that more steps are needed."""
        w = np.exp(self.log_weights - self.log_weights.max())
        return float(w.sum() ** 2 / (w**2).sum())


def schedule(steps: int) -> np.ndarray:
    """beta_0 = 0 .. beta_steps = 1: 3 % of the steps up to 0.5, 28 % up to 0.9, the others up to 1."""
    place = np.linspace(0, 1, count(steps, "steps") + 1)
    return np.interp(place, [0, 0.5 / 14.5, 4.5 / 14.5, 1], [0, 0.5, 0.9, 1])


def annealed_importance_sampling(
    machine: Machine, steps: int = 1000, chains: int = 100, base: Any = None, seed: int = 0, library: str = "keras"
) -> Estimate:
    """Estimate log Z of a machine with binary or Gaussian visible units.

    Args:
        steps: K, the number of distributions after the base.
        chains: independent runs, all at once.
        base: visible biases (visible,) of the base of binary units; the machine's own unless given, or Gaussian.
        seed: of the noise, which is the same on every backend.
        library: "keras", compiled, in single precision; "numpy", a plain loop in double precision.

    Raises:
        InputError: for counts below 1 (2 chains), or a base that does not fit.
    """
    if count(chains, "chains") < 2:
        raise InputError("chains 1: give at least 2, so that the error can be told")
    base = machine.b if base is None or machine.variance is not None else numbers(base, "base", 1).astype(float)
    if base.shape != machine.b.shape:
        raise InputError(f"base has the shape {base.shape}: give one bias per visible unit, {machine.b.shape}")
    visible, hidden = machine.W.shape
    loop = Loop(_Step(machine, base, schedule(steps), library), library=library)
    start = _start(machine, base, np.random.default_rng((seed, 1)), chains).astype(loop.dtype)
    state = (start, np.zeros(chains, "int32"), np.zeros(chains, loop.dtype))
    kind = "random" if machine.variance is None else "standard_normal"
    noise = [
        lambda random, n: random.random((n, chains, hidden), "float32"),
        lambda random, n: getattr(random, kind)((n, chains, visible), dtype="float32"),
    ]
    total = np.zeros(chains)
    for _, _, increments in loop.run(state, noise, steps, 0, 1, seed):
        total += increments.sum(axis=0, dtype=float)
    return _estimate(machine, base, total)


def _start(machine: Machine, base: np.ndarray, random: np.random.Generator, chains: int) -> np.ndarray:
    """Draws of the visible units alone: (chains, visible)."""
    if machine.variance is not None:
        return machine.b + np.sqrt(machine.variance) * random.standard_normal((chains, len(base)))
    return (random.random((chains, len(base))) < 0.5 * (1 + np.tanh(0.5 * base))) * 1.0


def _estimate(machine: Machine, base: np.ndarray, log_weights: np.ndarray) -> Estimate:
    gaussian = machine.variance is not None
    start = 0.5 * np.log(2 * np.pi * machine.variance).sum() if gaussian else softplus(base).sum()
    start += len(machine.c) * np.log(2)
    most = log_weights.max()
    w = np.exp(log_weights - most)
    error = w.std(ddof=1) / w.mean() / np.sqrt(len(w))
    return Estimate(float(start + most + np.log(w.mean())), float(error), log_weights)


class _Step:
    """One step of all chains: the weight of going on to the next distribution, then a Gibbs sweep in it."""

    def __init__(self, machine: Machine, base: np.ndarray, beta: np.ndarray, library: str) -> None:
        self.ops, self.gaussian = module(library), machine.variance is not None
        kind = "float64" if library == "numpy" else "float32"
        spread = np.ones_like(machine.b) if machine.variance is None else machine.variance
        into = machine.W / spread[:, None]
        arrays = (into, machine.W.T.copy(), machine.c, base, machine.b - base, np.sqrt(spread), beta)
        self.into, self.back, self.c, self.base, self.gain, self.deviation, self.beta = (
            array.astype(kind) for array in arrays
        )

    def __call__(self, state: State, noise: tuple[Any, ...]) -> State:
        ops, (v, k, _) = self.ops, state
        # The last block may hold more steps than are asked for.
        now, then = (ops.take(self.beta, ops.minimum(i, len(self.beta) - 1))[:, None] for i in (k, k + 1))
        a = ops.matmul(v, self.into) + self.c  # (chains, hidden)
        gained = ops.sum(ops.logaddexp(0.0, then * a) - ops.logaddexp(0.0, now * a), axis=1)
        if not self.gaussian:
            gained = gained + (then - now)[:, 0] * ops.matmul(v, self.gain)
        h = ops.where(noise[0] < self._on(then * a), 1.0, 0.0)
        mean = self.base + then * (self.gain + ops.matmul(h, self.back))
        if self.gaussian:
            return mean + self.deviation * noise[1], k + 1, gained
        return ops.where(noise[1] < self._on(mean), 1.0, 0.0), k + 1, gained

    def _on(self, x: Any) -> Any:
        return 0.5 * (1 + self.ops.tanh(0.5 * x))


METHOD = annealed_importance_sampling
