"""Step size: the scale of a random walk at which a wanted share of its proposals is accepted.

    log s_{t+1} = log s_t + gain (a_t - target),   a_t the acceptance of all chains over a short run with the scale s_t

and the scale is the mean of the second half of them, in logarithms. It starts far below or far above the best without
harm. 0.44 is near the best in one dimension, 0.23 in many, 0.35 between; the efficiency is flat around it. Only the
scale is tuned, not the shape of the proposal. The chains of the search are thrown away: while the scale follows the
states, they do not sample the target.

Source: Andrieu, Thoms (2008), "A tutorial on adaptive MCMC", section 4.2; Roberts, Gelman, Gilks (1997), "Weak
convergence and optimal scaling of random walk Metropolis algorithms".

Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from maquette.methods.sampling.metropolis import Metropolis
    >>> from maquette.methods.sampling.step_size import tuned
    >>> sampler = Metropolis(lambda x: -0.5 * ops.sum(x * x, axis=-1), proposal=0.01)
    >>> better = tuned(sampler, np.zeros((100, 1)), target=0.44)
    >>> f"{better(np.zeros((100, 1)), draws=200, burn_in=20).acceptance.mean():.1f}"
    '0.4'
"""

from copy import copy
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.sampling.metropolis import Metropolis
from maquette.methods.signal.signals import count, number

GAIN = 3.0  # the acceptance falls by some 0.3 per unit of log s, so that an error shrinks at once


def tuned(
    sampler: Metropolis, start: Any, target: float = 0.35, steps: int = 50, rounds: int = 20, seed: int = 0
) -> Metropolis:
    """A sampler like the given one with another scale; it shares what was compiled.

    Args:
        sampler: a random walk; it is not changed.
        start: (chains, d), where the search begins.
        target: the share of proposals to be accepted, in (0, 1).
        steps: of each round.

    Raises:
        InputError: for a proposal that is a function, or a target outside (0, 1).
    """
    if sampler.factor is None:
        raise InputError("proposal is a function: only the scale of a random walk can be tuned")
    number(target, "target", 0, above=True, most=1 - 1e-9)
    better, scales = copy(sampler), []
    for i in range(count(rounds, "rounds", 2)):
        chains = better(start, steps, seed=seed + i)
        start = chains.last
        better.scale *= float(np.exp(GAIN * (chains.acceptance.mean() - target)))
        scales.append(better.scale)
    better.scale = float(np.exp(np.mean(np.log(scales[len(scales) // 2 :]))))
    return better


METHOD = tuned
