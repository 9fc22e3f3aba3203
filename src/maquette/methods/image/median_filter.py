"""Median filter: each pixel becomes the median of the window around it, against salt-and-pepper noise.

    y(i, j) = median {x(k, l): |k - i| <= h // 2, |l - j| <= w // 2}       h = w = size, or size = (h, w)

It is not linear. A single wild pixel vanishes, a straight edge stays where it is, and every rising map g of grey
levels commutes with it: median(g(x)) = g(median(x)). Pixels keep values that occurred, so no type needs rounding.

    adaptive    `adaptive_median_filter` widens the window while its median is itself an extreme, and replaces only
                pixels that are extremes of theirs: it stands denser noise and leaves the others untouched

It rounds corners, removes lines thinner than half the window, and averages Gaussian noise less well than the mean
does (its variance is pi / 2 times as large).

Source: Tukey (1977), "Exploratory data analysis", chapter 7; Hwang, Haddad (1995), "Adaptive median filters: new
algorithms and results", algorithm RAMF.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.median_filter import median_filter
    >>> median_filter(np.array([[5, 5, 9], [5, 255, 9], [5, 5, 9]], "uint8"))[1].tolist()
    [5, 5, 9]
"""

from typing import Any

import numpy as np

from maquette.methods.image.pictures import Sides, apply, check_window, cropped, mode_of, odd_size


def median_filter(
    picture: Any, size: Sides = 3, border: str = "reflect", value: float = 0.0, batch: bool = False
) -> np.ndarray:
    """picture -> local medians, of the same type and, unless the border is "valid", the same size.

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
    return apply(lambda stack: _rank(stack, "median", window, border, value), picture, batch, keep="input")


def _rank(stack: np.ndarray, which: str, window: tuple[int, int], border: str, value: float) -> np.ndarray:
    """The local median, minimum or maximum."""
    from scipy import ndimage

    plain = stack.astype(np.uint8) if stack.dtype == bool else stack
    y = getattr(ndimage, f"{which}_filter")(plain, size=(1, *window, 1), **mode_of(border, value))
    return cropped(y, (window[0] // 2, window[1] // 2), border).astype(stack.dtype)


def adaptive_median_filter(picture: Any, largest: int = 7, border: str = "reflect", batch: bool = False) -> np.ndarray:
    """picture -> its pixels, those that are extremes of their window replaced by its median.

    Args:
        largest: size up to which a window grows from 3 while its median is its minimum or maximum.
        border: reflect, mirror, nearest or wrap.

    Raises:
        InputError: as for `median_filter`.
    """
    window = odd_size(largest, "largest")
    check_window(picture, window, border, batch, "largest")
    inner = "nearest" if border == "valid" else border

    def grow(stack: np.ndarray) -> np.ndarray:
        y, open_ = stack.copy(), np.ones(stack.shape, bool)
        for side in range(3, window[0] + 1, 2):
            low, median, high = (_rank(stack, w, (side, side), inner, 0) for w in ("minimum", "median", "maximum"))
            settled = open_ & (low < median) & (median < high)
            last = open_ & ~settled if side + 2 > window[0] else False
            wild = (settled & ~((low < stack) & (stack < high))) | last
            y, open_ = np.where(wild, median, y), open_ & ~settled
        return cropped(y, (window[0] // 2,) * 2, border)

    return apply(grow, picture, batch, keep="input")


METHOD = median_filter
