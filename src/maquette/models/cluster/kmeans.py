"""Mini-batch k-means: each centre is the running mean of the points that it has won.

Assignment  a(x) = argmin_k |x - c_k|^2                   (batch, features) -> (batch,)
Loss        inertia per point, mean_i min_k |x_i - c_k|^2
Rule        no gradient: with n_k the points won so far, c_k moves by sum_{i in batch: a(x_i) = k} (x_i - c_k) / n_k
Start       the centres are data points, chosen by `initialize` with k-means++; without it they are random normal

It finds a local minimum that depends on the start, and round clusters of like size only.

Source: Sculley (2010), "Web-scale k-means clustering", algorithm 1; Arthur and Vassilvitskii (2007),
"k-means++: the advantages of careful seeding".

Example:
    >>> import numpy as np
    >>> from maquette.models.cluster.kmeans import KMeans
    >>> model = KMeans(clusters=2)
    >>> model.initialize(np.array([[0.0], [0.1], [9.9], [10.0]], "float32"))
    >>> len(set(np.asarray(model(np.array([[0.0], [10.0]], "float32"))).tolist()))
    2
"""

from typing import Any

import keras
import numpy as np
from keras import initializers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="digits-kmeans",
    task="clustering",
    data="digits",
    model={"clusters": 10},
    batch_size=256,
    epochs=20,
    seeds=5,
    minutes=0.2,
    expect={"test_nmi": Expect(0.70, "required: scikit-learn's KMeans on the same split reaches 0.74", "at least")},
    tiny={"model.clusters": 3, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class KMeans(Model):
    """x: (batch, ...), flattened -> index of the nearest centre: (batch,), int32.

    Args:
        clusters: number of centres.
        seed: of the start.
    """

    tasks = ("clustering",)

    def __init__(self, clusters: int = 8, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clusters, self.seed = clusters, seed

    def build(self, input_shape: Any) -> None:
        features = 1
        for size in input_shape[1:]:
            features *= size
        spread = initializers.RandomNormal(0.0, 1.0, seed=self.seed)
        self.centres = self.add_weight(
            shape=(self.clusters, features), initializer=spread, trainable=False, name="centres"
        )
        self.count = self.add_weight(shape=(self.clusters,), initializer="ones", trainable=False, name="count")

    def distances(self, x: Any) -> Any:
        """x: (batch, ...) -> |x - c_k|^2: (batch, clusters)."""
        flat = ops.reshape(x, (ops.shape(x)[0], 1, -1))
        return ops.sum(ops.square(flat - self.centres), axis=-1)

    def call(self, x: Any, training: bool = False) -> Any:
        return ops.argmin(self.distances(x), axis=-1)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        distances = self.distances(x)
        if training:
            won = ops.one_hot(y_pred, self.clusters, dtype=x.dtype)  # (batch, clusters)
            size = ops.sum(won, axis=0)
            flat = ops.reshape(x, (ops.shape(x)[0], -1))
            pull = ops.matmul(ops.transpose(won), flat) - ops.expand_dims(size, -1) * self.centres
            self.count.assign(self.count + size)
            self.centres.assign(self.centres + pull / ops.expand_dims(self.count, -1))
        return ops.mean(ops.min(distances, axis=-1))

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Place the centres on points of `x` (m, ...), each with probability proportional to its |x - c|^2."""
        random, points = np.random.default_rng(self.seed), np.reshape(x, (len(x), -1))
        centres = [points[random.integers(len(points))]]
        nearest = np.full(len(points), np.inf)
        for _ in range(self.clusters - 1):
            nearest = np.minimum(nearest, np.square(points - centres[-1]).sum(axis=1))
            total = nearest.sum()
            chance = nearest / total if total > 0 else None
            centres.append(points[random.choice(len(points), p=chance)])
        if not self.built:
            self.build(x.shape)
        self.centres.assign(np.stack(centres))
        self.count.assign(np.ones(self.clusters))
