"""Commands that take pictures, or make them."""

from pathlib import Path
from typing import Annotated

import typer

from maquette import printing
from maquette.commands import Backend, Json, RunFolder, app


@app.command("filter")
def filter_(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Files of pictures.")],
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", "-f", metavar="FILTER", help="Such as median-filter:size=5. Repeatable; all if none."),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="A folder, or for one picture a .png of one result or an .html page of several.")
    ] = Path("filtered"),
    as_json: Json = False,
) -> None:
    """Filter pictures: smooth, sharpen, find edges, add noise or restore."""
    from maquette.verbs.filter import filter_pictures

    rows = filter_pictures(filters or [], pictures, out)
    if as_json:
        printing.table(rows, as_json)
        return
    print("\n".join(row["out"] for row in rows))


@app.command()
def generate(
    run: RunFolder,
    out: Annotated[Path, typer.Option(help="A new or empty folder.")],
    count: Annotated[int, typer.Option(help="How many.")] = 64,
    seed: Annotated[int | None, typer.Option(help="Of the noise; 0 if left out.")] = None,
    truncation: Annotated[
        float | None, typer.Option(help="No number of the noise is further from 0: less varied, better items.")
    ] = None,
    label: Annotated[str | None, typer.Option("--class", help="The class, where the generator is told one.")] = None,
) -> None:
    """Generate pictures with a run's generator, or points."""
    from maquette.verbs.generate import generate as generate_

    paths = generate_(run, out, count, seed, truncation, label)
    print(paths[0] if len(paths) == 1 else f"{len(paths)} pictures in {out}")


@app.command()
def score(
    generated: Annotated[Path, typer.Argument(metavar="GENERATED", help="A folder of generated pictures.")],
    real: Annotated[Path, typer.Argument(metavar="REAL", help="A folder of real ones, best as many.")],
    features: Annotated[
        str, typer.Option(help="Whose features: a model with ImageNet weights, or a run's folder.")
    ] = "mobilenet_v2",
    backend: Backend = "auto",
    as_json: Json = False,
) -> None:
    """Score generated pictures: how far are they from real ones, how many look real, how many kinds are there?"""
    from maquette.verbs.generate import score as score_

    found = score_(generated, real, features, backend)
    printing.table([found] if as_json else [{"score": k, "value": v} for k, v in found.items()], as_json)
