"""What the tests of the mathematics share: one exact gradient step, plain descent, and finite differences."""

import keras
import numpy as np
import pytest


@pytest.fixture
def gradient():
    """gradient(model, x, y) -> name of each trainable weight -> gradient, read off one SGD step of rate 1."""

    def of(model, x, y=None):
        model.compile(optimizer=keras.optimizers.SGD(1.0))
        before = [np.asarray(w).copy() for w in model.trainable_weights]
        model.train_on_batch(x, y)
        return {w.path: old - np.asarray(w) for w, old in zip(model.trainable_weights, before, strict=True)}

    return of


@pytest.fixture
def descend():
    """descend(model, x, y, rate, steps): gradient descent on the whole of x and y, through `fit`."""

    def run(model, x, y, rate, steps):
        if not model.compiled or float(model.optimizer.learning_rate) != np.float32(rate):
            model.compile(optimizer=keras.optimizers.SGD(rate))
        # The same rows once per step: one epoch of `fit` then takes all the steps without the cost of an epoch each.
        many = np.concatenate([x] * steps), np.concatenate([y] * steps)
        model.fit(*many, batch_size=len(x), shuffle=False, verbose=0)

    return run


@pytest.fixture
def slope():
    """slope(f, w, h) -> central differences of the number f(w) in each entry of w, an array of any shape."""

    def of(function, w, h=1e-6):
        result = np.zeros(w.shape)
        for place in np.ndindex(w.shape):
            step = np.zeros(w.shape)
            step[place] = h
            result[place] = (function(w + step) - function(w - step)) / (2 * h)
        return result

    return of
