"""The scale of pictures, fitted on the training split and saved with the model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from maquette.errors import InputError

_CHUNK = 256


class PictureScaler:
    """Turns bytes into numbers near zero, channel by channel.

    x' = (x / 255 - mean) / std, with the mean and the population standard deviation of each channel over the
    training pictures; a constant channel keeps std 1. With `standardise=False`, x' = x / 255.

    >>> PictureScaler(standardise=False).fit(np.full((1, 2, 2, 1), 51, np.uint8)).mean
    array([0.])
    """

    def __init__(self, standardise: bool = True) -> None:
        self.standardise = standardise
        self.mean: Any = None
        self.std: Any = None

    def fit(self, x: np.ndarray) -> PictureScaler:
        """Learn mean and std, float64 (channels,), from x uint8 (n, height, width, channels); return self.

        Raises InputError for another shape or dtype and for no picture at all.
        """
        _check(x)
        if not x.size:
            raise InputError("no picture to fit the scale on: give at least one training picture")
        channels = x.shape[-1]
        self.mean, self.std = np.zeros(channels), np.ones(channels)
        if self.standardise:
            self._measure(x)
        return self

    def _measure(self, x):
        count = x.size // x.shape[-1]
        total = np.zeros(x.shape[-1])
        squares = np.zeros(x.shape[-1])
        # Sums of bytes and of their squares are whole numbers, which float64 adds without rounding.
        for start in range(0, len(x), _CHUNK):
            chunk = x[start : start + _CHUNK].astype(np.float64)
            total += chunk.sum(axis=(0, 1, 2))
            squares += np.square(chunk).sum(axis=(0, 1, 2))
        variance = squares / count - np.square(total / count)
        constant = [int(count) * int(s) == int(t) ** 2 for s, t in zip(squares, total, strict=True)]
        self.mean = total / count / 255
        self.std = np.where(constant, 1.0, np.sqrt(np.maximum(variance, 0)) / 255)

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Return float32 (n, height, width, channels) for x uint8 of that shape.

        Raises InputError for another shape, dtype or number of channels, and before `fit`.
        """
        _check(x)
        if self.mean is None:
            raise InputError("the scale of the pictures is not fitted: call fit on the training pictures first")
        if x.shape[-1] != len(self.mean):
            raise InputError(f"pictures with {x.shape[-1]} channels: the model was trained on {len(self.mean)}")
        result = np.multiply(x, (1 / (255 * self.std)).astype(np.float32), dtype=np.float32)
        if np.any(self.mean):
            result -= (self.mean / self.std).astype(np.float32)
        return result

    def to_json(self) -> str:
        """Return the scale as JSON text; floats are written so that they read back exactly."""
        fitted = None if self.mean is None else {"mean": self.mean.tolist(), "std": self.std.tolist()}
        return json.dumps({"standardise": self.standardise, "fitted": fitted})

    @classmethod
    def from_json(cls, text: str) -> PictureScaler:
        """Return the PictureScaler that `to_json` wrote; raises InputError for other text."""
        try:
            state = json.loads(text)
            scaler = cls(bool(state["standardise"]))
            if state["fitted"]:
                scaler.mean = np.array(state["fitted"]["mean"], np.float64)
                scaler.std = np.array(state["fitted"]["std"], np.float64)
            return scaler
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"not the saved scale of pictures ({error}): use the run's own file") from error


def _check(x):
    if getattr(x, "dtype", None) != np.uint8 or x.ndim != 4:
        found = f"{getattr(x, 'dtype', type(x).__name__)} {getattr(x, 'shape', '')}".strip()
        raise InputError(f"pictures of {found}: give uint8 (n, height, width, channels)")
