"""Whatever a user gets wrong is answered by one line that names the culprit and a remedy, status 2, and no rubbish."""

import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import maquette
from maquette import files

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

QUICK = ("--set", "epochs=1", "--quiet")


def refused(told, *named):
    """One line, status 2; each of `named` stands in it."""
    assert told.status == 2, told
    lines = told.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("maquette: "), told.err
    for word in named:
        assert str(word) in lines[0], (word, lines[0])
    assert told.out == ""
    return lines[0]


def nothing_half_written(folder):
    assert not list(Path(folder).rglob(".*")), list(Path(folder).rglob(".*"))


@pytest.fixture
def table(tmp_path, table_text):
    path = tmp_path / "table.csv"
    path.write_text(table_text)
    return path


@pytest.fixture(scope="session")
def table_run(tmp_path_factory, table_text):
    folder = tmp_path_factory.mktemp("table")
    (folder / "table.csv").write_text(table_text)
    settings = {"epochs": 1, "schedule": "constant", "inputs.target": "kind"}
    return maquette.train("mlp", str(folder / "table.csv"), settings, out=folder / "run", style="quiet").folder


@pytest.fixture(scope="session")
def picture_run(tmp_path_factory, make_pictures):
    folder = tmp_path_factory.mktemp("pictures")
    data = make_pictures(folder / "data")
    return maquette.train("mlp", str(data), {"epochs": 1}, out=folder / "run", style="quiet").folder


@pytest.fixture
def a_run(tmp_path, table_run):
    """A copy of a finished run, to be damaged."""
    return Path(shutil.copytree(table_run, tmp_path / "run"))


# --- words that the command line does not know -----------------------------------------------------------

