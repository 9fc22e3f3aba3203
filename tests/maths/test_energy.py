"""The restricted Boltzmann machine against sums over all its states."""

from itertools import product

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import expit, logsumexp

from maquette.core.noise import Noise
from maquette.models.energy.bernoulli_rbm import BernoulliRBM

V = np.array(list(product([0.0, 1.0], repeat=4)))  # every visible state of the small machine
H = np.array(list(product([0.0, 1.0], repeat=3)))  # every hidden one


def machine(random, **arguments):
    """A machine of 4 visible and 3 hidden units with weights far from zero."""
    model = BernoulliRBM(hidden_units=3, **arguments)
    model.build((None, 4))
    for weight in (model.W, model.b, model.c):
        weight.assign(random.normal(0, 0.8, weight.shape))
    return model


def weights_of(model):
    return [np.asarray(w).astype("float64") for w in (model.W, model.b, model.c)]


def energies(W, b, c):
    """E(v, h) of all pairs: (16, 8)."""
    return -(V @ b)[:, None] - H @ c - V @ W @ H.T


def log_p(W, b, c):
    """log p(v) of all visible states, by summing over the hidden ones: (16,)."""
    joint = -energies(W, b, c)
    return logsumexp(joint, axis=1) - logsumexp(joint)


def statistics(v, W, b, c):
    """Means over v (n, 4) of v h^T, v and h with h summed out: the derivatives of -F."""
    h = expit(v @ W + c)
    return [v.T @ h / len(v), v.mean(axis=0), h.mean(axis=0)]


def exact_gradient(v, W, b, c):
    """The gradient of the mean log-likelihood of v (n, 4): data statistics minus the model's own."""
    p, h = np.exp(log_p(W, b, c)), expit(V @ W + c)
    own = [(V * p[:, None]).T @ h, p @ V, p @ h]
    return [data - model for data, model in zip(statistics(v, W, b, c), own, strict=True)]


@pytest.fixture
def draws(random):
    """Let every model draw its noise from a list that is also returned, one array per draw."""
    drawn = []

    def table(kind, shape, call):
        drawn.append(random.uniform(size=shape))
        return drawn[-1]

    Noise.table = staticmethod(table)
    yield drawn
    Noise.table = None


def swept(v, uniform, W, b, c):
    """Gibbs sweeps from v with the given uniform draws, two a sweep."""
    for for_h, for_v in zip(uniform[::2], uniform[1::2], strict=True):
        h = (for_h < expit(v @ W + c)).astype("float64")
        v = (for_v < expit(h @ W.T + b)).astype("float64")
    return v


# --- energy, free energy, conditionals -----------------------------------------------------------------------


def test_the_free_energy_sums_the_hidden_units_out(random):
    model = machine(random)
    free = ops.convert_to_numpy(model.free_energy(ops.convert_to_tensor(V, "float32")))
    np.testing.assert_allclose(free, -logsumexp(-energies(*weights_of(model)), axis=1), rtol=1e-5, atol=1e-5)
    # So that the probabilities it gives are those of the joint distribution, partition sum and all.
    np.testing.assert_allclose(-free - logsumexp(-free), log_p(*weights_of(model)), atol=1e-5)


def test_the_conditionals_are_ratios_of_sums(random):
    model = machine(random)
    weight = np.exp(-energies(*weights_of(model)))
    hidden = (weight @ H) / weight.sum(axis=1, keepdims=True)
    visible = (weight.T @ V) / weight.sum(axis=0)[:, None]
    np.testing.assert_allclose(ops.convert_to_numpy(model(V.astype("float32"))), hidden, atol=1e-6)
    found = model.visible_mean(ops.convert_to_tensor(H, "float32"))
    np.testing.assert_allclose(ops.convert_to_numpy(found), visible, atol=1e-6)


def test_the_gradient_of_the_exact_likelihood_is_the_difference_of_statistics(random, slope):
    weights = [random.normal(size=size) for size in ((4, 3), 4, 3)]
    rows = random.integers(0, 16, 30)
    for i, found in enumerate(exact_gradient(V[rows], *weights)):

        def likelihood(w, i=i):
            return log_p(*weights[:i], w, *weights[i + 1 :])[rows].mean()

        np.testing.assert_allclose(found, slope(likelihood, weights[i]), atol=1e-8)


