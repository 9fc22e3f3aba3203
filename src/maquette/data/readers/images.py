"""Reads pictures: a folder per class for training, files or folders for prediction.

Every picture becomes bytes (height, width, channels) with one channel for grey and three for colour. It is
turned upright by the camera's mark, laid on white where it is transparent, and scaled from 16 bits to 8.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from maquette.data.dataset import Card, Dataset, Split, sorted_labels
from maquette.errors import InputError

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm"})
_PARTS = {"train": "train", "test": "test", "validation": "validation", "val": "validation"}
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True)
class Item:
    """A picture before it is read in full: file, class, upright height and width, grey or not, frames."""

    path: Path
    label: str
    size: tuple[int, int]
    grey: bool
    frames: int


def read_folder(path: str | Path, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Dataset:
    """Read a folder of pictures, one folder per class, as a Dataset; x uint8 (n, height, width, channels).

    If `path` holds train/ and test/, validation/ or val/, these are the splits, else all is training. y is
    int32 (n,), names are relative paths. `size` is a height and width or one number for both; without it
    all pictures must share a size, or the median size is used and the report says so. `channels` is 1 or 3;
    without it 1 if all pictures are grey. Raises InputError naming a missing or empty folder, a single
    class, classes that differ between splits, and a picture that cannot be read.
    """
    root = Path(path)
    _check_options(size, channels)
    folders, report = _find_parts(root)
    found = {part: _scan(folder, report) for part, folder in folders.items()}
    classes = _common_classes(root, found)
    everything = [item for items in found.values() for item in items]
    height, width = choose_size(everything, size, report)
    channels = channels or (1 if all(item.grey for item in everything) else 3)
    _report_items(found, classes, report)
    shape = (height, width, channels)
    splits = {part: _read_split(root, items, classes, shape) for part, items in found.items()}
    return Dataset(root.resolve().name, **splits, classes=classes, origin=str(root), report=tuple(report))


def read_pictures(
    paths: str | Path | Sequence[str | Path], height: int, width: int, channels: int
) -> tuple[tuple[str, ...], np.ndarray]:
    """Read files and folders (with all below them, sorted) as (names, x uint8 (n, height, width, channels)).

    names is a tuple of paths as text. What a folder holds besides pictures is counted in a warning. Raises
    InputError naming a path that does not exist, a folder without pictures, and a picture that cannot be read.
    """
    paths = [paths] if isinstance(paths, str | Path) else paths
    files = [file for path in paths for file in expand(Path(path))]
    return tuple(str(file) for file in files), read_all(files, (height, width, channels))


def read_archive(name: str, card: Card, size: int | None = None) -> Dataset:
    """Read the built-in set `name` whose one original file packs a folder of pictures per class; see `read_folder`.

    It is unpacked once, into the cache. Raises InputError naming a file that is missing, altered or damaged.
    """
    root, origin = unpacked(name, card)
    return replace(read_folder(root, size), name=name, origin=origin)


def unpacked(name: str, card: Card) -> tuple[Path, str]:
    """The one folder that the one original file of a built-in set packs, in the cache, and where the file came from."""
    from maquette.data.source import cache_folder, describe, extract, locate

    paths = locate(name, card.files)
    (archive,) = paths.values()
    (root,) = _folders(extract(archive, cache_folder() / name / f"{archive.stem}-{card.files[0].sha256[:12]}"))
    return root, describe(paths)


def _check_options(size, channels):
    if channels not in (None, 1, 3):
        raise InputError(f"channels {channels}: use 1 for grey or 3 for colour")
    if size is not None and (np.size(size) not in (1, 2) or np.min(size) < 1):
        raise InputError(f"size {size}: give a height and width of at least 1 pixel")


def _find_parts(root):
    if not root.is_dir():
        reason = "is a file" if root.is_file() else "does not exist"
        raise InputError(f"{root}: {reason}; give a folder that holds a folder of pictures per class")
    names = [folder.name for folder in _folders(root)]
    others = [name for name in names if name not in _PARTS]
    # A class may be called test or train, so other folders beside train/ make it one, unless test/ is there.
    if not ({"train", "test"} <= set(names) or ("train" in names and not others)):
        return {"train": root}, []
    if {"val", "validation"} <= set(names):
        raise InputError(f"{root}: has both val/ and validation/; keep one of them")
    folders = {_PARTS[name]: root / name for name in names if name in _PARTS}
    report = [f"beside the splits, not read: {name}/" for name in others]
    loose = _count_loose(root)
    return folders, report + ([f"beside the splits, not read: {loose} files"] if loose else [])


def _folders(folder):
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _count_loose(folder):
    return sum(child.is_file() and not child.name.startswith(".") for child in folder.iterdir())


def _files(folder):
    """Return the files below a folder, sorted, without hidden ones."""
    below = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in below if not any(p.startswith(".") for p in path.relative_to(folder).parts))


def _scan(folder, report):
    """Return the items of one split, class by class, and count in the report what is no picture."""
    classes = {child.name: child for child in _folders(folder)}
    if not classes:
        raise InputError(f"{folder}: has no folder inside; put the pictures of each class into its own")
    items: list[Item] = []
    skipped: Counter[str] = Counter()
    for label in sorted_labels(classes):
        files = _files(classes[label])
        pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
        if not pictures:
            raise InputError(f"{classes[label]}: the class has no picture; add some or remove the folder")
        others = set(files) - set(pictures)
        skipped.update(f"{path.suffix or path.name}, no picture" for path in others)
        items += [decode(path, partial(to_item, path, label)) for path in pictures]
    skipped["files outside a class"] = _count_loose(folder)
    report += [f"{folder.name}/: {kind}, not read: {n}" for kind, n in sorted(skipped.items()) if n]
    return items


def _common_classes(root, found):
    classes = sorted_labels(item.label for item in found["train"])
    if len(classes) < 2:
        raise InputError(f"{root}: a single class, '{classes[0]}'; give a folder for each of at least two classes")
    for part, items in found.items():
        differing = {item.label for item in items} ^ set(classes)
        if differing:
            fault = f"class '{min(differing)}' is in only one of train/ and {part}/"
            raise InputError(f"{root}: {fault}; give both the same classes")
    return classes


def choose_size(items, size, report):
    if size is not None:
        return tuple(int(side) for side in np.broadcast_to(size, 2))
    sizes = Counter(item.size for item in items)
    if len(sizes) == 1:
        return next(iter(sizes))
    sides = np.array([item.size for item in items])
    height, width = (int(side) for side in np.floor(np.median(sides, axis=0) + 0.5))
    report.append(f"{len(sizes)} different sizes: all resized to the median, {height} by {width}")
    return height, width


def _report_items(found, classes, report):
    for part, items in found.items():
        counts = Counter(item.label for item in items)
        per_class = ", ".join(f"{label} {counts[label]}" for label in classes)
        report.append(f"{part}: {len(items)} pictures ({per_class})")
    several = sum(item.frames > 1 for items in found.values() for item in items)
    report += [f"files with several frames, the first one read: {several}"] if several else []


def _read_split(root, items, classes, shape):
    index = {label: i for i, label in enumerate(classes)}
    y = np.array([index[item.label] for item in items], np.int32)
    names = tuple(item.path.relative_to(root).as_posix() for item in items)
    return Split(read_all([item.path for item in items], shape), y, names)


def expand(path):
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: does not exist; give a picture or a folder of pictures")
    files = _files(path)
    pictures = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not pictures:
        raise InputError(f"{path}: has no picture; give a folder with {', '.join(sorted(SUFFIXES))} files")
    if len(files) > len(pictures):
        logger.warning("%s: not read, since no pictures: %d files", path, len(files) - len(pictures))
    return pictures


def read_all(files, shape):
    x = np.empty((len(files), *shape), np.uint8)
    for row, file in enumerate(files):
        x[row] = decode(file, partial(to_array, shape))
    return x


def decode(path, use):
    """Open a picture, hand it to `use`, and turn whatever the decoder dislikes into an InputError."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return use(picture)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as a picture ({reason}); replace or remove it") from error


def to_item(path, label, picture):
    width, height = picture.size
    # Marks 5 to 8 of tag 274 say that the camera lay on its side.
    size = (width, height) if picture.getexif().get(274) in (5, 6, 7, 8) else (height, width)
    return Item(path, label, size, _is_grey(picture), getattr(picture, "n_frames", 1))


def _is_grey(picture):
    if picture.mode in ("P", "PA"):
        pixels = np.asarray(picture.convert("RGBA"))[..., :3]
        return bool((pixels == pixels[..., :1]).all())
    return picture.mode in _GREY_MODES


def to_array(shape, picture):
    from PIL import Image, ImageOps

    height, width, channels = shape
    upright = ImageOps.exif_transpose(picture)
    plain = _on_white(_to_eight_bits(upright)).convert("L" if channels == 1 else "RGB")
    if plain.size != (width, height):
        plain = plain.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(plain).reshape(shape)


def _to_eight_bits(picture):
    from PIL import Image

    if picture.mode == "F":
        raise InputError("pixels are fractions; save the picture with 8 or 16 bits")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise InputError("pixels have more than 16 bits; save the picture with 8 or 16 bits")
    return Image.fromarray(np.rint(values / 257).astype(np.uint8))


def _on_white(picture):
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
