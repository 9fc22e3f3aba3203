"""Commands that show what there is, or run several recipes."""

import json
from pathlib import Path
from typing import Annotated

import typer

from maquette import catalog, printing
from maquette.commands import Backend, Json, Quiet, Settings, app
from maquette.errors import InputError


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
    if not as_json or len(names or []) == 1:  # of several recipes each has printed its own lines already
        printing.table([{key: entry[key] for key in keys} for entry in entries], as_json)
    if not all(entry["met"] for entry in entries):
        raise typer.Exit(MISSED)


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
