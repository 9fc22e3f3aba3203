"""Many Markov chains at once, as one compiled loop: what the samplers share.

A sampler gives `step`: the state of all chains and one step's noise -> the next state. The noise is drawn with NumPy
before the loop, a block of steps at a time and every kind from a stream of its own. So a seed means the same noise on
TensorFlow, JAX and PyTorch, and a longer run begins with the shorter one.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, numbers

State = tuple[Any, ...]
Step = Callable[[State, tuple[Any, ...]], State]
Draw = Callable[[np.random.Generator, int], np.ndarray]

NUMBERS = 1_000_000  # of noise in one block: 4 MB in single precision


@dataclass(frozen=True)
class Chains:
    """Draws of many chains.

    Attributes:
        samples: (chains, draws, d), in the order in which they were drawn; rejected proposals repeat the state.
        acceptance: (chains,), the share of the kept draws whose proposal was accepted.
        log_density: (chains, draws), unnormalised; None where the sampler never computes it.
    """

    samples: np.ndarray
    acceptance: np.ndarray
    log_density: np.ndarray | None = None

    @property
    def flat(self) -> np.ndarray:
        """All draws as rows: (chains * draws, d)."""
        return self.samples.reshape(-1, self.samples.shape[-1])

    @property
    def last(self) -> np.ndarray:
        """Where the chains stand: (chains, d), the start of a run that goes on."""
        return self.samples[:, -1]


class Loop:
    """Runs `step` for all chains: compiled by Keras if `library` is "keras", in plain NumPy if it is "numpy".

    Args:
        step: of keras.ops arrays or of NumPy arrays; every array of the state has the chains as its first axis.
        functions: that `step` calls; weights of Keras layers among them, or whose methods they are, may change.
        library: "keras" (single precision unless Keras is set otherwise) or "numpy" (double precision).
    """

    def __init__(self, step: Step, functions: Sequence[Any] = (), library: str = "keras") -> None:
        self.step, self.functions, self.library, self.dtype = step, functions, library, dtype(library)
        self.compiled: dict[Any, Callable[[Any], Any]] = {}

    def block(self, state: State, noise: tuple[Any, ...]) -> Any:
        """State (chains, ...) and noise (steps, chains, ...) -> the states after each step, (steps, chains, ...)."""
        if self.library == "numpy":
            states = []
            for now in zip(*noise):
                states.append(state := self.step(state, now))
            return tuple(np.stack(part) for part in zip(*states))
        # Once per shape: given a second one, Keras would make TensorFlow forget the sizes that its loop needs.
        shapes = tuple(part.shape for part in (*state, *noise))
        if shapes not in self.compiled:
            self.compiled[shapes] = _compiled(self.step, self.functions)
        return self.compiled[shapes]((state, noise))

    def run(self, state: State, noise: Sequence[Draw], draws: int, burn_in: int, thin: int, seed: int) -> Any:
        """Yield blocks of the states that are kept: the arrays of the state, each (steps, chains, ...).

        Args:
            noise: each function gives one kind of noise: generator, steps -> (steps, chains, ...).
        """
        draws, burn_in, thin = count(draws, "draws"), count(burn_in, "burn_in", 0), count(thin, "thin")
        streams = np.random.default_rng(count(seed, "seed", 0)).spawn(len(noise))
        steps = burn_in + draws * thin
        width = sum(draw(np.random.default_rng(0), 1).size for draw in noise)
        length = -(-steps // -(-steps * width // NUMBERS))  # blocks of one length are compiled once

        def ahead() -> tuple[np.ndarray, ...]:
            return tuple(draw(stream, length).astype(self.dtype, copy=False) for draw, stream in zip(noise, streams))

        with ThreadPoolExecutor(1) as other:  # draws the next block's noise while this block computes
            waiting = other.submit(ahead)
            for first in range(0, steps, length):
                now = waiting.result()
                if first + length < steps:
                    waiting = other.submit(ahead)
                states = [np.asarray(part) for part in self.block(state, now)]
                state = tuple(part[-1] for part in states)
                next_kept = burn_in + thin - 1 - first
                kept = slice(next_kept if next_kept >= 0 else next_kept % thin, steps - first, thin)
                if len(states[0][kept]):  # a view would hold on to what is dropped
                    yield tuple(part[kept] if thin == 1 else part[kept].copy() for part in states)


def _compiled(step: Step, functions: Sequence[Any]) -> Callable[[Any], Any]:
    import keras

    class Block(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            owners = (getattr(function, "__self__", function) for function in functions)
            self.tracked = [owner for owner in owners if isinstance(owner, keras.Layer)]

        def call(self, inputs: Any) -> Any:
            def body(state: Any, now: Any) -> Any:
                after = step(state, now)
                return after, after

            return keras.ops.scan(body, inputs[0], inputs[1])[1]

    return Block().predict_on_batch


def gathered(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Blocks (steps, chains, ...) -> all of them, chains first: (chains, draws, ...)."""
    return np.swapaxes(blocks[0] if len(blocks) == 1 else np.concatenate(blocks), 0, 1)


def module(library: str) -> ModuleType:
    """keras.ops or NumPy."""
    if choice(library, "library", ("keras", "numpy")) == "numpy":
        return np
    import keras

    return keras.ops


def dtype(library: str) -> str:
    """The type in which `library` computes here."""
    return "float64" if module(library) is np else __import__("keras").config.floatx()


def starts(start: Any, library: str) -> np.ndarray:
    """`start` as an array (chains, d) of the library's type; raises InputError if it is none."""
    found = numbers(start, "start")
    if found.ndim != 2:
        raise InputError(f"start has the shape {found.shape}: give a row per chain, (chains, d)")
    return found.astype(dtype(library))
