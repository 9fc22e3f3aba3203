"""One self-contained page of a run."""

import json
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from maquette import catalog, files, settings
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.run import KIND, Run
from maquette.tasks import network
from maquette.tasks.curves import learning_curves
from maquette.tasks.figure import Figure
from maquette.verbs import page

# The picture that shows most comes first, curves last.
FIRST = ("predicted", "samples", "translations-a-to-b", "translations-b-to-a", "groups", "confusion")


def report(folder: str | Path) -> Path:
    """Write report.html of a run and return its path.

    The page is made from the files of the folder alone, needs no other file and runs no script. A run that is not
    finished gets a page of what there is.

    Args:
        folder: the run.

    Raises:
        InputError: if the folder is no run, or a file in it is damaged.
    """
    run = Run.open(folder)
    draw_curves(run)
    result = run.result if run.finished else {}
    values = {
        **{"run": {"folder": shlex.quote(str(folder)), "python": repr(str(folder)), "name": run.folder.resolve().name}},
        **{"recipe": run.recipe, "finished": run.finished, "history": run.history},
        **{"result": result, "headline": _headline(result)},
        **{"expected": result["expect"] if result else _expected(run.recipe)},
        **{"name": _short_name(run.recipe), "summary": summary(run.recipe.page), "data": _data(run)},
        **{"environment": run.environment, "backend": run.backend, "command": command(run.recipe, run.backend)},
        **{"settings": _settings(run.recipe), "network": _network(result)},
        **_drawings(run),
    }
    return page.write(run.path("report.html"), "report.html", **values)


def _drawings(run: Run) -> dict[str, list[dict[str, Any]]]:
    """What the page shows of the figures: those of the network stand apart, beside its table."""
    drawn = [page.drawing(figure) for figure in figures(run)]
    apart = [figure for figure in drawn if figure["name"] == "network"]
    return {"network_figures": apart, "figures": [figure for figure in drawn if figure not in apart]}


