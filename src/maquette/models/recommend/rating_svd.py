"""Singular value decomposition of filled-in ratings: the best factors of a whole matrix, then of what is known.

Matrix      R (users, items): a rating less mean + b_u + b_i where there is one, 0 where there is none
Factors     R = U S V' cut to the `factors` largest singular values: rows p_u of U S^(1/2), columns q_i of S^(1/2) V'
Prediction  r_ui = mean + b_u + b_i + p_u.q_i              of all matrices of that rank the nearest to the filled one
Loss        L = (1/m) sum_{(u,i) rated} e_ui^2 + decay (|p_u|^2 + |q_i|^2),   e_ui = t_ui - r_ui
Rule        gradient descent on p and q from there: it undoes the zeros, which nobody has rated. A rate of 0 keeps the
            decomposition as it is
Unknown     a new user has b = 0 and p = 0, a new item likewise

The biases are means of what is left, b_i of the ratings less their mean, b_u of that less b_i, drawn to 0 as by SHRINK
ratings of 0, without which an item rated once would be the best or the worst. They do not learn. All pairs are held at
once for the decomposition, 8 bytes each. With few ratings the zeros draw all products down.

Source: Billsus, Pazzani (1998), "Learning collaborative information filters", section 3; Sarwar, Karypis, Konstan,
Riedl (2000), "Application of dimensionality reduction in recommender system", section 3 (U S^(1/2) and S^(1/2) V');
Halko, Martinsson, Tropp (2011), "Finding structure with randomness", algorithms 4.4 and 5.1 (the decomposition).

Example:
    >>> import numpy as np
    >>> from maquette.models.recommend.rating_svd import RatingSVD
    >>> model = RatingSVD(users=2, items=2, factors=2)
    >>> x = np.array([[1, 1], [1, 2], [2, 1], [2, 2]], "float32")
    >>> model.initialize(x, np.array([5.0, 1.0, 2.0, 4.0]))
    >>> np.asarray(model(x)).round(4).tolist()
    [5.0, 1.0, 2.0, 4.0]
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.models.recommend._factors import Factors

RECIPE = Recipe(
    name="ml100k-svd",
    task="recommendation",
    data="movielens_100k",
    model={"factors": 10, "decay": 0.1},
    optimizer={"adam": 0.003},
    schedule="cosine",
    batch_size=1000,
    epochs=15,
    seeds=5,
    minutes=0.2,
    expect={"test_rmse": Expect(0.94, "required: below the mean of item and user together")},
    tiny={"data": "tastes", "model.factors": 2, "epochs": 3, "batch_size": 64},
)

MOST_PAIRS = 2**28
SHRINK = 5  # ratings
SPARE, TURNS = 10, 8  # directions beyond those wanted, and how often they are turned towards the largest ones


@keras.saving.register_keras_serializable("maquette")
class RatingSVD(Factors):
    """x: (batch, 2), numbers of user and item from 1, 0 for an unknown one -> rating: (batch,).

    Args:
        users: number of users.
        items: number of items.
        low: the lowest rating; answers are not below it.
        high: the highest rating.
        factors: how many singular values are kept.
        decay: weight of the penalty.
        seed: of the directions that the decomposition starts from.
    """

    tasks = ("recommendation",)

    def __init__(
        self,
        users: int = 1,
        items: int = 1,
        low: float = 1.0,
        high: float = 5.0,
        factors: int = 10,
        decay: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if users * items > MOST_PAIRS:
            raise InputError(f"{users} users times {items} items are too many to decompose; take matrix_factorization")
        super().__init__(users, items, low, high, factors, decay, seed, **kwargs)
        self.b_user.trainable = self.b_item.trainable = False

    def initialize(self, x: np.ndarray, y: np.ndarray) -> None:
        """Set biases and factors to the decomposition of the ratings y (m,) of pairs x (m, 2)."""
        super().initialize(x, y)
        user, item = np.asarray(x, int).T
        mean = np.mean(y, dtype="float64")
        b_item = _means(item, y - mean, self.items)
        b_user = _means(user, y - mean - b_item[item], self.users)
        rest = np.zeros((self.users + 1, self.items + 1))
        rest[user, item] = y - mean - b_item[item] - b_user[user]
        u, s, v = _leading(rest, self.factors, np.random.default_rng(self.seed))
        self.b_user.embeddings.assign(b_user[:, np.newaxis])
        self.b_item.embeddings.assign(b_item[:, np.newaxis])
        for layer, vectors in ((self.p, u), (self.q, v)):
            table = np.zeros(layer.embeddings.shape)
            table[:, : len(s)] = vectors * np.sqrt(s)
            layer.embeddings.assign(table)

    def penalty(self, user: Any, item: Any) -> Any:
        return self.decay * sum(ops.sum(ops.square(part), axis=-1) for part in (self.p(user), self.q(item)))


def _leading(matrix: np.ndarray, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first `count` singular values s (k,), and vectors u (rows, k) and v (columns, k), by a random subspace."""
    basis = random.normal(size=(matrix.shape[1], min(count + SPARE, *matrix.shape)))
    for _ in range(TURNS):
        basis = np.linalg.qr(np.matmul(matrix, basis))[0]
        basis = np.linalg.qr(np.matmul(matrix.T, basis))[0]
    u, s, v = np.linalg.svd(np.matmul(matrix, basis), full_matrices=False)
    return u[:, :count], s[:count], np.matmul(basis, v.T)[:, :count]


def _means(ids: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """The shrunken mean value of each id from 0 to count, 0 of one without values."""
    return np.bincount(ids, values, count + 1) / (np.bincount(ids, minlength=count + 1) + SHRINK)
