"""The command that asks word vectors."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maquette import printing
from maquette.commands import Json, app


@app.command()
def words(
    source: Annotated[
        Path, typer.Argument(metavar="RUN|FILE", help="A run, or a file of GloVe's or word2vec's forms.")
    ],
    questions: Annotated[
        list[str] | None, typer.Argument(metavar="[QUESTION...]", help="Such as king, or 'king - man + woman'.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Answers to each question.")] = 10,
    method: Annotated[str, typer.Option(help="3cosadd or 3cosmul.")] = "3cosadd",
    evaluate: Annotated[bool, typer.Option("--evaluate", help="Score lists of pairs and analogies.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the vectors: .txt, .vec or .bin, or an .html page to search.")
    ] = None,
    projection: Annotated[str, typer.Option(help="Of the page: pca or t-sne.")] = "pca",
    as_json: Json = False,
) -> None:
    """Ask word vectors for the nearest words and for analogies; save them in another form; draw them."""
    from maquette.verbs.words import words as words_

    options: dict[str, Any] = {"top": top, "method": method, "evaluate": evaluate, "out": out, "projection": projection}
    rows = words_(source, questions or [], **options)
    for keys in ("question", "list"):
        some = [row for row in rows if keys in row]
        if some:
            printing.table(some, as_json)
    if out and not as_json:
        print(out)
