"""Colour to grey with named weights, the order of channels, and fewer bits per pixel.

    y = w_R R + w_G G + w_B B       rec601   0.299, 0.587, 0.114       television; what most libraries take
                                    rec709   0.2126, 0.7152, 0.0722    screens
                                    mean     1/3 each

A grey picture is a scalar for each pixel, 8 bits or 256 levels, 0 black and 255 white; a colour picture is a vector of
three, 24 bits. The conversion is linear, so it commutes with every linear filter: filter the channels and turn grey,
or turn grey and filter. It does not commute with the median.

Some libraries read files as B, G, R: say so by `order`, or red and blue swap their weights without a warning. The
weights are for values as stored; they give luma, not the physical luminance of a gamma-coded picture.

Source: ITU-R BT.601 (2011), section 2.5.1, and BT.709 (2015), section 3.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.colour import to_grey
    >>> red = np.array([[[255, 0, 0]]], "uint8")
    >>> int(to_grey(red)[0, 0]), int(to_grey(red, order="bgr")[0, 0])
    (76, 29)
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.pictures import apply, stack_of
from maquette.methods.signal.sampling import quantise
from maquette.methods.signal.signals import choice, count

WEIGHTS = {"rec601": (0.299, 0.587, 0.114), "rec709": (0.2126, 0.7152, 0.0722), "mean": (1 / 3, 1 / 3, 1 / 3)}


def to_grey(picture: Any, weights: str = "rec601", order: str = "rgb", batch: bool = False) -> np.ndarray:
    """picture -> grey levels (height, width) of the same type, or (n, height, width, 1) for a batch.

    Args:
        picture: three channels, or one, which is returned as it is.
        weights: rec601, rec709 or mean.
        order: of the channels, rgb or bgr.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for another number of channels.
    """
    w = WEIGHTS[choice(weights, "weights", list(WEIGHTS))]
    w = w if choice(order, "order", ("rgb", "bgr")) == "rgb" else w[::-1]
    channels = stack_of(picture, batch).shape[-1]
    if channels not in (1, 3):
        raise InputError(f"picture has {channels} channels: give 1, or 3 for red, green and blue")
    mix = np.array(w) if channels == 3 else np.ones(1)
    grey = apply(lambda stack: np.tensordot(stack, mix.astype(stack.dtype), 1)[..., np.newaxis], picture, batch)
    return grey if batch or np.ndim(picture) == 2 else grey[..., 0]


def swap_channels(picture: Any, batch: bool = False) -> np.ndarray:
    """picture with its channels in the opposite order: RGB becomes BGR, and BGR RGB."""
    stack_of(picture, batch)
    return np.asarray(picture) if np.ndim(picture) == 2 else np.asarray(picture)[..., ::-1]


def reduce_bits(picture: Any, bits: int = 3, batch: bool = False) -> np.ndarray:
    """picture -> the same with 2^bits levels, spread evenly over the range that is [0, 1] for floats.

    Raises:
        InputError: for bits below 1 or above 16.
    """
    dtype = stack_of(picture, batch).dtype
    if count(bits, "bits") > 16:
        raise InputError(f"bits {bits}: use 1 to 16")
    low, high = (float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)) if dtype.kind in "iu" else (0.0, 1.0)
    delta = (high - low) / 2**bits

    def spread(stack: np.ndarray) -> np.ndarray:
        code = (quantise(stack, bits, low, high) - low) / delta - 0.5
        return (low + code * ((high - low) / (2**bits - 1))).astype(stack.dtype)  # darkest to black, brightest to white

    return apply(spread, picture, batch)


METHOD = to_grey
