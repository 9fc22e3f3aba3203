"""Fixtures of the tests of the command line: commands in this process and in one of their own, and tiny data."""

import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from maquette import backend, cli


class Told(NamedTuple):
    """What a command left: exit status, stdout, stderr."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capfd):
    """command(*words) -> Told, run in this process as `maquette WORDS` would be."""
    # The process is the tests' own: nothing may be kept from being imported for those that come later.
    monkeypatch.setattr(backend, "own_process", lambda: None)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["maquette", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        return Told(left.value.code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def process():
    """process(*words, **environment) -> Told, run as `python -m maquette WORDS`."""

    def run(*words, **environment):
        line = [sys.executable, "-m", "maquette", *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)
        return Told(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def table_text():
    """A CSV of 60 rows: two numbers, a text and a class that depends on them."""
    random = np.random.default_rng(0)
    rows = ["width,height,colour,kind"]
    for i in range(60):
        k = i % 3
        width, height = k + random.normal(0, 0.2), random.normal()
        rows.append(f"{width:.3f},{height:.3f},{('red', 'blue')[i % 2]},{('ant', 'bee', 'cow')[k]}")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="session")
def make_pictures():
    """make_pictures(folder, classes, count, side): a folder of grey PNG pictures per class, brighter by class."""

    def make(folder, classes=("dark", "light"), count=6, side=6):
        from PIL import Image

        random = np.random.default_rng(0)
        for k, name in enumerate(classes):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for i in range(count):
                pixels = 60 + 120 * k + random.integers(0, 40, (side, side))
                Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
        return folder

    return make
