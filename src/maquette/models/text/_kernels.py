"""Word2vec with negative sampling as compiled loops for the CPU: the objective of the pages, word after word.

A thread walks over its part of the text and thins out frequent words. For every word that it keeps it takes a window,
and a step of gradient descent on

    L = sum over the targets of a row h of  [ softplus(-h.v_target) + (K / S) sum_s softplus(h.v_noise_s) ]

which is what the pages' `compute_loss` averages. Three things make it fast, and change nothing about L:

    shared noise     T rows that follow each other are set against the same S noise words, with the weight K / S. The
                     scores are a product (T, dim) x (dim, S) of matrices that stay in the first cache.
    fused updates    a vector is read once to be scored and once to be moved and to be added to the gradient of h.
    no locks         threads write into the same tables; words that two of them move at once are rare enough.

Inner loops run over the components of a vector, four noise words at a time, and have no branch.

Source: Mikolov et al. (2013), "Distributed representations of words and phrases", section 2.2; Ji et al. (2016),
"Parallelizing word2vec in shared and distributed memory"; Recht et al. (2011), "Hogwild!".
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, repeat
from typing import Any

import keras
import numpy as np
from keras import ops
from numba import njit

SENTENCE = 1024  # words that are kept of a line at a time
HELD = 16  # rows that share their noise: T
LANES = 16  # numbers that the processor adds at once
PARTS = 40  # of a pass, at most, between which the learning rate changes and the progress is reported
F = np.float32
_fast: Any = {"fastmath": True, "nogil": True, "error_model": "numpy", "cache": True}


@njit(**_fast)
def advance(state: Any) -> Any:
    """The next state of a linear congruential generator, of which the upper bits are used; Knuth (1997), 3.3.4."""
    return state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)


@njit(inline="always", **_fast)
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) to 1e-6: Taylor's series of exp at -x / 32, squared five times."""
    z = min(max(-x, F(-16)), F(16)) * F(1 / 32)
    e = F(1) + z * (F(1) + z / F(2) * (F(1) + z / F(3) * (F(1) + z / F(4) * (F(1) + z / F(5) * (F(1) + z / F(6))))))
    for _ in range(5):
        e *= e
    return F(1) / (F(1) + e)


@njit(**_fast)
def keep_words(tokens: Any, start: int, stop: int, keep: Any, state: Any, kept: Any) -> Any:
    """Fill `kept` from tokens[start:stop] up to the end of a line, each word with its probability to be kept.

    Returns:
        Where to go on, how many were kept, the generator's state.
    """
    count = 0
    while start < stop and count < SENTENCE:
        word = tokens[start]
        start += 1
        if word == 0:
            break
        state = advance(state)
        if F(state >> np.uint64(40)) * F(2.0**-24) < keep[word - 1]:
            kept[count] = word - 1
            count += 1
    return start, count, state


@njit(**_fast)
def draw_noise(W: Any, table: Any, state: Any, noise: Any, rows: Any) -> Any:
    """Draw the noise words and copy their vectors into `rows`: (S, dim)."""
    for s in range(len(noise)):
        state = advance(state)
        noise[s] = table[(state >> np.uint64(32)) & np.uint64(len(table) - 1)]
        for t in range(rows.shape[1]):
            rows[s, t] = W[noise[s], t]
    return state


@njit(**_fast)
def pull(h: Any, W: Any, target: int, rate: Any, dh: Any) -> Any:
    """One target of h: (dim,): move its vector, add the step of h to `dh`; returns its probability."""
    score = F(0)
    for t in range(len(h)):
        score += h[t] * W[target, t]
    p = sigmoid(score)
    g = rate * (F(1) - p)
    for t in range(len(h)):
        v = W[target, t]
        dh[t] += g * v
        W[target, t] = v + g * h[t]
    return p


@njit(**_fast)
def push(h: Any, rows: Any, weight: Any, g: Any, dh: Any) -> Any:
    """The noise of h: its steps in `g` (S,), the step of h added to `dh`; returns the sum of log(1 - p)."""
    size = len(g)
    for s in range(0, size, 4):
        a, b, c, d = F(0), F(0), F(0), F(0)
        for t in range(len(h)):
            a += h[t] * rows[s, t]
            b += h[t] * rows[s + 1, t]
            c += h[t] * rows[s + 2, t]
            d += h[t] * rows[s + 3, t]
        g[s], g[s + 1], g[s + 2], g[s + 3] = a, b, c, d
    left = 1.0
    for s in range(size):
        p = sigmoid(g[s])
        left *= F(1) - p
        g[s] = -weight * p
    for s in range(0, size, 4):
        a, b, c, d = g[s], g[s + 1], g[s + 2], g[s + 3]
        for t in range(len(h)):
            dh[t] += a * rows[s, t] + b * rows[s + 1, t] + c * rows[s + 2, t] + d * rows[s + 3, t]
    return np.log(left + 1e-300)


@njit(**_fast)
def move_noise(g: Any, held: Any, used: int, noise: Any, W: Any) -> None:
    """W[noise] += g^T held, for the rows that share the noise: g (T, S), held (T, dim); rows from `used` on are old."""
    for row in range(used, len(held)):
        g[row] = F(0)
    for s in range(len(noise)):
        for row in range(0, used, 4):
            a, b, c, d = g[row, s], g[row + 1, s], g[row + 2, s], g[row + 3, s]
            for t in range(held.shape[1]):
                W[noise[s], t] += a * held[row, t] + b * held[row + 1, t] + c * held[row + 2, t] + d * held[row + 3, t]


