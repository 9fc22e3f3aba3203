"""The commands of a recommender's run."""

from typing import Annotated, Any

import typer

from maquette import printing
from maquette.commands import Json, RunFolder, app


@app.command()
def recommend(
    run: RunFolder,
    user: Annotated[str, typer.Argument(help="The user, as the ratings name him.")],
    top: Annotated[int, typer.Option(min=1, help="How many items.")] = 10,
    as_json: Json = False,
) -> None:
    """Recommend items that a user has not rated, and say because of which ones he has."""
    from maquette.verbs.recommend import recommend as recommend_

    found = recommend_(run, user, top)
    if as_json:
        printing.table([found], as_json)
        return
    print(found["fallback"] or f"user {user} has rated {found['rated']} items")
    rows = [{**item, "because": "; ".join(_told(reason) for reason in item["because"])} for item in found["items"]]
    printing.table(rows, False)


def _told(reason: dict[str, Any]) -> str:
    return f"{reason['item']} ({reason['rating']:g})"


@app.command()
def similar(
    run: RunFolder,
    item: Annotated[str, typer.Argument(help="The item, as the ratings name it.")],
    top: Annotated[int, typer.Option(min=1, help="How many items.")] = 10,
    as_json: Json = False,
) -> None:
    """List the items that a recommender holds to be like one."""
    from maquette.verbs.recommend import similar as similar_

    printing.table(similar_(run, item, top), as_json)
