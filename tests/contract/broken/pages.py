"""One class per broken rule; `breaks` says which checks have to notice, and in which words."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.core.model import learning_rule
from tests.contract.broken.sound import Sound

register = keras.saving.register_keras_serializable("broken")
unseeded = np.random.default_rng()


@register
class LacksAnArgument(Sound):
    breaks = {"config": "get_config lacks width"}

    def get_config(self) -> dict[str, Any]:
        return {k: v for k, v in super().get_config().items() if k != "width"}


@register
class ForgetsAnArgument(Sound):
    breaks = {"config": "has another configuration"}

    def __init__(self, width: int = 4, **kwargs: Any) -> None:
        super().__init__(width=4, **kwargs)
        self.width = 2 * width


@register
class UnnamedLayer(Sound):
    breaks = {"names": "name every layer"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = layers.Dense(self.width)


@register
class UnseededStart(Sound):
    breaks = {"same_seed": "differ with the same seed"}

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.head.kernel.assign(unseeded.normal(size=self.head.kernel.shape))


@register
class IgnoresTheSeed(Sound):
    breaks = {"same_seed": "another seed changes nothing"}

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        for weight in self.trainable_variables:
            weight.assign(np.random.default_rng(7).normal(size=weight.shape))

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        return keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)


@register
class FrozenNoise(Sound):
    breaks = {"eager_equals_compiled": "losses, compiled and eager"}

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        return super().surprise(y, y_pred, training) * float(unseeded.uniform(0.9, 1.1))


@register
class AssignsATrainableWeight(Sound):
    breaks = {"loss_assigns_no_trainable_weight": "compute_loss assigns to .*head/bias"}

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        if training:
            self.head.bias.assign(ops.clip(self.head.bias.value - 0.01, -1.0, 1.0))
        return super().surprise(y, y_pred, training)


@register
class DropsAGradient(Sound):
    breaks = {"gradients": "[Gg]radient.*hidden/kernel"}

    def call(self, x: Any, training: bool = False) -> Any:
        return self.head(self.drop(ops.stop_gradient(self.hidden(x)), training=training))


@register
class GoesUphill(Sound):
    breaks = {"learns": "loss goes from"}

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        loss = super().surprise(y, y_pred, training)
        return 2 * ops.stop_gradient(loss) - loss


@register
class NotANumber(Sound):
    breaks = {"learns": "not finite"}

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        return super().surprise(y, y_pred, training) + 0.0 * ops.log(ops.relu(y_pred[:, 0] - 1e9))


@register
class TracksNothing(Sound):
    breaks = {"learns": "does not track .*reconstruction_error"}
    tracked = ("spread", "reconstruction_error")

    def track(self, batch: Any, **values: Any) -> None:
        self.running = self.running[:0]


@register
class KnowsItsBatchSize(Sound):
    breaks = {
        "learns": "shape",
        "batch_of_one": "shape",
    }

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        return super().surprise(ops.reshape(y, (32,)), y_pred, training)


@register
class AnswersByItsBatch(Sound):
    breaks = {"batch_of_one": "alone and together"}

    def serve(self, x: Any) -> Any:
        return super().serve(x - ops.mean(x, axis=0))


@register
class AnswersInHalf(Sound):
    breaks = {"mixed_precision": "answers in bfloat16"}

    def serve(self, x: Any) -> Any:
        return ops.cast(super().serve(x), self.compute_dtype)


@register
class IgnoresSampleWeight(Sound):
    breaks = {"sample_weight": "rows of weight zero"}

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        return ops.mean(self.surprise(y, y_pred, training))


@register
class CountsEvaluations(Sound):
    breaks = {
        "evaluation_leaves_the_model_alone": "evaluation changes .*seen",
        "validation_does_not_change_training": "validation changes .*seen",
    }

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        self.seen.assign(self.seen + 1.0)
        return super().surprise(y, y_pred, training)


@register
class EvaluatesByTrainingNoise(Sound):
    breaks = {
        "evaluation_leaves_the_model_alone": "evaluation changes .*train/",
        "validation_does_not_change_training": "validation changes .*kernel",
    }

    def surprise(self, y: Any, y_pred: Any, training: bool) -> Any:
        return super().surprise(y, y_pred, True)


@register
class UnsavedState(Sound):
    breaks = {
        "saved_model": "answers differently",
        "resume": "differ after a kill",
    }
    scale = 1.0

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        self.scale = 3.0

    def call(self, x: Any, training: bool = False) -> Any:
        return super().call(x * self.scale, training=training)


@register
class UntypedArgument(Sound):
    breaks = {"settings_are_checked": "no type for power"}

    def __init__(self, power=1, **kwargs: Any) -> None:
        super().__init__(**kwargs)


@register
class GeneratesSomethingElse(Sound):
    breaks = {"other_data": r"generates \(2, 1\)"}

    def generate(self, count: int) -> Any:
        return self.noise.normal((count, 1), training=False)


@register
class AnswersAtRandom(Sound):
    breaks = {"export": "noise"}

    def serve(self, x: Any) -> Any:
        return super().serve(x) + self.noise.normal((ops.shape(x)[0], 1), training=False)


@register
class UnmarkedRule(Sound):
    breaks = {"learning_rule": "not marked"}

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        return ops.mean(self.surprise(y, y_pred, training))
