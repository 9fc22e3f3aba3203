"""A run is a folder: all that later verbs need, and nothing beside it.

recipe.json       the resolved recipe, seed and backend
environment.json  versions, device, command, start
pipeline.json     task, classes, features, input shape, the fitted encoder and target scale
metrics.jsonl     one line per epoch
state.npz         everything that an exact resume needs, replaced as a whole
model.keras       the trained model with its optimizer
result.json       metrics with intervals, tables, cost
figures/*.svg, report.html
"""

import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from maquette import __version__, catalog, files
from maquette.core.recipe import Expect, Recipe
from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError

KIND = "run folder"


@dataclass(frozen=True)
class Run:
    """A run's folder; every property reads the file it is named after.

    Raises:
        InputError: from the properties, naming the file that is missing or damaged.
    """

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> "Run":
        """The run in an existing folder."""
        run = cls(Path(folder))
        if not (run.folder / "recipe.json").is_file():
            raise InputError(f"{folder} is no run folder: it has no recipe.json (runs are made by `maquette train`)")
        return run

    def path(self, name: str) -> Path:
        return self.folder / name

    @cached_property
    def recipe(self) -> Recipe:
        value = files.read_json(self.path("recipe.json"), KIND, lambda v: isinstance(v, dict))
        known = {f.name for f in fields(Recipe)}
        if not set(value) <= known | {"backend"}:
            extra = ", ".join(sorted(set(value) - known - {"backend"}))
            raise InputError(f"{self.path('recipe.json')} has unknown entries: {extra}")
        expect = {name: Expect(**entry) for name, entry in value.get("expect", {}).items()}
        return Recipe(**{k: v for k, v in value.items() if k in known} | {"expect": expect})

    @property
    def backend(self) -> str:
        return str(files.read_json(self.path("recipe.json"), KIND).get("backend", ""))

    @cached_property
    def pipeline(self) -> dict[str, Any]:
        return dict(files.read_json(self.path("pipeline.json"), KIND, lambda v: "encoder" in v and "shape" in v))

    @property
    def environment(self) -> dict[str, Any]:
        return dict(files.read_json(self.path("environment.json"), KIND))

    @property
    def result(self) -> dict[str, Any]:
        return dict(files.read_json(self.path("result.json"), "finished run", lambda v: "metrics" in v))

    @property
    def history(self) -> list[dict[str, Any]]:
        """One entry per finished epoch; a last line cut off by a kill is left out."""
        path = self.path("metrics.jsonl")
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = []
        for line in lines:
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return rows

    @property
    def finished(self) -> bool:
        return self.path("result.json").exists()

    @cached_property
    def task(self) -> Any:
        return catalog.task(self.recipe.task)

    @cached_property
    def encoder(self) -> Any:
        return self.task.restore(self.pipeline["encoder"])

    @property
    def words(self) -> Dataset:
        """A data set without items: the classes, features and target that answers are worded in."""
        p = self.pipeline
        empty = Split({})
        return Dataset(p["data"], empty, classes=tuple(p["classes"]), features=tuple(p["features"]), target=p["target"])

    @cached_property
    def model(self) -> Any:
        """The trained model; needs the backend to be chosen, see `maquette.backend`."""
        return load_model(self.path("model.keras"), self.recipe.page)

    def made_by(self, recipe: Recipe, backend: str) -> bool:
        """Whether the folder holds a run, finished or not, of just this recipe by this version."""
        if not all(self.path(name).exists() for name in ("recipe.json", "environment.json")):
            return False
        same = files.plain(asdict(self.recipe)) == files.plain(asdict(recipe)) and self.backend == backend
        return same and self.environment["versions"].get("maquette") == __version__

    def save_recipe(self, recipe: Recipe, backend: str) -> None:
        files.write_json(self.path("recipe.json"), {**asdict(recipe), "backend": backend})


def load_model(path: Path, page: str) -> Any:
    """Load a `.keras` file in safe mode, after importing the page whose classes it needs.

    Raises:
        InputError: if the file is missing, is not a `.keras` file, or is damaged.
    """
    import keras

    catalog.find(page, "models").load()
    if path.suffix != ".keras":
        raise InputError(f"{path}: only .keras files are loaded, since other formats can run code")
    if not path.exists():
        raise InputError(f"{path} is missing: the run has not finished; `maquette resume {path.parent}` continues it")
    try:
        return keras.saving.load_model(path, safe_mode=True)
    except (OSError, KeyError, ValueError, TypeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{path} cannot be loaded: {first}") from error
