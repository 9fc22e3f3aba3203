"""How near generated items are to real ones, by their features: two distances, and precision apart from recall.

    Frechet distance   |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2))          of two normals with these means and covariances
    kernel distance    E k(x, x~) + E k(y, y~) - 2 E k(x, y),  k(x, y) = (x.y / d + 1)^3; unbiased: at times below 0
    precision          share of generated items that lie in a ball round a real one, up to its k-th real neighbour
    recall             share of real items that lie in a ball round a generated one, up to its k-th generated neighbour

With few items the Frechet distance is too large: compare only values of equal numbers. All depend on the features, so
that values of other features, or of other training of them, cannot be compared.

Source: Heusel et al. (2017), "GANs trained by a two time-scale update rule converge to a local Nash equilibrium";
Binkowski et al. (2018), "Demystifying MMD GANs"; Kynkaanniemi et al. (2019), "Improved precision and recall metric for
assessing generative models".

Example:
    >>> import numpy as np
    >>> from maquette.methods.generative.sample_quality import frechet_distance
    >>> x = np.random.default_rng(0).normal(size=(500, 3))
    >>> round(frechet_distance(x, x + np.array([3.0, 0, 4])), 6)
    25.0
"""

from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import count, numbers

BLOCK = 1000  # items whose distances are held in memory at once


class Coverage(NamedTuple):
    """Shares in [0, 1]."""

    precision: float
    recall: float


def frechet_distance(real: Any, generated: Any) -> float:
    """Between normals fitted to features (n, d) and (m, d); raises InputError for others than equal numbers of them."""
    x, y = _features(real, generated)
    c, other = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (x, y))
    values, vectors = np.linalg.eigh(c)
    root = np.einsum("ik,k,jk->ij", vectors, np.sqrt(values.clip(0)), vectors)
    # C C' has the eigenvalues of C^(1/2) C' C^(1/2), which is symmetric.
    inner = np.linalg.eigvalsh(np.einsum("ij,jk,kl->il", root, other, root, optimize=True))
    apart = float(np.square(x.mean(axis=0) - y.mean(axis=0)).sum())
    return max(0.0, apart + float(np.trace(c) + np.trace(other) - 2 * np.sqrt(inner.clip(0)).sum()))


def kernel_distance(real: Any, generated: Any) -> float:
    """Squared maximum mean discrepancy of features (n, d) and (m, d) under the cubic kernel."""
    x, y = _features(real, generated)
    own = [(_kernel_sum(part, part) - _kernel_trace(part)) / (len(part) * (len(part) - 1)) for part in (x, y)]
    return sum(own) - 2 * _kernel_sum(x, y) / (len(x) * len(y))


def precision_recall(real: Any, generated: Any, neighbours: int = 3) -> Coverage:
    """Precision and recall of generated features (m, d) against real ones (n, d)."""
    x, y = _features(real, generated)
    count(neighbours, "neighbours")
    if min(len(x), len(y)) <= neighbours:
        raise InputError(f"neighbours {neighbours}: give more than {neighbours} items on both sides")
    return Coverage(_inside(y, x, neighbours), _inside(x, y, neighbours))


def _features(real: Any, generated: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = (numbers(part, name, 2).astype(float) for name, part in {"real": real, "generated": generated}.items())
    if x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise InputError(f"real {x.shape}, generated {y.shape}: give at least two items each, with equal features")
    return x, y


def _kernel_sum(x: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for i in range(0, len(x), BLOCK):
        total += float(np.sum((np.inner(x[i : i + BLOCK], y) / x.shape[1] + 1) ** 3))
    return total


def _kernel_trace(x: np.ndarray) -> float:
    return float(np.sum((np.square(x).sum(axis=1) / x.shape[1] + 1) ** 3))


def _squared(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared distances (n, m)."""
    lengths = np.square(x).sum(axis=1)[:, np.newaxis] + np.square(y).sum(axis=1)
    return (lengths - 2 * np.inner(x, y)).clip(0)


def _inside(items: np.ndarray, others: np.ndarray, neighbours: int) -> float:
    """The share of `items` within the ball of one of `others`, up to its k-th neighbour among them."""
    blocks = [others[i : i + BLOCK] for i in range(0, len(others), BLOCK)]
    inside = np.zeros(len(items), bool)
    for block in blocks:
        # Each is its own nearest, at distance 0.
        radius = np.partition(_squared(block, others), neighbours, axis=1)[:, neighbours]
        inside |= (_squared(items, block) <= radius).any(axis=1)
    return float(inside.mean())


METHOD = frechet_distance
