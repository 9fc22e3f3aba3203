"""Metropolis-Hastings sampling of finitely many states, as a matrix: everything about the sampler, exactly.

    P_ij = T_ij min(1, p_j T_ji / (p_i T_ij))   for i != j,      P_ii = 1 - sum of the others
    p_i P_ij = min(p_i T_ij, p_j T_ji)          symmetric in i and j: detailed balance
    acceptance = sum_i p_i sum_j T_ij min(1, p_j T_ji / (p_i T_ij))

A sampler that leaves rejected proposals out sees `chain.jumps()`, if T never proposes to stay: its stationary
distribution is p_i (1 - P_ii) up to a factor, and not p.

Source: Metropolis et al. (1953); Hastings (1970), section 2; Diaconis, Saloff-Coste (1998), "What do we know about the
Metropolis algorithm?".

Example:
    >>> from maquette.methods.sampling.metropolis_chain import metropolis_chain
    >>> chain = metropolis_chain([1, 2], [[0.5, 0.5], [0.5, 0.5]])
    >>> chain.transition.tolist(), chain.stationary.round(4).tolist(), chain.reversible
    ([[0.5, 0.5], [0.25, 0.75]], [0.3333, 0.6667], True)
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.sampling.markov_chain import MarkovChain
from maquette.methods.signal.signals import numbers


def metropolis_chain(target: Any, proposal: Any) -> MarkovChain:
    """The chain of the sampler.

    Args:
        target: p (states,), positive, up to a factor.
        proposal: T (states, states), whose rows sum to 1.

    Raises:
        InputError: for a target that is not positive or does not fit the proposal.
    """
    p, t = numbers(target, "target", 1).astype(float), MarkovChain(proposal).transition
    if p.min() <= 0 or len(p) != len(t):
        raise InputError(f"target: give {len(t)} positive numbers, one per row of the proposal")
    flow = p[:, np.newaxis] * t
    moves = np.minimum(flow, flow.T) / p[:, np.newaxis]
    np.fill_diagonal(moves, 0)
    return MarkovChain(moves + np.diag(1 - moves.sum(axis=1)))


METHOD = metropolis_chain
