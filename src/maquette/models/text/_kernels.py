"""Word2vec with negative sampling as compiled loops for the CPU: the objective of the pages, group after group.

A thread walks over its part of the text and thins out frequent words. T words that follow each other then make a step
of gradient descent together, on

    L = sum over the targets of a row h of  [ softplus(-h.v_target) + (K / S) sum_s softplus(h.v_noise_s) ]

which is what the pages' `compute_loss` averages. What makes it fast changes nothing about L:

    products         the T rows H are set against the same words V: S noise words with the weight K / S and, in
                     skip-gram, the words around all of the rows. Scores are H V^T, steps are G V and G^T H: three small
                     products of matrices that stay in the first caches, at the speed of BLAS. G holds zeros where a
                     word is no neighbour of a row, which costs less than to pick the pairs.
    means            in CBOW the words around a group lie side by side while its rows are made of them and their steps
                     are gathered.
    one reading      a vector is read and written once for a group, instead of once for each pair.
    no locks         threads add to the same tables; words that two of them move at once are rare enough.

Source: Mikolov et al. (2013), "Distributed representations of words and phrases", section 2.2; Ji et al. (2016),
"Parallelizing word2vec in shared and distributed memory"; Recht et al. (2011), "Hogwild!".
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from maquette.models.text._draws import KEPT, F, _fast, advance, draw_noise, keep_words

GROUP, MEANS = 16, 64  # rows that make a step together: T in skip-gram, and in CBOW, which has fewer words against them
COUNTED = 16  # of so many groups one counts for the loss that is reported


class Room(NamedTuple):
    """What a group works in: T rows, C = T + 2 reach places around them, N words against them."""

    first: Any  # (T,): where the neighbours of a row begin among the places
    last: Any  # (T,): and where they end; the row's own word, which is none of them, lies in between
    H: Any  # (T, dim): the rows
    V: Any  # (N, dim): the S noise words, behind the C places in skip-gram
    G: Any  # (T, N): scores, then probabilities, then steps
    dH: Any  # (T, dim)
    dV: Any  # (N, dim)
    X: Any  # (C, dim): in CBOW the words around, then their steps


@njit(**_fast)
def make_room(mean: bool, reach: int, size: int, dim: int) -> Room:
    """Empty room for groups of CBOW (`mean`) or skip-gram with `size` noise words."""
    rows = MEANS if mean else GROUP
    around = rows + 2 * reach
    against = size if mean else size + around
    return Room(
        np.zeros(rows, np.int64),
        np.zeros(rows, np.int64),
        np.zeros((rows, dim), F),
        np.zeros((against, dim), F),
        np.zeros((rows, against), F),
        np.zeros((rows, dim), F),
        np.zeros((against, dim), F),
        np.zeros((around, dim), F),
    )


@njit(inline="always", **_fast)
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) to 1e-6: Taylor's series of exp at -x / 32, squared five times."""
    z = min(max(-x, F(-16)), F(16)) * F(1 / 32)
    e = F(1) + z * (F(1) + z / F(2) * (F(1) + z / F(3) * (F(1) + z / F(4) * (F(1) + z / F(5) * (F(1) + z / F(6))))))
    for _ in range(5):
        e *= e
    return F(1) / (F(1) + e)


@njit(**_fast)
def find_neighbours(lines: Any, at: int, reach: int, dynamic: bool, state: Any, room: Room) -> Any:
    """Where the neighbours of the rows at the places at, at + 1, ... begin and end; returns the generator's state."""
    for row in range(len(room.first)):
        state = advance(state)
        own = 1 + np.int64((state >> np.uint64(33)) % np.uint64(reach)) if dynamic else reach
        place, line = at + row, lines[at + row]
        first, last = place - own, place + own
        while lines[first] != line:
            first += 1
        while lines[last] != line:
            last -= 1
        room.first[row], room.last[row] = first - at + reach, last + 1 - at + reach
    return state