def _network(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The table of the network's layers, with their sums; empty for a run that was made without one."""
    layers = result.get("network", [])
    rows = [
        {
            **{"layer": row["layer"], "kind": row["kind"], "output": network.sizes(row["output"])},
            **{"parameters": row["parameters"], "multiply_adds": row["multiply_adds"]},
        }
        for row in layers
    ]
    known, unknown = network.total(layers)
    sums = {"parameters": sum(row["parameters"] for row in layers), "multiply_adds": None if unknown else known}
    return [*rows, {"layer": "all", "kind": "", "output": "", **sums}] if len(rows) > 1 else rows


def draw_curves(run: Run) -> None:
    """Write the learning curves of the epochs so far beside the task's figures."""
    from maquette.verbs.evaluate import save_figure

    for figure in learning_curves(run.history):
        save_figure(run, figure)


def figures(run: Run) -> list[Figure]:
    """The figures in the run's folder, the most telling first and learning curves last."""
    found = []
    for path in sorted(run.path("figures").glob("*.svg")):
        words = files.read_json(path.with_suffix(".json"), KIND, lambda v: {"title", "caption"} <= set(v))
        found.append(Figure(path.stem, words["title"], words["caption"], path.read_text(encoding="utf-8")))
    loss_first = sorted(found, key=lambda f: (f.name.startswith("curve-"), f.name != "curve-loss"))
    return sorted(loss_first, key=lambda f: FIRST.index(f.name) if f.name in FIRST else len(FIRST))


def summary(name: str) -> str:
    """The first sentence of a model page; '' for a page that is no longer there."""
    try:
        return catalog.find(name, "models").summary
    except InputError:
        return ""


def _short_name(recipe: Recipe) -> str:
    return Path(recipe.page).stem.replace("_", "-")


def _headline(result: dict[str, Any]) -> dict[str, Any]:
    """The metric in large type: the task's, or where the model lacks it the first expected or the first one."""
    if not result:
        return {}
    wanted = [result["headline"], *(f"{result['split']}_{entry['metric']}" for entry in result["expect"])]
    name = page.headline(result["metrics"], wanted)
    return {"name": name, **result["metrics"][name]} if name else {}


def _expected(recipe: Recipe) -> list[dict[str, Any]]:
    """What a run that is not finished is going to be held to."""
    return [
        {"metric": name, "value": None, "expected": str(e), "source": e.source} for name, e in recipe.expect.items()
    ]


def _data(run: Run) -> dict[str, Any]:
    """Name, title, source, licence, counts and origin of the run's data."""
    pipeline, name = run.pipeline, run.recipe.data.replace("-", "_")
    known = name in catalog.pages("data")
    card = catalog.pages("data")[name].facts if known else {}
    counts = {f"{split} items": count for split, count in pipeline["counts"].items()}
    classes, features = len(pipeline["classes"]), len(pipeline["features"])
    counts |= {"classes": classes} if classes else {}
    counts |= {"columns": features} if features else {}
    return {
        **{"name": run.recipe.data, "title": card.get("title", ""), "source": card.get("source", "")},
        **{"licence": card.get("licence", ""), "origin": pipeline["origin"], "report": pipeline["report"]},
        **{"counts": counts, "target": pipeline["target"], "shape": pipeline["shape"]},
    }


def command(recipe: Recipe, backend: str) -> str:
    """The `maquette train` line that repeats a recipe: its name, and what differs from how it is published.

    `settings.resolve` of its words gives the recipe back.
    """
    published = _published(recipe)
    sets = changes(recipe, published)
    parts = ["maquette", "train", _trained_by(recipe)]
    parts += ["--data", recipe.data] if recipe.data != published.data else []
    parts += ["--task", recipe.task] if recipe.task != published.task else []
    parts += [part for pair in sets for part in ("--set", pair)]
    parts += ["--seed", str(recipe.seed)] if recipe.seed != published.seed else []
    return shlex.join([*parts, *(["--backend", backend] if backend else [])])


def _trained_by(recipe: Recipe) -> str:
    return recipe.name if recipe.name in catalog.recipes() and not _own(recipe) else recipe.page


def _own(recipe: Recipe) -> bool:
    """Whether the page is a file of the user's, whose recipe may bear the name of the page it was copied from."""
    return recipe.page.endswith(".py")


def _published(recipe: Recipe) -> Recipe:
    """What a page's file says of its recipe, read without importing it, over the defaults."""
    plain = Recipe(recipe.name, recipe.task, recipe.data)
    try:
        held = {} if _own(recipe) else catalog.recipes()
        source = held.get(recipe.name) or catalog.find(recipe.page, "models")
    except InputError:
        return plain
    # An expression, such as Expect(...), is known as its source text alone.
    known = {k: v for k, v in source.facts.items() if isinstance(v, str) == isinstance(getattr(plain, k, None), str)}
    published = replace(plain, **{k: v for k, v in known.items() if hasattr(plain, k)})
    return settings.transferred(published) if recipe.pretrained else published


def changes(recipe: Recipe, published: Recipe) -> list[str]:
    """key=value for every setting in which two recipes differ, except data, task and seed."""
    new, old = (files.plain(asdict(one)) for one in (recipe, published))
    pairs = []
    for key in settings.names():
        if key in ("data", "task", "seed") or new[key] == old[key]:
            continue
        if key in ("model", "inputs"):
            pairs += [f"{key}.{k}={_typed(v)}" for k, v in new[key].items() if k not in old[key] or old[key][k] != v]
        elif key == "optimizer" and len(new[key]) == 1:
            ((name, value),) = new[key].items()
            pairs.append(f"optimizer.{name}={_typed(value)}")
        else:
            pairs.append(f"{key}={_typed(new[key])}")
    return pairs


def _typed(value: Any) -> str:
    """A value as `settings.parse` reads it back."""
    if isinstance(value, list) and value:
        return ",".join(repr(item) for item in value) + ("," if len(value) == 1 else "")
    if not isinstance(value, str):
        return repr(value)
    return value if settings.parse([f"key={value}"])["key"] == value else repr(value)


def _settings(recipe: Recipe) -> dict[str, str]:
    """Every setting of the recipe and its value as text."""
    values = {key: value for key, value in files.plain(asdict(recipe)).items() if key in settings.names()}
    return {key: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for key, v in values.items()}