WORDS = {
    "command": (["lst"], "'lst'", "list"),
    "option": (["train", "mlp", "--dat", "digits"], "--dat", "--data"),
    "missing argument": (["train"], "MODEL|RECIPE", "maquette train --help"),
    "missing option": (["compare", "--task", "clustering"], "--data", "maquette compare --help"),
    "kind of list": (["list", "modles"], "modles", "models"),
    "page to show": (["show", "lenet"], "lenet", "lenet5"),
    "page to copy": (["copy", "lenet"], "lenet", "lenet5"),
    "model": (["train", "lenet6"], "lenet6", "lenet5"),
    "recipe": (["train", "mnist-lenet"], "mnist-lenet", "mnist-lenet5"),
    "recipe to reproduce": (["reproduce", "xor-mpl"], "xor-mpl", "xor-mlp"),
    "own page": (["train", "nowhere.py"], "nowhere.py", "maquette copy"),
    "task": (["train", "mlp", "--task", "image-clasification"], "image-clasification", "image-classification"),
    "task by setting": (["train", "mlp", "--set", "task=tabular"], "tabular", "tabular-classification"),
    "task of another model": (["train", "lenet5", "--task", "density"], "lenet5", "image-classification"),
    "task to compare": (["compare", "--task", "densty", "--data", "digits"], "densty", "maquette list tasks"),
    "model to compare": (["compare", "--task", "density", "--data", "digits", "--models", "mpl"], "mpl", "mlp"),
    "data": (["train", "mlp", "--data", "digts"], "digts", "digits"),
    "data of another kind": (["train", "lenet5", "--data", "wine"], "lenet5", "wine"),
    "backend": (["train", "mlp", "--backend", "tensorfow"], "tensorfow", "tensorflow"),
    "setting without =": (["train", "mlp", "--set", "epochs"], "epochs", "key=value"),
    "setting": (["train", "mlp", "--set", "epoch=3"], "epoch", "epochs"),
    "model argument": (["train", "mlp", "--set", "model.hidden_unit=3"], "model.hidden_unit", "hidden_units"),
    "input option": (["train", "mlp", "--set", "inputs.sise=3"], "inputs.sise", "size"),
    "type": (["train", "mlp", "--set", "epochs=many"], "epochs=many", "integer"),
    "type of a model argument": (["train", "mlp", "--set", "model.dropout=some"], "model.dropout=some", "number"),
    "type of an input": (["train", "mlp", "--set", "inputs.size=big"], "inputs.size=big", "integer"),
    "size 0": (["train", "mlp", "--set", "inputs.size=0"], "inputs.size=0", "greater than or equal to 1"),
    "dropout": (["train", "mlp", "--data", "digits", "--set", "model.dropout=2"], "mlp", "`rate`", "between 0 and 1"),
    "units": (["train", "mlp", "--data", "digits", "--set", "model.hidden_units=-1"], "mlp", "-1", "positive integer"),
    "no classes": (["train", "mlp", "--data", "digits", "--set", "model.classes=0"], "model.classes=0", "has 10"),
    "few classes": (["train", "mlp", "--data", "digits", "--set", "model.classes=3"], "model.classes=3", "has 10"),
    "activation": (["train", "mlp", "--data", "digits", "--set", "model.activation=rleu"], "mlp", "rleu"),
    "optimizer": (["train", "mlp", "--data", "digits", "--set", "optimizer.adan=0.1"], "adan", "adam"),
    "learning rate": (["train", "mlp", "--data", "digits", "--set", "optimizer.adam=fast"], "optimizer.adam", "fast"),
    "rate of two players": (["train", "gan", "--set", "learning_rate=0.1"], "learning_rate", "optimizer.critic.adam"),
    "schedule": (["train", "mlp", "--set", "schedule=sine"], "schedule=sine", "'cosine' or 'linear'"),
    "precision": (["train", "mlp", "--data", "digits", "--set", "precision=half"], "half", "mixed_bfloat16"),
    "batch size": (["train", "mlp", "--set", "batch_size=-1"], "batch_size=-1", "at least 0"),
    "no epoch": (["train", "mlp", "--set", "epochs=0"], "epochs=0", "at least 1"),
    "negative epochs": (["train", "mlp", "--set", "epochs=-2"], "epochs=-2", "at least 1"),
    "validation": (["train", "mlp", "--set", "validation=1.5"], "validation=1.5", "from 0 to 0.99"),
    "patience alone": (["train", "mlp", "--data", "digits", "--set", "patience=2"], "patience=2", "validation=0.1"),
    "seed": (["train", "mlp", "--seed", "-1"], "--seed", "greater than or equal to 0"),
    "huge seed": (["train", "mlp", "--set", f"seed={2**40}"], "seed", f"to {2**31}"),
    "small pictures": (["train", "lenet5", "--data", "digits"], "28x28", "inputs.size=28"),
    "a run that is none": (["evaluate", "."], "recipe.json", "maquette train"),
    "a run that is nowhere": (["resume", "nowhere"], "nowhere", "maquette train"),
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_wrong_word_is_named_with_a_remedy(kind, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, *named = WORDS[kind]
    refused(command(*words, *(["--out", "run"] if words[0] == "train" and len(words) > 1 else [])), *named)
    assert not list(tmp_path.iterdir())


# --- data of the user's own ----------------------------------------------------------------------------------------


def cut(path, keep=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


def empty_folder(folder, _):
    folder.mkdir()


def class_without_pictures(folder, make):
    make(folder)
    (folder / "grey").mkdir()


def single_class(folder, make):
    make(folder, ("dark",))


def no_picture(folder, make):
    (make(folder) / "dark" / "0.png").write_text("not a picture")


def truncated_jpeg(folder, make):
    from PIL import Image

    path = make(folder) / "dark" / "9.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    cut(path)


def other_classes_to_test(folder, make):
    make(folder / "train")
    make(folder / "test", ("dark", "lite"))


def a_pixel_of_fractions(folder, make):
    from PIL import Image

    Image.fromarray(np.full((6, 6), 0.5, np.float32)).save(make(folder) / "dark" / "9.tif")


FOLDERS = {
    "empty": (empty_folder, "data", "each class"),
    "class without pictures": (class_without_pictures, "grey", "remove the folder"),
    "single class": (single_class, "'dark'", "two classes"),
    "no picture": (no_picture, "0.png", "replace or remove"),
    "truncated JPEG": (truncated_jpeg, "9.jpg", "replace or remove"),
    "classes of train and test differ": (other_classes_to_test, "test/", "same classes"),
    "pixels of fractions": (a_pixel_of_fractions, "9.tif", "8 or 16 bits"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_wrong_folder_of_pictures_is_named(kind, command, tmp_path, make_pictures):
    make, *named = FOLDERS[kind]
    make(tmp_path / "data", make_pictures)
    refused(command("train", "mlp", "--data", tmp_path / "data", "--out", tmp_path / "run", *QUICK), *named)
    assert not (tmp_path / "run").exists()


def test_pictures_of_all_modes_are_read(command, tmp_path, make_pictures):
    """16 bits, CMYK, palette and alpha are turned into what the model takes, as the reader's page says."""
    from PIL import Image

    data, grey = make_pictures(tmp_path / "data"), np.full((6, 6), 200, np.uint8)
    Image.fromarray(grey.astype(np.uint16) * 257).save(data / "light" / "sixteen.png")
    Image.fromarray(grey).convert("CMYK").save(data / "light" / "cmyk.jpg")
    Image.fromarray(grey).convert("P").save(data / "light" / "palette.gif")
    Image.fromarray(np.stack([grey, grey // 2], axis=-1), "LA").save(data / "light" / "alpha.png")
    told = command("train", "mlp", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert told.status == 0, told
    report = json.loads((tmp_path / "run" / "pipeline.json").read_text())["report"]
    assert any("train: 16 pictures (dark 6, light 10)" in line for line in report)


ROWS = "width,height,kind\n1,2,a\n2,3,b\n3,4,a\n4,5,b\n5,6,a\n6,7,b\n"
TABLES = {
    "empty": ("", "kind", "table.csv", "empty"),
    "header alone": ("width,height,kind\n", "kind", "table.csv", "add the data"),
    "ragged row": (ROWS + "7,8\n", "kind", "line 8", "(2)", "(3)"),
    "target": (ROWS, "kid", "'kid'", "'kind'"),
    "no target": (ROWS, None, "inputs.target=COLUMN", "width, height, kind"),
    "infinity": (ROWS + "inf,8,a\n", "kind", "row 7", "'width'", "infinity"),
    "missing target": (ROWS + "7,8,\n", "kind", "'kind'", "row 7", "fill in"),
    "not UTF-8": (ROWS.encode() + b"7,8,\xe9\n", "kind", "line 8", "UTF-8"),
    "UTF-16": (ROWS.encode("utf-16"), "kind", "UTF-16", "UTF-8"),
    "binary": (b"\x7fELF\0\0\1\2" * 40, "kind", "binary", "Parquet"),
    "single class": ("width,kind\n1,a\n2,a\n3,a\n", "kind", "'a'", "two classes"),
    "class of one item": (ROWS * 1 + "7,8,c\n", "kind", "'c'", "more items"),
    "column without name": ("width,,kind\n1,2,a\n2,3,b\n", "kind", "column 2", "name it"),
    "column twice": ("width,width,kind\n1,2,a\n2,3,b\n", "kind", "'width'", "rename"),
    "names in a column": (ROWS.replace("1,2,a", "Ann,2,a").replace("2,3,b", "Bo,3,b"), "kind", "'width'", "leave it"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_wrong_table_is_named(kind, command, tmp_path):
    content, target, *named = TABLES[kind]
    if kind == "names in a column":
        content = "name,kind\n" + "".join(f"name{i},{'ab'[i % 2]}\n" for i in range(30))
        named[0] = "'name'"
    path, words = tmp_path / "table.csv", ["--set", f"inputs.target={target}"] if target else []
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    extra = ["--set", "test=0.5"] if kind == "class of one item" else []
    told = command("train", "mlp", "--data", path, *words, *extra, "--out", tmp_path / "run", *QUICK)
    if kind == "class of one item" and told.status == 0:  # the split keeps a lone item for training, which is fine
        return
    refused(told, *named)
    assert not (tmp_path / "run").exists()


def test_a_text_as_target_of_a_regression(command, table, tmp_path):
    words = ["--task", "tabular-regression", "--set", "inputs.target=kind"]
    told = command("train", "mlp", "--data", table, *words, "--out", tmp_path / "run", *QUICK)
    refused(told, "table.csv", "'kind'", "'ant'", "tabular-classification")


def test_a_truncated_parquet_file(command, table, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    path = tmp_path / "table.parquet"
    parquet.write_table(pyarrow.table({"width": [1.0, 2.0, 3.0], "kind": ["a", "b", "a"]}), path)
    cut(path)
    told = command("train", "mlp", "--data", path, "--set", "inputs.target=kind", "--out", tmp_path / "run", *QUICK)
    refused(told, "table.parquet", "write it again")


def test_parquet_without_pyarrow(command, tmp_path, monkeypatch):
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    words = ["--data", tmp_path / "table.parquet", "--set", "inputs.target=kind"]
    refused(command("train", "mlp", *words, "--out", tmp_path / "run"), "table.parquet", "maquette[tables]")


@pytest.mark.parametrize("fault", ["truncated", "altered"])
def test_a_wrong_original_file(fault, command, tmp_path, monkeypatch):
    folder = tmp_path / "mnist"
    folder.mkdir()
    path = folder / "train-images-idx3-ubyte.gz"
    source = Path(os.environ.get("MAQUETTE_DATA", "")) / "mnist" / path.name
    path.write_bytes(source.read_bytes()[:1000] if source.is_file() else b"\x1f\x8b" + bytes(500))
    if fault == "altered":
        path.write_bytes(b"0123456789")
    monkeypatch.setenv("MAQUETTE_DATA", str(tmp_path))
    refused(command("train", "mnist-mlp", "--out", tmp_path / "run"), path, "sha256", "remove it to download")


# --- predict and evaluate on other data -----------------------------------------------------------


def test_predict_refuses_what_does_not_fit(command, table_run, picture_run, tmp_path):
    refused(command("predict", table_run, tmp_path / "new.csv"), "new.csv", "does not exist")
    (tmp_path / "new.csv").write_text("widht,height,colour\n1,2,red\n")
    refused(command("predict", table_run, tmp_path / "new.csv"), "new.csv", "'width'", "'widht'")
    (tmp_path / "new.csv").write_text("width,height,colour\n1,2,red\n1,tall,red\n")
    refused(command("predict", table_run, tmp_path / "new.csv"), "new.csv", "'height', row 2", "'tall'", "correct")
    refused(command("predict", table_run, tmp_path), tmp_path, "is a folder", "CSV")
    refused(command("predict", picture_run, tmp_path), tmp_path, "has no picture", ".png")
    refused(command("predict", picture_run, tmp_path / "new.csv"), "new.csv", "as a picture", "replace")
    (tmp_path / "fine.csv").write_text("width,height,colour\n1,2,red\n")
    refused(command("predict", table_run, tmp_path / "fine.csv", "--out", tmp_path / "a.txt"), "a.txt", ".jsonl")
    assert command("predict", table_run, tmp_path / "fine.csv").status == 0


def test_the_row_at_fault_is_counted_in_its_own_file(command, table_run, tmp_path):
    (tmp_path / "one.csv").write_text("width,height,colour\n1,2,red\n3,4,red\n")
    (tmp_path / "two.csv").write_text("width,height,colour\n5,short,red\n")
    refused(command("predict", table_run, tmp_path / "one.csv", tmp_path / "two.csv"), "two.csv", "row 1", "'short'")


def test_evaluate_refuses_other_data(command, table_run, picture_run, tmp_path, make_pictures, table_text):
    path = tmp_path / "table.csv"
    path.write_text(table_text.replace("cow", "cat"))
    refused(command("evaluate", table_run, "--data", path), "table.csv", "(cat)", "leave them out")
    path.write_text(table_text.replace("width", "breadth"))
    refused(command("evaluate", table_run, "--data", path), "table.csv", "'width'")
    colours = make_pictures(tmp_path / "colours")
    for file in colours.rglob("*.png"):
        from PIL import Image

        Image.open(file).convert("RGB").resize((9, 7)).save(file)
    refused(command("evaluate", picture_run, "--data", colours), "colours", "3 channels", "trained on 1")
    assert command("evaluate", picture_run, "--data", make_pictures(tmp_path / "larger", side=9)).status == 0


def test_evaluate_takes_data_without_one_of_the_classes(command, table_run, tmp_path, table_text):
    """The classes keep the numbers that they had in training: bee stays 1 and cow 2 where there is no ant."""
    lines = table_text.splitlines()
    for name, kept in (("all", lines), ("some", [line for line in lines if not line.endswith("ant")])):
        (tmp_path / f"{name}.csv").write_text("\n".join(kept) + "\n")
    told = [command("evaluate", table_run, "--data", tmp_path / f"{name}.csv", "--json") for name in ("all", "some")]
    rows = [{row["class"]: row for row in map(json.loads, t.out.splitlines()) if "class" in row} for t in told]
    assert rows[1]["ant"]["items"] == 0 and rows[1]["cow"]["items"] == 20
    assert all(rows[0][name]["recall"] == rows[1][name]["recall"] for name in ("bee", "cow"))


def test_a_generator_has_no_answer_for_a_file(command, tmp_path, make_pictures):
    told = command("train", "gan", "--set", "epochs=1", "--set", "model.hidden_units=4", "--out", tmp_path / "run")
    assert told.status == 0
    picture = make_pictures(tmp_path / "data") / "dark" / "0.png"
    refused(command("predict", tmp_path / "run", picture), "0.png", "generates")


def test_a_generator_of_pictures_refuses_sides_that_it_cannot_halve(command, tmp_path):
    told = command(
        "train", "dcgan", "--data", "digits", "--set", "model.filters=8,8,8,8", "--out", tmp_path / "run", *QUICK
    )
    refused(told, "8x8", "4 times", "inputs.size")


# --- damaged runs -----------------------------------------------------------


def write(name, content):
    return lambda run: (run / name).write_bytes(content)


def remove(name):
    return lambda run: (run / name).unlink()


def change(name, **entries):
    def act(run):
        value = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps({**value, **entries}))

    return act


def legacy(run):
    import h5py

    with h5py.File(run / "model.keras", "w") as file:
        file["weights"] = [1.0]


DAMAGE = {
    "recipe.json is no JSON": (write("recipe.json", b"{"), "recipe.json", "damaged"),
    "recipe.json is no object": (write("recipe.json", b"[]"), "recipe.json", "train anew"),
    "recipe.json lacks its backend": (write("recipe.json", b"{}"), "recipe.json", "train anew"),
    "recipe.json has a wrong type": (change("recipe.json", epochs="many"), "recipe.json", "epochs"),
    "recipe.json has an unknown entry": (change("recipe.json", epoch=3), "recipe.json", "epoch"),
    "recipe.json has an unknown backend": (change("recipe.json", backend="theano"), "theano", "tensorflow"),
    "recipe.json has an unknown page": (change("recipe.json", page="mlq"), "mlq", "mlp"),
    "pipeline.json is missing": (remove("pipeline.json"), "pipeline.json", "train anew"),
    "pipeline.json is cut": (lambda run: cut(run / "pipeline.json"), "pipeline.json", "damaged"),
    "pipeline.json lacks entries": (write("pipeline.json", b'{"encoder": "[]"}'), "pipeline.json", "train anew"),
    "pipeline.json has a wrong encoder": (change("pipeline.json", encoder="[1]"), "pipeline.json", "encoder"),
    "model.keras is missing": (remove("model.keras"), "model.keras", "maquette resume"),
    "model.keras is cut": (lambda run: cut(run / "model.keras"), "model.keras", "train anew"),
    "model.keras is empty": (write("model.keras", b""), "model.keras", "train anew"),
    "model.keras is a pickle": (write("model.keras", pickle.dumps({"a": print})), "model.keras", "train anew"),
    "model.keras is a legacy file": (legacy, "model.keras", "train anew"),
}


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_run_is_named(kind, verb, command, a_run, tmp_path):
    damage, *named = DAMAGE[kind]
    damage(a_run)
    (tmp_path / "new.csv").write_text("width,height,colour\n1,2,red\n")
    refused(command(verb, a_run, *([tmp_path / "new.csv"] if verb == "predict" else [])), *named)


def test_a_model_with_changed_bytes_is_named(command, a_run):
    content = bytearray((a_run / "model.keras").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    (a_run / "model.keras").write_bytes(bytes(content))
    refused(command("evaluate", a_run), "model.keras", "train anew")


def of_another_model(run):
    with np.load(run / "state.npz") as stored:
        arrays = dict(stored)
    arrays["trainable_0000"] = np.zeros((3, 3), "float32")
    np.savez(run / "state.npz", **arrays)


STATES = {
    "cut": (lambda run: cut(run / "state.npz"), "state.npz", "remove it"),
    "empty": (write("state.npz", b""), "state.npz", "remove it"),
    "a pickle": (write("state.npz", pickle.dumps([1])), "state.npz", "remove it"),
    "of another model": (of_another_model, "state.npz", "another model", "train anew"),
}


@pytest.mark.parametrize("kind", STATES)
def test_a_damaged_state_is_named(kind, command, a_run):
    damage, *named = STATES[kind]
    damage(a_run)
    refused(command("resume", a_run, "--epochs", "2"), *named)


def test_a_damaged_state_can_be_removed_as_it_is_said(command, a_run):
    (a_run / "state.npz").unlink()
    assert command("resume", a_run, "--epochs", "2", "--quiet").status == 0
    assert [row["epoch"] for row in map(json.loads, (a_run / "metrics.jsonl").read_text().splitlines())] == [1, 2]


def test_an_unfinished_run_says_how_to_finish_it(command, a_run, tmp_path):
    (a_run / "result.json").unlink()
    (a_run / "model.keras").unlink()
    (tmp_path / "new.csv").write_text("width,height,colour\n1,2,red\n")
    refused(command("predict", a_run, tmp_path / "new.csv"), "model.keras", f"maquette resume {a_run}")


def test_a_finished_run_has_nothing_to_resume(command, a_run):
    refused(command("resume", a_run), "finished", "--epochs above 1")
    refused(command("resume", a_run, "--epochs", "1"), "--epochs 1", "give more")
    assert (a_run / "result.json").exists()


# --- places that cannot be written -----------------------------------------------------------


def test_a_folder_in_use_is_not_written_into(command, a_run, tmp_path, table):
    words = ["train", "mlp", "--data", table, "--set", "inputs.target=kind", *QUICK, "--out"]
    before = sorted(path.name for path in a_run.iterdir())
    refused(command(*words, a_run), a_run, f"maquette resume {a_run}")
    assert sorted(path.name for path in a_run.iterdir()) == before
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("mine")
    refused(command(*words, tmp_path / "letters"), "letters", "another folder")
    refused(command(*words, table), "table.csv", "another folder")
    refused(command(*words, table / "run"), "table.csv", "another place")
    told = command("copy", "mlp", "--out", table)
    refused(told, "table.csv", "--out")


NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full(*_, **__):
    raise NO_SPACE


@pytest.mark.parametrize("place", ["numpy.savez", "os.replace", "tempfile.mkstemp", "keras.Model.save"])
def test_a_full_disk_is_named(place, command, tmp_path, monkeypatch, table):
    import keras  # noqa: F401

    words = ["--data", table, "--set", "inputs.target=kind", "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr(place, full)
        refused(command("train", "mlp", *words, *QUICK), "no space left", tmp_path / "run", "maquette resume")
    nothing_half_written(tmp_path / "run")
    again = command("resume", tmp_path / "run", "--quiet")
    if place in ("os.replace", "tempfile.mkstemp"):  # nothing was written at all
        refused(again, "recipe.json")
        assert command("train", "mlp", *words, *QUICK).status == 0
    else:
        assert again.status == 0 and (tmp_path / "run" / "result.json").exists()


def test_a_disk_that_fills_up_while_lines_are_written(command, tmp_path, monkeypatch, table):
    from maquette import fitting

    real = fitting.Keeper.save

    def save(self):
        self.lines.close()
        self.lines = Path("/dev/full").open("a")  # noqa: SIM115
        self.lines.write("x")
        real(self)

    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    monkeypatch.setattr(fitting.Keeper, "save", save)
    words = ["--data", table, "--set", "inputs.target=kind", "--out", tmp_path / "run"]
    refused(command("train", "mlp", *words, *QUICK), "no space left", "metrics.jsonl", "maquette resume")


def test_a_real_small_disk(process, tmp_path, table):
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True)
    except OSError:
        pytest.skip("there is no mount here")
    if mounted.returncode:
        pytest.skip("this user may not mount")
    try:
        words = ["--data", table, "--set", "inputs.target=kind", "--set", "model.hidden_units=300,300"]
        refused(process("train", "mlp", *words, *QUICK, "--out", disk / "run"), "no space left", disk / "run")
        nothing_half_written(disk)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "value.json"
    files.write_json(path, {"a": 1})
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(maquette.InputError, match="no space left"):
        files.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    nothing_half_written(tmp_path)


# --- training that goes wrong -----------------------------------------------------------


def test_a_loss_that_is_no_number_is_named(command, tmp_path):
    run = tmp_path / "run"
    words = ["--data", "diabetes", "--set", "optimizer.sgd=1e30", "--set", "epochs=3"]
    line = refused(command("train", "mlp", *words, "--out", run, "--quiet"), "loss is", "learning rate")
    assert "epoch 0" in line and not (run / "result.json").exists() and not (run / "model.keras").exists()
    nothing_half_written(run)


def test_an_unknown_backend_in_the_environment(process, tmp_path):
    told = process("train", "mlp", "--data", "digits", "--out", tmp_path / "run", KERAS_BACKEND="nonsense")
    refused(told, "KERAS_BACKEND=nonsense", "tensorflow, jax, torch")


def test_a_wrong_option_in_a_process_of_its_own(process, tmp_path):
    refused(process("train", "mlp", "--data", "digits", "--set", "model.dropout=2", "--out", tmp_path / "run"), "rate")
    refused(process("trian"), "'trian'", "train")
    assert not (tmp_path / "run").exists()


def test_a_traceback_is_shown_where_it_is_asked_for(process):
    told = process("--debug", "train", "lenet6")
    assert told.status == 1 and "Traceback" in told.err and "InputError" in told.err


def test_ctrl_c_says_how_to_go_on(tmp_path, process):
    run = tmp_path / "run"
    words = ["train", "mlp", "--data", "digits", "--set", "epochs=100000", "--set", "model.hidden_units=4"]
    words += ["--set", "batch_size=0", "--set", "schedule=constant", "--out", run]
    line = [sys.executable, "-m", "maquette", *map(str, words), "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as training:
        try:
            wait_for(run / "state.npz", training)
            training.send_signal(signal.SIGINT)
            out, err = training.communicate(timeout=60)
        finally:
            training.kill()
    assert training.returncode == 130 and out == ""
    assert err == f"maquette: stopped; `maquette resume {run}` continues the run\n"
    nothing_half_written(run)
    recipe = json.loads((run / "recipe.json").read_text())
    with np.load(run / "state.npz") as state:
        reached = json.loads(state["progress"].tobytes())["epoch"]
    (run / "recipe.json").write_text(json.dumps({**recipe, "epochs": reached + 2}))
    assert process("resume", run, "--quiet").status == 0
    assert json.loads((run / "result.json").read_text())["epochs"] == reached + 2


DROPPED = """
import signal
from maquette import backend, cli

backend.own_process()
backend.choose("auto", "mlp")
from maquette import fitting

class Pressed:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def press(self, epoch, logs=None, usual=fitting.Keeper.on_epoch_begin):
    usual(self, epoch, logs)
    if epoch == 3:
        Pressed()

fitting.Keeper.on_epoch_begin = press
cli.main()
"""


def test_ctrl_c_that_python_drops_is_kept(tmp_path):
    """An exception that is raised while an object is deleted goes nowhere; the run stops all the same."""
    words = ["train", "mlp", "--data", "digits", "--set", "epochs=100000", "--set", "model.hidden_units=4"]
    line = [sys.executable, "-c", DROPPED, *words, "--out", str(tmp_path / "run"), "--quiet"]
    told = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert told.returncode == 130, told
    assert told.stderr == f"maquette: stopped; `maquette resume {tmp_path / 'run'}` continues the run\n"


def wait_for(path, running, seconds=120):
    end = time.monotonic() + seconds
    while not path.exists():
        assert running.poll() is None and time.monotonic() < end, running.communicate()
        time.sleep(0.02)


def test_ctrl_c_before_training_says_that_nothing_is_lost(command, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("maquette.verbs.train.train", interrupted)
    told = command("train", "mlp")
    assert told == (130, "", "maquette: stopped; nothing has been trained yet\n")


def test_a_reader_that_closes_the_pipe_is_no_error():
    line = f"{sys.executable} -m maquette list data --json | head -1"
    told = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)
    assert told.stderr == "" and json.loads(told.stdout)["name"]


def test_a_pipe_that_is_closed_before_the_first_line():
    read, write_ = os.pipe()
    os.close(read)
    with os.fdopen(write_, "w") as pipe:
        told = subprocess.run(
            [sys.executable, "-m", "maquette", "list"], stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert told.returncode == 1 and told.stderr == ""


def test_json_lines_stay_whole_beside_a_failure(process, tmp_path):
    """What goes to stdout is JSON line by line, and the one line of the failure goes to stderr."""
    words = ["--data", "diabetes", "--set", "optimizer.sgd=0.5", "--set", "epochs=400", "--json"]
    words += ["--set", "batch_size=128"]  # so that a few epochs pass before the loss is no number
    told = process("train", "mlp", *words, "--set", "model.activation=linear", "--out", tmp_path / "run")
    rows = [json.loads(line, parse_constant=lambda text: pytest.fail(text)) for line in told.out.splitlines()]
    assert told.status in (0, 2) and rows and all(isinstance(row, dict) for row in rows)
    assert len(told.err.splitlines()) == (told.status == 2)
