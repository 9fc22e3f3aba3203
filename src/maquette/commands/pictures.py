"""Commands that take pictures and need no run."""

from pathlib import Path
from typing import Annotated

import typer

from maquette import printing
from maquette.commands import Json, app


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
