"""Boltzmann machines where everything can be known, and what they do for deep networks of sigmoid units.

    python labs/energy.py [--pictures 1438] [--epochs 40] [--out runs/energy]

Prints the bias of contrastive divergence against its k, the likelihood that each rule reaches on 4x4 bars and stripes
beside the best there is, how far annealed importance sampling is from the truth, and what is left of a gradient after
each layer of networks that start differently; writes energy.png.
"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

import maquette.data
from maquette.methods.energy.annealed_importance_sampling import annealed_importance_sampling
from maquette.methods.energy.exact_rbm import ExactRBM
from maquette.methods.energy.machine import Machine
from maquette.methods.network.gradient_flow import Layer, gradient_flow
from maquette.models.energy.bernoulli_rbm import BernoulliRBM
from maquette.models.energy.dbn import DBN
from maquette.tasks.figure import BLUE, GREY, ORANGE, canvas

RULES: dict[str, dict[str, Any]] = {
    "CD-1": {"steps": 1},
    "CD-10": {"steps": 10},
    "PCD": {"chains": 128},
    "PCD, centred": {"chains": 128, "centred": True},
}
UNITS = (100, 100, 100, 100)  # of the deep networks


def bias() -> dict[int, float]:
    """k -> |CD-k's mean step - the gradient| / |the gradient|, of a machine with 8 and 6 units; prints a table."""
    random = np.random.default_rng(0)
    exact = ExactRBM(Machine(random.normal(0, 2, (8, 6)), np.zeros(8), np.zeros(6)))
    v = random.integers(0, 2, (20, 8)).astype(float)
    truth, found = exact.gradient(v)["W"], {}
    print("5.08 and 5.12  k of contrastive divergence   bias of its step   cosine with the gradient")
    for k in (1, 2, 5, 10, 20, 50, 100):
        step = exact.divergence_gradient(v, k)["W"]
        found[k] = float(np.linalg.norm(step - truth) / np.linalg.norm(truth))
        cosine = np.sum(step * truth) / np.linalg.norm(step) / np.linalg.norm(truth)
        print(f"{'':15}{k:3}{'':27}{found[k]:.4f}{'':13}{cosine:.5f}")
    return found


def bars() -> np.ndarray:
    """The 30 pictures of 4x4 pixels whose rows are all alike, or whose columns are: (30, 16)."""
    lines = np.array(np.meshgrid(*[[0, 1]] * 4, indexing="ij")).reshape(4, -1).T
    both = [np.repeat(lines, 4, axis=1), np.tile(lines, 4)]
    return np.unique(np.concatenate(both), axis=0).astype("float32")


def rules(epochs: int) -> dict[str, list[float]]:
    """Rule -> exact mean log-likelihood of bars and stripes, at the start and after each of ten parts of training."""
    x, found = bars(), {}
    print(f"\n5.13           rule            log-likelihood (best: {-np.log(len(x)):.3f})")
    for name, arguments in RULES.items():
        model = BernoulliRBM(hidden_units=12, **arguments)
        model.build(x.shape)
        model.initialize(x)
        model.compile(keras.optimizers.SGD(0.3))
        found[name] = [_likelihood(model, x)]
        for _ in range(10):
            model.fit(np.tile(x, (10 * epochs, 1)), batch_size=len(x), shuffle=False, verbose=0)
            found[name].append(_likelihood(model, x))
        print(f"{'':15}{name:16}{found[name][-1]:.3f}")
    return found


def _likelihood(model: BernoulliRBM, x: np.ndarray) -> float:
    return float(ExactRBM(model.machine()).log_likelihood(x).mean())


