"""Train several models of one task on one data set over several seeds, and lay the results side by side."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maquette import backend as backends
from maquette import catalog, files, settings
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.run import Run

if TYPE_CHECKING:
    from maquette.progress import Style


def compare(
    task: str,
    data: str,
    models: Sequence[str] = (),
    settings_: Mapping[str, Any] | None = None,
    *,
    seeds: int = 3,
    backend: str = "auto",
    out: str | Path | None = None,
    style: "Style" = "auto",
) -> list[dict[str, Any]]:
    """Compare models: same items in every split, same encoder, same backend and machine, each with its own recipe.

    Args:
        task: the task that all of them have to solve.
        data: a built-in data set or a path.
        models: pages or recipes; all pages with that task if empty.
        settings_: settings for every model, as for `train`.
        seeds: each model is trained with the seeds 0 to seeds - 1.
        out: a folder for the runs, compare.json and compare.html; trained runs found there are not trained again.

    Returns:
        A row per model, best first: {"model", "metrics": {name: {"value", "low", "high"}}, "seconds", "parameters",
        "seeds"}. Over several seeds the interval is Student's t over seeds; for one seed it is that of the test items.

    Raises:
        InputError: for an unknown model or task, or one that does not fit the data.
    """
    names = list(models) or [p.name for p in catalog.pages("models").values() if _does(p, task)]
    if not names:
        raise InputError(f"no model has the task {task}: see `maquette list tasks`")
    chosen = backends.choose(backend, catalog.model_of(catalog.recipe_page(names[-1])))
    recipes = {name: settings.resolve(name, data, settings_, task) for name in names}
    folder = Path(out) if out else Path("runs") / f"compare-{Path(data).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    try:
        rows = [_row(name, _runs(recipe, folder / name, chosen, seeds, style)) for name, recipe in recipes.items()]
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"the same command with --out {shlex.quote(str(folder))} goes on") from None
    kind = catalog.task(task)
    rows.sort(key=lambda row: _rank(row, kind))
    files.write_json(folder / "compare.json", {"task": task, "data": data, "backend": chosen, "rows": rows})
    from maquette.verbs.compare_page import compare_page

    compare_page(rows, f"{task} on {data}", folder)
    return rows


def _does(page: catalog.Page, task: str) -> bool:
    return task in page.facts.get("tasks", ())


def _runs(recipe: Recipe, folder: Path, backend: str, seeds: int, style: "Style") -> list[Run]:
    from maquette.progress import say
    from maquette.verbs.train import once

    runs = []
    for seed in range(seeds):
        say(style, f"{recipe.page}, seed {seed}", event="run", model=recipe.page, seed=seed)
        runs.append(once(replace(recipe, seed=seed), backend, folder / f"seed-{seed}", style))
    return runs


def _row(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    results = [run.result for run in runs]
    metrics = {key: over_seeds([r["metrics"][key] for r in results]) for key in results[0]["metrics"]}
    seconds = sum(r["seconds"] for r in results) / len(results)
    cost = {"seconds": seconds, "parameters": results[0]["parameters"], "seeds": len(results)}
    return {"model": name, "metrics": metrics, "headline": results[0]["headline"], **cost}


def over_seeds(measures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """One measure from several seeds' measures of the same metric."""
    from maquette.tasks.intervals import mean_of, wilson

    values = [measure["value"] for measure in measures if measure["value"] is not None]
    if len(measures) == 1 or not values:
        return dict(measures[0])
    if set(values) <= {0.0, 1.0} and len(values) > 20:
        return wilson(int(sum(values)), len(values))._asdict()
    return mean_of(values)._asdict()


def _rank(row: Mapping[str, Any], task: Any) -> float:
    value = row["metrics"].get(row["headline"], {}).get("value")
    value = float("inf") if value is None else value
    return -value if task.higher_is_better else value
