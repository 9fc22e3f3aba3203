"""Sampling: exact enumeration, closed forms, ArviZ, and statistical tests whose error bars are stated."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import integrate as quadrature
from scipy import stats

from maquette.errors import InputError
from maquette.methods.sampling import diagnostics, monte_carlo
from maquette.methods.sampling.beta_bernoulli import Beta, likelihood, maximum_likelihood
from maquette.methods.sampling.boltzmann import boltzmann, enumerated, states
from maquette.methods.sampling.gibbs import Gibbs, normal_conditionals
from maquette.methods.sampling.ising import conditionals, energies
from maquette.methods.sampling.markov_chain import MarkovChain
from maquette.methods.sampling.metropolis import Metropolis
from maquette.methods.sampling.metropolis_chain import metropolis_chain
from maquette.methods.sampling.monte_carlo import integrate
from maquette.methods.sampling.point_estimate import point_estimate
from maquette.methods.sampling.step_size import tuned
from maquette.tasks import sampling_figures

TARGET = np.array([[1.0, 0.7], [0.7, 1.0]])
WIDE, NARROW = np.array([[1.0, 0.2], [0.2, 1.0]]), 0.2 * np.eye(2)
PRECISION = np.linalg.inv(TARGET)
COUPLINGS = np.array([[0, 1, 0, 1], [1, 0, 0.5, 0], [0, 0.5, 0, -0.7], [1, 0, -0.7, 0]])


def log_normal(x):
    """Keras or NumPy arrays (chains, 2) -> log density of N(0, TARGET)."""
    a, b = x[:, 0], x[:, 1]
    return -0.5 * (PRECISION[0, 0] * a * a + 2 * PRECISION[0, 1] * a * b + PRECISION[1, 1] * b * b)


def autoregressive(random, phi, chains=4, draws=1000, burn_in=200):
    """x_t = phi x_{t-1} + e_t: (chains, draws); rho_t = phi^t and an effective share of (1 - phi) / (1 + phi)."""
    e = random.normal(size=(chains, draws + burn_in))
    for t in range(1, e.shape[1]):
        e[:, t] += phi * e[:, t - 1]
    return e[:, burn_in:]


@pytest.fixture(scope="module")
def walks():
    """The bivariate normal under both proposals: 1,000 chains from the target's middle, 500 draws after 100."""
    return {
        name: Metropolis(log_normal, proposal)(np.zeros((1000, 2)), draws=500, burn_in=100, seed=1)
        for name, proposal in (("wide", WIDE), ("narrow", NARROW))
    }


# Boltzmann distribution


def test_boltzmann_laws(random):
    e = random.normal(size=50)
    at = boltzmann(e, 0.7)
    assert at.probabilities.sum() == pytest.approx(1)
    np.testing.assert_allclose(boltzmann(e + 1e5, 0.7).probabilities, at.probabilities, rtol=1e-8)
    order = np.argsort(e)
    assert np.all(np.diff(at.probabilities[order]) < 0)
    slope = np.polyfit(e, at.log_probabilities, 1)
    assert slope[0] == pytest.approx(-1 / 0.7)
    assert at.ratio(3, 4) == pytest.approx(np.exp(-(e[3] - e[4]) / 0.7))
    assert at.free_energy == pytest.approx(at.mean_energy - 0.7 * at.entropy)
    np.testing.assert_allclose(boltzmann(e, 1e9).probabilities, 1 / 50, rtol=1e-8)
    cold = boltzmann(np.append(e, e.min()), 1e-6)
    assert cold.probabilities[[order[0], -1]] == pytest.approx([0.5, 0.5])


def test_derivatives_of_the_partition_function(random):
    e, beta, h = random.normal(size=30), 1.3, 1e-3
    log_z = [boltzmann(e, 1 / b).log_partition for b in (beta - h, beta, beta + h)]
    at = boltzmann(e, 1 / beta)
    assert (log_z[2] - log_z[0]) / (2 * h) == pytest.approx(-at.mean_energy, abs=1e-5)
    assert (log_z[2] - 2 * log_z[1] + log_z[0]) / h**2 == pytest.approx(at.energy_variance, abs=1e-5)
    means = [boltzmann(e, t).mean_energy for t in (0.8 - h, 0.8 + h)]
    assert np.diff(means)[0] / (2 * h) == pytest.approx(boltzmann(e, 0.8).heat_capacity, abs=1e-5)


def test_enumeration_of_a_ring_of_spins_is_the_transfer_matrix():
    n, t = 8, 1.5
    ring = np.roll(np.eye(n), 1, 1)
    s, at = enumerated(lambda s: energies(s, ring + ring.T, 0.3), n, (-1, 1), t)
    assert len(s) == 256 and len(np.unique(s, axis=0)) == 256
    transfer = np.exp(np.array([[1 + 0.3, -1], [-1, 1 - 0.3]]) / t)
    wanted = np.log(np.sum(np.linalg.eigvalsh(transfer) ** n))
    assert at.log_partition == pytest.approx(wanted, abs=1e-10)


