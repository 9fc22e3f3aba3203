"""The restricted Boltzmann machines against sums over all their states."""

from itertools import product

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import expit

from maquette.core.noise import Noise
from maquette.errors import InputError
from maquette.methods.energy.annealed_importance_sampling import annealed_importance_sampling
from maquette.methods.energy.exact_rbm import ExactRBM
from maquette.methods.energy.machine import Machine
from maquette.models.energy.bernoulli_rbm import BernoulliRBM
from maquette.models.energy.gaussian_rbm import GaussianRBM

V = np.array(list(product([0.0, 1.0], repeat=4)))  # every visible state of the small machine
H = np.array(list(product([0.0, 1.0], repeat=3)))  # every hidden one


def rbm(random, kind=BernoulliRBM, **arguments):
    """A machine of 4 visible and 3 hidden units with weights far from zero."""
    model = kind(hidden_units=3, **arguments)
    model.build((None, 4))
    names = {"W": 0.8, "b": 0.8, "c": 0.8, "offset": 0.2, "log_s": 0.3}
    for name, scale in names.items():
        if hasattr(model, name):
            weight = getattr(model, name)
            weight.assign(random.normal(0.5 if name == "offset" else 0, scale, weight.shape))
    return model


def array(x):
    return ops.convert_to_numpy(x).astype("float64")


def tensor(x):
    return ops.convert_to_tensor(x, "float32")


def named(gradient):
    return {path.rpartition("/")[2]: -step for path, step in gradient.items()}


@pytest.fixture
def draws(random):
    """Let every model draw its noise from a list that is also returned, one array per draw."""
    drawn = []

    def table(kind, shape, call):
        drawn.append(random.uniform(size=shape) if kind == "uniform" else random.normal(size=shape))
        return drawn[-1]

    Noise.table = staticmethod(table)
    yield drawn
    Noise.table = None


def swept(h, noise, machine):
    """Gibbs sweeps from h with the given draws, two a sweep; v is binary or Gaussian."""
    for for_v, for_h in zip(noise[::2], noise[1::2], strict=True):
        mean = machine.visible_mean(h)
        v = (for_v < mean) * 1.0 if machine.variance is None else mean + np.sqrt(machine.variance) * for_v
        h = (for_h < machine.hidden_mean(v)) * 1.0
    return v, h


# --- energy, free energy, conditionals -----------------------------------------------------------------------


@pytest.mark.parametrize("centred", [False, True])
def test_a_binary_machine_is_what_it_says_of_itself(centred, random):
    model = rbm(random, centred=centred)
    W, b, c, offset = (array(w) for w in (model.W, model.b, model.c, model.offset if centred else np.zeros(4)))
    half = 0.5 * centred
    energy = [[-(v - offset) @ b - (h - half) @ c - (v - offset) @ W @ (h - half) for h in H] for v in V]
    weight = np.exp(-np.array(energy))
    p = weight / weight.sum()
    free = array(model.free_energy(tensor(V)))
    np.testing.assert_allclose(np.exp(-free) / np.exp(-free).sum(), p.sum(axis=1), rtol=1e-4)
    np.testing.assert_allclose(array(model(tensor(V))), p @ H / p.sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(array(model.visible_mean(tensor(H))), p.T @ V / p.sum(axis=0)[:, None], atol=1e-6)
    np.testing.assert_allclose(np.exp(ExactRBM(model.machine()).log_likelihood(V)), p.sum(axis=1), rtol=1e-4)


def test_a_gaussian_machine_is_what_it_says_of_itself(random):
    model = rbm(random, GaussianRBM)
    v, machine = random.normal(size=(10, 4)), model.machine()
    np.testing.assert_allclose(array(model.free_energy(tensor(v))), machine.free_energy(v), rtol=1e-5)
    np.testing.assert_allclose(array(model(tensor(v))), machine.hidden_mean(v), atol=1e-5)
    np.testing.assert_allclose(array(model.visible_mean(tensor(H))), machine.visible_mean(H), atol=1e-5)


# --- contrastive divergence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [BernoulliRBM, GaussianRBM])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_is_the_contrastive_divergence(kind, steps, random, draws, gradient):
    model = rbm(random, kind, steps=steps)
    machine, v = model.machine(), V[random.integers(0, 16, 10)]
    found = named(gradient(model, v.astype("float32")))
    first, *later = draws[-2 * steps - 1 :]
    end, _ = swept((first < machine.hidden_mean(v)) * 1.0, later, machine)
    positive, negative = machine.statistics(v), machine.statistics(end)
    for name in ("W", "b", "c"):
        scale = 1 if machine.variance is None or name == "c" else machine.variance
        scale = scale[:, None] if name == "W" and machine.variance is not None else scale
        np.testing.assert_allclose(found[name], (positive[name] - negative[name]) / scale, atol=1e-5)


def test_the_variances_of_a_gaussian_machine_learn_by_the_slope_of_its_free_energy(random, draws, gradient, slope):
    model = rbm(random, GaussianRBM)
    machine, v = model.machine(), random.normal(size=(6, 4))
    found = named(gradient(model, v.astype("float32")))["log_s"]
    first, *later = draws[-3:]
    end, _ = swept((first < machine.hidden_mean(v)) * 1.0, later, machine)

    def loss(log_s):
        moved = Machine(machine.W, machine.b, machine.c, np.exp(log_s))
        return moved.free_energy(v).mean() - moved.free_energy(end).mean()

    np.testing.assert_allclose(found, -slope(loss, np.log(machine.variance)), atol=1e-4)


def test_the_mean_step_has_the_bias_of_contrastive_divergence(random, gradient):
    v = V[random.integers(0, 16, 5)]
    many = np.tile(v, (8000, 1)).astype("float32")
    for steps in (1, 2):
        model = rbm(np.random.default_rng(3), steps=steps)
        model.W.assign(2 * model.W)  # slow to mix, so that the bias is seen
        exact = ExactRBM(model.machine())
        expected, truth = exact.divergence_gradient(v, steps), exact.gradient(v)
        found = named(gradient(model, many))
        slack = 5 * 0.5 / np.sqrt(len(many))  # of means of numbers in [0, 1]
        for name, step in expected.items():
            np.testing.assert_allclose(found[name], step, atol=slack)
        assert max(np.abs(expected[name] - truth[name]).max() for name in truth) > 3 * slack / steps


def test_persistent_chains_go_on_where_they_stood(random, draws):
    model = rbm(random, chains=6)
    model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=True)
    stood, data = np.full((6, 3), 0.5), V[:5].astype("float32")
    for _ in range(3):
        machine = model.machine()
        draws.clear()
        model.train_on_batch(data)
        _, stood = swept(stood, draws[-2:], machine)
        np.testing.assert_array_equal(array(model.chain), stood)
    before = [np.asarray(w).copy() for w in model.weights]
    model.evaluate(data, verbose=0)
    assert all(np.array_equal(old, np.asarray(new)) for old, new in zip(before, model.weights, strict=True))


