"""Compiled walks: a step is a few draws and one or two searches in a sorted row, whatever the degrees are.

A second-order step from v, come from t, has the weights alpha(t, x) w_vx. Tables of them for every pair (t, v) would
take the sum over the edges of the degrees at their ends, gigabytes for hubs. Instead a candidate x is drawn by w_vx
alone and accepted with the chance alpha / top, which is exact. The way back, where 1/p is far above it, would make
most candidates fail: what it has above `top` is a region of its own in each draw. After 64 refusals, as at a leaf when
p is huge, the whole row is weighed up instead, which leaves the chances as they are.

Memory: the rows, 4 bytes per arc and 8 per node; weighted graphs 16 more per arc for the alias tables and weights.

Source: Walker (1977), "An efficient method for generating discrete random variables"; rejection: Yang et al. (2019),
"KnightKing: a fast distributed graph random walk engine", section 4; the generator: Steele, Lea, Flood (2014),
"Fast splittable pseudorandom number generators".
"""

from typing import Any

import numpy as np
from numba import njit

_fast: Any = {"nogil": True, "error_model": "numpy", "cache": True}
U = np.uint64
GOLDEN = U(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio
SMALL = 1.0 / 4294967296.0  # 2^-32
REFUSALS = 64


@njit(inline="always", **_fast)
def mixed(state: Any) -> Any:
    """The output of SplitMix64 at a state: 64 bits."""
    z = (state ^ (state >> U(30))) * U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> U(27))) * U(0x94D049BB133111EB)
    return z ^ (z >> U(31))


@njit(inline="always", **_fast)
def unit(bits: Any) -> Any:
    """The upper half of 64 bits as a number in [0, 1)."""
    return np.float64(bits >> U(32)) * SMALL


@njit(inline="always", **_fast)
def place_of(row: Any, low: Any, high: Any, node: Any) -> Any:
    """Where `node` stands in row[low:high], which rises; -1 if it does not."""
    end = high
    while low < high:
        middle = (low + high) >> 1
        if row[middle] < node:
            low = middle + 1
        else:
            high = middle
    return low if low < end and row[low] == node else -1


@njit(**_fast)
def alias_tables(indptr: Any, weights: Any, accept: Any, other: Any) -> None:
    """Vose's tables of rows that sum to 1: place k stays with the chance accept[k], else it becomes other[k]."""
    for v in range(len(indptr) - 1):
        start, end = indptr[v], indptr[v + 1]
        share, pile = weights[start:end] * np.float64(end - start), np.empty(end - start, np.int32)
        low, high = 0, end - start  # below their share from the left of the pile, the others from the right
        for k in range(end - start):
            accept[start + k], other[start + k] = 1.0, k
            if share[k] < 1.0:
                pile[low] = k
                low += 1
            else:
                high -= 1
                pile[high] = k
        while low > 0 and high < end - start:
            small, large = pile[low - 1], pile[high]
            accept[start + small], other[start + small] = share[small], large
            share[large] -= 1.0 - share[small]
            low -= 1
            if share[large] < 1.0:
                high += 1
                pile[low] = large
                low += 1


@njit(inline="always", **_fast)
def bias(before: Any, x: Any, indptr: Any, indices: Any, p: Any, q: Any) -> Any:
    """alpha(t, x) of a walk that came from `before`."""
    if x == before:
        return 1.0 / p
    return 1.0 if place_of(indices, indptr[before], indptr[before + 1], x) >= 0 else 1.0 / q


@njit(inline="always", **_fast)
def drawn(now: Any, rows: Any, tables: Any, state: Any) -> Any:
    """A neighbour of `now` by the weights alone, 32 more random bits, and the generator's state."""
    indptr, indices = rows
    accept, other = tables
    base, degree = indptr[now], indptr[now + 1] - indptr[now]
    state += GOLDEN
    bits = mixed(state)
    k = np.int64(((bits >> U(32)) * U(degree)) >> U(32))
    if len(accept):
        state += GOLDEN
        if unit(mixed(state)) >= accept[base + k]:
            k = np.int64(other[base + k])
    return np.int64(indices[base + k]), np.float64(bits & U(0xFFFFFFFF)) * SMALL, state


