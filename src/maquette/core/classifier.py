"""What every network that ends in one logit per class has in common: its answer and its loss."""

from typing import Any

import keras
from keras import ops

from maquette.core.model import Model, learning_rule


class Classifier(Model):
    """Base of a page that defines `features`, what its last layer sees, and `head`, the layer that makes logits of it.

    Probabilities  p = softmax(z), z the logits                (batch, classes)
    Loss           L = -sum_i w_i log p_{i, t_i} / sum_i w_i   cross-entropy of the true classes t; w_i = 1 where the
                                                               batch has no weights

    Everything but `head` can be frozen, or start from another network's weights.
    """

    features: Any
    head: Any

    def call(self, x: Any, training: bool = False) -> Any:
        return self.head(self.features(x, training))

    def serve(self, x: Any) -> Any:
        """Class probabilities: (batch, classes)."""
        return ops.softmax(self(x, training=False))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        surprise = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)  # (batch,)
        return ops.average(surprise, weights=sample_weight)
