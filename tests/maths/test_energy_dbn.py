"""The deep belief network against its machines one by one, and against sums over the states of small ones."""

from itertools import product

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import expit

from maquette.errors import InputError
from maquette.methods.energy.exact_rbm import ExactRBM
from maquette.models.energy.dbn import BATCH, DBN, DECAY, MOMENTUM


def array(x):
    return ops.convert_to_numpy(x).astype("float64")


@pytest.fixture
def pairs(random):
    """4,000 pictures of 2x3 pixels whose columns agree, nine times of ten."""
    x = np.repeat(random.integers(0, 2, (4000, 1, 3)), 2, axis=1)
    return np.where(random.random(x.shape) < 0.1, 1 - x, x).astype("float32")


def pretrained(x, **arguments):
    model = DBN(**{"hidden_units": (5, 4), "classes": 3, "pretrain_epochs": 8, "pretrain_rate": 0.5, **arguments})
    model.build(x.shape)
    model.initialize(x)
    return model


def test_the_network_starts_as_the_way_up_through_the_machines(pairs):
    model = pretrained(pairs)
    h = pairs.reshape(len(pairs), -1)
    for kept in model.machines:
        machine = kept.machine()
        h = machine.hidden_mean(h)
    np.testing.assert_allclose(array(model.features(pairs)), h, atol=1e-5)
    before = [array(w) for machine in model.machines for w in machine.weights]
    model.compile(keras.optimizers.SGD(1.0))
    model.fit(pairs, np.arange(4000) % 3, verbose=0)
    assert all(np.array_equal(old, array(w)) for old, w in zip(before, (w for m in model.machines for w in m.weights)))
    assert np.abs(array(model.features(pairs)) - h).max() > 1e-3  # fine-tuning moves the network alone


def test_each_machine_learns_the_means_of_the_one_below(pairs):
    model = pretrained(pairs)
    x = pairs
    for index, kept in enumerate(model.machines):
        alone = model.new_machine(index)
        alone.trainable = True
        alone.build(x.shape)
        alone.initialize(x)
        started = ExactRBM(alone.machine()).log_likelihood(x.reshape(len(x), -1).round()).mean()
        alone.compile(keras.optimizers.SGD(0.5, MOMENTUM, weight_decay=DECAY))
        for epoch in range(8):
            order = np.random.default_rng((0, index, epoch)).permutation(len(x))
            alone.fit(x[order], batch_size=BATCH, shuffle=False, verbose=0)
        for one, two in zip(alone.get_weights(), kept.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)
        if index == 0:
            reached = ExactRBM(kept.machine()).log_likelihood(x.reshape(len(x), -1)).mean()
            assert reached > started + 0.2
        x = alone.predict(x, batch_size=1000, verbose=0)


def test_what_is_generated_has_the_mean_of_the_enumerated_network(random):
    model = DBN(hidden_units=(3, 2), classes=2)
    model.build((None, 4))
    for machine in model.machines:
        for weight in (machine.W, machine.b, machine.c):
            weight.assign(random.normal(0, 1, weight.shape))
    low, top = (machine.machine() for machine in model.machines)
    middle = np.array(list(product([0.0, 1.0], repeat=3)))
    p = np.exp(ExactRBM(top).log_likelihood(middle))
    expected = p @ expit(middle @ low.W.T + low.b)
    found = array(model.generate(4000, sweeps=30))
    np.testing.assert_allclose(found.mean(axis=0), expected, atol=5 * 0.5 / np.sqrt(4000))


def test_without_pre_training_the_start_is_glorots_and_any_input_is_taken(random):
    x = random.normal(size=(50, 6)).astype("float32")
    model = pretrained(x, pretrain_epochs=0)
    limit = np.sqrt(6 / (6 + 5))
    kernel = array(model.up[0].kernel)
    assert 0.5 * limit < np.abs(kernel).max() < limit
    with pytest.raises(InputError, match=r"takes pixels in \[0, 1\]; set inputs.standardise=false"):
        pretrained(x, pretrain_epochs=1)
