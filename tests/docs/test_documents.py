"""Runs what the documents show. Comments before a fenced block say what a test does with it:

<!-- run -->                 the commands succeed
<!-- run with: OPTIONS -->   the same, with options added to each that trains, so that it takes seconds
<!-- run where: FOLDER -->   the same, if $MAQUETTE_DATA holds the folder
<!-- fails with: TEXT -->    the commands fail with status 2 and one line that has TEXT in it
<!-- file: NAME -->          the block is what the file holds
Python blocks all run: as a doctest where they have prompts. The blocks of one document share a folder.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
TRAINING = ("train", "compare")


@dataclass(frozen=True)
class Block:
    """A fenced block and the comment before it."""

    mark: str
    language: str
    body: str

    @property
    def kind(self) -> str:
        return "python" if self.language == "python" else self.mark.partition(":")[0]

    @property
    def rest(self) -> str:
        return self.mark.partition(":")[2].strip()

    def steps(self) -> list[dict[str, Any]]:
        """What tests/docs/session.py is to run for this block."""
        if self.kind == "python":
            return [{"python": self.body}]
        return [{"command": self._changed(command)} for command in _commands(self.body)] if self.runs else []

    @property
    def runs(self) -> bool:
        if self.kind == "run where":
            return (Path(os.environ.get("MAQUETTE_DATA", os.devnull)) / self.rest).is_dir()
        return self.kind in ("python", "run", "run with", "fails with")

    def _changed(self, command: list[str]) -> list[str]:
        assert command[0] == "maquette", f"only commands of Maquette are run, not {command}"
        tiny = self.kind == "run with" and command[1] in TRAINING
        return [*map(os.path.expandvars, command), *(shlex.split(self.rest) if tiny else [])]

    def check(self, step: dict[str, Any], result: dict[str, Any]) -> None:
        text = f"{step.get('python') or shlex.join(step['command'])}\n{result['out']}{result['err']}"
        if self.kind != "fails with":
            assert result["status"] == 0, text
            return
        said = [line for line in result["err"].splitlines() if line.startswith("maquette: ")]
        assert result["status"] == 2 and len(said) == 1 and self.rest in said[0], text


def _commands(body: str) -> list[list[str]]:
    joined = body.replace("\\\n", " ")
    return [
        shlex.split(line.removeprefix("$ "), comments=True) for line in joined.splitlines() if line.startswith("$ ")
    ]


def run(steps: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """The results of a document's steps, run in one new process in `folder`."""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    session = [sys.executable, str(Path(__file__).with_name("session.py"))]
    given = {"input": json.dumps(steps), "cwd": folder, "env": environment}
    done = subprocess.run(session, **given, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def documents() -> list[Path]:
    """Every document that is written by hand and not made when the documentation is built."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    return [Block(m["mark"] or "", m["language"], m["body"]) for m in BLOCK.finditer(text)]


@pytest.mark.parametrize("document", [d for d in documents() if any(b.runs for b in blocks(d))], ids=lambda d: d.stem)
def test_what_a_document_shows_works(document: Path, own_files: Path) -> None:
    for block in blocks(document):
        if block.kind == "file":
            (own_files / block.rest).parent.mkdir(exist_ok=True)
            (own_files / block.rest).write_text(block.body, encoding="utf-8")
    steps = [(block, step) for block in blocks(document) for step in block.steps()]
    results = run([step for _, step in steps], own_files)
    for (block, step), result in zip(steps, results, strict=True):
        block.check(step, result)


def test_every_mark_stands_before_a_block_and_is_known() -> None:
    for document in documents():
        text = document.read_text(encoding="utf-8")
        marks = re.findall(r"^<!-- ((?:run|fails|file)\b.*?) -->$", text, re.MULTILINE)
        assert marks == [block.mark for block in blocks(document) if block.mark], document
        assert all(re.match(r"run$|run with: .|run where: .|fails with: .|file: .", mark) for mark in marks), document


def test_relative_links_lead_somewhere() -> None:
    made = re.compile(
        r"(models|methods|data|tasks|recipes)/|(command-line|benchmarks)\.md|results\.md|docs/results\.md"
    )
    for document in documents():
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists() or made.match(target), f"{document}: {target}"
