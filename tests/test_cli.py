"""Every command as a user would type it, on small data that need no network."""

import csv
import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import maquette
from maquette import __version__, assembly, catalog
from maquette.run import Run

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def rows_of(text):
    """JSON lines, in which NaN and infinity may not stand."""

    def no_json(name):
        raise AssertionError(f"{name} is no JSON")

    return [json.loads(line, parse_constant=no_json) for line in text.splitlines()]


def metrics_of(rows):
    return {row["metric"]: row["value"] for row in rows if "metric" in row}


def result_of(folder):
    return json.loads((Path(folder) / "result.json").read_text())


@pytest.fixture(scope="session")
def table(tmp_path_factory, table_text):
    path = tmp_path_factory.mktemp("data") / "insects.csv"
    path.write_text(table_text)
    return path


@pytest.fixture(scope="session")
def table_run(tmp_path_factory, table):
    settings = {"epochs": 30, "model.hidden_units": 16, "optimizer.adam": 0.02, "inputs.target": "kind"}
    out = tmp_path_factory.mktemp("runs") / "table"
    return maquette.train("mlp", str(table), settings, out=out, style="quiet").folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory, make_pictures):
    return make_pictures(tmp_path_factory.mktemp("pictures") / "greys", count=20)


@pytest.fixture(scope="session")
def picture_run(tmp_path_factory, pictures):
    out = tmp_path_factory.mktemp("runs") / "pictures"
    settings = {"epochs": 60, "batch_size": 4, "optimizer.adam": 0.05}
    return maquette.train("softmax-regression", str(pictures), settings, out=out, style="quiet").folder


def test_version_and_help(command):
    assert command("--version") == (0, f"maquette {__version__}\n", "")
    bare, asked = command(), command("--help")
    assert bare == asked and bare.status == 0 and bare.err == ""
    for name in ("train", "resume", "evaluate", "predict", "compare", "reproduce", "quickstart", "copy", "list"):
        assert re.search(rf"^  {name}\s", bare.out, re.M), name
        told = command(name, "--help")
        assert told.status == 0 and told.out.startswith(f"Usage: maquette {name}")


@pytest.mark.parametrize("kind", catalog.MARKS)
def test_list_names_every_page_with_its_first_sentence(kind, command):
    told = command("list", kind, "--json")
    found = catalog.recipes() if kind == "recipes" else catalog.pages(kind)
    assert told.status == 0 and {row["name"]: row["what"] for row in rows_of(told.out)} == {
        name: page.summary for name, page in found.items()
    }
    lines = command("list", kind).out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == sorted(found)


def test_show_prints_the_page(command):
    told = command("show", "lenet5")
    assert told.status == 0 and "1.7159 tanh(2 a / 3)" in told.out and "LeCun" in told.out and "epochs: " in told.out
    assert "Wine" in command("show", "wine").out and "xor" in command("show", "xor-mlp").out


def test_a_copied_page_is_trained_as_it_stands_and_as_it_is_changed(command, tmp_path):
    told = command("copy", "lenet5", "--out", tmp_path)
    page = tmp_path / "lenet5.py"
    assert told.status == 0 and f"maquette train {page}" in told.out
    assert command("copy", "lenet5", "--out", tmp_path).status == 2
    words = ["--data", "digits", "--set", "inputs.size=28", "--set", "epochs=1", "--set", "model.dropout=0"]
    told = command("train", page, *words, "--out", tmp_path / "copied", "--quiet")
    assert told.status == 0, told
    original = command("train", "lenet5", *words, "--out", tmp_path / "original", "--quiet")
    assert [line for line in told.out.splitlines() if line.startswith("test_")] == [
        line for line in original.out.splitlines() if line.startswith("test_")
    ]
    assert Run.open(tmp_path / "copied").recipe.page == str(page)
    assert command("evaluate", tmp_path / "copied").status == 0
    report = (tmp_path / "copied" / "report.html").read_text()
    assert f"maquette train {page}" in report


