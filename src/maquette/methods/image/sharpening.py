"""Sharpening by unsharp masking: the fine detail that a blur takes away is added once more.

    high(x) = x - g_sigma * x                     `high_frequencies`: 0 for a constant picture
    y       = x + amount high(x)                  where |high(x)| > threshold, else y = x

g_sigma is the Gaussian of sum 1, so a constant picture stays: with weights of sum S instead, "detail" would be
(1 - S) x, and the result would be scaled by 1 + amount (1 - S). Edges overshoot by an amount that grows with
`amount`; integers are clipped to their range, floats are not.

    laplacian       `sharpen_laplacian`: y = x - amount (sum of the four neighbours - 4 x)
    sharpness       `sharpness`: mean squared gradient, to compare versions of one picture without a reference

Noise is detail too and is amplified: smooth it first, or raise `threshold`.

Source: Gonzalez, Woods (2018), "Digital image processing", 4th edition, section 3.6.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.sharpening import sharpen
    >>> edge = np.repeat([[10.0] * 8 + [20.0] * 8], 16, axis=0)
    >>> sharpened = sharpen(edge, amount=1.0, sigma=1.0)
    >>> round(float(sharpened.max()), 2), bool(np.isclose(sharpened[0, 0], 10))
    (23.01, True)
"""

from typing import Any

import numpy as np

from maquette.methods.image.gaussian_filter import Sigma, blurred, radius_of, sigmas_of
from maquette.methods.image.linear_filter import KERNELS
from maquette.methods.image.pictures import apply, check_window, cropped, one_pass, stack_of
from maquette.methods.signal.signals import number


def sharpen(
    picture: Any,
    amount: float = 1.0,
    sigma: Sigma = 1.5,
    threshold: float = 0.0,
    border: str = "reflect",
    value: float = 0.0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> sharpened picture, of the same type and, unless the border is "valid", the same size.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        amount: how much of the detail is added; 0 changes nothing.
        sigma: of the blur, in pixels: detail finer than this is sharpened.
        threshold: detail of at most this many grey levels is left alone.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for a negative number, a sigma whose window is larger than the picture, or NaN.
    """
    amount, threshold = number(amount, "amount", 0), number(threshold, "threshold", 0)
    radius = _radius(picture, sigma, border, batch)

    def add(stack: np.ndarray) -> np.ndarray:
        detail = _high(stack, sigma, border, value)
        return cropped(stack, radius, border) + amount * np.where(np.abs(detail) > threshold, detail, 0)

    return apply(add, picture, batch)


def high_frequencies(
    picture: Any, sigma: Sigma = 1.5, border: str = "reflect", value: float = 0.0, batch: bool = False
) -> np.ndarray:
    """picture -> picture - its blur, as floats, which may be negative; arguments as for `sharpen`."""
    _radius(picture, sigma, border, batch)
    return apply(lambda stack: _high(stack, sigma, border, value), picture, batch, keep=False)


def _radius(picture: Any, sigma: Sigma, border: str, batch: bool) -> list[int]:
    radius = [radius_of(s) for s in sigmas_of(sigma)]
    check_window(picture, [2 * r + 1 for r in radius], border, batch, f"sigma {sigma}")
    return radius


def _high(stack: np.ndarray, sigma: Sigma, border: str, value: float) -> np.ndarray:
    sigmas = sigmas_of(sigma)
    radius = [radius_of(s) for s in sigmas]
    return cropped(stack, radius, border) - blurred(stack, sigmas, 4.0, border, value)


def sharpen_laplacian(picture: Any, amount: float = 1.0, border: str = "reflect", batch: bool = False) -> np.ndarray:
    """picture -> picture - amount * Laplacian, of the same type; its finest detail is sharpened most."""
    kernel = np.array(KERNELS["identity"]) - number(amount, "amount", 0) * np.array(KERNELS["laplacian"], float)
    check_window(picture, (3, 3), border, batch, "picture")
    return apply(lambda stack: one_pass(stack, kernel, border), picture, batch)


def sharpness(picture: Any, batch: bool = False) -> float | np.ndarray:
    """Mean squared central difference, in grey levels per pixel squared; (n,) for a batch.

    >>> sharpness([[0, 2, 4], [0, 2, 4], [0, 2, 4]])
    4.0
    """
    stack = stack_of(picture, batch).astype(float)
    check_window(picture, (3, 3), "valid", batch, "picture")
    across, down = np.gradient(stack, axis=(2, 1))
    energy = (across**2 + down**2)[:, 1:-1, 1:-1].mean(axis=(1, 2, 3))
    return energy if batch else float(energy[0])


METHOD = sharpen
