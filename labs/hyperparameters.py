"""How learning rate and batch size decide what a convolutional network learns in a fixed number of epochs.

    python labs/hyperparameters.py [--data digits] [--epochs 8] [--out runs/hyperparameters]

Trains the small digit network once for each pair on the training split, scores it on a validation split held out from
it, and draws the error over the learning rate, a line per batch size. The test split is looked at once, for the pair
that validation chose: choosing by the test error would make it too small.
"""

import argparse
from itertools import product
from pathlib import Path

RATES = (3e-5, 3e-4, 3e-3, 3e-2)
BATCHES = (16, 64, 256)
NETWORK = {"model.filters": (8, 16), "model.hidden_units": 64}


def trained(data: str, epochs: int, rate: float, batch: int, folder: Path):
    """The run of one pair; found in its folder if it was trained before."""
    from maquette import settings
    from maquette.backend import choose
    from maquette.verbs.train import once

    backend = choose("auto", "mnist_cnn")
    given = {**NETWORK, "learning_rate": rate, "batch_size": batch, "epochs": epochs, "validation": 0.2}
    recipe = settings.resolve("mnist-cnn", data, given)
    return once(recipe, backend, folder / f"rate-{rate:g}-batch-{batch}", report=False)


def drawn(errors: dict[tuple[float, int], float], folder: Path) -> Path:
    """An SVG: validation error over the learning rate, a line per batch size."""
    from maquette import files
    from maquette.tasks.figure import canvas, finish

    figure, axes = canvas(6, 4)
    for batch, shade in zip(BATCHES, ("#2b6cb0", "#d9622b", "#888888")):
        axes.plot(RATES, [errors[rate, batch] for rate in RATES], "o-", color=shade, label=f"batches of {batch}")
    axes.set(xscale="log", xlabel="learning rate", ylabel="validation error", ylim=(0, 1))
    axes.legend()
    path = folder / "hyperparameters.svg"
    files.write_text(path, finish(figure, "hyperparameters", "Learning rate and batch size", "").svg)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("runs/hyperparameters"))
    given = parser.parse_args()
    pairs = list(product(RATES, BATCHES))
    runs = {pair: trained(given.data, given.epochs, *pair, given.out) for pair in pairs}
    errors = {pair: 1 - run.history[-1]["val_accuracy"] for pair, run in runs.items()}
    print("learning rate  " + "".join(f"batch {batch:<8}" for batch in BATCHES))
    for rate in RATES:
        print(f"{rate:<15g}" + "".join(f"{errors[rate, batch]:<14.3f}" for batch in BATCHES))
    best = min(pairs, key=errors.__getitem__)
    test = runs[best].result["metrics"]["test_error"]
    print(f"chosen: learning rate {best[0]:g}, batches of {best[1]}; ", end="")
    print(f"test error {test['value']:.3f} ({test['low']:.3f} to {test['high']:.3f})")
    print(drawn(errors, given.out))


if __name__ == "__main__":
    main()
