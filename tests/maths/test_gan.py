"""Both players of a generative adversarial network: their losses, who is moved by which, and what the critic learns."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from keras import ops

from maquette.core.noise import Noise
from maquette.core.players import frozen
from maquette.errors import InputError
from maquette.layers.spectral_normalization import SpectralConv2D, SpectralDense
from maquette.models.adversarial._losses import GAMES
from maquette.models.adversarial.dcgan import DCGAN
from maquette.models.adversarial.gan import GAN


def game(random, dim=1, **arguments):
    """A small game with weights far from zero, biases included."""
    model = GAN(**{"latent_dim": 2, "hidden_units": (5, 5), **arguments})
    model.build((None, dim))
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.7, weight.shape))
    return model


def player(model, name):
    """The weights of one player, float64."""
    return [np.asarray(w).astype("float64") for w in getattr(model, name).trainable_weights]


def network(weights, x):
    """Dense layers with ReLU between them."""
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = np.maximum(x @ kernel + bias, 0)
    return x @ weights[-2] + weights[-1]


def losses(generator, critic, real, z):
    """(L_D, L_G) in float64."""
    on_real, on_fake = network(critic, real), network(critic, network(generator, z))
    return np.logaddexp(0, -on_real).mean() + np.logaddexp(0, on_fake).mean(), np.logaddexp(0, -on_fake).mean()


@pytest.fixture
def latent(random):
    """Fix the noise: every draw is this array (8, 2)."""
    z = random.normal(size=(8, 2))
    Noise.table = staticmethod(lambda kind, shape, call: z)
    yield z
    Noise.table = None


def test_an_undecided_critic_gives_both_players_the_known_losses(random, latent):
    model = game(random)
    for weight in model.critic.layers[-1].weights:
        weight.assign(np.zeros(weight.shape))
    model.compile(optimizer="sgd", run_eagerly=True)  # a compiled evaluation has no size to ask fixed noise for
    result = model.evaluate(random.normal(size=(8, 1)).astype("float32"), verbose=0, return_dict=True)
    assert result["critic_loss"] == pytest.approx(2 * np.log(2), rel=1e-6)
    assert result["generator_loss"] == pytest.approx(np.log(2), rel=1e-6)
    assert result["loss"] == pytest.approx(3 * np.log(2), rel=1e-6)


@pytest.mark.parametrize("dim", [1, 2])
def test_the_losses_are_those_of_the_networks(dim, random, latent):
    model, real = game(random, dim), random.normal(size=(8, dim)).astype("float32")
    model.compile(optimizer="sgd", run_eagerly=True)  # a compiled evaluation has no size to ask fixed noise for
    result = model.evaluate(real, verbose=0, return_dict=True)
    expected = losses(player(model, "generator"), player(model, "critic"), real, latent)
    assert (result["critic_loss"], result["generator_loss"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dim, seed", [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2)])
def test_each_player_descends_its_own_loss_alone(dim, seed, latent, gradient, slope):
    random = np.random.default_rng(seed)
    model, real = game(random, dim), random.normal(size=(8, dim)).astype("float32")
    players = [player(model, "generator"), player(model, "critic")]
    found = gradient(model, real)
    for which, name in enumerate(("generator", "critic")):
        for i, weight in enumerate(getattr(model, name).trainable_weights):

            def own_loss(changed, which=which, i=i):
                weights = [list(one) for one in players]
                weights[which][i] = changed
                return losses(*weights, real, latent)[1 - which]

            expected = slope(own_loss, players[which][i])
            np.testing.assert_allclose(found[weight.path], expected, rtol=1e-4, atol=3e-6)


def test_each_player_has_a_rate_of_its_own(random, latent, gradient):
    real = random.normal(size=(8, 1)).astype("float32")
    by_path = gradient(game(np.random.default_rng(1)), real)
    model = game(np.random.default_rng(1))
    before = {w.path: np.asarray(w).copy() for w in model.trainable_weights}
    rates = {"generator": 0.5, "critic": 0.25}
    model.compile(optimizer={name: keras.optimizers.SGD(rate) for name, rate in rates.items()})
    model.train_on_batch(real)
    for name, rate in rates.items():
        for weight in getattr(model, name).trainable_weights:
            moved = before[weight.path] - np.asarray(weight)
            np.testing.assert_allclose(moved, rate * by_path[weight.path], atol=1e-6)


def standing_still(dim, **arguments):
    """A game whose generator is the identity: it passes N(0, I) on."""
    model = GAN(latent_dim=dim, hidden_units=(32, 32), **arguments)
    model.build((None, dim))
    passing = np.zeros((dim, 32)), np.zeros((32, 32)), np.zeros((32, dim))
    for i in range(dim):  # relu(z) - relu(-z) = z
        passing[0][i, 2 * i], passing[0][i, 2 * i + 1] = 1, -1
        passing[2][2 * i, i], passing[2][2 * i + 1, i] = 1, -1
    np.fill_diagonal(passing[1], 1)
    for layer, kernel in zip(model.generator.layers, passing, strict=True):
        layer.set_weights([kernel, np.zeros(kernel.shape[1])])
    return model


def test_the_best_critic_is_the_log_ratio_of_densities():
    # Data N(1, 1) against a generator fixed at N(0, 1): log p(x) / q(x) = x - 1/2.
    model, random = standing_still(1), np.random.default_rng(0)
    model.compile(optimizer={"generator": keras.optimizers.SGD(0.0), "critic": keras.optimizers.Adam(3e-3)})
    real = random.normal(1, 1, (400 * 256, 1)).astype("float32")
    model.fit(real, batch_size=256, shuffle=False, verbose=0)
    x = np.linspace(-1, 2, 13, dtype="float32")[:, None]
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), x - 0.5, atol=0.25)
    # Its loss is then 2 log 2 - 2 JS(p, q), the divergence by numerical integration.
    t = np.linspace(-8, 9, 4001)
    p, q = (np.exp(-np.square(t - mean) / 2) / np.sqrt(2 * np.pi) for mean in (1, 0))
    middle = (p + q) / 2
    divergence = np.trapezoid((p * np.log(p / middle) + q * np.log(q / middle)) / 2, t)
    fresh = random.normal(1, 1, (20_000, 1)).astype("float32")
    result = model.evaluate(fresh, batch_size=4000, verbose=0, return_dict=True)
    assert result["critic_loss"] == pytest.approx(2 * np.log(2) - 2 * divergence, abs=0.02)


def test_training_moves_the_generated_points_onto_the_data():
    # The players of the plain game go round each other: a mean of the generator's weights lies where they go round.
    model = standing_still(2, critic_steps=3, gradient_penalty=1.0, ema=0.98)
    random, target = np.random.default_rng(0), np.array([2.0, -1.0])
    rates = {"generator": keras.optimizers.Adam(2e-3), "critic": keras.optimizers.Adam(5e-3)}
    model.compile(optimizer=rates)
    model.fit(
        (target + random.normal(0, 1, (500 * 128, 2))).astype("float32"), batch_size=128, shuffle=False, verbose=0
    )
    made = ops.convert_to_numpy(model.generate(2000))
    np.testing.assert_allclose(made.mean(axis=0), target, atol=0.4)


# --- games ---------------------------------------------------------------------------------------------------------

P, Q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
JS = sum(np.sum(one * np.log(one / ((P + Q) / 2))) / 2 for one in (P, Q))
# name -> the critic that is best on a space of three items, and its loss
BEST = {
    "minimax": (np.log(P / Q), 2 * np.log(2) - 2 * JS),
    "non-saturating": (np.log(P / Q), 2 * np.log(2) - 2 * JS),
    "least-squares": (P / (P + Q), np.sum(P * Q / (P + Q)) / 2),
    "hinge": (np.sign(P - Q), 2 - np.abs(P - Q).sum()),
    "kl": (1 + np.log(P / Q), -np.sum(P * np.log(P / Q))),
    "reverse-kl": (np.log(P / Q), -np.sum(Q * np.log(Q / P))),
    "pearson": (2 * (P / Q - 1), -np.sum((P - Q) ** 2 / Q)),
}


def critic_loss(name, answers):
    """E_P and E_Q over the three items, of answers (3,); the rules are sums of a part of a and a part of b."""
    rule, zero = GAMES[name][0], np.zeros(3)
    a, b, both = (ops.convert_to_numpy(rule(*pair)) for pair in ((answers, zero), (zero, answers), (zero, zero)))
    return np.sum(P * a) + np.sum(Q * b) - both[0]


@pytest.mark.parametrize("name", BEST)
def test_the_best_critic_of_every_game_has_the_loss_of_its_divergence(name, random):
    best, value = BEST[name]
    assert critic_loss(name, best) == pytest.approx(value, abs=1e-5)
    for _ in range(5):
        assert critic_loss(name, best + random.normal(0, 0.3, 3)) >= value - 1e-5


def test_only_the_minimax_generator_learns_nothing_from_a_sure_critic(slope):
    for name, expected in {
        "minimax": lambda d: -d,
        "non-saturating": lambda d: d - 1,
    }.items():
        for logit in (-12.0, -3.0, 0.0, 2.0):
            found = slope(
                lambda b, name=name: float(GAMES[name][1](ops.convert_to_tensor(b, "float32"))), np.array(logit), 0.03
            )
            assert found == pytest.approx(expected(1 / (1 + np.exp(-logit))), abs=2e-4)


def test_the_vanishing_gradient_measured(gradient, latent):
    sizes = {}
    for name in ("minimax", "non-saturating"):
        model = game(np.random.default_rng(3), game=name)
        model.critic.layers[-1].bias.assign([-12.0])  # every fake is found out
        found = gradient(model, np.zeros((8, 1), "float32"))
        sizes[name] = sum(np.square(value).sum() for path, value in found.items() if "generator" in path) ** 0.5
    assert 0 < sizes["minimax"] < 1e-2 * sizes["non-saturating"]


def test_the_penalty_of_a_linear_critic_is_that_of_its_slope(gradient, latent):
    model = GAN(latent_dim=2, hidden_units=(), game="wasserstein", gradient_penalty=10.0)
    model.build((None, 3))
    w, bias = np.array([[2.0], [-1.0], [2.0]], "float32"), np.zeros(1, "float32")
    model.critic.set_weights([w, bias])
    kernel, shift = (v.copy() for v in map(np.asarray, model.generator.get_weights()))
    real = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    Noise.table = staticmethod(lambda kind, shape, call: latent if kind == "normal" else np.full(shape, 0.3))
    found = gradient(model, real)
    fake = latent @ kernel + shift
    expected = (fake.mean(axis=0) - real.mean(axis=0))[:, None] + 10 * 2 * (3 - 1) * w / 3
    np.testing.assert_allclose(found[model.critic.weights[0].path], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[model.generator.weights[1].path], -w[:, 0], rtol=1e-5)


# --- turns, averages, classes ----------------------------------------------------------------------------------------


def steps(model, x, count, y=None):
    """The weights of both players before the first step and after each."""
    seen = [[np.asarray(w).copy() for w in model.generator.weights]]
    for _ in range(count):
        model.train_on_batch(x, y)
        seen.append([np.asarray(w).copy() for w in model.generator.weights])
    return seen


def test_the_generator_moves_in_its_turn_alone_and_by_the_gradient_of_then(latent, gradient):
    x = np.random.default_rng(0).normal(size=(8, 1)).astype("float32")
    model = game(np.random.default_rng(1), critic_steps=3, ema=0.9)
    model.average.set_weights(model.generator.get_weights())
    rates = {"generator": keras.optimizers.SGD(0.5), "critic": keras.optimizers.SGD(0.1)}
    model.compile(rates)
    seen = steps(model, x, 2)
    for before, after in pairwise(seen):
        np.testing.assert_array_equal(before[0], after[0])
    now = game(np.random.default_rng(1))
    for own, other in zip((now.generator, now.critic), (model.generator, model.critic), strict=True):
        own.set_weights([np.asarray(w) for w in other.get_weights()])
    expected = gradient(now, x)
    moved = [old - new for old, new in zip(seen[-1], steps(model, x, 1)[-1], strict=True)]
    for weight, step in zip(now.generator.weights, moved, strict=True):
        np.testing.assert_allclose(step, 0.5 * expected[weight.path], rtol=1e-4, atol=1e-6)


def test_the_average_follows_the_generator(latent):
    model = game(np.random.default_rng(1), ema=0.6)
    model.compile({"generator": keras.optimizers.SGD(0.5), "critic": keras.optimizers.SGD(0.5)})
    start = [np.zeros(w.shape) for w in model.average.weights]
    model.average.set_weights(start)
    seen = steps(model, np.random.default_rng(0).normal(size=(8, 1)).astype("float32"), 4)
    expected = start
    for t, weights in enumerate(seen[:-1], 1):  # the weights that a step begins with
        share = min(0.6, t / (t + 10))
        expected = [share * slow + (1 - share) * fast for slow, fast in zip(expected, weights, strict=True)]
    for slow, value in zip(model.average.weights, expected, strict=True):
        np.testing.assert_allclose(np.asarray(slow), value, rtol=1e-5, atol=1e-6)
    z = model.latents(3, seed=0)
    np.testing.assert_array_equal(np.asarray(model.decode(z)), np.asarray(model.average(z)))


def test_of_a_critic_of_classes_the_answer_of_the_items_class_counts(random, latent):
    model = game(random, conditional=True, classes=3)
    x, y = random.normal(size=(8, 1)).astype("float32"), np.arange(8) % 3
    model.compile(optimizer="sgd", run_eagerly=True)
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    given = np.eye(3)[y]
    fake = network(player(model, "generator"), np.concatenate([latent, given], axis=1))
    a, b = ((network(player(model, "critic"), part) * given).sum(axis=1) for part in (x, fake))
    assert found["critic_loss"] == pytest.approx(np.mean(np.logaddexp(0, -a) + np.logaddexp(0, b)), rel=1e-5)
    assert found["generator_loss"] == pytest.approx(np.logaddexp(0, -b).mean(), rel=1e-5)
    asked = [np.asarray(model.generate(2, seed=5, labels=[label] * 2)) for label in (0, 2)]
    assert np.abs(asked[0] - asked[1]).min() > 1e-3
    with pytest.raises(InputError, match="folder per class"):
        model.initialize(x, None)


# --- drawing ---------------------------------------------------------------------------------------------------------


def test_draws_by_seed_and_within_a_truncation():
    from scipy import stats

    model = GAN(latent_dim=50, hidden_units=(4,))
    model.build((None, 2))
    counters = [np.asarray(v.value).copy() for v in model.noise.variables]
    z = ops.convert_to_numpy(model.latents(400, seed=1))
    np.testing.assert_array_equal(z, ops.convert_to_numpy(model.latents(400, seed=1)))
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.01
    near = ops.convert_to_numpy(model.latents(400, seed=1, truncation=0.7))
    assert np.abs(near).max() <= 0.7 and stats.kstest(near.ravel(), stats.truncnorm(-0.7, 0.7).cdf).pvalue > 0.01
    for before, after in zip(counters, model.noise.variables, strict=True):
        np.testing.assert_array_equal(before, np.asarray(after.value))
    assert not np.array_equal(*(ops.convert_to_numpy(model.generate(3)) for _ in range(2)))


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_a_way_between_samples_begins_and_ends_at_them(prior):
    model = GAN(latent_dim=6, hidden_units=(), prior=prior)
    model.build((None, 6))
    model.generator.set_weights([np.eye(6, dtype="float32"), np.zeros(6, "float32")])  # what is shown is z itself
    way = ops.convert_to_numpy(model.interpolate(2, 5, seed=3))
    for place, i in ((0, 0), (-1, 1)):
        np.testing.assert_allclose(way[:, place], ops.convert_to_numpy(model.latents(2, (3, i))), atol=1e-5)
    if prior == "uniform":
        np.testing.assert_allclose(way[:, 2], (way[:, 0] + way[:, 4]) / 2, atol=1e-5)
    else:  # at equal angles from one to the next
        unit = way / np.linalg.norm(way, axis=-1, keepdims=True)
        angles = np.arccos((unit[:, 1:] * unit[:, :-1]).sum(axis=-1))
        assert np.linalg.norm(way, axis=-1).min() > 0.6 * np.linalg.norm(way[:, [0, -1]], axis=-1).min()
        assert angles.min() > 0


# --- layers -----------------------------------------------------------------------------------------------------


def test_spectral_layers_have_the_largest_singular_value_one(random):
    for layer, shape in ((SpectralDense(4), (5, 7)), (SpectralConv2D(3, 2), (5, 6, 6, 2))):
        x = random.normal(size=shape).astype("float32")
        layer.build(x.shape)
        raw = np.asarray(layer.weights[0]) * 3 + 0.1
        layer.weights[0].assign(raw)
        for _ in range(60):
            layer(x, training=True)
        matrix = raw.reshape(-1, raw.shape[-1])
        expected = raw / np.linalg.norm(matrix, 2)
        np.testing.assert_allclose(ops.convert_to_numpy(layer.kernel), expected, rtol=1e-4, atol=1e-6)
        kept = np.asarray(layer.u).copy()
        layer(x)
        frozen(layer, ops.convert_to_tensor(x), training=True)
        np.testing.assert_array_equal(kept, np.asarray(layer.u))
        plain = x @ expected if x.ndim == 2 else None
        if plain is not None:
            np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), plain, rtol=1e-3, atol=1e-5)


def test_the_networks_of_dcgan_are_mirror_images():
    model = DCGAN(latent_dim=5, filters=(6, 4), game="hinge", spectral=True)
    model.build((None, 12, 8, 1))
    sizes = [layer.output.shape[1:] for layer in model.generator.layers if "up" in layer.name or "maps" in layer.name]
    back = [layer.output.shape[1:] for layer in model.critic.layers if "down" in layer.name]
    assert sizes == [(3, 2, 6), (6, 4, 4), (12, 8, 1)] and back == [(6, 4, 4), (3, 2, 6)]
    made = ops.convert_to_numpy(model.generate(2, seed=0))
    assert made.shape == (2, 12, 8, 1) and made.min() >= 0 and made.max() <= 1
    assert not any("norm" in layer.name for layer in model.critic.layers)


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda: DCGAN(filters=(8, 4, 2)), (None, 28, 28, 1), "28x28"),
        (lambda: DCGAN(), (None, 2), "take gan"),
        (lambda: GAN(), (None, 3, 2), "pictures or points"),
    ],
)
def test_items_that_do_not_fit_are_refused(make, shape, words):
    with pytest.raises(InputError, match=words):
        make().build(shape)


def test_arguments_that_make_no_sense_are_refused():
    for arguments, words in (({"game": "hinges"}, "hinge"), ({"prior": "gauss"}, "prior"), ({"ema": 1.0}, "ema")):
        with pytest.raises(ValueError, match=words):
            GAN(**arguments)


def test_spectral_layers_come_back_from_a_file(tmp_path):
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 2)).astype("float32")
    network = [SpectralConv2D(3, 2, name="maps"), keras.layers.Flatten(), SpectralDense(4, use_bias=False, name="d")]
    model = keras.Sequential(network)
    for _ in range(3):
        model(x, training=True)  # moves u
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert len(model.weights) == 5
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))
    np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(again(x)))
