"""The gradient with respect to the input: against the closed form, and inside a loss, differentiated again."""

import keras
import numpy as np
import pytest
from keras import ops

from maquette.core.gradient import input_gradient
from maquette.core.model import Model, learning_rule

X = np.random.default_rng(2).normal(size=(5, 3)).astype("float32")


def test_closed_form_and_differences():
    def f(x):
        return ops.sin(x) * x**2

    found = ops.convert_to_numpy(ops.stop_gradient(input_gradient(f, ops.convert_to_tensor(X))))
    x = X.astype("float64")
    np.testing.assert_allclose(found, np.cos(x) * x**2 + 2 * x * np.sin(x), rtol=1e-5, atol=1e-6)
    h = 1e-6
    np.testing.assert_allclose(
        found, (np.sin(x + h) * (x + h) ** 2 - np.sin(x - h) * (x - h) ** 2) / (2 * h), rtol=1e-4, atol=1e-5
    )


class Penalised(Model):
    """D(x) = (w.x)^2; the loss is the mean of |dD/dx|^2 = 4 (w.x)^2 |w|^2."""

    def build(self, input_shape):
        self.w = self.add_weight(shape=(3,), name="w")

    def call(self, x, training=False):
        return ops.square(ops.matmul(x, self.w))

    @learning_rule
    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        slope = input_gradient(self, ops.convert_to_tensor(x))
        return ops.mean(ops.sum(ops.square(slope), axis=-1))


@pytest.mark.parametrize("eager", [True, False])
def test_a_penalty_on_the_gradient_has_the_gradient_of_the_closed_form(eager):
    model = Penalised()
    model.build((None, 3))
    w, x = np.array([0.3, -0.2, 0.5]), X.astype("float64")
    model.w.assign(w)
    model.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=eager)
    loss = float(model.train_on_batch(X))
    moved = w - ops.convert_to_numpy(model.w.value)
    a = (x @ w)[:, None]
    np.testing.assert_allclose(loss, (4 * a**2 * (w @ w)).mean(), rtol=1e-5)
    np.testing.assert_allclose(moved, (8 * a * x * (w @ w) + 8 * a**2 * w).mean(axis=0), rtol=1e-4, atol=1e-6)
