"""Reads pictures of two kinds, a and b, for translation: two folders, or pairs side by side.

    FOLDER/a  FOLDER/b                     pictures of each kind; with equal names, a/1.jpg and b/1.png, they are pairs
    FOLDER/*.jpg                           pictures twice as wide as high: a pair each, a on the left and b on the right
    FOLDER/train  FOLDER/test              either of these in each; validation or val may be there too
    FOLDER/trainA  trainB  testA  testB    the form of published sets

An item is a picture of a and one of b, bytes (2, height, width, channels), and its y is 1 where the two belong
together. Of kinds with unequal numbers of pictures the fewer stand in several items.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.readers.images import Item, choose_size, decode, expand, read_all, to_array, to_item
from maquette.errors import InputError

PARTS = {"train": "train", "test": "test", "validation": "validation", "val": "validation"}


@dataclass(frozen=True)
class Found:
    """The pictures of one split before they are read in full; of pairs side by side `b` is `a`."""

    a: tuple[Item, ...]
    b: tuple[Item, ...]
    paired: bool
    halved: bool = False

    def __len__(self) -> int:
        return max(len(self.a), len(self.b))


def read_pairs(path: str | Path, size: int | Sequence[int] | None = None, channels: int | None = None) -> Dataset:
    """Read a folder in one of the forms above as a Dataset; x uint8 (n, 2, height, width, channels), y int32 (n,).

    Args:
        path: the folder.
        size: height and width, or one number for both; without it all pictures share one, or get the median size.
        channels: 1 or 3, into which grey and colour are turned; without it all pictures have to be of one sort.

    Raises:
        InputError: naming a folder that is missing, empty or without its counterpart, a grey picture beside colour
            ones, a picture that is no pair, or one that cannot be read.
    """
    root, report = Path(path), list[str]()
    found = {part: _scan(*folders) for part, folders in _parts(root).items()}
    everything = [item for one in found.values() for item in (*one.a, *one.b)]
    channels = channels or _channels(everything)
    height, width = choose_size(everything, size, report)
    if size is None and next(iter(found.values())).halved:
        width //= 2
    for part, one in found.items():
        pairs = f"{len(one)} pairs" if one.paired else f"{len(one.a)} pictures of a and {len(one.b)} of b, no pairs"
        report.append(f"{part}: {pairs}")
    splits: dict[str, Any] = {part: _read(root, one, (height, width, channels)) for part, one in found.items()}
    train = found["train"]
    # Items that share a picture stay on one side when a part is held out.
    groups = None if train.paired else np.arange(len(train)) % min(len(train.a), len(train.b))
    return Dataset(root.resolve().name, **splits, groups=groups, origin=str(root), report=tuple(report))


def _parts(root: Path) -> dict[str, tuple[Path, ...]]:
    """Split -> the folders of a and b, or the one folder of pairs side by side."""
    if not root.is_dir():
        reason = "is a file" if root.is_file() else "does not exist"
        raise InputError(f"{root}: {reason}; give a folder that holds the folders a and b")
    names = {child.name.lower(): child for child in sorted(root.iterdir()) if child.is_dir()}
    published = {part: _both(root, names, f"{part}a", f"{part}b") for part in PARTS}
    if published["train"]:
        return {PARTS[part]: folders for part, folders in published.items() if folders}
    if "train" in names:
        return {PARTS[part]: _inside(names[part]) for part in PARTS if part in names}
    return {"train": _inside(root)}


def _inside(folder: Path) -> tuple[Path, ...]:
    names = {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}
    return _both(folder, names, "a", "b") or (folder,)


def _both(folder: Path, names: dict[str, Path], a: str, b: str) -> tuple[Path, ...]:
    there = [name for name in (a, b) if name in names]
    if len(there) == 1:
        (absent,) = {a, b} - set(there)
        raise InputError(f"{folder}: has {names[there[0]].name}/ but no {absent}/; give a folder of each kind")
    return tuple(names[name] for name in there)


def _scan(*folders: Path) -> Found:
    items = [[decode(path, partial(to_item, path, "")) for path in expand(folder)] for folder in folders]
    if len(items) == 1:
        for item in items[0]:
            if item.size[1] != 2 * item.size[0]:
                raise InputError(
                    f"{item.path}: {item.size[1]} pixels wide and {item.size[0]} high is no pair side by side, twice as"
                    f" wide as high; or put the pictures of each kind into {folders[0] / 'a'} and {folders[0] / 'b'}"
                )
        return Found(tuple(items[0]), tuple(items[0]), paired=True, halved=True)
    names = [{_name(item, folder): item for item in kind} for kind, folder in zip(items, folders, strict=True)]
    a, b = names
    if set(a) == set(b) and len(a) == len(items[0]) and len(b) == len(items[1]):
        return Found(tuple(a[name] for name in sorted(a)), tuple(b[name] for name in sorted(a)), paired=True)
    return Found(tuple(items[0]), tuple(items[1]), paired=False)


def _name(item: Item, folder: Path) -> str:
    return item.path.relative_to(folder).with_suffix("").as_posix()


def _channels(items: Sequence[Item]) -> int:
    sorts = Counter(item.grey for item in items)
    if len(sorts) > 1:
        rare = min(sorts, key=lambda grey: sorts[grey])
        path = next(item.path for item in items if item.grey == rare)
        words = ("grey", "colour") if rare else ("in colour", "grey")
        remedy = "set inputs.channels=3 to read all in colour, or 1 in grey"
        raise InputError(f"{path} is {words[0]} beside {words[1]} pictures: {remedy}")
    return 1 if items[0].grey else 3


def _read(root: Path, found: Found, shape: tuple[int, int, int]) -> Split:
    if found.halved:
        x = np.stack([decode(item.path, partial(_halves, shape)) for item in found.a])
        names = tuple(item.path.relative_to(root).as_posix() for item in found.a)
        return Split(x, np.ones(len(x), np.int32), names)
    kinds = [found.a, found.b]
    places = [np.arange(len(found)) % len(kind) for kind in kinds]
    own = [[item.path.relative_to(root).as_posix() for item in kind] for kind in kinds]
    x = np.stack([read_all([item.path for item in kind], shape)[i] for kind, i in zip(kinds, places, strict=True)], 1)
    names = tuple(f"{own[0][i]} and {own[1][j]}" for i, j in zip(*places, strict=True))
    return Split(x, np.full(len(x), int(found.paired), np.int32), names)


def _halves(shape: tuple[int, int, int], picture: Any) -> np.ndarray:
    """The left and the right half, cut before they are resized, which would mix them."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    width, height = upright.size
    boxes = (0, 0, width // 2, height), (width // 2, 0, width, height)
    return np.stack([to_array(shape, upright.crop(box)) for box in boxes])
