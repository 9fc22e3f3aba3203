"""Scores of generators: closed forms of normals, brute force over pairs, small cases by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.linalg import sqrtm

from maquette import catalog
from maquette.data.dataset import Dataset, Split
from maquette.data.stacked_mnist import stacked
from maquette.errors import InputError
from maquette.methods.generative.sample_quality import frechet_distance, kernel_distance, precision_recall
from maquette.tasks import generation_figures, image_generation
from maquette.tasks.density import modes
from maquette.tasks.generation_features import features


def test_the_frechet_distance_of_normals(random):
    x, y = random.normal(size=(400, 4)) @ random.normal(size=(4, 4)), random.normal(2, 1, (300, 4))
    c, d = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(c + d - 2 * np.real(sqrtm(c @ d)))
    assert frechet_distance(x, y) == pytest.approx(expected) == frechet_distance(y, x)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)
    one = random.normal(size=(500, 1))
    assert frechet_distance(one, 3 * one + 5) == pytest.approx((2 * one.mean() + 5) ** 2 + 4 * one.var(ddof=1))


def test_the_kernel_distance_is_a_mean_over_pairs_and_unbiased(random):
    x, y = random.normal(size=(7, 3)), random.normal(1, 1, (5, 3))

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    own = [np.mean([k(a, b) for i, a in enumerate(p) for j, b in enumerate(p) if i != j]) for p in (x, y)]
    expected = sum(own) - 2 * np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(expected)
    same = [kernel_distance(*random.normal(size=(2, 40, 3))) for _ in range(300)]
    assert abs(np.mean(same)) < 4 * np.std(same) / np.sqrt(300) and min(same) < 0


def test_precision_and_recall_of_small_cases(random):
    real, generated = random.normal(size=(60, 2)), random.normal(0.5, 0.7, (50, 2))

    def share(items, others, k):
        gaps = np.linalg.norm(others[:, None] - others, axis=-1)
        radius = np.sort(gaps, axis=1)[:, k]
        return np.mean([(np.linalg.norm(item - others, axis=1) <= radius).any() for item in items])

    found = precision_recall(real, generated, 2)
    assert found == (share(generated, real, 2), share(real, generated, 2))
    one_place = precision_recall(real, real[:1] + random.normal(0, 1e-6, (50, 2)))
    assert one_place.precision == 1 and one_place.recall < 0.1  # a collapse: good and nothing else
    far = precision_recall(real, generated + 100)
    assert far == (0, 0)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: frechet_distance(np.zeros((3, 2)), np.zeros((3, 3))), "generated (3, 3)"),
        (lambda: kernel_distance(np.zeros((1, 2)), np.zeros((3, 2))), "at least two"),
        (lambda: precision_recall(np.zeros((3, 2)), np.zeros((9, 2)), 3), "neighbours 3"),
    ],
)
def test_features_that_do_not_fit_are_refused(action, words):
    with pytest.raises(InputError) as caught:
        action()
    assert words in str(caught.value)


def test_modes_count_what_is_reached_and_what_is_near():
    data = catalog.find("grid25", "data").load().read()
    x, y = np.asarray(data.test.x), np.asarray(data.test.y)
    found = modes(x, x, y)
    assert found["modes"].value == 25 and found["in_modes"].value == pytest.approx(1 - np.exp(-4.5), abs=0.005)
    few = modes(x[y < 10], x, y)
    assert few["modes"].value == 10
    between = modes(x + np.array([0.5, 0]), x, y)  # half way to the next
    assert between["modes"].value == 0 and between["in_modes"].value == 0


@pytest.fixture
def pictures(random):
    """Pictures 4x4 of two classes, bright above or below."""
    y = np.arange(400) % 2
    x = random.integers(0, 60, (400, 4, 4, 1))
    x[y == 0, :2] += 180
    x[y == 1, 2:] += 180
    split = Split(x.astype("uint8"), y.astype("int32"))
    return Dataset("halves", split, test=split, classes=("above", "below"))


def test_scores_name_their_features_and_know_the_classes(pictures):
    x = pictures.test.x / 255
    alone = {**image_generation.scores(x, pictures.test, pictures)}
    assert set(alone) >= {"frechet_distance_mlp64", "kernel_distance_mlp64", "precision_mlp64", "recall_mlp64"}
    assert alone["frechet_distance_mlp64"].value == pytest.approx(0, abs=1e-3) and alone["class_gap"].value < 0.02
    half = image_generation.scores(x[pictures.test.y == 0], pictures.test, pictures)
    assert half["classes"].value == 1 and half["class_gap"].value == pytest.approx(0.5, abs=0.02)
    assert half["frechet_distance_mlp64"].value > 1
    again = features(pictures).of(x[:5])
    np.testing.assert_allclose(again, features(pictures).of(pictures.test.x[:5]), rtol=1e-4, atol=1e-4)


def test_without_classes_the_features_are_components(pictures):
    plain = Dataset("plain", Split(pictures.train.x), test=Split(pictures.test.x))
    found = image_generation.scores(pictures.test.x / 255, plain.test, plain)
    assert found["frechet_distance_pca64"].value == pytest.approx(0, abs=1e-6) and "classes" not in found
    x = features(plain).of(pictures.train.x)
    np.testing.assert_allclose(np.cov(x, rowvar=False), np.diag(x.var(axis=0, ddof=1)), atol=1e-4)


def test_stacked_pictures_are_known_channel_by_channel(pictures):
    data = stacked("stacked", pictures)
    assert len(data.classes) == 8 and data.classes[6] == "belowbelowabove"
    channels = [features(pictures).classes_of(data.test.x[..., k : k + 1]) for k in range(3)]
    np.testing.assert_array_equal(data.test.y, 4 * channels[0] + 2 * channels[1] + channels[2])
    known = features(data)
    np.testing.assert_array_equal(known.classes_of(data.test.x), data.test.y)
    assert known.of(data.test.x).shape == (400, 3 * 64) and known.name == "mlp64"
    x = data.test.x[data.test.y < 4] / 255  # the first channel never below
    assert image_generation.scores(x, data.test, data)["classes"].value == 4


def test_the_pictures_show_samples_and_what_they_are_nearest_to(pictures, monkeypatch):
    drawn = {}
    monkeypatch.setattr(generation_figures, "pictures", lambda axes, x, columns: drawn.update(x=x, columns=columns))
    train = pictures.train.x
    generation_figures.nearest(train[5:25] / 255 + 0.001, train)
    shown = drawn["x"].reshape(2, 2, 10, 4, 4, 1)  # a row of samples, then the row of their neighbours, twice
    np.testing.assert_allclose(shown[0, 1], train[5:15] / 255, atol=1e-6)
    np.testing.assert_allclose(shown[1, 1], train[15:25] / 255, atol=1e-6)
    assert generation_figures.gallery(train[:5] / 255).name == "samples" and len(drawn["x"]) == 5
    caption = generation_figures.epochs({1: train[:10], 7: train[10:20]}, train).caption
    assert "1, 7" in caption and drawn["columns"] == 10 and len(drawn["x"]) == 20
    points = train[:20, :2, 0, 0] / np.float32(255)
    assert "2, 3" in generation_figures.epochs({1: points, 2: points, 3: points}, points).caption
    model = SimpleNamespace(interpolate=lambda pairs, steps: np.zeros((pairs, steps, 4, 4, 1)))
    assert generation_figures.ways(model).name == "ways" and len(drawn["x"]) == 50
