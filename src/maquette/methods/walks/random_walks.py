"""Random walks of the first and second order on a graph: the sentences of DeepWalk and node2vec.

    first order    P(x | v) = w_vx / sum_y w_vy                                          DeepWalk, p = q = 1
    second order   P(x | v, come from t) = alpha(t, x) w_vx / Z
                   alpha = 1/p if x = t;  1 if there is an edge from t to x;  1/q else   node2vec
    memory         4 bytes per arc (20 where weights differ) and 8 per node, besides the walks

A small p turns back often and stays near the start, a small q goes outward; what is best is tried out on the labels at
hand. A walk ends early where no edge leads on: the rest of its row is -1. A loop is an edge like any other.
Each walk draws from a stream of its own, of the seed and its number, so that the number of threads changes nothing.

Source: Grover, Leskovec (2016), "node2vec: scalable feature learning for networks", section 3.2; Perozzi, Al-Rfou,
Skiena (2014), "DeepWalk: online learning of social representations", section 4.

Example:
    >>> from maquette.methods.walks.random_walks import random_walks
    >>> random_walks([[0, 1, 0], [1, 0, 1], [0, 1, 0]], walks=1, length=3, p=1e9, starts=[0]).tolist()
    [[0, 1, 2]]
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import count, number
from maquette.methods.spectral.adjacency import adjacency

LEAST = 2_000  # walks that are worth a thread


class Walker:
    """A graph made ready for walks.

    Args:
        graph: weights (n, n), or a graph; directed or not, weights of at least 0.
        p: the return parameter, above 0.
        q: the in-out parameter, above 0.

    Raises:
        InputError: for an unfit graph or parameter, or where Numba is missing.
    """

    def __init__(self, graph: Any, p: float = 1.0, q: float = 1.0) -> None:
        try:
            from maquette.methods.walks import _kernels
        except ImportError:
            raise InputError("walks run in compiled loops that need numba: pip install 'maquette[fast]'") from None
        self.p, self.q = number(p, "p", 0, above=True), number(q, "q", 0, above=True)
        weights = adjacency(graph, directed=True, loops=True)
        self._kernels, self.nodes = _kernels, weights.shape[0]
        self.indptr, self.indices = weights.indptr.astype(np.int64), weights.indices.astype(np.int32)
        back = weights.T.tocsr()
        back.sort_indices()
        self.mutual = np.array_equal(back.indptr, weights.indptr) and np.array_equal(back.indices, weights.indices)
        self.equal = not weights.nnz or bool(np.ptp(weights.data) <= 1e-12 * weights.data.max())
        rows = np.repeat(np.arange(self.nodes), np.diff(self.indptr))
        self.weights = np.zeros(0) if self.equal else weights.data / np.bincount(rows, weights.data, self.nodes)[rows]
        self.accept, self.other = np.zeros(len(self.weights), np.float32), np.zeros(len(self.weights), np.int32)
        if not self.equal:
            _kernels.alias_tables(self.indptr, self.weights, self.accept, self.other)

    def walk(self, starts: Any, length: int, seed: int = 0, threads: int = 0, first: int = 0) -> np.ndarray:
        """Walks from the nodes `starts`: int32 (starts, length), the start included, -1 after an early end.

        Args:
            starts: numbers of nodes.
            length: nodes in a walk.
            seed: of the draws.
            threads: 0 takes all cores.
            first: the number of the first walk, where the walks are made in several calls.

        Raises:
            InputError: for a node that is none.
        """
        nodes = np.asarray(starts, np.int64)
        if nodes.ndim != 1 or (len(nodes) and not 0 <= nodes.min() <= nodes.max() < self.nodes):
            raise InputError(f"starts: give numbers of nodes from 0 to {self.nodes - 1}")
        found = np.empty((len(nodes), count(length, "length")), np.int32)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        parts = max(1, min(count(threads, "threads", 0) or cores, len(nodes) // LEAST))
        cuts = np.linspace(0, len(nodes), parts + 1).astype(int)

        def part(a: int, b: int) -> None:
            graph = ((self.indptr, self.indices), self.weights, (self.accept, self.other), self.mutual)
            # Any seed, NumPy's or a negative one, becomes 64 bits.
            bits = np.uint64(int(seed) & 0xFFFFFFFFFFFFFFFF)
            self._kernels.walk(nodes[a:b], first + a, *graph, self.p, self.q, bits, found[a:b])

        with ThreadPoolExecutor(parts) as pool:
            list(pool.map(part, cuts[:-1], cuts[1:]))
        return found


def random_walks(
    graph: Any,
    walks: int = 10,
    length: int = 80,
    p: float = 1.0,
    q: float = 1.0,
    seed: int = 0,
    threads: int = 0,
    starts: Any = None,
) -> np.ndarray:
    """`walks` rounds of one walk from every node, each round in a new order: int32 (walks n, length).

    Args:
        graph: weights (n, n), or a graph.
        walks: from each node.
        length: nodes in a walk.
        p: the return parameter.
        q: the in-out parameter.
        seed: of the order and of the draws.
        threads: 0 takes all cores; the walks are the same with any number.
        starts: nodes to start from, instead of all of them.

    Raises:
        InputError: for an unfit graph or parameter, or where Numba is missing.
    """
    walker = Walker(graph, p, q)
    nodes = np.arange(walker.nodes) if starts is None else np.asarray(starts)
    random = np.random.default_rng(seed)
    rounds = [random.permutation(nodes) for _ in range(count(walks, "walks"))]
    return walker.walk(np.concatenate(rounds), length, seed, threads)


def as_text(walks: np.ndarray) -> np.ndarray:
    """Walks (walks, length) as lines of a text: nodes from 1, and 0 at the end of each: int32 (walks (length + 1),).

    >>> as_text(np.array([[3, 0], [2, -1]])).tolist()
    [4, 1, 0, 3, 0, 0]
    """
    return np.pad(np.asarray(walks, np.int32) + 1, ((0, 0), (0, 1))).ravel()


METHOD = random_walks
