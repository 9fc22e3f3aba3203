"""Mean filter: each pixel becomes the average of the window around it, against Gaussian noise.

    y(i, j) = 1 / (h w) sum over the h x w window of x     h = w = size, or size = (h, w)

The weights sum to 1, so a constant picture stays. Independent noise of variance s^2 comes out with s^2 / (h w); the
price is blur. The window is a product of two lines and runs as two running sums, at a cost that does not grow with
its size.

It smears edges, and its square window leaves streaks that a Gaussian does not; single wild pixels are spread, not
removed: take `median_filter` for those.

Source: Gonzalez, Woods (2018), "Digital image processing", 4th edition, section 3.5.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.mean_filter import mean_filter
    >>> mean_filter(np.array([[0, 0, 0], [0, 90, 0], [0, 0, 0]], "uint8"))[1].tolist()
    [10, 10, 10]
"""

from typing import Any

import numpy as np

from maquette.methods.image.pictures import AXES, Sides, apply, check_window, cropped, mode_of, odd_size


def mean_filter(
    picture: Any, size: Sides = 3, border: str = "reflect", value: float = 0.0, batch: bool = False
) -> np.ndarray:
    """picture -> local means, of the same type and, unless the border is "valid", the same size.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        size: of the window, odd, or (height, width).
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an even size, one larger than the picture, or NaN.
    """
    window = odd_size(size)
    check_window(picture, window, border, batch)
    return apply(lambda stack: local_mean(stack, window, border, value), picture, batch)


def local_mean(stack: np.ndarray, window: tuple[int, int], border: str, value: float = 0.0) -> np.ndarray:
    """Stack (n, height, width, channels) -> means over windows of (height, width)."""
    from scipy import ndimage

    for axis, side in zip(AXES, window, strict=True):
        stack = ndimage.uniform_filter1d(stack, side, axis, **mode_of(border, value))
    return cropped(stack, (window[0] // 2, window[1] // 2), border)


METHOD = mean_filter
