"""The command that searches documents."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maquette import printing
from maquette.commands import Json, app

WIDTH = 80  # characters of a document in a table


@app.command()
def search(
    documents: Annotated[
        Path, typer.Argument(help="A folder of text files, a file with a document a line, or a CSV or Parquet table.")
    ],
    queries: Annotated[list[str], typer.Argument(metavar="QUERY...", help="Words; in quotes if there are several.")],
    model: Annotated[str, typer.Option(help="bm25 or tf-idf.")] = "bm25",
    top: Annotated[int, typer.Option(min=1, help="How many documents to show for each query.")] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each word adds to each score.")] = False,
    index: Annotated[Path | None, typer.Option(help="A file that keeps the index for the next time.")] = None,
    text: Annotated[str | None, typer.Option(help="Of a table, the column that holds the texts.")] = None,
    as_json: Json = False,
) -> None:
    """Search documents: rank them by BM25 or TF-IDF, and say why."""
    from maquette.verbs.search import search as search_

    answers = search_(documents, queries, model=model, top=top, explain=explain, index=index, text=text)
    if as_json:
        printing.table(answers, as_json)
        return
    for i, answer in enumerate(answers):
        print("\n" * (i > 0) + _told(answer))
        _answered(answer)


def _told(answer: dict[str, Any]) -> str:
    line = f"{answer['query']}: {len(answer['hits'])} of {answer['documents']} documents"
    left_out = f"; {answer['left_out']} files of other kinds left out" if answer["left_out"] else ""
    return line + left_out + (f"\nin no document: {', '.join(answer['unknown'])}" if answer["unknown"] else "")


def _answered(answer: dict[str, Any]) -> None:
    printing.table([{**_facts(hit), "text": _short(hit["text"])} for hit in answer["hits"]], False)
    for hit in answer["hits"]:
        if "explain" in hit:
            print(f"\n{hit['rank']}  {hit['document']}")
            printing.table([*hit["explain"], _sum(hit)], False)


def _facts(hit: dict[str, Any]) -> dict[str, Any]:
    return {key: hit[key] for key in ("rank", "score", "document")}


def _sum(hit: dict[str, Any]) -> dict[str, Any]:
    empty = dict.fromkeys(hit["explain"][0], "")
    return {**empty, "term": "score", "contribution": sum(row["contribution"] for row in hit["explain"])}


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 4].rstrip(" .") + " ..."
