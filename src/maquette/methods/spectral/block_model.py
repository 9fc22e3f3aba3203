"""Stochastic block model: random graphs with communities that are known, to try methods on.

    P(edge i - j) = within if i and j are of one group, else between; edges are independent
    mean degree   of k groups of n / k nodes: (a + (k - 1) b) / k,   a = n within, b = n between

Pairs are not tried one by one: the number of edges of each block is drawn, then as many different pairs, so that time
and memory follow the edges. Real communities differ in size and density, and their nodes in degree.

Source: Holland, Laskey, Leinhardt (1983), "Stochastic blockmodels: first steps"; drawing: Batagelj, Brandes (2005),
"Efficient generation of large random networks".

Example:
    >>> from maquette.methods.spectral.block_model import block_model
    >>> graph, labels = block_model([2, 3], within=1.0, between=0.0)
    >>> graph.toarray().astype(int).tolist()[3], labels.tolist()
    ([0, 0, 1, 0, 1], [0, 0, 1, 1, 1])
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from maquette.methods.signal.signals import count, number
from maquette.methods.spectral.adjacency import small_indices


def block_model(
    sizes: Sequence[int], within: float, between: float, seed: int = 0
) -> tuple[sparse.csr_array, np.ndarray]:
    """A graph with weights 1, CSR (n, n), and the group of each node, int64 (n,).

    Args:
        sizes: nodes of each group.
        within: the chance of an edge between two nodes of one group.
        between: of an edge between two groups.
        seed: of the draw.

    Raises:
        InputError: for a size below 1 or a chance outside 0 to 1.
    """
    counts = np.array([count(size, "sizes") for size in sizes])
    number(within, "within", 0, most=1), number(between, "between", 0, most=1)
    random, starts = np.random.default_rng(seed), np.concatenate([[0], np.cumsum(counts)])
    heads, tails = [], []
    for a in range(len(counts)):
        for b in range(a, len(counts)):
            i, j = _pairs(counts[a], counts[b], a == b, within if a == b else between, random)
            heads.append(starts[a] + i)
            tails.append(starts[b] + j)
    rows, columns = np.concatenate(heads), np.concatenate(tails)
    half = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(starts[-1],) * 2)
    return small_indices(sparse.csr_array(half + half.T)), np.repeat(np.arange(len(counts)), counts)


def _pairs(m: int, n: int, same: bool, chance: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Different pairs (i, j) of a block (m, n), i < j in a block of one group, each with its chance."""
    total = int(m) * (int(m) - 1) // 2 if same else int(m) * int(n)
    wanted = int(random.binomial(total, chance))
    if 4 * wanted > total:
        places = random.permutation(total)[:wanted]
    else:
        # A quarter more than wanted, drawn with repetition, and the first different ones are taken: all sets of
        # pairs are equally likely.
        places = np.zeros(0, np.int64)
        while len(places) < wanted:
            more = np.concatenate([places, random.integers(0, total, wanted - len(places) + wanted // 4 + 8)])
            _, first = np.unique(more, return_index=True)
            places = more[np.sort(first)]
        places = places[:wanted]
    if not same:
        return places // n, places % n
    j = ((1 + np.sqrt(1 + 8 * places.astype(float))) / 2).astype(np.int64)
    j -= j * (j - 1) // 2 > places  # the root may be rounded up or down
    j += (j + 1) * j // 2 <= places
    return places - j * (j - 1) // 2, j


METHOD = block_model
