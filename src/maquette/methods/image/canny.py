"""Canny's edge detector: lines one pixel wide, strong ones kept, weak ones kept where they continue a strong one.

    1. smooth by a Gaussian of `sigma`
    2. Sobel: I_x, I_y and the magnitude C
    3. thin: keep a pixel where C is no smaller than its neighbour in the direction of the gradient and larger than
       the one behind, both interpolated between two pixels; between equals the one ahead stays
    4. two thresholds t_low <= t_high: keep the 8-connected lines of C >= t_low that hold a pixel of C >= t_high

The thresholds are shares of the largest C of the picture and channel, so that they need no unit. A larger sigma takes
out texture and moves corners; raising `low` only takes pixels away. One very strong edge hides the others: lower both
thresholds then. The outermost pixels are never edges.

    scores    `edge_scores`: precision, recall and F of edges against true ones, matched within `reach` pixels, and
              Pratt's figure of merit, sum 1 / (1 + d^2 / 9) / max(found, true), d the distance to the truth

Source: Canny (1986), "A computational approach to edge detection"; Abdou, Pratt (1979), "Quantitative design and
evaluation of enhancement/thresholding edge detectors".

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.canny import canny
    >>> step = np.repeat([[0.0] * 10 + [1.0] * 10], 20, axis=0)
    >>> canny(step, sigma=1)[10].nonzero()[0].tolist()
    [10]
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.gaussian_filter import blurred, radius_of, sigmas_of
from maquette.methods.image.gradients import slopes
from maquette.methods.image.pictures import apply, check_window, cropped
from maquette.methods.signal.signals import number, numbers


def canny(
    picture: Any,
    sigma: float = 1.5,
    low: float = 0.1,
    high: float = 0.2,
    border: str = "reflect",
    value: float = 0.0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> its edges, bool, channel by channel; of the same size unless the border is "valid".

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        sigma: of the blur, in pixels.
        low, high: thresholds, as shares of the largest magnitude.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for low above high, a sigma whose window is larger than the picture, or NaN.
    """
    high = number(high, "high", 0, above=True, most=1)
    low = number(low, "low", 0, most=high)
    sigmas = sigmas_of(sigma)
    radius = radius_of(sigmas[0]) + 1
    check_window(picture, (2 * radius + 1,) * 2, border, batch, f"sigma {sigma}")
    inner = "nearest" if border == "valid" else border

    def edges(stack: np.ndarray) -> np.ndarray:
        smooth = blurred(stack, sigmas, 4.0, inner, value)
        # The border of the smoothed picture is mirrored, so that a constant one makes no second frame here.
        across, up = slopes(smooth, "sobel", border="reflect")
        strength = np.hypot(across, up)
        # Rounding errors of a constant picture are no edges.
        least = _rounding(stack)
        top = np.maximum(strength.max(axis=(1, 2), keepdims=True), least)
        thin = thinned(across, up, strength, strength >= np.maximum(low * top, least))
        return cropped(linked(thin, thin & (strength >= high * top)), (radius, radius), border)

    return apply(edges, picture, batch, keep=False)


def _rounding(stack: np.ndarray) -> np.ndarray:
    return 64 * np.finfo(stack.dtype).eps * np.abs(stack).max(axis=(1, 2), keepdims=True) + np.finfo(stack.dtype).tiny


def thinned(across: np.ndarray, up: np.ndarray, strength: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Gradient (n, height, width, channels) -> bool: which pixels `among` these are maxima along their direction."""
    inside = np.zeros(among.shape, bool)
    inside[:, 1:-1, 1:-1] = among[:, 1:-1, 1:-1]
    n, i, j, c = np.nonzero(inside)
    along, above, here = across[inside], up[inside], strength[inside]
    right, down = np.sign(along).astype(int), -np.sign(above).astype(int)
    steep = np.abs(above) > np.abs(along)
    small, large = np.minimum(np.abs(along), np.abs(above)), np.maximum(np.abs(along), np.abs(above))
    weight = small / large  # of the diagonal neighbour

    def neighbour(way: int) -> np.ndarray:
        straight = strength[n, i + way * np.where(steep, down, 0), j + way * np.where(steep, 0, right), c]
        return weight * strength[n, i + way * down, j + way * right, c] + (1 - weight) * straight

    # Both flanks of a symmetric edge are equal but for rounding: the slack lets one of them win, always the same.
    inside[inside] = (here - neighbour(-1) >= -1e-9 * here) & (here - neighbour(1) > 1e-9 * here)
    return inside


def linked(weak: np.ndarray, strong: np.ndarray) -> np.ndarray:
    """The 8-connected parts of `weak` (n, height, width, channels) that hold a pixel of `strong`, a part of it."""
    from scipy import ndimage

    together = np.zeros((3, 3, 3, 3), bool)
    together[1, :, :, 1] = True  # not across pictures or channels
    labels, found = ndimage.label(weak, together)
    kept = np.zeros(found + 1, bool)
    kept[labels[strong]] = True
    kept[0] = False
    return np.asarray(kept[labels])


def edge_scores(edges: Any, truth: Any, reach: float = 1.0) -> dict[str, float]:
    """edges, truth: bool (height, width) -> {"precision", "recall", "f", "figure_of_merit"}, each in [0, 1].

    Raises:
        InputError: for shapes that differ, or a truth without an edge.
    """
    from scipy.ndimage import distance_transform_edt

    found, true = numbers(edges, "edges", 2) != 0, numbers(truth, "truth", 2) != 0
    if found.shape != true.shape or not true.any():
        raise InputError(
            f"truth of shape {true.shape} with {true.sum()} edge pixels: give edges of shape {found.shape}"
        )
    if not found.any():
        return {"precision": 0.0, "recall": 0.0, "f": 0.0, "figure_of_merit": 0.0}
    to_truth, to_found = distance_transform_edt(~true)[found], distance_transform_edt(~found)[true]
    precision, recall = float(np.mean(to_truth <= reach)), float(np.mean(to_found <= reach))
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    merit = float(np.sum(1 / (1 + to_truth**2 / 9)) / max(found.sum(), true.sum()))
    return {"precision": precision, "recall": recall, "f": f, "figure_of_merit": merit}


METHOD = canny
