"""A restricted Boltzmann machine as arrays: energies, free energies, and the sums that a layer can be summed out by.

    binary     E(v, h) = -b.v - c.h - v.W.h                                          v, h in {0, 1}
    Gaussian   E(v, h) = sum_i (v_i - b_i)^2 / (2 s_i) - c.h - (v/s).W.h             v real, s the variances
    F(v)  = -log sum_h exp(-E)       = -b.v - sum_j softplus(c_j + (v.W)_j), or the square and (v/s).W
    G(h)  = -log sum_v exp(-E)       = -c.h - sum_i softplus(b_i + (h.W^T)_i)
            of Gaussian units        = -c.h - sum_i (b_i u_i + u_i^2 / 2) / s_i - log(2 pi s_i) / 2,   u = h.W^T
    p(v) = exp(-F(v)) / Z,   p(h) = exp(-G(h)) / Z

Everything is in double precision. Exchanging (W, b, c) for (W^T, c, b) exchanges the roles of v and h.

Source: Smolensky (1986), "Information processing in dynamical systems"; Cho, Ilin, Raiko (2011), "Improved learning of
Gaussian-Bernoulli restricted Boltzmann machines", section 2.

Example:
    >>> import numpy as np
    >>> from maquette.methods.energy.machine import Machine
    >>> machine = Machine(np.zeros((3, 2)), np.zeros(3), np.zeros(2))
    >>> (-machine.free_energy(np.zeros((1, 3))) / np.log(2)).round(6).tolist()
    [2.0]
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import numbers


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), without overflow."""
    return np.logaddexp(0, x)


@dataclass(frozen=True, eq=False)
class Machine:
    """Weights W (visible, hidden), biases b (visible,) and c (hidden,), and the variances of Gaussian visible units.

    Raises:
        InputError: for arrays that do not fit each other, or a variance that is not positive.
    """

    W: Any
    b: Any
    c: Any
    variance: Any = None

    def __post_init__(self) -> None:
        for name, axes in {"W": 2, "b": 1, "c": 1}.items():
            object.__setattr__(self, name, numbers(getattr(self, name), name, axes).astype(float))
        if self.W.shape != (len(self.b), len(self.c)):
            raise InputError(f"W {self.W.shape}, b {self.b.shape}, c {self.c.shape}: give (m, n), (m,) and (n,)")
        if self.variance is not None:
            variance = numbers(self.variance, "variance").astype(float) * np.ones_like(self.b)
            if variance.min() <= 0:
                raise InputError(f"variance {variance.min():g}: give positive numbers, one or ({len(self.b)},)")
            object.__setattr__(self, "variance", variance)

    def energy(self, v: np.ndarray, h: np.ndarray) -> np.ndarray:
        """E(v, h) of pairs: v (..., visible) and h (..., hidden) -> (...)."""
        return self.visible_energy(v) - h @ self.c - np.sum(self._scaled(v) @ self.W * h, axis=-1)

    def visible_energy(self, v: np.ndarray) -> np.ndarray:
        """The energy of the visible units alone: (..., visible) -> (...)."""
        return -v @ self.b if self.variance is None else np.sum((v - self.b) ** 2 / (2 * self.variance), axis=-1)

    def _scaled(self, v: np.ndarray) -> np.ndarray:
        return v if self.variance is None else v / self.variance

    def hidden_input(self, v: np.ndarray) -> np.ndarray:
        """v: (..., visible) -> the log-odds of p(h=1|v): (..., hidden)."""
        return self._scaled(v) @ self.W + self.c

    def free_energy(self, v: np.ndarray) -> np.ndarray:
        """F(v): (..., visible) -> (...)."""
        return self.visible_energy(v) - softplus(self.hidden_input(v)).sum(axis=-1)

    def hidden_free_energy(self, h: np.ndarray) -> np.ndarray:
        """G(h): (..., hidden) -> (...)."""
        u = h @ self.W.T
        if self.variance is None:
            return -h @ self.c - softplus(self.b + u).sum(axis=-1)
        gain = (self.b * u + u**2 / 2) / self.variance + 0.5 * np.log(2 * np.pi * self.variance)
        return -h @ self.c - gain.sum(axis=-1)

    def hidden_mean(self, v: np.ndarray) -> np.ndarray:
        """E(h|v) = p(h=1|v): (..., visible) -> (..., hidden)."""
        return sigmoid(self.hidden_input(v))

    def visible_mean(self, h: np.ndarray) -> np.ndarray:
        """E(v|h): (..., hidden) -> (..., visible)."""
        u = self.b + h @ self.W.T
        return sigmoid(u) if self.variance is None else u

    def statistics(self, v: np.ndarray, weights: Any = None) -> dict[str, np.ndarray]:
        """Means of v h^T, v and h over v (n, visible), h summed out: of a binary machine the slopes of mean -F."""
        h = self.hidden_mean(v)
        w = np.full(len(v), 1 / len(v)) if weights is None else weights
        return {"W": (w[:, None] * v).T @ h, "b": w @ v, "c": w @ h}


METHOD = Machine
