"""Every page, task, data set and recipe, found by reading files: listing imports nothing.

A file is a page of its kind by defining one name at its top level: `RECIPE` (models and further recipes), `CARD`
(data sets), `TASK` (tasks), `METHOD` (methods). Nothing is listed by hand anywhere.
"""

import ast
import importlib
import importlib.util
import sys
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from maquette.errors import InputError, near

ROOT = Path(__file__).parent
MARKS = {"models": "RECIPE", "methods": "METHOD", "data": "CARD", "tasks": "TASK", "recipes": "RECIPE"}


@dataclass(frozen=True)
class Page:
    """One file of the catalogue.

    Attributes:
        name: the file's name without its ending.
        kind: "models", "methods", "data", "tasks" or "recipes".
        file: where it is.
        summary: the first sentence of its docstring.
        facts: what can be read without importing it: the arguments of its mark, and `tasks` of its model.
    """

    name: str
    kind: str
    file: Path
    summary: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The page's import path; a page of the user's own is imported as `maquette_user_<name>`."""
        if not self.file.is_relative_to(ROOT):
            return f"maquette_user_{self.name}"
        return ".".join(("maquette", *self.file.relative_to(ROOT).with_suffix("").parts))

    def load(self) -> ModuleType:
        """Import the page; for a model page this is where Keras is imported."""
        if self.module in sys.modules or self.file.is_relative_to(ROOT):
            return importlib.import_module(self.module)
        spec = importlib.util.spec_from_file_location(self.module, self.file)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module] = module
        spec.loader.exec_module(module)
        return module


@cache
def pages(kind: str) -> dict[str, Page]:
    """All pages of a kind by name; raises ValueError if two files of one kind share a name."""
    found: dict[str, Page] = {}
    for file in sorted((ROOT / kind).rglob("[a-z]*.py")):
        page = read(file, kind)
        if page is None:
            continue
        if page.name in found:
            raise ValueError(f"two pages are called {page.name}: {found[page.name].file} and {file}")
        found[page.name] = page
    return found


def read(file: Path, kind: str) -> Page | None:
    """The page in `file`, or None where the file lacks the mark of its kind."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == MARKS[kind]:
            facts = {**_literals(getattr(node, "value", None)), **_model_tasks(tree)}
            summary = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
            return Page(file.stem, kind, file, summary, facts)
    return None


def _literals(call: ast.expr | None) -> dict[str, Any]:
    facts = {}
    for keyword in getattr(call, "keywords", []):
        try:
            facts[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            facts[keyword.arg] = ast.unparse(keyword.value)  # such as Expect(...): its source text
    return facts


def _model_tasks(tree: ast.Module) -> dict[str, Any]:
    for node in tree.body:
        for item in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(item, ast.Assign) and getattr(item.targets[0], "id", "") == "tasks":
                return {"tasks": ast.literal_eval(item.value)}
    return {}


def find(name: str, *kinds: str) -> Page:
    """The page called `name` in the first of `kinds` that has it; a hyphen counts as an underscore.

    A name that ends in .py is the path of a page of the user's own.

    Raises:
        InputError: naming the near ones, if there is none.
    """
    if name.endswith(".py"):
        return _own(Path(name), kinds[0])
    plain = name.replace("-", "_")
    for kind in kinds:
        if plain in pages(kind):
            return pages(kind)[plain]
    known = sorted({page.name.replace("_", "-") for kind in kinds for page in pages(kind).values()})
    raise InputError(f"there is no {' or '.join(kinds)} called {name!r}: {near(name, known)}")


def _own(file: Path, kind: str) -> Page:
    if not file.is_file():
        raise InputError(f"there is no file {file}: `maquette copy NAME` writes a page to start from")
    try:
        page = read(file.resolve(), kind)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is no Python file: {error}") from None
    if page is None:
        raise InputError(f"{file} is no page: it does not define {MARKS[kind]}")
    return page


@cache
def recipes() -> dict[str, Page]:
    """Every recipe's name -> the page that holds it: a model's own page, or a file in `recipes`."""
    found: dict[str, Page] = {}
    for page in (*pages("models").values(), *pages("recipes").values()):
        name = page.facts["name"]
        if name in found:
            raise ValueError(f"two recipes are called {name}: {found[name].file} and {page.file}")
        found[name] = page
    return found


def recipe_page(name: str) -> Page:
    """The page that holds the recipe called `name`, or the model page of that name, without importing it.

    Raises:
        InputError: naming the near ones, if there is none.
    """
    if name.endswith(".py"):
        return find(name, "models")
    page = recipes().get(name) or pages("models").get(name.replace("-", "_"))
    if page is None:
        raise InputError(f"there is no model or recipe called {name!r}: {near(name, [*recipes(), *pages('models')])}")
    return page


def model_of(page: Page) -> str:
    """The model page that a recipe's page trains: a name, or the path of the user's own page."""
    own = page.name if page.file.is_relative_to(ROOT) else str(page.file)
    return str(page.facts.get("page", own))


def recipe(name: str) -> Any:
    """The `Recipe` called `name`, or the default one of the model page `name`, with its `page` filled in."""
    page = recipe_page(name)
    return replace(page.load().RECIPE, page=model_of(page))


def model_class(name: str) -> Any:
    """The model class of a page: the last class with `tasks` that its module defines."""
    module = find(name, "models").load()
    classes = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]
    return [c for c in classes if getattr(c, "tasks", ())][-1]


def task(name: str) -> Any:
    """The task object called `name`, with hyphens or underscores."""
    return find(name, "tasks").load().TASK
