"""Commands that make a run or need one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from maquette import printing
from maquette.commands import Backend, Data, Json, Quiet, RunFolder, Settings, app


@app.command()
def train(
    name: Annotated[str, typer.Argument(metavar="MODEL|RECIPE", help="A model, a recipe, or your own page.py.")],
    data: Data = None,
    settings: Settings = None,
    task: Annotated[str, typer.Option(help="The task, where a model has several.")] = "",
    from_: Annotated[
        str, typer.Option("--from", help="imagenet, or a run's folder: train a new head on its other weights.")
    ] = "",
    backend: Backend = "auto",
    seed: Annotated[int | None, typer.Option(min=0, help="Fixes weights, order and noise.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; a new one under runs/ by default.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a model into a run folder, score it and write its report."""
    from maquette.settings import parse
    from maquette.verbs.train import train as train_

    given = parse(settings or []) | ({"pretrained": from_} if from_ else {})
    style = printing.style(as_json, quiet)
    printing.finished(train_(name, data, given, task=task, seed=seed, backend=backend, out=out, style=style), as_json)


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
    out: Annotated[
        Path | None, typer.Option(help="A .csv, .json or .jsonl file for the answers, or a folder for pictures.")
    ] = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Answer for your own files."""
    from maquette.settings import parse
    from maquette.verbs.predict import predict as predict_

    rows = predict_(run, inputs, out, parse(settings or []))
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
def export(
    run: RunFolder,
    format: Annotated[str, typer.Option(help="onnx, saved_model, litert or openvino.")] = "onnx",
    out: Annotated[Path | None, typer.Option(help="The folder to write into; RUN/export/FORMAT by default.")] = None,
) -> None:
    """Export a run's model, reload the file and compare its outputs before saying so."""
    from maquette.verbs.export import export as export_

    print(export_(run, format, out))
