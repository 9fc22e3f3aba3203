"""Ising model: spins of -1 and 1 that pull on each other, the smallest model with a partition function worth a name.

    E(s) = -1/2 s.J.s - h.s,  s in {-1, 1}^d,  J symmetric with zeros on the diagonal
    P(s_j = 1 | rest) = sigmoid(2 (h_j + sum_k J_jk s_k) / T)

Up to some twenty spins `energies` goes with `maquette.methods.sampling.boltzmann`, which is exact; beyond that
`conditionals` goes with `Gibbs`. Below its critical temperature single spins turn over ever more rarely.

Source: Ising (1925), "Beitrag zur Theorie des Ferromagnetismus", Zeitschrift fuer Physik 31; Glauber (1963),
"Time-dependent statistics of the Ising model".

Example:
    >>> import numpy as np
    >>> from maquette.methods.sampling.gibbs import Gibbs
    >>> from maquette.methods.sampling.ising import conditionals
    >>> sampler = Gibbs(conditionals([[0, 1], [1, 0]]), noise="logistic")
    >>> s = sampler(np.ones((500, 2)), draws=200, burn_in=20, seed=0).flat
    >>> f"{(s[:, 0] * s[:, 1]).mean():.2f}", f"{np.tanh(1):.2f}"
    ('0.76', '0.76')
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.sampling.chains import module
from maquette.methods.sampling.gibbs import Conditional
from maquette.methods.signal.signals import number, numbers


def energies(spins: Any, couplings: Any, field: Any = 0.0) -> np.ndarray:
    """E of spins (n, d) -> (n,); couplings (d, d), field a number or (d,)."""
    s = numbers(spins, "spins", 2).astype(float)
    j, h = _parameters(couplings, field)
    if s.shape[1] != len(j):
        raise InputError(f"spins has {s.shape[1]} columns: the couplings are for {len(j)}")
    return -0.5 * np.einsum("ni,ij,nj->n", s, j, s) - np.einsum("ni,i->n", s, h)


def conditionals(
    couplings: Any, field: Any = 0.0, temperature: float = 1.0, library: str = "keras"
) -> list[Conditional]:
    """The conditionals of all spins, for `Gibbs` with logistic noise.

    Args:
        couplings: J (d, d).
        field: h, a number or (d,).
        temperature: T > 0, in the unit of the energies.

    Raises:
        InputError: for couplings that are not symmetric or have a diagonal.
    """
    j, h = _parameters(couplings, field)
    t = number(temperature, "temperature", 0, above=True)
    return [_conditional(i, row / t, float(f / t), library) for i, (row, f) in enumerate(zip(j, h, strict=True))]


def _conditional(i: int, row: np.ndarray, field: float, library: str) -> Conditional:
    where, ones_like = module(library).where, module(library).ones_like
    neighbours = [(int(k), float(row[k])) for k in np.flatnonzero(row)]

    def draw(parts: Sequence[Any], noise: Any) -> Any:
        pull = sum(weight * parts[k] for k, weight in neighbours) + field
        one = ones_like(noise)
        return where(2 * pull > noise, one, -one)

    return draw


def _parameters(couplings: Any, field: Any) -> tuple[np.ndarray, np.ndarray]:
    j, h = numbers(couplings, "couplings", 2).astype(float), numbers(field, "field").astype(float)
    if j.shape[0] != j.shape[1] or not np.allclose(j, j.T) or np.any(np.diag(j)):
        raise InputError("couplings: give a symmetric matrix with zeros on its diagonal")
    if h.shape not in ((), (len(j),)):
        raise InputError(f"field has the shape {h.shape}: give a number, or ({len(j)},)")
    return j, np.broadcast_to(h, len(j))


METHOD = conditionals
