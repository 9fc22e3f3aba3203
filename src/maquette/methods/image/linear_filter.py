"""Linear filter of a picture by any kernel: the convolution that mean, Gaussian and Sobel filters are cases of.

    y(i, j) = sum_{k, l} h(k, l) x(i - k, j - l)       the origin of h in its middle, h turned by 180 degrees

A kernel is an array or one of `KERNELS`: `identity` gives the picture back exactly; a one beside the middle moves it
that way; weights with sum 1 keep a constant picture; weights with sum 0 take it away. A kernel of rank 1, h = u v^T,
runs as two passes of one dimension; a large one of higher rank runs by the fast Fourier transform.

Linear filters cannot tell an edge from noise: what smooths the one smooths the other (see `median_filter`). Integers
are clipped, so negative results of a kernel with sum 0 are lost: give floats for those.

Source: Gonzalez, Woods (2018), "Digital image processing", 4th edition, sections 3.4 and 3.5.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.linear_filter import linear_filter
    >>> picture = np.arange(1, 50).reshape(7, 7)
    >>> kernel = [[-1, 1, -1], [-2, 3, 1], [2, -4, 0]]
    >>> linear_filter(picture, kernel, border="constant")[0].tolist()
    [-2, -8, -7, -6, -5, -4, 28]
    >>> bool((linear_filter(picture, "identity") == picture).all())
    True
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.pictures import apply, check_window, one_pass, two_passes
from maquette.methods.signal.convolution import convolve
from maquette.methods.signal.signals import choice, numbers

KERNELS = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "mean": [[1 / 9] * 3] * 3,
    "binomial": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "emboss": [[2, 1, 0], [1, 1, -1], [0, -1, -2]],
}
LARGE = 400  # weights, from which on the Fourier transform is faster


def linear_filter(
    picture: Any, kernel: Any = "sharpen", border: str = "reflect", value: float = 0.0, batch: bool = False
) -> np.ndarray:
    """picture -> picture * kernel, of the same type and, unless the border is "valid", the same size.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        kernel: (odd height, odd width), or a name in `KERNELS`.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an even or unknown kernel, one larger than the picture, or NaN.
    """
    h = kernel_of(kernel)
    check_window(picture, h.shape, border, batch, "kernel")
    return apply(lambda stack: filtered(stack, h, border, value), picture, batch)


def kernel_of(kernel: Any) -> np.ndarray:
    """The kernel as float64 (odd height, odd width); raises InputError for an unknown name or an even side."""
    if isinstance(kernel, str):
        return np.array(KERNELS[choice(kernel, "kernel", list(KERNELS))], float)
    h = numbers(kernel, "kernel", 2).astype(float)
    if h.shape[0] % 2 == 0 or h.shape[1] % 2 == 0:
        raise InputError(f"kernel has the shape {h.shape}, which has no middle: pad it with zeros to odd sides")
    return h


def filtered(stack: np.ndarray, kernel: np.ndarray, border: str = "reflect", value: float = 0.0) -> np.ndarray:
    """Stack (n, height, width, channels) -> stack * kernel, in the fastest of three ways."""
    factors = separate(kernel)
    if factors:
        return two_passes(stack, *factors, border, value)
    if kernel.size < LARGE:
        return one_pass(stack, kernel, border, value)
    wide = kernel[np.newaxis, :, :, np.newaxis].astype(stack.dtype)
    return convolve(stack, wide, "same", border, value, "fft")


def separate(kernel: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """column, row with kernel = column row^T, to machine precision, or None if its rank is above 1.

    >>> column, row = separate([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    >>> np.round(np.outer(column, row), 12).tolist()
    [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
    """
    h = np.asarray(kernel, float)
    largest = np.unravel_index(np.abs(h).argmax(), h.shape)
    if h[largest] == 0:
        return None
    # The column and the row through the largest weight span a matrix of rank 1, with fewer roundings than the SVD.
    column, row = h[:, largest[1]], h[largest[0]] / h[largest]
    return (column, row) if np.allclose(np.outer(column, row), h, rtol=0, atol=1e-15 * abs(h[largest])) else None


METHOD = linear_filter
