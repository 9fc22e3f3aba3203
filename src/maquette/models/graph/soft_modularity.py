"""Communities by modularity: each node has a share in every community, and the shares climb to a best division.

Shares      c_i = softmax(s_i), s the table `scores`                                       (nodes, communities)
Modularity  Q = sum over the edges {i, j} of w_ij c_i.c_j / sum of w - g |sum_i d_i c_i / sum_i d_i|^2
Loss        -Q, of the edges of a batch; with shares of 0 and 1 and all edges, Newman and Girvan's Q to the letter
Rule        gradient descent on the scores; g = `resolution`, degrees d_i are held constant
Start       from spectral clustering of the training edges (Ng, Jordan and Weiss), as `initialize` does

It improves on the spectral division, and ends in a local maximum. The number of communities is at most what is asked
for: some may empty. Nothing is said of a node that was not in the graph. The best Q merges small communities in large
graphs; a larger g counters that.

Source: Newman, Girvan (2004), "Finding and evaluating community structure in networks", section IV; the relaxation:
Tsitsulin et al. (2023), "Graph clustering with graph neural networks", section 4; the start: Ng, Jordan, Weiss (2002).

Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from maquette.models.graph.soft_modularity import SoftModularity
    >>> model = SoftModularity(degrees=[2, 2, 2, 2, 2, 2], communities=2)
    >>> edges = np.array([[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [3, 5]])
    >>> model.initialize(edges)
    >>> shares = ops.convert_to_numpy(model(np.arange(6)[:, None]))
    >>> sorted(np.bincount(shares.argmax(axis=1)).tolist())
    [3, 3]
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import initializers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Expect, Recipe
from maquette.methods.spectral.adjacency import joined
from maquette.methods.spectral.spectral_clustering import spectral_clustering

SURE = 1.0  # by how much the score of a node's first community is above the others

RECIPE = Recipe(
    name="cora-communities",
    task="community-detection",
    data="cora",
    model={"communities": 30},
    inputs={"component": "largest"},
    optimizer={"adam": 0.05},
    batch_size=0,
    epochs=200,
    minutes=0.2,
    expect={
        "test_modularity": Expect(
            0.78, "required: Louvain's method, by NetworkX, reaches 0.80 with 29 communities", "at least"
        )
    },
    tiny={"data": "communities", "model.communities": 2, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class SoftModularity(Model):
    """x: (batch, 1 or more), nodes from 0, of which the first is asked about -> its shares: (batch, communities).

    Args:
        degrees: the weight of the edges at each node.
        communities: how many, at most.
        resolution: g.
        seed: of the first scores, and of the spectral start.
    """

    tasks = ("community-detection",)

    def __init__(
        self,
        degrees: Sequence[float] = (1.0, 1.0),
        communities: int = 2,
        resolution: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.degrees, self.communities, self.resolution, self.seed = list(degrees), communities, resolution, seed
        if communities < 1 or communities > len(self.degrees):
            raise ValueError(
                f"communities={communities}: the graph has {len(self.degrees)} nodes; take 1 or more of them"
            )
        share = np.asarray(self.degrees, "float32")
        self.share = share / max(float(share.sum()), 1e-12)

    def build(self, input_shape: Any) -> None:
        near_even = initializers.RandomNormal(stddev=0.1, seed=self.seed)
        shape = (len(self.degrees), self.communities)
        self.scores = self.add_weight(
            shape=shape, initializer=near_even, autocast=False, dtype="float32", name="scores"
        )

    def call(self, x: Any, training: bool = False) -> Any:
        return self.shares(ops.cast(x, "int32")[:, 0])

    def shares(self, nodes: Any) -> Any:
        """Nodes (batch,) -> c: (batch, communities)."""
        every = ops.softmax(ops.convert_to_tensor(self.scores) * 1.0)  # a dense gradient, the same on every backend
        return ops.take(every, nodes, axis=0)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        ends = ops.cast(x, "int32")
        together = ops.sum(self.shares(ends[:, 0]) * self.shares(ends[:, 1]), axis=-1)  # (batch,)
        weight = ops.ones_like(together)
        for factor in (y, sample_weight):
            weight = weight if factor is None else weight * ops.cast(factor, weight.dtype)
        within = ops.sum(weight * together) / ops.maximum(ops.sum(weight), 1e-12)
        volume = ops.matmul(self.share, ops.softmax(ops.convert_to_tensor(self.scores) * 1.0))  # (communities,)
        return self.resolution * ops.sum(ops.square(volume)) - within

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Start from spectral clustering of the edges x (m, 2) with weights y (m,)."""
        if not self.built:
            self.build(np.shape(x))
        groups = spectral_clustering(joined(x, len(self.degrees), y), self.communities, seed=self.seed)
        uneven = np.random.default_rng(self.seed).normal(0, 0.1, self.scores.shape)
        self.scores.assign(uneven + SURE * np.eye(self.communities)[groups])
