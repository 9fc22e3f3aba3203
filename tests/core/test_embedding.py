"""An id that occurs more than once in a batch: its row is stepped by the sum of its gradients, on every backend."""

import keras
import numpy as np
import pytest
from keras import ops

from maquette.core.embedding import Embedding
from maquette.core.model import Model, learning_rule

IDS = np.array([[1, 1], [1, 3], [0, 3]], "int32")
TABLE = np.random.default_rng(1).normal(size=(5, 2)).astype("float32")


class Squares(Model):
    """Loss: the sum of squares of all the rows looked up, whose gradient is 2 row per occurrence."""

    def build(self, input_shape):
        self.embedding = Embedding(5, 2, name="embedding")
        self.embedding.build(None)

    def call(self, ids, training=False):
        return self.embedding(ids)

    @learning_rule
    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        return ops.sum(ops.square(y_pred))


def reference(name, steps, rate=0.1):
    """Keras's Adam, Adagrad, RMSprop by their equations in float64, on the gradient of the whole table."""
    w, m, v = TABLE.astype("float64"), np.zeros((5, 2)), np.full((5, 2), 0.1 if name == "adagrad" else 0.0)
    occurrences = np.bincount(IDS.ravel(), minlength=5)[:, None]
    for t in range(1, steps + 1):
        g = 2 * w * occurrences
        if name == "adagrad":
            v += g**2
            w = w - rate * g / np.sqrt(v + 1e-7)
        elif name == "rmsprop":
            v = 0.9 * v + 0.1 * g**2
            w = w - rate * g / np.sqrt(v + 1e-7)
        else:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
    return w


@pytest.mark.parametrize("name", ["adam", "adagrad", "rmsprop"])
def test_repeated_ids_step_by_the_sum_of_their_gradients(name):
    model = Squares()
    model.build(None)
    model.embedding.embeddings.assign(TABLE)
    optimizer = keras.optimizers.get(name)
    optimizer.learning_rate = 0.1
    model.compile(optimizer=optimizer)
    for _ in range(3):
        model.train_on_batch(IDS)
    found = ops.convert_to_numpy(model.embedding.embeddings.value)
    np.testing.assert_allclose(found, reference(name, 3), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found[[2, 4]], TABLE[[2, 4]])
