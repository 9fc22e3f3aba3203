"""The rules of the house that a reader of the source can check: what is not imported, not written, not too long."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from maquette import catalog

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "maquette"
FILES = sorted(SOURCE.rglob("*.py"))
PAGES = [page.file for page in catalog.pages("models").values()]
TEXTS = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".html", ".sh", ".cfg", ""}
# Written in parts, so that this file does not hold what it looks for.
MACHINE = ["/" + part for part in ("work/", "root/", "tmp/", "home/", "opt/")]
REGISTRIES = [name + ending for name, ending in (("pypi", ".org"), ("pythonhosted", ".org"), ("index", "-url"))]


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(file: Path) -> set[str]:
    """The full names of the modules that a file imports, at any depth."""
    names = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def named(file: Path) -> set[str]:
    """Every name and attribute, dotted as far as it is one expression, and every function defined."""
    nodes = list(ast.walk(tree(file)))
    dotted = {ast.unparse(node) for node in nodes if isinstance(node, (ast.Attribute, ast.Name))}
    return dotted | {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """The project's own text files: what git lists, or in a copy without git, what stands outside hidden folders."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode == 0:
        found = [ROOT / line for line in done.stdout.splitlines()]
    else:
        found = [p for name in ("src", "tests", "docs", "benchmarks", "labs") for p in (ROOT / name).rglob("*")]
        found += ROOT.glob("*")
    hidden = {"_build", "__pycache__", ".pytest_cache"}
    return [p for p in found if p.is_file() and p.suffix in TEXTS and not hidden & set(p.parts)]


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_what_no_module_uses(file: Path) -> None:
    modules = imported(file)
    assert not {m for m in modules if m == "keras.src" or m.startswith("keras.src.")}
    assert not {
        m for m in modules if m.split(".")[0] in ("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal")
    }
    names = named(file)
    assert not {n for n in names if n == "train_step" or n.endswith("layers.Lambda") or ".src." in f".{n}."}
    calls = [n for n in ast.walk(tree(file)) if isinstance(n, ast.keyword) and n.arg == "allow_pickle"]
    assert all(isinstance(k.value, ast.Constant) and k.value.value is False for k in calls), "allow_pickle"


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_sizes(file: Path) -> None:
    assert file.stem not in ("utils", "helpers", "util", "helper", "common", "misc")
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= (250 if file in PAGES else 300)
    functions = [n for n in ast.walk(tree(file)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert not {n.name: _length(n) for n in functions if _length(n) > 30}


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: from the signature to the end, without the docstring."""
    first = node.body[0]
    documented = ast.get_docstring(node, clean=False) is not None
    return node.end_lineno - node.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented else 0)  # type: ignore


def test_the_core_is_small() -> None:
    lines = {relative(f): len(f.read_text(encoding="utf-8").splitlines()) for f in (SOURCE / "core").glob("*.py")}
    assert sum(lines.values()) <= 600, lines


@pytest.mark.parametrize("file", PAGES, ids=relative)
def test_pages_multiply_by_name(file: Path) -> None:
    wrong = [n.lineno for n in ast.walk(tree(file)) if isinstance(getattr(n, "op", None), ast.MatMult)]
    assert not wrong, "write ops.matmul: @ between an array and a variable fails on some backend"


def test_no_text_names_a_machine_or_a_registry() -> None:
    own = re.compile("|".join([*(rf"(?<![\w.~/$)}}]){re.escape(p)}" for p in MACHINE), *map(re.escape, REGISTRIES)]))
    found = []
    for file in tracked():
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            found += [f"{relative(file)}:{number}: {line.strip()[:100]}"] if own.search(line) else []
    assert not found, found


def test_the_core_install_is_small() -> None:
    """At most 40 distributions for `pip install maquette`, itself included, by the metadata of what is installed."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        waiting = [Requirement(text) for text in tomllib.load(stream)["project"]["dependencies"]]
    closure = {"maquette"}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in closure:
            continue
        closure.add(name)
        needed = [Requirement(text) for text in metadata.requires(name) or []]
        extras = requirement.extras or {""}
        waiting += [r for r in needed if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)]
    assert len(closure) <= 40, sorted(closure)


def test_lower_bounds_and_no_upper_caps() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    extras = [text for group in project["optional-dependencies"].values() for text in group]
    for text in (*project["dependencies"], *extras):
        operators = {clause.operator for clause in Requirement(text).specifier}
        assert ">=" in operators and operators <= {">=", "!="}, text


def test_constraints_pin_names_and_versions_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins and all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in pins)


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, the build backend, is not installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as members:
        inside = set(members.namelist())
        entry = next(name for name in inside if name.endswith("entry_points.txt"))
        assert b"maquette = maquette.cli:main" in members.read(entry)
    files = {f.relative_to(SOURCE.parent).as_posix() for f in SOURCE.rglob("*") if f.is_file()}
    assert {name for name in files if "__pycache__" not in name} <= inside
    assert any(name.endswith("/licenses/LICENSE") for name in inside)
