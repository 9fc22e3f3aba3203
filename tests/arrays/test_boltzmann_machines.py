"""Restricted Boltzmann machines as arrays, against sums over all pairs of states and against each other."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp

from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError
from maquette.methods.energy.annealed_importance_sampling import annealed_importance_sampling, schedule
from maquette.methods.energy.exact_rbm import ExactRBM
from maquette.methods.energy.machine import Machine
from maquette.methods.energy.pseudo_likelihood import pseudo_likelihood
from maquette.tasks.density_likelihood import likelihood

V = np.array(list(product([0.0, 1.0], repeat=4)))  # every visible state of the small machine
H = np.array(list(product([0.0, 1.0], repeat=3)))  # every hidden one


def machine(random, visible=4, hidden=3, scale=0.8, variance=None):
    arrays = (random.normal(0, scale, shape) for shape in ((visible, hidden), visible, hidden))
    return Machine(*arrays, variance)


def joint(of):
    """log of p(v, h) over all pairs, from the energy as it is written: (16, 8)."""
    found = np.array([[of.b @ v + of.c @ h + v @ of.W @ h for h in H] for v in V])
    return found - logsumexp(found)


def flat(parts):
    return np.concatenate([np.ravel(parts[name]) for name in ("W", "b", "c")])


def cosine(a, b):
    return flat(a) @ flat(b) / np.linalg.norm(flat(a)) / np.linalg.norm(flat(b))


# --- energies and what is exact ------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True], ids=["fewer hidden", "fewer visible"])
def test_enumeration_of_one_layer_is_that_of_both(turned, random):
    of = machine(random)
    exact = ExactRBM(Machine(of.W.T, of.c, of.b) if turned else of)
    p = np.exp(joint(of))
    first = of.b @ V[5] + of.c @ H[2] + V[5] @ of.W @ H[2]
    assert exact.log_partition == pytest.approx(first - joint(of)[5, 2])
    assert -of.energy(V[5], H[2]) == pytest.approx(first)
    products = np.einsum("ij,ia,jb->ab", p, V, H)
    np.testing.assert_allclose(exact.moments["W"], products.T if turned else products)
    np.testing.assert_allclose(exact.moments["c" if turned else "b"], p.sum(axis=1) @ V)
    np.testing.assert_allclose(exact.moments["b" if turned else "c"], p.sum(axis=0) @ H)
    found = exact.log_likelihood(H if turned else V)
    np.testing.assert_allclose(found, logsumexp(joint(of), axis=0 if turned else 1))


def test_units_of_a_layer_are_independent_given_the_other(random):
    of = machine(random)
    given_v = np.exp(joint(of) - logsumexp(joint(of), axis=1, keepdims=True))
    mean = of.hidden_mean(V)[:, None]
    np.testing.assert_allclose(given_v, np.prod(np.where(H == 1, mean, 1 - mean), axis=-1))
    given_h = np.exp(joint(of) - logsumexp(joint(of), axis=0))
    mean = of.visible_mean(H)[:, None]
    np.testing.assert_allclose(given_h.T, np.prod(np.where(V == 1, mean, 1 - mean), axis=-1))


def test_without_weights_the_bits_are_independent(random):
    b = random.normal(size=4)
    exact = ExactRBM(Machine(np.zeros((4, 3)), b, np.ones(3)))
    np.testing.assert_allclose(exact.log_likelihood(V), V @ b - np.logaddexp(0, b).sum())


def test_gaussian_units_are_integrated_out(random):
    of = machine(random, visible=1, hidden=3, variance=0.7)
    z = quad(lambda v: np.exp(-of.free_energy(np.array([v]))), -20, 20)[0]
    assert ExactRBM(of).log_partition == pytest.approx(np.log(z))
    for h in H:
        one = quad(lambda v, h=h: np.exp(-of.energy(np.array([v]), h)), -20, 20)[0]
        assert -of.hidden_free_energy(h) == pytest.approx(np.log(one))
    mean = quad(lambda v: v * np.exp(-of.free_energy(np.array([v]))) / z, -20, 20)[0]
    assert ExactRBM(of).moments["b"] == pytest.approx(mean)


@pytest.mark.parametrize("shape", [(4, 3), (3, 5)])
def test_the_gradient_is_the_slope_of_the_likelihood(shape, random):
    of = machine(random, *shape)
    v = random.integers(0, 2, (30, shape[0])).astype(float)
    found = ExactRBM(of).gradient(v)
    for name in ("W", "b", "c"):
        for place in np.ndindex(getattr(of, name).shape):
            ends = []
            for step in (1e-5, -1e-5):
                arrays = {key: getattr(of, key).copy() for key in ("W", "b", "c")}
                arrays[name][place] += step
                ends.append(ExactRBM(Machine(**arrays)).log_likelihood(v).mean())
            assert found[name][place] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)


def test_at_the_maximum_the_moments_match_and_every_exact_step_climbs(random):
    v = V[random.integers(0, 16, 6)]
    arrays = {"W": random.normal(0, 0.1, (4, 3)), "b": np.zeros(4), "c": np.zeros(3)}
    reached = []
    for _ in range(300):
        exact = ExactRBM(Machine(**arrays))
        reached.append(exact.log_likelihood(v).mean())
        arrays = {name: arrays[name] + 0.2 * step for name, step in exact.gradient(v).items()}
    assert (np.diff(reached) > 0).all()
    assert np.abs(flat(ExactRBM(Machine(**arrays)).gradient(v))).max() < 0.03


# --- Gibbs sweeps and contrastive divergence -----------------------------------------------------------------


def test_a_gibbs_sweep_is_reversible_and_leaves_the_machine_alone(random):
    of = machine(random)
    exact, kernel = ExactRBM(of), ExactRBM(of).transitions()
    p = np.exp(exact.log_likelihood(V))
    np.testing.assert_allclose(kernel.sum(axis=1), 1)
    np.testing.assert_allclose(p @ kernel, p)
    np.testing.assert_allclose(p[:, None] * kernel, (p[:, None] * kernel).T, atol=1e-15)


def test_the_bias_of_contrastive_divergence_dies_with_k(random):
    of = machine(random, 6, 5, 1.0)
    v = random.integers(0, 2, (10, 6)).astype(float)
    exact = ExactRBM(of)
    truth = exact.gradient(v)
    found = {k: exact.divergence_gradient(v, k) for k in (1, 3, 10, 200)}
    alike = [cosine(step, truth) for step in found.values()]
    assert alike == sorted(alike) and alike[0] < 0.995
    bias = [np.linalg.norm(flat(step) - flat(truth)) for step in found.values()]
    assert bias == sorted(bias, reverse=True)
    np.testing.assert_allclose(flat(found[200]), flat(truth), atol=1e-6)


def test_contrastive_divergence_rests_where_the_data_are_the_machines_own():
    of = Machine([[np.log(3)]], [-np.log(2)], [0.0])  # v is on with odds (1 + 3) / 2 / (1 + 1) = 1
    exact = ExactRBM(of)
    v = np.array([[0.0], [1.0]])
    np.testing.assert_allclose(exact.log_likelihood(v), np.log(0.5))
    for k in (1, 2):
        np.testing.assert_allclose(flat(exact.divergence_gradient(v, k)), 0, atol=1e-12)


# --- estimates -----------------------------------------------------------------------------------------------


def test_annealing_finds_log_z_of_fifty_machines_within_three_errors():
    random = np.random.default_rng(1)
    deviations = []
    for i in range(50):
        visible, hidden = random.integers(2, 13), random.integers(2, 11)
        variance = random.uniform(0.5, 2, visible) if i % 5 == 4 else None
        of = machine(random, visible, hidden, 0.3 if variance is not None else 0.8, variance)
        base = random.normal(size=visible) if i % 2 else None
        found = annealed_importance_sampling(of, 100, 200, base, seed=i, library="numpy")
        assert found.error < 0.3
        deviations.append((found.log_partition - ExactRBM(of).log_partition) / found.error)
    assert np.abs(deviations).max() < 3
    assert 0.7 < np.std(deviations) < 1.4  # the error is told neither too small nor too large


def test_the_schedule_is_dense_near_one():
    beta = schedule(14_500)
    assert beta[0] == 0 and beta[-1] == 1 and (np.diff(beta) > 0).all()
    assert [(beta <= end + 1e-12).sum() - 1 for end in (0.5, 0.9)] == [500, 4500]


def test_more_steps_make_the_error_smaller(random):
    of = machine(random, 12, 10, 1.2)
    errors = [annealed_importance_sampling(of, steps, 200, library="numpy").error for steps in (10, 100, 1000)]
    assert errors == sorted(errors, reverse=True) and errors[2] < errors[0] / 4


def test_the_pseudo_likelihood_is_that_of_all_conditionals(random):
    of = machine(random)
    p = np.exp(ExactRBM(of).log_likelihood(V))
    index = np.arange(16)
    total = sum(np.log(p / (p + p[index ^ (1 << i)])) for i in range(4))
    np.testing.assert_allclose(pseudo_likelihood(of, V), total)
    some = pseudo_likelihood(of, np.repeat(V, 5000, axis=0), bits=1).reshape(16, 5000)
    error = some.std(axis=1) / np.sqrt(5000)
    assert (np.abs(some.mean(axis=1) - total) < 4 * error).all()


def test_the_measures_of_a_split(random):
    of = machine(random)
    rows = [random.integers(0, 16, count) for count in (40, 300)]
    test, train = (Split(np.uint8(255) * V[row].astype("uint8").reshape(-1, 2, 2, 1)) for row in rows)
    model = type("Model", (), {"machine": lambda self: of})()
    found = likelihood(model, test, Dataset("made", train, test=test))
    log_p = ExactRBM(of).log_likelihood(V)
    assert found["log_likelihood"].value == pytest.approx(log_p[rows[0]].mean())
    assert found["log_partition"].low == found["log_partition"].value == pytest.approx(ExactRBM(of).log_partition)
    assert found["free_energy_gap"].value == pytest.approx(log_p[rows[1]].mean() - log_p[rows[0]].mean())
    assert found["pseudo_likelihood"].value == pytest.approx(pseudo_likelihood(of, V[rows[0]]).mean())


def test_grey_pixels_are_drawn_with_their_value_as_probability(random):
    of = machine(random)
    grey = Split(np.full((20_000, 2, 2, 1), 51, np.uint8))
    model = type("Model", (), {"machine": lambda self: of})()
    found = likelihood(model, grey, Dataset("made", grey))["log_likelihood"]
    p = np.prod(np.where(V == 1, 0.2, 0.8), axis=1)
    assert found.low < p @ ExactRBM(of).log_likelihood(V) < found.high


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (lambda of: ExactRBM(Machine(np.zeros((30, 21)), np.zeros(30), np.zeros(21))), "21 hidden"),
        (lambda of: Machine(of.W, of.c, of.b), "(3,)"),
        (lambda of: Machine(of.W, of.b, of.c, [1, 1, 0, 1]), "variance 0"),
        (lambda of: annealed_importance_sampling(of, chains=1), "chains 1"),
        (lambda of: annealed_importance_sampling(of, base=np.zeros(3)), "base"),
        (lambda of: pseudo_likelihood(of, 0.5 * V), "0 or 1"),
        (lambda of: pseudo_likelihood(of, V, bits=5), "bits 5"),
        (lambda of: ExactRBM(machine(np.random.default_rng(0), 13, 2)).divergence_gradient(np.zeros((1, 13))), "12"),
    ],
)
def test_wrong_arguments_are_named(action, word, random):
    with pytest.raises(InputError) as refused:
        action(machine(random))
    assert word in str(refused.value) and "\n" not in str(refused.value)
