"""What has to answer at once imports no backend and no array library."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maquette import catalog

HEAVY = ("keras", "tensorflow", "jax", "torch", "numpy", "scipy", "sklearn", "matplotlib", "PIL")
WATCHED = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps([name for name in {heavy} if sys.modules.get(name)]), file=sys.stderr))
sys.argv = {argv}
{statement}
"""
MAIN = "from maquette.cli import main; main()"


def imported(statement: str, *argv: str) -> tuple[str, list[str]]:
    """What a new process prints, and which of the heavy packages it has imported by its end."""
    program = WATCHED.format(heavy=HEAVY, argv=["maquette", *argv], statement=statement)
    source = str(Path(catalog.ROOT).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout, json.loads(done.stderr.splitlines()[-1])


def test_importing_maquette_imports_nothing_heavy() -> None:
    assert imported("import maquette; print(maquette.__version__)")[1] == []


def test_an_import_is_noticed() -> None:
    assert imported("import numpy")[1] == ["numpy"]


@pytest.mark.parametrize("argv", [("--help",), ("--version",), ("train", "--help")], ids=" ".join)
def test_help_imports_nothing_heavy(argv: tuple[str, ...]) -> None:
    printed, heavy = imported(MAIN, *argv)
    assert "maquette" in printed and heavy == []


@pytest.mark.parametrize("kind", catalog.MARKS)
def test_list_imports_nothing_heavy_and_names_every_page(kind: str) -> None:
    printed, heavy = imported(MAIN, "list", kind)
    wanted = catalog.recipes() if kind == "recipes" else catalog.pages(kind)
    assert heavy == []
    assert {line.split()[0] for line in printed.splitlines()[1:]} == set(wanted)


@pytest.mark.parametrize("kind", catalog.MARKS)
def test_show_imports_nothing_heavy(kind: str) -> None:
    for name, page in list(catalog.pages(kind).items())[:1]:
        printed, heavy = imported(MAIN, "show", name)
        assert page.summary.split()[0] in printed and heavy == []
