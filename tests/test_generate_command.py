"""`maquette generate` and `maquette score`: what is drawn is written as it is, and scored over stated features."""

import json

import numpy as np
import pytest
from keras import ops
from PIL import Image

import maquette
from maquette.methods.generative.sample_quality import frechet_distance, kernel_distance
from tests.test_bad_input import refused

pytest_plugins = ["tests.commands"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of three runs: of a generator of digits that is told the class, of points, and of a Boltzmann machine."""
    folder = tmp_path_factory.mktemp("runs")
    small = {"model.hidden_units": 8, "model.latent_dim": 3, "epochs": 1, "batch_size": 512}
    told = maquette.train("gan", "digits", {**small, "model.conditional": True}, out=folder / "digits")
    points = maquette.train("gan", "ring", small, out=folder / "ring")
    machine = maquette.train("bernoulli_rbm", "digits", {"model.hidden_units": 8, "epochs": 1}, out=folder / "rbm")
    return {run.folder.name: run.folder for run in (told, points, machine)}


def opened(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def test_pictures_are_what_the_model_draws(runs, command, tmp_path):
    told = command("generate", runs["digits"], "--out", tmp_path / "some", "--count", 5, "--seed", 3, "--class", 7)
    assert told == (0, f"5 pictures in {tmp_path / 'some'}\n", "")
    model = maquette.Run.open(runs["digits"]).model
    wanted = ops.convert_to_numpy(model.generate(5, seed=(3, 0), labels=np.full(5, 7)))
    np.testing.assert_array_equal(opened(tmp_path / "some"), (wanted[..., 0] * 255 + 0.5).astype(np.uint8))
    others = {"class": {"label": "8"}, "seed": {"seed": 4}, "truncation": {"truncation": 0.1}}
    for name, given in others.items():
        maquette.generate(runs["digits"], tmp_path / name, 5, **{"seed": 3, "label": "7", **given})
        assert not np.array_equal(opened(tmp_path / name), opened(tmp_path / "some")), name


def test_more_items_begin_with_the_fewer(runs, tmp_path):
    few, many = (maquette.generate(runs["ring"], tmp_path / str(n), n)[0] for n in (3, 300))
    assert few.read_text() == "".join(many.read_text().splitlines(True)[:4])
    assert np.isfinite(np.loadtxt(many, delimiter=",", skiprows=1)).all() and len(many.read_text().splitlines()) == 301


def test_a_machine_generates_too(runs, tmp_path):
    maquette.generate(runs["rbm"], tmp_path / "rbm", 4)
    assert opened(tmp_path / "rbm").shape == (4, 8, 8)


@pytest.mark.parametrize(
    ("run", "words", "named"),
    [
        ("digits", ["--class", "11"], "--class 11"),
        ("digits", ["--count", "0"], "--count 0"),
        ("ring", ["--class", "1"], "--class"),
        ("rbm", ["--seed", "1"], "--seed"),
        ("rbm", ["--truncation", "1"], "--truncation"),
    ],
)
def test_what_a_generator_cannot_do_is_named(run, words, named, runs, command, tmp_path):
    refused(command("generate", runs[run], "--out", tmp_path / "new", *words), named)
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_is_left_alone(runs, command):
    refused(command("generate", runs["ring"], "--out", runs["ring"]), "--out", "empty folder")


def test_scores_are_those_of_the_features(command, tmp_path, random):
    donor = maquette.train("mnist_cnn", "digits", {"epochs": 1, "batch_size": 512, "test": 0.2}, out=tmp_path / "donor")
    heaps = {"made": random.integers(0, 256, (6, 8, 8)), "true": random.integers(0, 99, (9, 8, 8))}
    for name, heap in heaps.items():
        (tmp_path / name).mkdir()
        for i, picture in enumerate(heap.astype(np.uint8)):
            Image.fromarray(picture).save(tmp_path / name / f"{i}.png")
    told = command("score", tmp_path / "made", tmp_path / "true", "--features", donor.folder, "--json")
    found = json.loads(told.out)
    made, true = (maquette.features(donor.folder, heap[..., None].astype(np.uint8)) for heap in heaps.values())
    assert found["frechet_distance_donor"] == pytest.approx(frechet_distance(true, made), rel=1e-4)
    assert found["kernel_distance_donor"] == pytest.approx(kernel_distance(true, made), rel=1e-4)
    same = maquette.score(tmp_path / "true", tmp_path / "true", donor.folder)
    assert same["precision_donor"] == same["recall_donor"] == 1 and same["frechet_distance_donor"] < 1e-3
    refused(command("score", tmp_path / "nowhere", tmp_path / "true", "--features", donor.folder), "nowhere")
    for path in list((tmp_path / "made").glob("*"))[3:]:
        path.unlink()
    refused(command("score", tmp_path / "made", tmp_path / "true", "--features", donor.folder), "3 generated")
