"""Link probe: how well vectors of nodes, learned without the pairs in question, tell which nodes an edge joins.

    hadamard   f(u, v) = z_u * z_v, number by number        average   (z_u + z_v) / 2
    l1         |z_u - z_v|                                  l2        (z_u - z_v)^2
    p(edge | u, v) = sigmoid(w.f(u, v) + b),  min over w, b of  C sum_i -log p(y_i | u_i, v_i) + |w|^2 / 2

Among several C the one is taken whose answers on a third set of pairs have the largest area under the ROC curve. The
vectors have to be learned on a graph that lacks the edges to test, or they have seen the answer.

Source: Grover, Leskovec (2016), "node2vec: scalable feature learning for networks", section 3.3, table 1, and 4.4.

Example:
    >>> import numpy as np
    >>> from maquette.methods.walks.link_probe import link_probe
    >>> vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 0.2]])
    >>> pairs, y = [[0, 1], [2, 3], [0, 2], [1, 3]], [1, 1, 0, 0]
    >>> (link_probe(vectors, pairs, y, [[0, 4], [2, 4]]) > 0.5).tolist()
    [True, False]
"""

from typing import Any, Literal

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import numbers

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
OPERATORS = {
    "hadamard": lambda u, v: u * v,
    "average": lambda u, v: (u + v) / 2,
    "l1": lambda u, v: np.abs(u - v),
    "l2": lambda u, v: np.square(u - v),
}


def link_probe(
    vectors: Any,
    pairs: Any,
    y: Any,
    asked: Any,
    validation: tuple[Any, Any] | None = None,
    operator: Literal["hadamard", "average", "l1", "l2"] = "hadamard",
) -> np.ndarray:
    """The probability of an edge between the pairs `asked`: (n,).

    Args:
        vectors: (nodes, dim); columns are divided by their deviations first.
        pairs: (m, 2) nodes to fit on, y: (m,), 1 where an edge joins them, else 0.
        asked: (n, 2).
        validation: pairs and their y by which C is chosen; without any C is 1.
        operator: f.

    Raises:
        InputError: for an unknown operator, or if the pairs to fit on are all edges or all none.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    if operator not in OPERATORS:
        raise InputError(f"operator={operator}: take one of {', '.join(OPERATORS)}")
    if len(np.unique(y)) < 2:
        raise InputError("y: the pairs to fit on are all edges or all none; give some of both")
    z = numbers(vectors, "vectors", 2).astype(float)

    def joined(some: Any) -> np.ndarray:
        u, v = np.asarray(some).reshape(-1, 2).T
        return np.asarray(OPERATORS[operator](z[u], z[v]))

    scale = np.maximum(joined(pairs).std(axis=0), 1e-12)
    x = joined(pairs) / scale
    if validation is None:
        best = LogisticRegression(C=1.0, max_iter=2000).fit(x, np.asarray(y))
    else:
        fitted = [LogisticRegression(C=strength, max_iter=2000).fit(x, np.asarray(y)) for strength in STRENGTHS]
        held, truth = joined(validation[0]) / scale, validation[1]
        best = max(fitted, key=lambda one: roc_auc_score(truth, one.decision_function(held)))
    return np.asarray(best.predict_proba(joined(asked) / scale)[:, 1])


METHOD = link_probe
