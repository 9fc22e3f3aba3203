"""Weights that a model starts from instead of random ones: those of ImageNet, or those of a run of one's own.

All but the last layer, `head`, is taken over, and pictures are encoded as they were for those weights. Of two pages the
files are at hand (`maquette.data.pretrained_imagenet`); those of `keras.applications` are downloaded by Keras.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from keras import ops

from maquette import catalog
from maquette.core.recipe import Recipe
from maquette.data import pretrained_imagenet
from maquette.data.pictures import PictureScaler
from maquette.errors import InputError, near
from maquette.layers.keras_weights import load_keras_weights
from maquette.run import Run


@dataclass(frozen=True)
class Published:
    """Where the ImageNet weights of a page come from, and what pictures they were trained on.

    Attributes:
        fill: (model) -> None; gives a model of `arguments` the published weights.
        size: side of the pictures.
        mean, std: of the encoding (p - mean) / std of bytes p, channel by channel.
        arguments: of the model's constructor.
    """

    fill: Any
    size: int
    mean: tuple[float, ...]
    std: float
    arguments: Mapping[str, Any] = field(default_factory=dict)


def fill_convolutions(convolutions: Callable[[], list[Any]], model: Any) -> None:
    """Give the layers of a built model kernels and biases, in order; raises InputError where a shape differs.

    Where a batch normalisation follows, it becomes y = x + bias: gamma 1, beta the bias, mean 0, variance 1 - epsilon.
    """
    given, bias = iter(convolutions()), np.zeros(0)
    for layer in leaves(model):
        names = {weight.name: weight for weight in layer.weights}
        if "kernel" in names:
            kernel, bias = next(given)
            _assign(names["kernel"], kernel.reshape(kernel.shape[-2:]) if len(names["kernel"].shape) == 2 else kernel)
        values: dict[str, Any] = {"beta": bias, "bias": bias, "gamma": 1.0, "moving_mean": 0.0}
        values["moving_variance"] = 1 - getattr(layer, "epsilon", 0)
        for name, weight in names.items():
            if name != "kernel":
                _assign(weight, np.broadcast_to(values[name], weight.shape))


def _assign(weight: Any, value: np.ndarray) -> None:
    if tuple(weight.shape) != value.shape:
        raise InputError(f"{weight.path} has the shape {tuple(weight.shape)}, the published one {value.shape}")
    weight.assign(value)


def leaves(model: Any) -> list[Any]:
    """The layers of a built model that have weights and no layers below them, in the order of their weights."""
    found = {id(w): layer for layer in model._flatten_layers() for w in layer.weights if _is_leaf(layer)}
    return list(dict.fromkeys(found[id(w)] for w in model.weights if id(w) in found))


def _is_leaf(layer: Any) -> bool:
    return next(iter(layer._flatten_layers(include_self=False, recursive=False)), None) is None


def _of_keras(name: str, bgr: bool, model: Any) -> None:
    import keras

    try:
        source = getattr(keras.applications, name)(weights="imagenet")
    except Exception as error:  # a missing network shows itself in several ways
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the ImageNet weights of keras.applications.{name} cannot be had ({reason}): connect to the network, or "
            f"{near('', [page for page, p in IMAGENET.items() if p.fill.func is fill_convolutions])}"
        ) from error
    load_keras_weights(model, source)
    if bgr:  # our pictures are RGB
        kernel = next(weight for weight in model.weights if weight.name == "kernel")
        kernel.assign(np.asarray(ops.convert_to_numpy(kernel))[:, :, ::-1])


def _published(name: str, size: int, caffe: bool, **arguments: Any) -> Published:
    mean, std = ((123.68, 116.779, 103.939), 1.0) if caffe else ((127.5,) * 3, 127.5)
    return Published(partial(_of_keras, name, caffe), size, mean, std, arguments)


IMAGENET: dict[str, Any] = {
    "mobilenet_v2": Published(
        partial(fill_convolutions, pretrained_imagenet.mobilenet_v2), 224, (128.0,) * 3, 128.0, {"classes": 1001}
    ),
    "squeezenet": Published(
        partial(fill_convolutions, pretrained_imagenet.squeezenet), 227, (123.0, 117.0, 104.0), 1.0, {"classes": 1000}
    ),
    "resnet": _published("ResNet50", 224, True, classes=1000, depth=50, style="imagenet", bias=True),
    "vgg": _published("VGG16", 224, True, classes=1000, depth=16),
    "inception_v3": _published("InceptionV3", 299, False, classes=1000),
    "mobilenet": _published("MobileNet", 224, False, classes=1000),
}


def of_page(page: str) -> Published:
    """Where the ImageNet weights of a page come from; raises InputError if there are none."""
    if page not in IMAGENET:
        raise InputError(f"--from imagenet: there are no such weights for {page}; {near(page, IMAGENET)}")
    found: Published = IMAGENET[page]
    return found


def imagenet(page: str) -> Any:
    """The model of a page with its published weights and its head of 1000 or 1001 classes; expects `encoder` pictures.

    Raises:
        InputError: for a page without published weights, and where the file is missing or cannot be downloaded.
    """
    source = of_page(page)
    model = catalog.model_class(page)(**source.arguments)
    model.build((None, source.size, source.size, 3))
    source.fill(model)
    return model


def check(recipe: Recipe) -> None:
    """Raise InputError for settings of fine-tuning that contradict each other."""
    if recipe.finetune_epochs > recipe.epochs:
        raise InputError(f"finetune_epochs={recipe.finetune_epochs}: there are {recipe.epochs} epochs in all")
    if recipe.finetune_epochs and not recipe.pretrained:
        raise InputError(f"finetune_epochs={recipe.finetune_epochs}: there is nothing to refine without --from")
    if recipe.patience and 0 < recipe.finetune_epochs < recipe.epochs:
        raise InputError(f"patience={recipe.patience}: leave it out where fine-tuning follows, or stop one of them")


def options(recipe: Recipe) -> dict[str, Any]:
    """The options of the task that follow from `recipe.pretrained`: the size of ImageNet's pictures."""
    return {"size": of_page(recipe.page).size} if recipe.pretrained == "imagenet" else {}