# --- contrastive divergence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_is_the_contrastive_divergence(steps, random, draws, gradient):
    model = machine(random, steps=steps)
    v, weights = V[random.integers(0, 16, 10)], weights_of(model)
    found = list(gradient(model, v.astype("float32")).values())
    end = swept(v, draws[-2 * steps :], *weights)
    phases = zip(statistics(v, *weights), statistics(end, *weights), strict=True)
    for step, (positive, negative) in zip(found, phases, strict=True):
        np.testing.assert_allclose(-step, positive - negative, atol=1e-6)


def test_persistent_chains_go_on_where_they_stood(random, draws):
    model = machine(random, chains=6)
    model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=True)
    stood, data = np.full((6, 4), 0.5), V[:5].astype("float32")
    for _ in range(3):
        weights = weights_of(model)
        draws.clear()
        model.train_on_batch(data)
        stood = swept(stood, draws[-2:], *weights)
        np.testing.assert_array_equal(np.asarray(model.chain), stood)
    before = [np.asarray(w).copy() for w in model.weights]
    model.evaluate(data, verbose=0)
    assert all(np.array_equal(old, np.asarray(new)) for old, new in zip(before, model.weights, strict=True))


def test_from_the_models_own_states_the_step_is_the_likelihood_gradient(random, gradient):
    chains = 40_000
    model = machine(random, chains=chains)
    weights = weights_of(model)
    p = np.exp(log_p(*weights))
    model.chain.assign(V[random.choice(16, chains, p=p / p.sum())])
    v = V[random.integers(0, 16, 50)]
    found = list(gradient(model, v.astype("float32")).values())
    for step, exact in zip(found, exact_gradient(v, *weights), strict=True):
        # Each statistic is a mean of numbers in [0, 1] over the chains: a deviation of at most 1 / (2 sqrt(chains)).
        np.testing.assert_allclose(-step, exact, atol=5 * 0.5 / np.sqrt(chains))


def test_long_chains_visit_the_states_as_often_as_they_are_probable(random):
    model, count = machine(random), 4000
    v = ops.convert_to_tensor(np.zeros((count, 4)), "float32")
    for _ in range(40):
        v = model.gibbs(v)
    index = (ops.convert_to_numpy(v) @ [8, 4, 2, 1]).astype(int)
    expected = np.exp(log_p(*weights_of(model)))
    assert stats.chisquare(np.bincount(index, minlength=16), count * expected / expected.sum()).pvalue > 1e-4


def test_training_raises_the_exact_likelihood_to_near_its_bound(random):
    share = np.zeros(16)
    share[[0b0000, 0b1100, 0b0011, 0b1111]] = 0.25  # the left pair and the right pair each agree
    v = V.repeat((share * 400).astype(int), axis=0).astype("float32")
    model = BernoulliRBM(hidden_units=3, chains=1000)
    model.build(v.shape)
    model.initialize(v)
    assert share @ log_p(*weights_of(model)) == pytest.approx(-4 * np.log(2), abs=0.01)
    model.W.assign(random.normal(0, 0.3, model.W.shape))  # far enough apart for the units not to wait for long
    model.compile(optimizer=keras.optimizers.SGD(0.2))
    model.fit(np.concatenate([v] * 1000), batch_size=len(v), shuffle=False, verbose=0)
    bound = -np.log(4)  # no distribution gives the data more than minus their entropy
    assert bound - 0.4 < share @ log_p(*weights_of(model)) < bound


def test_visible_biases_start_at_the_log_odds_of_the_means(random):
    x = random.integers(0, 2, (200, 4)).astype("float32") * [1, 1, 0, 1]
    model = BernoulliRBM(hidden_units=2)
    model.build(x.shape)
    model.W.assign(np.zeros((4, 2)))
    model.initialize(x)
    reconstruction = ops.convert_to_numpy(model.serve(x[:1].astype("float32")))[0]
    np.testing.assert_allclose(reconstruction, np.clip(x.mean(axis=0), 0.01, 0.99), atol=1e-6)
