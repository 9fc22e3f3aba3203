"""Restricted Boltzmann machine of ratings: a user is the vector of his ratings, of which most are missing.

Visible     V: a one-hot v_i of K levels for each rated item i; items that are not rated are no part of the machine
Energy      E(V, h) = -sum_{i rated} (b_i.v_i + v_i.W_i.h) - (c + sum_{i rated} D_i).h         h: (hidden,) in {0, 1}
            W_i: (K, hidden), shared by all users; D only if `conditional`: that an item was rated tells something too
Factored    W_i = A_i B,  A_i: (K, factors), B: (factors, hidden), shared by the items; without `factors` W_i = A_i
Conditional p(h_j = 1|V) = sigmoid(a_j),  a = c + sum_{i rated} (v_i W_i + D_i);  p(v_i|h) = softmax(b_i + W_i h)
Free energy F(V) = -sum_{i rated} b_i.v_i - sum_j softplus(a_j)
Loss        mean over users of F(V) - F(V'), V' held constant: `steps` Gibbs sweeps from V, over the rated items only.
            A batch holds ratings; each stands for its user's whole vector, and for 1/n of it if there are n ratings
Prediction  of item q from the other ratings, k = 1..K:
            expected, most-likely   p(k|V) ~ exp(b_qk) prod_j (1 + exp(a_j + W_qkj)), its mean or its mode
            mean-field              p(k) ~ exp(b_qk + sum_j W_qkj sigmoid(a_j)), its mean
            sampled                 h drawn from p(h|V), then a level from p(v_q|h)
Unknown     a user without ratings has a = c; an item without ratings, or level, has the levels' shares among all

`by="item"` exchanges the parts: an item is the vector of its users' ratings. The expected rating has the least squared
error; to draw h from p(h|V) is an approximation. Ratings are kept, a byte a pair: see maquette.layers.rating_history.

Source: Salakhutdinov, Mnih, Hinton (2007), "Restricted Boltzmann machines for collaborative filtering", sections 2-5;
by item: Sedhain, Menon, Sanner, Xie (2015), "AutoRec", where it is compared.

Example:
    >>> import numpy as np
    >>> from maquette.models.recommend.rating_rbm import RatingRBM
    >>> model = RatingRBM(users=2, items=3, hidden_units=4)
    >>> model.initialize(np.array([[1, 1], [1, 2], [2, 1]], "float32"), np.array([5.0, 1.0, 5.0], "float32"))
    >>> model.probabilities(np.array([[1, 3]], "float32")).shape == (1, 5)
    True
"""

from typing import Any, Literal

import keras
import numpy as np
from keras import initializers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.noise import Noise
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.layers.rating_history import RatingHistory

RECIPE = Recipe(
    name="ml100k-rbm",
    task="recommendation",
    data="movielens_100k",
    model={"hidden_units": 100, "factors": 20, "conditional": True, "decay": 0.005, "smoothness": 0.5},
    optimizer={"adam": 0.005},
    schedule="cosine",
    batch_size=256,
    epochs=2,
    seeds=5,
    minutes=3,
    expect={"test_rmse": Expect(0.95, "required: what the means of item and user reach together")},
    tiny={"data": "tastes", "model": {"hidden_units": 4, "factors": 2, "smoothness": 0.1}, "batch_size": 64},
)

LEVELS = 20  # at most


