"""Convolution of signals of any number of axes: the response of a linear shift-invariant system.

    y(n) = sum_k x(k) h(n - k) = sum_k h(k) x(n - k)          n and k run over all axes
    y(t) = integral x(s) h(t - s) ds                          `convolve_functions`

With N samples in x and K in h along an axis, `size` keeps of y

    full     all N + K - 1, n = 0 ... N + K - 2
    same     N, those from n = (K - 1) // 2 on, so that an h of odd length has its origin in the middle
    valid    N - K + 1, those that need no sample from beyond the border

and `border` says what lies beyond x: zeros in the equation, or any word of `maquette.methods.signal.signals`.
Integers are summed exactly, in 64 bits. In an array of a picture the row comes first: y[n2, n1].

`direct` costs N K operations, `fft` about (N + K) log (N + K), and its rounding errors are relative to the largest
sample: take `direct` where small samples beside large ones matter. `auto` takes the faster one.

Source: Oppenheim, Schafer (2010), "Discrete-time signal processing", sections 2.3 and 8.7.

Example:
    >>> from maquette.methods.signal.convolution import convolve
    >>> convolve([1, 2, 2], [3, 2, 1]).tolist()
    [3, 8, 11, 6, 2]
    >>> convolve([[4, 5], [2, 3]], [[1, 2], [3, 4]]).tolist()
    [[4, 13, 10], [14, 38, 26], [6, 17, 12]]
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers, padded

SIZES = ("full", "same", "valid")
WAYS = ("auto", "direct", "fft", "overlap-add")


def convolve(
    x: Any, h: Any, size: str = "full", border: str = "constant", value: float = 0.0, method: str = "auto"
) -> np.ndarray:
    """x and h with equally many axes -> y = x * h.

    Args:
        x: the signal, real or complex.
        h: the impulse response, also called kernel or filter.
        size: full, same or valid.
        border: what lies beyond x; "valid" is another word for size="valid".
        value: of the samples beyond x for border="constant".
        method: auto, direct, fft, or overlap-add (for an x far longer than h).

    Raises:
        InputError: for an unknown word, NaN, an empty array, unequal axes, or an h larger than x with "valid".
    """
    x, h = numbers(x, "x"), numbers(h, "h")
    if x.ndim != h.ndim or x.ndim == 0:
        raise InputError(f"x has {x.ndim} axes and h {h.ndim}: give both equally many, at least one")
    choice(method, "method", WAYS)
    size = "valid" if border == "valid" else choice(size, "size", SIZES)
    if size == "valid" and any(k > n for k, n in zip(h.shape, x.shape, strict=True)):
        raise InputError(f"h has the shape {h.shape}, x only {x.shape}: size='valid' needs an h no larger than x")
    dtype = _wide(np.result_type(x, h))
    wide = padded(x.astype(dtype), [_beyond(k, size) for k in h.shape], border, value)
    return _inner(wide, h.astype(dtype), method)


def _wide(dtype: Any) -> Any:
    """The type to sum in: 64 bits for integers, which would overflow in theirs, at least 32 for floats."""
    if dtype.kind in "bui":
        return np.dtype(np.int64)
    return np.result_type(dtype, np.float32)


def _beyond(taps: int, size: str) -> tuple[int, int]:
    origin = (taps - 1) // 2
    return {"full": (taps - 1, taps - 1), "same": (taps - 1 - origin, origin), "valid": (0, 0)}[size]


def _inner(x: np.ndarray, h: np.ndarray, method: str) -> np.ndarray:
    """The samples of x * h that need nothing from beyond x."""
    from scipy import signal

    if method == "auto":
        method = signal.choose_conv_method(x, h, mode="valid")
    if method == "fft":
        return np.asarray(signal.convolve(x, h, mode="valid", method="fft"))
    if method == "overlap-add":
        y = signal.oaconvolve(x, h, mode="valid")
        return np.rint(y).astype(x.dtype) if x.dtype.kind == "i" else y.astype(x.dtype)
    y = np.zeros([n - k + 1 for n, k in zip(x.shape, h.shape, strict=True)], x.dtype)
    for k in np.ndindex(h.shape):  # y(n) = sum_k h(k) x(n - k), for all n at once
        y += h[k] * x[tuple(slice(taps - 1 - i, n - i) for i, taps, n in zip(k, h.shape, x.shape, strict=True))]
    return y


def correlate(x: Any, h: Any, size: str = "full", border: str = "constant", value: float = 0.0) -> np.ndarray:
    """Cross-correlation, what neural networks call convolution: y(n) = sum_k conj(h(k)) x(n + k).

    It is the convolution with h turned by 180 degrees and conjugated; arguments and errors as for `convolve`.
    """
    return convolve(x, np.conj(np.flip(numbers(h, "h"))), size, border, value)


def terms(x: Any, h: Any, n: int) -> list[tuple[float, float]]:
    """The products whose sum is y(n) of two 1-D signals: pairs (x(k), h(n - k)), k ascending.

    >>> terms([1, 2, 2], [3, 2, 1], 1)
    [(1, 2), (2, 3)]
    """
    x, h = numbers(x, "x", 1), numbers(h, "h", 1)
    overlap = range(max(0, n - len(h) + 1), min(len(x), n + 1))
    return [(x[k].item(), h[n - k].item()) for k in overlap]


def convolution_matrix(h: Any, shape: tuple[int, ...], size: str = "full") -> np.ndarray:
    """The matrix M with M x = x * h, rows and columns in C order: Toeplitz, in 2-D doubly block Toeplitz.

    Args:
        h: the impulse response.
        shape: of x.
        size: as for `convolve`; beyond x are zeros.

    >>> convolution_matrix([1, 2], (3,)).tolist()
    [[1, 0, 0], [2, 1, 0], [0, 2, 1], [0, 0, 2]]
    """
    h = numbers(h, "h")
    samples = int(np.prod([count(n, "shape") for n in shape]))
    impulses = np.eye(samples, dtype=np.int64).reshape(samples, *shape)
    return convolve(impulses, h[np.newaxis], size, method="direct").reshape(samples, -1).T


def convolve_functions(
    x: Callable[[np.ndarray], Any], h: Callable[[np.ndarray], Any], t: Any, low: float, high: float, points: int = 4001
) -> np.ndarray:
    """y(t) = integral from `low` to `high` of x(s) h(t - s) ds, by the trapezoidal rule.

    Args:
        x, h: functions of an array of times.
        t: times at which y is wanted, any shape.
        low, high: bounds outside which x is zero or negligible.
        points: of the rule; its error falls with their square where x and h are smooth.
    """
    t = numbers(t, "t")
    s = np.linspace(number(low, "low", -np.inf), number(high, "high", low, above=True), count(points, "points", 2))
    return np.asarray(np.trapezoid(x(s) * h(t[..., np.newaxis] - s), s, axis=-1))


METHOD = convolve
