"""The README's table of results is the one that follows from docs/results.json."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_shows_the_measured_results(generate: ModuleType) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert generate.with_results(readme) == readme, "run `make readme`"


def test_the_table_goes_between_the_markers(generate: ModuleType, tmp_path: Path) -> None:
    from maquette import files

    entry = {"recipe": "a", "metric": "test_error", "value": 0.01, "low": 0.005, "high": 0.015, "seeds": 3}
    entry |= {"expected": 0.02, "sense": "at most", "tolerance": 0.0, "source": "s", "met": True, "seconds": 1.0}
    files.write_json(tmp_path / "results.json", [{**entry, "backend": "jax", "device": "cpu", "version": "0"}])
    before = f"head\n{generate.MARKERS[0]}\nold\n{generate.MARKERS[1]}\ntail\n"
    after = generate.with_results(before, tmp_path)
    assert after.startswith("head\n") and after.endswith("\ntail\n") and "old" not in after
    assert "| a | `test_error` | 0.01 (0.005 to 0.015) | at most 0.02 | yes |" in after
    assert generate.with_results(after, tmp_path) == after


def test_every_page_and_command_has_its_document(generate: ModuleType, tmp_path: Path) -> None:
    from maquette import catalog, cli

    generate.write(tmp_path)
    written = {path.stem for path in (tmp_path / "models").glob("*.md")} - {"index"}
    assert written == set(catalog.pages("models"))
    commands = (tmp_path / "command-line.md").read_text(encoding="utf-8")
    for command in cli.app.registered_commands:
        name = command.name or command.callback.__name__  # type: ignore[union-attr]
        assert f"## maquette {name}\n" in commands
    lenet5 = (tmp_path / "models" / "lenet5.md").read_text(encoding="utf-8")
    assert "**Source:** LeCun" in lenet5 and ">>> from maquette.models.vision.lenet5 import LeNet5" in lenet5
