"""Pooling, forward and backward by hand: the maximum or the mean of each window, channel by channel.

    max       z_i = max_{k in R_i} x_k           dL/dx_k = sum of dL/dz_i over the windows whose maximum is at k
    average   z_i = (1 / |R_i|) sum_{R_i} x_k    dL/dx_k = sum of dL/dz_i / |R_i| over the windows that hold k

R_i are the pixels of window i; padded places are no pixels, so they are never a maximum and do not count in |R_i|.
Where a window has its maximum twice, the first one, row by row, gets the gradient. Windows overlap where the stride
is smaller than their size; a pixel then collects from all of them. sum dL/dx = sum dL/dz in every case. (For "same"
averages Keras 3.15 repeats the border on PyTorch, and agrees on TensorFlow and JAX.)

Halving both sides leaves a quarter of the area. A shift by a multiple of the stride shifts the output; a smaller one
leaves a maximum alone only as long as it stays in its window.

Source: LeCun et al. (1998), "Gradient-based learning applied to document recognition", section II.A; Krizhevsky,
Sutskever, Hinton (2012), "ImageNet classification with deep convolutional neural networks", section 3.4 (overlap).

Example:
    >>> import numpy as np
    >>> from maquette.methods.network.pooling import pool, pool_gradient
    >>> x = np.array([[1.0, 5.0], [2.0, 3.0]]).reshape(1, 2, 2, 1)
    >>> pool(x).item(), pool(x, kind="average").item()
    (5.0, 2.75)
    >>> pool_gradient(x, [[[[8.0]]]]).squeeze().tolist()
    [[0.0, 8.0], [0.0, 0.0]]
    >>> pool_gradient(x, [[[[8.0]]]], kind="average").squeeze().tolist()
    [[2.0, 2.0], [2.0, 2.0]]
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.windows import Windows, per_axis
from maquette.methods.signal.signals import choice, numbers

KINDS = ("max", "average")


def pool(x: Any, size: Any = 2, stride: Any = None, padding: Any = "valid", kind: str = "max") -> np.ndarray:
    """x: (n, length..., channels) -> (n, places..., channels).

    Args:
        x: one, two or three lengths.
        size: of the window on every axis, or one for each.
        stride: the same; without it the size, so that windows do not overlap.
        padding: as for `convolution_layer`.
        kind: max or average.

    Raises:
        InputError: for sizes that do not fit, or an unknown kind.
    """
    x, windows = _checked(x, size, stride, padding, kind)
    taps = tuple(range(-len(windows.size), 0))
    if kind == "max":
        return windows.look(x, -np.inf).max(axis=taps)
    return windows.look(x).sum(axis=taps) / _pixels(x, windows)


def pool_gradient(
    x: Any, delta: Any, size: Any = 2, stride: Any = None, padding: Any = "valid", kind: str = "max"
) -> np.ndarray:
    """dL/dx, of the shape of x, from delta = dL/dz: (n, places..., channels); arguments as for `pool`."""
    x, windows = _checked(x, size, stride, padding, kind)
    expected = (len(x), *windows.lengths, x.shape[-1])
    delta = numbers(delta, "delta").astype(float)
    if delta.shape != expected:
        raise InputError(f"delta has the shape {delta.shape}: the output of the pooling has {expected}")
    if kind == "average":
        share = delta / _pixels(x, windows)
        return windows.put_back(np.broadcast_to(np.expand_dims(share, _behind(windows)), (*expected, *windows.size)))
    flat = windows.look(x, -np.inf).reshape(*expected, -1)
    chosen = np.arange(flat.shape[-1]) == flat.argmax(axis=-1)[..., np.newaxis]
    return windows.put_back((chosen * delta[..., np.newaxis]).reshape(*expected, *windows.size))


def _checked(x: Any, size: Any, stride: Any, padding: Any, kind: str) -> tuple[np.ndarray, Windows]:
    x = numbers(x, "x").astype(float)
    choice(kind, "kind", KINDS)
    if x.ndim < 3:
        raise InputError(f"x has the shape {x.shape}: give (n, length..., channels)")
    size = per_axis(size, x.ndim - 2, "size")
    return x, Windows(x.shape, size, size if stride is None else stride, padding)


def _behind(windows: Windows) -> tuple[int, ...]:
    return tuple(range(-len(windows.size), 0))


def _pixels(x: np.ndarray, windows: Windows) -> np.ndarray:
    """|R_i| of every window: (1, places..., 1)."""
    one = np.ones((1, *x.shape[1:-1], 1))
    return windows.look(one).sum(axis=_behind(windows))


METHOD = pool
