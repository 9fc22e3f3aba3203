"""Convolution layer, forward and backward by hand, on one, two or three axes.

    y[n, i, o] = b[o] + sum_{k, c} w[k, c, o] x[n, i S + k D - P, c]        i, k run over all axes; zeros beyond x

    dL/db[o]       = sum_{n, i} delta[n, i, o]                              delta = dL/dy
    dL/dw[k, c, o] = sum_{n, i} delta[n, i, o] x[n, i S + k D - P, c]       the correlation of x with delta
    dL/dx[n, j, c] = sum of delta[n, i, o] w[k, c, o] over the i, k with i S + k D - P = j

The sum is a correlation, as in all frameworks; since w is learned, turning it changes nothing. With the kernel turned
(a true convolution) dL/dw comes out turned as well. For S = D = 1 dL/dx is the full convolution of delta with w. The
map from delta to dL/dx is the adjoint of the layer, <y(x), delta> = <x, dL/dx>, and is what a transposed convolution
computes. With G groups the channels and maps are split, and each map sees its own group of channels.

It unrolls x into windows, so it takes the memory of x times the taps: for checking and for reading, not for training.

Source: LeCun et al. (1998), "Gradient-based learning applied to document recognition", section II; Dumoulin, Visin
(2016), "A guide to convolution arithmetic for deep learning", section 4.

Example:
    >>> import numpy as np
    >>> from maquette.methods.network.convolution_layer import convolution_gradients, convolution_layer
    >>> x, w = np.arange(9.0).reshape(1, 3, 3, 1), np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(2, 2, 1, 1)
    >>> convolution_layer(x, w).squeeze().tolist()
    [[27.0, 37.0], [57.0, 67.0]]
    >>> slopes = convolution_gradients(x, w, np.ones((1, 2, 2, 1)))
    >>> slopes.w.squeeze().tolist(), slopes.x.squeeze().tolist()
    ([[8.0, 12.0], [20.0, 24.0]], [[1.0, 3.0, 2.0], [4.0, 10.0, 6.0], [3.0, 7.0, 4.0]])
"""

from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.windows import Windows
from maquette.methods.signal.signals import count, numbers


class Gradients(NamedTuple):
    """dL/dx, dL/dw and dL/db, of the shapes of x, w and b."""

    x: np.ndarray
    w: np.ndarray
    b: np.ndarray


def convolution_layer(
    x: Any, w: Any, b: Any = 0.0, stride: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1
) -> np.ndarray:
    """Input and weights -> feature maps (n, places..., maps).

    Args:
        x: (n, length..., channels), one to three lengths.
        w: (taps..., channels / groups, maps).
        b: (maps,), or one number for all.
        stride, dilation: of every axis, or a list with one for each.
        padding: "valid", "same", the zeros at each end, a pair (before, after), or a list with one of them per axis.
        groups: G.

    Raises:
        InputError: for shapes that do not fit, naming the argument.
    """
    x, w, windows = _checked(x, w, stride, padding, dilation, groups)
    columns = _columns(windows.look(x), windows, groups)
    y = np.einsum("mgk,gko->mgo", columns, _kernels(w, groups), optimize=True)
    return y.reshape(len(x), *windows.lengths, w.shape[-1]) + np.asarray(b, float)


def convolution_gradients(
    x: Any, w: Any, delta: Any, stride: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1
) -> Gradients:
    """The gradients of a loss from delta = dL/dy, (n, places..., maps); arguments as for `convolution_layer`."""
    x, w, windows = _checked(x, w, stride, padding, dilation, groups)
    expected = (len(x), *windows.lengths, w.shape[-1])
    delta = numbers(delta, "delta").astype(float)
    if delta.shape != expected:
        raise InputError(f"delta has the shape {delta.shape}: the layer's output has {expected}")
    back = delta.reshape(-1, groups, w.shape[-1] // groups)
    columns = _columns(windows.look(x), windows, groups)
    slopes = np.einsum("mgk,mgo->gko", columns, back, optimize=True)
    parts = np.einsum("mgo,gko->mgk", back, _kernels(w, groups), optimize=True)
    parts = parts.reshape(len(x), *windows.lengths, x.shape[-1], *windows.size)
    return Gradients(windows.put_back(parts), _turned_back(slopes, w.shape), back.sum(axis=0).reshape(-1))


def _checked(
    x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[np.ndarray, np.ndarray, Windows]:
    x, w = numbers(x, "x").astype(float), numbers(w, "w").astype(float)
    if w.ndim < 3 or x.ndim != w.ndim:
        raise InputError(
            f"x has {x.ndim} axes and w {w.ndim}: give (n, length..., channels), (taps..., channels, maps)"
        )
    if x.shape[-1] != w.shape[-2] * count(groups, "groups") or w.shape[-1] % groups:
        raise InputError(f"w has the shape {w.shape}: it does not fit {x.shape[-1]} channels in {groups} groups")
    return x, w, Windows(x.shape, w.shape[:-2], stride, padding, dilation)


def _columns(seen: np.ndarray, windows: Windows, groups: int) -> np.ndarray:
    """Windows (n, places..., channels, size...) as rows: (n places, groups, channels size / groups)."""
    return seen.reshape(len(seen) * int(np.prod(windows.lengths)), groups, -1)


def _kernels(w: np.ndarray, groups: int) -> np.ndarray:
    """w as one matrix per group: (groups, channels size / groups, maps / groups)."""
    taps = np.moveaxis(w, -2, 0).reshape(-1, groups, w.shape[-1] // groups)  # (channels / groups size, g, o)
    return np.swapaxes(taps, 0, 1)


def _turned_back(matrices: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `_kernels`."""
    taps = np.swapaxes(matrices, 0, 1).reshape(shape[-2], *shape[:-2], shape[-1])
    return np.moveaxis(taps, 0, -2)


METHOD = convolution_layer