@njit(**_fast)
def skip_gram_step(U: Any, W: Any, words: Any, i: int, a: int, b: int, rate: Any, scale: Any, h: Any, dh: Any,
                   rows: Any, g: Any) -> Any:  # fmt: skip
    """The word words[i] against its neighbours words[a:b]; h, dh (dim,), rows (S, dim), g (S,) are room to work in.

    Returns:
        The sum of losses over the pairs, and how many pairs there are.
    """
    word, pairs, likelihood = words[i], b - a - 1, 1.0
    h[:] = U[word]
    dh[:] = F(0)
    for j in range(a, b):
        if j != i:
            likelihood *= pull(h, W, words[j], rate, dh)
    noise = push(h, rows, rate * scale * F(pairs), g, dh)
    for t in range(len(h)):
        U[word, t] += dh[t]
    return -np.log(likelihood + 1e-300) - pairs * scale * noise, pairs


@njit(**_fast)
def cbow_step(U: Any, W: Any, words: Any, i: int, a: int, b: int, rate: Any, scale: Any, h: Any, dh: Any,
              rows: Any, g: Any) -> Any:  # fmt: skip
    """The mean of the neighbours words[a:b] against the word words[i]; see `skip_gram_step`."""
    share = F(1) / F(b - a - 1)
    h[:] = F(0)
    dh[:] = F(0)
    for j in range(a, b):
        if j != i:
            for t in range(len(h)):
                h[t] += share * U[words[j], t]
    likelihood = pull(h, W, words[i], rate, dh)
    noise = push(h, rows, rate * scale, g, dh)
    for j in range(a, b):
        if j != i:
            for t in range(len(h)):
                U[words[j], t] += share * dh[t]
    return -np.log(likelihood + 1e-300) - scale * noise, 1


@njit(**_fast)
def walk(tokens: Any, U: Any, W: Any, keep: Any, table: Any, settings: Any, rate: Any, seed: Any) -> Any:
    """Train on tokens (n,), word numbers from 1 with 0 between lines; U, W (words, dim) are moved in place.

    Args:
        settings: whether the mean of the neighbours is the row (CBOW) or the word itself (skip-gram); the largest reach
            of a window; whether each window draws its own reach; negative samples K; noise words S.

    Returns:
        The sum of losses and the number of targets.
    """
    mean, window, dynamic, negatives, size = settings
    dim, state, start, used = U.shape[1], np.uint64(seed), 0, 0
    kept, noise = np.zeros(SENTENCE, np.int32), np.zeros(size, np.int32)
    rows, held = np.zeros((size, dim), F), np.zeros((HELD, dim), F)
    g, dh = np.zeros((HELD, size), F), np.zeros(dim, F)
    scale, loss, targets = F(negatives) / F(size), 0.0, 0
    while start < len(tokens):
        start, count, state = keep_words(tokens, start, len(tokens), keep, state, kept)
        for i in range(count if count > 1 else 0):
            if used == 0:
                state = draw_noise(W, table, state, noise, rows)
            state = advance(state)
            reach = 1 + np.int64((state >> np.uint64(33)) % np.uint64(window)) if dynamic else window
            a, b = max(0, i - reach), min(count, i + reach + 1)
            h, own = held[used], g[used]
            if mean:
                more, pairs = cbow_step(U, W, kept, i, a, b, rate, scale, h, dh, rows, own)
            else:
                more, pairs = skip_gram_step(U, W, kept, i, a, b, rate, scale, h, dh, rows, own)
            loss, targets, used = loss + more, targets + pairs, used + 1
            if used == HELD:
                move_noise(g, held, used, noise, W)
                used = 0
    if used:
        move_noise(g, held, used, noise, W)
    return loss, targets


def noise_table(counts: Any, size: int = 1 << 20) -> np.ndarray:
    """Word numbers from 0, each as often as its share of counts^0.75: int32 (size,), a power of two."""
    share = np.cumsum(np.asarray(counts, "float64") ** 0.75)
    return np.searchsorted(share / share[-1], (np.arange(size) + 0.5) / size).astype("int32")


def padded(table: Any) -> np.ndarray:
    """A copy whose rows are of a length that the processor takes in whole steps, filled with zeros."""
    values = np.asarray(ops.convert_to_numpy(table), "float32")
    return np.pad(values, ((0, 0), (0, -values.shape[1] % LANES)))


def fit(model: Any, batches: Any, epochs: int = 1, initial_epoch: int = 0, callbacks: Any = (),
        validation_data: Any = None, **_: Any) -> keras.callbacks.History:  # fmt: skip
    """What `Model.fit` does, with an epoch as a pass of `walk`: the same callbacks, learning rates and optimizer state.

    With one thread the result is the same to the last bit wherever it was interrupted; threads that write into one
    table do so in an order of their own. A text is shared among `model.threads` threads, all cores if 0, each of which
    gets at least 20,000 words.
    """
    called = keras.callbacks.CallbackList(list(callbacks), add_history=True, model=model, epochs=epochs)
    text, logs, model.stop_training = Text(model, batches), {}, False
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
        with ThreadPoolExecutor(self.threads) as pool:
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