def test_levels_with_many_states_and_products():
    # n independent units of energies 0 and 1: level k has C(n, k) states, and Z = (1 + exp(-1/T))^n.
    _, at = enumerated(lambda s: s.sum(axis=1), 10, temperature=2.0)
    level = boltzmann(np.arange(11), 2.0, degeneracy=stats.binom.pmf(np.arange(11), 10, 0.5) * 2**10)
    assert at.log_partition == pytest.approx(10 * np.log1p(np.exp(-0.5))) == pytest.approx(level.log_partition)
    for quantity in ("mean_energy", "energy_variance", "entropy", "free_energy"):
        assert getattr(at, quantity) == pytest.approx(getattr(level, quantity))
    joules = boltzmann([0, 1.380649e-23 * 300], 300.0, 1.380649e-23)
    assert joules.ratio(0, 1) == pytest.approx(np.e)


# Beta and Bernoulli


def test_six_tosses_five_heads():
    prior = Beta(2, 2)
    after = prior.updated(5, 1)
    assert (after.a, after.b) == (7, 3)
    assert maximum_likelihood(5, 1) == pytest.approx(5 / 6)
    assert (prior.mode, after.mode, after.mean) == (0.5, 0.75, 0.7)
    theta = np.linspace(0.05, 0.95, 7)
    np.testing.assert_allclose(after.density(theta), 252 * theta**6 * (1 - theta) ** 2)
    np.testing.assert_allclose(prior.density(theta), 6 * theta * (1 - theta))
    np.testing.assert_allclose(likelihood(theta, 5, 1), theta**5 * (1 - theta))
    product, evidence = likelihood(theta, 5, 1) * prior.density(theta), np.exp(prior.log_evidence(5, 1))
    np.testing.assert_allclose(product / evidence, after.density(theta))
    assert Beta(1, 1).updated(5, 1).mode == pytest.approx(maximum_likelihood(5, 1))


def test_one_by_one_or_at_once_and_more_tosses():
    one = Beta(2, 2)
    for heads in (1, 1, 0, 1, 1, 1):
        one = one.updated(heads, 1 - heads)
    assert one == Beta(2, 2).updated(5, 1)
    gaps = [abs(Beta(2, 2).updated(5 * n, n).mean - 5 / 6) for n in (1, 10, 1000)]
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 1e-3


@pytest.mark.parametrize(("a", "b"), [(7, 3), (1, 4), (30, 2), (1, 1)])
def test_intervals_and_predictions_by_quadrature(a, b):
    chance = Beta(a, b)
    for kind in ("equal-tailed", "highest"):
        low, high = chance.interval(0.9, kind)
        assert quadrature.quad(chance.density, low, high)[0] == pytest.approx(0.9, abs=1e-8)
    shortest, equal = np.diff(chance.interval(0.9, "highest")), np.diff(chance.interval(0.9))
    assert shortest <= equal + 1e-9
    if min(a, b) > 1:
        ends = chance.density(np.array(chance.interval(0.9, "highest")))
        assert ends[0] == pytest.approx(ends[1], rel=1e-3)
    wanted = [
        quadrature.quad(lambda t: stats.binom.pmf(k, 5, t) * chance.density(t), 0, 1)[0]  # noqa: B023
        for k in range(6)
    ]
    np.testing.assert_allclose(chance.predicted(5), wanted, atol=1e-10)
    assert chance.variance == pytest.approx(stats.beta.var(a, b))


@pytest.mark.parametrize("loss", ["squared", "absolute", "zero-one"])
def test_each_estimate_minimises_its_loss(loss):
    chance, c = Beta(7, 3), np.linspace(0.5, 0.9, 4001)
    costs = {
        "squared": lambda t: (t - c) ** 2 * chance.density(t),
        "absolute": lambda t: np.abs(t - c) * chance.density(t),
    }
    if loss == "zero-one":
        cost = -chance.density(c)
    else:
        cost = quadrature.trapezoid([costs[loss](t) for t in np.linspace(0, 1, 2001)], dx=1 / 2000, axis=0)
    assert chance.estimate(loss) == pytest.approx(c[np.argmin(cost)], abs=5e-4)  # the grids' steps
    draws = chance.draws(200_000)
    # Standard errors: of the mean 0.0003, of the median 0.0004; the mode of a kernel density is good to 0.02.
    assert point_estimate(draws, loss) == pytest.approx(chance.estimate(loss), abs=0.02 if loss == "zero-one" else 2e-3)


# Monte Carlo


def quarter_circle(x):
    return 4.0 * ((x**2).sum(axis=1) < 1)


def test_pi_and_its_error():
    found = integrate(quarter_circle, [0, 0], [1, 1], 100_000, seed=3)
    assert found.error == pytest.approx(4 * np.sqrt(np.pi / 4 * (1 - np.pi / 4) / 100_000), rel=0.01)
    assert found.error == pytest.approx(0.00519, abs=5e-5)
    assert abs(found.value - np.pi) < 4 * found.error


