"""A run that was interrupted and resumed ends, bit for bit, where the uninterrupted run ends."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import maquette
from maquette import files, fitting
from maquette.run import Run

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

DIGITS = {"epochs": 4, "batch_size": 256}
CASES = {
    "convolutions with dropout": ("lenet5", "digits", {**DIGITS, "inputs.size": 28, "model.dropout": 0.3}),
    "pictures that change": ("mlp", "digits", {**DIGITS, "inputs.augment": {"shift": 2, "rotate": 9, "erase": 2}}),
    "patience": (
        "mlp",
        "digits",
        # At this rate the validation loss soon stops falling, so that the best epoch is not the last.
        {**DIGITS, "epochs": 40, "model.hidden_units": 32, "model.dropout": 0.5, "validation": 0.2, "patience": 2}
        | {"optimizer.adam": 0.05, "schedule": "constant"},
    ),
    "persistent chains": ("bernoulli_rbm", None, {"epochs": 4, "model.hidden_units": 8, "model.chains": 10}),
    "two players": ("gan", None, {"epochs": 4, "batch_size": 1000, "model.hidden_units": 8}),
    "momentum and a falling rate": (
        "softmax_regression",
        "digits",
        {**DIGITS, "optimizer.sgd": {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}, "schedule": "cosine"},
    ),
    "the whole set as one batch": ("mlp", "wine", {"epochs": 4, "batch_size": 0, "model.hidden_units": 4}),
}


class Killed(Exception):
    """What stands for a power cut within this process."""


@pytest.fixture
def cut_short(monkeypatch):
    """cut_short(epoch, **train's arguments) -> the folder of a run that died in the middle of that epoch."""

    def train(epoch, name, data, settings, out):
        def die(self, now, logs=None):
            if now == epoch:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(fitting.Keeper, "on_epoch_begin", die_at(die, fitting.Keeper.on_epoch_begin))
            with pytest.raises(Killed):
                maquette.train(name, data, settings, out=out, style="quiet")
        return out

    return train


def die_at(die, usual):
    def both(self, epoch, logs=None):
        usual(self, epoch, logs)
        die(self, epoch)

    return both


def state_of(run):
    with np.load(Path(run) / "state.npz") as stored:
        return {key: stored[key] for key in stored.files}


def lines_of(run):
    rows = [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def assert_equal_runs(one, two):
    """Weights, optimizer, seeds, best weights, progress, metrics per epoch and results, to the last bit."""
    left, right = state_of(one), state_of(two)
    assert list(left) == list(right)
    for key in left.keys() - {"progress"}:
        assert left[key].dtype == right[key].dtype and left[key].tobytes() == right[key].tobytes(), key
    progress = [json.loads(state["progress"].tobytes()) | {"seconds": 0} for state in (left, right)]
    assert progress[0] == progress[1]
    assert lines_of(one) == lines_of(two)
    for name in ("metrics", "tables", "epochs"):
        results = [json.loads((Path(run) / "result.json").read_text())[name] for run in (one, two)]
        assert results[0] == results[1], name
    weights = [[np.asarray(w) for w in Run.open(run).model.get_weights()] for run in (one, two)]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(*weights, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_resumed_run_ends_where_the_uninterrupted_one_does(case, cut_short, tmp_path):
    name, data, settings = CASES[case]
    whole = maquette.train(name, data, settings, out=tmp_path / "whole", style="quiet")
    run = cut_short(2, name, data, settings, tmp_path / "cut")
    assert len(lines_of(run)) <= 2 and not (run / "result.json").exists() and not (run / "model.keras").exists()
    maquette.resume(run, style="quiet")
    assert_equal_runs(whole.folder, run)


def test_patience_keeps_the_best_weights_across_a_resume(cut_short, tmp_path):
    """The best epoch lies before the interruption, the stop after it."""
    name, data, settings = CASES["patience"]
    whole = maquette.train(name, data, settings, out=tmp_path / "whole", style="quiet")
    losses = [row["val_loss"] for row in lines_of(whole.folder)]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < settings["epochs"]
    run = cut_short(best + 2, name, data, settings, tmp_path / "cut")
    maquette.resume(run, style="quiet")
    assert_equal_runs(whole.folder, run)
    state = state_of(run)
    kept = [state[key] for key in sorted(state) if key.startswith("best_")]
    assert all(np.array_equal(a, b) for a, b in zip(kept, Run.open(run).model.get_weights(), strict=True))


def test_several_interruptions_are_no_different(cut_short, tmp_path):
    name, data, settings = CASES["two players"]
    whole = maquette.train(name, data, settings, out=tmp_path / "whole", style="quiet")
    run = cut_short(1, name, data, settings, tmp_path / "cut")
    for epoch in (2, 3):
        with pytest.MonkeyPatch.context() as patch:

            def die(self, now, logs=None, epoch=epoch):
                if now == epoch:
                    raise Killed

            patch.setattr(fitting.Keeper, "on_epoch_begin", die_at(die, fitting.Keeper.on_epoch_begin))
            with pytest.raises(Killed):
                maquette.resume(run, style="quiet")
    maquette.resume(run, style="quiet")
    assert_equal_runs(whole.folder, run)


SMALL = ("softmax_regression", "digits", {"epochs": 3, "batch_size": 256, "schedule": "constant"})


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An uninterrupted run of SMALL."""
    name, data, settings = SMALL
    return maquette.train(name, data, settings, out=tmp_path_factory.mktemp("small") / "run", style="quiet").folder


def test_killed_before_the_first_state(small, cut_short, tmp_path):
    run = cut_short(0, *SMALL, tmp_path / "cut")
    assert not (run / "state.npz").exists() and lines_of(run) == []
    maquette.resume(run, style="quiet")
    assert_equal_runs(small, run)


def test_killed_between_the_first_files(small, tmp_path):
    """Whatever file of the start is the last to be written, the folder can be used again."""
    name, data, settings = SMALL
    for count, present in enumerate(((), ("environment.json",), ("environment.json", "pipeline.json"))):
        run = tmp_path / str(count)
        run.mkdir()
        for file in present:
            shutil.copy(small / file, run / file)
        (run / f"{files.PARTIAL}recipe-x.json").write_text("{")
        maquette.train(name, data, settings, out=run, style="quiet")
        assert_equal_runs(small, run)


def test_killed_while_the_state_was_written(small, cut_short, tmp_path):
    """The half-written file lies beside the whole one before it; it is not read, and is gone in the end."""
    run = cut_short(2, *SMALL, tmp_path / "cut")
    half = run / f"{files.PARTIAL}state-abc.npz"
    half.write_bytes((run / "state.npz").read_bytes()[:300])
    maquette.resume(run, style="quiet")
    assert_equal_runs(small, run)
    assert not list(run.glob(".*"))


def test_killed_while_a_line_was_written(small, cut_short, tmp_path):
    run = cut_short(2, *SMALL, tmp_path / "cut")
    with (run / "metrics.jsonl").open("a") as lines:
        lines.write('{"epoch": 3, "accuracy": 0.1}\n{"epoch": 4, "accu')
    assert [row["epoch"] for row in Run.open(run).history][-1] == 3
    maquette.resume(run, style="quiet")
    assert_equal_runs(small, run)


@pytest.mark.parametrize("missing", [("result.json",), ("result.json", "model.keras")])
def test_killed_after_the_last_epoch(small, missing, tmp_path):
    run = Path(shutil.copytree(small, tmp_path / "run"))
    for name in missing:
        (run / name).unlink()
    maquette.resume(run, style="quiet")
    assert_equal_runs(small, run)


def test_a_finished_run_is_left_as_it_is(small, tmp_path):
    run = Path(shutil.copytree(small, tmp_path / "run"))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(maquette.InputError, match="is finished: train it for longer with --epochs above 3"):
        maquette.resume(run, style="quiet")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_training_for_longer_is_training_for_so_long_at_once(small, tmp_path):
    name, data, settings = SMALL
    longer = maquette.train(name, data, {**settings, "epochs": 5}, out=tmp_path / "longer", style="quiet")
    run = Path(shutil.copytree(small, tmp_path / "run"))
    maquette.resume(run, epochs=5, style="quiet")
    assert_equal_runs(longer.folder, run)
    assert Run.open(run).recipe == Run.open(longer.folder).recipe


def test_killed_while_training_for_longer(small, tmp_path, monkeypatch):
    """The result of the shorter run is gone, so that the run counts as unfinished and can be resumed."""
    run = Path(shutil.copytree(small, tmp_path / "run"))

    def die(self, epoch, logs=None):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fitting.Keeper, "on_epoch_begin", die)
        with pytest.raises(Killed):
            maquette.resume(run, epochs=5, style="quiet")
    assert not Run.open(run).finished and Run.open(run).recipe.epochs == 5
    maquette.resume(run, style="quiet")
    assert [row["epoch"] for row in lines_of(run)] == [1, 2, 3, 4, 5]


def test_a_schedule_that_has_ended_is_not_prolonged(cut_short, tmp_path):
    name, data, settings = CASES["momentum and a falling rate"]
    run = maquette.train(name, data, {**settings, "epochs": 1}, out=tmp_path / "run", style="quiet").folder
    with pytest.raises(maquette.InputError, match=r"the cosine schedule of .* ended at 1; train anew"):
        maquette.resume(run, epochs=3, style="quiet")


def test_other_data_than_at_the_start_are_refused(table_text, tmp_path, cut_short):
    path = tmp_path / "table.csv"
    path.write_text(table_text)
    run = cut_short(1, "mlp", str(path), {"epochs": 2, "inputs.target": "kind"}, tmp_path / "run")
    path.write_text(table_text.replace("1.", "2."))
    with pytest.raises(maquette.InputError, match=r"table\.csv are not those that .*run was started with: train anew"):
        maquette.resume(run, style="quiet")
    path.write_text(table_text)
    maquette.resume(run, style="quiet")


def test_other_rows_of_the_same_spread_are_refused_too(table_text, tmp_path, cut_short):
    """The order of the rows decides the batches, and the scale of the columns does not show it."""
    path = tmp_path / "table.csv"
    path.write_text(table_text)
    run = cut_short(1, "mlp", str(path), {"epochs": 2, "inputs.target": "kind", "test": 0.0}, tmp_path / "run")
    header, *rows = table_text.splitlines()
    path.write_text("\n".join([header, *rows[::-1]]) + "\n")
    with pytest.raises(maquette.InputError, match=r"are not those that .*run was started with"):
        maquette.resume(run, style="quiet")


@pytest.mark.parametrize("asked", ["jax", "tensorflow"])
def test_the_recorded_backend_is_the_one_that_resumes(asked, process, small, tmp_path):
    """KERAS_BACKEND chooses for new runs; a run goes on under the backend that it was started with."""
    recorded = Run.open(small).backend
    if asked == recorded or find_spec(asked) is None:
        pytest.skip(f"{asked} is not another backend that is installed")
    run = Path(shutil.copytree(small, tmp_path / "run"))
    told = process("resume", run, "--epochs", "4", "--quiet", KERAS_BACKEND=asked)
    assert told.status == 0 and Run.open(run).backend == recorded
    name, data, settings = SMALL
    longer = maquette.train(name, data, {**settings, "epochs": 4}, out=tmp_path / "longer", style="quiet")
    assert lines_of(run) == lines_of(longer.folder)


def test_a_run_that_is_kept_is_not_trained_again(small, tmp_path, monkeypatch):
    from maquette.verbs.train import once

    run = Run.open(small)
    monkeypatch.setattr("maquette.verbs.train._continue", None)
    assert once(run.recipe, run.backend, small).folder == small
    with pytest.raises(TypeError):  # another seed would have to be trained
        once(replace(run.recipe, seed=1), run.backend, Path(shutil.copytree(small, tmp_path / "run")))


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_kill_9_at_any_moment(backend):
    """The short form of the benchmark, two kills: 21 and more in the full one."""
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    script = Path(__file__).parent.parent / "benchmarks" / "interruption.py"
    done = subprocess.run(
        [sys.executable, str(script), "--short", "--backend", backend], capture_output=True, text=True, timeout=580
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal") == 1 and "DIFFERENT" not in done.stdout