@njit(**_fast)
def gather(table: Any, ids: Any, rows: Any) -> None:
    """rows = table[ids]."""
    for i in range(len(ids)):
        source, target = table[ids[i]], rows[i]
        for t in range(len(target)):
            target[t] = source[t]


@njit(**_fast)
def scatter(table: Any, ids: Any, rows: Any) -> None:
    """table[ids] += rows, where an id may occur several times."""
    for i in range(len(ids)):
        target, more = table[ids[i]], rows[i]
        for t in range(len(target)):
            target[t] += more[t]


@njit(**_fast)
def score(room: Room) -> None:
    """G = sigmoid(H V^T)."""
    np.dot(room.H, room.V.T, room.G)
    scores = room.G.reshape(room.G.size)
    for i in range(len(scores)):
        scores[i] = sigmoid(scores[i])


@njit(**_fast)
def missed(g: Any) -> Any:
    """-sum log(1 - p): what noise words of the probabilities g add to a loss."""
    loss = 0.0
    for p in g:
        loss -= np.log(max(F(1) - p, F(1e-7)))
    return loss


@njit(**_fast)
def skip_gram_loss(room: Room, reach: int, scale: Any) -> Any:
    """The sum of losses over the targets, and how many they are, of a group of which G holds the probabilities."""
    loss, targets, around = 0.0, 0.0, GROUP + 2 * reach
    for row in range(GROUP):
        for i in range(room.first[row], room.last[row]):
            if i != row + reach:
                loss -= np.log(max(room.G[row, i], F(1e-7)))
        pairs = room.last[row] - room.first[row] - 1
        loss, targets = loss + pairs * scale * missed(room.G[row, around:]), targets + pairs
    return loss, targets


@njit(**_fast)
def skip_gram_step(U: Any, W: Any, words: Any, around: Any, noise: Any, rate: Any, scale: Any, counted: bool,
                   room: Room) -> Any:  # fmt: skip
    """Each of the words (T,) against its neighbours among the words around (C,).

    Returns:
        The sum of losses and the number of targets, zeros where the group is not counted.
    """
    n, reach = len(around), (len(around) - GROUP) // 2
    gather(U, words, room.H)
    gather(W, around, room.V[:n])
    gather(W, noise, room.V[n:])
    score(room)
    found = skip_gram_loss(room, reach, scale) if counted else (0.0, 0.0)
    for row in range(GROUP):
        g, first, last = room.G[row], room.first[row], room.last[row]
        for i in range(n):
            g[i] = rate * (F(1) - g[i]) if first <= i < last else F(0)
        g[row + reach] = F(0)
        weight = -rate * scale * F(last - first - 1)
        for i in range(n, len(g)):
            g[i] *= weight
    np.dot(room.G, room.V, room.dH)
    np.dot(room.G.T, room.H, room.dV)
    scatter(U, words, room.dH)
    scatter(W, around, room.dV[:n])
    scatter(W, noise, room.dV[n:])
    return found


@njit(**_fast)
def add(row: Any, factor: Any, target: Any) -> None:
    """target += factor row, both (dim,)."""
    for t in range(len(target)):
        target[t] += factor * row[t]


@njit(**_fast)
def take_means(room: Room, reach: int) -> None:
    """H: the mean of the neighbours' vectors in X, zeros for a row without neighbours."""
    for row in range(len(room.H)):
        h, first, last, own = room.H[np.uint32(row)], room.first[row], room.last[row], row + reach
        share = F(1) / F(max(last - first - 1, 1))
        h[:] = F(0)
        for i in range(first, own):
            add(room.X[np.uint32(i)], share, h)
        for i in range(own + 1, last):
            add(room.X[np.uint32(i)], share, h)


