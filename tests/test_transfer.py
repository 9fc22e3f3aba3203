"""Training from pretrained weights: what stays, what learns, that a resume is exact, and what the user is told."""

import shlex
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import maquette
from maquette import assembly, catalog, fitting, pretrained, settings, transfer
from maquette.run import Run
from tests.test_resume import Killed, assert_equal_runs, die_at

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

NETWORK = {"model.depth": 8, "model.width": 2}
QUICK = {"batch_size": 512, "epochs": 4}


@pytest.fixture(scope="module")
def donor(tmp_path_factory):
    """A short run of a small ResNet on digits, whose running averages have moved from where they start."""
    given = {**NETWORK, "epochs": 1, "batch_size": 128, "optimizer.sgd": 0.05}
    return maquette.train("resnet", "digits", given, out=tmp_path_factory.mktemp("donor") / "run", style="quiet").folder


@pytest.fixture(scope="module")
def prepared(donor):
    """(pipeline, model) of a recipe that starts from the donor; the model is new at every call."""

    def make(**changes):
        given = {**pretrained.arguments(str(donor), "resnet"), "pretrained": str(donor), **QUICK}
        recipe = replace(settings.resolve("resnet", "digits", given), **changes)
        pipeline = assembly.prepare(recipe)
        model = assembly.build(pipeline)
        pretrained.load(model, recipe)
        return pipeline, model

    return make


def weights(model):
    return {weight.path: np.array(weight) for weight in model.weights}


def differing(one, two):
    return {path for path in one if one[path].tobytes() != two[path].tobytes()}


def test_all_but_the_head_is_the_donors(prepared, donor):
    _, model = prepared()
    theirs = Run.open(donor).model
    assert differing(weights(model), weights(theirs)) == {w.path for w in model.head.weights}
    averages = [w for path, w in weights(theirs).items() if path.endswith("moving_mean")]
    assert averages and all(np.abs(w).max() > 1e-3 for w in averages)


def test_frozen_weights_and_averages_stay_bit_for_bit(donor, tmp_path):
    run = maquette.train("resnet", "digits", {"pretrained": str(donor), **QUICK}, out=tmp_path / "run", style="quiet")
    before, after = weights(Run.open(donor).model), weights(run.model)
    head = {w.path for w in run.model.head.weights}
    assert len(head) == 2 and differing(before, after) == head
    assert all(layer.trainable for layer in pretrained.leaves(run.model))


@pytest.mark.parametrize("last, count", [(1, 1), (3, 3), (0, 7)])
def test_fine_tuning_changes_the_last_layers_alone(last, count, donor, tmp_path):
    given = {"pretrained": str(donor), **QUICK, "epochs": 2, "finetune_epochs": 2, "finetune_layers": last}
    run = maquette.train("resnet", "digits", given, out=tmp_path / "run", style="quiet")
    before, after = weights(Run.open(donor).model), weights(run.model)
    changed = differing(before, after) - {w.path for w in run.model.head.weights}
    kernels = [w.path for w in run.model.weights if w.path.endswith("convolution/kernel")]
    assert len(kernels) == 7 and changed == set(kernels[-count:])


def test_trainable_counts_of_each_strategy(prepared):
    """ResNet-8 of width 2: the head has (8 + 1) 10 weights, the last convolution 3 x 3 x 8 x 8."""
    _, model = prepared()
    counts = []
    for last in (0, 1, 2, None):
        transfer.freeze(model, last)
        counts.append(sum(int(np.prod(w.shape)) for w in model.trainable_weights))
    kernels = [int(np.prod(w.shape)) for w in model.weights if w.path.endswith("convolution/kernel")]
    assert counts == [90, 90 + 576, 90 + 576 + 288, 90 + sum(kernels)]


