"""Noise for pictures: Gaussian, salt and pepper, Poisson, speckle; and an estimate of how much there is.

    gaussian          x + s e,  e from N(0, 1)                     sensor noise; s in grey levels
    salt-and-pepper   with probability `amount` the pixel becomes `low` or `high`, each as likely: dead pixels
    poisson           P(photons x / high) high / photons           counted light: variance x high / photons
    speckle           x (1 + s e)                                  radar and ultrasound; s as a share

Integers are rounded and clipped to their range, which pulls the mean of very dark and very bright places inwards;
floats are not clipped. Every pixel and channel is drawn apart, from `seed`.

Drawing a whole number from 0 to 20 and replacing the pixel on 0 and on 20 has `amount` = 2 / 21 = 9.52 %, from 0 to
40 it is 2 / 41 = 4.88 %: not the round 10 and 5 % that are often said.

`estimate_noise` takes the mean absolute answer to a kernel that no smooth picture and no straight edge excites; fine
texture counts as noise and makes it too large.

Source: Gonzalez, Woods (2018), "Digital image processing", 4th edition, section 5.2; Immerkaer (1996), "Fast
noise variance estimation".

Example:
    >>> import numpy as np
    >>> from maquette.methods.image.noise import add_noise
    >>> noisy = add_noise(np.full((100, 100), 128, "uint8"), "salt-and-pepper", amount=0.1, seed=0)
    >>> sorted({int(v) for v in noisy.ravel()}), 0.08 < float((noisy != 128).mean()) < 0.12
    ([0, 128, 255], True)
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.image.pictures import in_range, one_pass, stack_of
from maquette.methods.signal.signals import choice, count, number

KINDS = ("gaussian", "salt-and-pepper", "poisson", "speckle")
RESIDUAL = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])


def add_noise(
    picture: Any,
    kind: str = "gaussian",
    sigma: float | None = None,
    amount: float = 0.1,
    photons: float = 64.0,
    low: float | None = None,
    high: float | None = None,
    seed: int = 0,
    batch: bool = False,
) -> np.ndarray:
    """picture -> noisy picture of the same shape and type.

    Args:
        picture: (height, width[, channels]), or (n, height, width, channels) with `batch`.
        kind: gaussian, salt-and-pepper, poisson or speckle.
        sigma: standard deviation: for gaussian in grey levels, by default 1/20 of the range; for speckle as a share
            of the pixel, by default 0.2.
        amount: share of pixels replaced by salt or pepper.
        photons: counted at a pixel of value `high`; fewer are noisier.
        low, high: black and white, by default the type's own range for integers, 0 and 1 for floats.
        seed: fixes the noise.
        batch: whether `picture` is a batch.

    Raises:
        InputError: for an unknown kind, a negative sigma, an amount outside [0, 1], or pixels below 0 for poisson.
    """
    stack_of(picture, batch)
    x = np.asarray(picture)
    black, white = _range(x.dtype, low, high)
    random = np.random.default_rng(count(seed, "seed", 0))
    if choice(kind, "kind", KINDS) == "salt-and-pepper":
        return _salt_and_pepper(x, number(amount, "amount", 0, most=1), black, white, random)
    pixels = x.astype(np.float64)
    if kind == "poisson":
        return in_range(_poisson(pixels, number(photons, "photons", 0, above=True), white, random), x.dtype)
    spread = number(
        sigma if sigma is not None else {"gaussian": (white - black) / 20, "speckle": 0.2}[kind], "sigma", 0
    )
    noise = spread * random.normal(size=x.shape)
    return in_range(pixels + (noise if kind == "gaussian" else pixels * noise), x.dtype)


def _range(dtype: np.dtype[Any], low: float | None, high: float | None) -> tuple[float, float]:
    whole = dtype.kind in "iu"
    black = number(low, "low", -np.inf) if low is not None else float(np.iinfo(dtype).min) if whole else 0.0
    white = (
        number(high, "high", black, above=True) if high is not None else float(np.iinfo(dtype).max) if whole else 1.0
    )
    return black, white


def _salt_and_pepper(x: np.ndarray, amount: float, low: float, high: float, random: Any) -> np.ndarray:
    draw = random.random(x.shape)
    y = np.where(draw < amount / 2, in_range(np.array(low), x.dtype), x)
    return np.where(draw >= 1 - amount / 2, in_range(np.array(high), x.dtype), y)


def _poisson(x: np.ndarray, photons: float, high: float, random: Any) -> np.ndarray:
    if x.min() < 0 or high <= 0:
        raise InputError("picture has values below 0: poisson noise counts light, shift the picture first")
    return np.asarray(random.poisson(x * (photons / high)) * (high / photons))


def estimate_noise(picture: Any, batch: bool = False) -> float | np.ndarray:
    """picture -> standard deviation of its Gaussian noise, over all channels; (n,) for a batch.

    sigma = sqrt(pi / 2) / 6 mean |x * N| with N = (1, -2, 1)^T (1, -2, 1), whose squared weights sum to 36.

    Raises:
        InputError: for a picture below 3 x 3.
    """
    stack = stack_of(picture, batch).astype(float)
    if min(stack.shape[1:3]) < 3:
        raise InputError(f"picture has {stack.shape[1]}x{stack.shape[2]} pixels: the estimate needs at least 3x3")
    found = np.sqrt(np.pi / 2) / 6 * np.abs(one_pass(stack, RESIDUAL, "valid")).mean(axis=(1, 2, 3))
    return found if batch else float(found[0])


METHOD = add_noise
