"""Model averaging: one answer from the class probabilities of several models.

    arithmetic   p_k = sum_m w_m p_mk                                       w_m >= 0, with the sum 1
    geometric    p_k = prod_m p_mk^w_m / sum_l prod_m p_ml^w_m              = softmax_k(sum_m w_m log p_mk)

By Jensen's inequality the cross-entropy of the arithmetic mean is never above the mean cross-entropy of the models,
and neither is that of the geometric mean, whose denominator is at most 1. The geometric mean punishes disagreement: a
class that one model excludes is excluded. It is the softmax of the mean of the models' logits.

Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence", section 2; Bishop (2006),
"Pattern recognition and machine learning", section 14.2.

Example:
    >>> from maquette.methods.network.model_averaging import average
    >>> two = [[[0.9, 0.1]], [[0.5, 0.5]]]
    >>> average(two).round(9).tolist(), average(two, mean="geometric").round(9).tolist()
    ([[0.7, 0.3]], [[0.75, 0.25]])
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, numbers

MEANS = ("arithmetic", "geometric")


def average(probabilities: Any, weights: Any = None, mean: str = "arithmetic") -> np.ndarray:
    """Class probabilities of several models -> those of their mean: (n, classes).

    Args:
        probabilities: (models, n, classes), not negative.
        weights: (models,), not negative, of any sum; all the same without.
        mean: arithmetic or geometric.

    Raises:
        InputError: for other shapes, a negative entry, or models that exclude every class between them.
    """
    p = numbers(probabilities, "probabilities", 3).astype(float)
    w = np.ones(len(p)) if weights is None else numbers(weights, "weights", 1).astype(float)
    if len(w) != len(p) or w.min() < 0 or not w.sum():
        raise InputError(f"weights: give {len(p)} numbers of at least 0 that are not all 0")
    if p.min() < 0:
        raise InputError(f"probabilities hold {p.min():g}: give numbers of at least 0")
    w = w / w.sum()
    if choice(mean, "mean", MEANS) == "arithmetic":
        return np.einsum("m,mnk->nk", w, p)
    used = w > 0
    with np.errstate(divide="ignore"):
        logs = np.einsum("m,mnk->nk", w[used], np.log(p[used]))
    if np.isneginf(logs).all(axis=1).any():
        raise InputError("probabilities: some item has no class that all models allow; take the arithmetic mean")
    return softmax(logs)


def softmax(logits: Any) -> np.ndarray:
    """exp(z_k) / sum_l exp(z_l) over the last axis, without overflow."""
    z = np.asarray(logits, float)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


METHOD = average
