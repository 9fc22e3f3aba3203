"""The first minute: LeNet-5 on real handwritten digits, against a linear model on the same pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maquette import backend as backends
from maquette.run import Run

if TYPE_CHECKING:
    from maquette.progress import Style

RUNS = (
    ("softmax-regression", {"epochs": 60, "batch_size": 32, "learning_rate": 0.01}),
    ("lenet5", {"inputs.size": 28, "epochs": 40, "batch_size": 32}),
)


def quickstart(out: str | Path = "runs/quickstart", backend: str = "auto", style: "Style" = "auto") -> dict[str, Any]:
    """Train both models on the digits that come with scikit-learn; no network is needed.

    Returns:
        {"model": measure, "baseline": measure, "report": path}, a measure being {"value", "low", "high"} of the
        test accuracy.
    """
    backend = backends.choose(backend, "lenet5")  # before Keras is imported, and one for both models
    from maquette.progress import say
    from maquette.verbs.train import train

    base = Path(out)
    folder = next(p for p in (base, *(Path(f"{base}-{i}") for i in range(2, 1000))) if not p.exists())
    runs: list[Run] = []
    for name, given in RUNS:
        say(style, f"training {name} on 1,438 handwritten digits", event="run", model=name)
        runs.append(train(name, "digits", given, out=folder / name, backend=backend, style=style))
    baseline, model = (run.result["metrics"]["test_accuracy"] for run in runs)
    return {"model": model, "baseline": baseline, "report": runs[-1].path("report.html")}