def test_kept_features_train_the_head_as_the_whole_network_does(prepared, monkeypatch):
    found = []
    for room in (2**31, 0):
        monkeypatch.setattr(transfer, "KEPT", room)
        pipeline, model = prepared(epochs=2, shuffle=True)
        (stage,) = transfer.stages(pipeline, model)
        head = stage.start()
        assert head.on_pictures == (room == 0)
        batches = stage.training(0)
        head.fit(batches, epochs=2, shuffle=False, verbose=0)
        found.append([np.array(w) for w in model.head.weights])
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(*found, strict=True))
    assert not np.allclose(found[0][0], np.array(prepared()[1].head.weights[0]), atol=1e-3)


@pytest.mark.parametrize("dies_at", [1, 2, 3])
@pytest.mark.parametrize("more", [{}, {"inputs.augment.shift": 1}])
def test_a_resume_is_exact_in_every_stage(dies_at, more, donor, tmp_path):
    """Two epochs of the head and two of fine-tuning: killed in the first, between them, and in the second."""
    given = {"pretrained": str(donor), **QUICK, "finetune_epochs": 2, "finetune_layers": 2, "validation": 0.2, **more}
    whole = maquette.train("resnet", "digits", given, out=tmp_path / "whole", style="quiet")
    run = tmp_path / "cut"
    with pytest.MonkeyPatch.context() as patch:

        def die(self, now, logs=None):
            if now == dies_at:
                raise Killed

        patch.setattr(fitting.Keeper, "on_epoch_begin", die_at(die, fitting.Keeper.on_epoch_begin))
        with pytest.raises(Killed):
            maquette.train("resnet", "digits", given, out=run, style="quiet")
    maquette.resume(run, style="quiet")
    assert_equal_runs(whole.folder, run)


def test_a_run_is_scored_and_used_without_the_one_it_came_from(donor, tmp_path):
    copy = Path(shutil.copytree(donor, tmp_path / "copy"))
    run = maquette.train("resnet", "digits", {"pretrained": str(copy), **QUICK}, out=tmp_path / "run", style="quiet")
    shutil.rmtree(copy)
    found = maquette.evaluate(run.folder)["metrics"]["test_accuracy"]["value"]
    assert found == run.result["metrics"]["test_accuracy"]["value"]
    assert run.recipe.inputs["size"] == 8 and maquette.features(run.folder, np.zeros((1, 8, 8, 1), np.uint8)).any()


def test_the_rate_of_fine_tuning_is_lower(prepared):
    pipeline, model = prepared(finetune_epochs=1, finetune_rate=0.25)
    head, last = transfer.stages(pipeline, model)
    assert (head.last, last.last) == (3, 4)
    rates = [float(stage.start().optimizer.learning_rate) for stage in (head, last)]
    assert rates == pytest.approx([1e-3, 2.5e-4])


def test_features_are_what_the_head_sees(donor):
    x = maquette.data.load("digits").test.x[:5]
    found = maquette.features(donor, x)
    run = Run.open(donor)
    kernel, bias = (np.array(w) for w in run.model.head.weights)
    logits = found @ kernel + bias
    assert found.shape == (5, 8) and found.dtype == np.float32
    wanted = np.asarray(run.model(run.encoder.transform(x), training=False))
    assert np.allclose(logits, wanted, atol=1e-5)
    assert np.allclose(maquette.features(run, x[::-1])[::-1], found, atol=1e-6)


def test_features_of_files_are_in_their_order(donor, tmp_path):
    from PIL import Image

    x = maquette.data.load("digits").test.x[:3]
    paths = [tmp_path / name for name in ("b.png", "a.png", "c.png")]
    for path, pixels in zip(paths, x, strict=True):
        Image.fromarray(pixels[..., 0]).save(path)
    assert np.allclose(maquette.features(donor, paths), maquette.features(donor, x), atol=1e-6)
    assert np.allclose(maquette.features(donor, tmp_path)[[1, 0, 2]], maquette.features(donor, x), atol=1e-6)