@pytest.mark.parametrize("method", ["plain", "antithetic", "stratified", "sobol"])
def test_the_error_bar_is_the_scatter(method):
    def f(x):
        return np.exp(x.sum(axis=1))

    truth = (np.e**2 - 1) * (np.e - np.exp(-1))
    found = [integrate(f, [0, -1], [2, 1], 2048, method, seed) for seed in range(200)]
    values, errors = np.array([e.value for e in found]), np.array([e.error for e in found])
    # 200 runs: the scatter is known to 1 / sqrt(400) = 5 %, the bias to 1 / sqrt(200) = 7 % of it.
    assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(200)
    assert values.std() == pytest.approx(np.sqrt(np.mean(errors**2)), rel=0.2)
    covered = np.mean([low <= truth <= high for low, high in (e.interval(0.95) for e in found)])
    # A Sobol error comes from 16 nets, whose Student's t covers 93 %.
    assert covered >= 0.88
    plain = integrate(f, [0, -1], [2, 1], 2048, "plain").error
    assert (errors.mean() < 0.7 * plain) == (method != "plain")


def test_plain_error_falls_with_the_square_root():
    errors = [integrate(quarter_circle, [0, 0], [1, 1], n, seed=0).error for n in (1000, 10_000, 100_000)]
    assert np.polyfit(np.log([1e3, 1e4, 1e5]), np.log(errors), 1)[0] == pytest.approx(-0.5, abs=0.02)


def test_importance_sampling_of_a_rare_event(random):
    x = random.normal(4, 1, 20_000)  # q; p is N(0, 1), and P(x > 4) = 3.17e-5
    log_p, log_q = -0.5 * x**2, -0.5 * (x - 4) ** 2
    everything = monte_carlo.importance(x > 4, log_p, log_q)
    assert everything.effective < 2000  # normalised by the weights, few draws count
    weighted = monte_carlo.mean((x > 4) * stats.norm.pdf(x) / stats.norm.pdf(x, 4))
    assert abs(weighted.value - stats.norm.sf(4)) < 4 * weighted.error
    assert weighted.error < 0.05 * weighted.value  # plain draws would need about 13 million
    y = random.normal(0, 2, 50_000)
    second = monte_carlo.importance(y**2, -0.5 * y**2, -0.5 * (y / 2) ** 2)
    assert abs(second.value - 1) < 4 * second.error and 0.3 < second.effective / 50_000 < 0.9


def test_a_control_variate_takes_what_is_known_out(random):
    u = random.random(10_000)
    plain, helped = monte_carlo.mean(np.exp(u)), monte_carlo.controlled(np.exp(u), u, 0.5)
    assert abs(helped.value - (np.e - 1)) < 4 * helped.error
    # The correlation of exp(u) and u leaves 1 - 0.9837 of the variance.
    assert helped.error / plain.error == pytest.approx(np.sqrt(1 - 0.98373), rel=0.05)


# Markov chains


def test_a_random_chain_settles_as_often_as_the_eigenvector_says(random):
    p = random.dirichlet(np.ones(5), 5)
    chain = MarkovChain(p)
    values, vectors = np.linalg.eig(p.T)
    wanted = np.real(vectors[:, np.argmax(values.real)])
    np.testing.assert_allclose(chain.stationary, wanted / wanted.sum(), atol=1e-12)
    np.testing.assert_allclose(chain.after(2, 200), chain.stationary, atol=1e-12)
    walk = chain.simulated(200, 5000)
    share = (walk[:, 20:, np.newaxis] == np.arange(5)).mean(axis=1)  # of each chain: (5000, 5)
    error = share.std(axis=0) / np.sqrt(5000)
    assert np.all(np.abs(share.mean(axis=0) - chain.stationary) < 4.5 * error)
    counted = np.histogram2d(walk[:, :-1].ravel(), walk[:, 1:].ravel(), bins=5)[0]
    np.testing.assert_allclose(counted / counted.sum(axis=1, keepdims=True), p, atol=0.006)  # 4 times sqrt(.25 / 1e5)


def test_detailed_balance_is_not_necessary():
    rotation = MarkovChain(np.roll(np.eye(3), 1, axis=1) * 0.9 + np.eye(3) * 0.1)
    np.testing.assert_allclose(rotation.stationary, 1 / 3)
    assert not rotation.reversible and rotation.ergodic
    pure = MarkovChain(np.roll(np.eye(3), 1, axis=1))
    assert pure.irreducible and pure.period == 3 and not pure.ergodic


def test_reducible_and_periodic_chains_are_seen():
    stuck = np.kron(np.eye(4), np.roll(np.eye(5), 1, axis=1))  # 20 states that repeat after 5
    chain = MarkovChain(stuck)
    assert len(chain.closed_classes) == 4 and not chain.irreducible and chain.period == 5
    with pytest.raises(InputError, match="states 0 and 5 never meet"):
        _ = chain.stationary
    with pytest.raises(InputError, match="never mixes"):
        chain.mixing_time()
    drain = MarkovChain([[0.5, 0.5, 0], [0, 0, 1], [0, 1, 0]])
    assert not drain.irreducible and drain.period == 2
    np.testing.assert_allclose(drain.stationary, [0, 0.5, 0.5], atol=1e-12)
    assert MarkovChain([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0.5, 0, 0.5, 0]]).period == 2
    assert MarkovChain([[0, 1, 0], [0, 0, 1], [0.5, 0.5, 0]]).period == 1


