"""Who has rated what, kept in a model: a matrix of small whole numbers, 0 where there is no rating.

It takes a byte for each pair of user and item, rated or not: 943 users and 1,682 films are 1.6 MB.

Example:
    >>> import numpy as np
    >>> history = RatingHistory(rows=2, columns=3)
    >>> history.fill(np.array([1, 2]), np.array([3, 1]), np.array([5, 1]))
    >>> np.asarray(history(np.array([1, 0]))).tolist()
    [[0, 0, 0, 5], [0, 0, 0, 0]]
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.errors import InputError

MOST_PAIRS = 2**30


@keras.saving.register_keras_serializable("maquette")
class RatingHistory(layers.Layer):
    """ids: (batch,), from 1, others having no ratings -> levels: (batch, columns + 1), int32, column 0 empty.

    Args:
        rows: number of users, or of items where these are the rows.
        columns: number of items, or of users.
    """

    def __init__(self, rows: int, columns: int, name: str = "history", **kwargs: Any) -> None:
        if rows * columns > MOST_PAIRS:
            raise InputError(f"{rows} times {columns} pairs are too many to keep; take matrix_factorization")
        super().__init__(name=name, autocast=False, **kwargs)
        self.rows, self.columns = rows, columns
        shape = (rows + 1, columns + 1)
        self.levels = self.add_weight(shape=shape, initializer="zeros", dtype="int8", trainable=False, name="levels")
        self.built = True

    def fill(self, rows: np.ndarray, columns: np.ndarray, levels: np.ndarray) -> None:
        """Forget everything and keep these ratings; ids and levels (m,), levels from 1 to 127."""
        matrix = np.zeros(self.levels.shape, "int8")
        matrix[np.asarray(rows, int), np.asarray(columns, int)] = levels
        self.levels.assign(matrix)

    def call(self, ids: Any) -> Any:
        known = ops.logical_and(ids >= 1, ids <= self.rows)
        rows = ops.take(self.levels.value, ops.cast(ops.where(known, ids, 0), "int32"), axis=0)
        return ops.cast(rows, "int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rows": self.rows, "columns": self.columns}
