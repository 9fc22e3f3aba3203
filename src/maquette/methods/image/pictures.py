"""What all picture pages share: shapes, types and borders in, the same out.

A picture is an array (height, width) or (height, width, channels), and with `batch=True` (n, height, width, channels).
Every channel is filtered on its own. The range is kept: integers and booleans are computed in float64, rounded to
the nearest (a half to the even one) and clipped to what their type holds; float32 and float64 are computed as such
and not clipped. Functions that return differences, which may be negative, return floats and say so.

The words for borders are those of `maquette.methods.signal.signals`; "valid" crops what saw the border.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import BORDERS, choice, number, numbers

AXES = (1, 2)
VALUES = 2**22  # of a batch that are filtered at a time, so that memory does not grow with the batch

Sides = int | Sequence[int]


def stack_of(picture: Any, batch: bool = False, name: str = "picture") -> np.ndarray:
    """The picture or batch as (n, height, width, channels), without a copy where it is one already.

    Raises:
        InputError: for another number of axes, an empty array, NaN, or numbers that are not real.
    """
    array = numbers(picture, name)
    if array.dtype.kind == "c":
        raise InputError(f"{name} is complex: give real numbers")
    if batch and array.ndim != 4:
        raise InputError(f"{name} has the shape {array.shape}: with batch=True give (n, height, width, channels)")
    if not batch and array.ndim not in (2, 3):
        hint = "; for a batch set batch=True" if array.ndim == 4 else ""
        raise InputError(f"{name} has the shape {array.shape}: give (height, width) or (height, width, channels){hint}")
    if array.ndim == 2:
        return array[np.newaxis, :, :, np.newaxis]
    return array if batch else array[np.newaxis]


def apply(
    function: Callable[[np.ndarray], np.ndarray], picture: Any, batch: bool = False, keep: bool | str = True
) -> np.ndarray:
    """`function` of stacks (n, height, width, channels), for pictures of every shape and type.

    Args:
        function: stack of floats -> stack of floats; it sees a part of a large batch at a time.
        keep: whether the result takes the picture's own type and range; "input" also hands `function` that type.
    """
    stack = stack_of(picture, batch)
    dtype = stack.dtype
    step = max(1, VALUES // stack[0].size)
    work = dtype if keep == "input" and dtype != np.float16 else _float(dtype)
    # SciPy's filters misread arrays of stride 0, which `numpy.broadcast_to` makes.
    chunks = (np.ascontiguousarray(stack[i : i + step], work) for i in range(0, len(stack), step))
    parts = [function(chunk) for chunk in chunks]
    result = parts[0] if len(parts) == 1 else np.concatenate(parts)
    result = in_range(result, dtype) if keep else result
    return result if batch else result[0, :, :, 0] if np.ndim(picture) == 2 else result[0]


def _float(dtype: np.dtype[Any]) -> Any:
    return np.float32 if dtype in (np.float16, np.float32) else np.float64


def in_range(x: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """x rounded and clipped to what integers or booleans of `dtype` hold, or cast to its kind of float."""
    if x.dtype == dtype or dtype.kind == "f":
        return x.astype(dtype, copy=False)
    if dtype.kind == "b":
        return x >= 0.5
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    high = float(most)
    # The largest 64-bit integers round up to a float that does not fit.
    high = high if int(high) <= most else float(np.nextafter(high, 0))
    return np.clip(np.rint(x), least, high).astype(dtype)


def odd_size(size: Sides, name: str = "size") -> tuple[int, int]:
    """(height, width) of a window from one odd number or two; raises InputError naming an even one."""
    sides = np.atleast_1d(np.asarray(size)).tolist()
    sides = sides * 2 if len(sides) == 1 else sides
    whole = all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not whole or min(sides) < 1 or any(side % 2 == 0 for side in sides):
        raise InputError(
            f"{name} {size!r}: give an odd whole number, or two as (height, width), so that it has a middle"
        )
    return int(sides[0]), int(sides[1])


def check_window(picture: Any, window: Sequence[int], border: str, batch: bool = False, name: str = "size") -> None:
    """Raises InputError if a window of (height, width) exceeds the picture, or the border is unknown."""
    choice(border, "border", BORDERS)
    height, width = stack_of(picture, batch).shape[1:3]
    if window[0] > height or window[1] > width:
        size = f"{window[0]}x{window[1]}"
        raise InputError(
            f"{name}: the window of {size} pixels exceeds the picture of {height}x{width}: take a smaller one"
        )


def mode_of(border: str, value: float = 0.0) -> dict[str, Any]:
    """The border as arguments of SciPy's filters; what "valid" crops later may be anything."""
    mode = "nearest" if choice(border, "border", BORDERS) == "valid" else border
    return {"mode": mode, "cval": number(value, "value", -np.inf)}


def cropped(stack: np.ndarray, radius: Sequence[int], border: str) -> np.ndarray:
    """The stack without the `radius` (vertical, horizontal) pixels beside the border, if that is "valid"."""
    if border != "valid":
        return stack
    (down, right), (height, width) = radius, stack.shape[1:3]
    return stack[:, down : height - down, right : width - right]


def two_passes(
    stack: np.ndarray, column: np.ndarray, row: np.ndarray, border: str = "reflect", value: float = 0.0
) -> np.ndarray:
    """The stack convolved with the kernel column row^T: along the height, then along the width."""
    from scipy import ndimage

    y = ndimage.convolve1d(stack, column, 1, **mode_of(border, value))
    # Beyond a constant border the first pass has turned k into k times the column's sum.
    y = ndimage.convolve1d(y, row, 2, **mode_of(border, value * float(np.sum(column))))
    return cropped(y, (len(column) // 2, len(row) // 2), border)


def one_pass(stack: np.ndarray, kernel: np.ndarray, border: str = "reflect", value: float = 0.0) -> np.ndarray:
    """The stack convolved with a kernel (odd height, odd width)."""
    from scipy import ndimage

    y = ndimage.convolve(stack, kernel[np.newaxis, :, :, np.newaxis], **mode_of(border, value))
    return cropped(y, (kernel.shape[0] // 2, kernel.shape[1] // 2), border)
