"""GloVe: the product of two words' vectors is the logarithm of how often the words meet.

Prediction  s = u_i.w_j + b_i + c_j                          word i, neighbour j            (batch,)
Weight      h(x) = min(1, (x / x_max)^alpha)                 0 at 0, 1 from x_max on
Loss        L = mean over the cells X_ij > 0 of  h(X_ij) e^2,     e = s - log X_ij
Rule        AdaGrad, a cell at a time: dL/du_i = 2 h e w_j, dL/dw_j = 2 h e u_i, dL/db_i = dL/dc_j = 2 h e;
            every component g of a gradient takes the step rate / sqrt(1 + sum of its g^2 so far)
Result      u + w; words and neighbours have like roles in a symmetric matrix

What tells i from k is the ratio of their chances to meet j, P(j | i) / P(j | k) = exp((u_i - u_k).w_j): differences of
vectors stand for ratios, and b takes log sum_j X_ij. Cells of 0 take no part, and those above x_max do not outweigh all
others. The text is read once, for its counts; a rare meeting counts as evidence, and words that never meet do not.
`inputs.weight` says how much a pair at distance d counts: 1 / d. With `adagrad` the cells are trained on by compiled
loops on the CPU (the extra `fast`), with any other optimizer by Keras on any device.

Source: Pennington, Socher, Manning (2014), "GloVe: global vectors for word representation", sections 3 and 4.2.

Example:
    >>> import numpy as np
    >>> from maquette.models.text.glove import GloVe
    >>> model = GloVe(words=["red", "green", "blue"], counts=[5, 3, 2], dim=8, x_max=16.0, alpha=0.5)
    >>> x, y = np.array([[1, 2], [3, 1]]), np.array([4.0, 1.0], "float32")
    >>> flat = np.zeros(2, "float32")  # instead of model(x)
    >>> round(float(model.compute_loss(x, y, flat)), 4)  # (0.5 log(4)^2 + 0.25 log(1)^2) / 2
    0.4805
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, ops

from maquette.core.model import learning_rule
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.models.text._word_model import WordTable

RECIPE = Recipe(
    name="english-glove",
    task="word-vectors",
    data="english_text",
    model={"dim": 100, "x_max": 10.0},
    inputs={"samples": "cells", "window": 10, "min_count": 5, "subsample": 0.0, "dynamic": False},
    optimizer={"adagrad": {"learning_rate": 0.05, "initial_accumulator_value": 1.0}},
    batch_size=1024,
    epochs=25,
    minutes=2,
    tiny={
        **{"data": "small_world", "model.dim": 8, "model.threads": 1, "epochs": 3},
        **{"inputs.window": 2, "inputs.min_count": 1},
    },
)


@keras.saving.register_keras_serializable("maquette")
class GloVe(WordTable):
    """x: (batch, 2), a word and its neighbour, numbers from 1 -> the predicted log count: (batch,); y: the count.

    Args:
        words: the vocabulary, the most frequent word first.
        counts: how often each occurs.
        dim: numbers in a vector.
        x_max: the count from which on all cells weigh alike; 100 for billions of words, less for fewer.
        alpha: the weight's exponent.
        threads: of the compiled loops; 0 takes all cores, 1 makes every run the same to the last bit.
        seed: of the first vectors.
    """

    tasks = ("word-vectors",)

    def __init__(
        self,
        words: Sequence[str] = ("a", "b"),
        counts: Sequence[int] = (1, 1),
        dim: int = 100,
        x_max: float = 100.0,
        alpha: float = 0.75,
        threads: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"name": "glove", **kwargs})
        self.words, self.counts, self.dim, self.x_max = list(words), list(counts), dim, x_max
        self.alpha, self.threads, self.seed = alpha, threads, seed
        if len(self.words) != len(self.counts) or len(self.words) < 2:
            raise ValueError("words: give at least two, with a count for each")
        if dim < 1 or not x_max > 0 or not alpha > 0:
            raise ValueError("dim is at least 1, x_max and alpha are above 0")

    def build(self, input_shape: Any) -> None:
        if input_shape[-1] != 2:
            raise InputError(f"inputs.samples=windows: {self.name} learns from cells; leave the setting out")
        count, reach = len(self.words), 0.5 / self.dim
        first, second = (initializers.RandomUniform(-reach, reach, seed=2 * self.seed + i) for i in (0, 1))
        self.U = self.add_weight(shape=(count, self.dim), initializer=first, name="U")
        self.W = self.add_weight(shape=(count, self.dim), initializer=second, name="W")
        self.b = self.add_weight(shape=(count,), initializer="zeros", name="b")
        self.c = self.add_weight(shape=(count,), initializer="zeros", name="c")

    def call(self, x: Any, training: bool = False) -> Any:
        ids = ops.maximum(ops.cast(x, "int32") - 1, 0)
        i, j = ids[:, 0], ids[:, 1]
        product = ops.sum(self.rows_of(self.U, i) * self.rows_of(self.W, j), axis=-1)
        return product + self.rows_of(self.b, i) + self.rows_of(self.c, j)

    def weight(self, counts: Any) -> Any:
        """h: counts (batch,) -> (batch,)."""
        return ops.minimum(1.0, (counts / self.x_max) ** self.alpha)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        counts = ops.cast(y, "float32")
        known = ops.cast((counts > 0) & ops.all(ops.cast(x, "int32") > 0, axis=-1), "float32")
        counts = ops.where(counts > 0, counts, 1.0)
        counted = known if sample_weight is None else known * ops.cast(sample_weight, "float32")
        error = ops.cast(y_pred, "float32") - ops.log(counts)
        return ops.sum(counted * self.weight(counts) * ops.square(error)) / ops.maximum(ops.sum(counted), 1e-7)

    def table(self) -> Any:
        return ops.convert_to_tensor(self.U) + ops.convert_to_tensor(self.W)

    def fit(self, x: Any = None, *args: Any, **settings: Any) -> Any:
        """Batches of cells and AdaGrad are left to the compiled loops."""
        if not isinstance(self.optimizer, keras.optimizers.Adagrad) or getattr(x, "y", None) is None:
            return super().fit(x, *args, **settings)
        try:
            import maquette.models.text._glove_loop as loops
        except ImportError:
            raise InputError(
                "optimizer.adagrad: cell after cell is learned in compiled loops that need numba: "
                "pip install 'maquette[fast]', or set optimizer.adam=0.002 and batch_size=1024"
            ) from None
        return loops.fit(self, loops.Matrix(self, x), **settings)
