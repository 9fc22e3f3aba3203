"""Batches whose order is a function of (seed, epoch) alone, so that a resumed run sees what it would have seen."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """x, y -> one batch per index; the tail batch is kept.

    Args:
        x: (n, ...), any dtype.
        y: (n,) or None.
        batch_size: examples per batch; 0 takes all n.
        seed: with a seed every epoch has the order `default_rng((seed, epoch)).permutation(n)`; None keeps the
            order of the array.
        epoch: the current epoch; `on_epoch_end` counts it up, and training sets it.
        encode: a batch of x -> float32 array; applied batch by batch, so that bytes stay bytes in memory.
        change: (a batch of x, epoch, index) -> a batch of x, applied before `encode`.
        weights: (n,), how much each example counts in the loss; batches are then (x, y, weights).
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray | None = None,
        batch_size: int = 128,
        seed: int | None = None,
        epoch: int = 0,
        encode: Callable[[np.ndarray], np.ndarray] | None = None,
        change: Callable[[np.ndarray, int, int], np.ndarray] | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.x, self.y, self.encode, self.change, self.weights = x, y, encode, change, weights
        self.batch_size = batch_size or len(x)
        self.seed, self.epoch = seed, epoch
        self._ordered: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def order(self) -> np.ndarray:
        """The current epoch's order: (n,) indices."""
        if self._ordered is None or self._ordered[0] != self.epoch:
            seeds: Any = (self.seed, self.epoch)
            self._ordered = self.epoch, np.random.default_rng(seeds).permutation(len(self.x))
        return self._ordered[1]

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows: Any = slice(index * self.batch_size, (index + 1) * self.batch_size)
        if self.seed is not None:
            rows = self.order()[rows]
        x = self.x[rows]
        x = self.change(x, self.epoch, index) if self.change else x
        x = self.encode(x) if self.encode else x
        if self.y is None:
            return (x,)
        return (x, self.y[rows]) if self.weights is None else (x, self.y[rows], self.weights[rows])

    def on_epoch_end(self) -> None:
        self.epoch += 1
