"""Run recipes over their seeds and write what was reached beside what was expected."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maquette import __version__, catalog, files
from maquette import backend as backends
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.verbs.compare import over_seeds
from maquette.verbs.evaluate import measure_of

if TYPE_CHECKING:
    from maquette.progress import Style

MISSED = 3  # exit status of the command line where an expectation is not met


def reproduce(
    names: Sequence[str] = (),
    *,
    seeds: int | None = None,
    backend: str = "auto",
    docs: str | Path = "docs",
    runs: str | Path = "runs/reproduce",
    style: "Style" = "auto",
) -> list[dict[str, Any]]:
    """Train each recipe over its seeds, and bring docs/results.json and docs/results.md up to date.

    Several recipes run one after the other in processes of their own, since each takes the backend that suits it.
    Seeds that were trained before with the same recipe and version are not trained again.

    Args:
        names: recipes; all that expect something if empty.
        seeds: overrides the recipes' numbers of seeds.
        docs: the folder of results.json and results.md.
        runs: the folder that keeps the runs.

    Returns:
        The entries of results.json for these recipes.

    Raises:
        InputError: for an unknown recipe or wrong data.
        RuntimeError: naming the recipe whose process failed.
    """
    everything = not names
    names = list(names) or [name for name, held in catalog.recipes().items() if held.facts.get("expect")]
    held = {name: catalog.recipe_page(name) for name in names}
    if len(names) > 1:
        for name in names:
            _in_process(name, seeds, backend, docs, runs, style)
    for name in names if len(names) == 1 else ():
        chosen = backends.choose(backend, catalog.model_of(held[name]))
        recipe = catalog.recipe(name)
        if not recipe.expect:
            raise InputError(f"{name} expects nothing that could be reproduced: run it with `maquette train {name}`")
        try:
            entries = measure(recipe, seeds, chosen, Path(runs), style)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("the same command goes on from the seeds that are trained") from None
        _merge(Path(docs), recipe.name, entries)
    wanted = {page.facts["name"] for page in held.values()}
    if everything:  # then an entry of no recipe is one of a recipe that is there no more
        _write(Path(docs), [entry for entry in results(Path(docs)) if entry["recipe"] in wanted])
    return [entry for entry in results(Path(docs)) if entry["recipe"] in wanted]


def _in_process(name: str, seeds: Any, backend: str, docs: Any, runs: Any, style: str) -> None:
    command = [sys.executable, "-m", "maquette", "reproduce", name, "--backend", backend]
    command += ["--docs", str(docs), "--runs", str(runs)]
    command += ["--seeds", str(seeds)] if seeds else []
    command += {"json": ["--json"], "quiet": ["--quiet"]}.get(style, [])
    status = subprocess.run(command, check=False).returncode
    if status == 130:
        raise KeyboardInterrupt("the same command goes on from the seeds that are trained")
    if status not in (0, MISSED):
        raise RuntimeError(f"the recipe {name} failed with status {status}; the others before it are written")


def measure(recipe: Recipe, seeds: int | None, chosen: str, runs: Path, style: "Style") -> list[dict[str, Any]]:
    """Train one recipe over its seeds; one entry of results.json per expected metric."""
    from maquette.progress import say
    from maquette.verbs.train import device_name, once

    count = seeds or recipe.seeds
    done = []
    for seed in range(count):
        folder = runs / recipe.name / f"{chosen}-{seed}"
        run = once(replace(recipe, seed=seed), chosen, folder, "quiet" if count > 10 else style, report=False)
        done.append(run.result)
        values = {name: measure_of(run.result["metrics"], name)["value"] for name in recipe.expect}
        text = "  ".join(f"{key} {value:.5g}" for key, value in values.items())
        say(style, f"{recipe.name} seed {seed}: {text}", event="seed", recipe=recipe.name, seed=seed, **values)
    seconds = sum(result["seconds"] for result in done) / count
    facts = {"seconds": round(seconds, 2), "backend": chosen, "device": device_name(), "version": __version__}
    return [{**_entry(recipe, name, expect, done), **facts} for name, expect in recipe.expect.items()]


def _entry(recipe: Recipe, name: str, expect: Expect, done: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reached = over_seeds([measure_of(result["metrics"], name) for result in done])
    return {
        **{"recipe": recipe.name, "metric": name, **reached, "seeds": len(done)},
        **{"expected": expect.value, "sense": expect.sense, "tolerance": expect.tolerance},
        **{"source": expect.source, "met": expect.met(reached["value"])},
    }


def results(docs: Path) -> list[dict[str, Any]]:
    """The entries of docs/results.json, none if there is no such file."""
    path = docs / "results.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []


def _merge(docs: Path, name: str, entries: list[dict[str, Any]]) -> None:
    _write(docs, [*(entry for entry in results(docs) if entry["recipe"] != name), *entries])


def _write(docs: Path, entries: list[dict[str, Any]]) -> None:
    entries = sorted(entries, key=lambda entry: (entry["recipe"], entry["metric"]))
    files.write_json(docs / "results.json", entries)
    files.write_text(docs / "results.md", page(entries))


def page(entries: Sequence[Mapping[str, Any]]) -> str:
    """docs/results.md: one table, rendered from the entries."""
    lines = [
        "# Results",
        "",
        "Written by `maquette reproduce` from `results.json`. A value is the mean over seeds, with its 95 % interval.",
        "",
        "| recipe | metric | reached | expected | met | seeds | seconds per seed | backend | source |",
        "| --- | --- | --- | --- | --- | ---: | ---: | --- | --- |",
    ]
    lines += [_line(entry) for entry in entries]
    devices = sorted({f"{entry['device']} (Maquette {entry['version']})" for entry in entries})
    return "\n".join([*lines, "", f"Measured on: {'; '.join(devices)}.", ""])


def _line(entry: Mapping[str, Any]) -> str:
    expect = Expect(entry["expected"], entry["source"], entry["sense"], entry["tolerance"])
    ends = f" ({entry['low']:.5g} to {entry['high']:.5g})" if entry["low"] is not None else ""
    cells = [
        *(entry["recipe"], f"`{entry['metric']}`", f"{entry['value']:.5g}{ends}", str(expect)),
        *("yes" if entry["met"] else "**no**", str(entry["seeds"]), f"{entry['seconds']:.1f}", entry["backend"]),
        entry["source"],
    ]
    return f"| {' | '.join(cells)} |"
