"""The command line. Importing this module, and so `--help`, imports no backend and no verb."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from maquette import __version__, catalog, printing
from maquette.errors import InputError, Stopped


class _Commands(typer.core.TyperGroup):
    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt as stop:
            raise Stopped(str(stop) or "nothing has been trained yet") from None


app = typer.Typer(
    name="maquette",
    cls=_Commands,
    help="Classic deep-learning systems as small, working models: train, score, compare, export.",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
Data = Annotated[str | None, typer.Option(help="A built-in data set, or the path of your own data.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting, such as epochs=3. Repeatable.")
]
Backend = Annotated[str, typer.Option(help="auto, tensorflow, jax or torch.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON lines for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Write results only.")]


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="models, methods, data, tasks or recipes.")] = "models",
    as_json: Json = False,
) -> None:
    """List models, methods, data sets, tasks or recipes."""
    if kind not in catalog.MARKS:
        raise InputError(f"list {kind}: take {', '.join(catalog.MARKS)}")
    found = catalog.recipes() if kind == "recipes" else catalog.pages(kind)
    rows = [{"name": name, "what": page.summary} for name, page in sorted(found.items())]
    printing.table(rows, as_json)


@app.command()
def show(name: Annotated[str, typer.Argument(help="A model, method, data set, task or recipe.")]) -> None:
    """Show what a page says: equations, source, example, default recipe."""
    printing.described(catalog.recipes().get(name) or catalog.find(name, *catalog.MARKS))


@app.command()
def copy(
    name: Annotated[str, typer.Argument(help="A model, recipe, data set or task.")],
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("."),
) -> None:
    """Copy a page into your own folder, ready to run and change."""
    from maquette.verbs.copy import copy as copy_page

    path = copy_page(name, out)
    print(f"{path}" + (f"   train it with: maquette train {path}" if "RECIPE" in path.read_text() else ""))


@app.command()
def train(
    name: Annotated[str, typer.Argument(metavar="MODEL|RECIPE", help="A model, a recipe, or your own page.py.")],
    data: Data = None,
    settings: Settings = None,
    task: Annotated[str, typer.Option(help="The task, where a model has several.")] = "",
    backend: Backend = "auto",
    seed: Annotated[int | None, typer.Option(min=0, help="Fixes weights, order and noise.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; a new one under runs/ by default.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a model into a run folder, score it and write its report."""
    from maquette.settings import parse
    from maquette.verbs.train import train as train_

    given = printing.style(as_json, quiet)
    printing.finished(
        train_(name, data, parse(settings or []), task=task, seed=seed, backend=backend, out=out, style=given), as_json
    )


