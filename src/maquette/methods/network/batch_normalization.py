"""Batch normalisation, forward, backward, at inference, and folded into the convolution before it.

    mu = mean(x),  s2 = mean((x - mu)^2)          over the m entries of each feature: batch, and places of a map
    x^ = (x - mu) / sqrt(s2 + e),  y = gamma x^ + beta

    dL/dbeta = sum delta,  dL/dgamma = sum delta x^                          delta = dL/dy
    dL/dx    = gamma / (m sqrt(s2 + e)) (m delta - sum delta - x^ sum(delta x^))

mu and s2 are functions of the batch through which the gradient flows; learned are gamma and beta alone. At inference
running means of mu and s2 take their place: running = momentum running + (1 - momentum) new. The variance of a sample
is m / (m - 1) s2 without bias: Ioffe and Szegedy average that, Keras 3 averages s2 itself; `unbiased` chooses.

A layer before it needs no bias, since mu takes it away, and its scale is without effect: BN(a W x) = BN(W x), a > 0.
For a batch of one example without places x^ = 0, and the layer says nothing of its input. gamma = sqrt(s2 + e) and
beta = mu make it the identity.

Source: Ioffe, Szegedy (2015), "Batch normalization: accelerating deep network training by reducing internal covariate
shift", algorithms 1 and 2. That it works by reducing that shift is disputed: Santurkar et al. (2018), "How does batch
normalization help optimization?".

Example:
    >>> import numpy as np
    >>> from maquette.methods.network.batch_normalization import batch_normalization, batch_normalization_gradients
    >>> x = np.array([[1.0], [2.0], [6.0]])
    >>> batch_normalization(x, epsilon=0).round(4).ravel().tolist()
    [-0.9258, -0.4629, 1.3887]
    >>> slopes = batch_normalization_gradients(x, [[1.0], [0.0], [0.0]], epsilon=0)
    >>> slopes.x.round(4).ravel().tolist()
    [0.1763, -0.2204, 0.0441]
"""

from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import number, numbers


class Gradients(NamedTuple):
    """dL/dx of the shape of x, dL/dgamma and dL/dbeta of (features,)."""

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray


def batch_normalization(x: Any, gamma: Any = 1.0, beta: Any = 0.0, epsilon: float = 1e-3) -> np.ndarray:
    """x: (n, ..., features) -> y of that shape, by the statistics of this batch.

    Args:
        x: the last axis are the features or maps.
        gamma, beta: (features,), or one number for all.
        epsilon: e, at least 0.

    Raises:
        InputError: for NaN, or a feature that is constant where epsilon is 0.
    """
    normal, _ = _normalised(x, epsilon)
    return np.asarray(gamma * normal + beta)


def batch_normalization_gradients(x: Any, delta: Any, gamma: Any = 1.0, epsilon: float = 1e-3) -> Gradients:
    """The gradients of a loss from delta = dL/dy, of the shape of x; arguments as for `batch_normalization`."""
    normal, spread = _normalised(x, epsilon)
    delta = numbers(delta, "delta").astype(float)
    if delta.shape != normal.shape:
        raise InputError(f"delta has the shape {delta.shape}, x {normal.shape}: give both the same")
    over = tuple(range(normal.ndim - 1))
    by_beta, by_gamma, m = delta.sum(axis=over), (delta * normal).sum(axis=over), normal[..., 0].size
    back = gamma / (m * spread) * (m * delta - by_beta - normal * by_gamma)
    return Gradients(np.asarray(back), by_gamma, by_beta)


def _normalised(x: Any, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """x^ and sqrt(s2 + e)."""
    x = numbers(x, "x").astype(float)
    mean, variance = statistics(x)
    spread = np.sqrt(variance + number(epsilon, "epsilon", 0))
    if not spread.all():
        raise InputError("x: a feature is constant; give an epsilon above 0")
    return (x - mean) / spread, spread


def statistics(x: Any, unbiased: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """mu and s2 of each feature, or m / (m - 1) s2 where `unbiased`: two arrays (features,)."""
    x = numbers(x, "x").astype(float)
    m, over = x[..., 0].size, tuple(range(x.ndim - 1))
    if unbiased and m < 2:
        raise InputError("x has one entry per feature: a variance without bias takes two")
    return x.mean(axis=over), x.var(axis=over) * (m / (m - 1) if unbiased else 1.0)


def running_statistics(
    mean: Any, variance: Any, x: Any, momentum: float = 0.99, unbiased: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The running mean and variance after one more batch x; Keras starts them at 0 and 1."""
    momentum = number(momentum, "momentum", 0, most=1)
    new = statistics(x, unbiased)
    first, second = (momentum * np.asarray(old) + (1 - momentum) * one for old, one in zip((mean, variance), new))
    return first, second


def inference(x: Any, mean: Any, variance: Any, gamma: Any = 1.0, beta: Any = 0.0, epsilon: float = 1e-3) -> np.ndarray:
    """x: (n, ..., features) -> y by given statistics, each example apart from the others."""
    w, b = folded(np.ones((1, np.asarray(x).shape[-1])), 0.0, mean, variance, gamma, beta, epsilon)
    return np.asarray(numbers(x, "x") * w[0] + b)


def folded(
    w: Any, b: Any, mean: Any, variance: Any, gamma: Any = 1.0, beta: Any = 0.0, epsilon: float = 1e-3
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (..., maps) and bias of a layer that does what layer and normalisation did at inference."""
    scale = gamma / np.sqrt(np.asarray(variance, float) + number(epsilon, "epsilon", 0))
    return np.asarray(w) * scale, np.asarray((np.asarray(b) - mean) * scale + beta)


METHOD = batch_normalization
