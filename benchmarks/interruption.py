"""Kill training runs with SIGKILL at random moments, resume them, and compare with runs that nobody killed.

Each run is killed several times: while it imports, while it trains, and while it writes its state. After the last kill
it is resumed to its end. Weights, optimizer, seeds, metrics of every epoch and results have to be equal to the last
bit. Prints a table and exits with status 1 if anything differs.

    python benchmarks/interruption.py [--short] [--backend tensorflow|jax] [--seed 0]
"""

import argparse
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np

SRC = Path(__file__).parent.parent / "src"
LENET = ("lenet5", "--data", "digits", "--set", "inputs.size=28", "--set", "model.dropout=0.3")
RUNS = {
    "lenet5, dropout": (*LENET, "--set", "epochs=30"),
    "mlp, validation and patience": (
        *("mlp", "--data", "digits", "--set", "model.hidden_units=256,128", "--set", "validation=0.2"),
        *("--set", "patience=40", "--set", "epochs=80"),
    ),
    "gan, two players and noise": ("gan", "--set", "epochs=40"),
}
KINDS = ("importing", "training", "writing", "training")
SHORT = {"lenet5, dropout": (*LENET, "--set", "epochs=5")}
SHORT_KINDS = ("training", "writing")


def start(words: list[str], backend: str) -> subprocess.Popen:
    """A process of the command line on a backend, in a group of its own."""
    paths = os.pathsep.join([str(SRC), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "KERAS_BACKEND": backend}
    line = [sys.executable, "-m", "maquette", *words, "--quiet"]
    return subprocess.Popen(
        line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def finish(words: list[str], backend: str) -> float:
    """Run a command to its end; its seconds. Raises RuntimeError with its words if it fails."""
    began = time.perf_counter()
    process = start(words, backend)
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)}: status {process.returncode}: {said.decode()}")
    return time.perf_counter() - began


def kill(words: list[str], backend: str, folder: Path, kind: str, moment: float) -> str:
    """Start a command, kill it, and say when that was; one that ends before is let go."""
    began = time.perf_counter()
    process = start(words, backend)
    wanted = moment if kind == "training" else 2.0 * random.random() if kind == "importing" else 120.0
    written = False
    while process.poll() is None and time.perf_counter() - began < wanted and not written:
        written = kind == "writing" and any(folder.glob(".partial-state-*"))
        time.sleep(0.001 if kind == "writing" else 0.01)
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    _, said = process.communicate()
    if ended and process.returncode:
        raise RuntimeError(f"{' '.join(words)}: status {process.returncode}: {said.decode()}")
    half = ", half a state left" if any(folder.glob(".partial-state-*")) else ""
    return f"{kind} ({time.perf_counter() - began:.1f} s, epoch {reached(folder)}{half})"


def reached(folder: Path) -> int:
    """The epoch of the last whole state."""
    if not (folder / "state.npz").exists():
        return 0
    with np.load(folder / "state.npz") as state:
        return int(json.loads(state["progress"].tobytes())["epoch"])


def contents(folder: Path) -> dict[str, bytes]:
    """Everything of a finished run that has to be equal, name -> bytes."""
    with np.load(folder / "state.npz") as state:
        found = {f"state {key}": state[key].tobytes() for key in state.files if key != "progress"}
    with zipfile.ZipFile(folder / "model.keras") as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    weights.visititems(lambda name, item: found.update(_bytes(name, item)))
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    found["metrics"] = json.dumps([{k: v for k, v in row.items() if k != "seconds"} for row in rows]).encode()
    result = json.loads((folder / "result.json").read_text())
    return {**found, "result": json.dumps([result["metrics"], result["tables"], result["epochs"]]).encode()}


def _bytes(name: str, item: h5py.Group | h5py.Dataset) -> dict[str, bytes]:
    return {f"model {name}": item[()].tobytes()} if isinstance(item, h5py.Dataset) else {}


def next_words(folder: Path, words: tuple[str, ...]) -> list[str]:
    """What a user would type next: `resume`, or `train` once more where no run has come to be."""
    if (folder / "recipe.json").exists():
        return ["resume", str(folder)]
    return ["train", *words, "--out", str(folder)]


def measure(words: tuple[str, ...], backend: str, kinds: tuple[str, ...], base: Path) -> dict[str, object]:
    """One run, whole and interrupted, and whether the two are equal."""
    whole, cut = base / "whole", base / "cut"
    seconds = finish(["train", *words, "--out", str(whole)], backend)
    kills: list[str] = []
    longest = seconds
    while len(kills) < len(kinds):
        moment = longest * random.uniform(0.4, 1.0)  # before that a process imports, which has a kind of its own
        kills.append(kill(next_words(cut, words), backend, cut, kinds[len(kills)], moment))
        if (cut / "result.json").exists():  # it was faster than the kill: once more, with earlier ones
            shutil.rmtree(cut)
            kills, longest = [], longest / 2
    finish(next_words(cut, words), backend)
    left, right = contents(whole), contents(cut)
    wrong = sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key))
    wrong += [f"left behind: {path.name}" for path in cut.rglob(".partial-*")]
    return {"kills": kills, "arrays": len(left) - 2, "wrong": wrong, "seconds": seconds}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--short", action="store_true", help="one small run and two kills per backend")
    options.add_argument("--backend", choices=("tensorflow", "jax"), help="both that are installed if not given")
    options.add_argument("--seed", type=int, default=0, help="of the moments")
    given = options.parse_args()
    random.seed(given.seed)
    backends = [b for b in ("tensorflow", "jax") if given.backend in (None, b) and find_spec(b)]
    runs, kinds = (SHORT, SHORT_KINDS) if given.short else (RUNS, KINDS)
    print("| backend | run | killed | arrays | outcome |\n| --- | --- | --- | ---: | --- |", flush=True)
    killed, failed = 0, 0
    for backend in backends:
        for name, words in runs.items():
            with tempfile.TemporaryDirectory() as base:
                found = measure(words, backend, kinds, Path(base))
            outcome = f"DIFFERENT: {', '.join(found['wrong'][:5])}" if found["wrong"] else "equal"
            print(f"| {backend} | {name} | {'; '.join(found['kills'])} | {found['arrays']} | {outcome} |", flush=True)
            killed += len(found["kills"])
            failed += bool(found["wrong"])
    print(f"\n{killed} kills, {failed} runs that differ from the uninterrupted one")
    return 1 if failed or not killed else 0


if __name__ == "__main__":
    sys.exit(main())