def test_from_the_models_own_states_the_step_is_the_likelihood_gradient(random, gradient):
    chains = 40_000
    model = rbm(random, chains=chains)
    exact = ExactRBM(model.machine())
    model.chain.assign(exact.every[random.choice(8, chains, p=exact.probabilities)])
    v = V[random.integers(0, 16, 50)]
    for name, step in named(gradient(model, v.astype("float32"))).items():
        # Each statistic is a mean of numbers in [0, 1] over the chains: a deviation of at most 1 / (2 sqrt(chains)).
        np.testing.assert_allclose(step, exact.gradient(v)[name], atol=5 * 0.5 / np.sqrt(chains))


def test_training_raises_the_exact_likelihood_to_near_its_bound(random):
    share = np.zeros(16)
    share[[0b0000, 0b1100, 0b0011, 0b1111]] = 0.25  # the left pair and the right pair each agree
    v = V.repeat((share * 400).astype(int), axis=0).astype("float32")
    model = BernoulliRBM(hidden_units=3, chains=1000)
    model.build(v.shape)
    model.initialize(v)
    assert share @ ExactRBM(model.machine()).log_likelihood(V) == pytest.approx(-4 * np.log(2), abs=0.01)
    model.W.assign(random.normal(0, 0.3, model.W.shape))  # far enough apart for the units not to wait for long
    model.compile(optimizer=keras.optimizers.SGD(0.2))
    model.fit(np.concatenate([v] * 1000), batch_size=len(v), shuffle=False, verbose=0)
    bound = -np.log(4)  # no distribution gives the data more than minus their entropy
    assert bound - 0.4 < share @ ExactRBM(model.machine()).log_likelihood(V) < bound


# --- what may be added to the rule ---------------------------------------------------------------------------


def test_centring_takes_the_offsets_off_the_statistics(random, draws, gradient):
    model = rbm(random, centred=True)
    machine, offset, v = model.machine(), array(model.offset), V[random.integers(0, 16, 10)]
    found = named(gradient(model, v.astype("float32")))
    first, *later = draws[-3:]
    end, _ = swept((first < machine.hidden_mean(v)) * 1.0, later, machine)
    for part, sign in ((v, 1), (end, -1)):
        less, h = part - offset, machine.hidden_mean(part) - 0.5
        for name, value in {"W": less.T @ h / len(v), "b": less.mean(axis=0), "c": h.mean(axis=0)}.items():
            found[name] = found[name] - sign * value
    for rest in found.values():
        np.testing.assert_allclose(rest, 0, atol=1e-5)


