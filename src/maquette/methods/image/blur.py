"""Blur as a camera makes it: a shaken hand or a lens out of focus, convolved with the scene.

    motion     h = 1 / length along a line of `length` pixels at `angle`, counter-clockwise from the right
    defocus    h = 1 / (pi radius^2) on a disc

Such a kernel is the point spread function, the picture of a single star: the impulse response of the camera. Its
weights sum to 1, pixels that the line or disc covers in part count by the part. `identify` measures one from two
pictures, `deconvolve` in `maquette.methods.image.wiener` takes it back.

Real blur often differs from place to place, which no single kernel describes.

Source: Gonzalez, Woods (2018), "Digital image processing", 4th edition, section 5.6.

Example:
    >>> from maquette.methods.image.blur import motion_kernel
    >>> motion_kernel(3).round(4).tolist()
    [[0.0, 0.0, 0.0], [0.3333, 0.3333, 0.3333], [0.0, 0.0, 0.0]]
"""

from typing import Any

import numpy as np

from maquette.methods.image.linear_filter import linear_filter
from maquette.methods.image.pictures import check_window
from maquette.methods.signal.signals import choice, number

FINE = 16  # parts of a pixel along each axis, by which the share that is covered is counted


def blur(
    picture: Any,
    kind: str = "motion",
    length: float = 15.0,
    angle: float = 0.0,
    radius: float = 4.0,
    border: str = "reflect",
    value: float = 0.0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> blurred picture, of the same type and, unless the border is "valid", the same size.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        kind: motion or defocus.
        length, angle: of a motion, in pixels and degrees.
        radius: of defocus, in pixels.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an unknown kind, a length below 1, or a kernel larger than the picture.
    """
    motion = choice(kind, "kind", ("motion", "defocus")) == "motion"
    name, reach = ("length", number(length, "length", 1) / 2) if motion else ("radius", number(radius, "radius", 0.5))
    check_window(picture, (2 * _pixels(reach) + 1,) * 2, border, batch, f"{name} {2 * reach if motion else reach:g}")
    kernel = motion_kernel(length, angle) if motion else defocus_kernel(radius)
    return linear_filter(picture, kernel, border, value, batch)


def motion_kernel(length: float, angle: float = 0.0) -> np.ndarray:
    """The kernel of a straight motion, (odd, odd), one pixel wide; `angle` in degrees."""
    length, angle = number(length, "length", 1), np.deg2rad(number(angle, "angle", -np.inf))
    across, up = _grid(length / 2)
    along = across * np.cos(angle) + up * np.sin(angle)
    aside = up * np.cos(angle) - across * np.sin(angle)
    return _covered((np.abs(along) < length / 2) & (np.abs(aside) < 0.5))


def defocus_kernel(radius: float) -> np.ndarray:
    """The kernel of a lens out of focus, (odd, odd): a disc."""
    radius = number(radius, "radius", 0.5)
    across, up = _grid(radius)
    return _covered(across**2 + up**2 < radius**2)


def _pixels(reach: float) -> int:
    """How many pixels beside the middle one a kernel of this reach covers."""
    return int(np.ceil(reach - 0.5))


def _grid(reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of parts of pixels that reach so far from the middle of the middle pixel."""
    pixels = _pixels(reach)
    line = (np.arange((2 * pixels + 1) * FINE) + 0.5) / FINE - pixels - 0.5
    return line[np.newaxis, :], -line[:, np.newaxis]


def _covered(inside: np.ndarray) -> np.ndarray:
    side = len(inside) // FINE
    share = inside.reshape(side, FINE, side, FINE).mean(axis=(1, 3))
    return np.asarray(share / share.sum())


METHOD = blur
