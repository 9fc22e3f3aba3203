"""Implicit matrix factorisation: from who took what, and how often, to what they will want, by least squares in turns.

Preference  1 for a pair that was seen, 0 for every other one
Confidence  c_ui = 1 + alpha t_ui, t_ui the rating, the count or 1; 1 for a pair that was not seen
Score       s_ui = x_u.y_i                                 x_u, y_i: (factors,)
Loss        L = (1/m) [sum_{all (u,i)} c_ui (preference - s_ui)^2 + decay (sum_u |x_u|^2 + sum_i |y_i|^2)]
            m the pairs seen. The sum over all pairs is one over the seen ones, c (1 - s)^2 - s^2, plus that of s^2
            over all, which is x_u.(Y'Y).x_u for a user: n_u pairs of his bear 1/n_u of it each
Closed form x_u = (Y'Y + Y'(C_u - 1)Y + decay I)^-1 Y'C_u 1, and so for items: `solve` takes them in turns, and no turn
            raises the loss. Y'Y is computed once for all users
Unknown     an id of 0 scores 0

Scores order items and are no ratings: lists are judged, not errors (`rates` says so). `compute_loss` is the same loss
for a batch of seen pairs, which `initialize` has counted. Whoever likes only what few others know is served badly.

Source: Hu, Koren, Volinsky (2008), "Collaborative filtering for implicit feedback datasets", equations 3 to 5.

Example:
    >>> import numpy as np
    >>> from maquette.models.recommend.implicit_als import ImplicitALS
    >>> model = ImplicitALS(users=2, items=3, factors=2, decay=0.1)
    >>> x = np.array([[1, 1], [1, 2], [2, 3]], "float32")
    >>> model.solve(x, np.ones(3))
    >>> scores = np.asarray(model(np.array([[1, 1], [1, 3]], "float32")))
    >>> bool(scores[0] > 0.5 > scores[1])
    True
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Expect, Recipe
from maquette.layers.id_embedding import IdEmbedding

RECIPE = Recipe(
    name="ml100k-implicit",
    task="recommendation",
    data="movielens_100k",
    model={"factors": 32, "alpha": 1.0, "decay": 10.0},
    optimizer={"adam": 0.01},
    schedule="cosine",
    batch_size=1000,
    epochs=30,
    seeds=5,
    minutes=0.5,
    expect={"test_ndcg@10": Expect(0.2, "required: more than the most popular items reach", "at least")},
    tiny={"data": "tastes", "model.factors": 2, "epochs": 3, "batch_size": 64},
)


@keras.saving.register_keras_serializable("maquette")
class ImplicitALS(Model):
    """x: (batch, 2), numbers of user and item from 1, 0 for an unknown one -> score: (batch,).

    Args:
        users: number of users.
        items: number of items.
        factors: length of x and y.
        alpha: what a rating, or a count, adds to the confidence.
        decay: weight of the penalty.
        seed: of the start of x and y.
    """

    tasks = ("recommendation",)
    rates = False

    def __init__(
        self,
        users: int = 1,
        items: int = 1,
        factors: int = 32,
        alpha: float = 1.0,
        decay: float = 10.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would take one id for another
        self.users, self.items, self.factors = users, items, factors
        self.alpha, self.decay, self.seed = alpha, decay, seed
        self.x = IdEmbedding(users, factors, seed=seed, name="x")
        self.y = IdEmbedding(items, factors, seed=seed + 1, name="y")

    def build(self, input_shape: Any) -> None:
        self.counts = [
            self.add_weight(shape=(n + 1,), initializer="ones", trainable=False, autocast=False, name=f"seen_{name}")
            for n, name in ((self.users, "user"), (self.items, "item"))
        ]
        super().build(input_shape)

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Count the seen pairs x (m, 2) of every user and item."""
        if not self.built:
            self.build(x.shape)
        for column, count in enumerate(self.counts):
            count.assign(np.maximum(np.bincount(np.asarray(x, int)[:, column], minlength=count.shape[0]), 1))

    def call(self, x: Any, training: bool = False) -> Any:
        return ops.sum(self.x(x[:, 0]) * self.y(x[:, 1]), axis=-1)

    def catalogue(self, users: Any) -> Any:
        """users: (batch,) -> scores of all items: (batch, items + 1), column 0 of an unknown one."""
        return ops.matmul(self.x(users), ops.transpose(self.y.table()))

    def item_vectors(self) -> Any:
        """What items are compared by: (items + 1, factors)."""
        return self.y.table()

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        user, item = x[:, 0], x[:, 1]
        mine, its, table = self.x(user), self.y(item), self.y.table()
        n_user, n_item = (
            ops.take(count.value, ops.cast(ids, "int32"), axis=0) for count, ids in zip(self.counts, (user, item))
        )
        seen = (1 + self.alpha * ops.cast(y, "float32")) * ops.square(1 - y_pred) - ops.square(y_pred)
        gram = ops.matmul(ops.transpose(table), table)  # (factors, factors)
        everything = ops.sum(ops.matmul(mine, gram) * mine, axis=-1) / n_user
        penalty = ops.sum(ops.square(mine), axis=-1) / n_user + ops.sum(ops.square(its), axis=-1) / n_item
        return ops.average(seen + everything + self.decay * penalty, weights=sample_weight)

    def solve(self, x: np.ndarray, y: np.ndarray, sweeps: int = 15) -> None:
        """Alternate between users and items, each solved exactly, from where the factors are; x: (m, 2), y: (m,)."""
        self.initialize(x, y)
        pairs, extra = np.asarray(x, "int64"), self.alpha * np.asarray(y, "float64")  # c - 1
        tables = [np.array(ops.convert_to_numpy(layer.table()), "float64") for layer in (self.x, self.y)]
        for table, column in zip(tables, pairs.T):
            table[np.setdiff1d(np.arange(len(table)), column)] = 0  # whom no pair speaks of
        for turn in range(2 * sweeps):
            own, others = turn % 2, tables[1 - turn % 2]
            shared = np.matmul(others.T, others) + self.decay * np.eye(self.factors)
            order = np.argsort(pairs[:, own], kind="stable")
            starts = np.flatnonzero(np.append(True, np.diff(pairs[order, own]) > 0))
            for rows in np.split(order, starts[1:]):
                z, c = others[pairs[rows, 1 - own]], extra[rows, np.newaxis]
                solution = np.linalg.solve(shared + np.matmul(z.T, c * z), np.sum((1 + c) * z, axis=0))
                tables[own][pairs[rows[0], own]] = solution
        for layer, table in zip((self.x, self.y), tables):
            layer.embeddings.assign(table)
