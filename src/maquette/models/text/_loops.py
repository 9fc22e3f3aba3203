"""A word model's training by the compiled loops of `_kernels`: passes over a text in parts, shared among threads."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, repeat
from typing import Any

import keras
import numpy as np
from keras import ops
from threadpoolctl import threadpool_limits

from maquette.models.text._kernels import F, walk

LANES = 8  # numbers that the processor adds at once
PARTS = 40  # of a pass, at most, between which the learning rate changes and the progress is reported


def noise_table(counts: Any, size: int = 1 << 20) -> np.ndarray:
    """Word numbers from 0, each as often as its share of counts^0.75: uint32 (size,), a power of two."""
    share = np.cumsum(np.asarray(counts, "float64") ** 0.75)
    return np.searchsorted(share / share[-1], (np.arange(size) + 0.5) / size).astype("uint32")


def padded(table: Any) -> np.ndarray:
    """A copy whose rows are of a length that the processor takes in whole steps, filled with zeros."""
    values = np.asarray(ops.convert_to_numpy(table), "float32")
    return np.pad(values, ((0, 0), (0, -values.shape[1] % LANES)))


def fit(model: Any, text: Any, epochs: int = 1, initial_epoch: int = 0, callbacks: Any = (),
        validation_data: Any = None, **_: Any) -> keras.callbacks.History:  # fmt: skip
    """What `Model.fit` does, with `text.epoch` as an epoch: the same callbacks, learning rates and optimizer state.

    With one thread the result is the same to the last bit wherever it was interrupted; threads that write into one
    table do so in an order of their own. A text is shared among `model.threads` threads, all cores if 0, each of which
    gets at least 20,000 words.
    """
    called = keras.callbacks.CallbackList(list(callbacks), add_history=True, model=model, epochs=epochs)
    logs, model.stop_training = {}, False
    called.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        called.on_epoch_begin(epoch)
        logs = text.epoch(epoch, called)
        if validation_data is not None:
            scored = model.evaluate(validation_data, verbose=0, return_dict=True)
            logs |= {f"val_{key}": value for key, value in scored.items()}
        called.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    called.on_train_end(logs)
    return model.history


class Text:
    """The text of some batches, with what a pass over it needs."""

    def __init__(self, model: Any, batches: Any) -> None:
        windows, options = batches.x, batches.change.options
        self.model, self.tokens = model, np.asarray(windows)
        self.keep, self.table = windows.vocabulary.keep(options["subsample"]), noise_table(model.counts)
        self.settings = (model.mean, windows.reach, options["dynamic"], model.negatives, model.noise_words)
        self.steps, self.seed = len(batches), batches.seed or 0
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.threads = max(1, min(model.threads or cores or 1, len(self.tokens) // 20_000))
        self.parts = max(1, min(PARTS, len(self.tokens) // 5_000))

    def epoch(self, epoch: int, called: Any) -> dict[str, float]:
        """One pass in parts, the learning rate that of the optimizer's schedule at the beginning of each."""
        U, W, optimizer = padded(self.model.U), padded(self.model.W), self.model.optimizer
        random, loss, targets = np.random.default_rng((self.seed, epoch)), 0.0, 0
        cuts = np.linspace(0, len(self.tokens), self.parts * self.threads + 1).astype(np.int64)
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(self.threads) as pool:
            for part in range(self.parts):
                called.on_train_batch_begin(part * self.steps // self.parts)
                step = epoch * self.steps + part * self.steps // self.parts
                optimizer.iterations.assign(step)
                rate, seeds = F(optimizer.learning_rate), random.integers(1 << 62, size=self.threads)
                ends = cuts[part * self.threads : (part + 1) * self.threads + 1]
                texts = [self.tokens[a:b] for a, b in pairwise(ends)]
                done = pool.map(self._walk, texts, repeat(U), repeat(W), repeat(rate), seeds)
                for more, found in done:
                    loss, targets = loss + more, targets + found
                called.on_train_batch_end((part + 1) * self.steps // self.parts - 1, {"loss": loss / max(targets, 1)})
        optimizer.iterations.assign((epoch + 1) * self.steps)
        self.model.U.assign(U[:, : self.model.dim])
        self.model.W.assign(W[:, : self.model.dim])
        return {"loss": loss / max(targets, 1), "learning_rate": float(rate)}

    def _walk(self, text: Any, U: Any, W: Any, rate: Any, seed: Any) -> Any:
        return walk(text, U, W, self.keep, self.table, self.settings, rate, np.uint64(seed))
