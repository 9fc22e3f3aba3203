"""Training speed of mnist-cnn and mnist-mlp: `maquette train`, bare `keras.Model.fit`, and plain PyTorch.

    python benchmarks/image_classification.py [--rounds 7] [--write]

Every contestant is a process of its own that trains one round at a time, and the rounds alternate, so that whatever
else the machine does hits all of them alike. A round is one epoch over pictures of MNIST (made-up ones
without structure kill units, whose decaying momentum slows every contestant by denormal numbers); the first round,
which compiles, is not counted. Rates are examples per second, medians over the rounds; a ratio is the median
of the ratios within each round.

All train the same network in float32 with Adam at the same batch size on all cores. PyTorch runs eagerly and
compiled, each with the memory layout and Adam that measured best (channels last for the convolutions, fused Adam),
and the faster of them counts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from record import record

CASES = {"mnist-cnn": 6_400, "mnist-mlp": 60_000}
CONTESTANTS = ("maquette", "bare fit", "torch eager", "torch compiled")


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's first training pictures, bytes (count, 28, 28, 1), and their labels (count,)."""
    from maquette import data

    train = data.load("mnist").train
    return train.x[:count], train.y[:count].astype(np.int32)


def wait() -> float:
    """Block until the next round may start, and return the time."""
    if not sys.stdin.readline():
        sys.exit(0)
    return time.perf_counter()


def done(started: float) -> None:
    print(time.perf_counter() - started, flush=True)


def maquette_rounds(case: str, bare: bool) -> None:
    """Train rounds for ever, through the run layer or by Keras's `fit` alone on arrays."""
    from dataclasses import replace

    from maquette import backend, catalog

    backend.choose("auto", catalog.model_of(catalog.recipe_page(case)))  # before the recipe's page imports Keras
    import keras

    from maquette import assembly, fitting
    from maquette.data.dataset import Dataset, Split
    from maquette.run import Run

    recipe = replace(catalog.recipe(case), epochs=10_000, schedule="constant", validation=0.0, expect={})
    x, y = pictures(CASES[case])
    split = Split(x, y)
    dataset = Dataset("made up", split, test=split.take(range(10)), classes=tuple("0123456789"))
    task = catalog.task(recipe.task)
    encoder = task.encoder(assembly.input_options(recipe)).fit(x[:1000])
    pipeline = assembly.Pipeline(recipe, task, dataset, encoder, {}, (28, 28, 1))
    model = assembly.build(pipeline)

    class Rounds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.started = wait()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            done(self.started)

    if bare:
        floats = encoder.transform(x)
        model.fit(floats, y, batch_size=recipe.batch_size, epochs=10_000, verbose=0, callbacks=[Rounds()])
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "metrics.jsonl").touch()
        fitting.fit(Run(Path(folder)), pipeline, model, "quiet", callbacks=[Rounds()])


def torch_rounds(case: str, compiled: bool) -> None:
    """Train rounds for ever with a plain PyTorch loop."""
    os.environ["KERAS_BACKEND"] = "torch"  # reading the recipe imports Keras, which must not bring another engine
    import torch
    from torch import nn

    from maquette import catalog

    recipe = catalog.recipe(case)

    x, y = pictures(CASES[case])
    images = torch.from_numpy((x / np.float32(255)).transpose(0, 3, 1, 2).copy())
    labels = torch.from_numpy(y).long()
    network = (convolutional(nn) if case == "mnist-cnn" else perceptron(nn, recipe)).to(
        memory_format=torch.channels_last
    )
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)
    step, loss_of, size = torch.compile(network) if compiled else network, nn.CrossEntropyLoss(), recipe.batch_size
    while True:
        started = wait()
        order, total = torch.randperm(len(labels)), 0.0
        for start in range(0, len(labels), size):
            rows = order[start : start + size]
            batch = images[rows]
            if case == "mnist-cnn":
                batch = batch.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(step(batch), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.item()
        done(started)


def convolutional(nn):
    """The network of models/vision/mnist_cnn.py."""
    return nn.Sequential(
        *(nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(6272, 1024), nn.ReLU(), nn.Linear(1024, 10)),
    )


def perceptron(nn, recipe):
    """The network of models/neuron/mlp.py at the recipe's widths and dropout."""
    parts, width = [nn.Flatten()], 784
    for units in recipe.model["hidden_units"]:
        parts += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(recipe.model.get("dropout", 0.0))]
        width = units
    return nn.Sequential(*parts, nn.Linear(width, 10))


def worker(case: str, name: str) -> None:
    if name in ("maquette", "bare fit"):
        maquette_rounds(case, bare=name == "bare fit")
    else:
        torch_rounds(case, compiled=name == "torch compiled")


def start(case: str, name: str) -> subprocess.Popen:
    command = [sys.executable, __file__, "--worker", name, "--case", case]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment)


def one_round(process: subprocess.Popen) -> float:
    process.stdin.write("go\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{' '.join(process.args)} died: run it by hand to see why")
    return float(line)


def measure(case: str, rounds: int) -> dict[str, np.ndarray]:
    """Examples per second of each contestant in each round: name -> (rounds,)."""
    processes = {name: start(case, name) for name in CONTESTANTS}
    try:
        for process in processes.values():
            one_round(process)
        times = {name: [] for name in processes}
        for i in range(rounds):
            # Every other round runs backwards, so that no contestant always follows the same one.
            for name in list(processes)[:: 1 if i % 2 == 0 else -1]:
                times[name].append(one_round(processes[name]))
    finally:
        for process in processes.values():
            process.kill()
    return {name: CASES[case] / np.array(values) for name, values in times.items()}


def main() -> None:
    from maquette import catalog

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="record the ratios in benchmarks/results.json")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=CASES, help="only this one")
    given = parser.parse_args()
    if given.worker:
        worker(given.case, given.worker)
        return
    for case in [given.case] if given.case else CASES:
        rates = measure(case, given.rounds)
        for name, rate in rates.items():
            print(f"{case:10} {name:15} {np.median(rate):8,.0f} examples/s   ({rate.min():,.0f} to {rate.max():,.0f})")
        best = max(("torch eager", "torch compiled"), key=lambda name: np.median(rates[name]))
        for peer in ("bare fit", best):
            ratio = float(np.median(rates["maquette"] / rates[peer]))
            print(f"{case:10} maquette / {peer}: {ratio:.3f}")
            if given.write:
                ours, theirs = np.median(rates["maquette"]), np.median(rates[peer])
                record(
                    "image_classification", case, "examples/s", ours, theirs, peer, ratio, catalog.recipes()[case].name
                )


if __name__ == "__main__":
    main()
