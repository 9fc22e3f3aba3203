"""The multilayer perceptron: exclusive or with and without a non-linearity, and backpropagation by hand."""

import random as python_random

import numpy as np
import pytest
from keras import ops
from scipy.special import expit

from maquette.models.neuron.mlp import MLP

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
Y = np.array([0, 1, 1, 0], "int32")


def xor_net(weights, activation="sigmoid"):
    """[W1 (2, 2), b1 (2,), w2 (2, 1), b2 (1,)] -> the 2-2-1 network with these weights."""
    model = MLP(hidden_units=(2,), classes=2, activation=activation)
    model.build((None, 2))
    assert model.count_params() == 9
    model.set_weights([np.asarray(w, "float32") for w in weights])
    return model


def weights_of(model):
    return [np.asarray(w).astype("float64") for w in model.weights]


def drawn(seed):
    """Glorot's uniform start of the 2-2-1 network, without biases."""
    random = np.random.default_rng(seed)
    wide, narrow = np.sqrt(6 / 4), np.sqrt(6 / 3)
    return [random.uniform(-wide, wide, (2, 2)), np.zeros(2), random.uniform(-narrow, narrow, (2, 1)), np.zeros(1)]


def cross_entropy(weights, x=X, y=Y, hidden=expit):
    """Binary cross-entropy of a sigmoid output unit, in float64."""
    w1, b1, w2, b2 = weights
    z = (hidden(x @ w1 + b1) @ w2 + b2)[:, 0]
    return float(np.mean(np.logaddexp(0, z) - y * z))


def backpropagated(weights, x=X, y=Y):
    """The gradient by the chain rule, written out layer by layer: four arrays."""
    w1, b1, w2, b2 = weights
    h = expit(x @ w1 + b1)
    delta_2 = (expit(h @ w2 + b2) - y[:, None]) / len(x)
    delta_1 = delta_2 @ w2.T * h * (1 - h)
    return [x.T @ delta_1, delta_1.sum(axis=0), h.T @ delta_2, delta_2.sum(axis=0)]


# --- two classes, one output unit ----------------------------------------------------------------------------


def test_softmax_over_zero_and_z_is_the_sigmoid():
    model = xor_net([10 * w for w in drawn(3)])
    z = ops.convert_to_numpy(model(X))
    assert not z[:, 0].any()
    p = ops.convert_to_numpy(model.serve(X))
    np.testing.assert_allclose(p[:, 1], expit(z[:, 1].astype("float64")), rtol=1e-5)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)


def test_the_loss_is_the_binary_cross_entropy():
    for seed in range(3):
        weights = [3 * w for w in drawn(seed)]
        model = xor_net(weights)
        assert float(model.compute_loss(X, Y, model(X))) == pytest.approx(cross_entropy(weights), rel=1e-5)
    # Four published answers of the trained network, put into the loss as logits.
    answers = np.array([0.02323644, 0.9814549, 0.9816729, 0.02066191])
    z = np.log(answers / (1 - answers)).astype("float32")
    loss = model.compute_loss(X, Y, ops.stack([ops.zeros(4), ops.convert_to_tensor(z)], axis=1))
    assert float(loss) == pytest.approx(0.020401, abs=1e-6)


def test_or_without_and_is_exclusive_or():
    # The first hidden unit is OR, the second AND; the output asks for the first and against the second.
    model = xor_net([20 * np.ones((2, 2)), [-10, -30], [[20], [-20]], [-10]])
    p = ops.convert_to_numpy(model.serve(X))
    assert p.argmax(axis=1).tolist() == Y.tolist()
    assert p.max(axis=1).min() > 0.999


def test_backpropagation_agrees_with_the_chain_rule_and_with_differences(gradient, slope):
    weights = [np.asarray(w, "float32").astype("float64") + 0.1 for w in drawn(5)]
    found = list(gradient(xor_net(weights), X, Y).values())
    for i, (autodiff, by_hand) in enumerate(zip(found, backpropagated(weights), strict=True)):

        def loss(w, i=i):
            return cross_entropy([*weights[:i], w, *weights[i + 1 :]])

        np.testing.assert_allclose(autodiff, by_hand, atol=3e-7)
        np.testing.assert_allclose(autodiff, slope(loss, weights[i]), atol=3e-7)


