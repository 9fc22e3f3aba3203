"""The one door through which a model draws random numbers.

They come from an integer hash: number i of the n-th draw is hash(i, n, seed), the same on every backend. XLA fuses it
with what the numbers are drawn for, whereas JAX's own generator costs more than the layers around it on a CPU, and on
PyTorch Keras draws from a generator that no seed of the model fixes and no file keeps.

The hash is a multiply-xorshift mixer of three rounds, with two keys that are hashes of n and the seed; products wrap
around. Two rounds, which pass for single numbers, would leave correlations between neighbours. It has 2^32 results: it
is for the noise of training, not for cryptography.

Source: Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3" (draws numbered by counters); Wellons
(2018), "Prospecting for hash functions" (the mixer, triple32).
"""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

DIGITS = {"bfloat16": 8, "float16": 11}  # of a number in [1/2, 1), where it has fewer than the 24 of float32


def bits(generator: keras.random.SeedGenerator, shape: Any) -> Any:
    """Uniform integers in [0, 2^31), int32, of the shape; the generator counts its draws."""
    seed, count = (ops.cast(number, "int32") for number in ops.unstack(generator.next()))
    before = _mixed(count, seed)
    between = _mixed(before, seed + 1)
    index = ops.reshape(ops.arange(math.prod(shape), dtype="int32"), shape)
    return ops.bitwise_and(_mixed(ops.bitwise_xor(index, before), between), 2**31 - 1)


def _mixed(x: Any, key: Any) -> Any:
    """int32 -> int32, a bijection for each key, in which every bit of x and key moves about half of the result's."""
    x = _folded(x, 17) * -312814405 + key
    x = _folded(x, 11) * -1404298415
    return _folded(_folded(x, 15) * 830770091, 14)


def _folded(x: Any, by: int) -> Any:
    """x xor (x >> by), shifting zeros in, which int32 does not by itself."""
    return ops.bitwise_xor(x, ops.bitwise_and(ops.right_shift(x, by), 2 ** (32 - by) - 1))


@keras.saving.register_keras_serializable("maquette")
class Noise(keras.layers.Layer):
    """Seeded draws whose counters are saved, apart for training and for evaluation.

    Keras neither saves a `SeedGenerator`'s counter in a `.keras` file, so that a loaded model repeats its noise, nor
    keeps evaluation from advancing it. Here `Model` saves both counters, and evaluation has one of its own.

    Do not draw inside `ops.scan`, `ops.while_loop` or `ops.fori_loop`, out of which the counter would leak on JAX: draw
    all the noise before the loop and index it there.

    Args:
        seed: an integer; training draws from `seed`, evaluation from `seed + 1`.

    Attributes:
        table: tests set f(kind, shape, call) -> array, so that every backend sees the same numbers; None in use.
    """

    table: Callable[[str, tuple[int, ...], int], Any] | None = None

    def __init__(self, seed: int = 0, name: str = "noise", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.seed = seed
        self.train_seed = keras.random.SeedGenerator(seed, name="train")
        self.evaluation_seed = keras.random.SeedGenerator(seed + 1, name="evaluation")
        self.calls = 0
        self.built = True

    def _fixed(self, kind: str, shape: Any, dtype: str) -> Any:
        assert Noise.table is not None
        self.calls += 1
        return ops.convert_to_tensor(Noise.table(kind, tuple(int(size) for size in shape), self.calls), dtype)

    def _bits(self, shape: Any, training: bool) -> Any:
        return bits(self.train_seed if training else self.evaluation_seed, shape)

    def normal(self, shape: Any, training: bool = True) -> Any:
        """Draws from N(0, 1), within 5.3; shape -> array of that shape in the layer's compute dtype."""
        if Noise.table is not None:
            return self._fixed("normal", shape, self.compute_dtype)
        odd = 2 * ops.right_shift(self._bits(shape, training), 8) + 1  # below 2^24: float32 has it exactly
        return ops.cast(math.sqrt(2) * ops.erfinv(ops.cast(odd, "float32") * 2.0**-23 - 1), self.compute_dtype)

    def uniform(self, shape: Any, training: bool = True) -> Any:
        """Draws from [0, 1); shape -> array of that shape in the layer's compute dtype."""
        return self._uniform(shape, training, self.compute_dtype)

    def _uniform(self, shape: Any, training: bool, dtype: str) -> Any:
        if Noise.table is not None:
            return self._fixed("uniform", shape, dtype)
        digits = DIGITS.get(dtype, 24)
        return ops.cast(ops.right_shift(self._bits(shape, training), 31 - digits), dtype) * 2.0**-digits

    def bernoulli(self, probability: Any, training: bool = True) -> Any:
        """probability: any shape, in [0, 1] -> zeros and ones of the same shape and dtype."""
        # The few digits of half precision would make what is rare too frequent.
        below = self._uniform(ops.shape(probability), training, "float32") < ops.cast(probability, "float32")
        return ops.cast(below, probability.dtype)

    def categorical(self, logits: Any, training: bool = True) -> Any:
        """Draws from softmax(logits), by the inverse of its distribution function: (..., n) -> (...,), int32."""
        edges = ops.cumsum(ops.softmax(ops.cast(logits, "float32")), axis=-1)[..., :-1]
        u = self._uniform((*ops.shape(edges)[:-1], 1), training, "float32")
        return ops.sum(ops.cast(u >= edges, "int32"), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