def test_mixing_of_two_states():
    a, b = 0.1, 0.25  # distance after n steps from the worst start: max(a, b) / (a + b) (1 - a - b)^n
    chain = MarkovChain([[1 - a, a], [b, 1 - b]])
    assert chain.spectral_gap == pytest.approx(a + b)
    for n in (0, 1, 5):
        assert chain.distance(n) == pytest.approx(b / (a + b) * (1 - a - b) ** n)
    for eps in (0.25, 0.01, 1e-6):
        assert chain.mixing_time(eps) == np.ceil(np.log(eps * (a + b) / b) / np.log(1 - a - b))
    assert MarkovChain([[0.5, 0.5], [0.5, 0.5]]).mixing_time() == 1


def test_metropolis_as_a_matrix_is_in_detailed_balance(random):
    for _ in range(20):
        p, t = random.gamma(1, size=6), random.dirichlet(np.ones(6), 6)
        chain = metropolis_chain(p, t)
        np.testing.assert_allclose(chain.stationary, p / p.sum(), atol=1e-12)
        flow = (p / p.sum())[:, np.newaxis] * chain.transition
        np.testing.assert_allclose(flow, flow.T, atol=1e-15)
        assert chain.reversible


def test_dropping_rejections_samples_another_distribution(random):
    p, ring = random.gamma(1, size=6), (np.roll(np.eye(6), 1, 1) + np.roll(np.eye(6), -1, 1)) / 2
    chain = metropolis_chain(p, ring)
    accepted = p * (1 - np.diag(chain.transition))
    np.testing.assert_allclose(chain.jumps().stationary, accepted / accepted.sum(), atol=1e-12)
    assert np.abs(chain.jumps().stationary - chain.stationary).max() > 0.05


# Metropolis and Metropolis-Hastings


def exact_acceptance(proposal):
    """Of a random walk on N(0, TARGET): 1 - mean over all directions of sqrt(g / (4 + g)), g the proposal's precision
    in that direction. For increments z, log p(y) - log p(x) ~ N(-q/2, q) with q = z.P.z, and E min(1, exp) =
    2 Phi(-sqrt(q) / 2); the integral over the length of z is closed."""
    turn = np.linspace(0, np.pi, 2000, endpoint=False)
    z = np.einsum("ij,jn->ni", np.linalg.cholesky(proposal), np.stack([np.cos(turn), np.sin(turn)]))
    g = np.einsum("ni,ij,nj->n", z, PRECISION, z)
    return float(np.mean(1 - np.sqrt(g / (4 + g))))


@pytest.mark.parametrize(("name", "proposal", "printed"), [("wide", WIDE, 0.472), ("narrow", NARROW, 0.713)])
def test_the_bivariate_normal(walks, name, proposal, printed):
    chains = walks[name]
    assert exact_acceptance(proposal) == pytest.approx(printed, abs=5e-4)
    error = chains.acceptance.std() / np.sqrt(1000)
    assert abs(chains.acceptance.mean() - exact_acceptance(proposal)) < 4 * error and error < 1e-3
    for i, j in ((0, 0), (0, 1), (1, 1)):
        products = chains.samples[:, :, i] * chains.samples[:, :, j]
        assert abs(products.mean() - TARGET[i, j]) < 4 * diagnostics.standard_error(products) < 0.06
    for x in diagnostics.summary(chains.samples):
        assert abs(x.mean) < 4 * x.error


@pytest.mark.parametrize(("name", "variance", "covariance"), [("wide", 1.020, 0.691), ("narrow", 0.967, 0.679)])
def test_accepted_states_alone_are_biased(walks, name, variance, covariance):
    x = walks[name].samples
    moved = (x[:, 1:] != x[:, :-1]).any(axis=2)
    found = np.cov(x[:, 1:][moved].T)
    # The error of a variance from some 40,000 effective draws is 0.007, and that of the printed ones 0.003.
    np.testing.assert_allclose(found[[0, 0, 1], [0, 1, 1]], [variance, covariance, variance], atol=0.025)
    kept = np.cov(x.reshape(-1, 2).T)
    # Both share their noise, so that the sign of the bias is seen well: + 0.024 and - 0.031 in the trace halves.
    assert (np.trace(found) > np.trace(kept)) == (name == "wide")


def by_hand(start, steps, scale, seed):
    """Metropolis of a standard normal per chain as a double loop, with the sampler's noise: (chains, steps, 1)."""
    normal, uniform = np.random.default_rng(seed).spawn(2)
    z = normal.standard_normal((steps, *start.shape), dtype="float32") * np.float32(scale)
    log_u = -uniform.standard_exponential((steps, len(start)), dtype="float32")
    x, kept = start.astype("float32"), []
    for t in range(steps):
        for c in range(len(x)):
            y = x[c] + z[t, c]
            if log_u[t, c] < -0.5 * float(y[0] ** 2) + 0.5 * float(x[c, 0] ** 2):
                x[c] = y
        kept.append(x.copy())
    return np.swapaxes(kept, 0, 1)


