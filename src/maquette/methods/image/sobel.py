"""Sobel filter: smoothed central differences in two directions, and the edges where they are large.

    H_x = (1, 2, 1)^T (1, 0, -1),    H_y = (-1, 0, 1)^T (1, 2, 1)          under convolution, y upwards
    I_x = I * H_x / 8,  I_y = I * H_y / 8,  C = sqrt(I_x^2 + I_y^2)

On a ramp of slope a, C = a; without `normalise` the division by 8 is left out, as SciPy does it. The magnitude turns
with the picture nearly, not exactly. A constant border makes a false bright frame: the default mirrors.

    edges    C > t, with t by Otsu's rule unless given: of all t, the one that splits the values into two classes
             with the largest variance between them, w_0 w_1 (m_0 - m_1)^2

The edges are several pixels wide and broken by noise: `canny` thins and links them.

Source: Sobel, Feldman (1968), "A 3x3 isotropic gradient operator for image processing", as told in Duda, Hart
(1973), section 7.3; Otsu (1979), "A threshold selection method from gray-level histograms".

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.sobel import sobel
    >>> ramp = np.tile(3.0 * np.arange(6), (5, 1))
    >>> sobel(ramp, border="valid")[0].tolist(), sobel(ramp, normalise=False, border="valid")[0].tolist()
    ([3.0, 3.0, 3.0, 3.0], [24.0, 24.0, 24.0, 24.0])
"""

from typing import Any

import numpy as np

from maquette.methods.image.gradients import gradient
from maquette.methods.image.pictures import stack_of
from maquette.methods.signal.signals import number, numbers


def sobel(
    picture: Any,
    part: str = "magnitude",
    normalise: bool = True,
    border: str = "reflect",
    value: float = 0.0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> gradient magnitude or another part, as floats; of the same size unless the border is "valid".

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        part: magnitude, x, y, or direction, in radians counter-clockwise from the right.
        normalise: whether the unit is grey levels per pixel; else eight times that.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an unknown word, a picture below 3 x 3, or NaN.
    """
    return gradient(picture, "sobel", part, normalise, border, value, batch)


def sobel_edges(
    picture: Any, threshold: float | None = None, border: str = "reflect", batch: bool = False
) -> np.ndarray:
    """picture -> bool, True where the magnitude exceeds `threshold` grey levels per pixel.

    Without a threshold Otsu's is taken, of each picture and channel apart.
    """
    strength = sobel(picture, border=border, batch=batch)
    if threshold is not None:
        return strength > number(threshold, "threshold", 0)
    stack = stack_of(strength, batch)
    limits = [[otsu(one[..., c]) for c in range(one.shape[-1])] for one in stack]
    edges = stack > np.array(limits)[:, np.newaxis, np.newaxis]
    return edges.reshape(strength.shape)


def otsu(x: Any, bins: int = 256) -> float:
    """The threshold of the values x, any shape, by Otsu's rule: the centre of a bin of their histogram.

    >>> 1.9 < otsu([0, 1, 2, 10, 11, 12]) < 10
    True
    """
    x = numbers(x, "x")
    if x.min() == x.max():
        return float(x.max())
    heights, ends = np.histogram(x, bins)
    centres = (ends[:-1] + ends[1:]) / 2
    below, above = np.cumsum(heights), np.cumsum(heights[::-1])[::-1]
    mean_below = np.cumsum(heights * centres) / below
    mean_above = np.cumsum((heights * centres)[::-1])[::-1] / above
    between = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2.0
    return float(centres[between.argmax()])


METHOD = sobel
