"""Measured values with their 95 % intervals."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

Z = float(stats.norm.ppf(0.975))


class Measure(NamedTuple):
    """A value and the ends of its 95 % interval; NaN ends where none can be given."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


def wilson(successes: int, trials: int) -> Measure:
    """Share of successes with the Wilson score interval; it stays in [0, 1] and works near its ends.

    (p + z^2/2n ± z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    if trials == 0:
        return Measure(float("nan"))
    p, z2 = successes / trials, Z * Z / trials
    middle, half = p + z2 / 2, Z * np.sqrt(p * (1 - p) / trials + z2 / (4 * trials))
    # At 0 and 1 rounding could put an end on the wrong side of the share itself.
    return Measure(p, min(p, max(0.0, (middle - half) / (1 + z2))), max(p, min(1.0, (middle + half) / (1 + z2))))


def mean_of(values: np.ndarray | list[float]) -> Measure:
    """Mean of independent values (n,) with Student's t interval; no ends for a single value."""
    values = np.asarray(values, "float64")
    mean = float(values.mean())
    if len(values) < 2:
        return Measure(mean)
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return Measure(mean, mean - half, mean + half)


def bootstrap(statistic: Callable[[np.ndarray], float], count: int, resamples: int = 400) -> Measure:
    """A statistic of row indices with its percentile interval over seeded resamples of `count` rows.

    Source: Efron (1979), "Bootstrap methods: another look at the jackknife".
    """
    random = np.random.default_rng(0)
    draws = [statistic(random.integers(0, count, count)) for _ in range(resamples if count > 1 else 0)]
    low, high = np.quantile(draws, [0.025, 0.975]) if draws else (float("nan"), float("nan"))
    return Measure(float(statistic(np.arange(count))), float(low), float(high))