def test_a_changed_copy_is_another_model(process, tmp_path):
    assert process("copy", "mlp", "--out", tmp_path).status == 0
    page = tmp_path / "mlp.py"
    text = page.read_text()
    changed = re.sub(r"h = drop\(dense\(h\), training=training\)", "h = 0.0 * dense(h)", text)
    assert changed != text
    page.write_text(changed)
    words = ["train", page, "--data", "wine", "--set", "epochs=1", "--out", tmp_path / "run", "--quiet"]
    assert process(*words).status == 0
    told = process("evaluate", tmp_path / "run", "--json")
    # With its hidden units silenced, the model can only say the same of every row: it is right on one class alone.
    recalls = sorted(row["recall"] for row in rows_of(told.out) if "recall" in row)
    assert recalls == [0, 0, 1]


def test_train_tells_the_run_its_metrics_and_its_report(command, tmp_path):
    run = tmp_path / "run"
    words = ["train", "mlp", "--data", "wine", "--set", "epochs=3", "--set", "model.hidden_units=8,4"]
    told = command(*words, "--seed", "3", "--out", run)
    assert told.status == 0 and f"run     {run}" in told.out and f"report  {run / 'report.html'}" in told.out
    assert "epoch 3/3" in told.err and (run / "report.html").stat().st_size > 1000
    made = Run.open(run)
    assert (made.recipe.seed, made.recipe.epochs, tuple(made.recipe.model["hidden_units"])) == (3, 3, (8, 4))
    assert [row["epoch"] for row in made.history] == [1, 2, 3] and made.finished
    assert {path.name for path in run.iterdir()} >= {"environment.json", "model.keras", "figures", "state.npz"}
    for line in told.out.splitlines():
        if line.startswith("test_"):
            name, value = line.split()[:2]
            measured = made.result["metrics"][name]["value"]
            assert value == ("-" if measured is None else f"{measured:.4g}")


def test_train_in_json_lines(command, tmp_path):
    words = ["train", "linear-regression", "--data", "diabetes", "--set", "epochs=2", "--json"]
    told = command(*words, "--out", tmp_path / "run")
    rows = rows_of(told.out)
    assert told.status == 0 and "epoch" not in told.err
    assert [row["epoch"] for row in rows if row.get("event") == "epoch"] == [1, 2]
    assert metrics_of(rows) == {k: m["value"] for k, m in result_of(tmp_path / "run")["metrics"].items()}
    assert rows[-1]["event"] == "done" and rows[-1]["run"] == str(tmp_path / "run")


def test_the_default_folder_is_a_new_one_under_runs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert command("train", "linear-regression", "--data", "diabetes", "--set", "epochs=1", "--quiet").status == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_the_same_seed_gives_the_same_weights_in_another_process(process, tmp_path):
    backend = Run.open(once(tmp_path / "here")).backend
    words = ["train", "mlp", "--data", "wine", "--set", "epochs=2", "--set", "model.dropout=0.5", "--seed", "5"]
    for name in ("one", "two"):
        assert process(*words, "--backend", backend, "--out", tmp_path / name, "--quiet").status == 0
    runs = [np.load(tmp_path / name / "state.npz") for name in ("one", "two")]
    for key in runs[0].files:
        assert key == "progress" or runs[0][key].tobytes() == runs[1][key].tobytes(), key
    other = [row["loss"] for row in Run.open(tmp_path / "here").history]
    assert other != [row["loss"] for row in Run.open(tmp_path / "one").history]


def once(folder):
    return maquette.train("mlp", "wine", {"epochs": 2, "model.dropout": 0.5}, seed=6, out=folder, style="quiet").folder


def test_pictures_of_ones_own_are_learnt(picture_run):
    made = Run.open(picture_run)
    # Bright and dark pictures: a linear model tells them apart.
    assert made.result["metrics"]["test_accuracy"]["value"] == 1
    assert made.pipeline["classes"] == ["dark", "light"] and "train: 40 pictures" in " ".join(made.pipeline["report"])


def test_a_table_of_ones_own_is_learnt(table_run):
    made = Run.open(table_run)
    assert made.result["metrics"]["test_accuracy"]["value"] >= 0.9  # chance is 1/3
    assert made.pipeline["classes"] == ["ant", "bee", "cow"]
    assert set(made.pipeline["features"]) == {"width", "height", "colour"}


