"""What the tasks measure, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn import metrics

from maquette import catalog
from maquette.data.dataset import Dataset, Split
from maquette.tasks.classification import calibration_error, per_class
from maquette.tasks.density import modes

CLASSES = ("ant", "bee", "cat", "dog")


@pytest.fixture
def scored(random):
    """300 items of 4 classes with probabilities that are right more often than not: (truth, p)."""
    truth = random.integers(0, 4, 300)
    z = random.normal(size=(300, 4)) + 1.5 * np.eye(4)[truth]
    return truth, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def score(task, truth, outputs, classes=()):
    split = Split(np.zeros((len(truth), 2, 2, 1), "uint8"), truth)
    return catalog.task(task).score(None, split, outputs, Dataset("made", split, classes=classes))


def test_classification_is_measured_as_scikit_learn_does(scored):
    truth, p = scored
    found = score("image-classification", truth, p, CLASSES).measures
    answer = p.argmax(axis=1)
    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(truth, answer))
    assert found["error"].value == pytest.approx(metrics.zero_one_loss(truth, answer))
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(truth, p))
    assert found["macro_f1"].value == pytest.approx(metrics.f1_score(truth, answer, average="macro"))
    assert found["accuracy"].low == pytest.approx(1 - found["error"].high)
    for name in ("accuracy", "error", "log_loss", "calibration_error"):
        assert found[name].low <= found[name].value <= found[name].high


def test_a_sure_mistake_costs_much_but_not_everything():
    truth, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    found = score("image-classification", truth, p, CLASSES[:2]).measures
    assert found["log_loss"].value == pytest.approx(-np.log(1e-15) / 2)


def test_classes_are_counted_from_the_confusion_matrix(scored):
    truth, p = scored
    answer = np.where(p.argmax(axis=1) == 3, 0, p.argmax(axis=1))  # "dog" is never answered
    table = metrics.confusion_matrix(truth, answer, labels=range(4))
    for k, row in enumerate(per_class(truth, answer, CLASSES)):
        right, given, there = table[k, k], table[:, k].sum(), table[k].sum()
        precision, recall = right / given if given else 0.0, right / there
        assert row["class"] == CLASSES[k] and row["items"] == there
        assert row["precision"] == pytest.approx(precision) and row["recall"] == pytest.approx(recall)
        assert row["f1"] == pytest.approx(2 * right / (given + there))


def test_the_calibration_error_by_hand():
    # Bins of width 1/4: (0.5, 0.5, 0.6, 0.7) are right twice, (0.9, 1.0) once.
    confidence = np.array([0.5, 0.5, 0.6, 0.7, 0.9, 1.0])
    correct = np.array([True, False, True, False, True, False])
    expected = 4 / 6 * abs(2 / 4 - 2.3 / 4) + 2 / 6 * abs(1 / 2 - 1.9 / 2)
    assert calibration_error(confidence, correct, bins=4) == pytest.approx(expected)


def test_the_calibration_error_is_small_for_honest_probabilities_only(random):
    confidence = random.uniform(0.25, 1, 40_000)
    honest = random.uniform(size=40_000) < confidence
    assert calibration_error(confidence, honest) < 0.01
    # Right half as often as claimed: the gap is half the mean confidence.
    braggart = random.uniform(size=40_000) < confidence / 2
    assert calibration_error(confidence, braggart) == pytest.approx(confidence.mean() / 2, abs=0.01)
    assert calibration_error(np.ones(10), np.ones(10, bool)) == 0
    assert calibration_error(np.ones(10), np.zeros(10, bool)) == 1


def test_solved_means_without_any_error(scored):
    truth = np.array([0, 1, 1, 0])
    right, wrong = np.eye(2)[truth], np.eye(2)[[0, 1, 1, 1]]
    for outputs, expected in ((right, 1.0), (wrong, 0.0)):
        split = Split({"a": np.zeros(4)}, truth)
        dataset = Dataset("made", split, classes=("no", "yes"))
        found = catalog.task("tabular-classification").score(None, split, outputs, dataset).measures
        assert found["solved"].value == expected


def test_regression_is_measured_as_scikit_learn_does(random):
    truth = random.normal(20, 5, 100)
    answer = truth + random.normal(0, 2, 100)
    split = Split({"a": np.zeros(100)}, truth)
    found = catalog.task("tabular-regression").score(None, split, answer, Dataset("made", split)).measures
    assert found["mse"].value == pytest.approx(metrics.mean_squared_error(truth, answer))
    assert found["rmse"].value == pytest.approx(metrics.root_mean_squared_error(truth, answer))
    assert found["mae"].value == pytest.approx(metrics.mean_absolute_error(truth, answer))
    assert found["r2"].value == pytest.approx(metrics.r2_score(truth, answer))
    for measure in found.values():
        assert measure.low < measure.value < measure.high


def test_targets_are_scaled_by_the_training_split_and_back(random):
    task, y = catalog.task("tabular-regression"), random.normal(300, 40, 50).astype("float32")
    split = Split({"a": np.zeros(50)}, y)
    scale = task.fit_target(Dataset("made", split))
    scaled = task.encode_target(y, scale)
    assert scaled.mean(dtype="float64") == pytest.approx(0, abs=1e-6)
    assert scaled.std(dtype="float64") == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(task.decode_outputs(scaled[:, None], scale), y, rtol=1e-6)


def test_clusters_are_scored_whatever_their_numbers(random):
    truth = random.integers(0, 3, 120)
    groups = np.where(random.uniform(size=120) < 0.8, truth, random.integers(0, 3, 120))
    found = score("clustering", truth, groups).measures
    assert found["nmi"].value == pytest.approx(metrics.normalized_mutual_info_score(truth, groups))
    assert found["adjusted_rand"].value == pytest.approx(metrics.adjusted_rand_score(truth, groups))
    renamed = score("clustering", truth, np.array([2, 0, 1])[groups]).measures
    assert renamed["nmi"].value == pytest.approx(found["nmi"].value)


def test_modes_are_counted_where_samples_fall(random):
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    y = np.arange(400) % 4
    x = centres[y] + random.normal(0, 0.1, (400, 2))
    # 500 samples at each of two modes, 62 at a third (just short of a quarter of its share, 66), 2 far from all.
    samples = np.concatenate([centres[[0] * 500 + [1] * 500 + [2] * 62], [[5.0, 5.0]] * 2])
    found = modes(samples, x, y)
    assert found["modes"].value == 2
    assert found["in_modes"].value == pytest.approx(1062 / 1064)
    assert modes(np.concatenate([samples, centres[[2] * 10]]), x, y)["modes"].value == 3


def test_reconstruction_is_measured_per_pixel(random):
    x = random.integers(0, 256, (12, 4, 4, 1)).astype("uint8")
    split = Split(x, None)
    outputs = np.clip(x / 255 + random.normal(0, 0.1, x.shape), 0, 1)
    found = catalog.task("density").score(object(), split, outputs, Dataset("made", split)).measures
    expected = metrics.mean_squared_error((x / 255).ravel(), outputs.ravel())
    assert found["reconstruction_error"].value == pytest.approx(expected, rel=1e-5)