@keras.saving.register_keras_serializable("maquette")
class RatingRBM(Model):
    """x: (batch, 2), numbers of user and item from 1, 0 for an unknown one -> rating: (batch,).

    Args:
        users: number of users.
        items: number of items.
        low: the lowest rating, level 1.
        high: the highest rating, level K.
        step: from one level to the next.
        by: whose vectors the machine models, "user" or "item".
        hidden_units: number of hidden units.
        factors: rank of the W_i, 0 for a W_i each.
        conditional: whether D is there.
        steps: Gibbs sweeps per update.
        decay: weight of the penalty (|A|^2 + |B|^2 + |D|^2) / 2, of those that are there.
        smoothness: weight of the penalty sum_ik |A_ik - A_i,k+1|^2 / 2, since levels have an order. Not in the source.
        prediction: "expected", "most-likely", "mean-field" or "sampled".
        seed: of the start and the sampling.
    """

    tasks = ("recommendation",)
    tracked = ("squared_error",)
    monitor = "squared_error"

    def __init__(
        self,
        users: int = 1,
        items: int = 1,
        low: float = 1.0,
        high: float = 5.0,
        step: float = 1.0,
        by: Literal["user", "item"] = "user",
        hidden_units: int = 100,
        factors: int = 0,
        conditional: bool = False,
        steps: int = 1,
        decay: float = 0.01,
        smoothness: float = 0.0,
        prediction: Literal["expected", "most-likely", "mean-field", "sampled"] = "expected",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would take one id for another
        self.users, self.items, self.low, self.high, self.step, self.by = users, items, low, high, step, by
        self.hidden_units, self.factors, self.conditional = hidden_units, factors, conditional
        self.steps, self.decay, self.smoothness, self.prediction = steps, decay, smoothness, prediction
        self.seed, self.noise = seed, Noise(seed, dtype="float32")
        self.levels = round((high - low) / step) + 1
        if not 2 <= self.levels <= LEVELS:
            raise InputError(f"{self.levels} levels from {low:g} to {high:g}: set model.step for 2 to {LEVELS} of them")
        self.row, self.column = (0, 1) if by == "user" else (1, 0)
        self.rows, self.columns = (users, items) if by == "user" else (items, users)
        self.rated = RatingHistory(self.rows, self.columns)

    def build(self, input_shape: Any) -> None:
        visible, hidden = self.columns + 1, self.hidden_units
        start = {"initializer": "zeros", "autocast": False}
        small = {**start, "initializer": initializers.RandomNormal(0.0, 0.1 if self.factors else 0.01, seed=self.seed)}
        self.A = self.add_weight(shape=(visible, self.levels, self.factors or hidden), **small, name="A")
        if self.factors:
            small["initializer"] = initializers.RandomNormal(0.0, 0.1, seed=self.seed + 1)
            self.B = self.add_weight(shape=(self.factors, hidden), **small, name="B")
        self.b = self.add_weight(shape=(visible, self.levels), **start, name="b")
        self.c = self.add_weight(shape=(hidden,), **start, name="c")
        if self.conditional:
            self.D = self.add_weight(shape=(visible, hidden), **start, name="D")
        self.built = True

    def initialize(self, x: np.ndarray, y: np.ndarray) -> None:
        """Keep the ratings, and start b at the log of the levels' shares, drawn to those of all by one such rating."""
        if not self.built:
            self.build(x.shape)
        level = np.rint((np.asarray(y) - self.low) / self.step).astype(int)
        if not np.allclose(self.low + level * self.step, y, atol=1e-3):
            raise InputError(f"a rating lies between the levels, which are {self.step:g} apart: set model.step")
        column = np.asarray(x, int)[:, self.column]
        self.rated.fill(x[:, self.row], x[:, self.column], level + 1)
        counts = np.zeros((self.columns + 1, self.levels))
        np.add.at(counts, (column, level), 1)
        shares = (counts.sum(axis=0) + 1) / (len(y) + self.levels)
        self.b.assign(np.log((counts + self.levels * shares) / (counts.sum(axis=1, keepdims=True) + self.levels)))

    def one_hot(self, levels: Any) -> Any:
        """levels: (...,) from 1, 0 for none -> (..., K), zeros for none."""
        return ops.one_hot(levels, self.levels + 1, dtype="float32")[..., 1:]

    @property
    def W(self) -> Any:
        """W_i of all items: (columns + 1, K, hidden)."""
        return self.widened(self.A * 1.0)

    def widened(self, A: Any) -> Any:
        """A (..., factors) -> A B (..., hidden); without factors A itself."""
        return ops.matmul(A, self.B) if self.factors else A

    def hidden_input(self, v: Any) -> Any:
        """a: v (batch, columns + 1, K) -> (batch, hidden)."""
        flat = ops.reshape(v, (-1, (self.columns + 1) * self.levels))
        a = self.c + self.widened(ops.matmul(flat, ops.reshape(self.A, (flat.shape[1], -1))))
        return a + ops.matmul(ops.sum(v, axis=-1), self.D) if self.conditional else a

    def visible_logits(self, h: Any) -> Any:
        """b + W h: h (batch, hidden) -> (batch, columns + 1, K)."""
        h = ops.matmul(h, ops.transpose(self.B)) if self.factors else h
        flat = ops.matmul(h, ops.transpose(ops.reshape(self.A, ((self.columns + 1) * self.levels, -1))))
        return self.b + ops.reshape(flat, (-1, self.columns + 1, self.levels))

    def free_energy(self, v: Any) -> Any:
        """F of one-hot ratings v (batch, columns + 1, K): (batch,)."""
        return -ops.sum(v * self.b, axis=(1, 2)) - ops.sum(ops.softplus(self.hidden_input(v)), axis=-1)

    def gibbs(self, v: Any, training: bool = True) -> Any:
        """`steps` sweeps from v, over the items that are rated in it: (batch, columns + 1, K)."""
        rated = ops.sum(v, axis=-1, keepdims=True)
        for _ in range(self.steps):
            h = self.noise.bernoulli(ops.sigmoid(self.hidden_input(v)), training)
            v = rated * self.one_hot(self.noise.categorical(self.visible_logits(h), training) + 1)
        return v

    def machine(self, x: Any) -> tuple[Any, Any, Any]:
        """x: (batch, 2) -> a without what q itself tells (batch, hidden), W_q (batch, K, hidden), b_q (batch, K)."""
        levels, column = self.rated(x[:, self.row]), x[:, self.column]
        known = ops.logical_and(column >= 1, column <= self.columns)
        q = ops.cast(ops.where(known, column, 0), "int32")
        own = self.one_hot(ops.sum(levels * ops.one_hot(q, self.columns + 1, dtype="int32"), axis=1))  # (batch, K)
        # Row 0, of an unknown, is in no rating, and keeps W and D next to nothing.
        W, b = self.widened(ops.take(self.A * 1.0, q, axis=0)), ops.take(self.b * 1.0, q, axis=0)
        a = self.hidden_input(self.one_hot(levels)) - ops.sum(ops.expand_dims(own, -1) * W, axis=1)
        if self.conditional:
            a = a - ops.sum(own, axis=-1, keepdims=True) * ops.take(self.D * 1.0, q, axis=0)
        return a, W, b

    def scores(self, a: Any, W: Any, b: Any) -> Any:
        """log p(k|V) up to a constant: a (..., hidden), W (..., K, hidden), b (..., K) -> (..., K)."""
        if self.prediction in ("expected", "most-likely"):
            # One level after the other, since all at once are large where all items are rated.
            parts = [ops.sum(ops.softplus(a + W[..., k, :]), axis=-1) for k in range(self.levels)]
        else:
            h = ops.sigmoid(a)
            h = self.noise.bernoulli(h, training=False) if self.prediction == "sampled" else h
            parts = [ops.sum(W[..., k, :] * h, axis=-1) for k in range(self.levels)]
        return b + ops.stack(parts, axis=-1)

    def probabilities(self, x: Any) -> Any:
        """p(k) of the levels of pairs x (batch, 2), by the rule of `prediction`: (batch, K)."""
        return ops.softmax(self.scores(*self.machine(x)))

    def rating(self, p: Any) -> Any:
        """The rating that probabilities p (..., K) are answered by: (...,)."""
        values = self.low + self.step * ops.arange(self.levels, dtype="float32")
        if self.prediction in ("expected", "mean-field"):
            return ops.sum(p * values, axis=-1)
        draw = self.prediction == "sampled"
        return ops.take(values, self.noise.categorical(ops.log(p), False) if draw else ops.argmax(p, axis=-1))

    def call(self, x: Any, training: bool = False) -> Any:
        return self.rating(self.probabilities(x))

    def catalogue(self, users: Any) -> Any:
        """users: (batch,) -> expected ratings of all items: (batch, items + 1), column 0 of an unknown."""
        if self.by == "user":
            a = ops.expand_dims(self.hidden_input(self.one_hot(self.rated(users))), 1)  # (batch, 1, hidden)
            W, b = self.W[None], self.b[None]
        else:
            a = self.of_rows()[None]  # (1, items + 1, hidden)
            own = ops.cast(users, "int32")
            W, b = (ops.expand_dims(ops.take(part, own, axis=0), 1) for part in (self.W, self.b * 1.0))
        values = self.low + self.step * ops.arange(self.levels, dtype="float32")
        return ops.sum(ops.softmax(self.scores(a, W, b)) * values, axis=-1)

    def of_rows(self) -> Any:
        """a of every row: (rows + 1, hidden)."""
        return self.hidden_input(self.one_hot(self.rated(ops.arange(self.rows + 1))))

    def item_vectors(self) -> Any:
        """What items are compared by: W_i, or by item p(h|V): (items + 1, ...)."""
        return ops.reshape(self.W, (self.columns + 1, -1)) if self.by == "user" else ops.sigmoid(self.of_rows())

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        v = self.one_hot(self.rated(x[:, self.row]))
        gap = self.free_energy(v) - self.free_energy(ops.stop_gradient(self.gibbs(v, training)))  # (batch,)
        share = 1.0 / ops.maximum(ops.sum(v, axis=(1, 2)), 1.0)
        self.track(x, squared_error=ops.mean(ops.square(ops.cast(y, "float32") - y_pred)))
        penalty = sum(ops.sum(ops.square(getattr(self, n))) for n in ("A", "B", "D") if hasattr(self, n))
        weight = share if sample_weight is None else share * ops.cast(sample_weight, "float32")
        rough = ops.sum(ops.square(self.A[:, 1:] - self.A[:, :-1]))
        return ops.average(gap, weights=weight) + self.decay / 2 * penalty + self.smoothness / 2 * rough
