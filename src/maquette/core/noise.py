"""The one door through which a model draws random numbers."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("maquette")
class Noise(keras.layers.Layer):
    """Seeded draws whose counters are saved, apart for training and for evaluation.

    Keras neither saves the counter of a `SeedGenerator` in a `.keras` file, so that a model loaded from one
    repeats its noise, nor keeps evaluation from advancing it, so that validation changes training. Here both
    counters are weights' equals: `Model` saves them, and evaluation has one of its own.

    Do not draw inside `ops.scan`, `ops.while_loop` or `ops.fori_loop`: the counter would leak out of the traced
    loop on JAX. Draw all the noise before the loop and index it there.

    Args:
        seed: an integer; training draws from `seed`, evaluation from `seed + 1`.

    Attributes:
        table: tests set `Noise.table = f` with f(kind, shape, call) -> array, called in order of the draws, so
            that every backend sees the same numbers. None in use.
    """

    table: Callable[[str, tuple[int, ...], int], Any] | None = None

    def __init__(self, seed: int = 0, name: str = "noise", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.seed = seed
        self.train_seed = keras.random.SeedGenerator(seed, name="train")
        self.evaluation_seed = keras.random.SeedGenerator(seed + 1, name="evaluation")
        self.calls = 0
        self.built = True

    def _draw(self, kind: str, shape: Any, training: bool) -> Any:
        if Noise.table is not None:
            self.calls += 1
            fixed = Noise.table(kind, tuple(int(size) for size in shape), self.calls)
            return ops.convert_to_tensor(fixed, self.compute_dtype)
        seed = self.train_seed if training else self.evaluation_seed
        return getattr(keras.random, kind)(shape, dtype=self.compute_dtype, seed=seed)

    def normal(self, shape: Any, training: bool = True) -> Any:
        """Draws from N(0, 1); shape -> array of that shape in the layer's compute dtype."""
        return self._draw("normal", shape, training)

    def uniform(self, shape: Any, training: bool = True) -> Any:
        """Draws from [0, 1); shape -> array of that shape in the layer's compute dtype."""
        return self._draw("uniform", shape, training)

    def bernoulli(self, probability: Any, training: bool = True) -> Any:
        """probability: any shape, in [0, 1] -> zeros and ones of the same shape and dtype."""
        below = ops.cast(self.uniform(ops.shape(probability), training), probability.dtype) < probability
        return ops.cast(below, probability.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