def test_the_sparsity_penalty_is_a_cross_entropy_and_does_what_it_is_for(random, slope):
    model = rbm(random, sparsity=0.2, sparsity_cost=0.7)
    a = random.normal(size=(6, 3))

    def cost(inputs):
        mean = expit(inputs).mean(axis=0)
        return -0.7 * np.sum(0.2 * np.log(mean) + 0.8 * np.log(1 - mean))

    assert float(model.sparsity_penalty(tensor(expit(a)))) == pytest.approx(cost(a), rel=1e-5)
    one = slope(cost, a[:1])  # of one example it is p - q, as a logistic neuron's
    np.testing.assert_allclose(one, 0.7 * (expit(a[:1]) - 0.2), atol=1e-6)
    v = np.tile(V, (200, 1)).astype("float32")
    model.compile(optimizer=keras.optimizers.SGD(0.5))
    before = array(model(v)).mean(axis=0)
    model.fit(v, batch_size=100, epochs=5, verbose=0)
    assert (np.abs(array(model(v)).mean(axis=0) - 0.2) < np.abs(before - 0.2)).all()


# --- abilities -----------------------------------------------------------------------------------------------


def test_long_chains_visit_the_states_as_often_as_they_are_probable(random):
    model, count = rbm(random), 4000
    v = array(model.sample(np.zeros((count, 4)), sweeps=40))
    index = (v @ [8, 4, 2, 1]).astype(int)
    expected = np.exp(ExactRBM(model.machine()).log_likelihood(V))
    assert stats.chisquare(np.bincount(index, minlength=16), count * expected / expected.sum()).pvalue > 1e-4


def test_long_gaussian_chains_have_the_moments_of_the_machine(random):
    model = rbm(random, GaussianRBM)
    v = array(model.sample(np.zeros((20_000, 4)), sweeps=30))
    machine = model.machine()
    moments = ExactRBM(machine).moments
    spread = v.std(axis=0) / np.sqrt(len(v))
    np.testing.assert_array_less(np.abs(v.mean(axis=0) - moments["b"]), 5 * spread)
    np.testing.assert_allclose(machine.statistics(v)["W"], moments["W"], atol=5 * 2 / np.sqrt(len(v)))


def test_unknown_pixels_are_filled_in_with_their_conditional_means(random):
    model = rbm(random)
    known = np.array([True, False, True, False])
    x = np.tile([1.0, np.nan, 0.0, np.nan], (500, 1))
    found = array(model.impute(x, known, sweeps=40)).mean(axis=0)
    fits = (V[:, 0] == 1) & (V[:, 2] == 0)
    p = np.exp(ExactRBM(model.machine()).log_likelihood(V)) * fits
    expected = np.where(known, [1, 0, 0, 0], p @ V / p.sum())
    np.testing.assert_allclose(found, expected, atol=5 * 0.5 / np.sqrt(500))
    np.testing.assert_array_equal(found[known], [1, 0])


def test_visible_biases_start_at_the_log_odds_of_the_means(random):
    x = random.integers(0, 2, (200, 4)).astype("float32") * [1, 1, 0, 1]
    for centred in (False, True):
        model = BernoulliRBM(hidden_units=2, centred=centred)
        model.build(x.shape)
        model.W.assign(np.zeros((4, 2)))
        model.initialize(x)
        reconstruction = array(model.reconstruct(x[:1]))[0]
        np.testing.assert_allclose(reconstruction, np.clip(x.mean(axis=0), 0.01, 0.99), atol=1e-6)


def test_gaussian_units_start_at_the_means_and_variances(random):
    x = np.column_stack([random.normal(3, 2, 500), np.full(500, 7.0)])
    model = GaussianRBM(hidden_units=2)
    model.build(x.shape)
    model.initialize(x)
    machine = model.machine()
    np.testing.assert_allclose(machine.b, x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(machine.variance, x[:, 0].var() * np.array([1, 0.01]), rtol=1e-4)


@pytest.mark.parametrize("culprit", [-0.25, 1.5])
def test_pixels_outside_0_and_1_are_refused(culprit):
    model = BernoulliRBM(hidden_units=2)
    model.build((None, 4))
    x = V.copy()
    x[3, 2] = culprit
    with pytest.raises(InputError, match=r"takes pixels in \[0, 1\]; set") as refused:
        model.initialize(x)
    assert f"{culprit:.3g}" in str(refused.value) and "\n" not in str(refused.value)


def test_annealing_is_the_same_compiled_and_as_a_plain_loop(random):
    for variance in (None, np.full(6, 0.8)):
        machine = Machine(random.normal(0, 0.4, (6, 5)), random.normal(size=6), random.normal(size=5), variance)
        plain, compiled = (annealed_importance_sampling(machine, 30, 20, library=name) for name in ("numpy", "keras"))
        np.testing.assert_allclose(compiled.log_weights, plain.log_weights, atol=1e-3)
