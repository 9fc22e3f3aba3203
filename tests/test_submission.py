"""Pictures without labels become a file as competitions want it, scored as they score it; rare classes count more."""

import csv
import json

import numpy as np
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier
from sklearn.utils.class_weight import compute_sample_weight

import maquette
from maquette import assembly, settings
from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError
from maquette.tasks.classification import balanced, counted, prior_predictor
from maquette.tasks.image_classification import TASK, names_within
from tests.test_bad_input import refused

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

COUNTS = {"Type_1": 12, "Type_2": 60, "Type_3": 24}


def save(pixels, path):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


@pytest.fixture(scope="session")
def unequal(tmp_path_factory):
    """A folder of three classes that overlap, of 12, 60 and 24 pictures for training and as many for the test."""
    root, random = tmp_path_factory.mktemp("unequal"), np.random.default_rng(0)
    for part in ("train", "test"):
        for k, (name, count) in enumerate(COUNTS.items()):
            for i in range(count):
                brightness = 110 + 25 * np.eye(3)[k] + random.normal(0, 35, 3)
                save(brightness + random.normal(0, 10, (6, 6, 3)), root / part / name / f"{i}.png")
    return root


@pytest.fixture(scope="session")
def runs(unequal, tmp_path_factory):
    """The same model with and without class weights."""
    out = tmp_path_factory.mktemp("runs")
    given = {"epochs": 60, "learning_rate": 0.02, "batch_size": 16, "schedule": "constant"}
    return {
        kind: maquette.train(
            "softmax-regression", str(unequal), {**given, "inputs.class_weight": kind}, out=out / kind, style="quiet"
        )
        for kind in ("none", "balanced")
    }


@pytest.fixture
def unlabelled(unequal, tmp_path):
    """The test pictures in one flat folder, in an order that says nothing of their class; name -> true class."""
    files = sorted((unequal / "test").rglob("*.png"))
    order = np.random.default_rng(1).permutation(len(files))
    truth = {}
    (tmp_path / "pictures").mkdir()
    for number, place in enumerate(order):
        name = f"{number:03}.png"
        (tmp_path / "pictures" / name).write_bytes(files[place].read_bytes())
        truth[name] = files[place].parent.name
    return tmp_path / "pictures", truth


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# --- the file -----------------------------------------------------------------------------------------------------


def test_a_folder_without_labels_becomes_a_submission(command, runs, unlabelled, tmp_path):
    folder, truth = unlabelled
    out = tmp_path / "submission.csv"
    told = command("predict", runs["none"].folder, folder, "--out", out)
    assert told.status == 0 and told.out == f"96 answers in {out}\n"
    rows = read(out)
    assert list(rows[0]) == ["id", *COUNTS]
    assert [row["id"] for row in rows] == sorted(truth)
    p = np.array([[float(row[name]) for name in COUNTS] for row in rows])
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    # Each row is that of its own file, and the whole scores what the run says of the same pictures.
    for i in (0, 40, 95):
        single = read_one(command, runs["none"].folder, folder / rows[i]["id"], tmp_path)
        np.testing.assert_allclose([float(single[name]) for name in COUNTS], p[i], rtol=1e-4)
    score = metrics.log_loss([truth[row["id"]] for row in rows], p, labels=list(COUNTS))
    found = runs["none"].result["metrics"]["test_log_loss"]["value"]
    assert found == pytest.approx(score, rel=1e-5)
    told = command("predict", runs["none"].folder, folder, "--json")
    answers = [json.loads(line) for line in told.out.splitlines()]
    assert [a["class"] for a in answers] == [list(COUNTS)[k] for k in p.argmax(axis=1)]


def read_one(command, run, picture, folder):
    assert command("predict", run, picture, "--out", folder / "one.csv").status == 0
    (row,) = read(folder / "one.csv")
    assert row["id"] == picture.name
    return row


