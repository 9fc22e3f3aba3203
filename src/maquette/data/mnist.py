"""Handwritten digits in grey, 28 by 28 pixels, 60,000 for training and 10,000 for testing.

The four original files are read as they are: a big-endian header (2051 for pictures, 2049 for labels,
then the counts), then one byte per value.

**Source:** Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*, 1998.

**Weakness:** nearly solved; a difference of 0.1 % between two models is within the noise of the test set.
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from maquette.data.dataset import Card, Dataset, File, Split
from maquette.errors import InputError

_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

CARD = Card(
    title="MNIST handwritten digits",
    task="image-classification",
    source="Y. LeCun, C. Cortes, C. Burges, 1998; from NIST Special Databases 1 and 3",
    licence="CC BY-SA 3.0 (Y. LeCun and C. Cortes hold the copyright)",
    counts={"train": 60_000, "test": 10_000},
    shape=(28, 28, 1),
    files=tuple(File(name, sha256, _MIRROR + name) for name, sha256 in _SHA256.items()),
)


def read() -> Dataset:
    """Return the Dataset: x uint8 (n, 28, 28, 1) from 0 to 255, y int32 (n,), the standard two splits.

    Raises InputError naming a file that is missing, altered, truncated or not of this format.
    """
    from maquette.data.source import describe, locate

    paths = locate("mnist", CARD.files)
    train, test = _read_split(paths, "train"), _read_split(paths, "t10k")
    report = (f"train: {len(train)} pictures", f"test: {len(test)} pictures")
    classes = tuple("0123456789")
    return Dataset("mnist", train, test=test, classes=classes, origin=describe(paths), report=report)


def read_images(path: Path) -> np.ndarray:
    """Return the pictures of an idx file as uint8 (n, height, width, 1).

    Raises InputError naming `path` if it is no gzip file, has another magic number, or is too short or long.
    """
    content = _unzip(path)
    _check_header(path, content, 16, 2051, "pictures")
    shape = struct.unpack(">3I", content[4:16])
    return _values(path, content[16:], shape).reshape(*shape, 1)


def read_labels(path: Path) -> np.ndarray:
    """Return the labels of an idx file as int32 (n,), each from 0 to 9.

    Raises InputError naming `path` for the faults that `read_images` names and for a label above 9.
    """
    content = _unzip(path)
    _check_header(path, content, 8, 2049, "labels")
    labels = _values(path, content[8:], struct.unpack(">I", content[4:8])).astype(np.int32)
    if labels.size and labels.max() > 9:
        row = int(np.argmax(labels > 9))
        raise InputError(f"{path}: label {row} is {labels[row]}, not a digit: use the original file")
    return labels


def _read_split(paths, prefix):
    images, labels = (paths[f"{prefix}-{part}-ubyte.gz"] for part in ("images-idx3", "labels-idx1"))
    x, y = read_images(images), read_labels(labels)
    if len(x) != len(y):
        raise InputError(f"{labels}: {len(y)} labels where {images.name} has {len(x)} pictures: use one pair")
    return Split(x, y)


def _unzip(path):
    try:
        with gzip.open(path, "rb") as stream:
            return stream.read()
    except EOFError as error:
        raise InputError(f"{path}: the file is truncated; delete it to download it again") from error
    except (OSError, zlib.error) as error:
        raise InputError(f"{path}: not a readable gzip file ({error}); use the original file") from error


def _check_header(path, content, length, magic, what):
    found = struct.unpack(">I", content[:4])[0] if len(content) >= length else "cut short"
    if found != magic:
        raise InputError(f"{path}: the header is {found} where {what} have {magic}; use the original file")


def _values(path, content, shape):
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        fault = "truncated" if len(content) < expected else "too long"
        raise InputError(
            f"{path}: the file is {fault}: {len(content)} values where its header says {expected};"
            f" use the original file"
        )
    return np.frombuffer(content, np.uint8)
