"""The layer of batch normalisation: the numbers of Keras's own, gradients and running averages, on every backend."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from maquette.layers.batch_normalization import BatchNormalization

OPTIONS = [{}, {"scale": False, "momentum": 0.9}, {"center": False, "epsilon": 0.1}, {"dtype": "bfloat16"}]


def learned(layer, x, y, steps=3):
    """The weights after steps of gradient descent through a convolution below and a bend above the layer."""
    inputs = keras.Input((None, None, 3))
    below = layers.Conv2D(4, 3, padding="same", name="below", dtype="float32")
    model = keras.Model(inputs, ops.tanh(ops.cast(layer(below(inputs)), "float32")))
    random = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    losses = [model.train_on_batch(x, y) for _ in range(steps)]
    return [ops.convert_to_numpy(weight) for weight in model.weights], losses


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_training_is_that_of_keras(options, random):
    x, y = (random.normal(size=(5, 6, 4, maps)).astype("float32") for maps in (3, 4))
    ours, losses = learned(BatchNormalization(name="norm", **options), x, y)
    theirs, wanted = learned(layers.BatchNormalization(name="norm", **options), x, y)
    close = {"rtol": 2e-2, "atol": 2e-2} if "dtype" in options else {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(losses, wanted, **close)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, **close)


def test_running_averages_of_a_batch_of_one(random):
    x = random.normal(size=(1, 3, 2, 2)).astype("float32")
    layer = BatchNormalization(momentum=0.75)
    y = ops.convert_to_numpy(layer(x, training=True))
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_mean), 0.25 * x.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_variance), 0.75 + 0.25 * x.var((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (2, 3, 3, 3)])
def test_frozen_or_answering_it_changes_nothing(shape, random):
    x = random.normal(2.0, size=shape).astype("float32")
    layer = BatchNormalization()
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), x / np.sqrt(1.001), rtol=1e-5)
    layer.trainable = False
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x, training=True)), x / np.sqrt(1.001), rtol=1e-5)
    assert not ops.convert_to_numpy(layer.moving_mean).any()


def test_vectors_and_sequences_are_normalised_as_by_keras(random):
    for shape in ((6, 3), (4, 5, 3)):
        x = random.normal(size=shape).astype("float32")
        ours, theirs = (layer(x, training=True) for layer in (BatchNormalization(), layers.BatchNormalization()))
        np.testing.assert_allclose(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), atol=1e-6)