def test_descent_learns_exclusive_or(descend):
    weights = start = drawn(0)
    assert cross_entropy(start) == pytest.approx(0.7, abs=0.15)
    model = xor_net(start)
    descend(model, X, Y, 1.0, 50)
    for _ in range(50):
        weights = [w - g for w, g in zip(weights, backpropagated(weights), strict=True)]
    for found, by_hand in zip(weights_of(model), weights, strict=True):
        np.testing.assert_allclose(found, by_hand, atol=1e-4)
    descend(model, X, Y, 1.0, 1450)
    assert cross_entropy(weights_of(model)) <= 0.03
    assert ops.convert_to_numpy(model.serve(X)).argmax(axis=1).tolist() == Y.tolist()


# --- without a non-linearity ---------------------------------------------------------------------------------


def test_linear_layers_collapse_so_that_opposite_corners_balance():
    for seed in range(5):
        z = ops.convert_to_numpy(xor_net([5 * w + 0.3 for w in drawn(seed)], "linear")(X))[:, 1]
        assert z[0] + z[3] == pytest.approx(z[1] + z[2], abs=1e-4)
        assert ((z > 0) == Y).sum() <= 3


def test_undecided_is_where_the_linear_network_stands_still(gradient):
    weights = drawn(1)
    model = xor_net([weights[0], weights[1], np.zeros((2, 1)), [0]], "linear")
    assert float(model.compute_loss(X, Y, model(X))) == pytest.approx(np.log(2), rel=1e-6)
    for found in gradient(model, X, Y).values():
        np.testing.assert_allclose(found, 0, atol=1e-7)


def test_no_affine_map_does_better_than_undecided(random):
    def loss(weights):
        model = MLP(hidden_units=(), classes=2)
        model.build((None, 2))
        model.set_weights([weights[:2, None], weights[2:]])
        return float(model.compute_loss(X, Y, model(X)))

    for _ in range(20):
        one, other = random.normal(0, 3, (2, 3))
        between = loss((one + other) / 2)
        assert np.log(2) - 1e-6 <= between <= (loss(one) + loss(other)) / 2 + 1e-6


def test_training_the_linear_network_ends_undecided(descend):
    model = xor_net(drawn(2), "linear")
    descend(model, X, Y, 0.5, 1000)
    assert float(model.compute_loss(X, Y, model(X))) == pytest.approx(np.log(2), abs=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(model.serve(X)), 0.5, atol=5e-3)


# --- more classes, numbers, dropout --------------------------------------------------------------------------


def test_a_network_for_numbers_matches_the_chain_rule(random, gradient, slope):
    x, y = random.normal(size=(7, 3)).astype("float32"), random.normal(size=7).astype("float32")
    model = MLP(hidden_units=(4, 3), activation="tanh")
    model.build((None, 3))
    weights = [random.normal(size=w.shape).astype("float32").astype("float64") for w in model.weights]
    model.set_weights(weights)

    def loss(some):
        h = x
        for kernel, bias in zip(some[:-2:2], some[1:-2:2], strict=True):
            h = np.tanh(h @ kernel + bias)
        return np.square((h @ some[-2] + some[-1])[:, 0] - y).mean()

    assert float(model.compute_loss(x, y, model(x))) == pytest.approx(loss(weights), rel=1e-5)
    for i, found in enumerate(gradient(model, x, y).values()):
        expected = slope(lambda w, i=i: loss([*weights[:i], w, *weights[i + 1 :]]), weights[i])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_the_expectation_and_is_off_in_use():
    python_random.seed(0)  # where Keras takes the seeds of its layers from
    model = MLP(hidden_units=(400,), classes=None, dropout=0.25, activation="linear")
    model.build((None, 1))
    model.set_weights([np.ones((1, 400)), np.zeros(400), np.full((400, 1), 1 / 400), np.zeros(1)])
    x = np.ones((200, 1), "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), 1, rtol=1e-5)
    dropped = ops.convert_to_numpy(model(x, training=True))
    # Each answer is the mean of 400 units that are 4/3 with probability 3/4 and 0 otherwise.
    deviation = np.sqrt(0.25 / 0.75 / 400)
    assert dropped.mean() == pytest.approx(1, abs=5 * deviation / np.sqrt(200))
    assert dropped.std() == pytest.approx(deviation, rel=0.3)