def test_the_compiled_loop_does_what_ten_lines_do():
    start = np.linspace(-2, 2, 7)[:, np.newaxis]
    found = Metropolis(lambda x: -0.5 * ops.sum(x * x, -1), 1.5)(start, draws=120, seed=5)
    wanted = by_hand(start, 120, 1.5, 5)
    np.testing.assert_allclose(found.samples, wanted, atol=1e-6)
    moved = np.diff(wanted[:, :, 0], axis=1, prepend=start.astype("float32")) != 0
    np.testing.assert_allclose(found.acceptance, moved.mean(axis=1), atol=1e-6)
    assert 0.2 < found.acceptance.mean() < 0.9
    np.testing.assert_allclose(found.log_density, -0.5 * wanted[:, :, 0] ** 2, atol=1e-5)


@pytest.mark.parametrize("library", ["keras", "numpy"])
def test_seeds_burn_in_thinning_and_longer_runs(library):
    sampler, start = Metropolis(log_normal, 1.0, library=library), np.ones((5, 2))
    plain = sampler(start, draws=60, seed=4)
    np.testing.assert_array_equal(sampler(start, draws=60, seed=4).samples, plain.samples)
    assert np.any(sampler(start, draws=60, seed=5).samples != plain.samples)
    np.testing.assert_array_equal(sampler(start, draws=80, seed=4).samples[:, :60], plain.samples)
    late = sampler(start, draws=10, burn_in=30, thin=3, seed=4)
    np.testing.assert_array_equal(late.samples, plain.samples[:, 32::3])
    np.testing.assert_array_equal(late.last, plain.samples[:, -1])
    np.testing.assert_array_equal(late.log_density, plain.log_density[:, 32::3])


def test_long_runs_go_in_blocks(monkeypatch):
    sampler, start = Metropolis(log_normal, 1.0), np.ones((5, 2))
    whole = sampler(start, draws=50, burn_in=7, seed=4)
    monkeypatch.setattr("maquette.methods.sampling.chains.NUMBERS", 5 * 3 * 13)  # 13 steps of 3 numbers and 5 chains
    parts = sampler(start, draws=50, burn_in=7, seed=4)
    np.testing.assert_array_equal(parts.samples, whole.samples)
    np.testing.assert_allclose(parts.acceptance, whole.acceptance, rtol=1e-6)
    thinned = sampler(start, draws=9, burn_in=30, thin=5, seed=4)
    everything = sampler(start, draws=75, seed=4)
    np.testing.assert_array_equal(thinned.samples, everything.samples[:, 34::5])


@pytest.mark.parametrize("library", ["keras", "numpy"])
def test_hastings_correction_of_a_skew_proposal(library):
    log, exp = (ops.log, ops.exp) if library == "keras" else (np.log, np.exp)

    def log_gamma(x):  # Gamma(3, 1), up to a constant
        return 2 * log(x[:, 0]) - x[:, 0]

    def multiply(x, z):  # T(y | x) is log-normal around x
        return x * exp(0.8 * z)

    def log_proposal(to, of):
        return -log(to[:, 0]) - (log(to[:, 0]) - log(of[:, 0])) ** 2 / (2 * 0.8**2)

    chains, draws = (400, 400) if library == "keras" else (400, 100)
    for correction, shape in ((log_proposal, 3.0), (None, 2.0)):  # without it, p(x) / x: Gamma(2, 1)
        found = Metropolis(log_gamma, multiply, correction, library)(np.full((chains, 1), 2.0), draws, 50, seed=2)
        x = found.samples[:, :, 0]
        assert abs(x.mean() - shape) < 4 * diagnostics.standard_error(x)
        below = x < 2.0
        assert abs(below.mean() - stats.gamma.cdf(2.0, shape)) < 4 * diagnostics.standard_error(below)


def test_an_independence_sampler_of_the_target_accepts_all():
    lower = np.linalg.cholesky(TARGET)

    def fresh(x, z):
        a, b = z[:, :1], z[:, 1:]
        return ops.concatenate([lower[0, 0] * a, lower[1, 0] * a + lower[1, 1] * b], axis=1)

    found = Metropolis(log_normal, fresh, lambda to, of: log_normal(to))(np.zeros((50, 2)), draws=100)
    np.testing.assert_allclose(found.acceptance, 1.0)
    np.testing.assert_allclose(diagnostics.autocorrelation(found.samples[:, :, 0], 1)[1], 0, atol=4 / np.sqrt(5000))


def test_where_the_density_is_zero_no_chain_goes():
    def inside(x):  # uniform on (0, 1); NaN beyond 1, to be rejected as well
        return ops.where(x[:, 0] < 0, -np.inf, ops.where(x[:, 0] > 1, np.nan, 0.0 * x[:, 0]))

    x = Metropolis(inside, 0.5)(np.full((200, 1), 0.5), draws=400, burn_in=20).samples[:, :, 0]
    assert 0 <= x.min() < 0.01 and 0.99 < x.max() <= 1
    assert abs(x.mean() - 0.5) < 4 * diagnostics.standard_error(x)
    assert abs((x**2).mean() - 1 / 3) < 4 * diagnostics.standard_error(x**2)


