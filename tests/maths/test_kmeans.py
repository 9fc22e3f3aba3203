"""k-means: the running mean by hand, the fixed point of Lloyd's algorithm, and scikit-learn from the same start."""

import keras
import numpy as np
import pytest
from keras import ops

import maquette.data
from maquette.data.batches import Batches
from maquette.models.cluster.kmeans import KMeans


def started(centres):
    model = KMeans(clusters=len(centres))
    model.build((None, len(centres[0])))
    model.centres.assign(np.asarray(centres, "float32"))
    model.compile(optimizer="sgd")
    return model


@pytest.fixture
def clouds(random):
    """Three clouds far apart, 40 points each, in random order: points (120, 2) and the cloud of each."""
    y = random.permutation(np.arange(120) % 3)
    centres = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    return (centres[y] + random.normal(0, 0.5, (120, 2))).astype("float32"), y


def test_one_batch_by_hand():
    model = started([[0.0, 0.0], [10.0, 0.0], [50.0, 50.0]])
    x = np.array([[1, 0], [3, 0], [11, 2], [-1, 3]], "float32")
    # The first centre wins three points and counts as one itself: (0 + 1 + 3 - 1) / 4 and (0 + 0 + 0 + 3) / 4.
    loss = model.train_on_batch(x)
    np.testing.assert_allclose(np.asarray(model.centres), [[0.75, 0.75], [10.5, 1.0], [50, 50]], atol=1e-6)
    assert np.asarray(model.count).tolist() == [4, 2, 1]
    assert loss == pytest.approx((1 + 9 + (1 + 4) + (1 + 9)) / 4, rel=1e-6)
    assert ops.convert_to_numpy(model(x)).tolist() == [0, 0, 1, 0]


def test_a_centre_is_the_mean_of_its_start_and_of_every_point_it_won(random):
    model, centres = started([[-2.0, 0.0], [2.0, 0.0]]), [[-2.0, 0.0], [2.0, 0.0]]
    won = [[np.array(c)] for c in centres]
    for _ in range(6):
        x = random.normal(0, 2, (7, 2)).astype("float32")
        now = np.asarray(model.centres).astype("float64")
        nearest = np.square(x[:, None] - now).sum(axis=2).argmin(axis=1)
        for point, k in zip(x, nearest, strict=True):
            won[k].append(point)
        model.train_on_batch(x)
        np.testing.assert_allclose(np.asarray(model.centres), [np.mean(w, axis=0) for w in won], atol=1e-5)
    assert np.asarray(model.count).tolist() == [len(w) for w in won]


def test_a_centre_that_wins_nothing_stays(clouds):
    x, _ = clouds
    model = started([[1.0, 1.0], [1e3, 1e3]])
    model.fit(x, batch_size=16, epochs=2, verbose=0)
    np.testing.assert_array_equal(np.asarray(model.centres)[1], [1e3, 1e3])


def test_far_clouds_are_found_and_are_a_fixed_point_of_lloyd(clouds):
    x, y = clouds
    model = started([x[y == k][0] for k in range(3)])
    model.fit(Batches(x, None, 32, seed=0), epochs=50, shuffle=False, verbose=0)
    answer = ops.convert_to_numpy(model(x))
    assert answer.tolist() == y.tolist()
    means = np.stack([x[answer == k].mean(axis=0) for k in range(3)])
    # 50 passes weigh the start by 1 part in 50 * 40 + 1.
    np.testing.assert_allclose(np.asarray(model.centres), means, atol=2 / 2000)


def test_the_loss_is_the_inertia_per_point_and_evaluation_moves_nothing(clouds):
    x, _ = clouds
    model = started([[0.0, 0.0], [5.0, 5.0]])
    inertia = np.square(x[:, None].astype("float64") - np.asarray(model.centres)).sum(axis=2).min(axis=1).mean()
    before = np.asarray(model.centres).copy()
    assert model.evaluate(x, batch_size=len(x), verbose=0) == pytest.approx(inertia, rel=1e-5)
    np.testing.assert_array_equal(np.asarray(model.centres), before)


@pytest.mark.parametrize("seed", [0, 1])
def test_digits_come_out_as_tight_as_scikit_learn_makes_them(seed):
    from sklearn.cluster import KMeans as Oracle

    x = maquette.data.load("digits").train.x.reshape(1438, 64).astype("float32") / 240
    model = KMeans(clusters=10, seed=seed)
    model.initialize(x)
    start = np.asarray(model.centres).copy()
    model.compile(optimizer=keras.optimizers.SGD())
    model.fit(Batches(x, None, 256, seed=seed), epochs=20, shuffle=False, verbose=0)
    ours = np.square(x[:, None] - np.asarray(model.centres)).sum(axis=2).min(axis=1).sum()
    oracle = Oracle(n_clusters=10, init=start, n_init=1).fit(x)
    assert ours <= 1.05 * oracle.inertia_


def test_the_start_is_spread_over_the_data():
    # Two thousand points in one place and one far away: the second centre has to be the far one.
    x = np.zeros((2001, 2), "float32")
    x[777] = 5
    for seed in range(5):
        model = KMeans(clusters=2, seed=seed)
        model.initialize(x)
        assert sorted(np.asarray(model.centres)[:, 0].tolist()) == [0, 5]


def test_the_start_chooses_by_squared_distance():
    # From the first centre at 0, points at 1 and 3 are chosen with probability 1/10 and 9/10.
    x, far = np.array([[0.0], [1.0], [3.0]], "float32"), []
    for seed in range(1500):
        centres = chosen(KMeans(clusters=2, seed=seed), x)
        if centres[0] == 0:
            far.append(centres[1] == 3)
    assert np.mean(far) == pytest.approx(0.9, abs=5 * np.sqrt(0.09 / len(far)))


def chosen(model, x):
    """The centres that `initialize` picks, without a backend's arrays."""

    class Kept:
        def assign(self, value):
            self.value = value

    model.built, model.centres, model.count = True, Kept(), Kept()
    model.initialize(x)
    return model.centres.value[:, 0]
