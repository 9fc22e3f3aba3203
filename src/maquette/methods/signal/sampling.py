"""From analogue to digital: sampling in time, quantisation in amplitude, and the way back.

    x[n] = x_c(n / rate)                             sampled at `rate` per second
    f'   = |f - rate round(f / rate)|                the frequency that f appears to have; f' = f below rate / 2
    x_c(t) = sum_n x[n] sinc(rate t - n)             exact for a signal without frequencies from rate / 2 on

    delta = (high - low) / 2^bits                    the step of a quantiser of `bits` bits
    mid-rise   Q(x) = low + delta (floor((x - low) / delta) + 1/2)     |x - Q(x)| <= delta / 2 on [low, high]
    mid-tread  Q(x) = c + delta round((x - c) / delta), c = (low + high) / 2   keeps c; the top level is high - delta

The error of a busy signal is nearly uniform, of variance delta^2 / 12; for a sine that fills the range the ratio of
signal to noise is 6.02 bits + 1.76 dB. It is not uniform for a slow or faint signal, which is where mu-law helps:
fine steps near zero, coarse ones far away. Values outside [low, high] are clipped.

Source: Bennett (1948), "Spectra of quantized signals", Bell System Technical Journal 27; Shannon (1949),
"Communication in the presence of noise", theorem 1; ITU-T G.711 (1988) for mu = 255.

Example:
    >>> import numpy as np
    >>> from maquette.methods.signal.sampling import alias, quantise, sample, signal_to_noise
    >>> t, x = sample(lambda t: np.sin(2 * np.pi * 997 * t), rate=8000, seconds=1)
    >>> round(signal_to_noise(x, quantise(x, bits=8)), 1)
    49.8
    >>> alias(7000, rate=8000)
    1000.0
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers


def sample(x: Callable[[np.ndarray], Any], rate: float, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """The times n / rate below `seconds`, and x at these times."""
    rate, seconds = number(rate, "rate", 0, above=True), number(seconds, "seconds", 0, above=True)
    # 0.3 * 10 is a little above 3, which must not make a fourth sample.
    t = np.arange(int(np.ceil(seconds * rate * (1 - 1e-12)))) / rate
    return t, np.asarray(x(t))


def alias(frequency: float, rate: float) -> float:
    """The frequency in [0, rate / 2] that a sine of `frequency` appears to have once sampled at `rate`."""
    frequency, rate = number(frequency, "frequency", 0), number(rate, "rate", 0, above=True)
    return float(abs(frequency - rate * np.round(frequency / rate)))


def reconstruct(x: Any, rate: float, t: Any) -> np.ndarray:
    """x (samples,) taken at n / rate -> the band-limited signal at the times t, any shape; zero beyond the samples."""
    x, t = numbers(x, "x", 1), numbers(t, "t")
    rate = number(rate, "rate", 0, above=True)
    return np.asarray(np.tensordot(np.sinc(rate * t[..., np.newaxis] - np.arange(len(x))), x, 1))


def quantise(x: Any, bits: int, low: float = -1.0, high: float = 1.0, kind: str = "mid-rise") -> np.ndarray:
    """x of any shape -> the nearest of 2^bits levels in [low, high], float64 of the same shape.

    Args:
        bits: 1 to 32.
        kind: mid-rise, whose levels lie at half steps, or mid-tread, one of whose levels is the middle of the range.

    Raises:
        InputError: for bits out of range, an empty range, NaN, or an unknown kind.
    """
    x = numbers(x, "x").astype(float)
    if count(bits, "bits") > 32:
        raise InputError(f"bits {bits}: use 1 to 32")
    low, high = number(low, "low", -np.inf), number(high, "high", low, above=True)
    levels = 2**bits
    delta = (high - low) / levels
    if choice(kind, "kind", ("mid-rise", "mid-tread")) == "mid-rise":
        return low + delta * (np.clip(np.floor((x - low) / delta), 0, levels - 1) + 0.5)
    code = np.clip(np.round((x - (low + high) / 2) / delta), -levels / 2, levels / 2 - 1)
    return (low + high) / 2 + delta * code


def signal_to_noise(x: Any, y: Any) -> float:
    """10 log10 (sum x^2 / sum (x - y)^2) in dB; infinite where y equals x."""
    x, y = numbers(x, "x").astype(float), numbers(y, "y").astype(float)
    if x.shape != y.shape:
        raise InputError(f"y has the shape {y.shape}, x {x.shape}: give both the same")
    noise = np.sum((x - y) ** 2)
    with np.errstate(divide="ignore"):
        return float(np.inf if noise == 0 else 10 * np.log10(np.sum(x**2) / noise))


def mu_law(x: Any, mu: float = 255.0) -> np.ndarray:
    """Compress x in [-1, 1]: sign(x) log(1 + mu |x|) / log(1 + mu); quantise the result, then `mu_law_inverse`."""
    x, mu = numbers(x, "x").astype(float), number(mu, "mu", 0, above=True)
    if np.abs(x).max() > 1:
        raise InputError(f"x reaches {np.abs(x).max():g}: scale it into [-1, 1] before mu_law")
    return np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)


def mu_law_inverse(y: Any, mu: float = 255.0) -> np.ndarray:
    """Expand what `mu_law` compressed: sign(y) ((1 + mu)^|y| - 1) / mu."""
    y, mu = numbers(y, "y").astype(float), number(mu, "mu", 0, above=True)
    return np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu


METHOD = quantise
