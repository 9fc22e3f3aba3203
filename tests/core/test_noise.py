"""Noise: counters that are saved, apart for training and evaluation, and replaceable by a table."""

import random

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy import stats

from maquette.core.dropout import Dropout
from maquette.core.model import Model, learning_rule
from maquette.core.noise import Noise

X = np.ones((4, 3), "float32")


@keras.saving.register_keras_serializable("core_tests")
class Noisy(Model):
    """One weight, one draw per step, one layer of Keras's own that drops units."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.noise = Noise(5)
        self.drop = layers.Dropout(0.5, name="drop", seed=1)
        self.dense = layers.Dense(2, name="dense")

    def call(self, x, training=False):
        return self.dense(self.drop(x, training=training))

    @learning_rule
    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - self.noise.normal((4, 2), training)))


def noisy():
    model = Noisy()
    model.build((None, 3))
    model.compile(optimizer="sgd")
    return model


def numbers(value):
    return np.array(ops.convert_to_numpy(value))


def counters(model):
    return {v.path: numbers(v.value).tolist() for v in model.variables if "seed_generator" in v.path}


def test_a_model_read_from_a_file_does_not_repeat_its_noise(tmp_path):
    model = noisy()
    fresh = sorted(counters(model).values())
    for _ in range(3):
        model.train_on_batch(X)
    model.save(tmp_path / "noisy.keras")
    loaded = keras.saving.load_model(tmp_path / "noisy.keras")
    assert sorted(counters(loaded).values()) == sorted(counters(model).values()) != fresh
    draws = [numbers(one.noise.normal((5,))) for one in (model, loaded)]
    np.testing.assert_array_equal(*draws)
    dropped = [numbers(one.drop(np.ones((50, 3), "float32"), training=True)) for one in (model, loaded)]
    np.testing.assert_array_equal(*dropped)
    again = numbers(noisy().noise.normal((5,)))
    assert not np.array_equal(draws[0], again)


def test_dropout_repeats_its_masks_for_the_seed_that_python_draws():
    x, masks = np.ones((40, 10), "float32"), []
    for seed in (3, 3, 4):
        random.seed(seed)
        drop = Dropout(0.25, name="drop")
        masks.append([numbers(drop(x, training=True)) for _ in range(2)])
    np.testing.assert_array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2]) and not np.array_equal(*masks[0])
    assert set(np.unique(masks)) == {np.float32(0), np.float32(1) / np.float32(0.75)}
    kept = np.mean(np.array(masks) > 0)
    assert abs(kept - 0.75) < 4 * np.sqrt(0.25 * 0.75 / 2400)
    np.testing.assert_array_equal(numbers(drop(x)), x)


def test_another_number_of_counters_is_refused(tmp_path):
    model = noisy()
    with pytest.raises(ValueError, match="0 seed counters, the model has"):
        model.load_own_variables({})


def test_evaluation_has_a_counter_of_its_own():
    model = noisy()
    before = counters(model)
    for _ in range(3):
        model.test_on_batch(X)
    after = counters(model)
    moved = [path for path in before if before[path] != after[path]]
    assert len(moved) == 1 and "evaluation" in moved[0]


def test_training_draws_are_the_same_whether_or_not_evaluation_drew_between():
    plain, mixed = Noise(7), Noise(7)
    first = [numbers(plain.uniform((3,))) for _ in range(3)]
    second = []
    for _ in range(3):
        second.append(numbers(mixed.uniform((3,))))
        mixed.uniform((3,), training=False)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(numbers(Noise(7).uniform((3,))), numbers(Noise(7).uniform((3,), training=False)))


def test_the_draws_have_their_distributions():
    noise, n = Noise(0), 20_000
    normal, uniform = numbers(noise.normal((n,))), numbers(noise.uniform((n,)))
    assert abs(normal.mean()) < 4 / np.sqrt(n) and abs(normal.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(uniform.mean() - 0.5) < 4 * np.sqrt(1 / 12 / n) and uniform.min() >= 0 and uniform.max() < 1
    p = np.repeat(np.array([[0.0, 0.25, 1.0]], "float32"), n, axis=0)
    share = numbers(noise.bernoulli(ops.convert_to_tensor(p))).mean(axis=0)
    assert share[0] == 0 and share[2] == 1 and abs(share[1] - 0.25) < 4 * np.sqrt(0.25 * 0.75 / n)
    p = np.array([[0.1, 0.6, 0.3], [0.0, 0.0, 1.0]])
    with np.errstate(divide="ignore"):
        logits = np.repeat(np.log(p)[np.newaxis], n, axis=0).astype("float32") + 2
    drawn = numbers(noise.categorical(ops.convert_to_tensor(logits)))
    assert drawn.shape == (n, 2)
    shares = [[(drawn[:, i] == k).mean() for k in range(3)] for i in range(2)]
    np.testing.assert_allclose(shares, p, atol=4 * 0.5 / np.sqrt(n))


def hashed(seed, call, count):
    """The bits of a draw as they are defined, by NumPy's unsigned integers."""

    def mixed(x, key):
        x = (x ^ x >> np.uint32(17)) * np.uint32(0xED5AD4BB) + key
        x = (x ^ x >> np.uint32(11)) * np.uint32(0xAC4C1B51)
        x = (x ^ x >> np.uint32(15)) * np.uint32(0x31848BAB)
        return x ^ x >> np.uint32(14)

    with np.errstate(over="ignore"):
        before = mixed(np.uint32(call), np.uint32(seed))
        between = mixed(before, np.uint32(seed + 1))
        return mixed(np.arange(count, dtype=np.uint32) ^ before, between) & np.uint32(2**31 - 1)


