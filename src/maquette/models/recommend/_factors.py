"""What factorisations of ratings share: biases, a vector for each user and item, and their product."""

from typing import Any

import numpy as np
from keras import ops

from maquette.core.model import Model, learning_rule
from maquette.layers.id_embedding import IdEmbedding


class Factors(Model):
    """x: (batch, 2), numbers of user and item from 1, 0 for an unknown one -> rating: (batch,).

    r_ui = mean + b_u + b_i + taste_u.q_i; the loss is the mean of the squared errors plus `decay` times the penalty.
    """

    def __init__(
        self,
        users: int = 1,
        items: int = 1,
        low: float = 1.0,
        high: float = 5.0,
        factors: int = 50,
        decay: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would take one id for another
        self.users, self.items, self.low, self.high = users, items, low, high
        self.factors, self.decay, self.seed = factors, decay, seed
        self.b_user = IdEmbedding(users, 1, deviation=0, name="b_user")
        self.b_item = IdEmbedding(items, 1, deviation=0, name="b_item")
        self.p = IdEmbedding(users, factors, seed=seed, name="p")
        self.q = IdEmbedding(items, factors, seed=seed + 1, name="q")

    def build(self, input_shape: Any) -> None:
        self.average = self.add_weight(shape=(), initializer="zeros", trainable=False, autocast=False, name="mean")
        super().build(input_shape)

    def initialize(self, x: np.ndarray, y: np.ndarray) -> None:
        """Set the mean to that of the ratings y (m,)."""
        if not self.built:
            self.build(x.shape)
        self.average.assign(np.mean(y, dtype="float64"))

    def taste(self, users: Any) -> Any:
        """users: (batch,) -> what items are multiplied with: (batch, factors)."""
        return self.p(users)

    def call(self, x: Any, training: bool = False) -> Any:
        user, item = x[:, 0], x[:, 1]
        biases = self.b_user(user) + self.b_item(item)  # (batch, 1)
        return self.average + ops.squeeze(biases, -1) + ops.sum(self.taste(user) * self.q(item), axis=-1)

    def serve(self, x: Any) -> Any:
        """Ratings within the scale: (batch,)."""
        return ops.clip(self(x, training=False), self.low, self.high)

    def catalogue(self, users: Any) -> Any:
        """users: (batch,) -> ratings of all items, beyond the scale too: (batch, items + 1), column 0 unknown."""
        biases = self.b_user(users) + ops.transpose(self.b_item.table())
        return self.average + biases + ops.matmul(self.taste(users), ops.transpose(self.q.table()))

    def item_vectors(self) -> Any:
        """What items are compared by: (items + 1, factors)."""
        return self.q.table()

    def penalty(self, user: Any, item: Any) -> Any:
        """What the loss of a rating pays for the size of its biases and vectors: (batch,)."""
        parts = (self.b_user(user), self.b_item(item), self.p(user), self.q(item))
        return self.decay * sum(ops.sum(ops.square(part), axis=-1) for part in parts)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        error = ops.square(ops.cast(y, y_pred.dtype) - y_pred)  # (batch,)
        return ops.average(error + self.penalty(x[:, 0], x[:, 1]), weights=sample_weight)
