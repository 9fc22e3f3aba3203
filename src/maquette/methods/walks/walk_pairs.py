"""Pairs of the first node of a walk with each later one: samples of skip-gram without a window.

    walk u, s_1, ..., s_(l-1)     (u, s_1), ..., (u, s_(l-1)):  l - 1 pairs, fewer where the walk ends early
    a window of k instead         (s_i, s_j), 0 < |i - j| <= k: with k below l, of the order of 2 k l pairs

N(u) is then what walks from u meet within l - 1 steps, and each node is the first of equally many walks. A window uses
a walk for all the nodes on it, about 2 k times as many pairs for the same walks.

Source: Grover, Leskovec (2016), "node2vec: scalable feature learning for networks", section 3.1; first-node pairs are
those of the StellarGraph library (2018).

Example:
    >>> import numpy as np
    >>> from maquette.methods.walks.walk_pairs import WalkPairs
    >>> from maquette.methods.word_vectors.text_numbers import Vocabulary
    >>> nodes = Vocabulary(("a", "b", "c"), np.array([1, 2, 1]))
    >>> WalkPairs(np.array([[0, 1, 2], [2, 1, -1]], "int32"), nodes).rows().tolist()
    [[1, 2, 0], [1, 3, 0], [3, 2, 0]]
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from maquette.methods.word_vectors.text_numbers import Vocabulary


@dataclass(frozen=True, eq=False)
class WalkPairs:
    """The pairs of some walks; rows are made when they are asked for.

    Attributes:
        walks: int32 (walks, length), nodes from 0, -1 after an early end.
        vocabulary: the nodes.
        places: which of the pairs, None for all of them.
    """

    walks: np.ndarray
    vocabulary: Vocabulary
    places: np.ndarray | None = None

    dtype = np.dtype("int32")
    ndim = 2

    @cached_property
    def later(self) -> np.ndarray:
        """Where in the flattened walks the second nodes of all pairs are."""
        return np.flatnonzero((self.walks >= 0) & (np.arange(self.walks.shape[1]) > 0))

    def __len__(self) -> int:
        return len(self.later if self.places is None else self.places)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), 3

    @property
    def size(self) -> int:
        return 3 * len(self)

    def __getitem__(self, chosen: Any) -> "WalkPairs":
        """Some of the pairs: a slice, indices or a mask."""
        places = self.later if self.places is None else self.places
        return replace(self, places=places[chosen])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.rows()

    def rows(self) -> np.ndarray:
        """The pairs as windows of reach 1 without a word before: int32 (pairs, 3), nodes from 1, the last column 0."""
        places = self.later if self.places is None else self.places
        first, second = self.walks[places // self.walks.shape[1], 0], self.walks.ravel()[places]
        return np.stack([first + 1, second + 1, np.zeros_like(first)], axis=1)


METHOD = WalkPairs
