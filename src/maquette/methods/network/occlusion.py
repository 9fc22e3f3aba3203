"""Occlusion map: how much a class loses when a patch of the picture is covered.

    m(u) = mean over the patches R that cover pixel u of  p_c(x) - p_c(x with R covered)

Positive where the picture speaks for class c, negative where it speaks against it. It asks the model alone and needs
no gradient, but one answer for every patch. What a patch is covered with matters: a grey square is itself a picture
the model has never seen, and an object larger than the patch is never gone as a whole.

Source: Zeiler, Fergus (2014), "Visualizing and understanding convolutional networks", section 4.2.

Example:
    >>> import numpy as np
    >>> from maquette.methods.network.occlusion import occlusion
    >>> x = np.zeros((1, 4, 4, 1)); x[0, 1, 2] = 1.0
    >>> bright = lambda x: np.stack([x.max(axis=(1, 2, 3)), 1 - x.max(axis=(1, 2, 3))], axis=1)
    >>> occlusion(bright, x, [0], size=2, stride=1)[0].round(2).tolist()
    [[0.0, 0.5, 1.0, 1.0], [0.0, 0.5, 1.0, 1.0], [0.0, 0.25, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.windows import per_axis
from maquette.methods.signal.signals import count, numbers


def occlusion(
    predict: Callable[[np.ndarray], Any],
    x: Any,
    classes: Any,
    size: Any = 4,
    stride: Any = 1,
    value: Any = 0.0,
    batch_size: int = 1000,
) -> np.ndarray:
    """Pictures and the class asked about in each -> maps (n, height, width) of what covering a pixel takes from it.

    Args:
        predict: pictures (n, height, width, channels) -> class probabilities (n, classes).
        x: pictures as the model takes them.
        classes: (n,), whole numbers.
        size: of the patch, height and width or one number.
        stride: from one patch to the next; the last ones are moved in so that every pixel is covered.
        value: that covers: one number, (channels,), or any array that broadcasts against a picture.
        batch_size: pictures in one question.

    Raises:
        InputError: for a patch larger than the picture, or other than one class per picture.
    """
    x, classes = numbers(x, "x", 4), numbers(classes, "classes", 1).astype(int)
    if len(classes) != len(x):
        raise InputError(f"classes has {len(classes)} entries: give one for each of {len(x)} pictures")
    height, width = x.shape[1:3]
    patch, steps = per_axis(size, 2, "size"), per_axis(stride, 2, "stride")
    if patch[0] > height or patch[1] > width:
        raise InputError(f"size {patch[0]} x {patch[1]}: the pictures have {height} x {width}; take a smaller patch")
    patches = _patches((height, width), patch, steps)  # (patches, height, width)
    covered = np.where(patches[:, np.newaxis, ..., np.newaxis], np.asarray(value, x.dtype), x)
    asked = np.concatenate([x, covered.reshape(-1, *x.shape[1:])])
    step = count(batch_size, "batch_size")
    answers = np.concatenate([np.asarray(predict(asked[i : i + step])) for i in range(0, len(asked), step)])
    chance = answers[np.arange(len(answers)), np.tile(classes, 1 + len(patches))].reshape(1 + len(patches), -1)
    drop = chance[0] - chance[1:]  # (patches, n)
    return np.einsum("pn,phw->nhw", drop, patches) / patches.sum(axis=0)


def _patches(shape: tuple[int, int], size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """All patches as masks, bool (patches, height, width)."""
    rows, columns = (_cover(n, k, s) for n, k, s in zip(shape, size, stride))
    return (rows[:, np.newaxis, :, np.newaxis] & columns[np.newaxis, :, np.newaxis]).reshape(-1, *shape)


def _cover(length: int, size: int, stride: int) -> np.ndarray:
    """The windows along one axis as masks, bool (windows, length), the last one flush with the end."""
    starts = np.unique([*range(0, length - size, stride), length - size])[:, np.newaxis]
    places = np.arange(length)
    return (places >= starts) & (places < starts + size)


METHOD = occlusion
