"""What convolution, pooling, dropout and batch normalisation do in trained networks, measured on handwritten digits.

    python labs/anatomy.py [--part sizes|shifts|saturation|dropout] [--seeds 3] [--epochs 12] [--out runs/anatomy]

sizes       What a unit of LeNet-5 sees, and what its convolutions would cost without sharing their weights.
shifts      Networks with and without pooling are trained on digits in the middle of the picture. Then test digits
            are shifted by 1 to 4 pixels: how far the last feature maps are from the shifted ones of the picture as
            it was, diagonally; in eight directions, how often the answer stays and how often it is right.
saturation  Five hidden layers of tanh or sigmoid units, with and without batch normalisation: the share of saturated
            units, the drift of each layer's inputs per epoch, and how large the gradient of the first layer is. All
            at inference, so with normalisation the first drift holds that of its running statistics from 0 and 1.
dropout     All 4,096 subnetworks of a layer of 12 units, averaged, against the network with scaled weights.

Numbers are means over the seeds, standard deviations stand after ±. Pictures of them are written to the folder.
"""

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

POOLINGS = ("max", "average", "stride", "none", "global")
SHIFTS = (1, 2, 3)
STRIDES = {"none": 1}  # pixels from one place of the last maps to the next; 4 in the other networks
COLOURS = ("#2b6cb0", "#d9622b", "#888888", "#3a9d5d", "#8a5cc2", "#b5892e", "#111111")