def test_ids_are_the_names_below_the_folder_given(tmp_path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    names = [str(tmp_path / name) for name in ("a/1.png", "b/1.png")]
    assert names_within(names, [tmp_path]) == ["a/1.png", "b/1.png"]
    assert names_within(names[1:], [tmp_path / "b" / "1.png"]) == ["1.png"]
    for paths in ([tmp_path / "a", tmp_path / "b"], [tmp_path / "a/1.png", tmp_path / "b/1.png"]):
        with pytest.raises(InputError, match=r"b/1.png and .*a/1.png would both have the id 1.png"):
            names_within(names, paths)


def test_a_class_called_id_leaves_no_room_for_the_ids():
    split = Split(np.zeros((1, 2, 2, 1), "uint8"), None, ("a.png",))
    with pytest.raises(InputError, match="called id"):
        TASK.table(split, np.ones((1, 2)) / 2, Dataset("made", split, classes=("ego", "id")), [])


# --- the score ----------------------------------------------------------------------------------------------------


def test_the_log_loss_is_that_of_the_competition():
    truth = np.array([0, 1, 2, 2])

    def loss(p):
        split = Split(np.zeros((4, 2, 2, 1), "uint8"), truth)
        return TASK.score(None, split, np.asarray(p), Dataset("made", split, classes=("a", "b", "c"))).measures

    assert loss(np.eye(3)[truth])["log_loss"].value == pytest.approx(0, abs=1e-14)
    assert loss(np.full((4, 3), 1 / 3))["log_loss"].value == pytest.approx(np.log(3))
    assert loss(np.eye(3)[(truth + 1) % 3])["log_loss"].value == pytest.approx(-np.log(1e-15))
    # Rows that do not sum to 1 are divided by their sums.
    p = np.array([[2.0, 1, 1], [1, 6, 1], [3, 3, 3], [0, 0, 0.2]])
    wanted = -np.log([0.5, 0.75, 1 / 3, 1]).mean()
    assert loss(p)["log_loss"].value == pytest.approx(wanted)
    np.testing.assert_allclose(counted(p).sum(axis=1), 1, atol=1e-14)
    assert counted(np.zeros((1, 3))).tolist() == [[1e-15] * 3]
    # The constant answer that knows the shares 1/4, 1/4 and 1/2 scores their entropy, and the greatest of them.
    prior = loss(np.tile([0.25, 0.25, 0.5], (4, 1)))
    assert prior["log_loss"].value == pytest.approx(prior["prior_log_loss"].value) == pytest.approx(1.5 * np.log(2))
    assert prior["accuracy"].value == prior["prior_accuracy"].value == 0.5


def test_the_prior_predictor_is_the_best_constant():
    random = np.random.default_rng(0)
    truth = random.choice(4, 200, p=[0.1, 0.2, 0.65, 0.05])
    found = prior_predictor(truth)
    dummy = DummyClassifier(strategy="prior").fit(truth[:, np.newaxis], truth)
    assert found["prior_accuracy"].value == pytest.approx(dummy.score(truth[:, np.newaxis], truth))
    assert found["prior_log_loss"].value == pytest.approx(
        metrics.log_loss(truth, dummy.predict_proba(truth[:, np.newaxis]))
    )
    for _ in range(20):
        other = random.dirichlet(np.ones(4))
        assert -np.log(other[truth]).mean() > found["prior_log_loss"].value
    # Of 1,441, 4,348 and 2,426 pictures, as in the competition's training data.
    cervix = prior_predictor(np.repeat([0, 1, 2], [1441, 4348, 2426]))
    assert cervix["prior_accuracy"].value == pytest.approx(0.5293, abs=5e-5)
    assert cervix["prior_log_loss"].value == pytest.approx(1.0023, abs=5e-5)


def test_a_trained_model_is_shown_beside_the_prior_predictor(command, runs):
    told = command("evaluate", runs["none"].folder, "--json")
    found = {row["metric"]: row["value"] for row in map(json.loads, told.out.splitlines()) if "metric" in row}
    assert found["test_prior_accuracy"] == pytest.approx(60 / 96)
    assert found["test_log_loss"] < found["test_prior_log_loss"]


# --- class weights ------------------------------------------------------------------------------------------------


def test_balanced_weights_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    y = random.choice(5, 300, p=[0.5, 0.2, 0.2, 0.05, 0.05])
    np.testing.assert_allclose(balanced(y), compute_sample_weight("balanced", y), rtol=1e-6)
    assert np.mean(balanced(y), dtype="float64") == pytest.approx(1)


def test_the_batches_carry_the_weight_of_each_item(unequal):
    recipe = settings.resolve(
        "softmax-regression", str(unequal), {"inputs.class_weight": "balanced", "batch_size": 10, "seed": 3}
    )
    pipeline = assembly.prepare(recipe)
    batches = pipeline.training()
    seen = [batches[i] for i in range(len(batches))]
    y, weights = (np.concatenate([batch[k] for batch in seen]) for k in (1, 2))
    assert [float(weights[y == k].sum()) for k in range(3)] == pytest.approx([32, 32, 32])
    assert len(pipeline.batches(pipeline.dataset.test)[0]) == 2  # scored without weights
    plain = assembly.prepare(settings.apply(recipe, {"inputs.class_weight": "none"})).training()
    assert len(plain[0]) == 2 and np.array_equal(plain[0][1], seen[0][1])


def test_the_loss_of_all_is_the_mean_of_the_classes_own(unequal):
    recipe = settings.resolve(
        "softmax-regression", str(unequal), {"inputs.class_weight": "balanced", "batch_size": 0, "seed": 3}
    )
    pipeline = assembly.prepare(recipe)
    model = assembly.build(pipeline)
    for weight in model.trainable_weights:
        weight.assign(np.random.default_rng(0).normal(0, 0.1, weight.shape))
    train = pipeline.dataset.train
    p = pipeline.outputs(model, train)
    own = [-np.log(p[train.y == k, k]).mean() for k in range(3)]
    told = model.train_on_batch(*pipeline.training()[0], return_dict=True)
    assert told["loss"] == pytest.approx(np.mean(own), rel=1e-4)


def test_weights_find_more_of_the_rare_class(runs):
    recall = {
        kind: {row["class"]: row["recall"] for row in run.result["tables"]["classes"]} for kind, run in runs.items()
    }
    assert recall["balanced"]["Type_1"] > recall["none"]["Type_1"] + 0.2
    assert recall["balanced"]["Type_2"] < recall["none"]["Type_2"]
    assert np.mean(list(recall["balanced"].values())) > np.mean(list(recall["none"].values()))


def test_an_unknown_class_weight_is_refused(command, unequal, tmp_path):
    words = ["--data", unequal, "--set", "inputs.class_weight=equal", "--out", tmp_path / "run"]
    refused(command("train", "softmax-regression", *words), "class_weight", "'none' or 'balanced'")
