"""Copies the weights of a Keras model, such as one of `keras.applications`, into a network of the same graph.

Layers are matched in order: those with a kernel (convolutions and dense layers) with those with a kernel, batch
normalisations with batch normalisations. A dense layer takes the kernel of a 1 x 1 convolution. Keras lists the
parallel branches of a graph by depth; where its layers carry automatic names (conv2d_7), their numbers give the order
in which they were made instead.

Example:
    >>> import keras
    >>> source, target = (keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in range(2))
    >>> load_keras_weights(target, source)
    >>> bool((target.get_weights()[0] == source.get_weights()[0]).all())
    True
"""

import re
from typing import Any

import keras
import numpy as np
from keras import ops

from maquette.errors import InputError


def load_keras_weights(model: keras.Model, source: keras.Model) -> None:
    """Give `model` the weights of `source`; both are built, and `model` answers as `source` does afterwards.

    Raises:
        InputError: where the number of layers or a shape differs. Then `model` is left as it was.
    """
    values: list[tuple[Any, np.ndarray]] = []
    for kind, kernels in (("kernels", True), ("batch normalisations", False)):
        ours, theirs = _layers(model, kernels), _layers(source, kernels)
        if len(ours) != len(theirs):
            raise InputError(f"{model.name} has {len(ours)} {kind}, {source.name} has {len(theirs)}: another network")
        for mine, other in zip(ours, theirs, strict=True):
            values += zip(mine, _arrays(mine, other), strict=True)
    for weight, value in values:
        weight.assign(value)


def _layers(model: keras.Model, kernels: bool) -> list[list[Any]]:
    """The weights of each layer that has a kernel, or of each that has none, in order."""
    found: dict[str, list[Any]] = {}
    for weight in model.weights:
        found.setdefault(weight.path.rpartition("/")[0], []).append(weight)
    wanted = [path for path, weights in found.items() if (weights[0].name == "kernel") == kernels]
    # Counted layers change places among themselves, the others stay where they are.
    counted = iter(sorted((path for path in wanted if _count(path) is not None), key=_count))
    return [found[path if _count(path) is None else next(counted)] for path in wanted]


def _count(path: str) -> Any:
    """The count in an automatic name, of which the first has none and stands for 0; None for a name that is given."""
    automatic = re.fullmatch(r"(?:conv2d|batch_normalization|dense)(?:_(\d+))?", path.rpartition("/")[2])
    return int(automatic[1] or 0) if automatic else None


def _arrays(mine: list[Any], other: list[Any]) -> list[np.ndarray]:
    given = [np.asarray(ops.convert_to_numpy(weight)) for weight in other]
    if len(mine[0].shape) == 2 and given[0].shape[:2] == (1, 1):
        given[0] = given[0].reshape(given[0].shape[2:])
    ours, theirs = ([tuple(weight.shape) for weight in weights] for weights in (mine, given))
    if ours != theirs:
        raise InputError(f"{mine[0].path} and what follows have the shapes {ours}, {other[0].path} has {theirs}")
    return given
