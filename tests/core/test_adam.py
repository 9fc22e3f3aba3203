"""Adam: the numbers of Keras's own on every backend, saved and loaded with its state."""

import keras
import numpy as np
import pytest
from keras import layers

from maquette.core.adam import Adam


def trained(optimizer, steps=7):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(64, 5)).astype("float32"), random.normal(size=(64, 3)).astype("float32")
    model = keras.Sequential([layers.Input((5,)), layers.Dense(4, "tanh", name="a"), layers.Dense(3, name="b")])
    model.set_weights([random.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    model.compile(optimizer, loss="mse")
    for _ in range(steps):
        model.train_on_batch(x, y)
    return model


OPTIONS = [
    {},
    {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    {"amsgrad": True},
    {"clipnorm": 0.1, "weight_decay": 0.01, "use_ema": True},
    {"learning_rate": keras.optimizers.schedules.CosineDecay(0.05, 6)},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_weights_are_those_of_keras(options):
    options = {"learning_rate": 0.01, **options}
    models = trained(Adam(**options)), trained(keras.optimizers.Adam(**options))
    for ours, theirs in zip(
        *(m.get_weights() + [keras.ops.convert_to_numpy(v) for v in m.optimizer.variables] for m in models), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6)


def test_the_first_step_moves_every_weight_by_the_rate():
    start, end = trained(Adam(0.01), 0), trained(Adam(0.01), 1)
    for before, after in zip(start.get_weights(), end.get_weights(), strict=True):
        np.testing.assert_allclose(np.abs(after - before), 0.01, rtol=1e-3)


def test_a_saved_model_keeps_its_adam(tmp_path):
    model = trained(Adam(0.01))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert type(again.optimizer) is Adam
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (one, other)))
