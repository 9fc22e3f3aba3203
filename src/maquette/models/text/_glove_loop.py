"""GloVe as compiled loops for the CPU: the objective of the page, a cell and a step of AdaGrad after the other.

    s = u.w + b + c,   g = 2 h (s - log x),   du = g w,   dw = g u,   db = dc = g
    G += d^2,          value -= rate d / sqrt(G + epsilon)                          for every component

What is read for a cell lies in two places: a row of `first` holds u, b and 1, and behind them the sums of squares G of
each; a row of `second` w, 1 and c. Then u.w + b + c is one product of two rows, and a pass over them after it makes the
step, vectors and sums in one, without a branch. The ones stay as they are, since their sums of squares are set to 1e30.

The order of the cells is that of the batches, a function of (seed, epoch). Threads share a part of them and write into
the same tables without locks; cells that meet in a row while both are in work are rare enough.

Source: Pennington, Socher, Manning (2014), "GloVe", section 4.2; Duchi, Hazan, Singer (2011), "Adaptive subgradient
methods"; Recht et al. (2011), "Hogwild!".
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import numpy as np
from keras import ops
from numba import njit

from maquette.models.text._loops import LANES, PARTS, fit

CELLS = 1 << 20  # of a thread, at most, before the learning rate changes and the progress is reported
FIXED = 1e30  # the sum of squares of a number that does not move
F = np.float32

__all__ = ["Matrix", "fit"]


@njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
def walk(pairs: Any, logs: Any, weights: Any, first: Any, second: Any, rate: Any, epsilon: Any) -> float:
    """Train on cells in their order, the tables moved in place; returns the sum of their losses.

    Args:
        pairs: int32 (cells, 2), numbers of words from 1.
        logs: log x of each: (cells,).
        weights: h of each: (cells,).
        first, second: float32 (words, 2, size), see above.
    """
    total, size = 0.0, first.shape[2]
    for k in range(len(pairs)):
        one, two = first[pairs[k, 0] - 1], second[pairs[k, 1] - 1]
        u, w, u_squares, w_squares = one[0], two[0], one[1], two[1]
        score = F(0)
        for t in range(size):
            score += u[t] * w[t]
        error = score - logs[k]
        g = F(2) * weights[k] * error
        total += weights[k] * error * error
        for t in range(size):
            du, dw = g * w[t], g * u[t]
            u_sum, w_sum = u_squares[t] + du * du, w_squares[t] + dw * dw
            u_squares[t], w_squares[t] = u_sum, w_sum
            u[t] -= rate * du / np.sqrt(u_sum + epsilon)
            w[t] -= rate * dw / np.sqrt(w_sum + epsilon)
    return total


class Matrix:
    """The cells of some batches, with what a pass over them needs."""

    def __init__(self, model: Any, batches: Any) -> None:
        self.model, self.batches, count = model, batches, len(batches.x)
        weights = [model.U, model.b, model.W, model.c]
        places = [next(i for i, v in enumerate(model.trainable_variables) if v is w) for w in weights]
        # Behind iterations and rate an AdaGrad keeps its sums of squares in the order of the weights.
        squares = model.optimizer.variables[-len(weights) :]
        self.variables = [(w, squares[i]) for w, i in zip(weights, places, strict=True)]
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.threads = max(1, min(model.threads or cores or 1, count // 20_000))
        self.parts = max(1, min(PARTS, count // 5_000), count // (CELLS * self.threads))

    def epoch(self, epoch: int, called: Any) -> dict[str, float]:
        """One pass in parts, the learning rate that of the optimizer's schedule at the beginning of each."""
        tables = self._tables()
        (first, second), optimizer = tables, self.model.optimizer
        steps, count, loss, done = len(self.batches), len(self.batches.x), 0.0, 0
        self.batches.epoch = epoch
        order = np.arange(count) if self.batches.seed is None else self.batches.order()
        cuts = np.linspace(0, count, self.parts * self.threads + 1).astype(np.int64)[1:-1]
        pieces = np.split(order, cuts)
        with ThreadPoolExecutor(self.threads) as pool:
            for part in range(self.parts):
                called.on_train_batch_begin(part * steps // self.parts)
                optimizer.iterations.assign(epoch * steps + part * steps // self.parts)
                rate = F(optimizer.learning_rate)
                chosen = pieces[part * self.threads : (part + 1) * self.threads]
                for more, cells in pool.map(self._walk, chosen, repeat(first), repeat(second), repeat(rate)):
                    loss, done = loss + more, done + cells
                called.on_train_batch_end((part + 1) * steps // self.parts - 1, {"loss": loss / max(done, 1)})
        optimizer.iterations.assign((epoch + 1) * steps)
        for variable, place in self._parts(tables):
            variable.assign(place)
        return {"loss": loss / max(done, 1), "learning_rate": float(rate)}

    def _walk(self, chosen: Any, first: Any, second: Any, rate: Any) -> tuple[float, int]:
        """Train on some cells; those without a count, which were held out, and without a word are left out."""
        batches, model = self.batches, self.model
        pairs = batches.encode(batches.x[chosen]) if batches.encode else batches.x.take(chosen, axis=0)
        counts = np.asarray(batches.y).take(chosen)
        known = (counts > 0) & (pairs.min(axis=1) > 0)
        if not known.all():
            pairs, counts = pairs[known], counts[known]
        weights = np.minimum(F(1), (counts / F(model.x_max)) ** F(model.alpha))
        return walk(pairs, np.log(counts), weights, first, second, rate, F(model.optimizer.epsilon)), len(pairs)

    def _parts(self, tables: list[np.ndarray]) -> Iterator[tuple[Any, np.ndarray]]:
        """Each weight and its sum of squares with its place in the tables."""
        dim, variables = self.model.dim, iter(self.variables)
        for own, table in enumerate(tables):
            for columns in (slice(dim), dim + own):
                yield from zip(next(variables), (table[:, 0, columns], table[:, 1, columns]), strict=True)

    def _tables(self) -> list[np.ndarray]:
        """The page's weights and their sums of squares in the loops' form: two of float32 (words, 2, size)."""
        dim, size = self.model.dim, -(-(self.model.dim + 2) // LANES) * LANES
        tables = [np.zeros((len(self.model.words), 2, size), F) for _ in range(2)]
        for own, table in enumerate(tables):
            table[:, 0, dim + 1 - own], table[:, 1] = 1, FIXED
        for variable, place in self._parts(tables):
            place[:] = ops.convert_to_numpy(variable)
        return tables
