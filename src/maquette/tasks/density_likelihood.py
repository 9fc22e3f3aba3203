"""How probable a model finds pictures, in nats: a Boltzmann machine up to the error of log Z, or a lower bound."""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.methods.energy.annealed_importance_sampling import annealed_importance_sampling
from maquette.methods.energy.exact_rbm import MOST_UNITS, ExactRBM
from maquette.methods.energy.machine import Machine
from maquette.methods.energy.pseudo_likelihood import pseudo_likelihood
from maquette.tasks.intervals import Measure, Z, mean_of

STEPS, CHAINS = 2000, 100  # of annealed importance sampling
BITS = 8  # of each picture that the pseudo-likelihood flips
ROWS = 10_000  # of the training split that are compared with the split that is scored
STATES = 16  # units of the smaller layer up to which log Z is summed exactly


def scaled(x: np.ndarray) -> np.ndarray:
    """Pictures as numbers in [0, 1], points as they are."""
    return x.astype("float32") / 255 if x.dtype == np.uint8 else np.asarray(x, "float32")


def drawn(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Bytes of 0 or 255, a pixel of grey g being 255 with probability g / 255; black and white stay as they are."""
    return np.where(random.integers(0, 255, x.shape, np.uint8) < x, np.uint8(255), np.uint8(0))


def likelihood(model: Any, split: Split, dataset: Dataset) -> dict[str, Measure]:
    """The measures of a model that is a `machine`.

    log_likelihood     mean log p(x) = mean -F(x) - log Z of the split, in nats
    log_partition      log Z: exact for up to 16 units in a layer, else by annealed importance sampling
    free_energy_gap    mean F(x) of the split less that of the training split: what over-fitting opens, whatever Z is
    pseudo_likelihood  of binary units, by 8 bits of each picture

    Binary units see bits: grey pixels are drawn once, always alike, with their value as probability.
    """
    machine = model.machine()
    x, train = (_visible(machine, part.x[: max(ROWS, len(split))]) for part in (split, dataset.train))
    energy = machine.free_energy(x)
    log_z, error = log_partition(machine, train)
    mean = mean_of(-energy - log_z)
    half = np.hypot((mean.high - mean.low) / 2, Z * error)
    gap = energy.mean() - machine.free_energy(train).mean()
    found = {
        "log_likelihood": Measure(mean.value, mean.value - half, mean.value + half),
        "log_partition": Measure(log_z, log_z - Z * error, log_z + Z * error),
        "free_energy_gap": Measure(float(gap)),
    }
    if machine.variance is None:
        found["pseudo_likelihood"] = mean_of(pseudo_likelihood(machine, x, min(BITS, x.shape[1])))
    return found


def bounds(model: Any, x: np.ndarray) -> np.ndarray:
    """A variational autoencoder's `bound` of log p(x), by 50 draws for each item (n, ...): (n,)."""
    from keras import ops

    return np.concatenate([ops.convert_to_numpy(model.bound(scaled(x[i : i + 500]))) for i in range(0, len(x), 500)])


def log_partition(machine: Machine, train: np.ndarray, steps: int = STEPS) -> tuple[float, float]:
    """log Z and its standard error, 0 where it is exact; `train` (n, visible) gives the start of the path."""
    smaller = len(machine.c) if machine.variance is not None else min(machine.W.shape)
    if smaller <= min(STATES, MOST_UNITS):
        return ExactRBM(machine).log_partition, 0.0
    mean = np.clip(train.mean(axis=0), 0.01, 0.99)
    found = annealed_importance_sampling(machine, steps, CHAINS, np.log(mean / (1 - mean)))
    return found.log_partition, found.error


def _visible(machine: Machine, x: np.ndarray) -> np.ndarray:
    if machine.variance is None and x.dtype == np.uint8:
        x = drawn(x, np.random.default_rng(0))
    return scaled(x).reshape(len(x), -1)
