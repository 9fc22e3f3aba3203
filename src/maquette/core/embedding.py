"""An embedding that takes the same step on every backend."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("maquette")
class Embedding(keras.layers.Embedding):
    """ids: (...,) -> rows of the table: (..., output_dim).

    The gradient of Keras's own layer on TensorFlow lists a row once per occurrence in the batch, and Adam,
    Adagrad and RMSprop square each occurrence instead of their sum, so that a repeated id is stepped otherwise
    than on JAX and PyTorch. Reading a product of the table keeps the gradient dense and the step equal.
    The price is a gradient as large as the table: for very large tables use plain SGD or a rule that updates rows.

    Raises nothing on an id out of range inside a compiled step (JAX answers NaN): check ids on the host.
    """

    def call(self, inputs: Any) -> Any:
        ids = ops.cast(inputs, "int32")
        return ops.cast(ops.take(self.embeddings * 1.0, ids, axis=0), self.compute_dtype)
