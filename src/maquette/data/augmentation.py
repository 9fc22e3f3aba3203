"""Random changes of training pictures that leave their class as it is, batch by batch.

Every draw is a function of (seed, epoch, batch index) alone, so that a resumed run sees the pictures that it would have
seen, whichever process makes the batch. Validation and test pictures are never changed.

flip    true: mirrored left to right with probability 1/2. Not for digits or letters, whose class it can change.
shift   pixels: moved by a whole number from -shift to shift, down and across; black comes in.
crop    share: a square patch of a side from `crop` to 1 of the picture's, anywhere in it, enlarged to the whole.
rotate  degrees: turned about the centre by an angle from -rotate to rotate; black comes in.
colour  share: each channel multiplied by a factor of its own from 1 - colour to 1 + colour, then cut to bytes.
erase   pixels: a square of that side is made grey (128); its centre is anywhere, so it may stick out.

They are applied in this order: crop and rotate as one bilinear map, then shift and flip, colour, erase.

**Source:** A. Krizhevsky, I. Sutskever, G. Hinton, *ImageNet classification with deep convolutional neural networks*,
2012, section 4.1 (patches and reflections); T. DeVries, G. Taylor, *Improved regularization of convolutional neural
networks with cutout*, 2017 (erase).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maquette.errors import InputError, near

# Each name with its smallest and largest value.
LIMITS = {
    "flip": (0, 1),
    "shift": (0, 1024),
    "crop": (0.05, 1),
    "rotate": (0, 180),
    "colour": (0, 1),
    "erase": (0, 1024),
}
WHOLE = ("flip", "shift", "erase")


def checked(settings: Mapping[str, Any]) -> dict[str, float]:
    """The settings as numbers; raises InputError for an unknown name or a value out of its range."""
    values = {}
    for name, value in settings.items():
        if name not in LIMITS:
            raise InputError(f"inputs.augment.{name}: there is no such change of pictures; {near(name, LIMITS)}")
        least, most = LIMITS[name]
        value = {"true": True, "false": False}.get(str(value).lower(), value)
        number = isinstance(value, int | float) and least <= value <= most
        if not number or (name in WHOLE and value != int(value)):
            kind = "true or false" if name == "flip" else f"a {'whole ' * (name in WHOLE)}number from {least} to {most}"
            raise InputError(f"inputs.augment.{name}={value}: take {kind}")
        values[name] = value
    return values


def of_batch(x: np.ndarray, epoch: int, index: int, seed: int, settings: Mapping[str, float]) -> np.ndarray:
    """`augment` with the draws of (seed, epoch, index)."""
    return augment(x, np.random.default_rng((seed, epoch, index)), settings)


def augment(x: np.ndarray, random: np.random.Generator, settings: Mapping[str, float]) -> np.ndarray:
    """Change a batch of pictures: uint8 (n, height, width, channels) -> a new array of the same shape and type.

    >>> from maquette.data.augmentation import augment
    >>> x = np.arange(6, dtype=np.uint8).reshape(1, 1, 6, 1)
    >>> augment(x, np.random.default_rng(1), {"flip": 1}).ravel()
    array([5, 4, 3, 2, 1, 0], dtype=uint8)
    """
    n = len(x)
    if "crop" in settings or settings.get("rotate"):
        side = random.uniform(settings.get("crop", 1), 1, n)
        corner = random.uniform(0, 1, (n, 2)) * (1 - side)[:, None]
        turn = settings.get("rotate", 0)
        x = patches(x, side, corner, np.deg2rad(random.uniform(-turn, turn, n)))
    if settings.get("shift") or settings.get("flip"):
        most = int(settings.get("shift", 0))
        by = random.integers(-most, most + 1, (n, 2))
        mirrored = (random.random(n) < 0.5) & bool(settings.get("flip"))
        x = moved(x, by, mirrored)
    if settings.get("colour"):
        gain = random.uniform(1 - settings["colour"], 1 + settings["colour"], (n, 1, 1, x.shape[-1]))
        x = np.clip(np.rint(x * gain.astype(np.float32)), 0, 255).astype(np.uint8)
    if settings.get("erase"):
        x = erased(x, int(settings["erase"]), random.integers(0, x.shape[1:3], (n, 2)))
    return x


def moved(x: np.ndarray, by: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Move each picture by[i] = (down, right) pixels, black where nothing was, then mirror those of the mask (n,).

    Pixel (r, c) of the result is pixel (r - down, c - right) of x before it is mirrored.
    """
    height, width = x.shape[1:3]
    result = np.zeros_like(x)
    # A picture that has left its frame altogether leaves nothing to copy.
    by = np.clip(by, (-height, -width), (height, width))
    for i, ((down, right), mirror) in enumerate(zip(by.tolist(), mirrored.tolist(), strict=True)):
        source = x[i, max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
        result[i, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = source
        if mirror:
            result[i] = result[i, :, ::-1]
    return result


def patches(x: np.ndarray, side: np.ndarray, corner: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Enlarge a patch of each picture to the whole, turned about its centre, by bilinear interpolation.

    With pixels at half-integer places p = (down, right), and m the middle of a picture of `size` pixels, the place p of
    the result takes the value of x at centre + side R(angle) (p - m), centre = (corner + side / 2) size; places outside
    are black. The turn is one in pixels, so that pictures that are not square keep right angles.

    Args:
        side: of each patch, as a share of the picture's: (n,).
        corner: the patch's upper left corner, as shares of the height and the width: (n, 2).
        angle: in radians, (n,); a positive one turns the content counter-clockwise.
    """
    from PIL import Image

    size = np.array(x.shape[1:3])
    result = np.empty_like(x)
    for i, (share, turn) in enumerate(zip(side, angle, strict=True)):
        cosine, sine = share * np.cos(turn), share * np.sin(turn)
        down, right = (corner[i] + share / 2) * size
        middle_down, middle_right = size / 2
        across = (cosine, -sine, right - cosine * middle_right + sine * middle_down)
        along = (sine, cosine, down - sine * middle_right - cosine * middle_down)
        picture = Image.fromarray(x[i].squeeze(-1) if x.shape[-1] == 1 else x[i])
        turned = picture.transform(picture.size, Image.Transform.AFFINE, across + along, Image.Resampling.BILINEAR)
        result[i] = np.asarray(turned).reshape(x.shape[1:])
    return result


def erased(x: np.ndarray, side: int, centre: np.ndarray) -> np.ndarray:
    """Make a square of each picture grey: rows centre - side // 2 and the side - 1 after them, columns likewise."""
    result = x.copy()
    for i, (row, column) in enumerate((centre - side // 2).tolist()):
        result[i, max(row, 0) : max(row + side, 0), max(column, 0) : max(column + side, 0)] = 128
    return result