def test_parquet_is_read_like_csv(command, table, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    with table.open() as file:
        columns = list(csv.DictReader(file))
    numbers = {name: [float(row[name]) for row in columns] for name in ("width", "height")}
    texts = {name: [row[name] for row in columns] for name in ("colour", "kind")}
    parquet.write_table(pyarrow.table({**numbers, **texts}), tmp_path / "insects.parquet")
    words = ["--set", "inputs.target=kind", "--set", "epochs=2", "--quiet"]
    for data in (table, tmp_path / "insects.parquet"):
        assert command("train", "mlp", "--data", data, *words, "--out", tmp_path / data.suffix[1:]).status == 0
    assert result_of(tmp_path / "csv")["metrics"] == result_of(tmp_path / "parquet")["metrics"]


def test_evaluate_repeats_the_result(command, table_run, picture_run):
    for run in (table_run, picture_run):
        told = command("evaluate", run, "--json")
        assert told.status == 0
        rows = rows_of(told.out)
        wanted = result_of(run)["metrics"]
        for row in rows:
            if "metric" in row:
                assert {key: row[key] for key in ("value", "low", "high")} == pytest.approx(wanted[row["metric"]])
        assert len(metrics_of(rows)) == len(wanted)


def test_evaluate_on_other_data_counts_what_is_there(command, table_run, table, tmp_path):
    """All rows of the same table, one class renamed into another: the share that is right is known."""
    told = command("evaluate", table_run, "--data", table, "--json")
    assert told.status == 0
    lines = table.read_text().splitlines()
    path = tmp_path / "swapped.csv"
    swapped = [line.replace("ant", "x").replace("bee", "ant").replace("x", "bee") for line in lines]
    path.write_text("\n".join(swapped) + "\n")
    right, wrong = (
        metrics_of(rows_of(command("evaluate", table_run, "--data", p, "--json").out)) for p in (table, path)
    )
    names = {key.split("_", 1)[0] for key in right}
    assert names == {"train"}  # a table without a split of its own
    answers = {row["input"]: row["class"] for row in rows_of(command("predict", table_run, table, "--json").out)}
    truth = [line.split(",")[-1] for line in swapped[1:]]
    share = np.mean([answer == kind for answer, kind in zip(answers.values(), truth, strict=True)])
    assert wrong["train_accuracy"] == pytest.approx(share) and wrong["train_accuracy"] < right["train_accuracy"]


def test_a_built_in_table_is_evaluated_on_ones_own_by_its_target(command, tmp_path):
    from maquette import data

    words = ["train", "linear-regression", "--data", "diabetes", "--set", "epochs=2", "--out", tmp_path / "run"]
    assert command(*words, "--quiet").status == 0
    whole = data.load("diabetes").train
    keys = list(whole.x)
    lines = [",".join([*keys, data.load("diabetes").target])]
    lines += [",".join(repr(float(v)) for v in (*(whole.x[k][i] for k in keys), whole.y[i])) for i in range(len(whole))]
    (tmp_path / "own.csv").write_text("\n".join(lines) + "\n")
    told = command("evaluate", tmp_path / "run", "--data", tmp_path / "own.csv", "--json")
    assert told.status == 0, told
    run = Run.open(tmp_path / "run")
    answers = rows_of(command("predict", tmp_path / "run", tmp_path / "own.csv", "--json").out)
    predicted = np.array([row[run.words.target] for row in answers])
    rmse = np.sqrt(np.mean((predicted - whole.y) ** 2))
    assert metrics_of(rows_of(told.out))["train_rmse"] == pytest.approx(rmse, rel=1e-5)


def test_predict_answers_what_the_model_says_in_every_form(command, table_run, table, tmp_path):
    printed = rows_of(command("predict", table_run, table, "--json").out)
    run = Run.open(table_run)
    split = run.task.read_inputs([table], run.encoder, run.pipeline["shape"])
    p = np.asarray(run.model.serve(run.encoder.transform(split.x)))
    assert len(printed) == 60
    for row, answer in zip(printed, p, strict=True):
        assert row["class"] == run.pipeline["classes"][int(answer.argmax())]
        assert row["probability"] == pytest.approx(answer.max(), rel=1e-5)
        assert row["probability"] + sum(row["next"].values()) == pytest.approx(1, abs=1e-5)
    for form in ("csv", "json", "jsonl"):
        out = tmp_path / f"answers.{form}"
        told = command("predict", table_run, table, "--out", out)
        assert told == (0, f"60 answers in {out}\n", told.err)
    assert rows_of((tmp_path / "answers.jsonl").read_text()) == printed
    assert json.loads((tmp_path / "answers.json").read_text()) == printed
    with (tmp_path / "answers.csv").open() as file:
        for row, answer in zip(csv.DictReader(file), printed, strict=True):
            assert (row["input"], row["class"], float(row["probability"])) == tuple(
                answer[key] for key in ("input", "class", "probability")
            )
    shown = command("predict", table_run, table).out.splitlines()
    assert len(shown) == 61 and shown[0].split()[:3] == ["input", "class", "probability"]


def test_an_answer_does_not_depend_on_its_company(command, picture_run, pictures):
    together = {row["input"]: row for row in rows_of(command("predict", picture_run, pictures, "--json").out)}
    assert len(together) == 40
    for path in (pictures / "dark" / "0.png", pictures / "light" / "7.png"):
        (alone,) = rows_of(command("predict", picture_run, path, "--json").out)
        assert alone["class"] == together[str(path)]["class"] == path.parent.name
        assert alone["probability"] == pytest.approx(together[str(path)]["probability"], rel=1e-5)


def test_a_run_can_be_moved_and_used_under_its_backend(process, table_run, table, tmp_path):
    """A run needs its folder alone, and decides on the backend whatever the environment says."""
    moved = Path(shutil.copytree(table_run, tmp_path / "elsewhere"))
    backend = Run.open(moved).backend
    other = next((b for b in ("jax", "tensorflow") if b != backend and find_spec(b)), backend)
    told = process("predict", moved, table, "--json", KERAS_BACKEND=other)
    assert told.status == 0 and told.err == "" and len(rows_of(told.out)) == 60


def test_compare_lays_models_side_by_side_and_keeps_its_runs(command, tmp_path):
    out = tmp_path / "comparison"
    words = ["compare", "--task", "tabular-classification", "--data", "wine", "--models", "mlp,softmax-regression"]
    words += ["--seeds", "2", "--set", "epochs=3", "--out", out]
    told = command(*words, "--json")
    assert told.status == 0, told
    rows = [row for row in rows_of(told.out) if "model" in row and "metrics" in row]
    assert {row["model"] for row in rows} == {"mlp", "softmax-regression"} and all(row["seeds"] == 2 for row in rows)
    for row in rows:
        values = [result_of(out / row["model"] / f"seed-{seed}")["metrics"] for seed in (0, 1)]
        accuracy = [value["test_accuracy"]["value"] for value in values]
        assert row["metrics"]["test_accuracy"]["value"] == pytest.approx(np.mean(accuracy))
    errors = [row["metrics"]["test_error"]["value"] for row in rows]
    assert errors == sorted(errors)  # the best first
    splits = [
        (Run.open(out / name / f"seed-{seed}").pipeline["fingerprint"])
        for name in ("mlp", "softmax-regression")
        for seed in (0, 1)
    ]
    assert len(set(splits)) == 1  # all see the same items
    page = (out / "compare.html").read_text()
    assert "mlp" in page and "softmax-regression" in page and json.loads((out / "compare.json").read_text())["rows"]
    written = {path: path.stat().st_mtime_ns for path in out.rglob("model.keras")}
    again = command(*words)
    assert again.status == 0 and {path: path.stat().st_mtime_ns for path in out.rglob("model.keras")} == written
    assert len(written) == 4 and again.out.splitlines()[0].split()[0] == "model"
    assert len(again.out.splitlines()) == 3


def test_compare_trains_anew_where_the_data_have_changed(command, table_text, tmp_path):
    path, out = tmp_path / "table.csv", tmp_path / "comparison"
    path.write_text(table_text)
    words = ["compare", "--task", "tabular-classification", "--data", path, "--models", "mlp", "--seeds", "1"]
    words += ["--set", "epochs=1", "--set", "inputs.target=kind", "--out", out, "--quiet"]
    assert command(*words).status == 0
    first = result_of(out / "mlp" / "seed-0")
    path.write_text(table_text.replace("0.", "9."))
    assert command(*words).status == 0
    assert result_of(out / "mlp" / "seed-0")["metrics"] != first["metrics"]


TINY = """'''A few steps on the truth table of exclusive or.'''
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="{name}", page="mlp", task="tabular-classification", data="xor", model={{"hidden_units": (2,)}},
    batch_size=0, epochs=3, seeds=2, expect={{"test_error": Expect({value}, "required: any", "at most")}},
)
"""
ENTRY = {"recipe", "metric", "value", "low", "high", "seeds", "expected", "sense", "tolerance", "source", "met"}
ENTRY |= {"seconds", "backend", "device", "version"}


def test_reproduce_writes_what_was_reached(command, tmp_path):
    page, docs, runs = tmp_path / "easy.py", tmp_path / "docs", tmp_path / "runs"
    page.write_text(TINY.format(name="easy", value=1.0))
    told = command("reproduce", page, "--docs", docs, "--runs", runs, "--json")
    assert told.status == 0, told
    (entry,) = json.loads((docs / "results.json").read_text())
    assert set(entry) == ENTRY and entry["met"] is True and (entry["recipe"], entry["seeds"]) == ("easy", 2)
    reached = [result_of(folder)["metrics"]["test_error"]["value"] for folder in (runs / "easy").iterdir()]
    assert len(reached) == 2 and entry["value"] == pytest.approx(np.mean(reached))
    text = (docs / "results.md").read_text()
    assert "| easy | `test_error` |" in text and "at most 1" in text and "| yes |" in text


def test_reproduce_of_several_goes_on_after_a_missed_expectation(process, tmp_path):
    names = {"never": -1.0, "easy": 1.0}
    for name, value in names.items():
        (tmp_path / f"{name}.py").write_text(TINY.format(name=name, value=value))
    pages = [tmp_path / f"{name}.py" for name in names]
    told = process(
        "reproduce", *pages, "--docs", tmp_path / "docs", "--runs", tmp_path / "runs", "--seeds", "1", "--quiet"
    )
    assert told.status == 3, told
    entries = {entry["recipe"]: entry["met"] for entry in json.loads((tmp_path / "docs" / "results.json").read_text())}
    assert entries == {"never": False, "easy": True}


def test_resume_by_the_command_line(command, tmp_path):
    words = ["train", "linear-regression", "--data", "diabetes", "--set", "schedule=constant", "--quiet"]
    assert command(*words, "--set", "epochs=2", "--out", tmp_path / "run").status == 0
    assert command(*words, "--set", "epochs=4", "--out", tmp_path / "whole").status == 0
    told = command("resume", tmp_path / "run", "--epochs", "4", "--json")
    assert told.status == 0 and metrics_of(rows_of(told.out)) == {
        key: m["value"] for key, m in result_of(tmp_path / "whole")["metrics"].items()
    }


def test_quickstart_beats_the_baseline(process, tmp_path, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)  # which save time in compiling, and here there is more to compute
    told = process("quickstart", "--out", tmp_path / "quickstart", "--json")
    assert told.status == 0, told
    found = rows_of(told.out)[-1]
    assert found["model"]["value"] > found["baseline"]["value"] > 0.85
    assert Path(found["report"]).exists() and Path(found["report"]).is_relative_to(tmp_path)


def test_the_pipeline_read_back_is_the_one_that_trained(picture_run):
    """The saved encoder gives the numbers that training saw."""
    run = Run.open(picture_run)
    pipeline = assembly.prepare(run.recipe)
    x = pipeline.dataset.train.x[:5]
    np.testing.assert_array_equal(run.encoder.transform(x), pipeline.encoder.transform(x))
