"""Equivariance and invariance under shifts: how far a function is from one that moves, or keeps still, with its input.

    equivariant   f(T x) = T' f(x)      T shifts the input by t pixels, T' the output by t / S for a total stride S
    invariant     f(T x) = f(x)

    error         || f(T x) - T' f(x) || / || f(x) ||       0 if and only if it holds for this x and this shift

A convolution with circular borders has the error 0 for every shift; with zeros around, only inside, where the border
is out of sight (`margin`); with a stride S, only for multiples of S. Max pooling is invariant as long as the maximum
stays in its window, and not otherwise. A classifier that ends in dense layers is neither: `agreement` measures how
often it keeps its answer.

The 3 x 3 block of ones over the upper left block of the 5 x 5 example below answers 514 in the middle of the block;
at the corner, where zeros are taken for what lies beyond, it answers 183. Both move along with the picture.

Source: Goodfellow, Bengio, Courville (2016), "Deep learning", sections 9.2 and 9.3; Zhang (2019), "Making
convolutional networks shift-invariant again", section 4.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.linear_filter import linear_filter
    >>> from maquette.methods.network.equivariance import equivariance_error, shifted
    >>> x = np.random.RandomState(0).randint(0, 100, (5, 5))
    >>> answer = linear_filter(x, np.ones((3, 3)), border="constant")
    >>> int(answer[1, 1]), int(answer[0, 0])
    (514, 183)
    >>> wide = np.random.default_rng(0).normal(size=(1, 8, 8, 1))
    >>> circular = lambda x: linear_filter(x, np.ones((3, 3)), border="wrap", batch=True)
    >>> equivariance_error(circular, wide, (2, 1), border="wrap") < 1e-12
    True
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import count, numbers, padded

DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def shifted(x: Any, shift: tuple[int, int], border: str = "constant", value: float = 0.0) -> np.ndarray:
    """Pictures (n, height, width, channels) moved down and right by `shift`, up and left where it is negative.

    What comes in is taken from the border: constant, wrap, nearest, reflect or mirror.
    """
    x = numbers(x, "x", 4)
    down, right = (int(step) for step in shift)
    widths = [(0, 0), *((max(step, 0), max(-step, 0)) for step in (down, right)), (0, 0)]
    wide = padded(x, widths, border, value)
    return wide[:, max(-down, 0) :, max(-right, 0) :][:, : x.shape[1], : x.shape[2]]


def equivariance_error(
    function: Callable[[np.ndarray], Any],
    x: Any,
    shift: tuple[int, int],
    stride: int = 1,
    border: str = "constant",
    margin: int = 0,
) -> float:
    """|| f(T x) - T' f(x) || / || f(x) ||, away from the rim.

    Args:
        function: pictures (n, height, width, channels) -> feature maps (n, rows, columns, maps).
        x: pictures.
        shift: of T, down and right.
        stride: S, pixels from one place of a feature map to the next; for a shift that is no multiple of it T' moves
            by the whole places in it, and the error says what is lost.
        border: what T and T' move in.
        margin: rows and columns of the feature maps left out at each side, besides those that T' moved in.

    Raises:
        InputError: if nothing is left inside the margin, or the maps are 0 there.
    """
    before, after = np.asarray(function(numbers(x, "x", 4))), np.asarray(function(shifted(x, shift, border)))
    places = int(shift[0] / count(stride, "stride")), int(shift[1] / stride)
    new = [0 if border == "wrap" else step for step in places]  # places that T' moved in
    rim = count(margin, "margin", 0)
    inside = tuple(slice(rim + max(p, 0), n - rim + min(p, 0)) for p, n in zip(new, before.shape[1:3]))
    wanted, got = shifted(before, places, border)[:, *inside], after[:, *inside]
    size = np.linalg.norm(wanted)
    if not size:
        raise InputError(f"margin {margin}: the feature maps have nothing but zeros inside; take a smaller one")
    return float(np.linalg.norm(got - wanted) / size)


def invariance_error(
    function: Callable[[np.ndarray], Any], x: Any, shift: tuple[int, int], border: str = "constant"
) -> float:
    """|| f(T x) - f(x) || / || f(x) || of any function of pictures."""
    before, after = np.asarray(function(numbers(x, "x", 4))), np.asarray(function(shifted(x, shift, border)))
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def agreement(
    predict: Callable[[np.ndarray], Any], x: Any, pixels: int, border: str = "constant", value: float = 0.0
) -> float:
    """The share of pictures and of eight directions in which a shift by `pixels` leaves the most probable class.

    Args:
        predict: pictures (n, height, width, channels) -> class probabilities or logits (n, classes).
        x: pictures.
        pixels: of the shift, along the axes and the diagonals; 0 gives 1.
        border, value: what comes in.
    """
    x, pixels = numbers(x, "x", 4), count(pixels, "pixels", 0)
    before = np.asarray(predict(x)).argmax(axis=1)
    moved = [shifted(x, (pixels * i, pixels * j), border, value) for i, j in DIRECTIONS]
    return float(np.mean([np.asarray(predict(one)).argmax(axis=1) == before for one in moved]))


METHOD = equivariance_error
