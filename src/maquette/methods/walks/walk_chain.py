"""A second-order walk as a Markov chain on arcs: its exact probabilities, and where it is in the long run.

    state        an arc (t, v): the walk is at v and has come from t
    P[(t, v), (v, x)] = alpha(t, x) w_vx / sum_y alpha(t, y) w_vy,  alpha = 1/p, 1 or 1/q as in random_walks
    in the long run   pi P = pi on the arcs, and at node v sum_t pi(t, v);  with p = q = 1 on a connected undirected
                      graph pi(t, v) = w_tv / sum of all, and at v d_v / sum_u d_u

The matrix has an entry for each way of two steps: for small graphs, to check a sampler or to see what p and q do.

Source: Grover, Leskovec (2016), "node2vec: scalable feature learning for networks", section 3.2; Levin, Peres, Wilmer
(2009), "Markov chains and mixing times", chapter 1.

Example:
    >>> from maquette.methods.walks.walk_chain import walk_chain
    >>> chain = walk_chain([[0, 1, 0], [1, 0, 1], [0, 1, 0]], p=3)
    >>> chain.arcs.tolist()
    [[0, 1], [1, 0], [1, 2], [2, 1]]
    >>> chain.transition.toarray().round(2).tolist()[0]
    [0.0, 0.25, 0.75, 0.0]
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.signal.signals import number
from maquette.methods.spectral.adjacency import adjacency

MOST = 20_000_000  # entries


@dataclass(frozen=True)
class WalkChain:
    """The chain.

    Attributes:
        arcs: (m, 2), from and to, sorted.
        transition: CSR (m, m), rows that sum to 1, or to 0 where no arc leads on.
        nodes: how many nodes the graph has.
    """

    arcs: np.ndarray
    transition: sparse.csr_array
    nodes: int

    def stationary(self, steps: int = 100_000, tolerance: float = 1e-12) -> np.ndarray:
        """Of a strongly connected graph, where the walk is in the long run: (n,), sums to 1.

        Raises:
            InputError: if some arc is a dead end or `steps` averaging steps do not suffice.
        """
        if (np.diff(self.transition.indptr) == 0).any():
            raise InputError("graph: a walk can end in a node that no arc leaves; it has no long run")
        share, back = np.full(len(self.arcs), 1 / len(self.arcs)), sparse.csr_array(self.transition.T)
        for _ in range(steps):
            after = (share + back @ share) / 2  # a lazy walk, which has the same long run and no period
            if np.abs(after - share).max() < tolerance:
                return np.bincount(self.arcs[:, 1], after, self.nodes)
            share = after
        raise InputError(f"graph: no long run after {steps} steps; give more, or a graph that mixes faster")


def walk_chain(graph: Any, p: float = 1.0, q: float = 1.0) -> WalkChain:
    """The chain of a graph (n, n), directed or not, weights of at least 0.

    Raises:
        InputError: for an unfit graph or parameter, or more than 20 million ways of two steps.
    """
    number(p, "p", 0, above=True), number(q, "q", 0, above=True)
    weights = adjacency(graph, directed=True, loops=True)
    out = np.diff(weights.indptr)
    sources, targets = np.repeat(np.arange(len(out)), out), weights.indices
    ways = out[targets]
    if ways.sum() > MOST:
        raise InputError(f"graph: it has {ways.sum():,} ways of two steps; take a smaller one")
    before = np.repeat(np.arange(len(targets)), ways)  # arc (t, v) of each way, and below its arc (v, x)
    inside = np.arange(ways.sum()) - np.repeat(np.cumsum(ways) - ways, ways)
    after = np.repeat(weights.indptr[targets], ways) + inside
    t, x = sources[before], targets[after]
    keys, wanted = sources.astype(np.int64) * len(out) + targets, t.astype(np.int64) * len(out) + x
    alpha = np.where(x == t, 1 / p, np.where(np.isin(wanted, keys), 1.0, 1 / q))
    moved = alpha * weights.data[after]
    total = np.bincount(before, moved, len(targets))
    matrix = sparse.csr_array((moved / total[before], (before, after)), shape=(len(targets),) * 2)
    return WalkChain(np.stack([sources, targets], axis=1), matrix, len(out))


METHOD = walk_chain
