"""Convolution arithmetic: how long the output of a convolution, a pooling or a transposed convolution is.

    K_eff = (K - 1) D + 1                                     K weights, D - 1 zeros between neighbours
    L'    = floor((L + P_before + P_after - K_eff) / S) + 1   L samples, stride S
    "valid"  P = 0, so L' = ceil((L - K_eff + 1) / S)
    "same"   L' = ceil(L / S); P = max((L' - 1) S + K_eff - L, 0) zeros, the odd one at the end

What is left over when S does not divide L + P - K_eff is never looked at; `strict` refuses such lengths. The
transposed convolution goes the other way: of the L with the output L' it gives the shortest, and `surplus` adds the
samples that were left over.

    L = (L' - 1) S + K_eff - P_before - P_after + surplus;   "same"  L = L' S;   "valid"  L = L' S + max(K_eff - S, 0)

All functions are about one axis; every axis has its own.

Source: Dumoulin, Visin (2016), "A guide to convolution arithmetic for deep learning", sections 2 and 4; "same" and
"valid" as TensorFlow, Keras and JAX have them.

Example:
    >>> from maquette.methods.network.convolution_arithmetic import output_length
    >>> output_length(12, 3, stride=2), output_length(12, 3, stride=2, padding="same")
    (5, 6)
    >>> output_length(12, 3, stride=2, strict=True)
    Traceback (most recent call last):
        ...
    maquette.errors.InputError: length 12: stride 2 leaves 1 sample unread; give a length of 11 or 13
"""

from typing import Any

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count

PADDINGS = ("valid", "same")


def output_length(
    length: int, kernel: int, stride: int = 1, padding: Any = "valid", dilation: int = 1, strict: bool = False
) -> int:
    """The number L' of positions at which the kernel is applied.

    Args:
        length: L, samples along the axis.
        kernel: K, weights along the axis, or the side of a pooling window.
        stride: S, samples from one position to the next.
        padding: "valid", "same", the zeros at each end, or a pair (before, after).
        dilation: D, samples from one weight to the next.
        strict: whether a length of which the stride leaves samples unread is an error.

    Raises:
        InputError: for a kernel longer than the padded length, or any number out of range.
    """
    before, after = padding_of(length, kernel, stride, padding, dilation)
    span = length + before + after - effective_kernel(kernel, dilation)
    if span < 0:
        wide = effective_kernel(kernel, dilation)
        raise InputError(f"kernel {kernel}: it spans {wide} samples of {length + before + after}; pad or take fewer")
    rest = span % stride
    if strict and rest:
        samples = f"{rest} sample{'s' * (rest > 1)}"
        raise InputError(
            f"length {length}: stride {stride} leaves {samples} unread; "
            f"give a length of {length - rest} or {length - rest + stride}"
        )
    return span // stride + 1


def effective_kernel(kernel: int, dilation: int = 1) -> int:
    """The samples K_eff from the first weight to the last; raises InputError below 1.

    >>> effective_kernel(3, 2)
    5
    """
    return (count(kernel, "kernel") - 1) * count(dilation, "dilation") + 1


def padding_of(length: int, kernel: int, stride: int = 1, padding: Any = "valid", dilation: int = 1) -> tuple[int, int]:
    """The zeros (before, after) that a padding stands for; raises InputError for an unknown word or a negative number.

    >>> padding_of(12, 3, stride=2, padding="same")
    (0, 1)
    """
    length, stride, wide = count(length, "length"), count(stride, "stride"), effective_kernel(kernel, dilation)
    if isinstance(padding, str):
        if choice(padding, "padding", PADDINGS) == "valid":
            return 0, 0
        total = max((-(-length // stride) - 1) * stride + wide - length, 0)
        return total // 2, total - total // 2
    ends = tuple(padding) if isinstance(padding, (tuple, list)) else (padding, padding)
    if len(ends) != 2:
        raise InputError(f"padding {padding!r}: give valid, same, a whole number, or two as (before, after)")
    return count(ends[0], "padding", 0), count(ends[1], "padding", 0)


def transposed_length(
    length: int, kernel: int, stride: int = 1, padding: Any = "valid", dilation: int = 1, surplus: int = 0
) -> int:
    """The number L of samples that a transposed convolution makes of `length` ones.

    Args:
        length: L', samples that go in.
        kernel, stride, padding, dilation: of the convolution whose direction is turned round.
        surplus: samples added at the end, below the stride; for a padding in numbers alone.

    Raises:
        InputError: for a length that would fall below 1, or any number out of range.
    """
    length, stride, wide = count(length, "length"), count(stride, "stride"), effective_kernel(kernel, dilation)
    if count(surplus, "surplus", 0) >= stride:
        raise InputError(f"surplus {surplus}: a stride of {stride} leaves fewer samples; give less than {stride}")
    if isinstance(padding, str) and surplus:
        raise InputError(f"surplus {surplus}: padding={padding!r} fixes the length; give the padding as numbers")
    if padding == "same":
        return length * stride
    if padding == "valid":
        return length * stride + max(wide - stride, 0)
    made = (length - 1) * stride + wide - sum(padding_of(length, kernel, stride, padding, dilation)) + surplus
    return count(made, "length of the output")


METHOD = output_length
