"""Gradient filters: the slope of the grey levels along x, to the right, and y, upwards.

    forward     x(i + 1) - x(i)            kernel (1, -1, 0)       error O(h)
    backward    x(i) - x(i - 1)            kernel (0, 1, -1)       error O(h)
    central     (x(i + 1) - x(i - 1)) / 2  kernel (1, 0, -1) / 2   error O(h^2)
    prewitt, sobel, scharr                 central, averaged over three rows by (1, 1, 1) / 3, (1, 2, 1) / 4,
                                           (3, 10, 3) / 16
    roberts     differences along both diagonals of 2 x 2 pixels, right and up, left and up, in place of x and y

    I_x = I * H,  I_y = I * (H turned by 90 degrees),  magnitude = sqrt(I_x^2 + I_y^2),  direction = atan2(I_y, I_x)

Convolution turns its kernel by 180 degrees, so (0, 1, -1) is the backward difference and (1, -1, 0) the forward one.
With `normalise` the result is a derivative in grey levels per pixel; without, the kernels are whole numbers, and a
central difference is twice the derivative, a Sobel filter eight times. Of a row index that grows downwards, I_y is
minus the derivative.

Differences amplify noise: smooth first, as Sobel and Canny do.

Source: Gonzalez, Woods (2018), "Digital image processing", 4th edition, section 10.2; Prewitt (1970); Scharr
(2000), "Optimale Operatoren in der digitalen Bildverarbeitung"; Marr, Hildreth (1980) for the Laplacian of Gaussian.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.gradients import gradient
    >>> ramp = np.tile(3.0 * np.arange(6), (5, 1))
    >>> gradient(ramp, "central", part="x")[2].tolist()
    [1.5, 3.0, 3.0, 3.0, 3.0, 1.5]
"""

from typing import Any

import numpy as np

from maquette.methods.image.gaussian_filter import Sigma, blurred, radius_of, sigmas_of
from maquette.methods.image.linear_filter import KERNELS
from maquette.methods.image.pictures import apply, check_window, cropped, one_pass
from maquette.methods.signal.signals import choice

# Kernel of I_x under convolution, and how many times the derivative it gives.
SCHEMES: dict[str, tuple[list[list[int]], float]] = {
    "forward": ([[0, 0, 0], [1, -1, 0], [0, 0, 0]], 1),
    "backward": ([[0, 0, 0], [0, 1, -1], [0, 0, 0]], 1),
    "central": ([[0, 0, 0], [1, 0, -1], [0, 0, 0]], 2),
    "prewitt": ([[1, 0, -1], [1, 0, -1], [1, 0, -1]], 6),
    "sobel": ([[1, 0, -1], [2, 0, -2], [1, 0, -1]], 8),
    "scharr": ([[3, 0, -3], [10, 0, -10], [3, 0, -3]], 32),
    "roberts": ([[0, -1, 0], [1, 0, 0], [0, 0, 0]], 2**0.5),
}
# Both diagonals of Roberts's cross join the same four pixels, so the second is no turn about a pixel of the first.
ROBERTS_UP = [[-1, 0, 0], [0, 1, 0], [0, 0, 0]]
PARTS = ("magnitude", "x", "y", "direction")


def gradient(
    picture: Any,
    scheme: str = "central",
    part: str = "magnitude",
    normalise: bool = True,
    border: str = "reflect",
    value: float = 0.0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> a part of its gradient, as floats; of the same size unless the border is "valid".

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        scheme: one of `SCHEMES`.
        part: magnitude, x, y, or direction, in radians from -pi to pi, counter-clockwise from the right.
        normalise: whether the unit is grey levels per pixel.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an unknown word, a picture below 3 x 3, or NaN.
    """
    choice(scheme, "scheme", list(SCHEMES))
    choice(part, "part", PARTS)
    check_window(picture, (3, 3), border, batch, f"scheme {scheme}")
    return apply(lambda s: part_of(*slopes(s, scheme, normalise, border, value), part), picture, batch, keep=False)


def slopes(
    stack: np.ndarray, scheme: str, normalise: bool = True, border: str = "reflect", value: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Stack (n, height, width, channels) -> I_x and I_y of the same shape."""
    kernel, scale = SCHEMES[scheme]
    across = np.array(kernel, float) / (scale if normalise else 1)
    # A quarter turn counter-clockwise takes right into up.
    up = np.array(ROBERTS_UP) / (scale if normalise else 1) if scheme == "roberts" else np.rot90(across)
    return one_pass(stack, across, border, value), one_pass(stack, up, border, value)


def part_of(across: np.ndarray, up: np.ndarray, part: str) -> np.ndarray:
    """The part of a gradient whose components are given."""
    if part in ("x", "y"):
        return across if part == "x" else up
    return np.hypot(across, up) if part == "magnitude" else np.arctan2(up, across)


def laplacian(picture: Any, sigma: Sigma = 0.0, border: str = "reflect", batch: bool = False) -> np.ndarray:
    """picture -> sum of its second derivatives after a Gaussian blur of `sigma` (LoG), as floats.

    Edges are where it changes sign. A constant or linear picture gives 0.
    """
    sigmas = sigmas_of(sigma)
    radius = [radius_of(s) for s in sigmas]
    check_window(picture, [2 * r + 3 for r in radius], border, batch, f"sigma {sigma}")
    kernel, inner = np.array(KERNELS["laplacian"], float), "nearest" if border == "valid" else border

    def second(stack: np.ndarray) -> np.ndarray:
        return cropped(one_pass(blurred(stack, sigmas, 4.0, inner), kernel, inner), [r + 1 for r in radius], border)

    return apply(second, picture, batch, keep=False)


METHOD = gradient