def digits(side: int = 28) -> tuple[np.ndarray, ...]:
    """Training and test digits, 16 x 16 pixels in the middle of side x side, in [0, 1], and their classes."""
    from maquette import data
    from maquette.tasks.image_classification import resized

    # Bilinear: in doubled pixels a shift by one would be half of one.
    d = resized(data.load("digits"), 16)
    margin = [(0, 0), ((side - 16) // 2,) * 2, ((side - 16) // 2,) * 2, (0, 0)]
    x = [np.pad(part.x / 240.0, margin) for part in (d.train, d.test)]
    return x[0].astype("float32"), d.train.y, x[1].astype("float32"), d.test.y


def seeded(seed: int) -> None:
    """Fix the initial weights and the order of batches, which Keras takes from these two generators."""
    random.seed(seed)
    np.random.seed(seed)


def network(name: str) -> Any:
    """An untrained network for 28 x 28 pixels: a page of Maquette, or two convolutions with a kind of pooling."""
    from keras import Sequential, layers

    if name == "LeNet-5":
        from maquette.models.vision.lenet5 import LeNet5

        return LeNet5()
    if name == "mnist-cnn":
        from maquette.models.vision.mnist_cnn import MnistCNN

        return MnistCNN(filters=(8, 16), hidden_units=64)
    found: list[Any] = []
    for i, maps in enumerate((8, 16), 1):
        stride = 2 if name == "stride" else 1
        found.append(layers.Conv2D(maps, 3, stride, "same", activation="relu", name=f"convolution_{i}"))
        if name in ("max", "global"):
            found.append(layers.MaxPooling2D(2, name=f"pool_{i}"))
        if name == "average":
            found.append(layers.AveragePooling2D(2, name=f"pool_{i}"))
    found.append(layers.GlobalAveragePooling2D() if name == "global" else layers.Flatten())
    return Sequential([*found, layers.Dense(10)])


def fitted(model: Any, x: np.ndarray, y: np.ndarray, epochs: int, optimizer: Any, **options: Any) -> Any:
    """The model, trained; a page brings its own loss."""
    import keras

    from maquette.core.model import Model

    own = isinstance(model, Model)
    loss = None if own else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, **options)
    return model


def answers(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """pictures -> logits, as arrays."""
    return lambda x: np.asarray(model.predict(np.asarray(x, "float32"), batch_size=359, verbose=0))


def last_maps(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """pictures -> the last feature maps that have rows and columns."""
    from maquette.methods.network.layer_outputs import layer_outputs

    def maps(x: np.ndarray) -> np.ndarray:
        calls = layer_outputs(model, np.asarray(x, "float32"))
        return [call.output for call in calls if call.output.ndim == 4][-1]

    return maps


def sizes() -> None:
    """Print places, receptive fields and costs of the layers of LeNet-5."""
    from maquette.methods.network.receptive_field import receptive_field, steps_of
    from maquette.methods.network.weight_sharing import weight_sharing

    model = network("LeNet-5")
    model.build((None, 28, 28, 1))
    print("layer  places  field  jump     weights: shared   not shared   all connected")
    costs = {
        "c1": weight_sharing((28, 28, 1), 6, 5, padding=2),
        "c3": weight_sharing((14, 14, 6), 16, 5),
    }
    for row in receptive_field(steps_of(model, (28, 28, 1)), 28):
        shown = "".join(f"{cost.weights:14,}" for cost in costs.get(row.name, {}).values())
        print(f"{row.name:8}{row.length:5}{row.field:7}{row.jump:6}     {shown}")


def right(ask: Callable[[np.ndarray], np.ndarray], x: np.ndarray, truth: np.ndarray, pixels: int) -> float:
    """The share of shifted pictures that are answered right, over eight directions."""
    from maquette.methods.network.equivariance import DIRECTIONS, shifted

    moves = [(pixels * i, pixels * j) for i, j in DIRECTIONS] if pixels else [(0, 0)]
    return float(np.mean([(ask(shifted(x, move)).argmax(1) == truth).mean() for move in moves]))


def shift_numbers(name: str, seed: int, epochs: int) -> list[float]:
    """Of one trained network: four errors of its maps, three shares of answers that stay, four of right ones."""
    import keras

    from maquette.methods.network.equivariance import agreement, equivariance_error

    x, y, test, truth = digits()
    seeded(seed)
    longer = 4 if name == "global" else 1  # it has ten times fewer weights and learns as much slower
    model = fitted(network(name), x, y, longer * epochs, keras.optimizers.Adam(4e-3 if longer > 1 else 2e-3))
    ask, stride = answers(model), STRIDES.get(name, 4)
    errors = [equivariance_error(last_maps(model), test[:100], (n, n), stride, margin=1) for n in (*SHIFTS, 4)]
    stays = [agreement(ask, test, n) for n in SHIFTS]
    return [*errors, *stays, *(right(ask, test, truth, n) for n in (0, *SHIFTS))]


def shifts(seeds: int, epochs: int, folder: Path) -> None:
    """Print and draw what shifts do to trained networks."""
    print("                        error of the maps           answer stays         right")
    print("network    stride shift 1      2      3      4      1      2      3      0      1      2      3")
    lines = []
    for name in ("LeNet-5", "mnist-cnn", *POOLINGS):
        rows = [shift_numbers(name, seed, epochs) for seed in range(seeds)]
        mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
        shown = "  ".join(f"{m:.3f}" for m in mean)
        print(f"{name:10} {STRIDES.get(name, 4):6}       {shown}   ±{spread.max():.3f} at most", flush=True)
        lines.append((name, (0, *SHIFTS), (1, *mean[4:7]), (0, *spread[4:7])))
    _drawn(folder / "shifts.svg", lines, "shift in pixels", "share of answers that stay", "Answers under shifts")


def deep(function: str, normal: bool) -> Any:
    """Five hidden layers of 64 units; with batch normalisation of what enters the function."""
    from keras import Sequential, layers

    found: list[Any] = [layers.Flatten()]
    for i in range(1, 6):
        found.append(layers.Dense(64, use_bias=not normal, name=f"dense_{i}"))
        found += [layers.BatchNormalization(name=f"normal_{i}")] if normal else []
        found.append(layers.Activation(function, name=f"unit_{i}"))
    return Sequential([*found, layers.Dense(10, name="logits")])


def watched(function: str, normal: bool, seed: int, epochs: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Saturated share and drift of inputs: (epochs + 1, 5) and (epochs, 5); first gradient's size; test accuracy."""
    import keras

    from maquette.methods.network.layer_outputs import layer_outputs
    from maquette.methods.network.saturation import covariate_shift, saturation

    x, y, test, truth = digits(16)
    seeded(seed)
    model = deep(function, normal)
    shares, drifts, before = [], [], None

    def look() -> None:
        nonlocal before
        found = {call.name: call.output for call in layer_outputs(model, test)}
        shares.append([saturation(found[f"unit_{i}"], function).share for i in range(1, 6)])
        entering = [found[f"{'normal' if normal else 'dense'}_{i}"] for i in range(1, 6)]
        if before is not None:
            drifts.append([covariate_shift(a, b) for a, b in zip(before, entering)])
        before = entering

    look()
    ratio = first_gradient(model, x[:256], y[:256])
    each = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: look())
    fitted(model, x, y, epochs, keras.optimizers.SGD(0.1, momentum=0.9), callbacks=[each])
    right = float((answers(model)(test).argmax(1) == truth).mean())
    return np.array(shares), np.array(drifts), ratio, right


def first_gradient(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The norm of the first layer's gradient over that of the last, before training, read off one step of rate 1."""
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile(keras.optimizers.SGD(1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    kernels = [layer.kernel for layer in copy.layers if hasattr(layer, "kernel")]
    old = [np.copy(keras.ops.convert_to_numpy(k)) for k in kernels]
    copy.train_on_batch(x, y)
    steps = [np.linalg.norm(keras.ops.convert_to_numpy(k) - before) for k, before in zip(kernels, old)]
    return float(steps[0] / steps[-1])


def saturated(seeds: int, epochs: int, folder: Path) -> None:
    """Print and draw how the units of deep networks saturate while they learn."""
    print("                 saturated at the start, layer 1 .. 5      after the last epoch, layer 1 .. 5")
    lines, rest = [], []
    for function in ("tanh", "sigmoid"):
        for normal in (False, True):
            found = [watched(function, normal, seed, epochs) for seed in range(seeds)]
            shares, drifts = np.array([f[0] for f in found]), np.array([f[1] for f in found])
            name = f"{function}{' + BN' if normal else ''}"
            start, end = (" ".join(f"{s:.3f}" for s in shares.mean(axis=0)[at]) for at in (0, -1))
            print(f"{name:16} {start}         {end}  (±{shares[:, -1].std(axis=0).max():.3f} at most)", flush=True)
            every = shares.mean(axis=2)
            lines.append((name, range(epochs + 1), every.mean(axis=0), every.std(axis=0)))
            ratio, right = (np.array([f[k] for f in found]) for k in (2, 3))
            rest.append((name, drifts[:, 0].mean(), drifts[:, -1].mean(), ratio, right))
    print("\n                 drift of inputs in deviations   gradient of the first")
    print("                 first epoch    last epoch       over the last layer     test accuracy")
    for name, first, last, ratio, right in rest:
        print(f"{name:16} {first:<14.3f} {last:<16.3f} {ratio.mean():<23.4f} {right.mean():.3f}±{right.std():.3f}")
    words = ("epoch", "share of saturated units", "Saturation while learning")
    _drawn(folder / "saturation.svg", lines, *words)


def halves(epochs: int, seed: int) -> tuple[dict[str, tuple[np.ndarray, Callable[..., Any]]], np.ndarray]:
    """A network of two hidden layers of 12, trained with dropout: each layer's values and what follows; the truth.

    What follows takes masked values. Keras trains on values divided by p = 1/2, hence the factor 2.
    """
    import keras
    from keras import layers

    from maquette.methods.network.model_averaging import softmax

    x, y, test, truth = digits(16)
    seeded(seed)
    parts: list[Any] = [layers.Flatten(), layers.Dense(12, "relu"), layers.Dropout(0.5, seed=seed)]
    parts += [layers.Dense(12, "relu"), layers.Dropout(0.5, seed=seed + 1), layers.Dense(10)]
    model = fitted(keras.Sequential(parts), x, y, 5 * epochs, keras.optimizers.Adam(3e-3))
    (w1, b1), (w2, b2), (w3, b3) = (part.get_weights() for part in model.layers if part.get_weights())
    first = np.maximum(test.reshape(len(test), -1).dot(w1) + b1, 0)
    return {
        "the last hidden layer": (np.maximum(first.dot(w2) + b2, 0), lambda h: softmax(2 * h.dot(w3) + b3)),
        "the one before": (first, lambda h: softmax(np.maximum(2 * h.dot(w2) + b2, 0).dot(w3) + b3)),
    }, truth


def averages(h: np.ndarray, after: Callable[..., Any], truth: np.ndarray, seed: int) -> list[float]:
    """Accuracy of scaled weights, of two averages of all subnetworks, and of one; the gap of the first two."""
    from maquette.methods.network.dropout import masks, subnetwork_average

    answers = [after(0.5 * h)]
    answers += [np.stack([subnetwork_average(after, one, 0.5, m) for one in h]) for m in ("geometric", "arithmetic")]
    some = masks(12)[np.random.default_rng(seed).choice(2**12, 200, replace=False)]
    single = np.mean([(after(h * mask).argmax(1) == truth).mean() for mask in some])
    gap = np.abs(answers[0] - answers[1]).max()
    return [*(float((p.argmax(1) == truth).mean()) for p in answers), float(single), float(gap)]


def averaged(seeds: int, epochs: int) -> None:
    """Print how close weight scaling comes to the averages of all subnetworks of a trained network."""
    rows: dict[str, list[list[float]]] = {}
    for seed in range(seeds):
        found, truth = halves(epochs, seed)
        for name, (h, after) in found.items():
            rows.setdefault(name, []).append(averages(h, after, truth, seed))
    names = ("scaled weights", "geometric mean", "arithmetic mean", "one subnetwork", "largest gap of the first two")
    print("dropped units of        " + "".join(f"{name:18}" for name in names))
    for name, values in rows.items():
        mean, spread = np.mean(values, axis=0), np.std(values, axis=0)
        cells = "".join(f"{m:.3f}±{s:.3f}       " for m, s in zip(mean[:4], spread))
        print(f"{name:23} {cells}{np.max(values, axis=0)[4]:.2g}")


def _drawn(path: Path, lines: list[tuple[str, Any, Any, Any]], across: str, up: str, title: str) -> None:
    """An SVG of lines with their spread."""
    from maquette import files
    from maquette.tasks.figure import canvas, finish

    figure, axes = canvas(6, 4)
    for (name, at, mean, spread), colour in zip(lines, COLOURS):
        axes.errorbar(at, mean, spread, fmt="o-", color=colour, label=name, markersize=4, elinewidth=1)
    axes.set(xlabel=across, ylabel=up)
    axes.legend()
    files.write_text(path, finish(figure, path.stem, title, "").svg)
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("sizes", "shifts", "saturation", "dropout"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("runs/anatomy"))
    given = parser.parse_args()
    from maquette.backend import choose

    choose("auto", "mnist_cnn")
    if given.part in (None, "sizes"):
        sizes()
    if given.part in (None, "shifts"):
        shifts(given.seeds, given.epochs, given.out)
    if given.part in (None, "saturation"):
        saturated(given.seeds, given.epochs, given.out)
    if given.part in (None, "dropout"):
        averaged(given.seeds, given.epochs)


if __name__ == "__main__":
    main()
