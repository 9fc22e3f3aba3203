"""Training in stages, of a model that starts from pretrained weights: its head alone, then more of it at a lower rate.

While the head is trained, all below it answers as it does in prediction: no dropout, running averages as they are.
Where no random change comes before it, what enters the head is computed once for every picture. In the epochs of
fine-tuning the last layers learn as well, except batch normalisations, whose averages the pictures of a small set would
spoil. Vectors of words are frozen for the first epochs where a model's `frozen` says so.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from maquette import assembly, pretrained
from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Recipe
from maquette.data.batches import Batches
from maquette.data.dataset import Split

KEPT = 2**31  # bytes of what enters the head: more is computed anew in every epoch
PER_WEIGHT = 0.01  # examples for each weight of a large set: ImageNet has 1.28 million for the 138 million of VGG-16


class Head(Model):
    """The head of a page as a model of its own: on pictures, or on what `entering` made of them beforehand."""

    def __init__(self, page: Any, on_pictures: bool, **kwargs: Any) -> None:
        super().__init__(name="head_of_" + page.name, **kwargs)
        self.page, self.on_pictures = page, on_pictures
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        return leaving(self.page)(entering(self.page)(x, training=False) if self.on_pictures else x)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        return self.page.compute_loss(x, y, y_pred, sample_weight, training)


class Entering(keras.Model):
    """x -> what enters the head of a page, as in prediction."""

    def __init__(self, page: Any, **kwargs: Any) -> None:
        super().__init__(name="entering", **kwargs)
        self.page = page
        self.built = True

    def call(self, x: Any) -> Any:
        return entering(self.page)(x, training=False)


class Features(Entering):
    """x -> the features of a page, as in prediction: (batch, channels)."""

    def call(self, x: Any) -> Any:
        return self.page.features(x, training=False)


def entering(page: Any) -> Any:
    """The function that makes of pictures what the head works on."""
    return page.maps if hasattr(page, "classify") else page.features


def leaving(page: Any) -> Any:
    """The function that makes logits of it."""
    return page.classify if hasattr(page, "classify") else page.head


@dataclass(frozen=True)
class Stage:
    """A part of a run.

    Attributes:
        last: the epoch after which it ends.
        start: -> the compiled model; called when the stage begins, for it changes what of the model can be trained.
        training: -> its batches from an epoch on; called when the model has its weights.
        validation: -> the batches to be scored after every epoch, or None; called when the model has its weights.
    """

    last: int
    start: Callable[[], Any]
    training: Callable[[int], Batches]
    validation: Callable[[], Batches | None]


def stages(pipeline: Any, model: Any) -> list[Stage]:
    """The stages of the pipeline's recipe: one, or with pretrained weights the head's and that of fine-tuning."""
    recipe, held_out = pipeline.recipe, pipeline.dataset.validation
    batches = (pipeline.training, lambda: held_out and pipeline.batches(held_out))
    if not recipe.pretrained:
        return _with_vectors(pipeline, model, *batches)

    def refine() -> Any:
        freeze(model, recipe.finetune_layers or None)
        return assembly.compiled(model, pipeline, recipe.finetune_epochs, recipe.finetune_rate)

    first = recipe.epochs - recipe.finetune_epochs
    found = [_of_head(pipeline, model, first, *batches)] if first else []
    return found + ([Stage(recipe.epochs, refine, *batches)] if recipe.finetune_epochs else [])


def _with_vectors(pipeline: Any, model: Any, training: Any, validation: Any) -> list[Stage]:
    """One stage, or two where a model leaves its `embedding` as it is in its first epochs, `frozen` in number."""
    epochs, frozen = pipeline.recipe.epochs, getattr(model, "frozen", False)
    if isinstance(frozen, bool) or not frozen:
        return [Stage(epochs, lambda: model, training, validation)]

    def begin(learns: bool, length: int) -> Any:
        model.embedding.trainable = learns
        return assembly.compiled(model, pipeline, length)

    first = Stage(frozen, lambda: begin(False, frozen), training, validation)
    return [first, Stage(epochs, lambda: begin(True, epochs - frozen), training, validation)]


def _of_head(pipeline: Any, model: Any, epochs: int, training: Any, validation: Any) -> Stage:
    kept = _keeps(pipeline, model)

    def start() -> Any:
        freeze(model, 0)
        return assembly.compiled(Head(model, on_pictures=not kept), pipeline, epochs)

    if not kept:
        return Stage(epochs, start, training, validation)
    recipe, train, held_out = pipeline.recipe, pipeline.dataset.train, pipeline.dataset.validation

    def entered(split: Split, **order: Any) -> Batches:
        y, x = pipeline.task.encode_target(split.y, pipeline.target), pipeline.answers(Entering(model), split)
        return Batches(x, y, recipe.batch_size, **order)

    def learnt(epoch: int) -> Batches:
        weights = pipeline.task.weights(train.y, assembly.input_options(recipe))
        return entered(train, seed=recipe.seed if recipe.shuffle else None, epoch=epoch, weights=weights)

    return Stage(epochs, start, learnt, lambda: held_out and entered(held_out))


def _keeps(pipeline: Any, model: Any) -> bool:
    """Whether what enters the head is the same in every epoch, and not too much to be kept."""
    if pipeline.task.change(assembly.input_options(pipeline.recipe), pipeline.recipe.seed):
        return False
    symbol = keras.KerasTensor((1, *pipeline.shape), dtype=model.compute_dtype)
    each = 4 * math.prod(Entering(model).compute_output_spec(symbol).shape)
    return each * (len(pipeline.dataset.train) + len(pipeline.dataset.validation or ())) <= KEPT


def freeze(model: Any, last: int | None) -> None:
    """Let only the head and the `last` layers with weights before it be trained, all of them if None.

    Batch normalisations count as part of the layer before them and stay frozen, so that they keep their averages.
    """
    head = {id(layer) for layer in model.head._flatten_layers()}
    below = [layer for layer in pretrained.leaves(model) if id(layer) not in head]
    kernels = [layer for layer in below if not hasattr(layer, "moving_mean")]
    learning = {id(layer) for layer in (kernels if last is None else kernels[len(kernels) - last :] if last else [])}
    for layer in below:
        layer.trainable = id(layer) in learning


def thaw(pipeline: Any, model: Any) -> None:
    """Make the whole of a model trainable again, as it is saved, with a new optimizer."""
    for layer in pretrained.leaves(model):
        layer.trainable = True
    assembly.compiled(model, pipeline, pipeline.recipe.epochs)


def advice(recipe: Recipe, examples: int, model: Any) -> str:
    """What the number of examples says about how to train: one line; "" for a model that cannot be transferred.

    The four cases: a small set and pictures like those before, the head alone; a small set of others, the later layers
    too; a large set, all layers, from pretrained weights where the pictures are alike.

    Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", "Guidelines for using transfer learning". It
    sees no gain of pretrained weights on a large set of other pictures; they seldom harm, and often save time.
    """
    known = recipe.page in pretrained.IMAGENET
    if not recipe.pretrained and not known:
        return ""
    weights = sum(math.prod(weight.shape) for weight in pretrained.backbone(model))
    head = model.count_params() - weights
    counted = f"{examples:,} examples for {head:,} weights of the head and {weights:,} below it"
    few = examples < PER_WEIGHT * weights
    half = max(1, recipe.epochs // 2)
    if not recipe.pretrained:
        return f"{counted}: few for training from scratch, try --from imagenet" if few else ""
    alike = "the head alone if the pictures are like those of before"
    others = f"if not, the last layers too: --set finetune_epochs={half} --set finetune_layers=10"
    if few:
        return f"{counted}: a small set. Train {alike}; {others}"
    return f"{counted}: a large set. Train all layers: --set finetune_epochs={half}; or from scratch, without --from"
