"""How close a picture is to a reference: peak signal-to-noise ratio and structural similarity.

    psnr = 10 log10 (peak^2 / mean (x - y)^2)                                        in dB, infinite for equal ones
    ssim = mean of (2 m_x m_y + C1) (2 c_xy + C2) / ((m_x^2 + m_y^2 + C1) (v_x + v_y + C2)),   1 for equal ones

with m, v, c the local means, variances and covariance under a Gaussian window of sigma 1.5 (11 x 11 pixels), C1 =
(0.01 peak)^2, C2 = (0.03 peak)^2; the mean leaves out the 5 pixels beside the border and goes over all channels.

PSNR counts a shift of one pixel as a disaster and even blur as a trifle; SSIM is nearer to what eyes say, and blind
to colour. Both need the clean picture.

Source: Wang, Bovik, Sheikh, Simoncelli (2004), "Image quality assessment: from error visibility to structural
similarity".

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.quality import psnr
    >>> round(psnr(np.full((8, 8), 110, "uint8"), np.full((8, 8), 100, "uint8")), 2)
    28.13
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.gaussian_filter import blurred
from maquette.methods.image.pictures import check_window, cropped, stack_of
from maquette.methods.signal.signals import number


def psnr(picture: Any, reference: Any, peak: float | None = None, batch: bool = False) -> float | np.ndarray:
    """Peak signal-to-noise ratio in dB; (n,) for a batch.

    Args:
        picture, reference: of the same shape.
        peak: the range from black to white, by default that of the reference's integers, 1 for floats.

    Raises:
        InputError: for shapes that differ.
    """
    x, y, top = _pair(picture, reference, peak, batch)
    error = np.mean((x - y) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        ratio = 10 * np.log10(top**2 / error)
    return ratio if batch else float(ratio[0])


def ssim(picture: Any, reference: Any, peak: float | None = None, batch: bool = False) -> float | np.ndarray:
    """Mean structural similarity, at most 1; (n,) for a batch. Arguments and errors as for `psnr`."""
    x, y, top = _pair(picture, reference, peak, batch)
    check_window(picture, (11, 11), "reflect", batch, "ssim")

    def mean(stack: np.ndarray) -> np.ndarray:
        return cropped(blurred(stack, (1.5, 1.5), 3.5, "reflect"), (5, 5), "valid")

    mean_x, mean_y = mean(x), mean(y)
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * top) ** 2, (0.03 * top) ** 2
    similar = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    index = np.mean(similar / ((mean_x**2 + mean_y**2 + c1) * (variances + c2)), axis=(1, 2, 3))
    return index if batch else float(index[0])


def _pair(picture: Any, reference: Any, peak: float | None, batch: bool) -> tuple[np.ndarray, np.ndarray, float]:
    x, y = stack_of(picture, batch), stack_of(reference, batch, "reference")
    if x.shape != y.shape:
        raise InputError(
            f"reference has the shape {np.shape(reference)}, picture {np.shape(picture)}: give both the same"
        )
    if peak is None:
        whole = y.dtype.kind in "iu"
        peak = float(np.iinfo(y.dtype).max) - float(np.iinfo(y.dtype).min) if whole else 1.0
    return x.astype(float), y.astype(float), number(peak, "peak", 0, above=True)


METHOD = psnr
