"""What translators of pictures share: a critic of patches, a normalised convolution, and which pictures they take."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, layers, ops

from maquette.errors import InputError
from maquette.layers.instance_normalization import InstanceNormalization


def narrow() -> Any:
    """The kernels that these networks start from: N(0, 0.02)."""
    return initializers.RandomNormal(0, 0.02)


def normed(layer: Any, x: Any) -> Any:
    """A layer without bias, then instance normalisation with its shift."""
    return InstanceNormalization(name=f"{layer.name}_norm")(layer(x))


def patch_critic(name: str, channels: int, filters: Sequence[int]) -> keras.Model:
    """(batch, height, width, channels) of any sides -> an answer for every place, (batch, rows, columns, 1).

    4 x 4 convolutions: of stride 2 but for the last entry of `filters` and the answers. With (64, 128, 256, 512) an
    answer sees 70 x 70 pixels, with (64, 128) 16 x 16.
    """
    x = start = keras.Input((None, None, channels))
    for i, maps in enumerate(filters, 1):
        stride = 1 if i == len(filters) else 2
        settings: Any = {"padding": "same", "kernel_initializer": narrow(), "name": f"{name}_{i}"}
        layer = layers.Conv2D(maps, 4, stride, use_bias=i == 1, **settings)
        x = layers.LeakyReLU(0.2, name=f"{name}_relu_{i}")(layer(x) if i == 1 else normed(layer, x))
    answer = layers.Conv2D(1, 4, padding="same", kernel_initializer=narrow(), dtype="float32", name=f"{name}_answer")
    return keras.Model(start, answer(x), name=name)


def check_pairs(kind: str, shape: Sequence[Any], halvings: int, least: int) -> None:
    """Raise InputError unless items are pairs of pictures (2, height, width, channels) that can be halved so often."""
    if len(shape) != 4 or shape[0] != 2:
        raise InputError(f"{kind} takes pairs of pictures, and not items of shape {tuple(shape)}: see its task")
    height, width = shape[1:3]
    size = 2**halvings
    if height % size or width % size or min(height, width) < least:
        often = "once" if halvings == 1 else f"{halvings} times"
        remedy = f"set inputs.size to a multiple of {size} from {max(least, size)} on"
        raise InputError(f"{height}x{width} pixels: {kind} halves the sides {often}; {remedy}")


def apart(x: Any, y: Any) -> Any:
    """The mean absolute difference, a number."""
    return ops.mean(ops.abs(ops.cast(x, "float32") - ops.cast(y, "float32")))