def test_two_modes_far_apart_show_in_r_hat():
    def mixture(x):
        return ops.logaddexp(-0.5 * (x[:, 0] - 5) ** 2, -0.5 * (x[:, 0] + 5) ** 2)

    start = np.where(np.arange(20) % 2, 5.0, -5.0)[:, np.newaxis]
    narrow, wide = (Metropolis(mixture, scale)(start, draws=1500, burn_in=100).samples[:, :, 0] for scale in (0.5, 8))
    assert diagnostics.r_hat(narrow) > 1.5 and diagnostics.r_hat(wide) < 1.05
    assert abs(np.mean(wide > 0) - 0.5) < 4 * diagnostics.standard_error(wide > 0)


@pytest.mark.parametrize("scale", [1e-3, 1e2])
def test_the_step_size_is_found_from_far_away(scale):
    sampler, start = Metropolis(log_normal, scale * np.linalg.cholesky(TARGET).diagonal()), np.zeros((100, 2))
    better = tuned(sampler, start, target=0.3)
    chains = better(start, draws=300, burn_in=50, seed=1)
    assert chains.acceptance.mean() == pytest.approx(0.3, abs=0.03)
    assert sampler.scale == 1.0 and better.loop is sampler.loop
    assert abs((chains.samples**2).mean() - 1) < 4 * diagnostics.standard_error((chains.samples**2).mean(axis=2))


def test_weights_of_a_layer_may_change_between_runs():
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(1, use_bias=False, name="pull")
    layer.build((None, 1))

    class Well(keras.Model):
        def __init__(self):
            super().__init__(name="well")
            self.pull = layer

        def call(self, x):
            return -0.5 * (ops.exp(self.pull(ops.ones_like(x))) * x * x)[:, 0]

    sampler, start = Metropolis(Well(), 1.0), np.zeros((200, 1))
    for log_precision in (0.0, 2.0):
        layer.kernel.assign([[log_precision]])
        x = sampler(start, draws=300, burn_in=50).samples[:, :, 0]
        assert abs((x**2).mean() - np.exp(-log_precision)) < 4 * diagnostics.standard_error(x**2)


# Gibbs


@pytest.mark.parametrize("library", ["keras", "numpy"])
def test_gibbs_of_the_bivariate_normal(library):
    sampler = Gibbs(normal_conditionals([1, -1], TARGET), library=library)
    x = sampler(np.zeros((500, 2)), draws=200, burn_in=30, seed=3).samples
    for i, wanted in enumerate((1, -1)):
        assert abs(x[:, :, i].mean() - wanted) < 4 * diagnostics.standard_error(x[:, :, i])
    for i, j in ((0, 0), (0, 1), (1, 1)):
        products = (x[:, :, i] - [1, -1][i]) * (x[:, :, j] - [1, -1][j])
        assert abs(products.mean() - TARGET[i, j]) < 4 * diagnostics.standard_error(products)
    # rho_t = 0.49^t; the error of an autocorrelation from 100,000 draws is at most sqrt(2 / 1e5 / (1 - .49^2)).
    np.testing.assert_allclose(diagnostics.autocorrelation(x[:, :, 0], 4), 0.49 ** np.arange(5), atol=0.02)
    worth = diagnostics.effective_size(x[:, :, 0], "mean") / x[:, :, 0].size
    assert worth == pytest.approx((1 - 0.49) / (1 + 0.49), rel=0.1)


def test_three_correlated_normals_in_either_scan(random):
    factor = random.normal(size=(3, 3)) + 2 * np.eye(3)
    sigma = np.einsum("ik,jk->ij", factor, factor)
    for scan in ("systematic", "random"):
        x = Gibbs(normal_conditionals(np.zeros(3), sigma), scan=scan)(np.zeros((500, 3)), 400, 100).samples
        for i in range(3):
            products = x[:, :, i] * x[:, :, 0]
            assert abs(products.mean() - sigma[i, 0]) < 4 * diagnostics.standard_error(products)


@pytest.mark.parametrize("scan", ["systematic", "random"])
def test_gibbs_of_spins_finds_the_enumerated_probabilities(scan):
    every, at = enumerated(lambda s: energies(s, COUPLINGS, 0.2), 4, (-1, 1), 1.5)
    sampler = Gibbs(conditionals(COUPLINGS, 0.2, 1.5), "logistic", scan=scan)
    x = sampler(np.ones((500, 4)), draws=200, burn_in=40, seed=6).samples
    index = ((x > 0) * [8, 4, 2, 1]).sum(axis=2)  # the place in `every`
    np.testing.assert_array_equal(every[index], x)
    for state, wanted in enumerate(at.probabilities):
        seen = index == state
        assert abs(seen.mean() - wanted) < 4.5 * diagnostics.standard_error(seen)


