"""Node2vec: the vector of a node is good if it tells which nodes random walks meet near it.

Row         h = u_v, the input vector of a node v                                          (batch, dim)
Walks       P(x | v, come from t) = alpha w_vx / Z, alpha = 1/p back to t, 1 to a neighbour of t, 1/q elsewhere
Model       p(n | v) = exp(h.w_n) / sum_m exp(h.w_m), nodes n of a neighbourhood independent given v
Negative    log p = log sigmoid(h.w_n) + sum_k log sigmoid(-h.w_k), K nodes k drawn from counts^0.75
Loss        -log p(n | v), mean over all nodes n near all nodes v on the walks
Rule        gradient descent; the K samples are taken as K / S of S nodes that a batch shares, of equal expectation
Pairing     window: v any node of a walk, n the nodes within a window around it; first: v the walk's first node, n the
            others

DeepWalk is p = q = 1. What is learned are places in the graph: a node that was not there has no vector, features of
nodes are not looked at, and two parts that are not joined are placed without regard to each other. With `sgd`, windows
and negative sampling the walks are trained on by compiled loops on the CPU, else by Keras on any device.

Source: Grover, Leskovec (2016), "node2vec: scalable feature learning for networks", section 3; Perozzi, Al-Rfou, Skiena
(2014), "DeepWalk: online learning of social representations".

Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from maquette.models.graph.node2vec import Node2Vec
    >>> model = Node2Vec(words=["a", "b", "c"], counts=[5, 3, 2], dim=8, objective="softmax")
    >>> x = np.array([[1, 2, 3], [2, 1, 0]])
    >>> round(float(ops.convert_to_numpy(model.compute_loss(x, None, model(x)))), 4)
    1.0986
"""

from typing import Any

import keras
from keras import ops

from maquette.core.model import learning_rule
from maquette.core.recipe import Expect, Recipe
from maquette.models.text._word_model import WordModel

RECIPE = Recipe(
    name="cora-node2vec",
    task="node-embedding",
    data="cora",
    model={"dim": 128},
    inputs={"walks": 10, "length": 80, "window": 10},
    optimizer={"sgd": 0.005},
    schedule="cosine",
    batch_size=1024,
    epochs=5,
    minutes=0.5,
    expect={
        "test_accuracy": Expect(0.68, "required: DeepWalk has 67.2 % in Kipf, Welling (2017), table 2", "at least")
    },
    tiny={
        **{"data": "communities", "model.dim": 8, "model.threads": 1, "model.noise_words": 8, "epochs": 3},
        **{"inputs.length": 10, "inputs.window": 2, "optimizer.sgd": 0.03},
    },
)


@keras.saving.register_keras_serializable("maquette")
class Node2Vec(WordModel):
    """x: (batch, 1 + 2 reach), a node and those near it -> the node's vector: (batch, dim).

    Args:
        words: names of the nodes.
        counts: how often each is drawn as noise, before the power of 0.75.
        dim: numbers in a vector.
        objective: "negative", "softmax" or "hierarchical".
        negatives: K.
        noise_words: S, a multiple of 4.
        threads: of the compiled loops; 0 takes all cores, 1 makes every run the same to the last bit.
        seed: of the first vectors and of the noise.
    """

    tasks = ("node-embedding",)
    mean = False

    def call(self, x: Any, training: bool = False) -> Any:
        return self.rows_of(self.U, ops.maximum(ops.cast(x, "int32")[:, 0] - 1, 0))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        return self.target_loss(y_pred, ops.cast(x, "int32")[:, 1:], training)
