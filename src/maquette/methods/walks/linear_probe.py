"""Linear probe: how much of the labels lies in vectors that were learned without them.

    p(c | x) = softmax(x.w_c + b_c),  min over w, b of  C sum_i -log p(y_i | x_i) + |w|^2 / 2   on some nodes
    share of the other nodes whose most probable class is their own

Rows are made length one first, since the length of a node's vector tells mostly how often it was visited. Among several
C the one is taken that is best on a third set of nodes, where there is one. The probe asks for what is linear in the
vectors: a network on top of them may find more.

Source: Perozzi, Al-Rfou, Skiena (2014), "DeepWalk: online learning of social representations", section 5.

Example:
    >>> import numpy as np
    >>> from maquette.methods.walks.linear_probe import linear_probe
    >>> vectors, labels = np.array([[1, 0.1], [0.1, 1], [2, 0.3], [0.2, 3]]), np.array([0, 1, 0, 1])
    >>> linear_probe(vectors, labels, train=[0, 1], test=[2, 3]).tolist()
    [0, 1]
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import numbers

STRENGTHS = (0.1, 1.0, 10.0, 100.0)


def linear_probe(vectors: Any, labels: Any, train: Any, test: Any, validation: Any = None) -> np.ndarray:
    """The classes answered for the nodes `test`: (tested,).

    Args:
        vectors: (n, dim).
        labels: (n,), read at `train` and `validation` alone.
        train: nodes to fit on, numbers or a mask.
        test: nodes to answer for.
        validation: nodes by which C is chosen; without any C is 10.

    Raises:
        InputError: if the nodes to fit on have one class alone.
    """
    from sklearn.linear_model import LogisticRegression

    x, y = numbers(vectors, "vectors", 2).astype(float), np.asarray(labels)
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    if len(np.unique(y[train])) < 2:
        raise InputError("labels: the nodes to fit on have one class alone; give some of another")
    best, right = None, -1.0
    for strength in STRENGTHS if validation is not None else (10.0,):
        fitted = LogisticRegression(C=strength, max_iter=2000).fit(x[train], y[train])
        score = 0.0 if validation is None else float((fitted.predict(x[validation]) == y[validation]).mean())
        if score > right:
            best, right = fitted, score
    assert best is not None
    return np.asarray(best.predict(x[test]))


METHOD = linear_probe
