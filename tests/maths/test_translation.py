"""Translators of pictures: their layers against NumPy, their sizes, the losses of every player, the pool of fakes."""

import keras
import numpy as np
import pytest
from keras import ops

from maquette.core.noise import Noise
from maquette.errors import InputError
from maquette.layers.instance_normalization import InstanceNormalization
from maquette.layers.reflection_padding import ReflectionPadding
from maquette.methods.network.receptive_field import Step, receptive_field
from maquette.models.adversarial import _patches, cyclegan, pix2pix
from maquette.models.adversarial.cyclegan import CycleGAN
from maquette.models.adversarial.pix2pix import Pix2Pix
from maquette.schedule import LateLinearDecay

# --- layers and sizes ---------------------------------------------------------------------------------------------


def test_pictures_are_reflected_as_numpy_does(random):
    x = random.normal(size=(2, 5, 7, 3)).astype("float32")
    expected = np.pad(x, ((0, 0), (2, 2), (3, 3), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(ops.convert_to_numpy(ReflectionPadding((2, 3))(x)), expected)
    spec = ReflectionPadding(3)(keras.KerasTensor((None, 8, None, 3)))
    assert spec.shape == (None, 14, None, 3)


def test_instance_normalisation_is_one_of_every_map(random):
    x = random.normal(3, 2, (2, 4, 6, 3)).astype("float32")
    layer = InstanceNormalization()
    layer.build(x.shape)
    shift = random.normal(size=3).astype("float32")
    layer.set_weights([shift])
    mean, variance = (f(x.astype("float64"), axis=(1, 2), keepdims=True) for f in (np.mean, np.var))
    expected = (x - mean) / np.sqrt(variance + 1e-5) + shift
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=2e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(np.ones((1, 1, 1, 3), "float32")))[0, 0, 0], shift)


