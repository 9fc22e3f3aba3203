"""Point estimate: the one number that stands for a distribution, given its draws and what a mistake costs.

    squared     E(y - c)^2 is least at the mean
    absolute    E|y - c| is least at the median, which single wild draws hardly move
    zero-one    P(|y - c| > a small width) is least at the mode

The mean of the draws y_i of a posterior is the Bayes estimate, E[M | data] ~ 1/n sum M_i, with the standard error of
`monte_carlo` for independent draws, of `diagnostics` for those of a chain. The mode is the highest point of a kernel
density estimate: the least certain of the three, and only for continuous draws.

Source: Gelman et al. (2013), "Bayesian data analysis", section 2.3 and exercise 2.14; Silverman (1986), "Density
estimation for statistics and data analysis", section 3.4.

Example:
    >>> from maquette.methods.sampling.point_estimate import point_estimate
    >>> draws = [1.0, 2.0, 2.0, 2.5, 30.0]
    >>> point_estimate(draws, "squared"), point_estimate(draws, "absolute")
    (7.5, 2.0)
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, numbers

LOSSES = ("squared", "absolute", "zero-one")
MOST_DRAWS, GRID = 10_000, 512  # of the density estimate


def point_estimate(draws: Any, loss: str = "squared") -> float:
    """The number that minimises the expected loss over draws (n,).

    Raises:
        InputError: for an unknown loss, or draws that are all equal where the mode is asked for.
    """
    y = numbers(draws, "draws", 1).astype(float)
    if choice(loss, "loss", LOSSES) != "zero-one":
        return float(y.mean() if loss == "squared" else np.median(y))
    if np.ptp(y) == 0:
        raise InputError("draws are all equal: their density has no width, take the loss 'absolute'")
    from scipy.stats import gaussian_kde

    grid = np.linspace(y.min(), y.max(), GRID)
    return float(grid[gaussian_kde(y[:: -(-len(y) // MOST_DRAWS)])(grid).argmax()])


METHOD = point_estimate
