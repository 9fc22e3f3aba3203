"""System identification: the impulse response of a system from what went in and what came out.

    impulse          h(n) = y(p + n) / x(p) for an x that is zero but at p: a star seen through a telescope
    step             h(n) = (y(p + n) - y(p + n - 1)) / c for an x that jumps from 0 to c at p
    least-squares    h = argmin |y - X h|^2 + ridge |h|^2, X the matrix of shifted copies of x; any number of axes
    spectral         H(omega) = S_xy(omega) / S_xx(omega), with spectra averaged over overlapping segments (Welch)

The prediction for another input is `convolve(x, h)`. The first two need no sums but carry the noise of y in full;
least squares is unbiased under white noise and needs an x that excites every frequency; the spectral estimate is
for long records and is biased where h is not short against a segment.

Source: Ljung (1999), "System identification: theory for the user", sections 6.1 to 6.4 and 7.3.

Example:
    >>> import numpy as np
    >>> from maquette.methods.signal.system_identification import identify
    >>> x = np.random.default_rng(0).normal(size=200)
    >>> identify(x, np.convolve(x, [3, 2, 1]), (3,)).round(9).tolist()
    [3.0, 2.0, 1.0]
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers

WAYS = ("least-squares", "spectral", "impulse", "step")


def identify(x: Any, y: Any, shape: tuple[int, ...], method: str = "least-squares", ridge: float = 0.0) -> np.ndarray:
    """x, y -> h of `shape`, whose first sample is h(0): the system is at rest before x begins.

    Args:
        x: the excitation.
        y: the answer from the same moment on, as long as x or longer (up to the whole of x * h).
        shape: how many samples of h along each axis; one axis for "spectral" and "step".
        method: least-squares, spectral, impulse or step.
        ridge: of least squares, the weight of |h|^2, in units of x squared; 0 for none.

    Raises:
        InputError: if x does not fit the method or does not excite all of h, or y is shorter than x.
    """
    x, y = numbers(x, "x").astype(float), numbers(y, "y").astype(float)
    choice(method, "method", WAYS)
    taps = tuple(count(n, "shape") for n in shape)
    if not x.ndim == y.ndim == len(taps):
        raise InputError(f"x has {x.ndim} axes, y {y.ndim} and h {len(taps)}: give all equally many")
    if any(after < before for before, after in zip(x.shape, y.shape, strict=True)):
        raise InputError(f"y has the shape {y.shape}, x {x.shape}: record y for at least as long as x")
    if method in ("spectral", "step") and x.ndim > 1:
        raise InputError(f"method {method!r} takes signals of one axis: use 'least-squares' for pictures")
    if method == "least-squares":
        return _least_squares(x, y, taps, number(ridge, "ridge", 0))
    return {"spectral": _spectral, "impulse": _impulse, "step": _step}[method](x, y, taps)


def shifted_copies(x: np.ndarray, shape: tuple[int, ...], taps: tuple[int, ...]) -> np.ndarray:
    """The matrix X (samples of `shape`, all taps): column k is x moved by k, zeros before and after it."""
    columns = np.zeros((*taps, *shape))
    for k in np.ndindex(taps):
        ends = [min(i + n, most) for i, n, most in zip(k, x.shape, shape, strict=True)]
        kept = tuple(slice(0, max(end - i, 0)) for i, end in zip(k, ends, strict=True))
        columns[k][tuple(slice(i, max(end, i)) for i, end in zip(k, ends, strict=True))] = x[kept]
    return columns.reshape(int(np.prod(taps)), -1).T


def _least_squares(x: np.ndarray, y: np.ndarray, taps: tuple[int, ...], ridge: float) -> np.ndarray:
    shifted, target = shifted_copies(x, y.shape, taps), y.ravel()
    if ridge:
        unknown = shifted.shape[1]
        shifted = np.concatenate([shifted, np.sqrt(ridge) * np.eye(unknown)])
        target = np.concatenate([target, np.zeros(unknown)])
    h, _, rank, _ = np.linalg.lstsq(shifted, target)
    if rank < shifted.shape[1]:
        raise InputError(f"x excites {rank} of {shifted.shape[1]} samples of h: give a longer or richer x, or a ridge")
    return h.reshape(taps)


def _spectral(x: np.ndarray, y: np.ndarray, taps: tuple[int, ...]) -> np.ndarray:
    from scipy.signal import csd

    segment = max(256, 16 * taps[0])
    if len(x) < 2 * segment:
        raise InputError(f"x has {len(x)} samples: method 'spectral' needs {2 * segment} for {taps[0]} samples of h")
    given = {"nperseg": segment, "return_onesided": True, "detrend": False}
    power = csd(x, x, **given)[1].real
    if not power.min() > 1e-12 * power.max():
        raise InputError("x lacks some frequencies: method 'spectral' needs noise that has all of them")
    return np.fft.irfft(csd(x, y[: len(x)], **given)[1] / power, segment)[: taps[0]]


def _impulse(x: np.ndarray, y: np.ndarray, taps: tuple[int, ...]) -> np.ndarray:
    places = np.argwhere(x)
    if len(places) != 1:
        raise InputError(f"x has {len(places)} samples that are not zero: method 'impulse' needs exactly one")
    return _from(y, places[0], taps) / x[tuple(places[0])]


def _step(x: np.ndarray, y: np.ndarray, taps: tuple[int, ...]) -> np.ndarray:
    start = int(np.argmax(x != 0))
    if x[start] == 0 or np.any(x[start:] != x[start]):
        raise InputError("x is no step: method 'step' needs zeros, then one other constant to the end")
    return np.diff(_from(y, [start], taps), prepend=0.0) / x[start]


def _from(y: np.ndarray, start: Any, taps: tuple[int, ...]) -> np.ndarray:
    answer = y[tuple(slice(p, p + k) for p, k in zip(start, taps, strict=True))]
    if answer.shape != taps:
        raise InputError(
            f"y ends {answer.shape} samples after the excitation: h of shape {taps} needs as many as it has"
        )
    return answer


METHOD = identify
