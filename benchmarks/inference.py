"""Answers per second of a network: exported to ONNX, as a Keras model, and the same network in plain PyTorch.

    python benchmarks/inference.py [--case cifar10-resnet20] [--rounds 7] [--write]

A round answers pictures of MNIST in batches of 128 on all cores (rounds.py says how rounds alternate). The weights are
those of one epoch on the digits of scikit-learn: they do not matter for the pace. ONNX is run by onnxruntime; Keras by
`predict` on the backend that the page measured fastest on; PyTorch in evaluation mode without gradients.
"""

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from image_classification import NETWORKS, page_of
from rounds import done, main, wait

# Recipe -> pictures of a round.
CASES = {
    "mnist-mlp": 60_000,
    "mnist-cnn": 12_800,
    "mnist-separable": 25_600,
    "cifar10-resnet20": 5_120,
    "cifar10-vgg": 12_800,
}
SIZE = 128


def pictures(case: str) -> np.ndarray:
    """MNIST's first training pictures, encoded: float32 (count, side, side, 1)."""
    from maquette import data

    x = data.load("mnist").train.x[: CASES[case]] / np.float32(255)
    return x if case.startswith("mnist") else np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))


def trained(case: str, folder: str):
    """A run of the recipe's network on small grey pictures of the right size."""
    from maquette.verbs.train import train

    side = 28 if case.startswith("mnist") else 32
    settings = {"epochs": 1, "inputs.size": side}
    return train(case, "digits", settings, out=Path(folder) / "run", style="quiet")


def onnx_rounds(case: str) -> None:
    """Answer for ever by onnxruntime."""
    import onnxruntime

    from maquette.verbs.export import export

    x = pictures(case)
    with tempfile.TemporaryDirectory() as folder:
        path = export(trained(case, folder).folder, "onnx")
        session = onnxruntime.InferenceSession(str(path))
    (name,) = (entry.name for entry in session.get_inputs())
    while True:
        started = wait()
        for start in range(0, len(x), SIZE):
            session.run(None, {name: x[start : start + SIZE]})
        done(started)


def keras_rounds(case: str) -> None:
    """Answer for ever by Keras's `predict`."""
    from maquette import backend

    backend.choose("auto", page_of(case))
    from maquette import assembly

    x = pictures(case)
    with tempfile.TemporaryDirectory() as folder:
        model = assembly.Served(trained(case, folder).model)
    while True:
        started = wait()
        model.predict(x, batch_size=SIZE, verbose=0)
        done(started)


def torch_rounds(case: str, compiled: bool) -> None:
    """Answer for ever with plain PyTorch."""
    os.environ["KERAS_BACKEND"] = "torch"
    import torch
    from torch import nn

    from maquette import catalog

    recipe, x = catalog.recipe(case), pictures(case).transpose(0, 3, 1, 2)
    x = torch.from_numpy(x.copy())
    layout = torch.contiguous_format if case == "mnist-mlp" else torch.channels_last
    body = NETWORKS[case](nn, recipe)
    if not case.startswith("mnist"):
        body[0] = nn.Conv2d(1, body[0].out_channels, 3, padding=1, bias=False)  # these pictures are grey
    network = nn.Sequential(body, nn.Softmax(-1)).to(memory_format=layout).eval()
    answer = torch.compile(network) if compiled else network
    while True:
        started = wait()
        with torch.inference_mode():
            for start in range(0, len(x), SIZE):
                answer(x[start : start + SIZE].contiguous(memory_format=layout)).numpy()
        done(started)


if __name__ == "__main__":
    workers = {
        "onnx": onnx_rounds,
        "keras": keras_rounds,
        "torch eager": partial(torch_rounds, compiled=False),
        "torch compiled": partial(torch_rounds, compiled=True),
    }
    main("inference", __doc__.splitlines()[0], CASES, workers, [["keras"], ["torch eager", "torch compiled"]], page_of)