@pytest.mark.parametrize("filters, field", [((64, 128, 256, 512), 70), ((64, 128), 16)])
def test_an_answer_of_the_critic_sees_a_patch(filters, field):
    critic = _patches.patch_critic("critic", 3, [maps // 32 for maps in filters])
    steps = [
        Step(layer.kernel_size[0], layer.strides[0])
        for layer in critic.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert receptive_field(steps)[-1].field == field


def test_the_published_networks_have_the_published_numbers_of_weights():
    # 11.378 and 2.765 million in the authors' implementation, where biases before the norms stand for our shifts.
    model = CycleGAN(pool=0)
    assert model._translator("to_b", 3).count_params() == 11_378_179
    assert _patches.patch_critic("critic_b", 3, model.critic_filters).count_params() == 2_764_737


def test_the_rate_stands_still_and_then_falls_in_a_straight_line():
    rate = LateLinearDecay(0.2, 40)
    found = [float(rate(step)) for step in (0, 10, 20, 25, 30, 40, 50)]
    assert found == pytest.approx([0.2, 0.2, 0.2, 0.15, 0.1, 0.0, 0.0], abs=1e-7)
    assert LateLinearDecay.from_config(rate.get_config())(30) == rate(30)


# --- losses: the networks are affine maps of a pixel, so that NumPy can follow --------------------------------------


def affine(name, channels, answers):
    network = keras.Sequential([keras.layers.Dense(answers, name=f"{name}_map")], name=name)
    network.build((None, 8, 8, channels))
    return network


def weights(network):
    return [np.asarray(w).astype("float64") for w in network.trainable_weights]


def through(network, x):
    kernel, bias = network
    return x @ kernel + bias


@pytest.fixture
def cycle(random, monkeypatch):
    monkeypatch.setattr(cyclegan, "patch_critic", lambda name, channels, filters: affine(name, channels, 1))
    monkeypatch.setattr(CycleGAN, "_translator", lambda self, name, channels: affine(name, channels, channels))
    model = CycleGAN(cycle=7.0, identity=3.0, pool=0)
    model.build((None, 2, 8, 8, 2))
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.7, weight.shape))
    return model


def parts(players, x, fakes=None):
    """Of CycleGAN: the critics' loss, fooling, cycle and identity; `fakes` (b, a) are what the critics are shown."""
    to_b, to_a, critic_b, critic_a = players
    a, b = 2 * x[:, 0] - 1, 2 * x[:, 1] - 1
    fake_b, fake_a = through(to_b, a), through(to_a, b)
    seen_b, seen_a = fakes or (fake_b, fake_a)
    critic = 0.0
    for of, real, seen in ((critic_b, b, seen_b), (critic_a, a, seen_a)):
        critic += ((through(of, real) - 1) ** 2).mean() / 2 + (through(of, seen) ** 2).mean() / 2
    fooling = ((through(critic_b, fake_b) - 1) ** 2).mean() + ((through(critic_a, fake_a) - 1) ** 2).mean()
    back = abs(through(to_a, fake_b) - a).mean() + abs(through(to_b, fake_a) - b).mean()
    same = abs(through(to_b, b) - b).mean() + abs(through(to_a, a) - a).mean()
    return critic, fooling, back, same


NETWORKS = ("to_b", "to_a", "critic_b", "critic_a")


def test_the_losses_are_those_of_the_networks(cycle, random):
    x = random.random((3, 2, 8, 8, 2)).astype("float32")
    cycle.compile(optimizer="sgd")
    found = cycle.evaluate(x, batch_size=3, verbose=0, return_dict=True)
    expected = parts([weights(getattr(cycle, name)) for name in NETWORKS], x)
    names = ("critic_loss", "fooling_loss", "cycle_loss", "identity_loss")
    assert [found[name] for name in names] == pytest.approx(expected, rel=1e-5)
    assert found["loss"] == pytest.approx(expected[0] + expected[1] + 7 * expected[2] + 3 * expected[3], rel=1e-5)


def test_every_network_descends_its_own_losses_alone(cycle, random, gradient, slope):
    x = random.random((3, 2, 8, 8, 2)).astype("float32")
    players = [weights(getattr(cycle, name)) for name in NETWORKS]
    fakes = through(players[0], 2 * x[:, 0] - 1), through(players[1], 2 * x[:, 1] - 1)
    found = gradient(cycle, x)
    for which, name in enumerate(NETWORKS):
        for i, weight in enumerate(getattr(cycle, name).trainable_weights):

            def own_loss(changed, which=which, i=i):
                moved = [list(one) for one in players]
                moved[which][i] = changed
                critic, fooling, back, same = parts(moved, x, fakes)
                return critic if which > 1 else fooling + 7 * back + 3 * same

            expected = slope(own_loss, players[which][i])
            np.testing.assert_allclose(found[weight.path], expected, rtol=1e-4, atol=2e-5)


def test_translators_that_undo_each_other_lose_nothing_on_the_way(cycle, random):
    turn = np.array([[0, 1], [-1, 0]], "float32")
    cycle.to_b.set_weights([turn, np.zeros(2, "float32")])
    cycle.to_a.set_weights([turn.T, np.zeros(2, "float32")])
    x = random.random((2, 2, 8, 8, 2)).astype("float32")
    there_and_back = ops.convert_to_numpy(cycle.serve(x))
    np.testing.assert_allclose(there_and_back[:, 2:], x, atol=1e-6)
    np.testing.assert_allclose(2 * there_and_back[:, 0] - 1, (2 * x[:, 0] - 1) @ turn, atol=1e-6)
    np.testing.assert_allclose(2 * there_and_back[:, 1] - 1, (2 * x[:, 1] - 1) @ turn.T, atol=1e-6)


def test_each_player_of_pix2pix_descends_its_own_loss_alone(random, monkeypatch, gradient, slope):
    monkeypatch.setattr(pix2pix, "patch_critic", lambda name, channels, filters: affine(name, channels, 1))
    monkeypatch.setattr(Pix2Pix, "_u_net", lambda self, name, channels: affine(name, channels, channels))
    model = Pix2Pix(filters=(1,), weight=5.0)
    model.build((None, 2, 8, 8, 2))
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.7, weight.shape))
    x = random.random((3, 2, 8, 8, 2)).astype("float32")
    a, b = 2 * x[:, 0] - 1, 2 * x[:, 1] - 1
    players = [weights(model.translator), weights(model.critic)]
    shown = through(players[0], a)

    def losses(players, shown=None):
        fake = through(players[0], a)
        real, fooled = (through(players[1], np.concatenate([a, c], axis=-1)) for c in (b, fake))
        seen = through(players[1], np.concatenate([a, fake if shown is None else shown], axis=-1))
        critic = (np.logaddexp(0, -real).mean() + np.logaddexp(0, seen).mean()) / 2
        return np.logaddexp(0, -fooled).mean() + 5 * abs(fake - b).mean(), critic

    model.compile(optimizer="sgd")
    loss = model.evaluate(x, batch_size=3, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(sum(losses(players)), rel=1e-5)
    found = gradient(model, x)
    for which, name in enumerate(("translator", "critic")):
        for i, weight in enumerate(getattr(model, name).trainable_weights):

            def own_loss(changed, which=which, i=i):
                moved = [list(one) for one in players]
                moved[which][i] = changed
                return losses(moved, shown)[which]

            expected = slope(own_loss, players[which][i])
            np.testing.assert_allclose(found[weight.path], expected, rtol=1e-4, atol=2e-5)


# --- the pool -------------------------------------------------------------------------------------------------------


def numbered(first, count):
    """Fakes whose every pixel is their number, of a the negative ones."""
    number = np.arange(first, first + count, dtype="float32")[:, None, None, None]
    fakes = np.broadcast_to(number, (count, 8, 8, 1))
    return -fakes, fakes


def told(model, fakes, training=True):
    """The numbers shown to both critics, and those in the pool of b."""
    shown = [ops.convert_to_numpy(part)[:, 0, 0, 0] for part in model._from_pools(*fakes, training)]
    np.testing.assert_array_equal(shown[0], -shown[1])
    return shown[1].tolist(), ops.convert_to_numpy(model.pool_b)[:, 0, 0, 0].tolist()


@pytest.fixture
def pooled():
    model = CycleGAN(filters=1, blocks=0, critic_filters=(1,), pool=7)
    model.build((None, 2, 8, 8, 1))
    return model


def test_the_pool_fills_and_then_changes_every_second_fake_for_an_earlier_one(pooled):
    kept, swaps, ages = [0.0] * 7, [], []
    for step in range(60):
        new = [float(n) for n in range(3 * step + 1, 3 * step + 4)]
        shown, pool = told(pooled, numbered(3 * step + 1, 3))
        if step < 3:  # 9 of them for 7 places: the last two take those of the first
            assert shown == new
        else:
            earlier = [n for n in shown if n not in new]
            assert set(earlier) <= set(kept) and len(set(shown)) == 3
            came = [n for n, other in zip(new, shown, strict=True) if n != other]
            assert sorted(pool) == sorted([n for n in kept if n not in earlier] + came)
            swaps.append(len(earlier))
            ages += [new[0] - n for n in earlier]
        kept = pool
    assert 0.4 < np.mean(swaps) / 3 < 0.6
    assert max(ages) > 30  # some stay for long


def test_the_pool_takes_no_part_in_evaluation_and_bears_large_batches(pooled):
    assert told(pooled, numbered(1, 3), training=False) == ([1.0, 2.0, 3.0], [0.0] * 7)
    shown, pool = told(pooled, numbered(1, 16))
    assert shown == [float(n) for n in range(1, 17)] and pool == shown[:7]
    shown, pool = told(pooled, numbered(17, 16))
    assert set(shown) <= set(range(1, 33)) and set(pool) <= set(range(1, 33)) and len(set(pool)) == 7


def test_the_draws_from_the_pool_are_those_of_the_seed(pooled):
    other = CycleGAN(filters=1, blocks=0, critic_filters=(1,), pool=7)
    other.build((None, 2, 8, 8, 1))
    for step in range(5):
        assert told(pooled, numbered(3 * step, 3)) == told(other, numbered(3 * step, 3))
    Noise.table = staticmethod(lambda kind, shape, call: np.full(shape, 0.5))  # where the coin keeps every new one
    try:
        assert told(pooled, numbered(50, 3))[0] == [50.0, 51.0, 52.0]
    finally:
        Noise.table = None


# --- what they take -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "shape", "words"),
    [
        (
            CycleGAN(filters=1, blocks=0),
            (2, 30, 32, 3),
            "30x32 pixels: CycleGAN halves the sides 2 times; set inputs.size",
        ),
        (CycleGAN(filters=1, blocks=0), (2, 4, 4, 3), "multiple of 4 from 8 on"),
        (CycleGAN(filters=1, blocks=0), (32, 32, 3), "pairs of pictures"),
        (Pix2Pix(filters=(1,) * 5), (2, 48, 64, 3), "48x64 pixels: pix2pix halves the sides 5 times"),
    ],
)
def test_sizes_that_cannot_be_halved_are_named(model, shape, words):
    with pytest.raises(InputError) as caught:
        model.build((None, *shape))
    assert words in str(caught.value)


def test_pix2pix_takes_no_strangers():
    with pytest.raises(InputError, match="cyclegan"):
        Pix2Pix().initialize(np.zeros((2, 2, 8, 8, 3)), np.array([1, 0]))


def test_a_translator_takes_pictures_of_other_sizes_than_it_was_built_for(random):
    model = CycleGAN(filters=2, blocks=1, critic_filters=(2,), pool=0)
    model.build((None, 2, 8, 8, 3))
    x = random.random((1, 2, 12, 16, 3)).astype("float32")
    assert ops.convert_to_numpy(model(x)).std(axis=(2, 3)).min() > 0 and model(x).shape == x.shape
