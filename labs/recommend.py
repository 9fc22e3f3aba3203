"""Six ways to recommend films, on one fold of MovieLens 100k: errors, lists, and four ways to ask a machine.

    python labs/recommend.py [--fold 3] [--quick] [--out runs/recommend]

Trains matrix factorisation, SVD++, the decomposition of filled-in ratings, implicit least squares and the Boltzmann
machines by user and by item, each by its recipe, on the same training ratings, and prints what each reaches on the
held-out ones: errors of ratings beside the means, and lists beside the most popular films. The machines are then asked
again by each rule of prediction. --quick takes a set made up on the spot instead, a second or two for each.

What to see: a model of ratings that is best by RMSE makes poorer lists than one that only knows who has rated what,
and may be worse than plain popularity; the mean of p(k|V) has a smaller error than its mode, and a draw the largest.
"""

import argparse
from pathlib import Path

import numpy as np

RECIPES = ("ml100k-mf", "ml100k-svdpp", "ml100k-svd", "ml100k-implicit", "ml100k-rbm", "ml100k-irbm")
RULES = ("expected", "mean-field", "most-likely", "sampled")


def trained(name: str, quick: bool, fold: int, folder: Path):
    """The run of a recipe; found in its folder if it was trained before."""
    from maquette import settings
    from maquette.backend import choose
    from maquette.core.recipe import Recipe
    from maquette.verbs.train import once

    recipe: Recipe = settings.resolve(name, None, {"seed": fold - 1})
    recipe = settings.tiny(recipe) if quick else recipe
    return once(recipe, choose("auto", recipe.page), folder / name, report=True)


def rules(run) -> dict[str, float]:
    """RMSE on the held-out ratings by each rule of prediction."""
    from maquette import assembly

    pipeline = assembly.prepare(run.recipe)
    model, test = run.model, pipeline.dataset.test
    x, found = pipeline.encoder.transform(test.x), {}
    for rule in RULES:
        model.prediction = rule
        parts = [np.asarray(model.serve(x[i : i + 500])) for i in range(0, len(x), 500)]
        found[rule] = float(np.sqrt(np.square(np.concatenate(parts) - test.y).mean()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fold", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/recommend"))
    given = parser.parse_args()
    from maquette import printing

    runs = {name: trained(name, given.quick, given.fold, given.out) for name in RECIPES}
    errors, lists = [], []
    for name, run in runs.items():
        tables = run.result["tables"]
        errors += [{**row, "rating": name} for row in tables.get("beside means", [])[:1]]
        lists += [{**row, "list": name} for row in tables["lists"][:1]]
    first = runs[RECIPES[0]].result["tables"]
    printing.table([*errors, *first["beside means"][1:]], False)
    print()
    printing.table([*lists, *first["lists"][1:]], False)
    print()
    machines = {name: rules(run) for name, run in runs.items() if run.recipe.page == "rating_rbm"}
    printing.table([{"rmse by rule": name, **row} for name, row in machines.items()], False)


if __name__ == "__main__":
    main()
