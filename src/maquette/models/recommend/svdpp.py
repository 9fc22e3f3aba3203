"""SVD++: matrix factorisation in which what a user has chosen to rate tells of his taste, whatever the ratings were.

Prediction  r_ui = mean + b_u + b_i + q_i.(p_u + |N(u)|^(-1/2) sum_{j in N(u)} y_j)      N(u): the items rated by u
Loss        L = (1/m) sum_{(u,i) rated} e_ui^2 + decay (b_u^2 + b_i^2 + |p_u|^2 + |q_i|^2) + implicit |y_N(u)|^2,
            |y_N(u)|^2 the mean of |y_j|^2 over N(u), e_ui = t_ui - r_ui
Rule        dL/dy_j = -(2/m) sum_{(u,i): j in N(u)} e_ui |N(u)|^(-1/2) q_i + penalty: every rating of a user teaches all
            the items that he has rated
Unknown     a new user has b = 0, p = 0 and no N: mean + b_i; a new item gives mean + b_u

N(u) is part of the model, a byte for each pair of user and item: see maquette.layers.rating_history. A rating enters
its own prediction by N(u), so that the training error flatters.

Source: Koren (2008), "Factorization meets the neighborhood: a multifaceted collaborative filtering model", section 4.

Example:
    >>> import numpy as np
    >>> from maquette.models.recommend.svdpp import SVDpp
    >>> model = SVDpp(users=2, items=3, factors=4)
    >>> x, y = np.array([[1, 1], [1, 2], [2, 1]], "float32"), np.array([5.0, 1.0, 3.0], "float32")
    >>> model.initialize(x, y)
    >>> np.asarray(model(np.array([[0, 0]], "float32"))).tolist()
    [3.0]
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.layers.id_embedding import IdEmbedding
from maquette.layers.rating_history import RatingHistory
from maquette.models.recommend._factors import Factors

RECIPE = Recipe(
    name="ml100k-svdpp",
    task="recommendation",
    data="movielens_100k",
    model={"factors": 20, "decay": 0.1, "implicit": 2.0},
    optimizer={"adam": 0.01},
    schedule="cosine",
    batch_size=1000,
    epochs=20,
    seeds=5,
    minutes=1,
    expect={"test_rmse": Expect(0.92, "0.919 of Surprise's SVD++, mean over five folds drawn at random")},
    tiny={"data": "tastes", "model.factors": 2, "epochs": 3, "batch_size": 64},
)


@keras.saving.register_keras_serializable("maquette")
class SVDpp(Factors):
    """x: (batch, 2), numbers of user and item from 1, 0 for an unknown one -> rating: (batch,).

    Args:
        users: number of users.
        items: number of items.
        low: the lowest rating; answers are not below it.
        high: the highest rating.
        factors: length of p, q and y.
        decay: weight of the penalty on biases, p and q.
        implicit: weight of the penalty on y.
        seed: of the start of p, q and y.
    """

    tasks = ("recommendation",)

    def __init__(
        self,
        users: int = 1,
        items: int = 1,
        low: float = 1.0,
        high: float = 5.0,
        factors: int = 20,
        decay: float = 0.1,
        implicit: float = 2.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(users, items, low, high, factors, decay, seed, **kwargs)
        self.implicit = implicit
        self.y = IdEmbedding(items, factors, seed=seed + 2, name="y")
        self.rated = RatingHistory(users, items)

    def initialize(self, x: np.ndarray, y: np.ndarray) -> None:
        """Set the mean to that of the ratings y (m,), and N(u) to the pairs x (m, 2)."""
        super().initialize(x, y)
        self.rated.fill(x[:, 0], x[:, 1], np.ones(len(x)))

    def chosen(self, users: Any) -> Any:
        """users: (batch,) -> 1 / |N(u)| for each item in N(u), 0 for the others: (batch, items + 1)."""
        rated = ops.cast(self.rated(users), "float32")
        return rated / ops.maximum(ops.sum(rated, axis=-1, keepdims=True), 1.0)

    def taste(self, users: Any) -> Any:
        """p_u and what N(u) adds to it: (batch, factors)."""
        chosen = self.chosen(users)
        root = ops.sqrt(ops.maximum(ops.max(chosen, axis=-1, keepdims=True), 1e-9))  # |N(u)|^(-1/2)
        return self.p(users) + ops.matmul(chosen, self.y.table()) / root

    def penalty(self, user: Any, item: Any) -> Any:
        squares = ops.sum(ops.square(self.y.table()), axis=-1)  # (items + 1,)
        return super().penalty(user, item) + self.implicit * ops.matmul(self.chosen(user), squares)
