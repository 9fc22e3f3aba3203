"""Text classification by the command line, on a user's own texts and vectors."""

import json

import numpy as np
import pytest

import maquette
from maquette.data import opinions
from maquette.data.readers.word_vectors import save_vectors
from tests.test_bad_input import refused

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

GOOD, BAD = opinions.WORDS["praise"], opinions.WORDS["blame"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """remarks.csv without the last praise, and vectors.txt that tells praise from blame by a sign."""
    folder, random = tmp_path_factory.mktemp("texts"), np.random.default_rng(0)
    rows = ["text,label"]
    for i in range(60):
        label = ("blame", "praise")[i % 2]
        one, two = random.choice(opinions.WORDS[label][:-1], 2, replace=False)
        rows.append(f'"The {one} film, and a {two} room.",{label}')
    (folder / "remarks.csv").write_text("\n".join(rows) + "\n")
    signs = [[1.0, 0.1]] * len(GOOD) + [[-1.0, 0.1]] * len(BAD) + [[0.0, 1.0]]
    save_vectors(folder / "vectors.txt", (*GOOD, *BAD, "the"), np.array(signs))
    return folder


@pytest.fixture(scope="session")
def run(folder):
    """Trained on frozen vectors, whose file is gone since."""
    gone = folder / "gone.txt"
    gone.write_bytes((folder / "vectors.txt").read_bytes())
    settings = {"inputs.vectors": str(gone), "model.frozen": True, "epochs": 20, "batch_size": 8, "learning_rate": 0.1}
    made = maquette.train("deep_averaging", str(folder / "remarks.csv"), settings, out=folder / "run", style="quiet")
    gone.unlink()
    return made


def test_a_trained_run_needs_the_file_no_more_and_knows_words_that_no_text_held(run, folder, command):
    assert run.result["metrics"]["test_accuracy"]["value"] == 1
    told = command("evaluate", run.folder, "--data", folder / "remarks.csv", "--json")
    assert told.status == 0 and "train_accuracy" in told.out  # all of other data is scored, and none held out
    (folder / "new.txt").write_text(f"{GOOD[-1]}, {GOOD[-1]}!\n")
    (folder / "blame.txt").write_text(f"{BAD[-1]}\nand nothing else\n")
    told = command("predict", run.folder, folder / "new.txt", folder / "blame.txt", "--json")
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert [row["class"] for row in rows] == ["praise", "blame"]
    assert [row["input"].rpartition("/")[2] for row in rows] == ["new.txt", "blame.txt"]


def test_rows_of_a_table_are_answered_by_row(run, folder, command):
    told = command("predict", run.folder, folder / "remarks.csv", "--out", folder / "answers.csv")
    lines = (folder / "answers.csv").read_text().splitlines()
    assert told.status == 0 and len(lines) == 61 and "remarks.csv: row 1," in lines[1]


def test_the_share_of_words_with_a_vector_is_reported(run):
    line = next(line for line in run.pipeline["report"] if line.startswith("vectors: "))
    # 7 words of praise, 7 of blame and "the" have one; film, and, a, room have none
    assert "has 78.9% of these words" in line and "2 of its words are not in the texts" in line
    assert line.partition("have")[0] and "42.9% of their occurrences" in line


WRONG = {
    "no such file": (["inputs.vectors=none.txt"], "none.txt", "run of word-vectors"),
    "another dimension": (["inputs.vectors=vectors.txt", "model.dim=7"], "model.dim=7", "2"),
    "frozen for longer than the run": (["model.frozen=3"], "model.frozen=3", "3 epochs"),
    "frozen by a word": (["model.frozen=often"], "model.frozen", "often"),
    "a rare vocabulary": (["inputs.min_count=1000"], "1000 times", "min_count"),
    "a fold": (["inputs.fold=2"], "inputs.fold=2", "no folds"),
    "no such column": (["inputs.text=remark"], "remarks.csv", "'remark'", "text"),
    "a length of nothing": (["inputs.length=0"], "inputs.length=0", "greater"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_named_before_training(kind, folder, command, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    given, *told = WRONG[kind]
    words = [word for setting in [*given, "epochs=3"] for word in ("--set", setting)]
    refused(command("train", "deep_averaging", "--data", "remarks.csv", *words, "--out", tmp_path / "run"), *told)
    assert not (tmp_path / "run").exists()


def test_vectors_of_a_run_of_another_task_are_refused(run, folder, command, tmp_path):
    words = ["--set", f"inputs.vectors={run.folder}", "--out", tmp_path / "run"]
    told = command("train", "deep_averaging", "--data", folder / "remarks.csv", *words)
    refused(told, str(run.folder), "text-classification")