def test_blocks_of_units_and_uniform_noise():
    # Two blocks: u uniform given v on (0, v), v given u uniform on (u, 1): together uniform on the triangle u < v.
    sampler = Gibbs([lambda p, r: p[1] * r, lambda p, r: p[0] + (1 - p[0]) * r], "uniform", sizes=(3, 3))
    x = sampler(np.tile([0.2, 0.2, 0.2, 0.8, 0.8, 0.8], (300, 1)), draws=200, burn_in=20).samples
    assert np.all(x[:, :, :3] <= x[:, :, 3:])
    for column, wanted in enumerate((1 / 3,) * 3 + (2 / 3,) * 3):
        assert abs(x[:, :, column].mean() - wanted) < 4 * diagnostics.standard_error(x[:, :, column])


# Diagnostics


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, -0.4])
def test_diagnostics_of_an_autoregression(random, phi):
    x = autoregressive(random, phi, 20, 5000)
    np.testing.assert_allclose(diagnostics.autocorrelation(x, 10), phi ** np.arange(11.0), atol=0.04)
    worth = diagnostics.effective_size(x, "mean") / x.size
    assert worth == pytest.approx((1 - phi) / (1 + phi), rel=0.12)
    wanted = np.sqrt(1 / (1 - phi) ** 2 / x.size)  # of the mean of many correlated draws
    assert diagnostics.standard_error(x) == pytest.approx(wanted, rel=0.1)
    # Halves of an effective size of n have means that scatter by 1 / n of their variance.
    half = 2500 * (1 - phi) / (1 + phi)
    assert diagnostics.r_hat(x) == pytest.approx(np.sqrt(1 + 1 / half), abs=1.5 / half)


def test_the_standard_error_is_the_scatter_of_means(random):
    x = autoregressive(random, 0.7, 400, 500)
    errors = [diagnostics.standard_error(chain[np.newaxis]) for chain in x]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(x.mean(axis=1).std(), rel=0.1)


def test_autocorrelation_by_definition(random):
    x = random.normal(size=(3, 50)).cumsum(axis=1)
    y = x - x.mean()
    direct = [(y[:, : 50 - t] * y[:, t:]).sum() for t in range(50)]
    np.testing.assert_allclose(diagnostics.autocorrelation(x), np.array(direct) / direct[0], atol=1e-12)


def test_r_hat_sees_what_differs(random):
    same = random.normal(size=(4, 500))
    assert diagnostics.r_hat(same) < 1.01
    assert diagnostics.r_hat(same + np.arange(4)[:, np.newaxis]) > 1.3  # places
    assert diagnostics.r_hat(same * np.array([1, 1, 1, 4])[:, np.newaxis]) > 1.1  # spreads, by the folded one
    assert diagnostics.r_hat(same + np.linspace(0, 3, 500)) > 1.2  # a drift, by the halves
    heavy = random.standard_cauchy(size=(4, 500))
    assert diagnostics.r_hat(heavy) < 1.02


def test_thinning_lowers_the_autocorrelation_and_never_pays(random):
    x = autoregressive(random, 0.9, 10, 6000)
    sizes = [diagnostics.effective_size(x[:, ::k], "mean") for k in (1, 5, 20)]
    lag1 = [diagnostics.autocorrelation(x[:, ::k], 1)[1] for k in (1, 5, 20)]
    np.testing.assert_allclose(lag1, [0.9, 0.9**5, 0.9**20], atol=0.06)
    assert sizes[0] > 0.97 * sizes[1] and sizes[1] > sizes[2]


def test_burn_in_removes_the_bias_of_a_far_start():
    sampler, far = Metropolis(log_normal, NARROW), np.full((200, 2), 20.0)
    with_start, without = sampler(far, 400), sampler(far, 300, burn_in=300)
    assert np.abs(with_start.flat.mean(axis=0)).min() > 0.5
    assert diagnostics.r_hat(with_start.samples[:, :, 0]) > 1.01
    means = diagnostics.summary(without.samples)
    assert all(abs(m.mean) < 4 * m.error for m in means)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.95, -0.5])
def test_arviz_agrees(random, phi):
    arviz = pytest.importorskip("arviz_stats.base").array_stats
    x = autoregressive(random, phi, 4, 501)
    for kind, more in (("bulk", {}), ("tail", {"prob": (0.05, 0.95)}), ("mean", {})):
        assert diagnostics.effective_size(x, kind) == pytest.approx(float(arviz.ess(x, method=kind, **more)), rel=1e-6)
    assert diagnostics.r_hat(x) == pytest.approx(float(arviz.rhat(x, method="rank")), rel=1e-9)
    assert diagnostics.standard_error(x) == pytest.approx(float(arviz.mcse(x, method="mean")), rel=1e-6)


# Figures


