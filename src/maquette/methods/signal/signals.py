"""What all signal and picture pages ask of their arguments, and the one vocabulary of borders.

A filter near the border of a signal `a b c d` needs samples beyond it. Every page takes the same words for them,
which are SciPy's:

    border       before       signal     after
    reflect      d c b a      a b c d    d c b a     mirrored, the border sample twice
    mirror         d c b      a b c d    c b a       mirrored, the border sample once
    nearest      a a a a      a b c d    d d d d     the border sample repeated
    wrap         a b c d      a b c d    a b c d     periodic
    constant     k k k k      a b c d    k k k k     k = `value`, 0 by default
    valid                     a b c d                nothing: the output is smaller and uses inner samples alone
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError, near

# Each border's name in numpy.pad; "valid" pads nothing.
PADDING = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}
BORDERS = (*PADDING, "valid")


def numbers(x: Any, name: str, ndim: int | None = None) -> np.ndarray:
    """`x` as an array of finite numbers.

    Raises:
        InputError: naming the argument, if it is empty, not numeric, not finite, or has another number of axes.
    """
    try:
        array = np.asarray(x)
    except ValueError:  # rows of unequal lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biufc":
        raise InputError(f"{name} has the type {array.dtype}: give an array of numbers")
    if array.size == 0:
        raise InputError(f"{name} is empty: give at least one number")
    if ndim is not None and array.ndim != ndim:
        raise InputError(
            f"{name} has the shape {array.shape}: give an array with {ndim} {'axis' if ndim == 1 else 'axes'}"
        )
    if array.dtype.kind in "fc" and not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinity: replace or remove those entries")
    return array


def number(value: Any, name: str, least: float, above: bool = False, most: float = np.inf) -> float:
    """`value` as a float of at least `least`, or above it, and at most `most`; raises InputError naming it."""
    wanted = f"{'above' if above else 'of at least'} {least:g}" + (f" and at most {most:g}" if most < np.inf else "")
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} {value!r}: give a number {wanted}") from None
    # Written so that NaN fails.
    if not (least < result if above else least <= result) or not result <= most or result == np.inf:
        raise InputError(f"{name} {value}: give a number {wanted}")
    return result


def count(value: Any, name: str, least: int = 1) -> int:
    """`value` as an int of at least `least`; raises InputError naming it."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name} {value!r}: give a whole number of at least {least}")
    return int(value)


def choice(value: Any, name: str, known: Sequence[str]) -> str:
    """`value` if it is one of `known`; raises InputError naming the near ones."""
    if value not in known:
        raise InputError(f"{name} {value!r} is not known: {near(str(value), known)}")
    return str(value)


def padded(x: np.ndarray, widths: Sequence[tuple[int, int]], border: str, value: float = 0.0) -> np.ndarray:
    """`x` with (before, after) samples added on each axis, taken from `border`; "valid" adds none."""
    choice(border, "border", BORDERS)
    if border == "valid" or not np.any(widths):
        return x
    if border == "constant":
        return np.pad(x, widths, constant_values=number(value, "value", -np.inf))
    return np.pad(x, widths, mode=PADDING[border])  # type: ignore[call-overload]