@njit(**_fast)
def share_steps(room: Room, reach: int) -> None:
    """X: the steps dH of the rows, shared among their neighbours."""
    room.X[:] = F(0)
    for row in range(len(room.H)):
        dh, first, last, own = room.dH[np.uint32(row)], room.first[row], room.last[row], row + reach
        share = F(1) / F(max(last - first - 1, 1))
        for i in range(first, own):
            add(dh, share, room.X[np.uint32(i)])
        for i in range(own + 1, last):
            add(dh, share, room.X[np.uint32(i)])


@njit(**_fast)
def pull(h: Any, vector: Any, rate: Any, dh: Any) -> Any:
    """Move the target's vector (dim,), add the step of its row h (dim,) to dh; returns its probability."""
    product = F(0)
    for t in range(len(h)):
        product += h[t] * vector[t]
    p = sigmoid(product)
    g = rate * (F(1) - p)
    for t in range(len(h)):
        v = vector[t]
        dh[t] += g * v
        vector[t] = v + g * h[t]
    return p


@njit(**_fast)
def cbow_step(U: Any, W: Any, words: Any, around: Any, noise: Any, rate: Any, scale: Any, counted: bool,
              room: Room) -> Any:  # fmt: skip
    """The means of the neighbours among the words around (C,) against the words (T,); see `skip_gram_step`."""
    loss, targets, reach = 0.0, 0.0, (len(around) - MEANS) // 2
    gather(U, around, room.X)
    take_means(room, reach)
    gather(W, noise, room.V)
    score(room)
    for row in range(MEANS):
        surrounded = room.last[row] - room.first[row] > 1
        loss += scale * missed(room.G[row]) if counted and surrounded else 0.0
        g, weight = room.G[row], -rate * scale * F(surrounded)
        for i in range(len(g)):
            g[i] *= weight
    np.dot(room.G, room.V, room.dH)
    np.dot(room.G.T, room.H, room.dV)
    for row in range(MEANS):
        if room.last[row] - room.first[row] > 1:
            p = pull(room.H[row], W[words[row]], rate, room.dH[row])
            if counted:
                loss, targets = loss - np.log(max(p, F(1e-7))), targets + 1.0
    share_steps(room, reach)
    scatter(U, around, room.X)
    scatter(W, noise, room.dV)
    return loss, targets


@njit(**_fast)
def walk(tokens: Any, U: Any, W: Any, keep: Any, table: Any, settings: Any, rate: Any, seed: Any) -> Any:
    """Train on tokens (n,), word numbers from 1 with 0 between lines; U, W (words, dim) are moved in place.

    Args:
        settings: whether the mean of the neighbours is the row (CBOW) or the word itself (skip-gram); the largest reach
            of a window; whether each window draws its own reach; negative samples K; noise words S.

    Returns:
        The sum of losses and the number of targets, both of one group in 16.
    """
    mean, reach, dynamic, negatives, size = settings
    state, start, groups, loss, targets = np.uint64(seed), 0, 0, 0.0, 0.0
    scale, room, rows = F(negatives) / F(size), make_room(mean, reach, size, U.shape[1]), MEANS if mean else GROUP
    kept, lines = np.zeros(KEPT + rows + 2 * reach, np.uint32), np.zeros(KEPT + rows + 2 * reach, np.int64)
    noise = np.zeros(size, np.uint32)
    while start < len(tokens):
        start, stop, state = keep_words(tokens, start, keep, state, kept, lines, reach)
        for at in range(reach, stop, rows):
            state = find_neighbours(lines, at, reach, dynamic, state, room)
            state = draw_noise(table, state, noise)
            words, around = kept[at : at + rows], kept[at - reach : at + rows + reach]
            counted = groups % COUNTED == 0
            if mean:
                more = cbow_step(U, W, words, around, noise, rate, scale, counted, room)
            else:
                more = skip_gram_step(U, W, words, around, noise, rate, scale, counted, room)
            loss, targets, groups = loss + more[0], targets + more[1], groups + 1
    return loss, targets
