"""Translation from the command line: two small folders in, a run, its report, and translated pictures out."""

import json
import re

import numpy as np
import pytest
from PIL import Image

pytest_plugins = ["tests.commands"]

TINY = ["--set", "model.filters=2", "--set", "model.halvings=1", "--set", "model.critic_filters=2", "--set", "epochs=2"]


@pytest.fixture
def kinds(tmp_path):
    """FOLDER/a and FOLDER/b: dark and bright pictures of 8 x 8 pixels, in unequal numbers and of different names."""
    random = np.random.default_rng(0)
    for name, count, least in (("a", 6, 0), ("b", 5, 150)):
        (tmp_path / "kinds" / name).mkdir(parents=True)
        for i in range(count):
            pixels = random.integers(least, least + 100, (8, 8, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "kinds" / name / f"{name}{i}.png")
    return tmp_path / "kinds"


def test_a_translator_is_trained_resumed_reported_and_asked(command, kinds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["cyclegan", "--data", "kinds", *TINY, "--set", "model.blocks=1", "--set", "schedule=constant"]
    trained = command("train", *words, "--out", "run", "--quiet")
    assert trained.status == 0, trained.err
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert {"test_cycle_error_a", "test_cycle_error_b"} <= set(result["metrics"])
    assert not {"test_remaining_error", "test_error_b"} & set(result["metrics"])  # nobody knows the truth
    report = (tmp_path / "run" / "report.html").read_text()
    assert "From a to b" in report and "From b to a" in report and "Translations by epoch" in report
    assert "no pairs" in report

    told = command("predict", "run", "kinds/a", "--out", "made")
    assert told.status == 0 and "6 answers" in told.out
    files = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert files == [*(f"a{i}.png" for i in range(6)), "index.html"]
    with Image.open(tmp_path / "made" / "a3.png") as picture:
        assert picture.size == (8, 8) and picture.mode == "RGB"
        there = np.asarray(picture, float) / 255
    page = (tmp_path / "made" / "index.html").read_text()
    assert "6 pictures" in page and page.count("<image") == 18 and "ways back" in page

    rows = {}
    for direction in ("a-to-b", "b-to-a"):
        told = command("predict", "run", "kinds/a/a3.png", "--set", f"direction={direction}", "--json")
        (rows[direction],) = [json.loads(line) for line in told.out.splitlines()]
    with Image.open(kinds / "a" / "a3.png") as picture:
        before = np.asarray(picture, float) / 255
    assert rows["a-to-b"]["change"] == pytest.approx(abs(there - before).mean(), abs=2 / 255)
    assert rows["a-to-b"]["change"] != rows["b-to-a"]["change"] and set(rows["b-to-a"]) == {
        "input",
        "change",
        "return_error",
    }
    wide = command("predict", "run", "kinds/b", "--set", "size=12", "--set", "direction=b-to-a", "--out", "wide")
    assert wide.status == 0
    with Image.open(tmp_path / "wide" / "b0.png") as picture:
        assert picture.size == (12, 12)

    before = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert command("resume", "run", "--epochs", "3", "--quiet").status == 0
    after = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert after[:2] == before and len(after) == 3 and (tmp_path / "run" / "samples" / "00003.npz").exists()

    for words, fault in {
        ("predict", "run", "kinds/a", "--out", "made"): "made is not an empty folder",
        ("predict", "run", "kinds/a", "--set", "way=b"): "--set way: a prediction has no such setting",
        ("predict", "run", "kinds/a", "--set", "direction=b"): "direction=b: input should be 'a-to-b' or 'b-to-a'",
        ("evaluate", "run", "--data", "digits"): "digits",
    }.items():
        told = command(*words)
        said = [line for line in told.err.splitlines() if line.startswith("maquette: ")]
        assert told.status == 2 and len(said) == 1 and fault in said[0], told.err


def pair(folder, name, b, size=(8, 8)):
    for kind, value in (("a", 40), ("b", b)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size, 3), value, np.uint8)).save(folder / kind / name)


@pytest.mark.parametrize(
    ("kind", "words", "faults"),
    [
        ("empty", ["cyclegan"], ["b: has no picture"]),
        ("grey", ["cyclegan"], ["grey.png is grey beside colour pictures", "inputs.channels=3"]),
        ("odd size", ["cyclegan"], ["9x9 pixels", "halves the sides once", "multiple of 2"]),
        ("no pairs", ["pix2pix", "--set", "model.filters=2,2"], ["learns from pairs", "cyclegan"]),
        ("damaged", ["cyclegan"], ["broken.png", "cannot be read"]),
    ],
)
def test_wrong_folders_are_named(kind, words, faults, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "own"
    for i in range(5):
        pair(folder, f"{i}.png", 200, (9, 9) if kind == "odd size" else (8, 8))
    if kind == "empty":
        for path in (folder / "b").iterdir():
            path.unlink()
    if kind == "grey":
        Image.fromarray(np.full((8, 8), 9, np.uint8)).save(folder / "b" / "grey.png")
    if kind == "no pairs":
        (folder / "b" / "0.png").rename(folder / "b" / "stranger.png")
    if kind == "damaged":
        (folder / "a" / "broken.png").write_bytes(b"\x89PNG")
    told = command("train", words[0], "--data", "own", *words[1:], "--out", "run")
    said = [line for line in told.err.splitlines() if line.startswith("maquette: ")]
    assert told.status == 2 and len(said) == 1 and all(fault in said[0] for fault in faults), told.err
    assert not re.search("Traceback", told.err) and not (tmp_path / "run" / "recipe.json").exists()