def annealing() -> dict[int, tuple[float, float]]:
    """Steps -> (deviation from the exact log Z, error as told) of a machine with 100 and 16 units."""
    random = np.random.default_rng(1)
    machine = Machine(random.normal(0, 0.5, (100, 16)), random.normal(size=100), random.normal(size=16))
    exact, found = ExactRBM(machine).log_partition, {}
    print(f"\n5.10           annealed importance sampling: exact log Z {exact:.3f}")
    for steps in (10, 30, 100, 300, 1000):
        one = annealed_importance_sampling(machine, steps, library="numpy")
        found[steps] = one.log_partition - exact, one.error
        print(
            f"{'':15}{steps:5} steps  {one.log_partition:.3f} +- {one.error:.3f}, {one.effective_size:.0f} of 100 count"
        )
    return found


def flows(pictures: int) -> dict[str, list[Layer]]:
    """Start -> the layers of a network of four layers on digits, with a gradient sent back from the top; prints."""
    x = maquette.data.load("digits").train.x[:pictures].reshape(-1, 64) / np.float32(240)
    model = DBN(UNITS, pretrain_epochs=50)
    model.build(x.shape)
    model.initialize(x)
    random = np.random.default_rng(0)
    shapes = list(zip((64, *UNITS), UNITS, strict=False))
    zeros, slope = [np.zeros(n) for n in UNITS], random.normal(size=(len(x), UNITS[-1]))
    glorot = [random.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape)) for shape in shapes]
    he = [random.normal(0, np.sqrt(2 / shape[0]), shape) for shape in shapes]
    machines = [[np.asarray(w) for w in layer.get_weights()] for layer in model.up]
    starts = {
        "sigmoid, N(0, 1)": ([random.normal(size=shape) for shape in shapes], zeros, "sigmoid"),
        "sigmoid, Glorot": (glorot, zeros, "sigmoid"),
        "sigmoid, machines": (*map(list, zip(*machines, strict=True)), "sigmoid"),
        "ReLU, He": (he, zeros, "relu"),
    }
    print("\n5.17 and 5.19  start              layer  saturated  left of a gradient  at most")
    found = {}
    for name, (weights, biases, function) in starts.items():
        found[name] = gradient_flow(weights, biases, x, slope, function)
        for i, layer in enumerate(found[name], 1):
            print(f"{'':15}{name:19}{i:5}{layer.working.share:11.1%}{layer.gain:20.3f}{layer.bound:9.3f}")
    return found


def draw(found: dict[str, Any], path: Path) -> None:
    """Four panels."""
    picture, ((one, two), (three, four)) = canvas(10, 7.5, nrows=2, ncols=2)
    one.loglog(list(found["bias"]), list(found["bias"].values()), marker="o", color=BLUE)
    one.set(title="Bias of contrastive divergence", xlabel="k", ylabel="share of the gradient")
    for name, values in found["rules"].items():
        two.plot(values, label=name)
    two.axhline(-np.log(30), color=GREY, linestyle="--", label="best")
    two.set(title="Bars and stripes", xlabel="tenth of the training", ylabel="exact log-likelihood")
    steps = list(found["annealing"])
    deviation, error = np.array(list(found["annealing"].values())).T
    three.errorbar(steps, deviation, 3 * error, color=ORANGE, capsize=3)
    three.axhline(0, color=GREY)
    three.set(title="Annealing: log Z less the truth", xlabel="steps", xscale="log")
    for name, layers in found["flows"].items():
        four.semilogy(range(len(layers), -1, -1), np.cumprod([1, *(layer.gain for layer in layers[::-1])]), label=name)
    four.invert_xaxis()
    four.set(title="What is left of a gradient", xlabel="on its way down, after layer", ylabel="share")
    for axes in (two, four):
        axes.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1438)
    parser.add_argument("--epochs", type=int, default=40, help="each of ten parts of training takes ten times as many")
    parser.add_argument("--out", type=Path, default=Path("runs/energy"))
    given = parser.parse_args()
    measured = {"bias": bias(), "rules": rules(given.epochs), "annealing": annealing(), "flows": flows(given.pictures)}
    draw(measured, given.out / "energy.png")
    print(f"\n{given.out / 'energy.png'}")
