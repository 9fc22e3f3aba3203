"""Made-up graphs: 60 rings and 60 stars of 4 to 9 nodes each, every node alike.

**Weakness:** made up, and easy; it shows that a model works, not how well.
"""

import numpy as np

from maquette.data.dataset import Card
from maquette.data.graph import Graph
from maquette.data.graph_set import GraphSetDataset, graph_set

GRAPHS, LEAST, MOST = 120, 4, 9

CARD = Card(
    title="Rings and stars",
    task="graph-classification",
    source="made on the spot",
    licence="none needed",
    counts={"train": GRAPHS},
    shape=(1,),
)


def read() -> GraphSetDataset:
    """Return the data set of all graphs, with ten folds."""
    random = np.random.default_rng(0)
    y = random.permutation(np.arange(GRAPHS) % 2)
    sizes = random.integers(LEAST, MOST + 1, GRAPHS)
    starts = np.cumsum(sizes) - sizes
    edges = [start + _shape(int(size), star) for start, size, star in zip(starts, sizes, y)]
    union = Graph(np.concatenate(edges, axis=1), int(sizes.sum()), name="rings_and_stars")
    return graph_set("rings_and_stars", union, np.repeat(np.arange(GRAPHS), sizes), y, ("ring", "star"), "generated")


def _shape(size: int, star: int) -> np.ndarray:
    """The edges (2, m) of a star around node 0, or of a ring."""
    if star:
        return np.stack([np.zeros(size - 1, np.int64), np.arange(1, size)])
    return np.stack([np.arange(size), (np.arange(size) + 1) % size])
