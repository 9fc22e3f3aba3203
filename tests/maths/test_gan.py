"""Both players of a generative adversarial network: their losses, who is moved by which, and what the critic learns."""

import keras
import numpy as np
import pytest
from keras import ops

from maquette.core.noise import Noise
from maquette.models.adversarial.gan import GAN


def game(random, dim=1, **arguments):
    """A small game with weights far from zero, biases included."""
    model = GAN(latent_dim=2, hidden_units=5, **arguments)
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


def standing_still(dim):
    """A game whose generator is the identity: it passes N(0, I) on."""
    model = GAN(latent_dim=dim, hidden_units=32)
    model.build((None, dim))
    passing = np.zeros((dim, 32)), np.zeros((32, 32)), np.zeros((32, dim))
    for i in range(dim):  # relu(z) - relu(-z) = z
        passing[0][i, 2 * i], passing[0][i, 2 * i + 1] = 1, -1
        passing[2][2 * i, i], passing[2][2 * i + 1, i] = 1, -1
    np.fill_diagonal(passing[1], 1)
    for layer, kernel in zip(model.generator.layers, passing, strict=True):
        layer.kernel.assign(kernel)
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
    model, random = standing_still(2), np.random.default_rng(0)
    target = np.array([2.0, -1.0])
    rates = {"generator": keras.optimizers.Adam(2e-3), "critic": keras.optimizers.Adam(5e-3)}
    model.compile(optimizer=rates)
    assert np.abs(ops.convert_to_numpy(model.generate(2000)).mean(axis=0)).max() < 0.15
    model.fit(
        (target + random.normal(0, 1, (500 * 128, 2))).astype("float32"), batch_size=128, shuffle=False, verbose=0
    )
    made = ops.convert_to_numpy(model.generate(2000))
    np.testing.assert_allclose(made.mean(axis=0), target, atol=0.6)
