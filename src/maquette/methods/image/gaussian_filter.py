"""Gaussian filter: an average whose weights fall off like a bell, the smoothest way to take fine detail away.

    h(k) = exp(-k^2 / (2 sigma^2)) / sum_j exp(-j^2 / (2 sigma^2)),    |k|, |j| <= radius = round(truncate sigma)
    y    = x * (h_y h_x^T)                                            two passes, one along each axis

The weights sum to 1, so a constant picture stays; sigma_1 and then sigma_2 is sigma = sqrt(sigma_1^2 + sigma_2^2);
in one dimension no new extremum appears. The window is odd and centred, so nothing moves: an unnormalised kernel
would scale the picture by its sum (31.4 for exp(-r^2 / 10) on 20 x 20), an even one would move it by half a pixel
or a whole one.

Edges blur along with the noise. Below sigma = 0.5 the sampled bell is no longer one.

Source: Marr, Hildreth (1980), "Theory of edge detection"; Witkin (1983), "Scale-space filtering"; Burt, Adelson
(1983), "The Laplacian pyramid as a compact image code".

Example:
    >>> from maquette.methods.image.gaussian_filter import gaussian_kernel
    >>> gaussian_kernel(1.0, truncate=2).round(4).tolist()
    [0.0545, 0.2442, 0.4026, 0.2442, 0.0545]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.pictures import AXES, apply, check_window, cropped, mode_of, stack_of
from maquette.methods.signal.signals import count, number

Sigma = float | Sequence[float]


def gaussian_filter(
    picture: Any,
    sigma: Sigma = 2.0,
    truncate: float = 4.0,
    border: str = "reflect",
    value: float = 0.0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> blurred picture, of the same type and, unless the border is "valid", the same size.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        sigma: standard deviation in pixels, or (vertical, horizontal); 0 leaves that axis alone.
        truncate: how many sigma the window reaches to each side.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for a negative sigma, one whose window is larger than the picture, or NaN.
    """
    sigmas = sigmas_of(sigma)
    window = [2 * radius_of(s, truncate) + 1 for s in sigmas]
    check_window(picture, window, border, batch, f"sigma {sigma}")
    return apply(lambda stack: blurred(stack, sigmas, truncate, border, value), picture, batch)


def sigmas_of(sigma: Sigma, name: str = "sigma") -> tuple[float, float]:
    """(vertical, horizontal) from one number or two; raises InputError for a negative one."""
    pair = np.atleast_1d(np.asarray(sigma)).tolist()
    pair = pair * 2 if len(pair) == 1 else pair
    if len(pair) != 2:
        raise InputError(f"{name} {sigma!r}: give one number, or two as (vertical, horizontal)")
    return number(pair[0], name, 0), number(pair[1], name, 0)


def radius_of(sigma: float, truncate: float = 4.0) -> int:
    """How many pixels the window reaches to each side."""
    return int(number(truncate, "truncate", 0, above=True) * sigma + 0.5)


def gaussian_kernel(sigma: float, truncate: float = 4.0) -> np.ndarray:
    """The weights h of one pass, (2 radius + 1,), with sum 1; the kernel of the filter is np.outer(h, h)."""
    radius = radius_of(number(sigma, "sigma", 0), truncate)
    k = np.arange(-radius, radius + 1)
    h = np.exp(-(k**2) / (2 * sigma**2)) if sigma > 0 else np.ones(1)
    return np.asarray(h / h.sum())


def blurred(
    stack: np.ndarray, sigmas: tuple[float, float], truncate: float, border: str, value: float = 0.0
) -> np.ndarray:
    """Stack (n, height, width, channels) -> the same, smoothed along height and width."""
    from scipy import ndimage

    for axis, sigma in zip(AXES, sigmas, strict=True):
        if sigma > 0:
            stack = ndimage.gaussian_filter1d(stack, sigma, axis, truncate=truncate, **mode_of(border, value))
    return cropped(stack, [radius_of(sigma, truncate) for sigma in sigmas], border)


def difference_of_gaussians(
    picture: Any, sigma: float = 1.0, ratio: float = 1.6, border: str = "reflect", batch: bool = False
) -> np.ndarray:
    """picture -> its detail between the scales sigma and ratio sigma, as floats: 0 for a constant picture."""
    narrow, wide = number(sigma, "sigma", 0), number(ratio, "ratio", 1, above=True) * sigma
    check_window(picture, [2 * radius_of(wide) + 1] * 2, border, batch, f"sigma {sigma}")
    if border == "valid":
        raise InputError("border 'valid' gives both scales another size: take another border and crop")

    def difference(stack: np.ndarray) -> np.ndarray:
        return blurred(stack, (narrow, narrow), 4.0, border) - blurred(stack, (wide, wide), 4.0, border)

    return apply(difference, picture, batch, keep=False)


def pyramid(picture: Any, levels: int = 4, sigma: float = 1.0, batch: bool = False) -> list[np.ndarray]:
    """The picture, then each level blurred by `sigma` and halved, until `levels` or until the window does not fit."""
    result, window = [np.asarray(picture)], 2 * radius_of(number(sigma, "sigma", 0, above=True)) + 1
    every_second = np.s_[:, ::2, ::2] if batch else np.s_[::2, ::2]
    for _ in range(count(levels, "levels") - 1):
        if min(stack_of(result[-1], batch).shape[1:3]) < window:
            break
        result.append(gaussian_filter(result[-1], sigma, batch=batch)[every_second])
    return result


METHOD = gaussian_filter
