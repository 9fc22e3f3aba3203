"""Walks of node2vec: Maquette's compiled loops against the package `node2vec`, in walks per second.

    python benchmarks/walks.py [--nodes 5000] [--edges 25000] [--length 80] [--rounds 3] [--threads 1] [--write]

Graphs are Cora, where $MAQUETTE_DATA has it, and an undirected graph with random ends; p = 0.5 and q = 2. Making ready
is timed apart: a check and sorting here, the chances of every pair of edges there. A round is one walk from every node
of the package, which is slow, and a hundred here; they take turns, and ratios are of the walks alone. What is drawn is
compared as well: how often walks turn back at once.
"""

import argparse
import os
import resource
import time
from typing import Any

import numpy as np
from record import record
from scipy import sparse

P, Q = 0.5, 2.0
MORE = 100  # walks of ours for one of theirs


def graphs(nodes: int, edges: int) -> dict[str, sparse.csr_array]:
    """Name -> weights, undirected, without loops."""
    random = np.random.default_rng(0)
    i, j = random.integers(0, nodes, (2, edges))
    found = {f"{edges:,} edges": (i, j, nodes)}
    if os.environ.get("MAQUETTE_DATA"):
        from maquette.data import cora

        graph = cora.read().graph
        found = {"cora": (*graph.edges, graph.nodes), **found}
    made = {}
    for name, (a, b, n) in found.items():
        half = sparse.csr_array((np.ones(len(a)), (a, b)), shape=(n, n))
        both = sparse.csr_array(half + half.T)
        both.setdiag(0)
        both.eliminate_zeros()
        both.data[:] = 1
        made[name] = both
    return made


def maquette(graph: sparse.csr_array, length: int, threads: int, seed: int) -> tuple[float, float, np.ndarray]:
    """Seconds to make ready, walks per second, walks."""
    from maquette.methods.walks.random_walks import Walker

    begun = time.perf_counter()
    walker = Walker(graph, P, Q)
    ready = time.perf_counter() - begun
    starts = np.tile(np.random.default_rng(seed).permutation(graph.shape[0]), MORE)
    begun = time.perf_counter()
    found = walker.walk(starts, length, seed, threads)
    return ready, len(found) / (time.perf_counter() - begun), found[: graph.shape[0]]


def package(graph: sparse.csr_array, length: int, threads: int, seed: int) -> tuple[float, float, list[Any]]:
    """The same of the package, which walks with its own Python loops."""
    import networkx
    from node2vec import Node2Vec

    begun = time.perf_counter()
    own = Node2Vec(networkx.from_scipy_sparse_array(graph), 8, length, 0, P, Q, workers=1, quiet=True, seed=seed)
    ready = time.perf_counter() - begun
    own.num_walks, own.workers = 1, threads
    begun = time.perf_counter()
    found = own._generate_walks()
    return ready, len(found) / (time.perf_counter() - begun), [[int(node) for node in walk] for walk in found]


def turned_back(walks: Any) -> float:
    """The share of steps that undo the one before."""
    back = total = 0
    for walk in walks:
        row = np.asarray(walk)
        row = row[row >= 0]
        back, total = back + int((row[2:] == row[:-2]).sum()), total + max(len(row) - 2, 0)
    return back / max(total, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=5_000)
    parser.add_argument("--edges", type=int, default=25_000)
    parser.add_argument("--length", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="record the ratios in results.json")
    given = parser.parse_args()
    for name, graph in graphs(given.nodes, given.edges).items():
        maquette(graph, given.length, given.threads, 0)  # compiles
        rounds = []
        for seed in range(given.rounds):
            ours = maquette(graph, given.length, given.threads, seed)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rounds.append((ours, package(graph, given.length, given.threads, seed), memory))
        ours, theirs = (float(np.median([r[side][1] for r in rounds])) for side in (0, 1))
        ratio = float(np.median([r[0][1] / r[1][1] for r in rounds]))
        ready = [float(np.median([r[side][0] for r in rounds])) for side in (0, 1)]
        print(f"{name}: {graph.shape[0]:,} nodes, {graph.nnz // 2:,} edges, walks of {given.length}, p={P}, q={Q}")
        memory = rounds[0][2]
        print(f"  maquette {ours:12,.0f} walks/s, ready in {ready[0]:.3f} s, at most {memory:.0f} MiB before the peer")
        print(f"  node2vec {theirs:12,.0f} walks/s, ready in {ready[1]:.3f} s; {ratio:.1f} times")
        print("  turned back: " + ", ".join(f"{turned_back(rounds[0][side][2]):.4f}" for side in (0, 1)), flush=True)
        if given.write:
            record("node2vec walks", name, "walks/s", ours, theirs, "node2vec", ratio, None)


if __name__ == "__main__":
    main()