@njit(**_fast)
def weighed(before: Any, now: Any, rows: Any, weights: Any, p: Any, q: Any, height: Any) -> Any:
    """The neighbour of `now` at the share `height` of all alpha w, added up along the row."""
    indptr, indices = rows
    start, end, total = indptr[now], indptr[now + 1], 0.0
    for k in range(start, end):
        alpha = bias(before, indices[k], indptr, indices, p, q)
        total += alpha * (weights[k] if len(weights) else 1.0)
    left = height * total
    for k in range(start, end):
        alpha = bias(before, indices[k], indptr, indices, p, q)
        left -= alpha * (weights[k] if len(weights) else 1.0)
        if left < 0:
            return np.int64(indices[k])
    return np.int64(indices[end - 1])


@njit(**_fast)
def way_back(before: Any, now: Any, rows: Any, weights: Any, mutual: Any, above: Any, top: Any) -> Any:
    """The share of what the way back has above `top`, in all that is drawn from: 0 if there is none."""
    indptr, indices = rows
    if mutual and not len(weights):
        extra = above / (indptr[now + 1] - indptr[now])
        return extra / (extra + top)
    at = place_of(indices, indptr[now], indptr[now + 1], before)
    if at < 0:
        return 0.0
    extra = above * (weights[at] if len(weights) else 1.0 / (indptr[now + 1] - indptr[now]))
    return extra / (extra + top)


@njit(**_fast)
def second_step(before: Any, now: Any, rows: Any, weights: Any, tables: Any, mutual: Any, p: Any, q: Any,
                state: Any) -> Any:  # fmt: skip
    """Where a walk goes from `now` that came from `before`, and the generator's state."""
    top, least = max(1.0, 1.0 / q), min(1.0, 1.0 / q)
    share = way_back(before, now, rows, weights, mutual, 1.0 / p - top, top) if 1.0 / p > top else 0.0
    for _ in range(REFUSALS):
        if share > 0.0:
            state += GOLDEN
            if unit(mixed(state)) < share:
                return before, state
        x, height, state = drawn(now, rows, tables, state)
        height *= top
        # Most candidates are accepted without a look at the edges of `before`.
        if x != before and height < least:
            return x, state
        if height < bias(before, x, rows[0], rows[1], p, q):
            return x, state
    state += GOLDEN
    return weighed(before, now, rows, weights, p, q, unit(mixed(state))), state


@njit(**_fast)
def walk(starts: Any, first: Any, rows: Any, weights: Any, tables: Any, mutual: Any, p: Any, q: Any, seed: Any,
         out: Any) -> None:  # fmt: skip
    """Fill out (walks, length) with walks from `starts`; the walk in row i is number first + i and has its own draws.

    Args:
        rows: indptr and indices of the arcs out of each node, sorted.
        weights: of the arcs, each row's sum 1; empty if all are equal, as are the tables then.
        tables: accept and other, as `alias_tables` fills them.
        mutual: whether every arc has a way back.
    """
    plain = p == 1.0 and q == 1.0
    for i in range(len(starts)):
        state = mixed(seed + GOLDEN * (U(first) + U(i) + U(1)))
        before, now = np.int64(-1), np.int64(starts[i])
        for step in range(out.shape[1]):
            out[i, step] = now
            if now < 0 or step + 1 == out.shape[1]:
                continue
            came = before
            before = now
            if rows[0][now] == rows[0][now + 1]:
                now = np.int64(-1)
            elif plain or came < 0:
                now, _, state = drawn(now, rows, tables, state)
            else:
                now, state = second_step(came, now, rows, weights, tables, mutual, p, q, state)
