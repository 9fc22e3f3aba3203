"""Two players: each gradient reaches its own weights, and each weight its own optimizer, before and after loading."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from maquette.core.gradient import input_gradient
from maquette.core.model import learning_rule
from maquette.core.players import Players, frozen

RATE = {"generator": 0.5, "critic": 0.25}
random = np.random.default_rng(0)
X = random.normal(size=(6, 2)).astype("float32")


@keras.saving.register_keras_serializable("core_tests")
class Game(Players):
    """G(z) = z.A + a against D(x) = tanh(x.U + u).v + c; the noise z is the data reversed."""

    tracked = ("critic_loss", "generator_loss")

    def build(self, input_shape: Any) -> None:
        self.generator = keras.Sequential([layers.Dense(2, name="affine")], name="generator")
        self.critic = keras.Sequential(
            [layers.Dense(3, "tanh", name="hidden"), layers.Dense(1, name="out")], name="critic"
        )
        self.generator.build((None, 2))
        self.critic.build((None, 2))

    def call(self, x: Any, training: bool = False) -> Any:
        return self.critic(x, training=training)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        fake = self.generator(ops.flip(x, axis=0))
        on_fake = self.critic(ops.stop_gradient(fake))
        critic_loss = ops.mean(ops.softplus(-y_pred)) + ops.mean(ops.softplus(on_fake))
        generator_loss = ops.mean(ops.softplus(-frozen(self.critic, fake)))
        self.track(x, critic_loss=critic_loss, generator_loss=generator_loss)
        return critic_loss + generator_loss


def game(optimizer=None):
    keras.utils.set_random_seed(3)
    model = Game()
    model.build((None, 2))
    model.compile(optimizer=optimizer or {name: keras.optimizers.SGD(rate) for name, rate in RATE.items()})
    return model


def arrays(variables):
    return [np.array(ops.convert_to_numpy(v.value)) for v in variables]


def softplus(a):
    return np.logaddexp(0, a)


def critic(weights, x):
    u, b, v, c = weights
    return np.tanh(x @ u + b) @ v + c


def separate_losses(g, d, x):
    """The two losses as the paper has them, in float64: of the critic, of the generator."""
    fake = x[::-1] @ g[0] + g[1]
    on_fake = critic(d, fake)
    return softplus(-critic(d, x)).mean() + softplus(on_fake).mean(), softplus(-on_fake).mean()


def slopes(loss, weights, h=1e-6):
    """Central differences of loss(weights) in every entry."""
    result = []
    for place, weight in enumerate(weights):
        slope = np.zeros(weight.shape)
        for entry in np.ndindex(weight.shape):
            ends = []
            for sign in (1, -1):
                moved = [w.copy() for w in weights]
                moved[place][entry] += sign * h
                ends.append(loss(moved))
            slope[entry] = (ends[0] - ends[1]) / (2 * h)
        result.append(slope)
    return result


@pytest.mark.parametrize("eager", [True, False])
def test_each_player_descends_its_own_loss_at_the_same_weights(eager):
    model = game()
    model.run_eagerly = eager
    g, d = ([w.astype("float64") for w in arrays(net.trainable_variables)] for net in (model.generator, model.critic))
    for _ in range(3):
        model.train_on_batch(X)
        of_g = slopes(lambda w, d=d: separate_losses(w, d, X)[1], g)
        of_d = slopes(lambda w, g=g: separate_losses(g, w, X)[0], d)
        g = [w - RATE["generator"] * s for w, s in zip(g, of_g, strict=True)]
        d = [w - RATE["critic"] * s for w, s in zip(d, of_d, strict=True)]
        for net, expected in ((model.generator, g), (model.critic, d)):
            for found, wanted in zip(arrays(net.trainable_variables), expected, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loser", ["generator", "critic"])
def test_a_player_whose_optimizer_stands_still_keeps_its_weights_while_the_other_moves(loser, tmp_path):
    rates = {name: 0.0 if name == loser else 0.1 for name in RATE}
    model = game({name: keras.optimizers.SGD(rate) for name, rate in rates.items()})
    model.train_on_batch(X)
    model.save(tmp_path / "game.keras")
    for one in (model, keras.saving.load_model(tmp_path / "game.keras")):
        before = {name: arrays(getattr(one, name).trainable_variables) for name in RATE}
        one.train_on_batch(X)
        for name in RATE:
            now = arrays(getattr(one, name).trainable_variables)
            stands = [np.array_equal(a, b) for a, b in zip(before[name], now, strict=True)]
            assert all(stands) if name == loser else not any(stands)


def test_loading_brings_back_both_optimizers_and_training_goes_on_bit_for_bit(tmp_path):
    model = game({"generator": {"class_name": "Adam", "config": {"learning_rate": 0.02}}, "critic": "rmsprop"})
    for _ in range(3):
        model.train_on_batch(X)
    model.save(tmp_path / "game.keras")
    loaded = keras.saving.load_model(tmp_path / "game.keras")
    for _ in range(2):
        for a, b in zip(model.variables + model.optimizer.variables, loaded.variables + loaded.optimizer.variables):
            np.testing.assert_array_equal(*arrays([a, b]))
        model.train_on_batch(X)
        loaded.train_on_batch(X)


def test_a_weight_of_no_player_is_named():
    class Stray(Game):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.stray = self.add_weight(shape=(1,), name="stray")

    model = Stray()
    model.build((None, 2))
    model.compile(optimizer=dict.fromkeys(RATE, "sgd"))
    with pytest.raises(ValueError, match=r"no player of Stray owns the weight .*stray"):
        model.train_on_batch(X)


def test_frozen_drops_changes_of_state_and_lets_the_gradient_through():
    net = keras.Sequential([layers.BatchNormalization(name="norm"), layers.Dense(1, name="out")], name="net")
    net.build((None, 2))
    before = arrays(net.variables)
    net_free = ops.convert_to_numpy(ops.stop_gradient(frozen(net, ops.convert_to_tensor(X), training=True)))
    for a, b in zip(before, arrays(net.variables), strict=True):
        np.testing.assert_array_equal(a, b)
    slope = ops.convert_to_numpy(ops.stop_gradient(input_gradient(lambda x: frozen(net, x), ops.convert_to_tensor(X))))
    scale = 1 / np.sqrt(1 + net.layers[0].epsilon)  # moving mean 0 and variance 1 before any training
    np.testing.assert_allclose(slope, np.tile(scale * arrays([net.layers[1].kernel])[0].T, (6, 1)), rtol=1e-5)
    normal = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + net.layers[0].epsilon)
    np.testing.assert_allclose(net_free, normal @ arrays([net.layers[1].kernel])[0], rtol=1e-4, atol=1e-5)
