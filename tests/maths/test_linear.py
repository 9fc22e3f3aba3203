"""Linear regression: least squares, its gradient, and how far a step may go."""

import numpy as np
import pytest
from keras import ops

from maquette.data.tables import TableEncoder
from maquette.models.linear.linear_regression import LinearRegression


@pytest.fixture
def boston(original):
    """The 506 tracts: standardised columns (506, 13) and prices (506,)."""
    data = original("boston_housing")
    return TableEncoder().fit(data.train.x).transform(data.train.x), data.train.y


def affine(x):
    return np.column_stack([x, np.ones(len(x))]).astype("float64")


def curvatures(x):
    """Eigenvalues of the Hessian (2 / m) A^T A of the mean squared error, ascending."""
    return np.linalg.eigvalsh(2 / len(x) * affine(x).T @ affine(x))


def model_of(weights):
    """weights (features + 1,), the bias last -> a LinearRegression that holds them."""
    model = LinearRegression()
    model.build((None, len(weights) - 1))
    model.neuron.kernel.assign(weights[:-1, None])
    model.neuron.bias.assign(weights[-1:])
    return model


def weights_of(model):
    return np.concatenate([np.asarray(w).ravel() for w in model.trainable_weights]).astype("float64")


def squared_error(model, x, y):
    """Mean squared error in float64, from the model's weights alone."""
    return float(np.square(affine(x) @ weights_of(model) - y).mean())


# --- the least-squares solution ------------------------------------------------------------------------------


def test_solve_reaches_the_least_squares_minimum_of_boston(boston):
    x, y = boston
    model = LinearRegression()
    model.solve(x, y)
    mse = squared_error(model, x, y)
    assert mse == pytest.approx(21.894831, abs=2e-6)
    assert 1 - mse / y.var(dtype="float64") == pytest.approx(0.740643, abs=1e-6)
    assert np.square(y, dtype="float64").mean() == pytest.approx(592.147, abs=1e-3)
    served = ops.convert_to_numpy(model.serve(x))
    assert np.square(served[:, 0] - y, dtype="float64").mean() == pytest.approx(mse, rel=1e-5)


def test_solve_is_the_solution_of_the_normal_equations(random):
    x, y = random.normal(size=(40, 3)), random.normal(size=40)
    model = LinearRegression()
    model.solve(x, y)
    a = affine(x)
    np.testing.assert_allclose(weights_of(model), np.linalg.solve(a.T @ a, a.T @ y), rtol=1e-5, atol=1e-6)


def test_solve_takes_the_smallest_of_many_solutions(random):
    one, y = random.normal(size=30), random.normal(size=30)
    model = LinearRegression()
    model.solve(np.column_stack([one, one]), y)
    np.testing.assert_allclose(weights_of(model), np.linalg.pinv(affine(np.column_stack([one, one]))) @ y, atol=1e-6)


# --- the gradient and its step -------------------------------------------------------------------------------


def test_the_gradient_is_two_over_m_x_transposed_error(random, gradient, slope):
    x, y = random.normal(size=(12, 4)).astype("float32"), random.normal(size=12).astype("float32")
    start = random.normal(size=5)
    found = np.concatenate([g.ravel() for g in gradient(model_of(start), x, y).values()])
    a = affine(x)
    np.testing.assert_allclose(found, 2 / 12 * a.T @ (a @ start - y), atol=2e-6)

    def loss(w):
        model = model_of(w)
        return float(model.compute_loss(x, y, model(x)))

    # The loss is a parabola, of which central differences are exact for any step.
    np.testing.assert_allclose(found, slope(loss, start, h=1.0), atol=2e-5)


def test_weighted_rows_count_as_often_as_their_weight(random):
    x, y = random.normal(size=(6, 2)).astype("float32"), random.normal(size=6).astype("float32")
    model = model_of(random.normal(size=3))
    times = np.array([1, 2, 0, 3, 1, 1])
    weighted = model.compute_loss(x, y, model(x), sample_weight=ops.convert_to_tensor(times, "float32"))
    assert float(weighted) == pytest.approx(squared_error(model, x.repeat(times, 0), y.repeat(times)), rel=1e-5)


def test_descent_on_boston_keeps_to_the_published_band(boston, descend):
    x, y = boston
    # 200 Glorot starts of the same descent stay within these bands; a published run lies in every one of them.
    bands = {0: (569.6, 628.1), 100: (32.30, 33.78), 200: (22.65, 23.53), 1000: (21.927, 21.992)}
    published = {0: 596.2260, 100: 32.8313, 200: 22.9257, 1000: 21.940863}
    limit = np.sqrt(6 / 14)
    model = model_of(np.append(np.random.default_rng(1).uniform(-limit, limit, 13), 0.0))
    done = 0
    for steps, (low, high) in bands.items():
        if steps > done:
            descend(model, x, y, 0.01, steps - done)
        done = steps
        assert low <= squared_error(model, x, y) <= high
        assert low <= published[steps] <= high


def test_the_steepest_direction_of_boston_bounds_the_learning_rate(boston, descend):
    x, y = boston
    least, most = curvatures(x)[[0, -1]]
    assert (least, most) == (pytest.approx(0.1270, abs=1e-4), pytest.approx(12.2537, abs=1e-4))
    assert most / least == pytest.approx(96.5, abs=0.1)
    bound = 2 / most
    assert bound == pytest.approx(0.1632, abs=1e-4)
    top = np.linalg.eigh(affine(x).T @ affine(x))[1][:, -1]
    best = np.linalg.lstsq(affine(x), y, rcond=None)[0]
    for rate in (0.97 * bound, 1.03 * bound):
        # Away from the minimum along that direction alone, each step multiplies the distance by 1 - rate * most.
        model = model_of(best + top)
        descend(model, x, y, rate, 60)
        distance = float(top @ (weights_of(model) - best))
        assert distance == pytest.approx((1 - rate * most) ** 60, rel=0.02)
        assert (abs(distance) < 1) == (rate < bound)


def test_descent_follows_the_closed_form_of_a_quadratic(random, descend):
    x, y = random.normal(size=(20, 3)).astype("float32"), random.normal(size=20).astype("float32")
    start, a = random.normal(size=4), affine(x)
    best, hessian = np.linalg.lstsq(a, y, rcond=None)[0], 2 / 20 * a.T @ a
    model = model_of(start)
    descend(model, x, y, 0.1, 25)
    contraction = np.linalg.matrix_power(np.eye(4) - 0.1 * hessian, 25)
    np.testing.assert_allclose(weights_of(model), best + contraction @ (start - best), atol=2e-5)


# --- standardised columns ------------------------------------------------------------------------------------


def test_standardising_evens_out_the_curvature(boston, original):
    x, y = boston
    columns = original("boston_housing").train.x
    raw = np.stack(list(columns.values()), axis=1)
    np.testing.assert_allclose(x.mean(axis=0, dtype="float64"), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0, dtype="float64"), 1, atol=1e-6)
    np.testing.assert_allclose(x * raw.std(axis=0) + raw.mean(axis=0), raw, rtol=1e-5, atol=1e-4)
    ratio = [curvatures(table)[-1] / curvatures(table)[0] for table in (raw, x)]
    assert ratio[0] > 1e5 and ratio[1] < 100
    # The map is affine and one to one, so what least squares can reach is the same.
    reached = [np.square(affine(t) @ np.linalg.lstsq(affine(t), y, rcond=None)[0] - y).mean() for t in (raw, x)]
    assert reached[0] == pytest.approx(reached[1], rel=1e-6)
