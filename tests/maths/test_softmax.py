"""Softmax regression: gradient, convexity, and the optimum that scikit-learn finds."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax, softmax

from maquette.data.batches import Batches
from maquette.models.linear.softmax_regression import SoftmaxRegression


def model_of(kernel, bias):
    model = SoftmaxRegression(classes=len(bias))
    model.build((None, len(kernel)))
    model.logits.kernel.assign(kernel)
    model.logits.bias.assign(bias)
    return model


def weights_of(model):
    return [np.asarray(w).astype("float64") for w in model.trainable_weights]


def cross_entropy(kernel, bias, x, y):
    """Mean surprise in nats, in float64."""
    return -log_softmax(x @ kernel + bias, axis=1)[np.arange(len(y)), y].mean()


@pytest.fixture
def clouds(random):
    """Three clouds of 60 points that overlap, so that the likelihood has a finite maximum."""
    y = np.arange(180) % 3
    centres = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]])
    return (centres[y] + random.normal(size=(180, 2))).astype("float32"), y.astype("int32")


@pytest.fixture
def some_digits():
    """The first 300 pictures of 8 x 8 digits: pixels in [0, 1], (300, 64), and classes."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.data[:300] / 16).astype("float32"), digits.target[:300].astype("int32")


def smoothness(x):
    """A bound of the Hessian's eigenvalues: half the largest of (1 / m) A^T A, A = [X 1] (Boehning, 1992)."""
    a = np.column_stack([x, np.ones(len(x))]).astype("float64")
    return np.linalg.eigvalsh(a.T @ a / len(x))[-1] / 2


def test_the_gradient_is_x_transposed_probability_minus_truth(random, gradient, slope):
    x, y = random.normal(size=(9, 4)).astype("float32"), random.integers(0, 3, 9)
    kernel, bias = random.normal(size=(4, 3)), random.normal(size=3)
    by_kernel, by_bias = gradient(model_of(kernel, bias), x, y).values()
    error = softmax(x @ kernel + bias, axis=1) - np.eye(3)[y]
    np.testing.assert_allclose(by_kernel, x.T @ error / 9, atol=1e-6)
    np.testing.assert_allclose(by_bias, error.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(by_kernel, slope(lambda w: cross_entropy(w, bias, x, y), kernel), atol=1e-6)
    np.testing.assert_allclose(by_bias, slope(lambda b: cross_entropy(kernel, b, x, y), bias), atol=1e-6)


def test_the_loss_is_the_mean_surprise_however_large_the_logits(random):
    x, y = random.normal(size=(20, 5)).astype("float32"), random.integers(0, 4, 20)
    for scale in (1.0, 1e3):
        kernel, bias = scale * random.normal(size=(5, 4)), random.normal(size=4)
        model = model_of(kernel, bias)
        kernel, bias = weights_of(model)
        assert float(model.compute_loss(x, y, model(x))) == pytest.approx(cross_entropy(kernel, bias, x, y), rel=1e-5)
        np.testing.assert_allclose(
            ops.convert_to_numpy(model.serve(x)), softmax(x @ kernel + bias, axis=1), rtol=2e-3, atol=1e-6
        )


def test_without_weights_every_class_is_equally_likely():
    x, y = np.ones((10, 28, 28, 1), "float32"), np.arange(10)
    model = SoftmaxRegression(classes=10)
    model.build(x.shape)
    assert model.count_params() == 784 * 10 + 10 == 7850
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    assert float(model.compute_loss(x, y, model(x))) == pytest.approx(np.log(10), rel=1e-6)


def test_the_loss_is_convex(random, clouds):
    x, y = clouds

    def loss(weights):
        model = model_of(weights[:2], weights[2])
        return float(model.compute_loss(x, y, model(x)))

    for _ in range(10):
        one, other, share = random.normal(0, 3, (3, 3)), random.normal(0, 3, (3, 3)), random.uniform()
        between = loss(share * one + (1 - share) * other)
        assert between <= share * loss(one) + (1 - share) * loss(other) + 1e-6


def test_the_loss_falls_at_every_step_below_the_bound(some_digits):
    x, y = some_digits
    model = model_of(np.zeros((64, 10)), np.zeros(10))
    model.compile(optimizer=keras.optimizers.SGD(1.99 / smoothness(x)))
    losses = []
    for _ in range(40):
        losses.append(cross_entropy(*weights_of(model), x, y))
        model.train_on_batch(x, y)
    assert losses[0] == pytest.approx(np.log(10)) and losses[-1] < 0.75
    assert (np.diff(losses) < 0).all()


def test_descent_ends_at_the_optimum_of_scikit_learn(clouds, descend):
    from sklearn.linear_model import LogisticRegression

    x, y = clouds
    model = model_of(np.zeros((2, 3)), np.zeros(3))
    descend(model, x, y, 1.9 / smoothness(x), 600)
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x.astype("float64"), y)
    np.testing.assert_allclose(ops.convert_to_numpy(model.serve(x)), oracle.predict_proba(x), atol=2e-4)
    kernel, bias = weights_of(model)
    # Started at zero, the weights of the classes keep the sum 0, which makes the optimum one point.
    np.testing.assert_allclose(kernel.T, oracle.coef_ - oracle.coef_.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(bias, oracle.intercept_ - oracle.intercept_.mean(), atol=2e-3)


def test_one_batch_of_all_is_gradient_descent_exactly(some_digits, random):
    x, y = some_digits
    kernel = random.normal(0, 0.1, (64, 10))

    def trained(size):
        model = model_of(kernel, np.zeros(10))
        model.compile(optimizer=keras.optimizers.SGD(0.3))
        model.fit(Batches(x, y, size), epochs=4, shuffle=False, verbose=0)
        return weights_of(model)

    whole, counted = trained(0), trained(len(x))
    assert all(np.array_equal(a, b) for a, b in zip(whole, counted, strict=True))
    w, b = kernel.astype("float32").astype("float64"), np.zeros(10)
    for _ in range(4):
        error = softmax(x @ w + b, axis=1) - np.eye(10)[y]
        w, b = w - 0.3 * x.T @ error / len(x), b - 0.3 * error.mean(axis=0)
    np.testing.assert_allclose(whole[0], w, atol=2e-6)
    np.testing.assert_allclose(whole[1], b, atol=2e-6)
