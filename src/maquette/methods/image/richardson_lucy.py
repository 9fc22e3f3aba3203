"""Richardson-Lucy deconvolution: the most likely scene behind a blurred picture of counted light.

    f <- f . ( (g / (f * h)) * h' ),    h' = h turned by 180 degrees, products and quotients pixel by pixel

g is the picture, h the known blur of sum 1, and f starts as a constant. Each step raises the likelihood of g under
Poisson noise of mean f * h, keeps f at or above 0 and, for a periodic border, keeps its total. It is the EM algorithm
for that model.

Stop early: after many steps it fits the noise, in bright specks and rings. `wiener.deconvolve` is linear and at once.

Source: Richardson (1972), "Bayesian-based iterative method of image restoration"; Lucy (1974), "An iterative
technique for the rectification of observed distributions".

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.richardson_lucy import richardson_lucy
    >>> star = np.zeros((9, 9)); star[4, 4] = 1.0
    >>> kernel = np.ones((3, 3)) / 9
    >>> seen = np.zeros((9, 9)); seen[3:6, 3:6] = 1 / 9
    >>> bool(richardson_lucy(seen, kernel, 200)[4, 4] > 0.99)
    True
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.linear_filter import filtered, kernel_of
from maquette.methods.image.pictures import apply, check_window, stack_of
from maquette.methods.signal.signals import count


def richardson_lucy(
    picture: Any, kernel: Any, steps: int = 30, border: str = "reflect", batch: bool = False
) -> np.ndarray:
    """picture -> the scene before it was blurred by `kernel`, of the same type and size.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`; no value below 0.
        kernel: (odd height, odd width) without negative weights; it is scaled to sum 1.
        steps: how often f is corrected.
        border: reflect, mirror, nearest, wrap or constant (0).
        batch: whether `picture` is a batch.

    Raises:
        InputError: for negative pixels or weights, or a kernel that does not fit.
    """
    h, steps = kernel_of(kernel), count(steps, "steps", 0)
    check_window(picture, h.shape, border, batch, "kernel")
    if border == "valid":
        raise InputError("border 'valid' would shrink the picture at every step: take reflect")
    if h.min() < 0 or h.sum() <= 0:
        raise InputError("kernel has negative weights or sum 0: a blur is a share of light from each neighbour")
    if stack_of(picture, batch).min() < 0:
        raise InputError("picture has values below 0: counted light cannot be negative, shift the picture first")
    h = h / h.sum()

    def restore(stack: np.ndarray) -> np.ndarray:
        scene = np.zeros_like(stack) + stack.mean(axis=(1, 2), keepdims=True)
        for _ in range(steps):
            seen = filtered(scene, h, border)
            # A dark pixel in the midst of dark ones is 0 / 0: it stays as it is.
            ratio = np.where(seen > 1e-12, stack / np.maximum(seen, 1e-12), 0)
            scene = np.maximum(scene * filtered(ratio, h[::-1, ::-1], border), 0)
        return np.asarray(scene)

    return apply(restore, picture, batch)


METHOD = richardson_lucy
