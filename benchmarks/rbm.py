"""A restricted Boltzmann machine by persistent contrastive divergence: `maquette train`, scikit-learn, bare products.

    python benchmarks/rbm.py [--rounds 7] [--write]
    python benchmarks/rbm.py --likelihood [EPOCHS]

784 visible and 500 hidden units, 100 chains, batches of 100, float32, plain gradient steps of the same rate. A round is
an epoch over 10,000 pictures of MNIST, black and white; rounds.py says how they alternate. "five products" is what the
step cannot do without: x.W, h.W^T, v.W and the two products of the gradient, compiled by JAX, and nothing else.

With --likelihood both are trained for 10 epochs, or as many as are given, and compared in the mean pseudo-likelihood of
the test pictures, all 784 bits of each of the first 500.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rounds import done, main, wait

CASES = {"rbm-784x500": 10_000}
HIDDEN, BATCH, RATE = 500, 100, 0.05


def pictures(part: str = "train") -> np.ndarray:
    """MNIST's first pictures as bytes of 0 and 255: (10000, 28, 28, 1)."""
    from maquette import data

    x = getattr(data.load("mnist"), part).x[: CASES["rbm-784x500"]]
    return np.where(x > 127, np.uint8(255), np.uint8(0))


def ours(epochs: int) -> tuple[Any, Any]:
    """The pipeline and the model of `maquette train`."""
    from dataclasses import replace

    from maquette import backend

    backend.choose("auto", "bernoulli_rbm")  # before anything imports Keras
    from maquette import assembly, catalog
    from maquette.data.dataset import Dataset, Split

    recipe = replace(
        catalog.recipe("digits-rbm"),
        **{"data": "mnist", "model": {"hidden_units": HIDDEN, "chains": BATCH}, "optimizer": {"sgd": RATE}},
        **{"schedule": "constant", "batch_size": BATCH, "epochs": epochs, "expect": {}},
    )
    task, train = catalog.task("density"), Split(pictures())
    encoder = task.encoder({}).fit(train.x)
    dataset = Dataset("mnist", train, test=train.take(range(10)))
    pipeline = assembly.Pipeline(recipe, task, dataset, encoder, {}, (28, 28, 1))
    model = assembly.build(pipeline)
    model.initialize(encoder.transform(train.x))
    return pipeline, model


def maquette_rounds(case: str) -> None:
    """Train rounds for ever, through the run layer."""
    pipeline, model = ours(epochs=10_000)
    import keras

    class Rounds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.started = wait()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            done(self.started)

    fitted(pipeline, model, [Rounds()])


def fitted(pipeline: Any, model: Any, callbacks: list[Any]) -> None:
    from maquette import fitting
    from maquette.run import Run

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "metrics.jsonl").touch()
        fitting.fit(Run(Path(folder)), pipeline, model, "quiet", callbacks=callbacks)


def theirs(epochs: int) -> Any:
    from sklearn.neural_network import BernoulliRBM

    return BernoulliRBM(HIDDEN, learning_rate=RATE, batch_size=BATCH, n_iter=epochs, random_state=0)


def sklearn_rounds(case: str) -> None:
    """Fit an epoch for ever."""
    x, machine = flat(pictures()), theirs(1)
    while True:
        started = wait()
        machine.fit(x)
        done(started)


def product_rounds(case: str) -> None:
    """The products of an epoch for ever."""
    os.environ["KERAS_BACKEND"] = "jax"
    import jax
    import jax.numpy as jnp

    @jax.jit
    def step(x: Any, h: Any, w: Any) -> Any:
        a, v = jnp.matmul(x, w), jnp.matmul(h, w.T)
        return w + 1e-9 * (jnp.matmul(x.T, a) - jnp.matmul(v.T, jnp.matmul(v, w)))

    random = np.random.default_rng(0)
    x, w = flat(pictures()), random.normal(0, 0.01, (784, HIDDEN)).astype("float32")
    h = (random.random((BATCH, HIDDEN)) < 0.5).astype("float32")
    while True:
        started = wait()
        for i in range(0, len(x), BATCH):
            w = step(x[i : i + BATCH], h, w)
        jax.block_until_ready(w)
        done(started)


def flat(x: np.ndarray) -> np.ndarray:
    return (x.reshape(len(x), -1) / np.float32(255)).astype("float32")


def likelihood(epochs: int) -> None:
    """Print the pseudo-likelihoods that both reach."""
    from maquette.methods.energy.machine import Machine
    from maquette.methods.energy.pseudo_likelihood import pseudo_likelihood

    pipeline, model = ours(epochs)
    fitted(pipeline, model, [])
    peer = theirs(epochs).fit(flat(pictures()))
    machines = {
        "maquette": model.machine(),
        "scikit-learn": Machine(peer.components_.T, peer.intercept_visible_, peer.intercept_hidden_),
    }
    test = flat(pictures("test"))[:500]
    for name, machine in machines.items():
        found = pseudo_likelihood(machine, test)
        print(f"{name:14} {found.mean():8.2f} +- {found.std() / np.sqrt(len(found)):.2f} nats after {epochs} epochs")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--likelihood"]:
        likelihood(int((sys.argv[2:] or ["10"])[0]))
    else:
        workers = {"maquette": maquette_rounds, "scikit-learn": sklearn_rounds, "five products": product_rounds}
        main(
            "rbm",
            __doc__.splitlines()[0],
            CASES,
            workers,
            [["scikit-learn"], ["five products"]],
            lambda case: "bernoulli_rbm",
        )
