"""Every row of systems.toml names what can be imported, a test that exists, and a recipe or lab to see it at work."""

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

from maquette import catalog

ROOT = Path(__file__).parent.parent
SYSTEMS = tomllib.loads((ROOT / "systems.toml").read_text(encoding="utf-8"))


def found(name: str) -> object:
    """What a dotted path names: a module, or something in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            continue
        for part in parts[cut:]:
            thing = getattr(thing, part)
        return thing
    raise ModuleNotFoundError(name)


def functions(file: Path) -> set[str]:
    """The test functions of a file, those of a class as Class::test."""
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        names |= {prefix + item.name for item in inside if isinstance(item, ast.FunctionDef)}
    return names


@pytest.mark.parametrize("row", SYSTEMS)
def test_a_row_is_true(row: str) -> None:
    entry = SYSTEMS[row]
    chapter, _, number = row.partition(".")
    assert chapter.isdigit() and number.isdigit()
    assert found(entry["name"]) is not None
    file, _, test = entry["test"].partition("::")
    assert test.partition("[")[0] in functions(ROOT / file), entry["test"]
    assert test.rpartition("::")[2].startswith("test_")
    assert set(entry) in ({"name", "test", "recipe"}, {"name", "test", "lab"})
    if "recipe" in entry:
        assert entry["recipe"] in catalog.recipes()
    else:
        assert (ROOT / entry["lab"]).is_file()


def test_rows_are_in_order() -> None:
    rows = [tuple(int(part) for part in row.split(".")) for row in SYSTEMS]
    assert rows == sorted(rows)
