"""Unit impulse, unit step, and every signal as a weighted sum of shifted impulses.

    delta(n) = 1 where n = 0, else 0                 the impulse; its response is the impulse response
    u(n)     = 1 where n >= 0 on every axis, else 0  the step; the sum of the impulses at all n >= 0
    x(n)     = sum_k x(k) delta(n - k)               `decompose` gives the weights x(k) and the places k

A linear shift-invariant system therefore answers sum_k x(k) h(n - k): its impulse response says everything about it.
Some books call delta the unit step. The two differ: in one dimension u is the running sum of delta.

The sum has a term for every sample that is not zero: it is there for proofs and for sparse signals.

Source: Oppenheim, Schafer (2010), "Discrete-time signal processing", section 2.1.

Example:
    >>> import numpy as np
    >>> from maquette.methods.signal.impulses import decompose, recompose
    >>> x = np.array([[1, 0], [2, 3]])
    >>> places, weights = decompose(x)
    >>> [(tuple(map(int, k)), int(w)) for k, w in zip(places, weights)]
    [((0, 0), 1), ((1, 0), 2), ((1, 1), 3)]
    >>> bool((recompose(places, weights, x.shape) == x).all())
    True
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import count, numbers


def unit_impulse(shape: Sequence[int], at: Sequence[int] | None = None) -> np.ndarray:
    """delta(n - at): zeros of `shape` with a one at `at`, by default the origin, index 0 on every axis."""
    result = np.zeros([count(n, "shape") for n in shape])
    result[_place(at, result.shape)] = 1.0
    return result


def unit_step(shape: Sequence[int], at: Sequence[int] | None = None) -> np.ndarray:
    """u(n - at): ones from `at` on along every axis, zeros before."""
    result = np.zeros([count(n, "shape") for n in shape])
    result[tuple(slice(start, None) for start in _place(at, result.shape))] = 1.0
    return result


def _place(at: Sequence[int] | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    place = tuple(at) if at is not None else (0,) * len(shape)
    if len(place) != len(shape) or not all(0 <= k < n for k, n in zip(place, shape, strict=True)):
        raise InputError(f"at {place} is outside the shape {shape}: give an index per axis")
    return place


def decompose(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """x of any shape -> places (terms, axes) of its samples that are not zero, and the samples (terms,).

    Raises:
        InputError: if x is empty or holds NaN.
    """
    x = numbers(x, "x")
    places = np.argwhere(x)
    return places, x[tuple(places.T)]


def recompose(places: Any, weights: Any, shape: Sequence[int]) -> np.ndarray:
    """sum_k weights[k] delta(n - places[k]) on `shape`; weights of equal places add up."""
    weights, places = np.asarray(weights), np.asarray(places, np.int64).reshape(len(weights), len(shape))
    outside = (places < 0) | (places >= np.array(shape))
    if outside.any():
        raise InputError(f"places {tuple(places[outside.any(axis=1)][0])} is outside the shape {tuple(shape)}")
    x = np.zeros(tuple(shape), weights.dtype)
    np.add.at(x, tuple(places.T), weights)
    return x


METHOD = decompose
