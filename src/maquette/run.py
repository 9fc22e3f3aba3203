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
from maquette.core.recipe import Recipe
from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError

KIND = "run folder"
NAMES = {"task", "data", "page", "backend"}
PIPELINE = {"task", "data", "report", "origin", "classes", "features", "target", "shape", "target_scale", "encoder"}


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
        from pydantic import TypeAdapter, ValidationError

        entries = self._recipe_entries()
        known = {f.name for f in fields(Recipe)} | {"backend"}
        try:
            unknown = sorted(set(entries) - known)
            recipe = TypeAdapter(Recipe).validate_python({k: v for k, v in entries.items() if k != "backend"})
        except ValidationError as error:
            first = error.errors()[0]
            unknown = [f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"]
        if unknown:
            raise InputError(f"{self.path('recipe.json')} is no recipe ({unknown[0]}): restore the file, or train anew")
        return recipe

    def _recipe_entries(self) -> dict[str, Any]:
        return files.read_json(self.path("recipe.json"), KIND, lambda v: set(v) >= NAMES)

    @property
    def backend(self) -> str:
        return str(self._recipe_entries()["backend"])

    @cached_property
    def pipeline(self) -> dict[str, Any]:
        return files.read_json(self.path("pipeline.json"), KIND, lambda v: set(v) >= PIPELINE)

    @property
    def environment(self) -> dict[str, Any]:
        return files.read_json(self.path("environment.json"), KIND, lambda v: "versions" in v)

    @property
    def result(self) -> dict[str, Any]:
        return files.read_json(self.path("result.json"), "finished run", lambda v: "metrics" in v)

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
        try:
            return self.task.restore(self.pipeline["encoder"])
        except InputError as error:
            raise InputError(f"{self.path('pipeline.json')}: {error}") from error

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
    """Load a `.keras` file in safe mode, after importing the classes that it names.

    Raises:
        InputError: if the file is missing, is not a `.keras` file, or is damaged.
    """
    import keras

    from maquette import schedule  # noqa: F401
    from maquette.core import adam  # noqa: F401

    catalog.find(page, "models").load()
    if path.suffix != ".keras":
        raise InputError(f"{path}: only .keras files are loaded, since other formats can run code")
    if not path.exists():
        raise InputError(f"{path} is missing: the run has not finished; `maquette resume {path.parent}` continues it")
    try:
        return keras.saving.load_model(path, safe_mode=True)
    except Exception as error:  # whatever Keras's reader stumbles over, the file is not what was written
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise InputError(f"{path} cannot be loaded ({first}): restore the file, or train anew") from error