@app.command()
def resume(
    run: RunFolder,
    epochs: Annotated[int | None, typer.Option(help="Train a finished run up to this many epochs.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Continue an interrupted run, exactly where it would have gone."""
    from maquette.verbs.train import resume as resume_

    printing.finished(resume_(run, epochs=epochs, style=printing.style(as_json, quiet)), as_json)


@app.command()
def evaluate(run: RunFolder, data: Data = None, as_json: Json = False) -> None:
    """Score a run on its test split, or on other data."""
    from maquette.verbs.evaluate import evaluate as evaluate_

    found = evaluate_(run, data)
    printing.metrics_table(found["metrics"], as_json)
    for rows in found["tables"].values():
        printing.table(rows, as_json)


@app.command()
def predict(
    run: RunFolder,
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Files or folders.")],
    out: Annotated[Path | None, typer.Option(help="A .csv, .json or .jsonl file for the answers.")] = None,
    as_json: Json = False,
) -> None:
    """Answer for your own files."""
    from maquette.verbs.predict import predict as predict_

    rows = predict_(run, inputs, out)
    if out:
        print(f"{len(rows)} answers in {out}")
    else:
        printing.table(rows, as_json)


@app.command()
def report(run: RunFolder) -> None:
    """Write a run's report page anew."""
    from maquette.verbs.report import report as report_

    print(report_(run))


@app.command()
def trace(
    run: RunFolder,
    steps: Annotated[int, typer.Option(min=1, help="Training steps to profile.")] = 2,
    out: Annotated[Path | None, typer.Option(help="The folder to write into; RUN/trace by default.")] = None,
    as_json: Json = False,
) -> None:
    """Profile a few training steps, and say what limits their pace."""
    from maquette.files import read_json
    from maquette.verbs.trace import trace as trace_

    folder = trace_(run, steps, out)
    facts = read_json(folder / "trace.json", "trace")
    if as_json:
        print(json.dumps({**facts, "folder": str(folder)}))
        return
    printing.traced(facts, folder)


@app.command()
def compare(
    task: Annotated[str, typer.Option(help="The task.")],
    data: Annotated[str, typer.Option(help="A built-in data set, or the path of your own data.")],
    models: Annotated[str, typer.Option(help="Models or recipes, separated by commas; all of the task if empty.")] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Runs per model.")] = 3,
    settings: Settings = None,
    backend: Backend = "auto",
    out: Annotated[Path | None, typer.Option(help="The folder of the comparison.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train several models of one task on one data set, and lay the results side by side."""
    from maquette.settings import parse
    from maquette.verbs.compare import compare as compare_

    names = [name.strip() for name in models.split(",") if name.strip()]
    given = printing.style(as_json, quiet)
    rows = compare_(task, data, names, parse(settings or []), seeds=seeds, backend=backend, out=out, style=given)
    printing.table(rows if as_json else [printing.compared(row) for row in rows], as_json)


@app.command()
def reproduce(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RECIPE...]", help="All with expectations if none.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's own number of seeds.")] = None,
    backend: Backend = "auto",
    docs: Annotated[Path, typer.Option(help="The folder of results.json and results.md.")] = Path("docs"),
    runs: Annotated[Path, typer.Option(help="The folder that keeps the runs.")] = Path("runs/reproduce"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run recipes over their seeds and write what was reached beside what was expected; status 3 if one is missed."""
    from maquette.verbs.reproduce import MISSED
    from maquette.verbs.reproduce import reproduce as reproduce_

    given = printing.style(as_json, quiet)
    entries = reproduce_(names or [], seeds=seeds, backend=backend, docs=docs, runs=runs, style=given)
    keys = ("recipe", "metric", "value", "low", "high", "seeds", "expected", "met")
    printing.table([{key: entry[key] for key in keys} for entry in entries], as_json)
    if not all(entry["met"] for entry in entries):
        raise typer.Exit(MISSED)


@app.command()
def export(
    run: RunFolder,
    format: Annotated[str, typer.Option(help="onnx, saved_model, litert or openvino.")] = "onnx",
    out: Annotated[Path | None, typer.Option(help="The folder to write into; RUN/export/FORMAT by default.")] = None,
) -> None:
    """Export a run's model, reload the file and compare its outputs before saying so."""
    from maquette.verbs.export import export as export_

    print(export_(run, format, out))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is installed, what works, and where data are found."""
    from maquette.verbs.doctor import doctor as doctor_
    from maquette.verbs.doctor import lines

    found = doctor_()
    print(json.dumps(found, default=str) if as_json else "\n".join(lines(found)))
    if found["problems"]:
        raise typer.Exit(1)


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="The folder of the runs.")] = Path("runs/quickstart"),
    backend: Backend = "auto",
    as_json: Json = False,
) -> None:
    """Train LeNet-5 on real handwritten digits in under a minute, without a network."""
    from maquette.verbs.quickstart import quickstart as quickstart_

    found = quickstart_(out, backend, printing.style(as_json))
    if as_json:
        print(json.dumps(found, default=str))
        return
    printing.first_minute(found)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"maquette {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before the command; `main` looks for --debug itself."""


def main() -> None:
    """Run the command line: status 2 and one line for wrong input, 1 and one line for a failure, 130 for Ctrl-C."""
    from maquette import backend

    backend.own_process()
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="maquette", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has had enough; a second failure at the flush on exit is avoided.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _fail(*printing.error_line(error))
    sys.exit(status or 0)


def _fail(text: str, status: int) -> None:
    print(f"maquette: {text}", file=sys.stderr)
    sys.exit(status)