def test_figures_show_what_was_computed(walks):
    samples = walks["wide"].samples[:50]
    lines = sampling_figures.trace(samples[:, :, 0], "x₁").axes[0]
    assert len(lines.lines) == 4 and f"{diagnostics.r_hat(samples[:, :, 0]):.3f}" in lines.get_title("left")
    rho = sampling_figures.autocorrelations({"a": samples[:, :, 0], "b": samples[:, :, 1]}, 30).axes[0]
    np.testing.assert_allclose(rho.lines[1].get_ydata(), diagnostics.autocorrelation(samples[:, :, 0], 30))
    bars = sampling_figures.density(samples[:, :, 0], stats.norm.pdf).axes[0]
    assert sum(p.get_width() * p.get_height() for p in bars.patches) == pytest.approx(1)
    cloud = sampling_figures.scatter(samples, TARGET, path=30).axes[0]
    x, y = cloud.lines[0].get_data()
    np.testing.assert_allclose(log_normal(np.stack([x, y], axis=1)), np.log(0.05), atol=1e-9)
    np.testing.assert_array_equal(cloud.lines[1].get_xdata(), samples[0, :30, 0])
    coin = sampling_figures.inference(Beta(2, 2), 5, 1).axes[0]
    curves = {line.get_label(): line.get_data() for line in coin.lines}
    for name in ("likelihood, scaled", "prior", "posterior"):
        assert np.trapezoid(curves[name][1], curves[name][0]) == pytest.approx(1, abs=1e-4)
    assert {text.get_text() for text in coin.texts} == {"mean", "mode", "ML"}
    levels = sampling_figures.energy_levels([2.0, 0.0], {"T = 1": boltzmann([2.0, 0.0]).probabilities}).axes[0]
    assert levels.lines[0].get_xdata().tolist() == [0.0, 2.0]


# Wrong input


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: boltzmann([0.0, np.inf]), "energies holds NaN"),
        (lambda: boltzmann([0.0], 0), "temperature 0"),
        (lambda: boltzmann([0.0, 1.0], degeneracy=[1, 0]), "degeneracy"),
        (lambda: states(26), "2^26 states are too many"),
        (lambda: Beta(0, 1), "a 0"),
        (lambda: Beta(1, 1).mode, "no single mode"),
        (lambda: Beta(0.5, 2).interval(kind="highest"), "use 'equal-tailed'"),
        (lambda: Beta(1, 1).estimate("square"), "did you mean 'squared'"),
        (lambda: Beta(2, 2).updated(-1, 2), "heads -1"),
        (lambda: maximum_likelihood(0, 0), "at least one toss"),
        (lambda: integrate(quarter_circle, [0, 1], [1, 1]), "high: give one number above"),
        (lambda: integrate(quarter_circle, [0], [1], method="sobl"), "did you mean 'sobol'"),
        (lambda: integrate(quarter_circle, [0] * 8, [1] * 8, 100, "stratified"), "needs at least 512 here"),
        (lambda: integrate(lambda x: x, [0, 0], [1, 1], 9), "f gives the shape (9, 2)"),
        (lambda: monte_carlo.mean([1.0]), "needs two"),
        (lambda: point_estimate([1.0, 1.0], "zero-one"), "all equal"),
        (lambda: MarkovChain([[0.5, 0.5], [0.6, 0.5]]), "row 1 is no distribution"),
        (lambda: MarkovChain([[0.5, 0.5]]), "square matrix"),
        (lambda: MarkovChain([[1.0, 0.0], [0.5, 0.5]]).jumps(), "never left"),
        (lambda: metropolis_chain([1, 0], np.eye(2)), "2 positive numbers"),
        (lambda: Metropolis(log_normal)(np.zeros(2), 10), "a row per chain"),
        (lambda: Metropolis(log_normal)(np.zeros((3, 2)), 0), "draws 0"),
        (lambda: Metropolis(log_normal, np.eye(3))(np.zeros((3, 2)), 5), "proposal is for 3 coordinates: start has 2"),
        (lambda: Metropolis(log_normal, -np.eye(2))(np.zeros((3, 2)), 5), "no covariance"),
        (lambda: Metropolis(lambda x: x)(np.zeros((3, 2)), 5), "log_density gives the shape (3, 2)"),
        (lambda: Metropolis(lambda x: ops.log(x[:, 0]))(np.zeros((3, 2)), 5), "begin where p is positive"),
        (lambda: tuned(Metropolis(log_normal, lambda x, z: x + z), np.zeros((3, 2))), "proposal is a function"),
        (lambda: tuned(Metropolis(log_normal), np.zeros((3, 2)), target=1), "target 1"),
        (lambda: Metropolis(log_normal, library="nunpy"), "did you mean 'numpy'"),
        (lambda: Gibbs([abs], sizes=[1, 2]), "1 conditionals, 1 noises, 2 sizes"),
        (lambda: Gibbs([abs], "norml"), "did you mean 'normal'"),
        (lambda: Gibbs([abs])(np.zeros((3, 2)), 5), "start has 2 columns"),
        (lambda: normal_conditionals([0, 0], -np.eye(2)), "positive definite"),
        (lambda: conditionals(np.eye(2)), "zeros on its diagonal"),
        (lambda: diagnostics.r_hat(np.zeros((4, 5))), "5 draws per chain"),
        (lambda: diagnostics.effective_size(np.zeros((4, 9)), "bulky"), "did you mean 'bulk'"),
        (lambda: diagnostics.summary(np.full((2, 9, 1), np.nan)), "samples holds NaN"),
    ],
)
def test_wrong_input_is_named_in_one_line(call, says):
    with np.errstate(all="ignore"), pytest.raises(InputError) as error:
        call()
    assert says in str(error.value) and "\n" not in str(error.value)
