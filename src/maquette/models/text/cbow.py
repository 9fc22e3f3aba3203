"""Continuous bag of words: the mean of the words around a gap is good if it tells which word is missing.

Row         h = (1 / n) sum of u_c over the n neighbours c of the gap                    (batch, dim)
Softmax     p(w | c_1, ..., c_n) = exp(h.w_w) / sum_j exp(h.w_j)                         over all words
Negative    log p = log sigmoid(h.w_w) + sum_k log sigmoid(-h.w_k), K words k drawn from counts^0.75
Hierarchical  log p = sum over the inner nodes of the path to w of log sigmoid(+-h.w_node)
Loss        -log p(w | neighbours), mean over all words that have neighbours
Rule        gradient descent: with e = p - y for the softmax, dL/dW = e h^T, dL/dh = W^T e, and each of the n
            neighbours receives dL/dh / n

There is one sample per word instead of one per neighbour, so that training is faster than skip-gram's and rare words
learn less. Each neighbour gets 1 / n of the gradient, as it must for the loss above; programs that leave the division
out take another step than their loss says, and smaller rates.

Source: Mikolov et al. (2013), "Efficient estimation of word representations in vector space", section 3.1; the
division: Irsoy, Benton, Stratos (2021), "Corrected CBOW performs as well as skip-gram".

Example:
    >>> import numpy as np
    >>> from maquette.models.text.cbow import CBOW
    >>> model = CBOW(words=["red", "green", "blue"], counts=[5, 3, 2], dim=8, objective="softmax")
    >>> x = np.array([[1, 2, 3], [2, 1, 0]])
    >>> round(float(model.compute_loss(x, None, model(x))), 4)
    1.0986
"""

from typing import Any

import keras
from keras import ops

from maquette.core.model import learning_rule
from maquette.core.recipe import Recipe
from maquette.models.text._word_model import WordModel

RECIPE = Recipe(
    name="english-cbow",
    task="word-vectors",
    data="english_text",
    model={"dim": 100, "noise_words": 16},
    inputs={"window": 5, "min_count": 5, "subsample": 1e-3},
    optimizer={"sgd": 0.13},
    schedule="cosine",
    batch_size=1024,
    epochs=5,
    minutes=1,
    tiny={
        **{"data": "small_world", "model.dim": 8, "model.threads": 1, "model.noise_words": 8, "epochs": 3},
        **{"inputs.window": 2, "inputs.min_count": 1, "inputs.subsample": 0.0, "optimizer.sgd": 0.5},
    },
)


@keras.saving.register_keras_serializable("maquette")
class CBOW(WordModel):
    """x: (batch, 1 + 2 reach), a word and its neighbours -> the mean of the neighbours' vectors: (batch, dim).

    Args:
        words: the vocabulary, the most frequent word first.
        counts: how often each occurs.
        dim: numbers in a vector.
        objective: "negative", "softmax" or "hierarchical".
        negatives: K.
        noise_words: S, a multiple of 4.
        threads: of the compiled loops; 0 takes all cores, 1 makes every run the same to the last bit.
        seed: of the first vectors and of the noise.
    """

    tasks = ("word-vectors",)
    mean = True

    def call(self, x: Any, training: bool = False) -> Any:
        around = ops.cast(x, "int32")[:, 1:]
        vectors = self.rows_of(self.U, ops.maximum(around - 1, 0))  # (batch, 2 reach, dim)
        present = ops.expand_dims(ops.cast(around > 0, vectors.dtype), -1)
        return ops.sum(present * vectors, axis=1) / ops.maximum(ops.sum(present, axis=1), 1.0)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        x = ops.cast(x, "int32")
        surrounded = ops.any(x[:, 1:] > 0, axis=1, keepdims=True)
        return self.target_loss(y_pred, ops.where(surrounded, x[:, :1], 0), training)
