"""Averaged word vectors: a text is the mean of its words' vectors, with or without layers between it and the classes.

Mean      m = (1 / n) sum_t e_{w_t}, e the rows of E, over the n words of a text          (batch, dim)
Scaled    h_0 = (m - a) / s; a = 0 and s = 1, but for vectors that were learned elsewhere the mean and the deviation of
          m over the training texts at the start, since means of many vectors hardly differ
Hidden    h_l = f(W_l h_{l-1} + b_l), any number of layers
Output    softmax(W h_L + b)
Word dropout  while training each word of a text is left out of its mean with probability `word_dropout`
Rule      gradient descent on the cross-entropy; with `frozen` the vectors stay as they are, always or for some epochs

The order of the words is lost: "not good, but bad" is "not bad, but good". A word without a vector in the file that E
starts from begins at zero, where it says nothing, and is learned with the others. With few and short texts vectors from
elsewhere know words that the texts lack; with many or long ones, vectors made for the task are the better ones.

Source: Joulin et al. (2017), "Bag of tricks for efficient text classification", section 2, without hidden layers; Iyyer
et al. (2015), "Deep unordered composition rivals syntactic methods for text classification", sections 2 and 3.

Example:
    >>> import keras, numpy as np
    >>> from maquette.models.text.deep_averaging import DeepAveraging
    >>> model = DeepAveraging(words=3, classes=2, dim=2)
    >>> model.build((None, 4))
    >>> texts = np.array([[1, 2, 0, 0], [3, 3, 1, 1]])
    >>> model.start_from(np.array([[1, 0], [0, 1], [4, 4]], "float32"), texts)
    >>> keras.ops.convert_to_numpy(model.mean(texts)).tolist()
    [[0.5, 0.5], [2.5, 2.0]]
    >>> keras.ops.convert_to_numpy(model.features(texts)).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.embedding import Embedding
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="movie-reviews",
    task="text-classification",
    data="movie_reviews",
    inputs={"length": 1500},
    optimizer={"adam": 1e-2},
    schedule="cosine",
    batch_size=64,
    epochs=10,
    seeds=10,
    minutes=0.3,
    expect={"test_accuracy": Expect(0.828, "Pang, Lee (2004), section 4.1: naive Bayes on words", "at least")},
    tiny={"data": "opinions", "model.dim": 8, "epochs": 3, "batch_size": 32},
)


@keras.saving.register_keras_serializable("maquette")
class DeepAveraging(Classifier):
    """x: (batch, length), numbers of words from 1, 0 for none -> logits: (batch, classes).

    Args:
        words: the size of the vocabulary.
        classes: number of classes.
        dim: numbers in a vector.
        hidden_units: width of each hidden layer; () is the linear model.
        activation: any Keras activation.
        frozen: whether the vectors stay as they are; a number says for how many epochs they do.
        dropout: share of the hidden layers' inputs that a training step leaves out.
        word_dropout: share of words that a training step leaves out.
        seed: of the first vectors.
    """

    tasks = ("text-classification",)

    def __init__(
        self,
        words: int = 2,
        classes: int = 2,
        dim: int = 50,
        hidden_units: Sequence[int] = (),
        activation: str = "relu",
        frozen: bool | int = False,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.words, self.classes, self.dim, self.hidden_units = words, classes, dim, tuple(hidden_units)
        self.activation, self.frozen, self.seed = activation, frozen, seed
        self.dropout, self.word_dropout = dropout, word_dropout
        small = keras.initializers.RandomUniform(-0.05, 0.05, seed=seed)
        self.embedding = Embedding(words + 1, dim, embeddings_initializer=small, name="embedding")
        self.embedding.trainable = frozen is not True
        self.hidden = [layers.Dense(n, activation, name=f"hidden_{i}") for i, n in enumerate(hidden_units, 1)]
        self.drop = [Dropout(dropout, name=f"dropout_{i}") for i, _ in enumerate(hidden_units, 1)]
        self.drop_words = Dropout(word_dropout, name="word_dropout", dtype="float32")
        self.head = layers.Dense(classes, name="head", dtype="float32")

    def build(self, input_shape: Any) -> None:
        kept = {"shape": (self.dim,), "trainable": False, "dtype": "float32", "autocast": False}
        self.a = self.add_weight(initializer="zeros", name="a", **kept)
        self.s = self.add_weight(initializer="ones", name="s", **kept)
        super().build(input_shape)

    def mean(self, x: Any, training: bool = False) -> Any:
        """m, zeros for a text without words: (batch, dim)."""
        ids = ops.cast(x, "int32")
        present = self.drop_words(ops.cast(ids > 0, "float32"), training=training)  # (batch, length)
        rows = ops.cast(self.embedding(ids), "float32") * ops.expand_dims(present, -1)  # (batch, length, dim)
        count = ops.sum(present, axis=1, keepdims=True)
        return ops.sum(rows, axis=1) / ops.maximum(count, 1.0)

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees: (batch, dim), or the width of the last hidden layer."""
        h = (self.mean(x, training) - self.a) / self.s
        for dense, drop in zip(self.hidden, self.drop, strict=True):
            h = dense(drop(h, training=training))
        return h

    def start_from(self, rows: np.ndarray, x: np.ndarray) -> None:
        """Take vectors that were learned elsewhere, rows (words, dim), and a and s from the training texts x."""
        table = np.concatenate([np.zeros((1, self.dim)), rows]).astype("float32")
        means = np.stack([table[ids].sum(axis=0) / max(1, np.count_nonzero(ids)) for ids in x])
        deviation = means.std(axis=0)
        varies = deviation > 1e-5 * np.abs(means).max()  # and by more than rounding
        self.embedding.embeddings.assign(table)
        self.a.assign(means.mean(axis=0))
        self.s.assign(np.where(varies, deviation, 1))