def encoder(recipe: Recipe) -> Any:
    """How pictures are encoded for `recipe.pretrained`: x' = (p - mean) / std, or as the run encodes them."""
    return (
        published_encoder(recipe.page)
        if recipe.pretrained == "imagenet"
        else _run(recipe.pretrained, recipe.page).encoder
    )


def published_encoder(page: str) -> PictureScaler:
    """How pictures are encoded for the ImageNet weights of a page."""
    source, result = of_page(page), PictureScaler()
    result.mean, result.std = np.array(source.mean) / 255, np.full(3, source.std / 255)
    return result


def _run(source: str, page: str) -> Run:
    run = Run.open(source)
    if run.recipe.page != page:
        raise InputError(f"--from {source}: it is a run of {run.recipe.page}, not of {page}")
    return run


def arguments(source: str, page: str) -> dict[str, Any]:
    """Settings that build the network of a run again, for pictures of its size; none are needed for "imagenet"."""
    if source == "imagenet":
        return {}
    run = _run(source, page)
    size = run.pipeline["shape"][:2]
    sizes = {"inputs.size": size[0]} if len(set(size)) == 1 else {}
    return {f"model.{k}": value for k, value in run.recipe.model.items() if k != "classes"} | sizes


def load(model: Any, recipe: Recipe) -> None:
    """Give all of a model but its head the weights that `recipe.pretrained` names; raises InputError where they differ.

    The head keeps the random weights that it has.
    """
    donor = imagenet(recipe.page) if recipe.pretrained == "imagenet" else _run(recipe.pretrained, recipe.page).model
    ours, theirs = backbone(model), backbone(donor)
    shapes = [[tuple(weight.shape) for weight in weights] for weights in (ours, theirs)]
    if shapes[0] != shapes[1]:
        raise InputError(f"--from {recipe.pretrained}: its network is another one; leave the settings of model.* out")
    for weight, value in zip(ours, theirs, strict=True):
        weight.assign(value)


def backbone(model: Any) -> list[Any]:
    """The weights of all but the head; raises InputError for a model that has no `features` and `head`."""
    if not (inspect.ismethod(getattr(model, "features", None)) and hasattr(model, "head")):
        raise InputError(f"{model.name} has no features and head of its own: it takes no pretrained weights")
    head = {id(weight) for weight in model.head.weights}
    return [weight for weight in model.weights if id(weight) not in head]
