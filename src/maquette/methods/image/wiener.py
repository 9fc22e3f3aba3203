"""Wiener filter: the linear filter of least mean squared error, against noise and against known blur.

Noise alone, adaptive to the place, with m and v the mean and variance in a window and s^2 that of the noise:

    y = m + max(v - s^2, 0) / max(v, s^2) (x - m)        flat places are averaged, edges are left alone

Known blur h and noise, by frequency, with H the transform of h and S_n, S_f the spectra of noise and scene:

    F = conj(H) / (|H|^2 + S_n / S_f) G                  `deconvolve`; the inverse filter 1 / H where S_n = 0

Without noise the second restores a blurred picture exactly wherever H is not 0; with it, frequencies that noise
covers are damped in place of amplified. The Fourier transform takes a picture as periodic, which "wrap" says it is;
"reflect" and "mirror" lay it out with its mirror images first, exact for kernels that are their own mirror images.
Noise that is not given is estimated, and S_f then falls with the square of the frequency, as in natural scenes.

The first leaves grain beside edges, and blotches where a variance of few pixels is itself noisy. The second rings
beside edges, and a wrong kernel makes it worse than no filter.

Source: Wiener (1949), "Extrapolation, interpolation, and smoothing of stationary time series"; Lee (1980),
"Digital image enhancement and noise filtering by use of local statistics"; Gonzalez, Woods (2018), section 5.8.

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.wiener import deconvolve
    >>> from maquette.methods.image.blur import blur, motion_kernel
    >>> scene = np.random.default_rng(0).random((32, 32))
    >>> shaken = blur(scene, length=5, border="wrap")
    >>> restored = deconvolve(shaken, motion_kernel(5), noise_to_signal=0, border="wrap")
    >>> bool(np.allclose(restored, scene))
    True
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.linear_filter import filtered, kernel_of
from maquette.methods.image.mean_filter import local_mean
from maquette.methods.image.noise import estimate_noise
from maquette.methods.image.pictures import AXES, Sides, apply, check_window, cropped, odd_size
from maquette.methods.signal.signals import number, numbers, padded


def wiener(
    picture: Any,
    size: Sides = 5,
    noise: float | None = None,
    border: str = "reflect",
    value: float = 0.0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> denoised picture, of the same type and, unless the border is "valid", the same size.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        size: of the window, odd, or (height, width).
        noise: standard deviation s of the noise in grey levels; by default that of `estimate_noise`, for each
            picture and channel.
        border: reflect, mirror, nearest, wrap, constant or valid.
        value: of the pixels beyond a constant border.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an even size, one larger than the picture, a negative noise, or NaN.
    """
    window = odd_size(size)
    check_window(picture, window, border, batch)
    fixed = None if noise is None else number(noise, "noise", 0) ** 2

    def denoise(stack: np.ndarray) -> np.ndarray:
        middle = stack.mean(axis=AXES, keepdims=True) if border != "constant" else np.zeros(1, stack.dtype)
        x = stack - middle  # a variance as a difference of squares loses digits far from zero
        mean = local_mean(x, window, border, value)
        variance = np.maximum(local_mean(x * x, window, border, value * value) - mean**2, 0)
        s2 = (_noise(stack) if fixed is None else np.asarray(fixed)).astype(stack.dtype)
        most = np.maximum(variance, s2)
        share = np.maximum(variance - s2, 0) / np.where(most > 0, most, 1)
        share = np.where(most > 0, share, 1)
        inner = cropped(x, (window[0] // 2, window[1] // 2), border)
        return mean + share * (inner - mean) + middle

    return apply(denoise, picture, batch)


def deconvolve(
    picture: Any, kernel: Any, noise_to_signal: Any = None, border: str = "reflect", batch: bool = False
) -> np.ndarray:
    """picture -> the scene before it was blurred by `kernel`, of the same type and size.

    Args:
        picture: the blurred picture.
        kernel: (odd height, odd width), or a name in `maquette.methods.image.linear_filter.KERNELS`.
        noise_to_signal: S_n / S_f, a number, or with border="wrap" an array (height, width) over the frequencies of
            `numpy.fft.fft2`; by default that of the estimated noise and a natural scene of the picture's variance.
        border: of the blur: wrap, reflect or mirror.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an even kernel, one larger than the picture, a negative ratio, or 0 where H is 0.
    """
    h = kernel_of(kernel)
    check_window(picture, h.shape, border, batch, "kernel")
    if border not in ("wrap", "reflect", "mirror"):
        raise InputError(f"border {border!r}: a blur can be taken back for wrap, reflect or mirror")
    ratio = None if noise_to_signal is None else numbers(noise_to_signal, "noise_to_signal").astype(float)
    if ratio is not None and ratio.min() < 0:
        raise InputError(f"noise_to_signal {ratio.min():g}: give a ratio of at least 0")

    def restore(stack: np.ndarray) -> np.ndarray:
        height, width = stack.shape[1:3]
        wide = _laid_out(stack, border)
        transfer, spectrum = transform_of(h, wide.shape[1:3]), np.fft.fft2(wide, axes=AXES)
        if ratio is None:
            again = np.fft.ifft2(spectrum * transfer[..., np.newaxis], axes=AXES).real
            # Where mirror images do not blur as the scene beyond the border did, the difference acts as noise; measured
            # on the blurred picture it is too small, by a factor near 10 in power for natural scenes.
            gap = again - _laid_out(filtered(stack, h, border), border)
            inverse = _inverse(transfer, _natural(stack, transfer, 10 * np.mean(gap**2, axis=AXES, keepdims=True)))
        else:
            inverse = _inverse(transfer, _fitted(ratio, transfer.shape))
        y = np.fft.ifft2(inverse * spectrum, axes=AXES).real
        return y[:, :height, :width].astype(stack.dtype)

    return apply(restore, picture, batch)


def _laid_out(stack: np.ndarray, border: str) -> np.ndarray:
    """One period of what goes on beyond the border for ever."""
    less = {"wrap": stack.shape[1:3], "reflect": (0, 0), "mirror": (2, 2)}[border]
    more = [max(side - k, 0) for side, k in zip(stack.shape[1:3], less, strict=True)]
    return padded(stack, [(0, 0), (0, more[0]), (0, more[1]), (0, 0)], border)


def transform_of(kernel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """H (height, width): the Fourier transform of the kernel with its middle at index 0, on `shape`."""
    wide = np.zeros(shape)
    wide[: kernel.shape[0], : kernel.shape[1]] = kernel
    return np.fft.fft2(np.roll(wide, (-(kernel.shape[0] // 2), -(kernel.shape[1] // 2)), (0, 1)))


def _noise(stack: np.ndarray) -> np.ndarray:
    """The estimated variance of the noise of each picture and channel, (n, 1, 1, channels)."""
    each = np.moveaxis(stack, -1, 1).reshape(-1, *stack.shape[1:3], 1)
    return np.square(estimate_noise(each, batch=True)).reshape(len(stack), 1, 1, -1)


def _natural(stack: np.ndarray, transfer: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """S_n / S_f of each picture and channel, (n, height, width, channels), S_f falling with the square of frequency."""
    noise = _noise(stack) + excess
    variance = stack.var(axis=AXES, keepdims=True)
    signal = np.maximum(variance - noise, 1e-3 * variance)
    down, across = (2 * np.pi * np.fft.fftfreq(side) for side in transfer.shape)
    fall = 1 / np.maximum(down[:, np.newaxis] ** 2 + across**2, (2 * np.pi / max(transfer.shape)) ** 2)
    fall = fall / np.mean(fall * np.abs(transfer) ** 2)  # blurred, the scene has the variance that is seen
    return 1e-8 + noise / (np.where(signal > 0, signal, 1) * fall[..., np.newaxis])


def _fitted(ratio: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if ratio.ndim and ratio.shape != shape:
        raise InputError(f"noise_to_signal has the shape {ratio.shape}: give a number, or with border='wrap' {shape}")
    return ratio[..., np.newaxis] if ratio.ndim else ratio


def _inverse(transfer: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    h = transfer[np.newaxis, :, :, np.newaxis]
    power = np.abs(h) ** 2 + ratio
    if power.min() < 1e-20:
        raise InputError("noise_to_signal 0: the kernel wipes some frequencies out, give a ratio above 0, such as 1e-4")
    return np.asarray(np.conj(h) / power)


METHOD = wiener
