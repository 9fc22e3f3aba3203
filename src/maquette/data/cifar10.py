"""Colour pictures of ten kinds of things, 32 by 32 pixels, 50,000 for training and 10,000 for testing.

`read` gives all of it from a copy that was stored as JPEG of quality about 75; it differs from the original by 30.5 dB
(mean peak signal-to-noise ratio of 5,000 pictures), so results on it are not exactly those of the literature.
`read_lossless` gives the part that is at hand as it was: training pictures 0 to 1999 and test pictures 0 to 999.

**Source:** A. Krizhevsky, *Learning multiple layers of features from tiny images*, technical report, 2009.

**Weakness:** about 3 % of the test pictures have a near copy in the training part (Barz and Denzler, 2020).
"""

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Card, Dataset, File, Split
from maquette.errors import InputError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SHEETS = "https://raw.githubusercontent.com/karpathy/convnetjs/39afa8cd5e4cfb5771dc8a1f51bc56aa080f0b51/demo/cifar10/"
_LAST = "https://raw.githubusercontent.com/larrabeew/covnetJS/0d2866f3c12431c9044d3f275a588c12dc785926/demo/cifar10/"
_PACKED = File("cifar10_jpg.tar.xz", "18ee257832403cf6f3f79ff7db1e971124c3f510d031eb5c9213eee4dab66e51")
LOSSLESS = tuple(
    File(name, sha256, address + name)
    for name, sha256, address in (
        ("cifar10_batch_0.png", "0614720d69293a033786d5fe2924c4e9a9b48874f19ca4627c4662a864ee9f2d", _SHEETS),
        ("cifar10_batch_1.png", "2927e26ea68602e34a7424826b76b7336ce36b8f6bcc2e9fce0c05568ff6b4c1", _SHEETS),
        ("cifar10_batch_50.png", "5cea9e8fb7933540a2236a4bb25c1ed3a8447f345c55ae659143a95a5d8dac5e", _LAST),
        ("cifar10_labels.js", "f8e4cced3cb4ac08bc842380ad30f904622d1faea630a0c7e1a18bf29e39d845", _LAST),
    )
)

CARD = Card(
    title="CIFAR-10, stored as JPEG (a lossless part is beside it)",
    task="image-classification",
    source="A. Krizhevsky, V. Nair, G. Hinton, 2009",
    licence="none stated; the authors ask that the technical report of 2009 is cited",
    counts={"train": 50_000, "test": 10_000},
    shape=(32, 32, 3),
    files=(_PACKED,),
)


def read() -> Dataset:
    """Return the Dataset: x uint8 (n, 32, 32, 3), y int32 (n,), the standard two splits, from JPEG.

    The pictures come class by class, in the original order within a class. Raises InputError naming a file that is
    missing, altered or damaged.
    """
    from maquette.data.source import describe, locate

    paths = locate("cifar10", (_PACKED,))
    splits = _read_packed(paths[_PACKED.name])
    report = (*(f"{name}: {len(split)} pictures" for name, split in splits.items()), "stored as JPEG")
    return Dataset(
        "cifar10", splits["train"], test=splits["test"], classes=CLASSES, origin=describe(paths), report=report
    )


def read_lossless() -> Dataset:
    """Return the first 2,000 training and 1,000 test pictures without loss: x uint8 (n, 32, 32, 3), y int32 (n,).

    Raises InputError naming a file that is missing, altered or damaged.
    """
    from maquette.data.source import describe, locate

    paths = locate("cifar10", LOSSLESS)
    first, second, last, labels = (paths[file.name] for file in LOSSLESS)
    y = np.array(re.findall(r"\d+", labels.read_text(encoding="utf-8")), np.int32)
    train = Split(np.concatenate([_read_sheet(first), _read_sheet(second)]), y[:2000])
    test = Split(_read_sheet(last), y[50_000:51_000])
    report = (f"train: {len(train)} pictures", f"test: {len(test)} pictures", "without loss")
    return Dataset("cifar10", train, test=test, classes=CLASSES, origin=describe(paths), report=report)


def _read_packed(path):
    pictures: dict[str, list] = {"train": [], "test": []}
    labels: dict[str, list[int]] = {"train": [], "test": []}
    try:
        with tarfile.open(path) as members:
            for member in filter(tarfile.TarInfo.isfile, members):
                part, label, _ = member.name.split("/")
                content: Any = members.extractfile(member)
                pictures[part].append(_pixels(io.BytesIO(content.read())))
                labels[part].append(CLASSES.index(label))
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cannot be read ({error}); use the original file") from error
    return {part: Split(np.stack(pictures[part]), np.array(labels[part], np.int32)) for part in pictures}


def _read_sheet(path: Path) -> np.ndarray:
    """A sheet of 1024 by 1000 pixels has a picture per row, its pixels row by row: uint8 (1000, 32, 32, 3)."""
    return _pixels(path).reshape(1000, 32, 32, 3)


def _pixels(file):
    from PIL import Image

    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))
