"""Skip-gram: the vector of a word is good if it tells which words stand near it.

Row         h = u_w, the input vector of the word in the middle                          (batch, dim)
Softmax     p(o | w) = exp(h.w_o) / sum_j exp(h.w_j)                                     over all words
Negative    log p = log sigmoid(h.w_o) + sum_k log sigmoid(-h.w_k), K words k drawn from counts^0.75
Hierarchical  log p = sum over the inner nodes of the path to o of log sigmoid(+-h.w_node)
Loss        -log p(o | w), mean over all neighbours o of all words w
Rule        gradient descent; the K samples are taken as K / S of S words that a batch shares, of equal expectation

At the optimum of negative sampling h.w_o = log p(w, o) / (p(w) p'(o)) - log K, p' the noise's share: the vectors factor
a table of pointwise mutual information. Many samples come from little text, and rare words are told apart well; a
word has one vector whatever it means, and a word that was not seen has none. With `sgd` and negative sampling the
text is trained on by compiled loops on the CPU (the extra `fast`), with any other optimizer by Keras on any device.

Source: Mikolov et al. (2013), "Efficient estimation of word representations in vector space" and "Distributed
representations of words and phrases", section 2; the optimum: Levy, Goldberg (2014).

Example:
    >>> import numpy as np
    >>> from maquette.models.text.skip_gram import SkipGram
    >>> model = SkipGram(words=["red", "green", "blue"], counts=[5, 3, 2], dim=8, objective="softmax")
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
    name="english-skip-gram",
    task="word-vectors",
    data="english_text",
    model={"dim": 100},
    inputs={"window": 5, "min_count": 5, "subsample": 1e-3},
    optimizer={"sgd": 0.04},
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
class SkipGram(WordModel):
    """x: (batch, 1 + 2 reach), a word and its neighbours -> the word's vector: (batch, dim).

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
    mean = False

    def call(self, x: Any, training: bool = False) -> Any:
        return self.rows_of(self.U, ops.maximum(ops.cast(x, "int32")[:, 0] - 1, 0))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        return self.target_loss(y_pred, ops.cast(x, "int32")[:, 1:], training)
