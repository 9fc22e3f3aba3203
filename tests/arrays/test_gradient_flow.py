"""Gradients on their way back: against finite differences, their bound, and what is said of kinds of units."""

import numpy as np
import pytest

from maquette.errors import InputError
from maquette.methods.network.gradient_flow import FUNCTIONS, gradient_flow


def stack(random, depth, units, spread):
    """Square layers with weights of deviation `spread`, and biases of 0."""
    return [random.normal(0, spread, (units, units)) for _ in range(depth)], [np.zeros(units)] * depth


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_norm_is_that_of_finite_differences(function, random):
    weights, biases = [random.normal(size=size) for size in ((3, 4), (4, 2))], [random.normal(size=n) for n in (4, 2)]
    x, slope = random.normal(size=(5, 3)), random.normal(size=(5, 2))

    def loss(first):
        h = x
        for w, c in zip([first, weights[1]], biases, strict=True):
            h = FUNCTIONS[function][0](h @ w + c)
        return np.sum(slope * h)

    found = np.zeros((3, 4))
    for place in np.ndindex(3, 4):
        step = np.zeros((3, 4))
        step[place] = 1e-6
        found[place] = (loss(weights[0] + step) - loss(weights[0] - step)) / 2e-6
    layers = gradient_flow(weights, biases, x, slope, function)
    assert layers[0].norm == pytest.approx(np.linalg.norm(found), rel=1e-6)


def test_no_gradient_exceeds_its_bound(random):
    for function in FUNCTIONS:
        weights, biases = stack(random, 6, 10, 0.5)
        for layer in gradient_flow(weights, biases, random.normal(size=(20, 10)), np.ones((20, 10)), function):
            assert 0 < layer.gain <= layer.bound


def test_sigmoid_layers_lose_a_gradient_geometrically_and_rectified_ones_keep_it(random):
    units, depth = 100, 12
    x, slope = random.normal(size=(50, units)), random.normal(size=(50, units))
    sigmoid = gradient_flow(*stack(random, depth, units, units**-0.5), x, slope, "sigmoid")
    relu = gradient_flow(*stack(random, depth, units, (2 / units) ** 0.5), x, slope, "relu")
    assert all(layer.gain < 0.3 for layer in sigmoid)
    assert np.prod([layer.gain for layer in sigmoid]) < 1e-6
    assert 0.2 < np.prod([layer.gain for layer in relu]) < 5


def test_large_weights_saturate_and_stop_the_gradient(random):
    x, slope = random.normal(size=(50, 30)), np.ones((50, 30))
    small, large = (gradient_flow(*stack(random, 4, 30, spread), x, slope) for spread in (0.1, 3.0))
    assert all(a.working.share < 0.01 < 0.3 < b.working.share for a, b in zip(small, large, strict=True))


def test_arrays_that_do_not_fit_are_named(random):
    weights, biases = stack(random, 2, 3, 1.0)
    for changed, word in (({"x": np.ones((4, 2))}, "weights[0]"), ({"slope": np.ones((4, 2))}, "slope")):
        with pytest.raises(InputError) as refused:
            gradient_flow(weights, biases, **{"x": np.ones((4, 3)), "slope": np.ones((4, 3)), **changed})
        assert word in str(refused.value)