def test_features_refuse_what_they_cannot_take(donor):
    with pytest.raises(maquette.InputError, match=r"pictures of \(9, 9, 1\): .* takes \(8, 8, 1\)"):
        maquette.features(donor, np.zeros((2, 9, 9, 1), np.uint8))
    with pytest.raises(maquette.InputError, match="no such weights for lenet5"):
        maquette.features("lenet5", np.zeros((1, 28, 28, 1), np.uint8))


def test_the_four_cases(prepared):
    """Few examples or many for the weights below the head; whether the pictures are alike only the user knows."""
    pipeline, model = prepared()
    few = transfer.advice(pipeline.recipe, 10, model)
    assert (
        "10 examples for 90 weights of the head and 1,290 below it" in few
        and "a small set. Train the head alone if" in few
    )
    assert "if not, the last layers too: --set finetune_epochs=2 --set finetune_layers=10" in few
    many = transfer.advice(pipeline.recipe, 1000, model)
    assert "a large set. Train all layers: --set finetune_epochs=2; or from scratch, without --from" in many
    scratch = replace(pipeline.recipe, pretrained="")
    assert "few for training from scratch, try --from imagenet" in transfer.advice(scratch, 10, model)
    assert transfer.advice(scratch, 1000, model) == ""
    assert transfer.advice(replace(scratch, page="mlp"), 10, model) == ""
    assert "\n" not in few + many


def test_the_advice_is_printed_by_train(donor, command, tmp_path):
    told = command(
        "train", "resnet", "--data", "digits", "--from", donor, "--set", "epochs=1", "--out", tmp_path / "run"
    )
    assert told.status == 0 and "1,438 examples for 90 weights of the head" in told.err
    assert Run.open(tmp_path / "run").recipe.pretrained == str(donor)


def test_the_reports_command_trains_the_same(donor):
    """Settings that happen to be those of the page's own recipe, trained from scratch, are written out."""
    from maquette.verbs.report import command

    own = catalog.recipe("resnet")
    given = {"pretrained": str(donor), "epochs": own.epochs, "finetune_epochs": 3}
    given |= {"model.depth": 8, "inputs.augment.shift": 2}
    recipe = settings.resolve("resnet", "digits", given)
    words = shlex.split(command(recipe, ""))
    pairs = settings.parse(value for key, value in pairwise(words) if key == "--set")
    assert settings.resolve(words[2], words[words.index("--data") + 1], pairs) == recipe


WRONG = {
    "no weights": (["lenet5", "--from", "imagenet"], "no such weights for lenet5"),
    "no run": (["resnet", "--from", "nowhere"], "nowhere", "maquette train"),
    "another model": (["mobilenet_v2", "--from", "{donor}"], "it is a run of resnet, not of mobilenet_v2"),
    "another network": (["resnet", "--from", "{donor}", "--set", "model.width=3"], "another one", "model.*"),
    "too many epochs": (["resnet", "--from", "{donor}", "--set", "finetune_epochs=30"], "finetune_epochs=30", "20"),
    "nothing to refine": (["resnet", "--set", "finetune_epochs=1"], "finetune_epochs=1", "--from"),
    "patience": (
        *(
            [
                "resnet",
                "--from",
                "{donor}",
                "--set",
                "finetune_epochs=1",
                "--set",
                "patience=2",
                "--set",
                "validation=0.1",
            ],
        ),
        "patience=2",
    ),
    "negative": (["resnet", "--from", "{donor}", "--set", "finetune_layers=-1"], "finetune_layers=-1", "at least 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_one_line(case, donor, command, tmp_path):
    words, *named = WRONG[case]
    words = [word.format(donor=donor) for word in words]
    told = command("train", *words, "--data", "digits", "--out", tmp_path / "run", "--quiet")
    assert told.status == 2 and len(told.err.splitlines()) == 1, told
    assert all(word in told.err for word in named), told.err
    assert not (Path(tmp_path) / "run").exists()
