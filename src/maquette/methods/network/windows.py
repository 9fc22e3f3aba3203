"""The windows that a kernel looks through, and the way back: what convolution and pooling share."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.network.convolution_arithmetic import effective_kernel, output_length, padding_of
from maquette.methods.signal.signals import count


class Windows:
    """The places of a kernel on the space of an input (n, length..., channels).

    Attributes:
        size: of the kernel on each axis.
        stride, dilation: on each axis.
        pads: (before, after) on each axis.
        lengths: of the output on each axis.

    Raises:
        InputError: for sizes that do not fit the input, naming the argument.
    """

    def __init__(
        self, shape: Sequence[int], size: Sequence[int], stride: Any = 1, padding: Any = "valid", dilation: Any = 1
    ) -> None:
        if len(shape) != len(size) + 2:
            raise InputError(f"x has the shape {tuple(shape)}: give (n, {'length, ' * len(size)}channels)")
        self.shape, self.size = tuple(shape), tuple(size)
        axes = len(size)
        self.stride, self.dilation = per_axis(stride, axes, "stride"), per_axis(dilation, axes, "dilation")
        padding = list(padding) if isinstance(padding, list) else [padding] * axes
        each = list(zip(shape[1:-1], self.size, self.stride, padding, self.dilation, strict=True))
        self.pads = [padding_of(*one) for one in each]
        self.lengths = tuple(output_length(*one) for one in each)

    def look(self, x: np.ndarray, beyond: float = 0.0) -> np.ndarray:
        """x -> what each place sees: (n, places..., channels, size...), with `beyond` outside of x."""
        wide = np.pad(x, [(0, 0), *self.pads, (0, 0)], constant_values=beyond)
        reach = [effective_kernel(k, d) for k, d in zip(self.size, self.dilation)]
        seen = np.lib.stride_tricks.sliding_window_view(wide, reach, axis=tuple(range(1, 1 + len(reach))))
        steps, taps = ([slice(None, None, n) for n in each] for each in (self.stride, self.dilation))
        return seen[(slice(None), *steps, slice(None), *taps)]

    def put_back(self, parts: np.ndarray) -> np.ndarray:
        """The adjoint of `look`: adds (n, places..., channels, size...) up where each entry was seen; (n, ...)."""
        wide = np.zeros([self.shape[0], *self._padded(), self.shape[-1]], parts.dtype)
        for tap in np.ndindex(self.size):
            wide[(slice(None), *map(slice, *self._ends(tap), self.stride))] += parts[(..., *tap)]
        inner = (slice(before, before + n) for (before, _), n in zip(self.pads, self.shape[1:-1]))
        return wide[(slice(None), *inner)]

    def _padded(self) -> list[int]:
        return [n + before + after for n, (before, after) in zip(self.shape[1:-1], self.pads)]

    def _ends(self, tap: Sequence[int]) -> tuple[list[int], list[int]]:
        start = [i * d for i, d in zip(tap, self.dilation)]
        return start, [a + (n - 1) * s + 1 for a, n, s in zip(start, self.lengths, self.stride)]


def per_axis(value: Any, axes: int, name: str) -> tuple[int, ...]:
    """A whole number for every axis, or one for each; raises InputError for another number of them."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes:
        raise InputError(f"{name} {value!r}: give one whole number, or one for each of {axes} axes")
    return tuple(count(v, name) for v in values)
