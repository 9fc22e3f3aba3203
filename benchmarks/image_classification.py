"""Training speed of mnist-cnn and mnist-mlp: `maquette train`, bare `keras.Model.fit`, and plain PyTorch.

    python benchmarks/image_classification.py [--rounds 7] [--write]

A round is one epoch over pictures of MNIST (made-up ones without structure kill units, whose decaying momentum slows
every contestant by denormal numbers); rounds.py says how they alternate.

All train the same network in float32 with Adam at the same batch size on all cores. PyTorch runs eagerly and
compiled, each with the memory layout and Adam that measured best (channels last for the convolutions, fused Adam),
and the faster of them counts.
"""

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from rounds import done, main, wait

CASES = {"mnist-cnn": 6_400, "mnist-mlp": 60_000}


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's first training pictures, bytes (count, 28, 28, 1), and their labels (count,)."""
    from maquette import data

    train = data.load("mnist").train
    return train.x[:count], train.y[:count].astype(np.int32)


def maquette_rounds(case: str, bare: bool) -> None:
    """Train rounds for ever, through the run layer or by Keras's `fit` alone on arrays."""
    from dataclasses import replace

    from maquette import backend, catalog

    backend.choose("auto", page_of(case))  # before the recipe's page imports Keras
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


def page_of(case: str) -> str:
    from maquette import catalog

    return catalog.model_of(catalog.recipe_page(case))


if __name__ == "__main__":
    workers = {
        "maquette": partial(maquette_rounds, bare=False),
        "bare fit": partial(maquette_rounds, bare=True),
        "torch eager": partial(torch_rounds, compiled=False),
        "torch compiled": partial(torch_rounds, compiled=True),
    }
    peers = [["bare fit"], ["torch eager", "torch compiled"]]
    main("image_classification", __doc__.splitlines()[0], CASES, workers, peers, page_of)
