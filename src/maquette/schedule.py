"""Learning rates over a run that Keras lacks."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("maquette")
class LateLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """rate(t) = initial_learning_rate min(1, 2 - 2 t / decay_steps): as it is for the first half, then linearly to 0.

    Source: Zhu, Park, Isola, Efros (2017), "Unpaired image-to-image translation using cycle-consistent adversarial
    networks", section 4.
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps

    def __call__(self, step: Any) -> Any:
        done = ops.cast(step, "float32") / self.decay_steps
        return self.initial_learning_rate * ops.clip(2 - 2 * done, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps}