def test_every_backend_draws_the_same_numbers():
    noise = Noise(7)
    for call in range(3):
        wanted = (hashed(7, call, 6) >> np.uint32(7)) / np.float32(2**24)
        np.testing.assert_array_equal(numbers(noise.uniform((2, 3))).ravel(), wanted)
    half = Noise(7, dtype="bfloat16").uniform((6,))
    np.testing.assert_array_equal(numbers(ops.cast(half, "float32")), (hashed(7, 0, 6) >> np.uint32(23)) / 256)
    normal = numbers(Noise(7).normal((6,)))
    middle = (hashed(7, 0, 6) // 256 + 0.5) / 2**23  # of the interval that a draw stands for
    np.testing.assert_allclose(normal, stats.norm.ppf(middle), rtol=1e-5, atol=1e-6)


def test_what_is_rare_stays_so_in_half_precision():
    noise, n = Noise(0, dtype="bfloat16"), 200_000
    share = numbers(ops.cast(noise.bernoulli(ops.full((n,), 1 / 1024, "bfloat16")), "float32")).mean()
    assert abs(share - 1 / 1024) < 4 * np.sqrt(1 / 1024 / n)


def test_draws_of_neighbours_steps_and_seeds_are_independent():
    """Pairs of 5 bits of each number, tabulated and compared with equal shares; the means of rows and columns."""
    calls = np.stack([hashed(3, call, 4096) for call in range(256)])
    seeds = np.stack([hashed(seed, 0, 4096) for seed in range(256)])
    pairs = {}
    for shift in (7, 16, 26):
        q, of_seeds = calls >> np.uint32(shift) & np.uint32(31), seeds >> np.uint32(shift) & np.uint32(31)
        pairs |= {("index", shift, lag): (q[:, :-lag], q[:, lag:]) for lag in (1, 3, 16, 28)}
        pairs |= {("call", shift, lag): (q[:-lag], q[lag:]) for lag in (1, 2, 16)}
        pairs["seed", shift] = of_seeds[:-1], of_seeds[1:]
    counts = {name: np.bincount((32 * a + b).ravel(), minlength=1024) for name, (a, b) in pairs.items()}
    found = {name: stats.chisquare(count).pvalue for name, count in counts.items()}
    for axis in (0, 1):
        mean = (calls / 2**31).mean(axis)
        found["means", axis] = stats.kstest((mean - 0.5) * np.sqrt(12 * calls.shape[axis]), "norm").pvalue
    assert min(found.values()) > 1e-4, min(found, key=found.get)


def test_a_table_stands_in_for_every_draw_in_the_order_of_the_draws(monkeypatch):
    asked = []

    def table(kind, shape, call):
        asked.append((kind, shape, call))
        return np.full(shape, 0.25 * call, "float32")

    monkeypatch.setattr(Noise, "table", staticmethod(table))
    noise = Noise(0)
    draws = [noise.normal((2,)), noise.uniform((1, 3), training=False), noise.bernoulli(ops.full((2,), 0.8))]
    assert asked == [("normal", (2,), 1), ("uniform", (1, 3), 2), ("uniform", (2,), 3)]
    for found, wanted in zip(draws, (np.full(2, 0.25), np.full((1, 3), 0.5), np.ones(2)), strict=True):
        np.testing.assert_array_equal(numbers(found), wanted)
