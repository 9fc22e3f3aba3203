"""A table of numbers for users or items, whose row 0, that of whoever is not known, stays zero.

Example:
    >>> import numpy as np
    >>> layer = IdEmbedding(count=2, dimension=3)
    >>> layer.build(None)
    >>> rows = np.asarray(layer(np.array([0, 1, 9])))
    >>> [bool(row.any()) for row in rows]
    [False, True, False]
"""

from typing import Any

import keras
from keras import initializers, ops

from maquette.core.embedding import Embedding


@keras.saving.register_keras_serializable("maquette")
class IdEmbedding(Embedding):
    """ids: (...,) whole numbers -> rows: (..., dimension), zeros for an id that is not in 1 to `count`.

    Args:
        count: of ids.
        dimension: of a row.
        deviation: of the normal draws at the start; 0 starts in zeros.
        seed: of these draws.
    """

    def __init__(self, count: int, dimension: int, deviation: float = 0.1, seed: int = 0, **kwargs: Any) -> None:
        start = initializers.RandomNormal(0.0, deviation, seed=seed) if deviation else "zeros"
        kwargs = {"dtype": "float32", **kwargs}
        super().__init__(count + 1, dimension, embeddings_initializer=start, **kwargs)
        self.count, self.dimension, self.deviation, self.seed = count, dimension, deviation, seed

    def call(self, inputs: Any) -> Any:
        known = ops.logical_and(inputs >= 1, inputs <= self.count)
        rows = super().call(ops.where(known, inputs, 0))
        return rows * ops.cast(ops.expand_dims(known, -1), rows.dtype)

    def table(self) -> Any:
        """All rows: (count + 1, dimension), of which row 0 is zeros."""
        return self(ops.arange(self.count + 1))

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("count", "dimension", "deviation", "seed")}
        return {"name": self.name, "trainable": self.trainable, "dtype": "float32", **own}
