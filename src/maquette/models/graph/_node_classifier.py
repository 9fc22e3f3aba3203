"""What classifiers of nodes share: rows of an answer for all nodes of the graph that they are placed on."""

from typing import Any

from keras import ops

from maquette.core.classifier import Classifier
from maquette.models.graph._placed import Placed


class NodeClassifier(Placed, Classifier):
    """x: (batch, 1), numbers of nodes from 0 -> logits: (batch, classes).

    A step computes the logits of all nodes of the graph, and takes the rows of x. A page defines `prepare`, `hidden`
    and `logits`.
    """

    def __init__(self, node_features: int = 1, classes: int = 2, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(node_features, seed, **kwargs)
        self.classes = classes

    def logits(self, training: bool) -> Any:
        """The answer for all nodes: (nodes, classes)."""
        raise NotImplementedError

    def hidden(self, training: bool = False) -> Any:
        """What the last layer sees of all nodes: (nodes, units)."""
        raise NotImplementedError

    def call(self, x: Any, training: bool = False) -> Any:
        return ops.cast(self.rows(self.logits(training), x), "float32")

    def features(self, x: Any, training: bool = False) -> Any:
        """What the last layer sees of the nodes x (batch, 1): (batch, units)."""
        return self.rows(self.hidden(training), x)

    def rows(self, table: Any, x: Any) -> Any:
        """The rows (batch, ...) of a table (nodes, ...) for the nodes x."""
        return ops.take(table, ops.cast(x[:, 0], "int32"), axis=0)
