"""Diagnostics of Markov chains: whether they agree, and how many independent draws they are worth.

    autocorrelation   rho_t = mean of (x_s - m)(x_{s+t} - m) / variance, over all chains, by the fast Fourier transform
    split chains      each is cut in halves, so that a slow drift shows as a difference between chains
    R-hat             sqrt(((n - 1)/n W + B/n) / W): W the mean variance within, B/n the variance of the means
    effective size    m n / (1 + 2 sum_t rho_t), the sum of pairs rho_2k + rho_2k+1 cut where they turn negative and
                      kept from rising (Geyer)
    standard error    of the mean: standard deviation / sqrt(effective size of the draws themselves)

R-hat and the bulk size use ranks, made normal, so that heavy tails do no harm; R-hat is the larger of that and the same
for |x - median|, which sees chains that differ in spread. The tail size is the smaller of those of the 5 % and 95 %
quantiles. Ask for R-hat below 1.01 and an effective size above 400. Of thousands of short chains R-hat is about
sqrt(1 + 1/e), e the effective size of half a chain. Chains that all miss a mode agree perfectly.

Burn-in removes the bias of the start. Thinning saves memory, never information: k times fewer draws are worth less.

Source: Vehtari, Gelman, Simpson, Carpenter, Buerkner (2021), "Rank-normalization, folding, and localization: an
improved R-hat"; Gelman et al. (2013), "Bayesian data analysis", sections 11.4 and 11.5; Geyer (1992), "Practical
Markov chain Monte Carlo".

Example:
    >>> import numpy as np
    >>> from maquette.methods.sampling.diagnostics import effective_size, r_hat
    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(r_hat(x) < 1.01), bool(3000 < effective_size(x) < 5000), bool(r_hat(x + np.arange(4)[:, None]) > 1.5)
    (True, True, True)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri
from scipy.stats import rankdata

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, numbers

KINDS = ("bulk", "tail", "mean")


@dataclass(frozen=True)
class Summary:
    """One coordinate: mean and standard deviation, error of the mean, R-hat, bulk and tail effective sizes."""

    mean: float
    deviation: float
    error: float
    r_hat: float
    bulk: float
    tail: float


def summary(samples: Any) -> list[Summary]:
    """What to know about every coordinate of samples (chains, draws, d)."""
    x = numbers(samples, "samples", 3).astype(float)
    return [
        Summary(
            *(float(y.mean()), float(y.std(ddof=1)), standard_error(y), r_hat(y)),
            *(effective_size(y), effective_size(y, "tail")),
        )
        for y in np.moveaxis(x, 2, 0)
    ]


def autocorrelation(x: Any, lags: int | None = None) -> np.ndarray:
    """rho_0 = 1, rho_1 .. of draws (chains, draws), around the mean and by the variance of all: (lags + 1,)."""
    y = _draws(x)
    y = y - y.mean()
    covariance = _autocovariance(y).mean(axis=0)
    most = y.shape[1] - 1 if lags is None else count(lags, "lags")
    return covariance[: most + 1] / covariance[0] if covariance[0] else np.ones(most + 1)


def effective_size(x: Any, kind: str = "bulk") -> float:
    """How many independent draws the draws (chains, draws) are worth: for "bulk", "tail" or their "mean".

    Raises:
        InputError: for fewer than 8 draws of a chain, or numbers that are not finite.
    """
    y = _draws(x, 8)
    if choice(kind, "kind", KINDS) == "tail":
        return min(_size(_split(1.0 * (y <= np.quantile(y, q)))) for q in (0.05, 0.95))
    return _size(_ranked(_split(y)) if kind == "bulk" else _split(y))


def standard_error(x: Any) -> float:
    """Of the mean of draws (chains, draws), their correlation taken into account."""
    y = _draws(x, 8)
    return float(y.std(ddof=1) / np.sqrt(effective_size(y, "mean")))


def r_hat(x: Any) -> float:
    """The rank-normalised split R-hat of draws (chains, draws); 1 where all chains sample the same."""
    y = _split(_draws(x, 8))
    return max(_r_hat(_ranked(y)), _r_hat(_ranked(np.abs(y - np.median(y)))))


def _draws(x: Any, least: int = 2) -> np.ndarray:
    y = numbers(x, "x", 2).astype(float)
    if y.shape[1] < least:
        raise InputError(f"x has {y.shape[1]} draws per chain: give (chains, draws) with at least {least}")
    return y


def _split(y: np.ndarray) -> np.ndarray:
    """The halves of every chain, without the middle draw of an odd number."""
    half = y.shape[1] // 2
    return np.concatenate([y[:, :half], y[:, -half:]])


def _ranked(y: np.ndarray) -> np.ndarray:
    """Normal scores of the ranks among all draws."""
    return ndtri((rankdata(y).reshape(y.shape) - 0.375) / (y.size + 0.25))


def _r_hat(y: np.ndarray) -> float:
    n = y.shape[1]
    within, between = y.var(axis=1, ddof=1).mean(), y.mean(axis=1).var(ddof=1)
    if within == 0:
        return 1.0 if between == 0 else np.inf
    return float(np.sqrt((n - 1) / n + between / within))


def _autocovariance(y: np.ndarray) -> np.ndarray:
    """Of centred chains (chains, draws), at every lag, divided by the number of draws: (chains, draws)."""
    n = y.shape[1]
    length = next_fast_len(2 * n, real=True)  # zeros keep the ends from meeting
    return irfft(np.abs(rfft(y, length)) ** 2, length)[:, :n] / n


def _size(y: np.ndarray) -> float:
    chains, n = y.shape
    if np.ptp(y) == 0:
        return float(y.size)
    covariance = _autocovariance(y - y.mean(axis=1, keepdims=True)).mean(axis=0)
    within = covariance[0] * n / (n - 1)
    variance = covariance[0] + (y.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    rho = 1 - (within - covariance) / variance
    rho[0] = 1.0
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    cut = int(negative[0]) if len(negative) else len(pairs)
    time = -1 + 2 * np.minimum.accumulate(pairs[:cut]).sum() + max(rho[2 * cut] if 2 * cut < n else 0, 0)
    # Chains that alternate are worth more than independent ones, but no more than can be told from noise.
    return float(y.size / max(time, 1 / np.log10(y.size)))


METHOD = summary
