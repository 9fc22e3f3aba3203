"""Matrix factorisation with biases: a rating is the product of a taste and a kind, both learned from ratings alone.

Prediction  r_ui = mean + b_u + b_i + p_u.q_i              p_u, q_i: (factors,)
Loss        L = (1/m) sum_{(u,i) rated} e_ui^2 + decay (b_u^2 + b_i^2 + |p_u|^2 + |q_i|^2),   e_ui = t_ui - r_ui
Rule        dL/dp_u = -(2/m) sum_i (e_ui q_i - decay p_u), and so on: pairs that are not rated have no say.
            `compute_loss` takes a batch of ratings, `descend` one after the other, compiled by Numba
Closed form for fixed items, (p_u, b_u) = (Z'Z + decay n_u I)^-1 Z'(t_u - mean - b), Z the rows (q_i, 1) of the n_u
            items that u has rated; `solve` takes users and items in turns, and no turn raises the loss
Unknown     an id of 0 has b = 0 and p = 0: mean + b_i for a new user, mean + b_u for a new item

The mean is that of the training ratings, and is not learned. Ratings are taken to be missing at random, which they are
not: people rate what they chose. Without a rating scale, of clicks and purchases, take implicit_als.

Source: Koren, Bell, Volinsky (2009), "Matrix factorization techniques for recommender systems", equations 4 and 5;
Zhou, Wilkinson, Schreiber, Pan (2008), "Large-scale parallel collaborative filtering for the Netflix prize", section 3.

Example:
    >>> import numpy as np
    >>> from maquette.models.recommend.matrix_factorization import MatrixFactorization
    >>> model = MatrixFactorization(users=2, items=2, factors=1, decay=1e-4)
    >>> x, y = np.array([[1, 1], [1, 2], [2, 1]], "float32"), np.array([5.0, 1.0, 4.0], "float32")
    >>> model.solve(x, y)
    >>> np.asarray(model(x)).round(1).tolist()
    [5.0, 1.0, 4.0]
"""

import keras
import numpy as np
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.models.recommend._factors import Factors

RECIPE = Recipe(
    name="ml100k-mf",
    task="recommendation",
    data="movielens_100k",
    model={"factors": 100, "decay": 0.1},
    optimizer={"adam": 0.01},
    schedule="cosine",
    batch_size=1000,
    epochs=30,
    seeds=5,
    minutes=0.5,
    expect={"test_rmse": Expect(0.935, "0.934 of Surprise's SVD, mean over five folds drawn at random")},
    tiny={"data": "tastes", "model.factors": 2, "epochs": 3, "batch_size": 64},
)


@keras.saving.register_keras_serializable("maquette")
class MatrixFactorization(Factors):
    """x: (batch, 2), numbers of user and item from 1, 0 for an unknown one -> rating: (batch,).

    Args:
        users: number of users.
        items: number of items.
        low: the lowest rating; answers are not below it.
        high: the highest rating.
        factors: length of p and q.
        decay: weight of the penalty.
        seed: of the start of p and q.
    """

    tasks = ("recommendation",)

    def descend(self, x: np.ndarray, y: np.ndarray, epochs: int = 1, rate: float = 0.01, seed: int = 0) -> list[float]:
        """Gradient descent rating by rating, `rate` times half the gradient of its loss; returns the loss per epoch.

        Runs on one core of the CPU whatever the backend. Raises InputError where Numba is not installed.
        """
        try:
            from maquette.models.recommend._kernels import sgd_epoch
        except ImportError as error:
            raise InputError("descend is compiled by Numba: pip install 'maquette[fast]'") from error
        self.initialize(x, y)
        layers = (self.b_user, self.b_item, self.p, self.q)
        b_user, b_item, p, q = tables = [np.array(ops.convert_to_numpy(layer.embeddings)) for layer in layers]
        pairs, ratings = np.ascontiguousarray(x.T, "int32"), np.asarray(y, "float32")
        mean, losses, state = float(np.mean(y, dtype="float64")), [], (b_user[:, 0], b_item[:, 0], p, q)
        for epoch in range(epochs):
            order = np.random.default_rng((seed, epoch)).permutation(len(y))
            losses.append(sgd_epoch(pairs, ratings, order, mean, state, rate, self.decay) / len(y))
        for layer, table in zip(layers, tables):
            layer.embeddings.assign(table)
        return losses

    def solve(self, x: np.ndarray, y: np.ndarray, sweeps: int = 10) -> None:
        """Alternate between users and items, each solved exactly, from where the factors are; x: (m, 2), y: (m,)."""
        self.initialize(x, y)
        pairs, rest = np.asarray(x, "int64"), np.asarray(y, "float64") - np.mean(y, dtype="float64")
        layers = ((self.p, self.b_user), (self.q, self.b_item))
        sides = [[np.array(ops.convert_to_numpy(t.embeddings), "float64") for t in side] for side in layers]
        rows = [_rows_of(pairs[:, 0]), _rows_of(pairs[:, 1])]
        for turn in range(2 * sweeps):
            own, other = turn % 2, 1 - turn % 2
            (factors, bias), (others, other_bias) = sides[own], sides[other]
            for number, mine in rows[own]:
                across = pairs[mine, other]
                z = np.column_stack([others[across], np.ones(len(mine))])
                square = np.matmul(z.T, z) + self.decay * len(mine) * np.eye(z.shape[1])
                solution = np.linalg.solve(square, np.matmul(z.T, rest[mine] - other_bias[across, 0]))
                factors[number], bias[number] = solution[:-1], solution[-1]
        for side, found in zip(layers, sides):
            for layer, table in zip(side, found):
                layer.embeddings.assign(table)


def _rows_of(ids: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Every id and the rows where it stands."""
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(ids[order]) > 0))
    return [(int(ids[rows[0]]), rows) for rows in np.split(order, starts[1:])]
