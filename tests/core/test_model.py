"""The base of every page: penalties and replicas in the loss, fixed names, running means that weigh by items."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

from maquette.core.model import Model, learning_rule

random = np.random.default_rng(0)
X, Y = random.normal(size=(10, 3)).astype("float32"), random.normal(size=(10, 1)).astype("float32")


class Ridge(Model):
    """Least squares with the penalty 0.1 |w|^2 on the kernel, as a regularizer of the layer."""

    tracked = ("error",)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1), name="dense")

    def call(self, x, training=False):
        return self.dense(x)

    @learning_rule
    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        error = ops.mean(ops.square(ops.subtract(y_pred, y)))
        self.track(x, error=error)
        return error


def ridge(rate=0.1):
    model = Ridge()
    model.build((None, 3))
    w = np.array([[0.5], [-1.0], [2.0]])
    model.dense.kernel.assign(w)
    model.compile(optimizer=keras.optimizers.SGD(rate))
    return model, w


def test_penalties_of_the_layers_are_part_of_the_loss_and_of_its_gradient():
    model, w = ridge()
    loss = float(model.train_on_batch(X, Y, return_dict=True)["loss"])
    x, y = X.astype("float64"), Y.astype("float64")
    error = x @ w - y
    np.testing.assert_allclose(loss, (error**2).mean() + 0.1 * (w**2).sum(), rtol=1e-5)
    gradient = 2 * x.T @ error / len(x) + 0.2 * w
    np.testing.assert_allclose(ops.convert_to_numpy(model.dense.kernel.value), w - 0.1 * gradient, rtol=1e-5)


def test_a_tracked_mean_weighs_every_item_alike_whatever_the_batches():
    model, w = ridge(rate=0.0)
    expected = ((X.astype("float64") @ w - Y) ** 2).mean()
    for size in (1, 3, 4, 10):
        logs = model.evaluate(X, Y, batch_size=size, verbose=0, return_dict=True)
        np.testing.assert_allclose(logs["error"], expected, rtol=1e-5)
        np.testing.assert_allclose(logs["loss"], expected + 0.1 * (w**2).sum(), rtol=1e-5)


def test_names_do_not_count_the_models_of_the_process():
    assert [ridge()[0].name for _ in range(2)] == ["ridge", "ridge"]


REPLICAS = """
import keras, numpy as np, tensorflow as tf
from tests.core.test_model import Ridge, X, Y

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert two.num_replicas_in_sync == 2
results = []
for strategy in (None, two):
    with strategy.scope() if strategy else keras.name_scope("one"):
        model = Ridge()
        model.build((None, 3))
        model.dense.kernel.assign([[0.5], [-1.0], [2.0]])
        model.compile(optimizer=keras.optimizers.SGD(0.1))
    history = model.fit(X, Y, batch_size=10, epochs=2, shuffle=False, verbose=0).history
    results.append((history["loss"], history["error"], model.dense.kernel.numpy(), model.dense.bias.numpy()))
for name, one, both in zip(("loss", "error", "kernel", "bias"), *results):
    np.testing.assert_allclose(both, one, rtol=1e-5, err_msg=name)
print("equal")
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the loss is divided under tf.distribute alone")
def test_two_replicas_take_the_step_of_one():
    root = Path(__file__).parents[2]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    done = subprocess.run([sys.executable, "-c", REPLICAS], capture_output=True, text=True, env=environment, cwd=root)
    assert done.returncode == 0 and "equal" in done.stdout, done.stderr[-2000:]
