"""Training speed on pictures: `maquette train` and plain PyTorch, each recipe its network.

    python benchmarks/image_classification.py [--case mnist-cnn] [--rounds 7] [--write]

A round is one epoch over pictures of MNIST, padded and made colours where the network wants them (made-up ones without
structure kill units, whose decaying momentum slows every contestant by denormal numbers); rounds.py says how they
alternate. Pictures are not changed at random here. An epoch of the recipes has more pictures, so that what the run
layer does once in an epoch, such as writing its state, weighs more here than in a real run.

All train the same network with the recipe's optimizer at the same batch size on all cores, in float32, or where the
case says so with products in bfloat16 and weights in float32, by mixed_bfloat16 here and autocast there. PyTorch runs
eagerly and compiled, each with the memory layout and optimizer that measured best (channels last for convolutions,
fused Adam), and the faster of them counts.
"""

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from rounds import done, main, wait

# Recipe -> pictures of a round.
CASES = {
    "mnist-mlp": 60_000,
    "mnist-cnn": 19_200,
    "mnist-separable": 38_400,
    "cifar10-resnet20": 2_560,
    "cifar10-vgg": 5_120,
    "cifar10-resnet20-bfloat16": 5_120,
    "cifar10-vgg-bfloat16": 10_240,
}
HALF = "-bfloat16"


def pictures(case: str) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's first training pictures, bytes (count, 28, 28, 1) or (count, 32, 32, 3), and their labels (count,)."""
    from maquette import data

    train = data.load("mnist").train.take(range(CASES[case]))
    if case.startswith("mnist"):
        return train.x, train.y
    return np.pad(train.x, ((0, 0), (2, 2), (2, 2), (0, 0))).repeat(3, axis=-1), train.y


def prepared(case: str, epochs: int):
    """The recipe's pipeline over the pictures of a round, without random changes."""
    from dataclasses import replace

    from maquette import backend, catalog

    backend.choose("auto", page_of(case))  # before the recipe's page imports Keras
    from maquette import assembly
    from maquette.data.dataset import Dataset, Split

    recipe = catalog.recipe(case.removesuffix(HALF))
    inputs = {key: value for key, value in recipe.inputs.items() if key != "augment"}
    recipe = replace(recipe, epochs=epochs, schedule="constant", validation=0.0, expect={}, inputs=inputs)
    recipe = replace(recipe, precision="mixed_bfloat16" if case.endswith(HALF) else "float32")
    x, y = pictures(case)
    split = Split(x, y)
    dataset = Dataset("mnist", split, test=split.take(range(10)), classes=tuple("0123456789"))
    task = catalog.task(recipe.task)
    encoder = task.encoder(assembly.input_options(recipe)).fit(x[:1000])
    return assembly.Pipeline(recipe, task, dataset, encoder, {}, x.shape[1:])


def run_layer(pipeline, model, callback) -> None:
    """Train as `maquette train` does, in a folder that is thrown away."""
    from maquette import fitting
    from maquette.run import Run

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "metrics.jsonl").touch()
        fitting.fit(Run(Path(folder)), pipeline, model, "quiet", callbacks=[callback])


def maquette_rounds(case: str) -> None:
    """Train rounds for ever through the run layer."""
    pipeline = prepared(case, epochs=10_000)
    import keras

    from maquette import assembly

    class Rounds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.started = wait()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            done(self.started)

    run_layer(pipeline, assembly.build(pipeline), Rounds())


def torch_rounds(case: str, compiled: bool) -> None:
    """Train rounds for ever with a plain PyTorch loop."""
    os.environ["KERAS_BACKEND"] = "torch"  # reading the recipe imports Keras, which must not bring another engine
    import torch
    from torch import nn

    from maquette import catalog

    x, y = pictures(case)
    half, case = case.endswith(HALF), case.removesuffix(HALF)
    recipe = catalog.recipe(case)
    images = torch.from_numpy((x / np.float32(255)).transpose(0, 3, 1, 2).copy())
    labels = torch.from_numpy(y).long()
    layout = torch.contiguous_format if case == "mnist-mlp" else torch.channels_last
    network = NETWORKS[case](nn, recipe).to(memory_format=layout)
    optimizer = torch_optimizer(torch, network, recipe)
    step, loss_of, size = torch.compile(network) if compiled else network, nn.CrossEntropyLoss(), recipe.batch_size
    while True:
        started = wait()
        order, total = torch.randperm(len(labels)), 0.0
        for start in range(0, len(labels), size):
            rows = order[start : start + size]
            batch = images[rows].contiguous(memory_format=layout)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                loss = loss_of(step(batch), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.item()
        done(started)


def torch_optimizer(torch, network, recipe):
    """The recipe's optimizer."""
    ((name, value),) = recipe.optimizer.items()
    settings = value if isinstance(value, dict) else {"learning_rate": value}
    rate = settings["learning_rate"]
    if name == "adam":
        return torch.optim.Adam(network.parameters(), rate, fused=True)
    options = {key: settings.get(key, 0.0) for key in ("momentum", "weight_decay")}
    return torch.optim.SGD(network.parameters(), rate, fused=True, **options)


def convolutional(nn, recipe):
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


def separable(nn, recipe):
    """The network of models/vision/separable_cnn.py at its default sizes."""
    parts, maps = [], 1
    for more in (32, 64):
        parts += [nn.Conv2d(maps, maps, 3, groups=maps, bias=False), nn.Conv2d(maps, more, 1)]
        parts += [nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]
        maps = more
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(1600, 256), nn.ReLU(), nn.Linear(256, 10))


def residual(nn, recipe):
    """The network of models/vision/resnet.py, depth 20 for small pictures."""
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, maps: int, out: int, stride: int) -> None:
            super().__init__()
            self.stride, self.more = stride, out - maps
            self.first, self.norm = nn.Conv2d(maps, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
            self.second, self.last = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)

        def forward(self, x):
            f = self.last(self.second(functional.relu(self.norm(self.first(x)))))
            if self.more:
                x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
            return functional.relu(x + f)

    parts, maps = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for stage in range(3):
        for i in range(3):
            parts.append(Block(maps, 16 << stage, 2 if stage and i == 0 else 1))
            maps = 16 << stage
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def stacked(nn, recipe):
    """The network of models/vision/vgg.py with 11 layers, as in its recipe."""
    width, (units,) = recipe.model["width"], recipe.model["hidden_units"]
    parts, maps = [], 3
    for count, factor in zip((1, 1, 2, 2, 2), (1, 2, 4, 8, 8), strict=True):
        for _ in range(count):
            parts += [nn.Conv2d(maps, factor * width, 3, padding=1, bias=False), nn.BatchNorm2d(factor * width)]
            parts.append(nn.ReLU())
            maps = factor * width
        parts.append(nn.MaxPool2d(2))
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(maps, units), nn.ReLU(), nn.Dropout(), nn.Linear(units, 10))


NETWORKS = {
    "mnist-mlp": perceptron,
    "mnist-cnn": convolutional,
    "mnist-separable": separable,
    "cifar10-resnet20": residual,
    "cifar10-vgg": stacked,
}


def page_of(case: str) -> str:
    """The page of a recipe's model."""
    from maquette import catalog

    return catalog.model_of(catalog.recipe_page(case.removesuffix(HALF)))


if __name__ == "__main__":
    workers = {
        "maquette": maquette_rounds,
        "torch eager": partial(torch_rounds, compiled=False),
        "torch compiled": partial(torch_rounds, compiled=True),
    }
    peers = [["torch eager", "torch compiled"]]
    main("image_classification", __doc__.splitlines()[0], CASES, workers, peers, page_of)
