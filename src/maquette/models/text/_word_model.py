"""What models of words share: two tables of vectors, three ways to score a target, and nearest words as the answer."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import initializers, ops

from maquette.core.model import Model
from maquette.core.noise import Noise
from maquette.errors import InputError
from maquette.methods.word_vectors.huffman import huffman_code
from maquette.methods.word_vectors.windows import Windows

ANSWERED = 30_000  # the most frequent words, of which `serve` says how near they are


class WordTable(Model):
    """A model that holds a vector for each of its `words` and answers with the nearest ones."""

    def table(self) -> Any:
        """The vectors that answer: (words, dim)."""
        return ops.convert_to_tensor(self.U)

    def rows_of(self, table: Any, ids: Any) -> Any:
        """Rows of a table: ids (...,) from 0 -> (..., dim); a dense gradient, the same on every backend."""
        return ops.take(ops.convert_to_tensor(table) * 1.0, ids, axis=0)

    def serve(self, x: Any) -> Any:
        """The cosine of the sum of a row's words, of length one each, with each of the 30,000 most frequent words.

        x: (batch, n), numbers of words, 0 for none; a negative number takes its word's vector off, so that the row
        (king, -man, woman) asks the question of an analogy. -> (batch, min(words, 30000)).
        """
        ids = ops.cast(x, "int32")
        unit = self._unit(self.table())
        signs = ops.expand_dims(ops.cast(ops.sign(ids), "float32"), -1)
        asked = ops.sum(signs * ops.take(unit, ops.maximum(ops.abs(ids) - 1, 0), axis=0), axis=1)
        return ops.matmul(self._unit(asked), ops.transpose(unit[:ANSWERED]))

    def _unit(self, rows: Any) -> Any:
        rows = ops.cast(ops.convert_to_tensor(rows), "float32")
        return rows / ops.sqrt(ops.sum(ops.square(rows), axis=-1, keepdims=True) + 1e-12)

    def vectors(self) -> np.ndarray:
        """The words' vectors: (words, dim)."""
        return np.array(ops.convert_to_numpy(self.table()))


class WordModel(WordTable):
    """x: (batch, 1 + 2 reach), a word and its neighbours, 0 for none -> the rows h: (batch, dim), which score targets.

    `U` holds the vector of each word as an input, `W` the vector by which it is scored as a target; with the
    hierarchical softmax a row of `W` belongs to an inner node of the tree.
    """

    def __init__(
        self,
        words: Sequence[str] = ("a", "b"),
        counts: Sequence[int] = (1, 1),
        dim: int = 100,
        objective: Literal["negative", "softmax", "hierarchical"] = "negative",
        negatives: int = 5,
        noise_words: int = 32,
        threads: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.words, self.counts, self.dim, self.objective = list(words), list(counts), dim, objective
        self.negatives, self.noise_words, self.threads, self.seed = negatives, noise_words, threads, seed
        if objective not in ("negative", "softmax", "hierarchical"):
            raise ValueError(f"objective={objective}: take negative, softmax or hierarchical")
        if len(self.words) != len(self.counts) or len(self.words) < 2:
            raise ValueError("words: give at least two, with a count for each")
        if dim < 1 or negatives < 1 or noise_words < 4 or noise_words % 4:
            raise ValueError("dim and negatives are at least 1, noise_words is a multiple of 4")
        self.noise = Noise(seed, dtype="float32")
        share = np.asarray(self.counts, "float64") ** 0.75
        self.noise_share = np.cumsum(share / share.sum()).astype("float32")
        self.code = huffman_code(self.counts) if objective == "hierarchical" else None

    def build(self, input_shape: Any) -> None:
        if "word-vectors" in self.tasks and input_shape[-1] % 2 == 0:
            raise InputError(f"inputs.samples=cells: {self.name} learns from windows; leave the setting out")
        count = len(self.words)
        small = initializers.RandomUniform(-1 / self.dim, 1 / self.dim, seed=self.seed)
        self.U = self.add_weight(shape=(count, self.dim), initializer=small, name="U")
        self.W = self.add_weight(shape=(count - (self.code is not None), self.dim), initializer="zeros", name="W")

    def target_loss(self, h: Any, targets: Any, training: bool) -> Any:
        """-log of the targets' probability, mean over the targets: h (batch, dim), targets (batch, n), 0 for none."""
        present, h = ops.cast(targets > 0, "float32"), ops.cast(h, "float32")
        losses = getattr(self, f"_{self.objective}")(h, ops.maximum(targets - 1, 0), present, training)
        return losses / ops.maximum(ops.sum(present), 1.0)

    def _negative(self, h: Any, ids: Any, present: Any, training: bool) -> Any:
        """Sum of softplus(-h.w) + (K / S) sum_s softplus(h.w_s), the S noise words drawn from counts^0.75."""
        score = ops.sum(ops.expand_dims(h, 1) * self.rows_of(self.W, ids), axis=-1)  # (batch, n)
        drawn = ops.searchsorted(self.noise_share, self.noise.uniform((self.noise_words,), training))
        noise = self.rows_of(self.W, ops.minimum(drawn, len(self.counts) - 1))  # (S, dim)
        against = ops.sum(ops.softplus(ops.matmul(h, ops.transpose(noise))), axis=-1)  # (batch,)
        scale = self.negatives / self.noise_words
        return ops.sum(present * ops.softplus(-score)) + scale * ops.sum(ops.sum(present, axis=1) * against)

    def _softmax(self, h: Any, ids: Any, present: Any, training: bool) -> Any:
        """Sum of log sum_j exp(h.w_j) - h.w over the targets."""
        logits = ops.matmul(h, ops.transpose(ops.convert_to_tensor(self.W)))  # (batch, words)
        every = ops.expand_dims(ops.logsumexp(logits, axis=-1), 1)
        return ops.sum(present * (every - ops.take_along_axis(logits, ids, axis=1)))

    def _hierarchical(self, h: Any, ids: Any, present: Any, training: bool) -> Any:
        """Sum of softplus(-s h.w_node) over the nodes on the target's path, s = 1 to the left and -1 to the right."""
        nodes, signs = (ops.take(ops.convert_to_tensor(part), ids, axis=0) for part in self.code or ())
        score = ops.sum(h[:, None, None] * self.rows_of(self.W, nodes), axis=-1)  # (batch, n, depth)
        on_path = ops.cast(signs != 0, "float32")
        return ops.sum(ops.expand_dims(present, -1) * on_path * ops.softplus(-signs * score))

    def fit(self, x: Any = None, *args: Any, **settings: Any) -> Any:
        """Windows of a text, negative sampling and plain gradient descent are left to the compiled loops."""
        windows = getattr(x, "x", None)
        sgd = isinstance(self.optimizer, keras.optimizers.SGD) and not self.optimizer.momentum
        thinned = getattr(x, "change", None) is not None
        if not (isinstance(windows, Windows) and thinned and sgd and self.objective == "negative"):
            return super().fit(x, *args, **settings)
        try:
            import maquette.models.text._loops as loops
        except ImportError:
            raise InputError(
                "optimizer.sgd: negative sampling with plain gradient descent runs in compiled loops that need numba: "
                "pip install 'maquette[fast]', or set optimizer.adam=0.002 and batch_size=1024"
            ) from None
        return loops.fit(self, loops.Text(self, x), **settings)
