"""The report of a run and the page of a comparison: whole, self-contained, escaped, and true to the run's files."""

import html
import json
import re
import shlex
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from maquette import catalog, files, settings
from maquette.core.recipe import Expect, Recipe
from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError
from maquette.run import Run
from maquette.verbs import evaluate, page
from maquette.verbs.compare_page import compare_page
from maquette.verbs.report import command, report

EVIL = '<script>alert("x")</script>'
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page's tags, links and words; fails where tags do not nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open += [] if tag in VOID else [tag]

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data if "style" not in self.open else ""

    def assert_self_contained(self) -> None:
        names = {tag for tag, _ in self.tags}
        assert not names & {"script", "link", "iframe", "object", "embed", "base", "form", "img"}
        for tag, attributes in self.tags:
            for key, value in attributes.items():
                assert not key.startswith("on"), f"{tag} has {key}"
                if key in ("src", "href", "xlink:href", "srcset", "action", "data"):
                    assert value.startswith(("#", "data:image/png;base64,")), f"{tag} {key}={value[:60]}"
        style = "".join(re.findall(r"<style>(.*?)</style>", self.source, re.DOTALL))
        assert "url(" not in style and "@import" not in style
        ids = [attributes["id"] for _, attributes in self.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert 'http-equiv="Content-Security-Policy" content="default-src \'none\';' in self.source


def made(folder: Path, classes=("cat", "dog"), finished=True, epochs=3) -> Run:
    """A run's folder as training writes it, of answers made here."""
    run = Run(folder)
    expect = {"test_error": Expect(0.1, "a source & another"), "test_accuracy": Expect(0.99, "wish", "at least")}
    recipe = Recipe("digits-softmax", "image-classification", f"my {classes[0]}", "softmax_regression", expect=expect)
    words = {"origin": "here", "report": [f"20 pictures of {classes[0]}"], "features": [], "target": ""}
    files.write_json(
        run.path("pipeline.json"),
        {"task": recipe.task, "data": recipe.data, **words, "classes": classes, "shape": [4, 4, 1]}
        | {"counts": {"train": 80, "test": 20}, "target_scale": {}, "encoder": "{}"},
    )
    environment = {"started": "2030-01-02T03:04:05+00:00", "device": "a device", "python": "3.11", "system": "Linux"}
    files.write_json(run.path("environment.json"), {**environment, "versions": {"keras": "9.9.9"}})
    run.save_recipe(recipe, "jax")
    lines = [{"epoch": e + 1, "loss": 1 / (e + 1), "seconds": e * 1.5} for e in range(epochs)]
    run.path("metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if finished:
        _finish(run, recipe, classes)
    return run


def _finish(run: Run, recipe: Recipe, classes) -> None:
    random = np.random.default_rng(0)
    truth = np.arange(20) % len(classes)
    outputs = 0.8 * np.eye(len(classes))[np.where(np.arange(20) < 2, 0, truth)] + 0.2 / len(classes)
    split = Split(random.integers(0, 256, (20, 4, 4, 1)).astype("uint8"), truth.astype("int32"))
    dataset = Dataset("made", split, classes=tuple(classes))
    scored = run.task.score(None, split, outputs, dataset)
    metrics = evaluate.measured(scored, "test")
    for figure in run.task.figures(scored, dataset):
        evaluate.save_figure(run, figure)
    files.write_json(
        run.path("result.json"),
        {"split": "test", "items": 20, "epochs": 3, "seconds": 3.0, "parameters": 1234, "examples_per_second": 80.0}
        | {"headline": "test_error", "metrics": metrics, "tables": scored.tables}
        | {"expect": evaluate.expectations(recipe, metrics)},
    )


def test_report_opens_with_the_result_and_holds_every_figure(tmp_path):
    run = made(tmp_path / "run")
    path = report(run.folder)
    assert path == run.folder / "report.html"
    found = Page(path)
    found.assert_self_contained()
    error = run.result["metrics"]["test_error"]
    assert error["value"] == 0.05
    assert ("data", {"value": repr(error["value"])}) in found.tags
    for name, measure in run.result["metrics"].items():
        assert name in found.words and page.number(measure["value"]) in found.words
        if measure["low"] is not None:
            assert f"{page.number(measure['low'])} to {page.number(measure['high'])}" in found.words
    summary = catalog.find("softmax_regression", "models").summary
    assert summary in found.words and found.words.index(summary) < found.words.index("0.05")
    for words in ("a source & another", "not met", "1,234", "20 pictures of cat", "9.9.9", "train items"):
        assert words in found.words
    drawn = {path.stem for path in run.path("figures").glob("*.svg")}
    assert {"confusion", "reliability", "wrongest", "first-answers", "curve-loss"} == drawn
    assert drawn <= {attributes.get("id") for tag, attributes in found.tags if tag == "figure"}
    labels = {attributes.get("aria-label") for tag, attributes in found.tags if tag == "svg"}
    for name in drawn:
        words = json.loads(run.path(f"figures/{name}.json").read_text(encoding="utf-8"))
        assert words["title"] in labels and words["caption"] in found.words


def test_names_from_the_data_cannot_become_markup(tmp_path):
    folder = tmp_path / f"a {EVIL.replace('/', ' ')} run"
    run = made(folder, classes=(EVIL, "a & b"))
    found = Page(report(folder))
    found.assert_self_contained()
    assert EVIL in found.words and EVIL not in found.source and html.escape(EVIL)[:15] in found.source
    assert {row["class"] for row in run.result["tables"]["classes"]} == {EVIL, "a & b"}


def test_the_folder_is_named_in_commands_that_exist(tmp_path):
    from maquette.cli import app

    folder = tmp_path / "it's mine"
    found = Page(report(made(folder).folder))
    known = {c.name or c.callback.__name__.rstrip("_") for c in app.registered_commands}
    lines = [shlex.split(line) for line in found.words.splitlines() if line.startswith("maquette ")]
    assert {"train", "predict", "evaluate", "resume", "export"} == {line[1] for line in lines} <= known
    assert all(line[2] == str(folder) for line in lines if line[1] != "train")


def test_a_run_that_is_not_finished_has_a_report_of_what_there_is(tmp_path):
    run = made(tmp_path / "run", finished=False, epochs=2)
    found = Page(report(run.folder))
    found.assert_self_contained()
    for words in ("Not finished", "2 of 10 epochs", f"maquette resume {run.folder}", "at most 0.1", "0.5"):
        assert words in found.words
    assert not {"predict", "All metrics"} & set(found.words.split("\n"))
    assert [a["id"] for tag, a in found.tags if tag == "figure"] == ["curve-loss"]
    Page(report(made(tmp_path / "new", finished=False, epochs=0).folder)).assert_self_contained()


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no recipe\.json"):
        report(tmp_path)


@pytest.mark.parametrize(
    "name, data, given",
    [
        ("softmax-regression", None, {}),
        ("lenet5", "digits", {"inputs.size": 28, "epochs": 3, "model.style": "1998", "schedule": "constant"}),
        ("mlp", "wine", {"model.hidden_units": (7,), "learning_rate": 0.25, "seed": 5, "shuffle": False}),
        ("mlp", None, {"model.hidden_units": (30, 20), "optimizer.sgd": {"learning_rate": 0.1, "momentum": 0.9}}),
        ("gan", None, {"optimizer": {"generator": {"adam": 0.5}, "critic": {"sgd": 0.25}}, "seed": 3}),
        ("boston-linear", "california_housing", {"inputs.target": "it's a $ column", "validation": 0.1}),
    ],
)
def test_the_command_gives_the_recipe_back(name, data, given):
    recipe = settings.resolve(name, data, given)
    words = shlex.split(command(recipe, "jax"))
    assert words[:2] == ["maquette", "train"]
    options = list(zip(words[3::2], words[4::2], strict=True))
    single = dict(options)
    again = settings.resolve(
        words[2],
        single.get("--data"),
        settings.parse(value for key, value in options if key == "--set"),
        single.get("--task", ""),
    )
    again = settings.apply(again, {"seed": int(single["--seed"])} if "--seed" in single else {})
    assert files.plain(vars(again) | {"expect": 0}) == files.plain(vars(recipe) | {"expect": 0})
    assert single["--backend"] == "jax"


@pytest.mark.parametrize("name", sorted(catalog.recipes()))
def test_a_published_recipe_is_trained_by_its_name_alone(name):
    recipe = catalog.recipe(name)
    assert command(recipe, "") == f"maquette train {recipe.name}" or "--set" in command(recipe, "")
    words = shlex.split(command(recipe, ""))
    pairs = settings.parse(value for key, value in pairwise(words) if key == "--set")
    assert settings.apply(catalog.recipe(name), pairs) == recipe


@pytest.mark.parametrize(
    "value, text",
    [
        *((0.0, "0"), (3, "3"), (1234567, "1,234,567"), (0.123456, "0.1235"), (66342.4, "66,342"), (2e-7, "2e-07")),
        *((None, "–"), (True, "yes"), ("word", "word"), (-12345.6, "-12,346")),
    ],
)
def test_numbers(value, text):
    assert page.number(value) == text


@pytest.mark.parametrize(
    "seconds, text", [(0.0421, "0.0421 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3661, "1 h 1 min")]
)
def test_durations(seconds, text):
    assert page.duration(seconds) == text


def test_compare_page_shows_each_model_and_metric(tmp_path):
    rows = [
        {
            **{"model": model, "headline": "test_error", "seconds": 12.5, "parameters": 61706, "seeds": 3},
            "metrics": {
                "test_accuracy": {"value": 1 - value, "low": 0.9 - value, "high": 0.98},
                "test_error": {"value": value, "low": value / 2, "high": 2 * value},
                "solved": {"value": None, "low": None, "high": None},
            },
        }
        for model, value in (("lenet5", 0.0123), (EVIL, 0.0456))
    ]
    path = compare_page(rows, "digits & more", tmp_path / "out")
    found = Page(path)
    found.assert_self_contained()
    assert path == tmp_path / "out" / "compare.html"
    for words in ("digits & more", "lenet5", EVIL, "0.0123", "0.00615 to 0.0246", "61,706", "12.5"):
        assert words in found.words
    assert EVIL not in found.source
    # The metric that the order follows comes first; one that nobody has is not drawn.
    assert [a["id"] for tag, a in found.tags if tag == "figure"] == ["compare-test_error", "compare-test_accuracy"]


def test_compare_page_of_one_model_without_intervals(tmp_path):
    row = {"model": "a", "metrics": {"modes": {"value": 7.0, "low": None, "high": None}}, "seconds": 1.0}
    found = Page(compare_page([{**row, "parameters": 3, "seeds": 1}], "one", tmp_path))
    found.assert_self_contained()
    assert "comparison of 1 model" in found.words


# Keras's own variables lack an argument that NumPy asks for.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_training_writes_a_report(tmp_path):
    import maquette

    run = maquette.train("softmax-regression", "digits", {"epochs": 2}, out=tmp_path / "run", style="quiet")
    found = Page(run.path("report.html"))
    found.assert_self_contained()
    measure = run.result["metrics"][run.result["headline"]]
    assert ("data", {"value": repr(measure["value"])}) in found.tags
    assert "1,438" in found.words and "359" in found.words, "the training and the test items are counted"
    assert {p.stem for p in run.path("figures").glob("*.svg")} <= {a.get("id") for t, a in found.tags if t == "figure"}
